//! Writing models.

use super::{ModelArgs, load::Subject};
use crate::{print, render};
use clap::ValueEnum;
use node::Environment;
use serde_json::json;
use std::{fmt::Write as _, fs, path::Path};
use stix::Timestamp;
use supply::resilience::{
    draw::{Mark, picture},
    export,
};

/// The forms in which a model is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// The edge list as JSON: everything that is known.
    Json,
    /// The edge list as CSV.
    Csv,
    /// Open-PSA XML.
    OpenPsa,
    /// A STIX 2.1 bundle with the resilience extension.
    Stix,
    /// Graphviz.
    Dot,
    /// A picture, of the nodes nearest to the first top.
    Svg,
}

pub(super) fn run(args: &ModelArgs, to: Form, output: Option<&Path>, dir: &Path) -> Result<(), String> {
    let subject = Subject::load(args, dir)?;
    put(&written(&subject, to)?, output)
}

/// `view`: what a partner may see, as a table or in one of the forms.
pub(super) fn view(
    args: &ModelArgs,
    to: Option<Form>,
    output: Option<&Path>,
    dir: &Path,
    json: bool,
) -> Result<(), String> {
    if args.reader.is_none() {
        return Err("name the partner with --as".to_owned());
    }
    let subject = Subject::load(args, dir)?;
    if let Some(form) = to {
        return put(&written(&subject, form)?, output);
    }
    let Some(view) = subject.view() else { return Err("withheld".to_owned()) };
    let model = &view.model;
    let nodes: Vec<_> = model
        .nodes()
        .filter(|n| model.is_named(*n))
        .map(|n| {
            let needs: Vec<&str> = model.inputs(n).iter().map(|e| model.node_name(e.node)).collect();
            let facts = model.facts(n);
            json!({
                "node": model.node_name(n), "title": facts.title.as_deref(), "needs": needs,
                "owner": facts.owner.as_deref(), "nation": facts.nation.as_deref(),
            })
        })
        .collect();
    let modules: Vec<_> = view
        .modules
        .iter()
        .map(|m| json!({"module": m.name, "told": m.told.word(), "down": m.down, "probability": m.probability}))
        .collect();
    let value = json!({
        "as": args.reader, "label": subject.labels(model.tops()),
        "tops": model.tops().iter().map(|t| model.node_name(*t)).collect::<Vec<_>>(),
        "nodes": nodes, "modules": modules,
    });
    put(&if json { value.to_string() } else { render::text(&value) }, output)
}

fn written(subject: &Subject, form: Form) -> Result<String, String> {
    let model = subject.model();
    let labels = subject.labels(model.tops());
    let caption = (!labels.is_empty()).then(|| labels.join(" and "));
    let failed = |e: export::ExportError| e.to_string();
    Ok(match form {
        Form::Json => export::write_json(model).map_err(failed)?,
        Form::Csv => export::write_csv(model).map_err(failed)?,
        Form::OpenPsa => export::write_open_psa(model).map_err(failed)?,
        Form::Stix => {
            let now = Environment::system().clock.now();
            // To the millisecond, as other tools have it.
            let now = Timestamp::from_micros(now - now.rem_euclid(1_000));
            export::write_stix(model, &now).map_err(failed)?
        }
        Form::Dot => export::write_dot(model, caption.as_deref()),
        Form::Svg => svg(subject, caption.as_deref())?,
    })
}

fn svg(subject: &Subject, caption: Option<&str>) -> Result<String, String> {
    let model = subject.model();
    let Some(top) = model.tops().first() else { return Err("there is no top event".to_owned()) };
    let picture = picture(model, *top, |n| if subject.is_module(n) { Mark::Hidden } else { Mark::None });
    let mut text = format!("What {} needs: {} nodes", model.node_name(*top), picture.nodes.len());
    if picture.left_out > 0 {
        let _ = write!(text, ", {} more not drawn", picture.left_out);
    }
    if let Some(caption) = caption {
        let _ = write!(text, ". Label: {caption}");
    }
    Ok(picture.svg("model", model.name().unwrap_or_else(|| model.node_name(*top)), &text))
}

pub(super) fn put(text: &str, output: Option<&Path>) -> Result<(), String> {
    match output {
        None => {
            print(text.trim_end());
            Ok(())
        }
        Some(path) => fs::write(path, text).map_err(|e| format!("`{}`: {e}", path.display())),
    }
}
