//! Persons who sign overrides (L-157).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use node::{
    Node,
    admin::{Reply, Request},
};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::Value;
use std::{fs, path::Path};

/// A person with a key that follows from a number.
pub(crate) struct Officer {
    pub(crate) name: &'static str,
    key: Ed25519KeyPair,
}

impl Officer {
    pub(crate) fn new(name: &'static str, seed: u8) -> Self {
        Self { name, key: Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap() }
    }

    /// The person's table in node.toml.
    pub(crate) fn table(&self) -> String {
        let x = BASE64URL.encode(self.key.public_key().as_ref());
        format!("\n[[officer]]\nname = \"{}\"\nkey = {{ kty = \"OKP\", crv = \"Ed25519\", x = \"{x}\" }}\n", self.name)
    }

    /// A signature in the name of `name`.
    pub(crate) fn signs_as(&self, name: &str, text: &str) -> String {
        let header = BASE64URL.encode(format!("{{\"alg\":\"EdDSA\",\"kid\":\"{name}\"}}"));
        let message = format!("{header}.{}", BASE64URL.encode(text));
        format!("{header}..{}", BASE64URL.encode(self.key.sign(message.as_bytes())))
    }

    pub(crate) fn signs(&self, text: &str) -> String {
        self.signs_as(self.name, text)
    }
}

/// Two who may sign.
pub(crate) fn two() -> [Officer; 2] {
    [Officer::new("kim", 1), Officer::new("lee", 2)]
}

/// Writes officers into node.toml, at the end.
pub(crate) fn appoint(dir: &Path, officers: &[Officer]) {
    let path = dir.join("node.toml");
    let tables: String = officers.iter().map(Officer::table).collect();
    fs::write(&path, fs::read_to_string(&path).unwrap() + &tables).unwrap();
}

/// The request for an act's text.
pub(crate) fn draft(id: &str, partner: &str, until: i64) -> Request {
    Request::OverrideDraft {
        id: id.to_owned(),
        version: None,
        realm: None,
        partner: partner.to_owned(),
        reason: "rescue at sea".to_owned(),
        until: stix::Timestamp::from_micros(until).as_str().to_owned(),
    }
}

/// The text of an act.
pub(crate) fn text(told: &Value) -> String {
    told["text"].as_str().unwrap().to_owned()
}

/// An act's name.
pub(crate) fn act(told: &Value) -> uuid::Uuid {
    told["override"].as_str().unwrap().parse().unwrap()
}

/// From draft to force, by the two; the act's name and what was told, or why not.
pub(crate) fn release(node: &Node, id: &str, partner: &str, until: i64) -> Result<(uuid::Uuid, Value), String> {
    let [first, second] = two();
    let ask = |request| match node.admin(request, &|_, _| ()) {
        Reply::Done(told) => Ok(told),
        Reply::Failed(why) => Err(why),
        Reply::Progress(..) => panic!("it has no progress"),
    };
    let told = ask(draft(id, partner, until))?;
    let text = text(&told);
    ask(Request::OverridePropose { text: text.clone(), jws: first.signs(&text) }).unwrap();
    let told = ask(Request::OverrideApprove { id: act(&told), jws: second.signs(&text) }).unwrap();
    Ok((act(&told), told))
}
