//! `file` (section 6.7).

use crate::{
    Timestamp,
    json::{Map, Path},
    model::{Hashes, Ref, Token, Whole, stix_type, target},
    syntax,
    validate::{Check, Code},
};

stix_type! {
    /// One file.
    File = "file", section "6.7", requirement "S-104", common Observable, rules [hashes_or_name];
    required {}
    optional {
        hashes: Hashes,
        size: Whole,
        name: String,
        name_enc: Token<syntax::CharacterSet>,
        magic_number_hex: Token<syntax::Hex>,
        mime_type: String,
        ctime: Timestamp,
        mtime: Timestamp,
        atime: Timestamp,
        parent_directory_ref: Ref<target::Directory>,
        contains_refs: Vec<Ref<target::Sco>>,
        content_ref: Ref<target::Artifact>,
    }
}

/// S-104, S-027: a file is known by hashes or name; an encoding is that of a name.
fn hashes_or_name(check: &mut Check<'_>, object: &Map<'_>, path: &Path<'_>) {
    if object.get("hashes").is_none() && object.get("name").is_none() {
        check.error(path, Code::Combination, "S-104", "give `hashes` or `name`");
    }
    if object.get("name_enc").is_some() && object.get("name").is_none() {
        check.error(&Path::Name(path, "name_enc"), Code::Combination, "S-027", "an encoding needs `name`");
    }
}
