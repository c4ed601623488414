//! An encoder takes what was released and nothing else.
fn encode(_: &label::Released<stix::Object>) {}

fn send(plain: &stix::Object, labelled: &label::Labelled<stix::Object>) {
    encode(labelled);
    encode(plain);
}

fn main() {}
