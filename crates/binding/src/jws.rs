//! Bindings inside STIX: digest and signature of an object by its owner (labels.md 10.3, L-130). Format and verification; nothing here signs.
use crate::BindingState;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256, Sha384};
use std::collections::BTreeSet;
use stix::{Id, Object, Timestamp, canonical::canonicalise_value, id};

/// The binding extension (L-120).
pub const BINDING_EXTENSION: &str = "extension-definition--9f4b180b-6d15-443a-8be9-defc2f03dc64";
/// Most bindings on one object.
pub const BINDINGS_MAX: usize = 16;
/// Most keys of one set.
pub const KEYS_MAX: usize = 1_024;
/// Shortest RSA modulus, in bytes (2,048 bits).
const RSA_BYTES_MIN: usize = 256;

/// A signature algorithm (L-130): ES256 and RS256 are the mandatory pair, EdDSA (Ed25519) by agreement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256.
    #[serde(rename = "ES256")]
    Es256,
    /// RSA PKCS#1 v1.5 with SHA-256.
    #[serde(rename = "RS256")]
    Rs256,
    /// Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
}

/// One entry of the extension's `bindings`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    marking_refs: Vec<Id<id::MarkingDefinition>>,
    alg: String,
    canon: String,
    without: Vec<String>,
    digest: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signed_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    jws: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: Algorithm,
    kid: String,
}

/// A public key with whom it may speak for.
#[derive(Debug, Clone)]
struct Key {
    kid: String,
    algorithm: Algorithm,
    /// The point, the modulus or the key; for RSA the exponent beside it.
    public: (Vec<u8>, Vec<u8>),
    identities: BTreeSet<Id<id::Identity>>,
    until: Option<Timestamp>,
}

/// The keys that the operator trusts. A key says its own algorithm, so no header can change it.
#[derive(Debug, Clone, Default)]
pub struct SignerKeys {
    keys: Vec<Key>,
}

/// What came out of a verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The state (L-110).
    pub state: BindingState,
    /// The key that signed, if it is known.
    pub signer: Option<String>,
    /// Whether the signer may speak for the object's creator: only then may the binding widen anything (L-112).
    pub speaks_for_owner: bool,
    /// Why broken, or not valid, in words for the operator.
    pub why: String,
}

#[derive(Deserialize)]
struct Jwk {
    kid: String,
    kty: String,
    #[serde(default)]
    crv: String,
    #[serde(default)]
    x: String,
    #[serde(default)]
    y: String,
    #[serde(default)]
    n: String,
    #[serde(default)]
    e: String,
    /// Ours: the identities for whom the key speaks.
    #[serde(default)]
    identities: BTreeSet<Id<id::Identity>>,
    /// Ours: until when it counts, RFC 3339.
    #[serde(default)]
    until: Option<String>,
}

