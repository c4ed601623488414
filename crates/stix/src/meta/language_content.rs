//! `language-content` (section 7.1).

use crate::{
    Timestamp,
    json::{Map, Node, Path},
    model::{Any, Dictionary, Ref, stix_type, target},
    syntax::{Form, LanguageTag, Verdict},
    validate::{Check, Code},
};

stix_type! {
    /// Translations of an object's texts.
    LanguageContent = "language-content", section "7.1", requirement "S-138", common Translation, rules [languages];
    required { object_ref: Ref<target::AnyObject>, contents: Dictionary<Dictionary<Any>>, }
    optional { object_modified: Timestamp, }
}

/// S-139: the keys of `contents` are language tags.
fn languages(check: &mut Check<'_>, object: &Map<'_>, path: &Path<'_>) {
    let Some(Node::Map(contents)) = object.get("contents") else { return };
    let at = Path::Name(path, "contents");
    for (tag, _) in contents.iter() {
        if let Verdict::Wrong(instead) = (LanguageTag::TABLE.check)(tag) {
            check.error(&Path::Name(&at, tag), Code::ValueForm, "S-139", instead);
        }
    }
}
