//! `directory` (section 6.3).

use crate::{
    Timestamp,
    model::{Ref, Token, stix_type, target},
    syntax,
    validate::rules,
};

stix_type! {
    /// A directory of a file system.
    Directory = "directory", section "6.3", requirement "S-098", common Observable, rules [rules::encoded_path];
    required { path: String, }
    optional {
        path_enc: Token<syntax::CharacterSet>,
        ctime: Timestamp,
        mtime: Timestamp,
        atime: Timestamp,
        contains_refs: Vec<Ref<target::FileOrDirectory>>,
    }
}
