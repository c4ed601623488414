//! A released object is lent, not given: its fields cannot be moved or cloned out.
fn take(released: label::Released<String>) -> String {
    released.object
}

fn alter(released: &mut label::Released<String>) {
    released.to = 7;
}

fn open(labelled: label::Labelled<String>) -> String {
    labelled.object
}

fn main() {}
