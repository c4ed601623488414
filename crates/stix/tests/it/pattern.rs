//! The pattern language (section numbers of `docs/requirements/stix-patterning.md`).

mod corpus;
mod differential;
mod generate;
mod grammar;
mod lint;
mod random;
mod semantics;
mod set;
