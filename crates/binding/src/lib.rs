//! Labels bound to data, and what a binding is worth (labels.md sections 9 and 10.3).
//!
//! - [`Bindings`] reads and checks STANAG 4778 in XML by structure and by digest; [`sidecar`] writes it beside a file.
//! - [`SignerKeys`] verifies the signatures of STIX objects and of whole files, such as policy files.
//!
//! Nothing here decides who may have what: that is `label`'s alone, and it does not know of this crate. Pure: no I/O, no clock, no randomness; nothing
//! here signs or fetches.

mod jws;
mod stanag4778;

pub use jws::{Algorithm, BINDING_EXTENSION, BINDINGS_MAX, KEYS_MAX, SignerKeys, Verified, binding_digest, payload};
pub use stanag4778::{BINDING_BYTES_MAX, Binding, BindingState, Bindings, BoundData, sidecar, sidecar_of};
