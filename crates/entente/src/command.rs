//! The command line.

mod agreement;
mod audit;
mod bind;
mod convert;
mod init;
mod label;
mod matching;
mod misp;
mod overriding;
mod pattern;
mod policy;
mod pull;
mod push;
mod remote;
mod request;
mod resilience;
mod validate;

pub(crate) use init::POLICIES;

use crate::{operator, print, render, serve};
use clap::{Args, Parser, Subcommand};
use node::admin::Request;
use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Exit code: failed.
pub(crate) const FAILED: u8 = 1;
/// Exit code of `explain`: withheld.
pub(crate) const WITHHELD: u8 = 3;
/// Exit code of `doctor`, `audit verify`, `policy check` and `verify`: faults; of `convert`: refused objects.
pub(crate) const FAULTS: u8 = 4;
/// Exit code of `demo --once`: a node does not hold what the oracle says.
pub(crate) const NOT_AS_ORACLE: u8 = 5;
/// Exit code of `pattern check`: the text is no pattern.
pub(crate) const NO_PATTERN: u8 = 6;

/// A coalition intelligence exchange: every organisation runs its own node.
#[derive(Debug, Parser)]
#[command(
    name = "entente",
    version = concat!(env!("CARGO_PKG_VERSION"), " (STIX 2.1, STIX patterning level 3, TAXII 2.1)"),
    about,
    after_help = "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 explain: withheld, 4 doctor, audit verify, validate, policy check or verify: faults, convert: refused objects, 5 demo: not as the oracle says, 6 pattern check: no pattern.\n\nFirst steps:\n  entente demo\n  entente init ./node --name japan --title \"Japan\"\n  entente --dir ./node serve"
)]
pub(crate) struct Line {
    /// Configuration directory of the node.
    #[arg(long, global = true, env = "ENTENTE_DIR", default_value = ".")]
    dir: PathBuf,
    /// Print one JSON value on standard output.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a configuration directory to start from.
    #[command(after_help = "Example:\n  entente init ./node --name japan --title \"Japan, joint intelligence\"")]
    Init(init::Init),
    /// Run the node: TAXII for partners, metrics and the admin socket for the operator.
    #[command(
        after_help = "Example:\n  entente --dir ./node serve\n\nENTENTE_LOG sets what is logged, e.g. ENTENTE_LOG=debug. Ctrl-C or SIGTERM ends it after what is under way; SIGHUP reads the configuration again."
    )]
    Serve,
    /// Import STIX 2.1 bundles: files, folders, gzip or plain.
    #[command(
        after_help = "Examples:\n  entente import attack.json.gz --collection knowledge --label \"PUBLIC\"\n  entente import reports/ --collection intel\n\nThe label of an object is what it carries; else --label; else the collection's default; else it goes to the quarantine. What breaks the standard beyond what taking in needs is kept and counted under `findings`; --strict sends it to the quarantine."
    )]
    Import {
        /// Files or folders.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Collection alias.
        #[arg(long)]
        collection: String,
        /// Catalogue label for objects that carry none.
        #[arg(long)]
        label: Option<String>,
        /// Refuse objects that break a MUST of the standard; they go to the quarantine.
        #[arg(long)]
        strict: bool,
    },
    /// Convert bundles between STIX 2.0 and 2.1; says what did not fit. Exit code 0 done, 4 some objects were refused.
    #[command(
        after_help = "Examples:\n  entente convert --to 2.1 report-2.0.json --output report-2.1.json\n  entente convert --to 2.0 --strict intel.json.gz | jq .\n\nThe account goes to standard error; with --json and --output to standard output. `assumed`: put in because it is demanded; `custom`: kept as custom content; `implied`: left out because it is implied; `lost`: left out for good; `stricter`: a marking of a part became one of the whole; `unread`: not understood and left as it is."
    )]
    Convert(convert::Convert),
    /// Check files against STIX 2.1, or STIX 2.0 for what is of 2.0. Exit code 0 valid, 4 not valid, 1 a file could not be read.
    #[command(
        after_help = "Examples:\n  entente validate report.json\n  entente validate --json attack.json.gz reports/ > verdicts.jsonl\n  curl … | entente validate --strict -\n\nA file holds a bundle, a TAXII envelope, a list of objects or one object. Errors break a MUST of the standard, warnings a SHOULD. A file of more than 64 MiB is checked an object at a time; standard input and gzip files as long as that go through a temporary file."
    )]
    Validate(validate::Validate),
    /// Write what an account may have of a collection as a bundle; recorded like any delivery.
    #[command(
        after_help = "Examples:\n  entente export --collection intel --for jpn-soc --output for-japan.json\n  entente export --collection intel --for jpn-soc --output for-japan.json --bind\n  entente export --collection intel --for jpn-soc --output for-misp.json --tlp"
    )]
    Export {
        /// Collection alias.
        #[arg(long)]
        collection: String,
        /// For whom; the operator if left out.
        #[arg(long = "for")]
        account: Option<String>,
        /// File to create.
        #[arg(long)]
        output: PathBuf,
        /// For a tool that knows no labels: with the TLP that an object's labels come to.
        #[arg(long)]
        tlp: bool,
        /// With one label for the whole, in a sidecar beside the file (FILE.bdo). It is made only if it lets in nobody whom a part refuses; else nothing is
        /// exported.
        #[arg(long)]
        bind: bool,
        /// The policy of that label; needed where parts bear labels of several.
        #[arg(long, requires = "bind")]
        policy: Option<String>,
        /// The classification to which you raise it, e.g. because there is much of something.
        #[arg(long, requires = "bind", value_name = "CLASSIFICATION")]
        raised: Option<String>,
    },
    /// Everything new of any TAXII 2.1 server's collections, as bundles in a folder; needs no node. Exit code 1 if a collection did not come to its end.
    #[command(
        after_help = "Examples:\n  entente pull https://taxii.example.org --user U --password-file secret --output intel\n  ENTENTE_TOKEN=… entente pull https://taxii.example.org/api1/ --collection indicators --type indicator --output intel\n\nA later run into the same folder brings what is new since."
    )]
    Pull(pull::Pull),
    /// The objects of bundles into a collection of any TAXII 2.1 server; needs no node. Exit code 1 if something was not taken.
    #[command(
        after_help = "Example:\n  entente push https://taxii.example.org report.json --collection intel --user U --password-file secret\n\nSending the same again is no error."
    )]
    Push(push::Push),
    /// Collections.
    #[command(subcommand)]
    Collection(CollectionCommand),
    /// Accounts of partners and of the own organisation.
    #[command(subcommand)]
    User(UserCommand),
    /// Partners' nodes.
    #[command(subcommand)]
    Peer(PeerCommand),
    /// Agreement files.
    #[command(subcommand)]
    Agreement(agreement::AgreementCommand),
    /// Policy files (SPIF).
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// The label catalogue, and labels that its policies find valid.
    #[command(subcommand)]
    Label(label::LabelCommand),
    /// Bind a label to a file: a STANAG 4778 sidecar `FILE.bdo` beside it.
    #[command(
        after_help = "Examples:\n  entente bind report.pdf --label \"NATO RESTRICTED\" --content-type application/pdf\n  entente bind report.pdf --label label.xml --policy policies/nato.spif.xml"
    )]
    Bind(bind::Bind),
    /// What the binding of labels to a file or to STIX objects is worth. Exit code 0 it fits, 4 broken or none.
    #[command(after_help = "Examples:\n  entente verify report.pdf\n  entente verify bundle.json --keys partners.jwks")]
    Verify(bind::Verify),
    /// Give an object another label from the catalogue; who gains and loses it follows at once.
    #[command(after_help = "Example:\n  entente relabel report--… --label \"NATO RESTRICTED REL JPN\"")]
    Relabel {
        /// STIX id.
        id: String,
        /// Catalogue label.
        #[arg(long)]
        label: String,
        /// Realm.
        #[arg(long)]
        realm: Option<String>,
    },
    /// Let a partner have an own object for a time, whatever its labels say: two persons sign it, with a reason and an end.
    #[command(subcommand)]
    Override(overriding::OverrideCommand),
    /// What is asked of originators: to let others have an object, or a version of it for lower readers.
    #[command(subcommand)]
    Request(request::RequestCommand),
    /// Publish a revoked version of an object that this node created.
    #[command(after_help = "Example:\n  entente revoke indicator--…")]
    Revoke {
        /// STIX id.
        id: String,
        /// Realm.
        #[arg(long)]
        realm: Option<String>,
    },
    /// Run indicators over data at hand: logs of Zeek, Suricata, Windows, OCSF, plain lists, or STIX observed-data. Needs no node.
    #[command(
        after_help = "Examples:\n  entente match --patterns indicators.json --data conn.log\n  tail -F eve.json | entente match --patterns indicators.json --data - --json\n  entente match --pattern \"[domain-name:value = 'c2.example.net']\" --data dns.log --sightings sightings.json --marking TLP:AMBER\n\nObserved-data is taken in the order of time, a log line by line. Each line is a pattern that is satisfied and the observations that satisfy it, the latest among them. With --json one object a line: indicator (null for --pattern), pattern, observations, and warnings where values stand on a warning list. A line that cannot be read is told with its number and costs only itself. Exit code 1 also if some pattern could not be decided within the bounds."
    )]
    Match(matching::Match),
    /// Indicators run over the node's detection collections.
    #[command(subcommand)]
    Detection(DetectionCommand),
    /// What could not be read or labelled.
    #[command(subcommand)]
    Quarantine(QuarantineCommand),
    /// Why an account gets, or does not get, an object: every step with its rule. Exit code 0 released, 3 withheld.
    #[command(after_help = "Example:\n  entente explain report--… --to jpn-soc")]
    Explain {
        /// STIX id.
        id: String,
        /// Account.
        #[arg(long)]
        to: String,
        /// Realm.
        #[arg(long)]
        realm: Option<String>,
    },
    /// The node as an account sees it.
    #[command(after_help = "Example:\n  entente view-as jpn-soc --collection intel 'match[type]=indicator'")]
    ViewAs {
        /// Account.
        account: String,
        /// TAXII query.
        #[arg(default_value = "")]
        query: String,
        /// One collection only.
        #[arg(long)]
        collection: Option<String>,
    },
    /// Contents under one id that break the rules of versioning between them: one version with two contents, another creator, a version after a revocation.
    ///
    /// Each is kept with its sources and labels, and none is shown in the place of another; tell whoever sent them.
    #[command(after_help = "Example:\n  entente conflicts")]
    Conflicts {
        /// Realm.
        #[arg(long)]
        realm: Option<String>,
        /// Go on after this id, the last reply's `next`.
        #[arg(long)]
        after: Option<String>,
    },
    /// Who was given an object, when, under which agreement and policies.
    #[command(after_help = "Example:\n  entente who-has indicator--…")]
    WhoHas {
        /// STIX id.
        id: String,
        /// Realm.
        #[arg(long)]
        realm: Option<String>,
    },
    /// The audit log.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// STIX patterns.
    #[command(subcommand)]
    Pattern(pattern::PatternCommand),
    /// Check configuration, store and audit log. Exit code 0 sound, 4 faults.
    #[command(after_help = "Example:\n  entente doctor --json")]
    Doctor,
    /// Figures of the node.
    #[command(after_help = "Example:\n  entente status")]
    Status,
    /// Copy the store while the node runs.
    #[command(after_help = "Example:\n  entente backup /backup/entente-monday.db")]
    Backup {
        /// File to create.
        to: PathBuf,
    },
    /// Which few failures stop an essential service: dependency graphs and fault trees, exactly, and as a partner may see them.
    #[command(subcommand)]
    Resilience(resilience::ResilienceCommand),
    /// Run a whole coalition on this machine: six nodes that share intelligence, each getting exactly what it may.
    #[command(
        after_help = "Examples:\n  entente demo                  stays up until Ctrl-C\n  entente demo --once --json    one JSON object, exit code 0 only if every node holds what the oracle says"
    )]
    Demo(crate::demo::Demo),
}

