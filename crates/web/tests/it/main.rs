//! Integration tests of `web`, one module a subject.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod fake;
mod log;
mod matrix;
mod openapi;
mod operator;
mod post;
mod socket;
mod tls;
