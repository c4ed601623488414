//! `entente resilience …`: which few failures stop an essential service.

mod analyse;
mod cascade;
mod convert;
mod interrupt;
mod load;
mod network;
mod report;

use clap::{Args, Subcommand};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

/// `entente resilience …`.
#[derive(Debug, Subcommand)]
pub(crate) enum ResilienceCommand {
    /// How many minimal sets of failures stop each top, by order, and how likely that is; and a report.
    #[command(
        after_help = "Examples:\n  entente resilience analyse plant.xml\n  entente resilience analyse grid.csv --top hospital --report hospital.html\n  entente resilience analyse huge.xml --order 3 --seconds 60 --json\n\nWith --json one line for each top: top, coherent, count (a decimal string), counts_by_order, probability, truncated, seconds. Ctrl-C gives what is known so far, and says up to which order that is complete."
    )]
    Analyse {
        #[command(flatten)]
        model: ModelArgs,
        #[command(flatten)]
        engine: EngineArgs,
        /// Write a report as one HTML file that opens offline.
        #[arg(long, value_name = "FILE")]
        report: Option<PathBuf>,
    },
    /// The minimal sets of failures themselves: the smallest first, then the likeliest.
    #[command(
        after_help = "Examples:\n  entente resilience cutsets grid.csv --order 2\n  entente resilience cutsets grid.csv --abroad NOR --limit 50\n\nWith --json one line for each set, and a last one that says where the list ends."
    )]
    Cutsets {
        #[command(flatten)]
        model: ModelArgs,
        #[command(flatten)]
        engine: EngineArgs,
        /// How many to list.
        #[arg(long, default_value_t = 100)]
        limit: usize,
        /// Only sets with something that lies outside this nation.
        #[arg(long, value_name = "NATION")]
        abroad: Option<String>,
    },
    /// What matters most: Birnbaum, criticality, Fussell-Vesely, risk achievement and reduction worth.
    #[command(
        after_help = "Example:\n  entente resilience importance grid.csv --top hospital\n\nWith --json one line for each event, with all measures."
    )]
    Importance {
        #[command(flatten)]
        model: ModelArgs,
        #[command(flatten)]
        engine: EngineArgs,
    },
    /// The fewest things to harden so that no set of up to --order failures (1 if left out) stops the service.
    #[command(
        after_help = "Examples:\n  entente resilience harden grid.csv --top hospital\n  entente resilience harden grid.csv --order 2 --json"
    )]
    Harden {
        #[command(flatten)]
        model: ModelArgs,
        #[command(flatten)]
        engine: EngineArgs,
    },
    /// What if these fail: whether the service stops, how likely it then is to, and what then stops it alone.
    #[command(after_help = "Example:\n  entente resilience whatif grid.csv --fail substation-a,diesel")]
    Whatif {
        #[command(flatten)]
        model: ModelArgs,
        #[command(flatten)]
        engine: EngineArgs,
        /// What has failed: names, separated by commas.
        #[arg(long, required = true, value_delimiter = ',')]
        fail: Vec<String>,
    },
    /// What falls after first failures, when and in which order, with batteries and stocks.
    #[command(
        after_help = "Example:\n  entente resilience cascade grid.csv --fail substation-north,substation-south --top hospital"
    )]
    Cascade {
        #[command(flatten)]
        model: ModelArgs,
        /// What fails at hour 0: names, separated by commas.
        #[arg(long, required = true, value_delimiter = ',')]
        fail: Vec<String>,
    },
    /// Articulation points, bridges, betweenness, and what every way from a top passes (dominators).
    #[command(
        after_help = "Examples:\n  entente resilience graph backbone.csv\n  entente resilience graph grid.csv --top hospital --json"
    )]
    Graph {
        #[command(flatten)]
        model: ModelArgs,
    },
    /// Write the model in another form.
    #[command(
        after_help = "Examples:\n  entente resilience convert plant.xml --to json\n  entente resilience convert grid.csv --to svg --output grid.svg\n\nFrom: Open-PSA XML, the edge list (CSV or JSON), STIX bundles. To: json, csv, open-psa, stix, dot, svg."
    )]
    Convert {
        #[command(flatten)]
        model: ModelArgs,
        /// The form.
        #[arg(long)]
        to: convert::Form,
        /// File to create; standard output if left out.
        #[arg(long)]
        output: Option<PathBuf>,
    },
    /// The model as a partner may see it: what it may not know becomes opaque modules.
    #[command(
        after_help = "Examples:\n  entente --dir ./node resilience view grid.json --as japan\n  entente --dir ./node resilience view grid.json --as japan --to json --output for-japan.json"
    )]
    View {
        #[command(flatten)]
        model: ModelArgs,
        /// The form in which to write it; a table if left out.
        #[arg(long)]
        to: Option<convert::Form>,
        /// File to create; standard output if left out.
        #[arg(long)]
        output: Option<PathBuf>,
    },
}

