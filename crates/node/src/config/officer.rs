//! Persons who may override a label together (L-157).
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Officers of one node: a bound on what is read, far above any organisation's number of them.
pub const OFFICERS_MAX: usize = 100;

/// A person who may sign overrides with another one (`[[officer]]`, L-157); `entente override officer` writes the table. Who is taken out signs nothing any
/// more, and what they signed ends. Whoever can write this file says who is an officer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfficerFile {
    /// The person's name: a-z, 0-9, `-` and `.`, at most 64.
    pub name: String,
    /// The person's public key, as a JSON Web Key. No two officers have one key.
    pub key: PublicKey,
}

/// A public key as a JSON Web Key (RFC 7517): P-256, Ed25519 or RSA from 2048 bits (`key` of an officer). Numbers are base64url.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicKey {
    /// `EC`, `OKP` or `RSA`.
    pub kty: String,
    /// `P-256` or `Ed25519`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crv: Option<String>,
    /// First coordinate, or the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x: Option<String>,
    /// Second coordinate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub y: Option<String>,
    /// Modulus.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<String>,
    /// Exponent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub e: Option<String>,
}

impl PublicKey {
    /// Names the key, however it is written: SHA-256 over its kind and its numbers without leading zeros, in hexadecimal.
    pub(crate) fn thumbprint(&self) -> String {
        let mut hash = Sha256::new();
        for part in [&self.x, &self.y, &self.n, &self.e] {
            let bytes = part.as_deref().and_then(|p| BASE64URL.decode(p).ok()).unwrap_or_default();
            // A point's numbers have one length; in a modulus a leading zero changes nothing.
            let significant = if part == &self.n || part == &self.e {
                bytes.iter().position(|b| *b != 0).map_or(&[][..], |from| &bytes[from..])
            } else {
                &bytes
            };
            hash.update((significant.len() as u64).to_be_bytes());
            hash.update(significant);
        }
        hash.update(self.kty.as_bytes());
        stix::Digest(hash.finalize().into()).to_string()
    }
}
