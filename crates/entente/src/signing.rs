//! The private key of a person, for what persons sign (L-157). It is read where the command runs, and goes nowhere.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD as BASE64URL},
};
use ring::{
    rand::SystemRandom,
    rsa::PublicKeyComponents,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
    },
};
use std::{
    fs,
    io::Write as _,
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
};

/// Octets of a key file.
const KEY_BYTES_MAX: u64 = 65_536;

/// A private key.
pub(crate) enum PrivateKey {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
    Rsa(RsaKeyPair),
}

impl PrivateKey {
    /// Reads a PKCS#8 key, PEM or DER, that its owner alone can read.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let failed = |e: std::io::Error| format!("`{}`: {e}", path.display());
        let about = fs::metadata(path).map_err(failed)?;
        if about.permissions().mode() & 0o077 != 0 {
            return Err(format!("`{}` can be read by others: chmod 600 it", path.display()));
        }
        if about.len() > KEY_BYTES_MAX {
            return Err(format!("`{}` is longer than {KEY_BYTES_MAX} octets: no key is", path.display()));
        }
        let bytes = fs::read(path).map_err(failed)?;
        let der = match std::str::from_utf8(&bytes) {
            Ok(text) if text.trim_start().starts_with("-----BEGIN PRIVATE KEY-----") => {
                let body: String = text.lines().map(str::trim).filter(|l| !l.starts_with("-----")).collect();
                STANDARD.decode(body).map_err(|_| format!("`{}` is no PEM", path.display()))?
            }
            _ => bytes,
        };
        if let Ok(key) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der) {
            return Ok(Self::Ed25519(key));
        }
        if let Ok(key) = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der, &SystemRandom::new()) {
            return Ok(Self::P256(key));
        }
        RsaKeyPair::from_pkcs8(&der)
            .map(Self::Rsa)
            .map_err(|_| format!("`{}` is no PKCS#8 key of Ed25519, P-256 or RSA without a password", path.display()))
    }

    /// Makes an Ed25519 key in a new file that its owner alone can read.
    pub(crate) fn make(path: &Path) -> Result<(), String> {
        let made = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| "no randomness".to_owned())?;
        let pem =
            format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(made.as_ref()));
        let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        file.and_then(|mut file| file.write_all(pem.as_bytes())).map_err(|e| format!("`{}`: {e}", path.display()))
    }

    fn algorithm(&self) -> &'static str {
        match self {
            Self::Ed25519(_) => "EdDSA",
            Self::P256(_) => "ES256",
            Self::Rsa(_) => "RS256",
        }
    }

    /// A JWS over a text that is not in it, in the name of its owner.
    pub(crate) fn sign(&self, name: &str, text: &str) -> Result<String, String> {
        let header = serde_json::json!({"alg": self.algorithm(), "kid": name}).to_string();
        let header = BASE64URL.encode(header);
        let message = format!("{header}.{}", BASE64URL.encode(text));
        let (message, random) = (message.as_bytes(), SystemRandom::new());
        let failed = |_| "the key does not sign".to_owned();
        let signature = match self {
            Self::Ed25519(key) => key.sign(message).as_ref().to_vec(),
            Self::P256(key) => key.sign(&random, message).map_err(failed)?.as_ref().to_vec(),
            Self::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).map_err(failed)?;
                signature
            }
        };
        Ok(format!("{header}..{}", BASE64URL.encode(signature)))
    }

    /// The public key as a JSON Web Key, in the order and spelling of TOML: `kty = "OKP", …`.
    pub(crate) fn public(&self) -> String {
        let b64 = |bytes: &[u8]| BASE64URL.encode(bytes);
        match self {
            Self::Ed25519(key) => {
                format!("kty = \"OKP\", crv = \"Ed25519\", x = \"{}\"", b64(key.public_key().as_ref()))
            }
            Self::P256(key) => {
                // An uncompressed point: 4, then both coordinates.
                let (x, y) = key.public_key().as_ref().get(1..).unwrap_or_default().split_at(32);
                format!("kty = \"EC\", crv = \"P-256\", x = \"{}\", y = \"{}\"", b64(x), b64(y))
            }
            Self::Rsa(key) => {
                let PublicKeyComponents::<Vec<u8>> { n, e } = key.public().into();
                format!("kty = \"RSA\", n = \"{}\", e = \"{}\"", b64(&n), b64(&e))
            }
        }
    }
}
