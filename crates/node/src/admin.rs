//! The operator's commands. One request, one reply, both JSON: the command line either opens the node itself or sends the request over the admin socket of
//! the running one; the answer is the same. A change is in force everywhere in the node when the reply comes.

mod conflicts;
mod export;
mod inspect;
mod manage;
mod preview;

use manage::AccountChange;

pub use export::ExportStyle;
pub use manage::read_unpacked;

use crate::{Node, NodeError, requests::NewRequest};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// One command.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Request {
    /// Imports files or folders of STIX bundles, gzip or plain.
    Import {
        /// Absolute paths.
        paths: Vec<PathBuf>,
        /// Into which collection.
        collection: String,
        /// Catalogue label for objects without one.
        label: Option<String>,
        /// Objects that break a MUST of the standard go to the quarantine.
        #[serde(default)]
        strict: bool,
    },
    /// Exports what `account` may have from a collection, as a bundle in a file.
    Export {
        /// Collection alias.
        collection: String,
        /// For whom; the operator by default.
        account: Option<String>,
        /// Where to.
        output: PathBuf,
        /// How.
        #[serde(default)]
        style: ExportStyle,
    },
    /// Lists collections.
    Collections,
    /// Lists accounts.
    Users,
    /// Creates an account, or changes it; a new password or token is in the reply, once.
    User {
        /// Name.
        name: String,
        /// Create it; otherwise it must be there.
        create: bool,
        /// Partner; `None` for the own organisation.
        partner: Option<String>,
        /// Password; one is made if absent and `token` is false.
        password: Option<String>,
        /// Make an API token instead.
        token: bool,
        /// Settings to replace.
        settings: Option<serde_json::Value>,
        /// Disable or enable.
        disabled: Option<bool>,
    },
    /// Lets a client certificate sign in as an account.
    UserCertificate {
        /// Account.
        name: String,
        /// The certificate in PEM form.
        pem: String,
    },
    /// Takes a token or a certificate away from an account.
    UserWithdraw {
        /// Account.
        name: String,
        /// What `Users` calls it.
        secret: String,
    },
    /// Lists peers and where their pulls stand.
    Peers,
    /// Pulls from a peer now.
    Pull {
        /// Partner name.
        peer: String,
    },
    /// Reads the configuration directory again.
    Reload,
    /// What an agreement file would release and withdraw.
    Preview {
        /// The new agreement file.
        path: PathBuf,
    },
    /// Gives an id another label from the catalogue.
    Relabel {
        /// The STIX id.
        id: String,
        /// Catalogue name.
        label: String,
        /// Realm; `live` if absent.
        realm: Option<String>,
    },
    /// Publishes a revoked version of an own object.
    Revoke {
        /// The STIX id.
        id: String,
        /// Realm.
        realm: Option<String>,
    },
    /// Writes the act of an override, to be signed.
    OverrideDraft {
        /// The STIX id.
        id: String,
        /// Version as spelled; the latest own one if absent.
        version: Option<String>,
        /// Realm.
        realm: Option<String>,
        /// Partner.
        partner: String,
        /// Why.
        reason: String,
        /// Until when, RFC 3339.
        until: String,
    },
    /// Keeps an act that one person signed.
    OverridePropose {
        /// The act's text.
        text: String,
        /// Detached JWS over it.
        jws: String,
    },
    /// Puts in force what another person signed, too.
    OverrideApprove {
        /// Which.
        id: uuid::Uuid,
        /// Detached JWS over the act's text.
        jws: String,
    },
    /// Takes an override back.
    OverrideWithdraw {
        /// Which.
        id: uuid::Uuid,
        /// Why.
        reason: String,
    },
    /// Lists overrides.
    Overrides {
        /// In this state alone.
        state: Option<String>,
        /// After this number.
        after: Option<i64>,
    },
    /// One override.
    OverrideShow {
        /// Which.
        id: uuid::Uuid,
    },
    /// Writes down a request to an originator.
    RequestOpen {
        /// What is asked.
        asked: NewRequest,
    },
    /// Answers a request.
    RequestAnswer {
        /// Which.
        id: uuid::Uuid,
        /// Yes or no.
        granted: bool,
        /// Who answers.
        by: String,
        /// What.
        text: String,
    },
    /// Takes a request back.
    RequestWithdraw {
        /// Which.
        id: uuid::Uuid,
        /// Why.
        reason: String,
    },
    /// Lists requests.
    Requests {
        /// In this state alone.
        state: Option<String>,
        /// After this number.
        after: Option<i64>,
    },
    /// One request.
    RequestShow {
        /// Which.
        id: uuid::Uuid,
    },
    /// Lists the quarantine.
    Quarantine {
        /// After this row.
        after: Option<i64>,
    },
    /// One row of it.
    QuarantineShow {
        /// Row.
        no: i64,
    },
    /// Tries a row again.
    QuarantineReplay {
        /// Row.
        no: i64,
        /// Catalogue label.
        label: Option<String>,
    },
    /// Drops a row.
    QuarantineDrop {
        /// Row.
        no: i64,
    },
    /// Why an account gets or does not get an object.
    Explain {
        /// The STIX id.
        id: String,
        /// Account.
        to: String,
        /// Realm.
        realm: Option<String>,
    },
    /// What an account sees of a collection.
    ViewAs {
        /// Account.
        account: String,
        /// Collection; every readable one if absent.
        collection: Option<String>,
        /// TAXII query string, e.g. `match[type]=indicator`.
        query: String,
    },
    /// Contents under one identifier that break the rules of versioning between them.
    Conflicts {
        /// Realm.
        realm: Option<String>,
        /// Go on after this STIX id.
        after: Option<String>,
    },
    /// Who was given an object.
    WhoHas {
        /// The STIX id.
        id: String,
        /// Realm.
        realm: Option<String>,
    },
    /// Leaves of the audit log.
    Audit {
        /// From this index.
        from: u64,
        /// How many.
        limit: usize,
    },
    /// Alerts of detection.
    Detections {
        /// After this number.
        after: Option<i64>,
    },
    /// What detection watches for, and where it stands.
    Detection,
    /// Checks configuration, store and audit log.
    Doctor,
    /// Figures and state.
    Status,
    /// Copies the store while it runs.
    Backup {
        /// Where to.
        to: PathBuf,
    },
}

