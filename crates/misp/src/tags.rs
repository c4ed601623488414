//! The tags of a MISP event or attribute that mark it (labels.md section 11, `tlp.json`).
use label::{Pap, Tlp};
use std::collections::BTreeSet;

/// Most tags of one event or attribute that are looked at.
pub const TAGS_MAX: usize = 1_024;
/// The taxonomies of national and other markings: what they say is a label only where `[[tag]]` says so.
const MARKINGS: [&str; 6] = ["euci", "de-vs", "fr-classif", "nato", "acs", "iep"];

/// What the tags say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tags {
    pub(crate) tlp: Option<Tlp>,
    pub(crate) pap: Option<Pap>,
    pub(crate) not_attributed: bool,
    pub(crate) unclear: bool,
    pub(crate) notes: Vec<String>,
}

impl Tags {
    /// Reads tags as MISP spells them, whatever their case, e.g. `tlp:amber` and `PAP:RED`. Of several levels the strictest counts, and that is noted (L-144,
    /// L-099); a level that does not exist counts as `tlp:unclear`.
    ///
    /// # Errors
    /// More than [`TAGS_MAX`].
    pub fn read<'t>(tags: impl IntoIterator<Item = &'t str>) -> Result<Self, String> {
        let mut found = Self::default();
        let mut levels = BTreeSet::new();
        for (n, tag) in tags.into_iter().enumerate() {
            if n >= TAGS_MAX {
                return Err(format!("there are more than {TAGS_MAX} tags"));
            }
            let tag = tag.trim();
            let Some((taxonomy, value)) = tag.split_once(':') else { continue };
            match (taxonomy.to_ascii_lowercase().as_str(), value.to_ascii_lowercase().as_str()) {
                ("tlp", "ex:chr") => found.not_attributed = true,
                ("tlp", "unclear") => found.unclear = true,
                ("tlp", level) => {
                    let known = tlp(level);
                    levels.extend(known);
                    if known.is_none() {
                        found.unclear = true;
                        found.notes.push(format!("`{}` is no TLP", shown(tag)));
                    }
                }
                ("pap", level) => {
                    let known = Pap::from_name(level);
                    found.pap = found.pap.max(Some(known.unwrap_or(Pap::Red)));
                    if known.is_none() {
                        found.notes.push(format!("`{}` is no PAP; the highest counts", shown(tag)));
                    }
                }
                (taxonomy, _) if MARKINGS.contains(&taxonomy) => found.notes.push(format!(
                    "`{}` says no audience and is only a note, unless a `[[tag]]` of this node makes it a label",
                    shown(tag)
                )),
                _ => {}
            }
        }
        if levels.len() > 1 {
            let all: Vec<String> = levels.iter().map(ToString::to_string).collect();
            found.notes.push(format!("several TLP levels ({}): the strictest counts (L-144)", all.join(", ")));
        }
        found.tlp = levels.last().copied();
        Ok(found)
    }

    /// The strictest TLP.
    pub fn tlp(&self) -> Option<Tlp> {
        self.tlp
    }

    /// The highest PAP: an obligation, which never affects release.
    pub fn pap(&self) -> Option<Pap> {
        self.pap
    }
}

/// A level by the names of TLP 2 and of TLP 1.
fn tlp(level: &str) -> Option<Tlp> {
    if level == "white" {
        return Some(Tlp::Clear);
    }
    Tlp::ALL.into_iter().find(|l| l.name().eq_ignore_ascii_case(level))
}

/// A word from outside as a note may show it.
pub(crate) fn shown(text: &str) -> String {
    text.chars().take(80).map(|c| if c.is_control() { ' ' } else { c }).collect()
}
