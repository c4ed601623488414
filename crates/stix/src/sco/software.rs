//! `software` (section 6.14).

use crate::{
    model::{Token, stix_type},
    syntax,
};

stix_type! {
    /// A software product.
    Software = "software", section "6.14", requirement "S-116", common Observable, rules [];
    required { name: String, }
    optional { cpe: Token<syntax::Cpe>, swid: String, languages: Vec<Token<syntax::LanguageTag>>, vendor: String, version: String, }
}
