//! No bytes become a `Released`.
fn main() {
    let _: label::Released<String> = serde_json::from_str("{}").unwrap();
}
