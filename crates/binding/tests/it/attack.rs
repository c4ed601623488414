//! Body of the fuzz target (fuzz/README.md): whatever is read, it does not panic, and what is accepted is what it says.
use binding::{BindingState, Bindings};
use label::Label;

pub(crate) fn binding(data: &[u8]) {
    let Ok(bindings) = Bindings::from_xml(data) else { return };
    let worth = [bindings.state(), bindings.state_of("report.pdf", b"what we saw")];
    assert!(!worth.contains(&BindingState::Valid), "nothing here verifies a signature in XML (L-111)");
    for label in bindings.list().iter().flat_map(binding::Binding::labels) {
        let text = std::str::from_utf8(label.canonical()).unwrap();
        assert_eq!(Label::from_json(text).as_ref(), Ok(label), "canonical text is read as the same label");
    }
}