#[derive(Debug, Subcommand)]
enum CollectionCommand {
    /// List them with what they hold.
    #[command(after_help = "Example:\n  entente collection list --json")]
    List,
    /// Add one to node.toml and put it in force.
    #[command(
        after_help = "Example:\n  entente collection add --alias reports --title \"Finished reports\" --default-label PUBLIC"
    )]
    Add(init::CollectionAdd),
}

#[derive(Debug, Subcommand)]
enum UserCommand {
    /// List accounts.
    #[command(after_help = "Example:\n  entente user list")]
    List,
    /// Create one; its password is printed once.
    #[command(after_help = "Example:\n  entente user add jpn-soc --partner japan")]
    Add {
        /// Name.
        name: String,
        /// Partner it belongs to; without it, the own organisation.
        #[arg(long)]
        partner: Option<String>,
        #[command(flatten)]
        settings: Settings,
    },
    /// A new API token, printed once.
    #[command(after_help = "Example:\n  entente user token jpn-soc")]
    Token {
        /// Name.
        name: String,
    },
    /// Let a client certificate sign in as this account; TLS verifies it against `listen.client_ca`.
    #[command(after_help = "Example:\n  entente user certificate jpn-soc jpn-soc.pem")]
    Certificate {
        /// Name.
        name: String,
        /// PEM file with the client's own certificate.
        file: PathBuf,
    },
    /// Take an API token or a certificate away from an account, at once.
    #[command(after_help = "Example:\n  entente user withdraw jpn-soc token-1")]
    Withdraw {
        /// Name.
        name: String,
        /// Name of the token or certificate, as `entente user list` shows it.
        secret: String,
    },
    /// Set a password, read from standard input.
    #[command(after_help = "Example:\n  entente user password jpn-soc < password.txt")]
    Password {
        /// Name.
        name: String,
    },
    /// Sign-in off, at once.
    #[command(after_help = "Example:\n  entente user disable jpn-soc")]
    Disable {
        /// Name.
        name: String,
    },
    /// Sign-in on again.
    #[command(after_help = "Example:\n  entente user enable jpn-soc")]
    Enable {
        /// Name.
        name: String,
    },
    /// Change settings; those not named go back to their defaults.
    #[command(after_help = "Example:\n  entente user set analyst --write intel --write reports")]
    Set {
        /// Name.
        name: String,
        #[command(flatten)]
        settings: Settings,
    },
}

