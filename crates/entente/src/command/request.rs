use crate::{operator, print, render};
use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use node::{
    admin::Request,
    requests::{NewRequest, RequestKind},
};
use std::{path::Path, process::ExitCode};
use uuid::Uuid;

/// `entente request …`.
#[derive(Debug, Subcommand)]
pub(crate) enum RequestCommand {
    /// Write down that somebody asks an originator to let others have an object, or for a version of it for lower readers. Nobody is told.
    #[command(
        after_help = "Examples:\n  entente request open report--… --kind release --by japan --for korea --reason \"their ship is in it\"\n  entente request open report--… --kind tear-line --by own --for \"harbour police\" --reason \"they must search the quay\""
    )]
    Open(Open),
    /// Requests in order of their making: open, granted, refused, withdrawn.
    #[command(after_help = "Example:\n  entente request list --state open")]
    List {
        /// In this state alone.
        #[arg(long)]
        state: Option<String>,
        /// Go on after this number.
        #[arg(long)]
        after: Option<i64>,
    },
    /// One request.
    #[command(after_help = "Example:\n  entente request show 0b7c…")]
    Show {
        /// Which.
        id: Uuid,
    },
    /// Write the answer down. What follows from it is an act of its own: a relabel, an override, another object.
    #[command(
        after_help = "Example:\n  entente request answer 0b7c… --refuse --by \"desk officer\" --text \"the source would be known\""
    )]
    Answer(Answer),
    /// Take a request back that nobody answered.
    #[command(after_help = "Example:\n  entente request withdraw 0b7c… --reason \"no longer needed\"")]
    Withdraw {
        /// Which.
        id: Uuid,
        /// Why.
        #[arg(long)]
        reason: String,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// To let somebody else have it.
    Release,
    /// A version of it for lower readers.
    TearLine,
}

/// `entente request open`.
#[derive(Debug, Args)]
pub(crate) struct Open {
    /// STIX id.
    object: String,
    /// What is asked for.
    #[arg(long)]
    kind: Kind,
    /// Who asks: `own`, or a partner.
    #[arg(long)]
    by: String,
    /// For whom.
    #[arg(long = "for")]
    recipient: String,
    /// Why.
    #[arg(long)]
    reason: String,
    /// Realm.
    #[arg(long)]
    realm: Option<String>,
}

/// `entente request answer`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("answer").required(true).args(["grant", "refuse"])))]
pub(crate) struct Answer {
    /// Which.
    id: Uuid,
    /// Yes.
    #[arg(long)]
    grant: bool,
    /// No.
    #[arg(long)]
    refuse: bool,
    /// Who answers.
    #[arg(long)]
    by: String,
    /// What.
    #[arg(long)]
    text: String,
}

impl RequestCommand {
    pub(super) fn run(self, dir: &Path, json: bool) -> Result<ExitCode, String> {
        let request = match self {
            Self::Open(Open { object, kind, by, recipient, reason, realm }) => {
                let kind = match kind {
                    Kind::Release => RequestKind::Release,
                    Kind::TearLine => RequestKind::TearLine,
                };
                Request::RequestOpen { asked: NewRequest { kind, object, realm, by, recipient, reason } }
            }
            Self::List { state, after } => Request::Requests { state, after },
            Self::Show { id } => Request::RequestShow { id },
            Self::Answer(Answer { id, grant, by, text, .. }) => Request::RequestAnswer { id, granted: grant, by, text },
            Self::Withdraw { id, reason } => Request::RequestWithdraw { id, reason },
        };
        let value = operator::ask(dir, request)?;
        print(&if json { value.to_string() } else { render::text(&value) });
        Ok(ExitCode::SUCCESS)
    }
}
