//! Translations: what a reader sees of an object who wants some languages more than others (S-138 to S-140).
//!
//! The result is for showing, never for storing or sending on: it is another content than the object's. Whether the reader may have a translation is decided
//! before: it is an object with markings of its own.
//!
//! The rule, for each text of the object by itself: the languages that the reader wants are tried in order. If the text is in that language already (its granular
//! `lang`, else the object's, else English), it stays. Else the translation into that language counts, looked up as RFC 4647 says: `de-CH`, then `de`. Of several
//! translations one that was made of this very version goes before one that was not, then the latest. Without any the text stays as it is.

use crate::{AnyId, Class, Object, Timestamp, granular_marking, selector::Step};
use serde_json::{Map, Value};

/// Languages that a reader may ask for: what browsers send is shorter.
pub const WANTED_MAX: usize = 32;

/// An object with translations in place.
#[derive(Debug, Clone, PartialEq)]
pub struct Translated {
    /// The object's members, texts replaced.
    pub object: Map<String, Value>,
    /// What was replaced, in the order of paths.
    pub replaced: Vec<Replaced>,
}

/// One text that was replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaced {
    /// JSON pointer.
    pub path: String,
    /// The language, as the translation spells it.
    pub lang: String,
    /// The language content.
    pub by: AnyId,
    /// The translation was made of another version than this one (S-138).
    pub stale: bool,
}

/// Whether a translation was made of an older version of the object than this (S-138). One that names no version never is.
pub fn is_stale(object: &Object, translation: &Object) -> bool {
    let Some(Ok(made_of)) =
        member(translation, "object_modified").as_ref().and_then(Value::as_str).map(Timestamp::parse)
    else {
        return false;
    };
    object.view().version().is_some_and(|version| made_of < *version)
}

/// Puts the best translations into an object. `wanted`: RFC 5646 tags, the best first; only the first [`WANTED_MAX`] count. Of `translations` those count that are
/// language content about this object and not revoked.
pub fn translate(object: &Object, translations: &[&Object], wanted: &[&str]) -> Translated {
    let Ok(members) = serde_json::from_str::<Map<String, Value>>(object.raw()) else {
        // An `Object` is a JSON object.
        return Translated { object: Map::new(), replaced: Vec::new() };
    };
    let mut offers: Vec<Offer<'_>> = translations.iter().filter_map(|t| Offer::of(object, t)).collect();
    offers.sort_by(|a, b| a.stale.cmp(&b.stale).then_with(|| b.made.cmp(&a.made)).then_with(|| a.by.cmp(b.by)));
    let marks = granular_marking::effective(object);
    let own = members.get("lang").and_then(Value::as_str).unwrap_or("en").to_owned();
    let mut job = Job {
        offers: &offers,
        wanted: wanted.get(..WANTED_MAX).unwrap_or(wanted),
        marks: &marks,
        own: &own,
        replaced: Vec::new(),
    };
    let mut translated = Map::new();
    for (name, value) in &members {
        let value = if is_translatable(name) { job.value(value, &mut vec![Step::Name(name)]) } else { value.clone() };
        translated.insert(name.clone(), value);
    }
    Translated { object: translated, replaced: job.replaced }
}

/// What a language content offers.
struct Offer<'o> {
    by: &'o AnyId,
    stale: bool,
    made: Option<&'o Timestamp>,
    /// Tag and translation.
    contents: Vec<(String, Value)>,
}

impl<'o> Offer<'o> {
    fn of(object: &Object, translation: &'o Object) -> Option<Self> {
        let view = translation.view();
        if view.class != Class::LanguageContent || view.revoked {
            return None;
        }
        let about: AnyId = member(translation, "object_ref")?.as_str()?.parse().ok()?;
        let Some(Value::Object(contents)) = member(translation, "contents") else { return None };
        (about == *object.id()).then(|| Self {
            by: &view.id,
            stale: is_stale(object, translation),
            made: view.modified.as_ref(),
            contents: contents.into_iter().collect(),
        })
    }
}

struct Job<'j, 'o> {
    offers: &'j [Offer<'o>],
    wanted: &'j [&'j str],
    marks: &'j granular_marking::Effective<'o>,
    own: &'j str,
    replaced: Vec<Replaced>,
}