#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools)] // each is a switch of its own
struct Settings {
    /// The account of another Entente node.
    #[arg(long)]
    peer: bool,
    /// Reads the collection of what was taken back from it; the account of an Entente node always does.
    #[arg(long)]
    withdrawals: bool,
    /// Always send `objects: []` (for clients that cannot do without).
    #[arg(long)]
    empty_objects: bool,
    /// Add the TLP that an object's labels come to, for a tool that knows no labels.
    #[arg(long)]
    tlp: bool,
    /// Add `spec_version` to observables that have none (for clients that cannot do without).
    #[arg(long)]
    sco_spec_version: bool,
    /// Add the TLP 1 marking beside the TLP 2 one (for clients that know no other). TLP:AMBER+STRICT, which TLP 1 does not have: `withhold` it, or send it as `amber`.
    #[arg(long, value_parser = ["withhold", "amber"])]
    tlp1_twin: Option<String>,
    /// Own accounts: collections it may write to.
    #[arg(long)]
    write: Vec<String>,
    /// Read only these of the collections it might.
    #[arg(long)]
    read: Vec<String>,
}

impl Settings {
    fn json(&self) -> Value {
        serde_json::json!({"peer": self.peer, "withdrawals": self.withdrawals, "empty_objects": self.empty_objects, "tlp": self.tlp,
            "sco_spec_version": self.sco_spec_version, "tlp1_twin": self.tlp1_twin, "write": self.write, "read": self.read})
    }
}