impl SignerKeys {
    /// Reads a JSON Web Key Set (RFC 7517) of P-256, RSA and Ed25519 keys; each may say `identities` and `until`.
    ///
    /// # Errors
    /// The first key that is none, of another kind, too short, or named like another one.
    pub fn from_jwks(text: &str) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Set {
            keys: Vec<Jwk>,
        }
        let set: Set = serde_json::from_str(text).map_err(|e| format!("no JSON Web Key Set: {e}"))?;
        if set.keys.len() > KEYS_MAX {
            return Err(format!("more than {KEYS_MAX} keys"));
        }
        let mut keys: Vec<Key> = Vec::with_capacity(set.keys.len());
        for jwk in set.keys {
            let kid = jwk.kid.clone();
            let key = read_key(jwk).map_err(|why| format!("key `{kid}`: {why}"))?;
            if keys.iter().any(|k| k.kid == kid) {
                return Err(format!("two keys are named `{kid}`"));
            }
            keys.push(key);
        }
        Ok(Self { keys })
    }

    /// Each key's name with what tells the key from every other, however it was written: SHA-256 over what verifies with it.
    pub fn fingerprints(&self) -> impl Iterator<Item = (&str, stix::Digest)> {
        self.keys.iter().map(|key| {
            let mut hash = Sha256::new().chain_update([key.algorithm as u8]);
            for part in [&key.public.0, &key.public.1] {
                hash.update((part.len() as u64).to_be_bytes());
                hash.update(part);
            }
            (key.kid.as_str(), stix::Digest(hash.finalize().into()))
        })
    }

    /// Checks every binding on an object; the worst state counts. An object without one is `none`, one with an unsigned one `claimed`.
    pub fn verify(&self, object: &Object, at: &Timestamp) -> Verified {
        let broken = |why: &str| Verified {
            state: BindingState::Broken,
            signer: None,
            speaks_for_owner: false,
            why: why.to_owned(),
        };
        let (bare, entries) = match taken_apart(object) {
            Ok(None) => return Verified { state: BindingState::None, ..broken("") },
            Ok(Some(found)) => found,
            Err(why) => return broken(&why),
        };
        let digest = BASE64URL.encode(Sha384::digest(&bare));
        let mut worst: Option<Verified> = None;
        for entry in &entries {
            let found = self.entry(entry, object, &digest, at).unwrap_or_else(|why| broken(&why));
            if worst.as_ref().is_none_or(|w| badness(w.state) < badness(found.state)) {
                worst = Some(found);
            }
        }
        worst.unwrap_or_else(|| broken("there is no binding in the binding extension"))
    }

    /// Checks the detached signature of a whole file, as of a policy file (L-056); gives the name of the key. A key with `until` is none for files: they are
    /// read without a clock.
    ///
    /// # Errors
    /// Why it does not hold.
    pub fn verify_file(&self, content: &[u8], jws: &str) -> Result<&str, String> {
        let (protected, header, signature) = detached(jws.trim())?;
        let key = self.keys.iter().find(|k| k.kid == header.kid && k.until.is_none());
        let key = key.ok_or_else(|| format!("no key without an end is named `{}`", header.kid))?;
        if key.algorithm != header.alg {
            return Err("the algorithm is not that of the key".into());
        }
        let message = format!("{protected}.{}", BASE64URL.encode(content));
        if key.verifies(message.as_bytes(), &signature) {
            Ok(&key.kid)
        } else {
            Err("the signature is not that of the file".into())
        }
    }

    fn entry(&self, entry: &Entry, object: &Object, digest: &str, at: &Timestamp) -> Result<Verified, String> {
        let without = format!("/extensions/{BINDING_EXTENSION}");
        if entry.alg != "sha-384" || entry.canon != "jcs" || entry.without != [without] {
            return Err("the binding is made by other rules than sha-384, jcs and without itself".into());
        }
        if entry.digest != digest {
            return Err("the digest is not that of the object".into());
        }
        let markings = &object.view().markings;
        if entry.marking_refs.is_empty() || !entry.marking_refs.iter().all(|m| markings.contains(m)) {
            return Err("it binds no marking, or one that the object does not carry".into());
        }
        let state = |state, signer: Option<&Key>, speaks_for_owner, why: &str| {
            Ok(Verified { state, signer: signer.map(|k| k.kid.clone()), speaks_for_owner, why: why.to_owned() })
        };
        let Some(jws) = &entry.jws else { return state(BindingState::Claimed, None, false, "it is not signed") };
        let signed_at = entry.signed_at.as_ref().ok_or("it is signed, but does not say when")?;
        let time = Timestamp::parse(signed_at).map_err(|_| "`signed_at` is no time")?;
        let (protected, header, signature) = detached(jws)?;
        let Some(key) = self.keys.iter().find(|k| k.kid == header.kid) else {
            return state(BindingState::UnknownSigner, None, false, "no key of this name is known");
        };
        if key.algorithm != header.alg {
            return Err("the algorithm is not that of the key".into());
        }
        let payload = payload(digest, object, &entry.marking_refs, signed_at);
        let message = format!("{protected}.{}", BASE64URL.encode(payload));
        if !key.verifies(message.as_bytes(), &signature) {
            return Err("the signature is not that of the object".into());
        }
        let speaks = object.view().created_by.as_ref().is_some_and(|c| key.identities.contains(c));
        if time > *at {
            return Err("it was signed in the future".into());
        }
        match &key.until {
            Some(until) if time > *until => Err("it was signed after the key's time".into()),
            Some(until) if at > until => {
                state(BindingState::ValidExpiredChain, Some(key), speaks, "the key's time is over")
            }
            _ => state(BindingState::Valid, Some(key), speaks, ""),
        }
    }
}

/// Header as sent, header as read, signature of a JWS with a detached payload.
fn detached(jws: &str) -> Result<(&str, Header, Vec<u8>), String> {
    let mut parts = jws.split('.');
    let (Some(protected), Some(""), Some(signature), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err("the signature is no JWS with a detached payload".into());
    };
    let header = BASE64URL.decode(protected).map_err(|_| "the JWS header is no base64url")?;
    let header: Header =
        serde_json::from_slice(&header).map_err(|_| "the JWS header is more or less than `alg` and `kid`")?;
    let signature = BASE64URL.decode(signature).map_err(|_| "the signature is no base64url")?;
    Ok((protected, header, signature))
}

/// What a JWS is made over (L-130): RFC 8785 of digest, id, version, sorted markings and time.
///
/// For a signer: the signing input is `BASE64URL(header) "." BASE64URL(payload)`, and the JWS `BASE64URL(header) ".." BASE64URL(signature)`.
pub fn payload(digest: &str, object: &Object, markings: &[Id<id::MarkingDefinition>], signed_at: &str) -> Vec<u8> {
    let sorted: BTreeSet<String> = markings.iter().map(ToString::to_string).collect();
    let mut body =
        json!({ "digest": digest, "id": object.id().to_string(), "marking_refs": sorted, "signed_at": signed_at });
    if let Some(version) = object.view().version() {
        body["modified"] = json!(version.as_str());
    }
    canonicalise_value(&body)
}