impl Job<'_, '_> {
    fn value<'v>(&mut self, value: &'v Value, at: &mut Vec<Step<'v>>) -> Value {
        match value {
            Value::String(text) => self.text(text, at).map_or_else(|| value.clone(), Value::String),
            Value::Array(list) => {
                let mut item = |(i, item)| {
                    at.push(Step::Index(i));
                    let new = self.value(item, at);
                    at.pop();
                    new
                };
                list.iter().enumerate().map(&mut item).collect::<Vec<_>>().into()
            }
            Value::Object(map) => {
                let mut member = |(name, item): (&'v String, &'v Value)| {
                    if !is_translatable(name) {
                        return (name.clone(), item.clone());
                    }
                    at.push(Step::Name(name));
                    let new = self.value(item, at);
                    at.pop();
                    (name.clone(), new)
                };
                Value::Object(map.iter().map(&mut member).collect())
            }
            other => other.clone(),
        }
    }

    fn text(&mut self, text: &str, at: &[Step<'_>]) -> Option<String> {
        // Identifiers and times are no texts (S-140).
        if text.parse::<AnyId>().is_ok() || Timestamp::parse(text).is_ok() {
            return None;
        }
        let lang = self.marks.at(at).lang().unwrap_or(self.own);
        for range in self.wanted {
            for range in lookups(range) {
                if speaks(lang, range) {
                    return None;
                }
                for offer in self.offers {
                    for (tag, contents) in offer.contents.iter().filter(|(tag, _)| tag.eq_ignore_ascii_case(range)) {
                        if let Some(new) = find(contents, at) {
                            let path = pointer(at);
                            let by = offer.by.clone();
                            self.replaced.push(Replaced { path, lang: tag.clone(), by, stale: offer.stale });
                            return Some(new);
                        }
                    }
                }
            }
        }
        None
    }
}

/// The range itself, then without its last subtags one by one (RFC 4647, 3.4); a single letter goes with what follows it.
fn lookups(range: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(range), |range| {
        let shorter = range.rsplit_once('-')?.0;
        Some(match shorter.rsplit_once('-') {
            Some((rest, single)) if single.len() == 1 => rest,
            _ => shorter,
        })
    })
}