#[derive(Debug, Subcommand)]
enum PeerCommand {
    /// Partners, their agreements and where pulls stand.
    #[command(after_help = "Example:\n  entente peer list")]
    List,
    /// Pull from one now.
    #[command(after_help = "Example:\n  entente peer pull japan")]
    Pull {
        /// Partner.
        peer: String,
    },
}

#[derive(Debug, Subcommand)]
enum DetectionCommand {
    /// Alerts, oldest first: indicator, observations, times, sighting, warning lists.
    #[command(after_help = "Example:\n  entente detection list --json")]
    List {
        /// After this number.
        #[arg(long)]
        after: Option<i64>,
    },
    /// What is watched for, and where detection stands.
    #[command(after_help = "Example:\n  entente detection status")]
    Status,
}

#[derive(Debug, Subcommand)]
enum QuarantineCommand {
    /// List.
    #[command(after_help = "Example:\n  entente quarantine list")]
    List {
        /// After this row.
        #[arg(long, allow_hyphen_values = true)]
        after: Option<i64>,
    },
    /// One row with its bytes.
    #[command(after_help = "Example:\n  entente quarantine show -17")]
    Show {
        /// Row.
        #[arg(allow_hyphen_values = true)]
        no: i64,
    },
    /// Try again, with a label if it carries none.
    #[command(after_help = "Example:\n  entente quarantine replay -17 --label PUBLIC")]
    Replay {
        /// Row.
        #[arg(allow_hyphen_values = true)]
        no: i64,
        /// Catalogue label.
        #[arg(long)]
        label: Option<String>,
    },
    /// Drop for good.
    #[command(after_help = "Example:\n  entente quarantine drop 3")]
    Drop {
        /// Row.
        #[arg(allow_hyphen_values = true)]
        no: i64,
    },
}

