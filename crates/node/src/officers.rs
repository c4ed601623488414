//! The persons of `node.toml` who may override a label together, and what they signed (L-157).
use crate::config::{OFFICERS_MAX, OfficerFile};
use binding::SignerKeys;
use std::collections::BTreeMap;

/// The officers of a node, checked.
#[derive(Debug, Clone, Default)]
pub struct Officers {
    keys: SignerKeys,
    fingerprints: BTreeMap<String, String>,
}

impl Officers {
    pub(crate) fn load(files: &[OfficerFile], faults: &mut Vec<String>) -> Self {
        let mut officers = Self::default();
        if files.len() > OFFICERS_MAX {
            faults.push(format!("node.toml: {} officers, more than {OFFICERS_MAX}", files.len()));
            return officers;
        }
        let mut keys = Vec::with_capacity(files.len());
        for file in files {
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.');
            if file.name.is_empty() || file.name.len() > 64 || !file.name.bytes().all(plain) {
                faults.push(format!("node.toml: officer `{}`: use a-z, 0-9, `-` and `.`, at most 64", file.name));
            }
            let mut key = serde_json::to_value(&file.key).unwrap_or_default();
            key["kid"] = file.name.clone().into();
            keys.push(key);
        }
        match SignerKeys::from_jwks(&serde_json::json!({ "keys": keys }).to_string()) {
            Ok(keys) => officers.keys = keys,
            Err(why) => faults.push(format!("node.toml: officer: {why}")),
        }
        for (name, fingerprint) in officers.keys.fingerprints() {
            let fingerprint = fingerprint.to_string();
            if let Some((other, _)) = officers.fingerprints.iter().find(|(_, known)| **known == fingerprint) {
                let one = "have one key: two persons are two keys (L-157)";
                faults.push(format!("node.toml: officers `{other}` and `{name}` {one}"));
            }
            officers.fingerprints.insert(name.to_owned(), fingerprint);
        }
        officers
    }

    /// Who signed, and the name of the key.
    ///
    /// # Errors
    /// Why it is no signature of an officer over this text.
    pub fn signer(&self, text: &str, jws: &str) -> Result<(String, String), String> {
        let name = self.keys.verify_file(text.as_bytes(), jws)?;
        let fingerprint = self.fingerprints.get(name).ok_or_else(|| format!("no officer is named `{name}`"))?;
        Ok((name.to_owned(), fingerprint.clone()))
    }

    /// Names of the officers with the names of their keys, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fingerprints.iter().map(|(name, fingerprint)| (name.as_str(), fingerprint.as_str()))
    }
}
