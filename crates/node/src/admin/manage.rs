//! Commands that change something.

use crate::{
    Node, NodeError,
    accounts::{certificate_digest, new_token, stored_certificate, stored_password},
    ingest::{Head, Intake},
    world::{AccountSettings, OPERATOR},
};
use label::{Assigned, Origin};
use std::{
    collections::BTreeMap,
    fs,
    io::Read,
    path::{Path, PathBuf},
};
use stix::{AnyId, Limits, Object, Timestamp};
use store::{Account, Act, Alongside, ChainChange, Line};

/// Bytes of one file to import, unpacked: a bound on time against gzip bombs, far above any real bundle; memory does not grow with it.
const IMPORT_BYTES_MAX: u64 = 64 << 30;
/// Bytes of one file that is read whole, unpacked.
const WHOLE_BYTES_MAX: u64 = 4 << 30;

/// What `entente user` asks for.
pub(super) struct AccountChange {
    pub(super) create: bool,
    pub(super) partner: Option<String>,
    pub(super) password: Option<String>,
    pub(super) token: bool,
    pub(super) settings: Option<serde_json::Value>,
    pub(super) disabled: Option<bool>,
}

impl Node {
    /// Imports files and folders (every `.json`, `.stix`, `.stix2`, `.gz` in them, in order of name); where `strict`, objects that break a MUST of the
    /// standard go to the quarantine.
    pub fn import_files(
        &self,
        paths: &[PathBuf],
        collection: &str,
        label: Option<&str>,
        strict: bool,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Intake, NodeError> {
        let mut files = Vec::new();
        for path in paths {
            if path.is_dir() {
                let entries = fs::read_dir(path).map_err(|e| NodeError::file("reading", path, e))?;
                let mut inside: Vec<PathBuf> = entries
                    .filter_map(|e| e.ok().map(|e| e.path()))
                    .filter(|p| p.is_file() && looks_like_stix(p))
                    .collect();
                inside.sort();
                files.extend(inside);
            } else {
                files.push(path.clone());
            }
        }
        let mut total = Intake::default();
        for path in &files {
            let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
            let open =
                || -> Result<Box<dyn Read + Send>, NodeError> { Ok(Box::new(unpacked(path, IMPORT_BYTES_MAX)?)) };
            let one = self.import_checked(&open, collection, label, &name, strict, progress)?;
            self.counters.taken_in.fetch_add(one.new, std::sync::atomic::Ordering::Relaxed);
            total.add(&one);
            total.first_several_tlp.extend(one.first_several_tlp.iter().cloned());
            total.first_rejections.extend(one.first_rejections.into_iter().map(|r| format!("{name}: {r}")));
        }
        Ok(total)
    }

    pub(super) fn change_user(&self, name: &str, change: AccountChange) -> Result<serde_json::Value, NodeError> {
        let AccountChange { create, partner, password, token, settings, disabled } = change;
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.' | b'_');
        if name == OPERATOR || name.is_empty() || name.len() > 64 || !name.bytes().all(plain) {
            return Err(NodeError::Refused(
                "an account name has a-z, 0-9, `-`, `.`, `_`, at most 64, and is not `operator`".to_owned(),
            ));
        }
        if let Some(settings) = &settings {
            let read = serde_json::from_value::<AccountSettings>(settings.clone())
                .map_err(|e| NodeError::Refused(format!("settings: {e}")))?;
            if read.peer && (read.tlp || read.sco_spec_version || read.tlp1_twin.is_some()) {
                return Err(NodeError::Refused(
                    "settings: tlp, sco_spec_version and tlp1_twin change objects; a peer gets them as they are (C-015)"
                        .to_owned(),
                ));
            }
            if read.tlp && read.tlp1_twin.is_some() {
                return Err(NodeError::Refused(
                    "settings: tlp is for tools that know TLP 2, tlp1_twin for those that know TLP 1 alone; give one of them (C-015)"
                        .to_owned(),
                ));
            }
        }
        let held = self.world().accounts.get(name).cloned();
        let exists = held.is_some();
        if exists == create {
            let why = if create { "exists already" } else { "does not exist; `entente user add` makes one" };
            return Err(NodeError::Refused(format!("account `{name}` {why}")));
        }
        let mut account = held.unwrap_or_else(|| Account {
            name: name.to_owned(),
            reader: 0,
            partner,
            password: None,
            tokens: Vec::new(),
            disabled: false,
            settings: serde_json::json!({}),
        });
        let random = self.environment.random.as_ref();
        let mut secret = serde_json::Map::new();
        if token {
            let fresh = new_token(random);
            let label = free_label(&account, "token");
            account.tokens.push((label.clone(), self.sign_in.stored_token(&fresh)));
            secret.insert("token".to_owned(), fresh.into());
            secret.insert("name".to_owned(), label.into());
        } else if let Some(password) = password {
            account.password = Some(stored_password(&password, random)?);
        } else if !exists {
            let fresh = new_token(random);
            account.password = Some(stored_password(&fresh, random)?);
            secret.insert("password".to_owned(), fresh.into());
        }
        if let Some(settings) = settings {
            account.settings = settings;
        }
        if let Some(disabled) = disabled {
            account.disabled = disabled;
        }
        let stored = self.put_account(&account, OPERATOR)?;
        secret.insert("account".to_owned(), stored.name.into());
        secret.insert("partner".to_owned(), stored.partner.into());
        secret.insert("disabled".to_owned(), stored.disabled.into());
        Ok(secret.into())
    }

    /// The account as it is held, for a change.
    fn held_account(&self, name: &str) -> Result<Account, NodeError> {
        let missing = || NodeError::Refused(format!("account `{name}` does not exist; `entente user add` makes one"));
        self.world().accounts.get(name).cloned().ok_or_else(missing)
    }

    /// From now on the certificate, verified by TLS, signs in as the account. A certificate is of one account.
    pub(super) fn add_certificate(&self, name: &str, pem: &str) -> Result<serde_json::Value, NodeError> {
        let mut account = self.held_account(name)?;
        let stored = stored_certificate(&certificate_digest(pem)?);
        let world = self.world();
        if let Some(other) = world.accounts.values().find(|a| a.tokens.iter().any(|(_, kept)| *kept == stored)) {
            return Err(NodeError::Refused(format!("this certificate signs in as `{}` already", other.name)));
        }
        let label = free_label(&account, "certificate");
        account.tokens.push((label.clone(), stored));
        self.put_account(&account, OPERATOR)?;
        Ok(serde_json::json!({"account": name, "name": label}))
    }

    /// From now on the token or certificate signs nobody in.
    pub(super) fn withdraw_secret(&self, name: &str, label: &str) -> Result<serde_json::Value, NodeError> {
        let mut account = self.held_account(name)?;
        let before = account.tokens.len();
        account.tokens.retain(|(kept, _)| kept != label);
        if account.tokens.len() == before {
            return Err(NodeError::Refused(format!(
                "account `{name}` has no token or certificate `{label}`; `entente user list` shows them"
            )));
        }
        self.put_account(&account, OPERATOR)?;
        Ok(serde_json::json!({"account": name, "withdrawn": label}))
    }

    pub(super) fn relabel(&self, id: &str, name: &str, realm: Option<&str>) -> Result<serde_json::Value, NodeError> {
        let world = self.world();
        let marking = world.catalogue_marking(name)?;
        let id = parse_id(id)?;
        let infos = self.store.instances(realm.unwrap_or("live"), &id, None)?;
        if infos.is_empty() {
            return Err(NodeError::Refused(format!("`{id}` is not held in realm `{}`", realm.unwrap_or("live"))));
        }
        let limits = Limits::default();
        let mut changes = Vec::new();
        let mut carried = false;
        for info in &infos {
            let object = Object::parse(&info.raw, &limits).map_err(|e| store::StoreError::Damaged(e.to_string()))?;
            let ours = object.view().created_by.as_ref().is_none_or(|c| world.config.node.speaks_for(c));
            for old in info.state.chains() {
                // By the originator, or by the node for the labels it assigned itself (design: relabelling).
                let assigned_here = matches!(old.assigned, Assigned::AtDoor { .. } | Assigned::Relabelled { .. });
                let own = matches!(old.origin, Origin::Own { .. });
                // What another party's object names itself may be its originator's label, also if nobody here knows it yet.
                let bare = old.carried.iter().all(|id| {
                    matches!(
                        world.markings.meaning_in(id, &old.origin, old.collection),
                        Some(label::Meaning::Statement | label::Meaning::Obligation(_))
                    )
                });
                if (own && ours) || (assigned_here && bare) {
                    carried |= !old.carried.is_empty();
                    let mut new = old.clone();
                    new.assigned = Assigned::Relabelled { markings: vec![marking] };
                    new.unresolved = None;
                    // Who overrode it saw other labels (L-157).
                    new.overrides.clear();
                    changes.push(ChainChange { no: info.no, old: old.clone(), new: Some(new) });
                }
            }
        }
        if changes.is_empty() {
            return Err(NodeError::Refused(format!(
                "`{id}` carries its originator's label; only the originator relabels it (I4)"
            )));
        }
        let guard = self.act_guard();
        let body = serde_json::json!({"id": id.as_str(), "label": name, "marking": marking, "chains": changes.len()});
        let effects = self.rechain(&guard, &changes, "relabel", OPERATOR, body)?;
        let mut value = serde_json::json!({"id": id.as_str(), "label": name, "instances": infos.len()});
        self.tell_effects(&mut value, "lines", &effects);
        if carried && let Some(members) = value.as_object_mut() {
            let note = "the object's own bytes still name its former marking: readers who may not know that marking stay without it; publish a new version for them";
            members.insert("note".to_owned(), note.into());
        }
        Ok(value)
    }

    pub(super) fn revoke(&self, id: &str, realm: Option<&str>) -> Result<serde_json::Value, NodeError> {
        let world = self.world();
        let id = parse_id(id)?;
        let infos = self.store.instances(realm.unwrap_or("live"), &id, None)?;
        let limits = Limits::default();
        let mut latest: Option<(Object, &store::InstanceInfo)> = None;
        for info in &infos {
            let object = Object::parse(&info.raw, &limits).map_err(|e| store::StoreError::Damaged(e.to_string()))?;
            let ours = object.view().created_by.as_ref().is_some_and(|c| world.config.node.speaks_for(c));
            let own = info.state.chains().iter().any(|c| matches!(c.origin, Origin::Own { .. }));
            let newer = latest.as_ref().is_none_or(|(l, _)| object.view().modified > l.view().modified);
            if ours && own && object.view().modified.is_some() && newer {
                latest = Some((object, info));
            }
        }
        let (object, info) = latest.ok_or_else(|| {
            NodeError::Refused(format!("`{id}` is not a versioned object that this node created (I4, S-061)"))
        })?;
        let now = self.now();
        let modified = Timestamp::from_micros(now / 1_000 * 1_000);
        stix::version::may_succeed(&object, &modified).map_err(|e| NodeError::Refused(e.to_string()))?;
        let mut members: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(object.raw()).map_err(|e| store::StoreError::Damaged(e.to_string()))?;
        let stamp = modified.as_str().replacen("000Z", "Z", 1);
        members.insert("modified".to_owned(), stamp.clone().into());
        members.insert("revoked".to_owned(), true.into());
        let text = serde_json::Value::from(members).to_string();
        let revoked = Object::parse(&text, &limits).map_err(|e| store::StoreError::Damaged(e.to_string()))?;
        // The revocation carries what the object carries, and is assigned what its latest version was assigned: whoever saw that sees this.
        for chain in info.state.chains().iter().filter(|c| matches!(c.origin, Origin::Own { .. })) {
            let default = match &chain.assigned {
                Assigned::AtDoor { markings } | Assigned::Relabelled { markings } | Assigned::ByPeer { markings } => {
                    markings.clone()
                }
                Assigned::None => Vec::new(),
            };
            // What replaced the carried label replaces it from the first moment on, or the carried one would count until a second act.
            let relabelled = matches!(chain.assigned, Assigned::Relabelled { .. });
            let head =
                Head { collection: chain.collection, origin: chain.origin.clone(), accepted: now, default, relabelled };
            let act = Act {
                kind: "revoke".to_owned(),
                by: OPERATOR.to_owned(),
                body: serde_json::json!({"id": id.as_str(), "modified": stamp}),
            };
            let alongside = Alongside { act: Some(act), ..Alongside::default() };
            self.take_in(&head, vec![revoked.clone()], &BTreeMap::new(), alongside, None)?;
        }
        Ok(serde_json::json!({"id": id.as_str(), "modified": stamp, "revoked": true}))
    }
}

pub(super) fn parse_id(id: &str) -> Result<AnyId, NodeError> {
    id.parse().map_err(|e: stix::IdError| NodeError::Refused(e.to_string()))
}

pub(super) fn line(world: &crate::world::World, account: &str, alias: &str) -> Result<Line, NodeError> {
    let collection =
        world.collection(alias).ok_or_else(|| NodeError::Refused(format!("there is no collection `{alias}`")))?;
    let reader = world.reader(account).ok_or_else(|| NodeError::Refused(format!("there is no account `{account}`")))?;
    if !reader.collections.contains_key(&collection.no) {
        return Err(NodeError::Refused(format!("account `{account}` has no part in collection `{alias}`")));
    }
    Ok(Line { reader: reader.no, collection: collection.no })
}

fn looks_like_stix(path: &Path) -> bool {
    path.extension().is_some_and(|e| ["json", "stix", "stix2", "gz"].iter().any(|known| e.eq_ignore_ascii_case(known)))
}

/// Reads a file whole, unpacking gzip by its first bytes, bounded.
pub fn read_unpacked(path: &Path) -> Result<Vec<u8>, NodeError> {
    let mut bytes = Vec::new();
    unpacked(path, WHOLE_BYTES_MAX)?.read_to_end(&mut bytes).map_err(|e| NodeError::file("reading", path, e))?;
    Ok(bytes)
}

/// A file from its beginning, unpacked if its first bytes are those of gzip. More than `bytes_max` is an error of reading.
fn unpacked(path: &Path, bytes_max: u64) -> Result<Bounded<Box<dyn Read + Send>>, NodeError> {
    let failed = |e| NodeError::file("reading", path, e);
    let mut file = fs::File::open(path).map_err(failed)?;
    let mut magic = [0; 2];
    let got = file.read(&mut magic).map_err(failed)?;
    let head = std::io::Cursor::new(magic[..got].to_vec());
    let whole = head.chain(file);
    let input: Box<dyn Read + Send> =
        if magic == [0x1f, 0x8b] { Box::new(flate2::read::MultiGzDecoder::new(whole)) } else { Box::new(whole) };
    Ok(Bounded { input, left: bytes_max, bytes_max })
}

/// Fails instead of giving more than so many bytes.
struct Bounded<R> {
    input: R,
    left: u64,
    bytes_max: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let got = self.input.read(out)?;
        self.left = self
            .left
            .checked_sub(got as u64)
            .ok_or_else(|| std::io::Error::other(format!("it is larger than {} bytes unpacked", self.bytes_max)))?;
        Ok(got)
    }
}

/// The first `WORD-N` that no secret of the account is called.
fn free_label(account: &Account, word: &str) -> String {
    let taken = |label: &String| account.tokens.iter().any(|(name, _)| name == label);
    let mut number = 1;
    loop {
        let label = format!("{word}-{number}");
        if !taken(&label) {
            return label;
        }
        number += 1;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_file_may_have_the_bytes_of_its_bound_and_no_more() {
        let read = |bytes_max| {
            let mut all = Vec::new();
            Bounded { input: &b"12345"[..], left: bytes_max, bytes_max }.read_to_end(&mut all).map(|_| all)
        };
        assert_eq!(read(5).unwrap(), b"12345");
        assert_eq!(read(4).unwrap_err().to_string(), "it is larger than 4 bytes unpacked");
    }
}