/// The object's digest for a binding: SHA-384, base64url, over RFC 8785 of the object without the binding extension (and without an `extensions`
/// that held nothing else). Whether it carries the extension already makes no difference.
///
/// # Errors
/// The object cannot be read as JSON.
pub fn binding_digest(object: &Object) -> Result<String, String> {
    let (_, body) = body_of(object)?;
    Ok(BASE64URL.encode(Sha384::digest(canonicalise_value(&Value::Object(body)))))
}

fn body_of(object: &Object) -> Result<(Option<Value>, Map<String, Value>), String> {
    let Ok(Value::Object(mut body)) = serde_json::from_str(object.raw()) else {
        return Err("the object is no JSON".into());
    };
    let mut found = None;
    if let Some(Value::Object(extensions)) = body.get_mut("extensions") {
        found = extensions.remove(BINDING_EXTENSION);
        if extensions.is_empty() {
            body.remove("extensions");
        }
    }
    Ok((found, body))
}

/// The canonical object without its bindings, and these.
type Apart = (Vec<u8>, Vec<Entry>);

fn taken_apart(object: &Object) -> Result<Option<Apart>, String> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Extension {
        extension_type: String,
        bindings: Vec<Entry>,
    }
    let (Some(extension), body) = body_of(object)? else { return Ok(None) };
    let extension: Extension =
        serde_json::from_value(extension).map_err(|_| "the binding extension is not as it should be")?;
    if extension.extension_type != "property-extension" || extension.bindings.len() > BINDINGS_MAX {
        return Err(format!("the binding extension is of another type or holds more than {BINDINGS_MAX} bindings"));
    }
    Ok(Some((canonicalise_value(&Value::Object(body)), extension.bindings)))
}

fn badness(state: BindingState) -> u8 {
    match state {
        BindingState::Valid => 0,
        BindingState::ValidExpiredChain => 1,
        BindingState::UnknownSigner => 2,
        BindingState::Claimed => 3,
        BindingState::None => 4,
        BindingState::Broken => 5,
    }
}

fn read_key(jwk: Jwk) -> Result<Key, String> {
    let bytes = |name: &str, s: &str| BASE64URL.decode(s).map_err(|_| format!("`{name}` is no base64url"));
    let (algorithm, public) = match (jwk.kty.as_str(), jwk.crv.as_str()) {
        ("EC", "P-256") => {
            let (x, y) = (bytes("x", &jwk.x)?, bytes("y", &jwk.y)?);
            if x.len() != 32 || y.len() != 32 {
                return Err("a coordinate is not 32 bytes".into());
            }
            (Algorithm::Es256, ([vec![4], x, y].concat(), Vec::new()))
        }
        ("OKP", "Ed25519") => {
            let x = bytes("x", &jwk.x)?;
            if x.len() != 32 {
                return Err("the key is not 32 bytes".into());
            }
            (Algorithm::EdDsa, (x, Vec::new()))
        }
        ("RSA", "") => {
            // A leading zero changes no number.
            let number = |name: &str, s: &str| {
                let bytes = bytes(name, s)?;
                let from = bytes.iter().position(|b| *b != 0).unwrap_or(bytes.len());
                Ok::<_, String>(bytes[from..].to_vec())
            };
            let (n, e) = (number("n", &jwk.n)?, number("e", &jwk.e)?);
            if n.len() < RSA_BYTES_MIN {
                return Err("the modulus is shorter than 2048 bits".into());
            }
            (Algorithm::Rs256, (n, e))
        }
        _ => return Err("it is no P-256, RSA or Ed25519 key".into()),
    };
    let until = jwk.until.map(|t| Timestamp::parse(&t).map_err(|_| "`until` is no time".to_owned())).transpose()?;
    Ok(Key { kid: jwk.kid, algorithm, public, identities: jwk.identities, until })
}

impl Key {
    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let (public, exponent) = &self.public;
        let plain = |algorithm: &'static dyn signature::VerificationAlgorithm| {
            UnparsedPublicKey::new(algorithm, public).verify(message, signature).is_ok()
        };
        match self.algorithm {
            Algorithm::Es256 => plain(&signature::ECDSA_P256_SHA256_FIXED),
            Algorithm::EdDsa => plain(&signature::ED25519),
            Algorithm::Rs256 => RsaPublicKeyComponents { n: public, e: exponent }
                .verify(&signature::RSA_PKCS1_2048_8192_SHA256, message, signature)
                .is_ok(),
        }
    }
}
