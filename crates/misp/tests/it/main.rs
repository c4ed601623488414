//! The rows of labels.md section 11 about MISP, TLP and PAP, from outside.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod arriving;
mod leaving;
