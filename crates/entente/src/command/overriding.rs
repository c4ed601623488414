use crate::{operator, print, render, signing::PrivateKey};
use clap::{Args, Subcommand};
use node::admin::Request;
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};
use uuid::Uuid;

/// `entente override …`.
#[derive(Debug, Subcommand)]
pub(crate) enum OverrideCommand {
    /// The `[[officer]]` table of a person, for node.toml. Makes a key (Ed25519) if the file is not there.
    #[command(after_help = "Example:\n  entente override officer kim --key ~/kim.pem >> node.toml")]
    Officer {
        /// The person's name.
        name: String,
        /// File with the private key: PKCS#8, PEM or DER.
        #[arg(long)]
        key: PathBuf,
    },
    /// The first of two persons signs that a partner may have an own object for a time, whatever its labels say. Nothing follows yet.
    #[command(
        after_help = "Examples:\n  entente override propose report--… --to japan --until 2026-08-01T00:00:00Z --reason \"rescue at sea\" --dry-run\n  entente override propose report--… --to japan --until 2026-08-01T00:00:00Z --reason \"rescue at sea\" --officer kim --key ~/kim.pem\n\n--dry-run shows what would be signed. TLP:RED, what waits in the quarantine, others' material, and what the agreement does not give stay withheld; so does what refers to something the partner may not know of (`withheld until known`)."
    )]
    Propose(Propose),
    /// The second person, with another key, signs the same act: it is in force at once.
    #[command(after_help = "Example:\n  entente override approve 0b7c… --officer lee --key ~/lee.pem")]
    Approve {
        /// Which.
        id: Uuid,
        /// Your name, as node.toml has it.
        #[arg(long)]
        officer: String,
        /// File with your private key.
        #[arg(long)]
        key: PathBuf,
    },
    /// Overrides in order of their making: proposed, in-force, expired, withdrawn.
    #[command(after_help = "Example:\n  entente override list --state in-force")]
    List {
        /// In this state alone.
        #[arg(long)]
        state: Option<String>,
        /// Go on after this number.
        #[arg(long)]
        after: Option<i64>,
    },
    /// One override, with the text that the persons sign.
    #[command(after_help = "Example:\n  entente override show 0b7c…")]
    Show {
        /// Which.
        id: Uuid,
    },
    /// Take an override back; one person is enough. Who was given the object is told.
    #[command(after_help = "Example:\n  entente override withdraw 0b7c… --reason \"the ship is safe\"")]
    Withdraw {
        /// Which.
        id: Uuid,
        /// Why.
        #[arg(long)]
        reason: String,
    },
}

/// `entente override propose`.
#[derive(Debug, Args)]
pub(crate) struct Propose {
    /// STIX id.
    id: String,
    /// Partner.
    #[arg(long = "to")]
    partner: String,
    /// When it ends, RFC 3339; after 90 days at the latest.
    #[arg(long)]
    until: String,
    /// Why.
    #[arg(long)]
    reason: String,
    /// Version as spelled; the latest own one if left out.
    #[arg(long)]
    version: Option<String>,
    /// Realm.
    #[arg(long)]
    realm: Option<String>,
    /// Your name, as node.toml has it.
    #[arg(long, required_unless_present = "dry_run")]
    officer: Option<String>,
    /// File with your private key: PKCS#8, PEM or DER.
    #[arg(long, required_unless_present = "dry_run")]
    key: Option<PathBuf>,
    /// Show what would be signed, and sign nothing.
    #[arg(long)]
    dry_run: bool,
}

impl OverrideCommand {
    pub(super) fn run(self, dir: &Path, json: bool) -> Result<ExitCode, String> {
        let value = match self {
            Self::Officer { name, key } => {
                if !key.exists() {
                    PrivateKey::make(&key)?;
                }
                let table = format!("[[officer]]\nname = \"{name}\"\nkey = {{ {} }}", PrivateKey::read(&key)?.public());
                if !json {
                    print(&format!("\n{table}"));
                    return Ok(ExitCode::SUCCESS);
                }
                json!({"officer": name, "table": table})
            }
            Self::Propose(propose) => propose.run(dir)?,
            Self::Approve { id, officer, key } => {
                let key = PrivateKey::read(&key)?;
                let shown = operator::ask(dir, Request::OverrideShow { id })?;
                let jws = key.sign(&officer, text_of(&shown)?)?;
                operator::ask(dir, Request::OverrideApprove { id, jws })?
            }
            Self::List { state, after } => operator::ask(dir, Request::Overrides { state, after })?,
            Self::Show { id } => operator::ask(dir, Request::OverrideShow { id })?,
            Self::Withdraw { id, reason } => operator::ask(dir, Request::OverrideWithdraw { id, reason })?,
        };
        print(&if json { value.to_string() } else { render::text(&value) });
        Ok(ExitCode::SUCCESS)
    }
}

impl Propose {
    fn run(self, dir: &Path) -> Result<Value, String> {
        let Self { id, partner, until, reason, version, realm, officer, key, dry_run } = self;
        let key = key.filter(|_| !dry_run).map(|key| PrivateKey::read(&key)).transpose()?;
        let draft = operator::ask(dir, Request::OverrideDraft { id, version, realm, partner, reason, until })?;
        let (Some(officer), Some(key)) = (officer, key) else { return Ok(draft) };
        let text = text_of(&draft)?.to_owned();
        let jws = key.sign(&officer, &text)?;
        let mut proposed = operator::ask(dir, Request::OverridePropose { text, jws })?;
        if let (Some(members), Some(missing)) = (proposed.as_object_mut(), draft.get("withheld_until_known")) {
            members.insert("withheld_until_known".to_owned(), missing.clone());
        }
        Ok(proposed)
    }
}

fn text_of(act: &Value) -> Result<&str, String> {
    act["text"].as_str().ok_or_else(|| "the node does not tell what is to be signed".to_owned())
}