/// Whether a text in `lang` needs no translation for somebody who wants `range`: it is that language, or a variety of it.
fn speaks(lang: &str, range: &str) -> bool {
    let (Some(head), rest) = (lang.get(..range.len()), lang.get(range.len()..)) else { return false };
    head.eq_ignore_ascii_case(range) && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// The translated text at the same place; `""` stands for not translated (S-139).
fn find(contents: &Value, at: &[Step<'_>]) -> Option<String> {
    let found = at.iter().try_fold(contents, |value, step| match step {
        Step::Name(name) => value.as_object()?.get(*name),
        Step::Index(index) => value.as_array()?.get(*index),
    })?;
    found.as_str().filter(|text| !text.is_empty()).map(ToOwned::to_owned)
}

/// Texts for people stand nowhere in these (S-140).
fn is_translatable(name: &str) -> bool {
    const NOT: &[&str] = &[
        "type",
        "id",
        "spec_version",
        "created",
        "modified",
        "revoked",
        "lang",
        "confidence",
        "granular_markings",
        "extension_type",
        "pattern",
        "pattern_type",
        "pattern_version",
        "relationship_type",
        "hashes",
        "url",
        "external_id",
        "kill_chain_name",
        "definition_type",
        "contents",
    ];
    !NOT.contains(&name) && !["_ref", "_refs", "_bin", "_hex", "_enc"].iter().any(|suffix| name.ends_with(suffix))
}

fn pointer(at: &[Step<'_>]) -> String {
    let step = |step: &Step<'_>| match step {
        Step::Name(name) => format!("/{}", name.replace('~', "~0").replace('/', "~1")),
        Step::Index(index) => format!("/{index}"),
    };
    at.iter().map(step).collect()
}

fn member(object: &Object, name: &str) -> Option<Value> {
    serde_json::from_str::<Map<String, Value>>(object.raw()).ok()?.remove(name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::Limits;
    use serde_json::json;

    const ID: &str = "campaign--12a111f0-b824-4baf-a224-83b80237a094";

    fn object(more: &str) -> Object {
        let raw = format!(
            r#"{{"type":"campaign","spec_version":"2.1","id":"{ID}","created":"2017-02-08T21:31:22.007Z","modified":"2018-02-08T21:31:22.007Z","name":"Bank Attack","description":"More"{more}}}"#
        );
        Object::parse(&raw, &Limits::default()).unwrap()
    }

    fn content(n: u32, modified: &str, more: &str, contents: &Value) -> Object {
        let raw = format!(
            r#"{{"type":"language-content","spec_version":"2.1","id":"language-content--b86bd89f-98bb-4fa9-8cb2-9ad421d{n:05}","created":"2017-02-08T21:31:22.007Z","modified":"{modified}","object_ref":"{ID}","contents":{contents}{more}}}"#
        );
        Object::parse(&raw, &Limits::default()).unwrap()
    }

    fn names(object: &Object, translations: &[&Object], wanted: &[&str]) -> Vec<String> {
        let translated = translate(object, translations, wanted);
        let text = |name: &str| translated.object[name].as_str().unwrap().to_owned();
        vec![text("name"), text("description")]
    }

    #[test]
    fn the_first_wanted_language_that_there_is_counts_text_by_text() {
        // S-033, S-138, S-139
        let one = content(
            1,
            "2018-02-08T21:31:22.007Z",
            "",
            &json!({"de": {"name": "Bankangriff", "description": ""}, "fr": {"name": "Attaque", "description": "Plus"}}),
        );
        let object = object("");
        assert_eq!(names(&object, &[&one], &["de", "fr"]), ["Bankangriff", "Plus"]);
        assert_eq!(names(&object, &[&one], &["de"]), ["Bankangriff", "More"]);
        assert_eq!(names(&object, &[&one], &["de-CH", "fr"]), ["Bankangriff", "Plus"]);
        assert_eq!(names(&object, &[&one], &["en", "de"]), ["Bank Attack", "More"], "it is English already");
        assert_eq!(names(&object, &[&one], &["ja"]), ["Bank Attack", "More"]);
        assert_eq!(names(&object, &[&one], &[]), ["Bank Attack", "More"]);
        assert_eq!(names(&object, &[], &["de"]), ["Bank Attack", "More"]);
    }

    #[test]
    fn the_language_of_each_text_is_known() {
        // S-033, S-133
        let one =
            content(1, "2018-02-08T21:31:22.007Z", "", &json!({"de": {"name": "Bankangriff", "description": "Mehr"}}));
        let german = object(r#","lang":"de-AT""#);
        assert_eq!(names(&german, &[&one], &["de"]), ["Bank Attack", "More"]);
        let mixed = object(r#","granular_markings":[{"lang":"de","selectors":["name"]}]"#);
        assert_eq!(names(&mixed, &[&one], &["de"]), ["Bank Attack", "Mehr"]);
    }

    #[test]
    fn a_translation_of_this_version_goes_before_a_stale_one() {
        // S-138
        let of = |time: &str| format!(r#","object_modified":"{time}""#);
        let stale = content(
            1,
            "2020-01-01T00:00:00.000Z",
            &of("2017-02-08T21:31:22.007Z"),
            &json!({"de": {"name": "Alt", "description": "Alt"}}),
        );
        let fresh =
            content(2, "2019-01-01T00:00:00.000Z", &of("2018-02-08T21:31:22.007Z"), &json!({"de": {"name": "Neu"}}));
        let object = object("");
        assert!(is_stale(&object, &stale) && !is_stale(&object, &fresh));
        let translated = translate(&object, &[&stale, &fresh], &["de"]);
        assert_eq!((&translated.object["name"], &translated.object["description"]), (&json!("Neu"), &json!("Alt")));
        let told: Vec<_> = translated.replaced.iter().map(|r| (r.path.as_str(), r.stale)).collect();
        assert_eq!(told, [("/description", true), ("/name", false)]);
    }

    #[test]
    fn what_does_not_fit_is_ignored() {
        // S-139, S-140
        let object = object(
            r#","aliases":["one","two"],"external_references":[{"source_name":"x","description":"d","url":"http://x/"}],"first_seen":"2017-02-08T21:31:22Z""#,
        );
        let contents = json!({"de": {"aliases": ["eins", ""], "name": ["falsch"], "missing": "x", "id": "y", "first_seen": "gestern",
            "external_references": [{"description": "b", "url": "http://y/"}]}});
        let one = content(1, "2018-02-08T21:31:22.007Z", "", &contents);
        let translated = translate(&object, &[&one], &["de"]).object;
        assert_eq!(translated["aliases"], json!(["eins", "two"]));
        assert_eq!(
            translated["external_references"],
            json!([{"source_name": "x", "description": "b", "url": "http://x/"}])
        );
        assert_eq!((&translated["name"], &translated["id"]), (&json!("Bank Attack"), &json!(ID)));
        assert_eq!(translated["first_seen"], "2017-02-08T21:31:22Z");
        assert!(!translated.contains_key("missing"));
    }

    #[test]
    fn other_objects_and_revoked_translations_do_not_count() {
        let revoked = content(1, "2018-02-08T21:31:22.007Z", r#","revoked":true"#, &json!({"de": {"name": "x"}}));
        let object = object("");
        assert_eq!(names(&object, &[&revoked, &object], &["de"]), ["Bank Attack", "More"]);
    }

    #[test]
    fn ranges_are_shortened_from_the_end() {
        assert_eq!(
            lookups("zh-Hant-CN-x-private1-private2").collect::<Vec<_>>(),
            ["zh-Hant-CN-x-private1-private2", "zh-Hant-CN-x-private1", "zh-Hant-CN", "zh-Hant", "zh"]
        );
        assert!(speaks("de-CH", "DE") && !speaks("den", "de") && !speaks("de", "de-CH"));
    }
}
