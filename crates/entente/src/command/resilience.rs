//! `entente resilience …`: which few failures stop an essential service.

mod cascade;
mod convert;
mod load;
mod network;

use clap::{Args, Subcommand};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

/// `entente resilience …`.
#[derive(Debug, Subcommand)]
pub(crate) enum ResilienceCommand {
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

impl ResilienceCommand {
    pub(super) fn run(self, dir: &Path, json: bool) -> Result<ExitCode, String> {
        match self {
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