/// Carries out a command line.
pub(crate) fn run(line: Line) -> Result<ExitCode, String> {
    let Line { dir, json, command } = line;
    let show = |value: &Value| print(&if json { value.to_string() } else { render::text(value) });
    let ask = |request: Request| -> Result<ExitCode, String> {
        show(&operator::ask(&dir, request)?);
        Ok(ExitCode::SUCCESS)
    };
    match command {
        Command::Init(init) => init.run(json),
        Command::Serve => serve::run(&dir).map(|()| ExitCode::SUCCESS),
        Command::Demo(demo) => demo.run(json),
        Command::Import { files, collection, label, strict } => {
            let paths = files.iter().map(|f| absolute(f)).collect::<Result<_, _>>()?;
            ask(Request::Import { paths, collection, label, strict })
        }
        Command::Convert(convert) => convert.run(json),
        Command::Validate(validate) => validate.run(json),
        Command::Export { collection, account, output, tlp, bind, policy, raised } => {
            let output = std::path::absolute(&output).map_err(|e| format!("`{}`: {e}", output.display()))?;
            let style = node::admin::ExportStyle { tlp, bind, policy, raised };
            ask(Request::Export { collection, account, output, style })
        }
        Command::Pull(pull) => {
            let (summary, whole) = pull.run()?;
            show(&summary);
            Ok(if whole { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
        }
        Command::Push(push) => {
            let (summary, whole) = push.run()?;
            show(&summary);
            Ok(if whole { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
        }
        Command::Collection(CollectionCommand::List) => ask(Request::Collections),
        Command::Collection(CollectionCommand::Add(add)) => {
            add.run(&dir)?;
            ask(Request::Reload)
        }
        Command::User(command) => ask(user(command)?),
        Command::Peer(PeerCommand::List) => ask(Request::Peers),
        Command::Peer(PeerCommand::Pull { peer }) => ask(Request::Pull { peer }),
        Command::Agreement(command) => command.run(&dir, json),
        Command::Policy(command) => command.run(json),
        Command::Label(command) => command.run(&dir, json),
        Command::Bind(bind) => bind.run(&dir, json),
        Command::Verify(verify) => verify.run(json, &operator::now()),
        Command::Relabel { id, label, realm } => ask(Request::Relabel { id, label, realm }),
        Command::Override(command) => command.run(&dir, json),
        Command::Request(command) => command.run(&dir, json),
        Command::Revoke { id, realm } => ask(Request::Revoke { id, realm }),
        Command::Pattern(command) => command.run(json),
        Command::Match(matching) => matching.run(json),
        Command::Detection(DetectionCommand::List { after }) => ask(Request::Detections { after }),
        Command::Detection(DetectionCommand::Status) => ask(Request::Detection),
        Command::Quarantine(QuarantineCommand::List { after }) => ask(Request::Quarantine { after }),
        Command::Quarantine(QuarantineCommand::Show { no }) => ask(Request::QuarantineShow { no }),
        Command::Quarantine(QuarantineCommand::Replay { no, label }) => ask(Request::QuarantineReplay { no, label }),
        Command::Quarantine(QuarantineCommand::Drop { no }) => ask(Request::QuarantineDrop { no }),
        Command::Explain { id, to, realm } => {
            let value = operator::ask(&dir, Request::Explain { id, to, realm })?;
            show(&value);
            Ok(if value["released"] == true { ExitCode::SUCCESS } else { ExitCode::from(WITHHELD) })
        }
        Command::ViewAs { account, query, collection } => ask(Request::ViewAs { account, collection, query }),
        Command::Conflicts { realm, after } => ask(Request::Conflicts { realm, after }),
        Command::WhoHas { id, realm } => ask(Request::WhoHas { id, realm }),
        Command::Audit(command) => command.run(&dir, json),
        Command::Resilience(command) => command.run(&dir, json),
        Command::Doctor => {
            let value = operator::ask(&dir, Request::Doctor)?;
            show(&value);
            Ok(if value["sound"] == true { ExitCode::SUCCESS } else { ExitCode::from(FAULTS) })
        }
        Command::Status => ask(Request::Status),
        Command::Backup { to } => {
            let to = std::path::absolute(&to).map_err(|e| format!("`{}`: {e}", to.display()))?;
            ask(Request::Backup { to })
        }
    }
}

fn user(command: UserCommand) -> Result<Request, String> {
    let change = |name: String| Request::User {
        name,
        create: false,
        partner: None,
        password: None,
        token: false,
        settings: None,
        disabled: None,
    };
    let mut request = match &command {
        UserCommand::List => return Ok(Request::Users),
        UserCommand::Certificate { name, file } => {
            let pem = std::fs::read_to_string(file).map_err(|e| format!("`{}`: {e}", file.display()))?;
            return Ok(Request::UserCertificate { name: name.clone(), pem });
        }
        UserCommand::Withdraw { name, secret } => {
            return Ok(Request::UserWithdraw { name: name.clone(), secret: secret.clone() });
        }
        UserCommand::Add { name, .. }
        | UserCommand::Token { name }
        | UserCommand::Password { name }
        | UserCommand::Disable { name }
        | UserCommand::Enable { name }
        | UserCommand::Set { name, .. } => change(name.clone()),
    };
    if let Request::User { create, partner, password, token, settings, disabled, .. } = &mut request {
        match command {
            UserCommand::List | UserCommand::Certificate { .. } | UserCommand::Withdraw { .. } => {}
            UserCommand::Add { partner: of, settings: chosen, .. } => {
                *create = true;
                *partner = of;
                *settings = Some(chosen.json());
            }
            UserCommand::Token { .. } => *token = true,
            UserCommand::Password { .. } => {
                let mut line = String::new();
                std::io::stdin().read_line(&mut line).map_err(|e| format!("standard input: {e}"))?;
                *password = Some(line.trim_end_matches(['\r', '\n']).to_owned());
            }
            UserCommand::Disable { .. } => *disabled = Some(true),
            UserCommand::Enable { .. } => *disabled = Some(false),
            UserCommand::Set { settings: chosen, .. } => *settings = Some(chosen.json()),
        }
    }
    Ok(request)
}

pub(crate) fn absolute(path: &Path) -> Result<PathBuf, String> {
    path.canonicalize().map_err(|e| format!("`{}`: {e}", path.display()))
}
