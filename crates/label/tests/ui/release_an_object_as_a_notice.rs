//! What leaves as a notice is made of the notice alone: an object is none.
fn smuggle(notice: &label::Notice, to: &label::Reader) -> label::Released<stix::Object> {
    label::release_notice(notice, to).unwrap()
}

fn main() {}
