//! Persons who may override a label together (L-157).
use serde::{Deserialize, Serialize};

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
