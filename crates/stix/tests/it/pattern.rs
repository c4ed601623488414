//! The pattern language (section numbers of `docs/requirements/stix-patterning.md`).

mod corpus;
mod grammar;
mod random;