/// The model and how it is read.
#[derive(Debug, Args)]
pub(crate) struct ModelArgs {
    /// Open-PSA XML, an edge list (CSV or JSON) or a STIX bundle.
    file: PathBuf,
    /// The service whose loss is studied; all that the file names, or all gates that nothing else uses, if left out.
    #[arg(long = "top", value_name = "NAME")]
    tops: Vec<String>,
    /// Mission time, hours, in place of the file's (8760 if it has none).
    #[arg(long, value_name = "HOURS")]
    mission_h: Option<f64>,
    /// Cut circles at the inputs that the file marks as delayed, and unroll this many steps.
    #[arg(long, value_name = "STEPS")]
    time_steps: Option<u32>,
    /// Label for nodes that carry none: a TLP, a name of the catalogue or a marking id.
    #[arg(long)]
    label: Option<String>,
    /// See and compute with what this partner may know only (needs the node's directory, see --dir).
    #[arg(long = "as", value_name = "PARTNER")]
    reader: Option<String>,
    /// The collection through which the partner would be given the model; the first that its agreement gives if left out.
    #[arg(long)]
    collection: Option<String>,
}

/// What an analysis may cost.
#[derive(Debug, Args)]
pub(crate) struct EngineArgs {
    /// No sets of more than this many failures.
    #[arg(long, value_name = "ORDER", value_parser = clap::value_parser!(u32).range(1..))]
    order: Option<u32>,
    /// Stop after so many seconds with what is known; without it some minutes of work at most.
    #[arg(long)]
    seconds: Option<f64>,
    /// Memory for the diagrams, MiB.
    #[arg(long, default_value_t = 1024)]
    memory_mib: usize,
}

impl ModelArgs {
    /// The file's name without its folder.
    fn file_name(&self) -> String {
        self.file.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned())
    }
}

impl ResilienceCommand {
    pub(super) fn run(self, dir: &Path, json: bool) -> Result<ExitCode, String> {
        match self {
            Self::Analyse { model, engine, report } => analyse::analyse(&model, &engine, report.as_deref(), dir, json),
            Self::Cutsets { model, engine, limit, abroad } => {
                analyse::cut_sets(&model, &engine, limit, abroad.as_deref(), dir, json)
            }
            Self::Importance { model, engine } => analyse::importance(&model, &engine, dir, json),
            Self::Harden { model, engine } => analyse::harden(&model, &engine, dir, json),
            Self::Whatif { model, engine, fail } => analyse::what_if(&model, &engine, &fail, dir, json),
            Self::Cascade { mut model, fail } => {
                model.time_steps = Some(model.time_steps.unwrap_or(0).max(cascade::TIME_STEPS_MIN));
                cascade::run(&model, &fail, dir, json)
            }
            Self::Graph { model } => network::run(&model, dir, json),
            Self::Convert { model, to, output } => convert::run(&model, to, output.as_deref(), dir),
            Self::View { model, to, output } => convert::view(&model, to, output.as_deref(), dir, json),
        }
        .map(|()| ExitCode::SUCCESS)
    }
}
