//! A released object is for one reader once.
fn needs_clone<T: Clone>() {}

fn main() {
    needs_clone::<label::Released<String>>();
}
