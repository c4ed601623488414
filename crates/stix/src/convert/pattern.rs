//! Patterns of indicators between the versions: paths of the object model that were renamed, and the form of `START` and `STOP`.

use super::observable;
use crate::{
    Class,
    pattern::{self, Expression, ObjectPath, Pattern, Predicate, Qualifier, Step, Version},
};

/// What became of a pattern.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Both versions read it alike.
    Same,
    Changed(String),
    /// It uses what 2.0 does not have (`EXISTS`).
    TooNew,
    /// It is no pattern of its own version.
    Unread,
}

/// From 2.0 to 2.1.
pub(super) fn lift(text: &str) -> Outcome {
    let Ok(mut pattern) = pattern::parse_version(text, Version::V20) else { return Outcome::Unread };
    let changed = rename(&mut pattern, observable::Direction::Lift);
    if !changed && pattern::parse(text).is_ok() { Outcome::Same } else { Outcome::Changed(pattern.to_string()) }
}

/// From 2.1 to 2.0.
pub(super) fn lower(text: &str) -> Outcome {
    let Ok(mut pattern) = pattern::parse(text) else { return Outcome::Unread };
    if pattern.comparisons().iter().any(|c| c.predicate == Predicate::Exists) {
        return Outcome::TooNew;
    }
    let changed = rename(&mut pattern, observable::Direction::Lower);
    if !changed && !has_times(&pattern.expression) {
        return Outcome::Same;
    }
    Outcome::Changed(plain_times(&pattern.to_string()))
}

/// Whether `START … STOP …` stands anywhere.
fn has_times(expression: &Expression) -> bool {
    match expression {
        Expression::Observed(_) => false,
        Expression::And(parts) | Expression::Or(parts) | Expression::FollowedBy(parts) => parts.iter().any(has_times),
        Expression::Qualified { expression, qualifiers } => {
            has_times(expression) || qualifiers.iter().any(|q| matches!(q, Qualifier::StartStop { .. }))
        }
    }
}

fn rename(pattern: &mut Pattern, direction: observable::Direction) -> bool {
    let mut changed = false;
    pattern.rewrite(&mut |comparison| changed |= rename_path(&mut comparison.path, direction));
    changed
}

/// Follows the path through the types that its references lead to.
fn rename_path(path: &mut ObjectPath, direction: observable::Direction) -> bool {
    let mut changed = false;
    if Class::of(&path.object_type) != Class::Sco {
        return false;
    }
    let mut at: Option<&str> = Some(&path.object_type);
    let mut in_hashes = false;
    for step in &mut path.steps {
        let Step::Property(name) = step else { continue };
        if in_hashes && let Some(new) = observable::rename_hash(name, direction) {
            *name = new.into();
            changed = true;
        }
        in_hashes = observable::is_hashes(name);
        let next = observable::leads_to(name);
        if let Some(new) = at.and_then(|at| observable::rename(at, name, direction)) {
            *name = new.into();
            changed = true;
        }
        at = next;
    }
    changed
}

/// `START t'…' STOP t'…'` as 2.0 writes it, outside string constants.
fn plain_times(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(quote) = rest.find('\'') {
        let (before, quoted) = rest.split_at(quote);
        let timed = ["START t", "STOP t"].into_iter().any(|keyword| before.ends_with(keyword));
        out.push_str(if timed { before.strip_suffix('t').unwrap_or(before) } else { before });
        let mut escaped = false;
        let end = quoted.char_indices().skip(1).find(|(_, c)| {
            let closes = !escaped && *c == '\'';
            escaped = !escaped && *c == '\\';
            closes
        });
        let (literal, after) = quoted.split_at(end.map_or(quoted.len(), |(at, _)| at + 1));
        out.push_str(literal);
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renamed_properties_are_followed_through_references() {
        // S-098, S-114, S-118, S-119
        for (old, new) in [
            ("[file:created > '2020-01-01T00:00:00Z']", "[file:ctime > '2020-01-01T00:00:00Z']"),
            ("[process:binary_ref.created = 'x']", "[process:image_ref.ctime = 'x']"),
            ("[process:created = 'x']", "[process:created_time = 'x']"),
            ("[file:parent_directory_ref.accessed = 'x']", "[file:parent_directory_ref.atime = 'x']"),
            (
                "[process:creator_user_ref.password_last_changed = 'x']",
                "[process:creator_user_ref.credential_last_changed = 'x']",
            ),
            ("[windows-registry-key:modified = 'x']", "[windows-registry-key:modified_time = 'x']"),
            ("[file:hashes.ssdeep = 'x']", "[file:hashes.SSDEEP = 'x']"),
        ] {
            assert_eq!(lift(old), Outcome::Changed(new.to_owned()));
            assert_eq!(lower(new), Outcome::Changed(old.to_owned()));
        }
    }

    #[test]
    fn what_both_versions_read_alike_keeps_its_spelling() {
        for text in [
            "[ file:name='a'  AND file:size>=5 ] REPEATS  2 TIMES",
            "[x-any:created = 'a']",
            "[email-message:from_ref.value = 'a']",
        ] {
            assert_eq!((lift(text), lower(text)), (Outcome::Same, Outcome::Same), "{text}");
        }
    }

    #[test]
    fn times_of_qualifiers_change_their_form() {
        // P-082
        let old = r"[a-b:value = 'START t'] START '2020-01-01T00:00:00Z' STOP '2021-01-01T00:00:00Z'";
        let new = r"[a-b:value = 'START t'] START t'2020-01-01T00:00:00Z' STOP t'2021-01-01T00:00:00Z'";
        assert_eq!(lift(old), Outcome::Changed(new.to_owned()));
        assert_eq!(lower(new), Outcome::Changed(old.to_owned()));
    }

    #[test]
    fn what_cannot_be_carried_over_is_said() {
        assert_eq!(lift("[file:name = ]"), Outcome::Unread);
        assert_eq!(lower("rule x { condition: true }"), Outcome::Unread);
        assert_eq!(lower("[EXISTS file:name]"), Outcome::TooNew);
    }
}