/// The reply.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reply {
    /// Staged so many objects of so many; more follows.
    Progress(usize, usize),
    /// Done.
    Done(serde_json::Value),
    /// Not done; one sentence.
    Failed(String),
}

impl Node {
    /// Carries out a command with operator rights. `progress` is told about long ones.
    pub fn admin(&self, request: Request, progress: &(dyn Fn(usize, usize) + Sync)) -> Reply {
        match self.admin_value(request, progress) {
            Ok(value) => Reply::Done(value),
            Err(error) => {
                let mut text = error.to_string();
                let mut source = std::error::Error::source(&error);
                while let Some(cause) = source {
                    text = format!("{text}: {cause}");
                    source = cause.source();
                }
                Reply::Failed(text)
            }
        }
    }

    fn admin_value(
        &self,
        request: Request,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<serde_json::Value, NodeError> {
        match request {
            Request::Import { paths, collection, label, strict } => {
                json(&self.import_files(&paths, &collection, label.as_deref(), strict, progress)?)
            }
            Request::Export { collection, account, output, style } => {
                json(&self.export(&collection, account.as_deref(), &output, &style)?)
            }
            Request::Collections => self.list_collections(),
            Request::Users => Ok(self.list_users()),
            Request::User { name, create, partner, password, token, settings, disabled } => {
                let change = AccountChange { create, partner, password, token, settings, disabled };
                self.change_user(&name, change)
            }
            Request::UserCertificate { name, pem } => self.add_certificate(&name, &pem),
            Request::UserWithdraw { name, secret } => self.withdraw_secret(&name, &secret),
            Request::Peers => self.list_peers(),
            Request::Pull { peer } => json(&self.pull_over_http(&peer)?),
            Request::Reload => {
                let mut told = serde_json::json!({});
                self.tell_effects(&mut told, "changes", &self.reload()?);
                Ok(told)
            }
            Request::Preview { path } => self.preview(&path),
            Request::Relabel { id, label, realm } => self.relabel(&id, &label, realm.as_deref()),
            Request::Revoke { id, realm } => self.revoke(&id, realm.as_deref()),
            Request::OverrideDraft { id, version, realm, partner, reason, until } => {
                self.draft_override(&id, version.as_deref(), realm.as_deref(), &partner, &reason, &until)
            }
            Request::OverridePropose { text, jws } => self.propose_override(&text, &jws),
            Request::OverrideApprove { id, jws } => self.approve_override(id, &jws),
            Request::OverrideWithdraw { id, reason } => self.withdraw_override(id, &reason),
            Request::Overrides { state, after } => self.list_overrides(state.as_deref(), after),
            Request::OverrideShow { id } => self.show_override(id),
            Request::RequestOpen { asked } => self.open_request(asked),
            Request::RequestAnswer { id, granted, by, text } => self.answer_request(id, granted, &by, &text),
            Request::RequestWithdraw { id, reason } => self.withdraw_request(id, &reason),
            Request::Requests { state, after } => self.list_requests(state.as_deref(), after),
            Request::RequestShow { id } => self.show_request(id),
            Request::Quarantine { after } => json(&self.quarantine(after, crate::quarantine::QUARANTINE_PAGE_MAX)?),
            Request::QuarantineShow { no } => {
                let row = self.quarantine_get(no)?;
                let raw = row.raw.as_deref().map(String::from_utf8_lossy).unwrap_or_default().into_owned();
                let mut value = json(&row)?;
                if let Some(members) = value.as_object_mut() {
                    members.insert("raw".to_owned(), raw.into());
                }
                Ok(value)
            }
            Request::QuarantineReplay { no, label } => self
                .quarantine_replay(no, label.as_deref())
                .map(|left| serde_json::json!({"row": no, "left_quarantine": left})),
            Request::QuarantineDrop { no } => {
                self.quarantine_drop(no).map(|()| serde_json::json!({"row": no, "dropped": true}))
            }
            Request::Explain { id, to, realm } => self.explain(&id, &to, realm.as_deref()),
            Request::ViewAs { account, collection, query } => self.view_as(&account, collection.as_deref(), &query),
            Request::Conflicts { realm, after } => self.conflicts(realm.as_deref(), after.as_deref()),
            Request::WhoHas { id, realm } => self.who_has(&id, realm.as_deref()),
            Request::Audit { from, limit } => json(&self.store.leaves(from, limit)?),
            Request::Detections { after } => self.list_alerts(after),
            Request::Detection => self.detection_report(),
            Request::Doctor => self.doctor(),
            Request::Status => self.status_report(),
            Request::Backup { to } => {
                self.store.backup(&to)?;
                Ok(serde_json::json!({"backup": to}))
            }
        }
    }
}

fn json<T: Serialize>(value: &T) -> Result<serde_json::Value, NodeError> {
    serde_json::to_value(value).map_err(|e| NodeError::Refused(format!("the reply cannot be written as JSON: {e}")))
}
