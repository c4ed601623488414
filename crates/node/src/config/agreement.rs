use super::ClearanceFile;
use label::Tlp;
use serde::{Deserialize, Serialize};
use stix::{Id, Timestamp, id::Identity};

/// Seconds between two pulls at the least: a mistyped `every_s` must not become a flood.
pub(super) const PULL_INTERVAL_S_MIN: u32 = 1;

/// An agreement (`agreements/PARTNER.toml`): what this node gives one partner, and what it takes from it. Nothing is given that is not named here
/// (L-156); it ends by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agreement {
    /// Identifier of the agreement, for receipts and for people.
    pub agreement: String,
    /// Short name of the partner; accounts and peers refer to it. The file is named after it.
    pub partner: String,
    /// The partner's STIX identity.
    pub identity: Id<Identity>,
    /// Start (RFC 3339, UTC). Before it nothing is given.
    #[serde(default)]
    pub from: Option<String>,
    /// End (RFC 3339, UTC). At this instant it is over.
    #[serde(default)]
    pub until: Option<String>,
    /// TLP levels that this organisation addresses to the partner. `CLEAR` must be named too. `RED` never leaves by poll (L-141).
    #[serde(default)]
    pub tlp: Vec<Tlp>,
    /// The partner is a client of this organisation in the sense of TLP: what was addressed to this organisation for its clients, too, goes on to it (L-140).
    #[serde(default)]
    pub client: bool,
    /// Communities that the partner belongs to, as dissemination markings name them: `grouping--…`, or the id of a collection (L-132).
    #[serde(default)]
    pub communities: Vec<String>,
    /// Policy files of this link, by file name without `.spif.xml`, e.g. partial ones with the agreed values alone. Where they are named, a label that they
    /// do not hold is neither given to the partner nor taken from it, whatever the node's own files say (L-057).
    #[serde(default)]
    pub policies: Option<Vec<String>>,
    /// Clearances granted to the partner, at most one a policy (L-084).
    #[serde(default)]
    pub clearance: Vec<ClearanceFile>,
    /// `"allowed"`: of this organisation's own objects that the partner may not have whole, because parts of them are marked or because they name what it may
    /// not know of, it gets a redacted copy: another object, with an id and a label of its own (L-123, L-124, L-127, L-143). Otherwise they are withheld.
    #[serde(default)]
    pub redaction: Redaction,
    /// `"remove"`: the partner is told of no policy in which it has no clearance. A label of such a policy, or one that holds an alternative of such a policy,
    /// is not shown to it, nor what bears it. Of this organisation's own objects it gets a copy instead, whose label is the same without those alternatives, or,
    /// where the label itself is of such a policy, the alternative in the partner's own; such a copy waits in the quarantine of a partner whose node does not name
    /// this one among its `mappers`. Only with `redaction = "allowed"` (L-107, L-126).
    #[serde(default)]
    pub foreign_alternatives: ForeignAlternatives,
    /// What the partner may read.
    #[serde(default)]
    pub give: Vec<Give>,
    /// Where the partner's objects may go, and for whom it may speak.
    #[serde(default)]
    pub accept: Vec<Accept>,
    /// Octets that the partner may bring in all, by its accounts and by pulls each; what is deleted still counts. Beyond it every object is refused.
    #[serde(default = "quota_bytes")]
    pub quota_bytes: u64,
    /// Distinct sets of markings, by account and collection, that the partner may bring.
    #[serde(default = "quota_roads")]
    pub quota_roads: u64,
    /// How this node pulls from the partner's node.
    #[serde(default)]
    pub pull: Option<Pull>,
    /// What the partner is told of this node, instead of what `node.toml` says.
    #[serde(default)]
    pub about: super::About,
    /// Whether indicators that the partner gave may be run against this node's own observations.
    #[serde(default = "yes")]
    pub detect: bool,
}

/// Whether a partner gets redacted copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Redaction {
    /// What it may not have whole it does not get.
    #[default]
    Forbidden,
    /// It gets a copy of what remains.
    Allowed,
}

/// What becomes of alternative labels in policies in which a partner has no clearance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ForeignAlternatives {
    /// They go along.
    #[default]
    Keep,
    /// They do not leave.
    Remove,
}

/// What a partner may read (`[[give]]`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Give {
    /// Aliases of collections.
    pub collections: Vec<String>,
    /// STIX types, or `["*"]` for all.
    pub kinds: Vec<String>,
}

/// Where a partner's objects may go (`[[accept]]`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accept {
    /// Aliases of collections that the partner's accounts may write to, and pulls may fill.
    pub collections: Vec<String>,
    /// Identities that may stand in `created_by_ref` of what it sends; `"*"` stands for every identity, in pulls alone (from a hub, whose material has many
    /// creators). Objects without a creator are accepted. Anything else is refused with a message (design: a peer may write only for the identities
    /// that its agreement lists).
    pub identities: Vec<String>,
}

