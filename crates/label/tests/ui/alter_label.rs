//! A label is canonical from birth: nobody changes one from outside.
fn main() {
    let label = label::Label::from_json("{}").unwrap();
    label.canonical.clear();
}
