//! The gate alone makes a `Released`.
fn main() {
    let _ = label::Released { object: "a secret", to: 0, added: std::sync::Arc::default() };
}