/// Pulling from a partner's node (`[pull]`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pull {
    /// The partner's discovery URL, or the URL of one API root.
    pub url: String,
    /// Account of this node at the partner's.
    pub account: String,
    /// File that holds the API token or password, relative to the configuration directory; readable by this node's user alone.
    pub secret_file: String,
    /// PEM file, relative to the configuration directory, with the certificates that vouch for the partner's server *instead of* the public authorities:
    /// its own certificate authority, or the server's self-signed certificate itself (pinned). Read at every pull. Without it the Mozilla roots count
    /// that are compiled in (T-140).
    #[serde(default)]
    pub ca_file: Option<String>,
    /// Proxy to go through, e.g. `http://proxy.example.org:3128` or `socks5://…`, with user and password in it if it wants them. None is ever taken from
    /// the environment.
    #[serde(default)]
    pub proxy: Option<String>,
    /// Which of its collections go into which of ours.
    pub collections: Vec<PullCollection>,
    /// Seconds between two pulls.
    #[serde(default = "every")]
    pub every_s: u32,
    /// What becomes of what the partner gave and takes back, if it is an Entente node and says so: `drop` takes it out of the collection it was pulled into, for
    /// all who had it by this road alone; `keep` only writes it into the log.
    #[serde(default)]
    pub on_withdrawal: OnWithdrawal,
}

/// What becomes of what a partner takes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnWithdrawal {
    /// It goes.
    #[default]
    Drop,
    /// It stays; the log says so.
    Keep,
}

/// One collection to pull.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PullCollection {
    /// Alias, title or id at the partner's node.
    pub remote: String,
    /// Alias here.
    pub into: String,
}

fn quota_bytes() -> u64 {
    crate::quota::QUOTA_BYTES
}

fn quota_roads() -> u64 {
    crate::quota::QUOTA_ROADS
}

fn yes() -> bool {
    true
}
fn every() -> u32 {
    60
}

impl Agreement {
    /// Faults that show without looking at anything else.
    pub(super) fn check(&self, at: &str, faults: &mut Vec<String>) {
        self.about.check(at, faults);
        for (name, text) in [("from", &self.from), ("until", &self.until)] {
            if let Some(text) = text
                && let Err(error) = Timestamp::parse(text)
            {
                faults.push(format!("{at}: {name}: {error}"));
            }
        }
        if let (Some(from), Some(until)) = (self.from(), self.until())
            && from >= until
        {
            faults.push(format!("{at}: `until` is not after `from`"));
        }
        if self.foreign_alternatives == ForeignAlternatives::Remove && self.redaction != Redaction::Allowed {
            faults.push(format!(
                "{at}: `foreign_alternatives = \"remove\"` needs `redaction = \"allowed\"`: what bears such labels is given as a copy without them, or not at all (L-107)"
            ));
        }
        let mut policies: Vec<&str> = self.clearance.iter().map(|c| c.policy.as_str()).collect();
        policies.sort_unstable();
        if policies.windows(2).any(|w| matches!(w, [a, b] if a == b)) {
            faults.push(format!("{at}: two clearances for one policy"));
        }
        let mut given: Vec<&str> = self.give.iter().flat_map(|g| g.collections.iter().map(String::as_str)).collect();
        given.sort_unstable();
        for pair in given.windows(2) {
            if let [a, b] = pair
                && a == b
            {
                faults.push(format!("{at}: collection `{a}` is given twice"));
            }
        }
        for accept in &self.accept {
            for identity in accept.identities.iter().filter(|i| *i != "*") {
                if let Err(error) = identity.parse::<Id<Identity>>() {
                    faults.push(format!("{at}: accept: {error}"));
                }
            }
        }
        if let Some(pull) = &self.pull {
            if pull.every_s < PULL_INTERVAL_S_MIN {
                faults.push(format!("{at}: pull: every_s is less than {PULL_INTERVAL_S_MIN}"));
            }
            for collection in &pull.collections {
                if self.accepts(&collection.into).is_none() {
                    faults.push(format!("{at}: pull: collection `{}` is not in any [[accept]]", collection.into));
                }
            }
        }
    }

    /// Start, if stated.
    pub fn from(&self) -> Option<Timestamp> {
        self.from.as_deref().and_then(|t| Timestamp::parse(t).ok())
    }

    /// End, if stated.
    pub fn until(&self) -> Option<Timestamp> {
        self.until.as_deref().and_then(|t| Timestamp::parse(t).ok())
    }

    /// The clause that accepts objects into the collection.
    pub fn accepts(&self, alias: &str) -> Option<&Accept> {
        self.accept.iter().find(|a| a.collections.iter().any(|c| c == alias))
    }

    /// Whether the agreement is in force at `now` (microseconds).
    pub fn in_force(&self, now: i64) -> bool {
        self.from().is_none_or(|from| from.micros() <= now) && self.until().is_none_or(|until| now < until.micros())
    }
}

impl Accept {
    /// Whether the partner's accounts may write, version and delete for the creator (I4); nobody's objects (no creator) are accepted.
    pub fn speaks_for(&self, creator: Option<&Id<Identity>>) -> bool {
        creator.is_none_or(|creator| self.identities.contains(&creator.to_string()))
    }

    /// Whether what is pulled from the partner may have the creator.
    pub fn carries_for(&self, creator: Option<&Id<Identity>>) -> bool {
        self.identities.iter().any(|i| i == "*") || self.speaks_for(creator)
    }
}
