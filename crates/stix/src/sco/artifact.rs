//! `artifact` (section 6.1).

use crate::{
    json::{Map, Path},
    model::{Closed, Hashes, Token, stix_type},
    syntax,
    validate::{Check, Code},
    vocabulary,
};

stix_type! {
    /// Bytes, or a link to them.
    Artifact = "artifact", section "6.1", requirement "S-097", common Observable, rules [payload_or_url, encryption];
    required {}
    optional {
        mime_type: String,
        payload_bin: Token<syntax::Base64>,
        url: Token<syntax::Url>,
        hashes: Hashes,
        encryption_algorithm: Closed<vocabulary::EncryptionAlgorithm>,
        decryption_key: String,
    }
}

/// S-097: the bytes or a link, and with a link their hashes.
fn payload_or_url(check: &mut Check<'_>, object: &Map<'_>, path: &Path<'_>) {
    let has = |name: &str| object.get(name).is_some();
    if has("payload_bin") == has("url") {
        check.error(path, Code::Combination, "S-097", "give exactly one of `payload_bin` and `url`");
    }
    if has("url") && !has("hashes") {
        check.error(path, Code::Combination, "S-097", "a `url` needs the `hashes` of what is there");
    }
}

/// S-097: a key belongs to an algorithm.
fn encryption(check: &mut Check<'_>, object: &Map<'_>, path: &Path<'_>) {
    if object.get("decryption_key").is_some() && object.get("encryption_algorithm").is_none() {
        let message = "a key needs `encryption_algorithm`";
        check.error(&Path::Name(path, "decryption_key"), Code::Combination, "S-097", message);
    }
}
