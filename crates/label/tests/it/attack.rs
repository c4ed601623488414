//! Bodies of the fuzz targets (fuzz/README.md): whatever is read, it does not panic, and what is accepted can be used and is what it says.
use label::{Clearance, Label, Policies, Policy, SPIF_BYTES_MAX, Validity};

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

/// A policy file that loads has no value that could stand for two things, and describes itself.
pub(crate) fn spif(data: &[u8]) {
    let Ok(policy) = Policy::load(data) else { return };
    assert!(data.len() <= SPIF_BYTES_MAX);
    let described = policy.describe();
    assert_eq!(described["name"], policy.name());
    let now = stix::Timestamp::from_micros(0);
    for level in policy.new_classifications() {
        assert!(policy.choices(level, &now).is_some(), "{level}");
    }
    let _ = Policies::new(vec![policy]);
}
