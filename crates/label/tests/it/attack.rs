//! Bodies of the fuzz targets (fuzz/README.md): whatever is read, it does not panic, and what is accepted can be used and is what it says.
use label::{Clearance, Label, Policies, Policy, SPIF_BYTES_MAX, Validity, phrase};

const NATO: &[u8] = include_bytes!("../../policies/nato-demo.spif.xml");

fn policies() -> Policies {
    Policies::new(vec![Policy::load(NATO).unwrap()]).unwrap()
}

/// What was accepted is written and read to the same (L-072).
fn holds(label: &Label) {
    let text = std::str::from_utf8(label.canonical()).unwrap();
    assert_eq!(Label::from_json(text).as_ref(), Ok(label), "canonical text is read as the same label");
    let policies = policies();
    for policy in policies.iter() {
        let marking = policy.marking_text(label, "en");
        assert!(!marking.contains('\n') || label.classification().contains('\n'), "a marking is one line");
        if let Ok(xml) = label.to_xml(policy) {
            let spelled = policy.spelled(label).unwrap();
            assert_eq!(Label::from_xml(xml.as_bytes()).unwrap().0, spelled, "{xml}");
            assert_eq!(policy.check(&spelled, Validity::Old, None), policy.check(label, Validity::Old, None));
        }
    }
}

pub(crate) fn label_xml(data: &[u8]) {
    if let Ok((label, _)) = Label::from_xml(data) {
        holds(&label);
    }
    let _ = Clearance::from_xml(data, &policies());
}

pub(crate) fn label_json(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(label) = Label::from_json(text) {
        holds(&label);
    }
    if let Ok(value) = serde_json::from_str(text) {
        let _ = Clearance::from_json(&value, &policies());
    }
}

/// A policy file that loads has no value that could stand for two things, and every place that it names is there.
pub(crate) fn spif(data: &[u8]) {
    let Ok(policy) = Policy::load(data) else { return };
    assert!(data.len() <= SPIF_BYTES_MAX);
    let (classes, sets) = (policy.classifications(), policy.tag_sets());
    let values = || sets.iter().flat_map(|s| &s.lanes).flat_map(|l| &l.values);
    for (place, class) in classes.iter().enumerate() {
        assert_eq!(policy.class_index(&class.name), Some(place));
        assert!(policy.thresholds().iter().all(|t| t.floor < classes.len()));
        let _ = (phrase(&class.phrases, "en"), values().filter(|v| v.is_usable_at(place)).count());
    }
    let rules = classes.iter().flat_map(|c| &c.required).chain(values().flat_map(|v| &v.required));
    for group in rules.flat_map(|r| &r.groups).chain(values().flat_map(|v| &v.excluded)) {
        let lane = &sets[group.set].lanes[group.lane];
        assert!(group.value.is_none_or(|v| v < lane.values.len()));
    }
    let _ = values().filter(|v| policy.opens(v)).count();
    let _ = Policies::new(vec![policy]);
}
