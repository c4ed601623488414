//! Bodies of the fuzz targets (fuzz/README.md): what holds of every input, however broken.

use stix::Timestamp;
use supply::resilience::{
    Model,
    draw::{Mark, picture},
    export::{write_csv, write_dot, write_json, write_open_psa, write_stix},
    import::{Import, ImportError, read, read_open_psa},
};

/// An accepted model can be written in every form and is the same size when it is read again; a refused one says in which file.
fn judge(outcome: Result<Model, ImportError>) {
    let model = match outcome {
        Ok(model) => model,
        Err(error) => {
            let text = error.to_string();
            assert!(!text.is_empty());
            if let Some(position) = &error.position {
                assert!(text.starts_with("input:") && position.line > 0, "{text}");
            }
            return;
        }
    };
    let at = Timestamp::parse("2026-11-24T12:00:00.000Z").unwrap();
    // Open-PSA has no formula in place that only renames, and one constant of each kind.
    let size = |m: &Model, xml: bool| (if xml { 0 } else { m.len() }, m.events().count(), m.tops().len());
    let forms = [write_json(&model), write_stix(&model, &at), write_csv(&model), write_open_psa(&model)];
    let tops: Vec<String> = model.tops().iter().map(|t| model.node_name(*t).to_owned()).collect();
    for text in forms.into_iter().flatten() {
        let again = read(text.as_bytes(), &Import { tops: &tops, ..Import::new("again") });
        let again = again.unwrap_or_else(|e| panic!("written and not read: {e}\n{text}"));
        let xml = text.starts_with('<');
        assert_eq!(size(&again, xml), size(&model, xml), "{text}");
    }
    assert!(write_dot(&model, None).ends_with("}\n"));
    let svg = picture(&model, model.tops()[0], |_| Mark::None).svg("p", "title", "text");
    assert!(svg.ends_with("</svg>"));
}

/// The Open-PSA reader.
pub(crate) fn open_psa(data: &[u8]) {
    judge(read_open_psa(data, &Import::new("input")));
}

/// The reader of any form: edge lists, STIX, Open-PSA.
pub(crate) fn dependency_model(data: &[u8]) {
    judge(read(data, &Import { time_steps: Some(2), ..Import::new("input") }));
}
