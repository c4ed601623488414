//! What a person sees of a label (labels.md 3.2, L-061). Never parsed, never part of a decision.
use crate::Label;
use crate::policy::{Chosen, Classification, Policy, Resolved, Tag, TagSet, TagSetRole, Validity, Value};
use std::fmt::Write as _;

/// One `markingData`.
#[derive(Debug)]
pub struct Phrase {
    /// What is shown.
    pub text: Option<String>,
    /// Language (BCP 47).
    pub lang: Option<String>,
    /// Where, and instead of what.
    pub codes: Vec<String>,
}

/// One `qualifier` of a `markingQualifier`.
#[derive(Debug)]
pub struct Qualifier {
    /// Where.
    pub place: Option<String>,
    /// `prefix`, `suffix` or `separator`.
    pub code: String,
    /// What is shown.
    pub text: String,
    /// Language (BCP 47).
    pub lang: Option<String>,
}

/// Every code that SPIF 2.1 knows (3.2); others are a fault of the file.
pub(crate) const CODES: [&str; 16] = [
    "pageTop",
    "pageBottom",
    "pageTopBottom",
    "documentStart",
    "documentEnd",
    "noNameDisplay",
    "noMarkingDisplay",
    "suppressClassName",
    "firstLineOfText",
    "lastLineOfText",
    "subject",
    "xHeader",
    "portionMarking",
    "inputTitle",
    "waterMark",
    "replacePolicy",
];
const PAGE: [&str; 3] = ["pageTop", "pageBottom", "pageTopBottom"];
const MODIFIERS: [&str; 4] = ["noNameDisplay", "noMarkingDisplay", "suppressClassName", "replacePolicy"];

impl Phrase {
    fn has(&self, code: &str) -> bool {
        self.codes.iter().any(|c| c == code)
    }

    /// Whether it is for the page: it says so, or it names no place at all.
    fn for_page(&self) -> bool {
        !self.has("replacePolicy")
            && (self.codes.iter().any(|c| PAGE.contains(&c.as_str()))
                || self.codes.iter().all(|c| MODIFIERS.contains(&c.as_str())))
    }
}

/// Picks by language: the exact tag, its primary subtag, none, `en` (3.2).
fn pick<'a, T>(
    items: &(impl Iterator<Item = &'a T> + Clone),
    lang: &str,
    of: impl Fn(&T) -> Option<&str>,
) -> Option<&'a T> {
    let primary = lang.split('-').next().unwrap_or(lang);
    let find = |wanted: Option<&str>| {
        items.clone().find(|i| match (of(i), wanted) {
            (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
            (a, b) => a.is_none() && b.is_none(),
        })
    };
    find(Some(lang)).or_else(|| find(Some(primary))).or_else(|| find(None)).or_else(|| find(Some("en")))
}

fn has(phrases: &[Phrase], code: &str) -> bool {
    phrases.iter().any(|p| p.has(code))
}

/// What is shown for the top of a page in a language, if the file says anything (3.2).
pub fn phrase<'a>(phrases: &'a [Phrase], lang: &str) -> Option<&'a str> {
    pick(&phrases.iter().filter(|p| p.for_page() && p.text.as_ref().is_some_and(|t| !t.is_empty())), lang, |p| {
        p.lang.as_deref()
    })?
    .text
    .as_deref()
}

/// The phrase that stands for the policy; the empty phrase is one too.
fn replacement<'a>(phrases: &'a [Phrase], lang: &str) -> Option<&'a str> {
    pick(&phrases.iter().filter(|p| p.has("replacePolicy") && p.text.is_some()), lang, |p| p.lang.as_deref())?
        .text
        .as_deref()
}

fn qualifier<'a>(qualifiers: &'a [Qualifier], code: &str, lang: &str) -> Option<&'a str> {
    let page = |q: &&Qualifier| q.code == code && q.place.as_ref().is_none_or(|p| PAGE.contains(&p.as_str()));
    pick(&qualifiers.iter().filter(page), lang, |q| q.lang.as_deref()).map(|q| q.text.as_str())
}

/// What is shown, with what the file puts around and between; nothing if nothing is shown.
fn framed(qualifiers: &[Qualifier], shown: &[impl AsRef<str>], lang: &str) -> String {
    let written = |code: &str| qualifier(qualifiers, code, lang);
    let shown: Vec<&str> = shown.iter().map(AsRef::as_ref).collect();
    if shown.is_empty() {
        return String::new();
    }
    let (prefix, suffix) = (written("prefix").unwrap_or(""), written("suffix").unwrap_or(""));
    format!("{prefix}{}{suffix}", shown.join(written("separator").unwrap_or(" ")))
}

impl Policy {
    /// Marking text (3.2) for the top of a page, in a language (BCP 47). A label that is not of this policy, or not valid in it, is spelled out as written.
    pub fn marking_text(&self, label: &Label, lang: &str) -> String {
        match self.resolve(label, Validity::Old, None) {
            Ok(resolved) => self.text(&resolved, lang),
            Err(_) => plain(label),
        }
    }

    fn text(&self, label: &Resolved, lang: &str) -> String {
        let Some(class) = self.classifications.get(label.class) else { return String::new() };
        let mut shown: Vec<String> = Vec::new();
        if !has(&class.phrases, "noMarkingDisplay") {
            shown.push(self.policy_phrase(label, class, lang).to_owned());
            let suppressed = has(&class.phrases, "suppressClassName")
                || self.values(label).any(|v| has(&v.phrases, "suppressClassName"));
            if !suppressed {
                shown.push(phrase(&class.phrases, lang).unwrap_or(&class.name).to_owned());
            }
        }
        for (i, set) in self.tag_sets.iter().enumerate() {
            for chosen in label.chosen.iter().filter(|c| c.set == i) {
                shown.extend(self.lane(chosen).tags.iter().map(|tag| self.tag_text(label, set, chosen, tag, lang)));
            }
        }
        shown.retain(|s| !s.is_empty());
        framed(&self.qualifiers, &shown, lang)
    }

    /// Classification before category before SPIF (L-061).
    fn policy_phrase<'a>(&'a self, label: &'a Resolved, class: &'a Classification, lang: &str) -> &'a str {
        replacement(&class.phrases, lang)
            .or_else(|| self.values(label).find_map(|v| replacement(&v.phrases, lang)))
            .or_else(|| replacement(&self.phrases, lang))
            .unwrap_or(&self.name)
    }

    fn tag_text(&self, label: &Resolved, set: &TagSet, chosen: &Chosen, tag: &Tag, lang: &str) -> String {
        let values = &self.lane(chosen).values;
        let shown: Vec<&str> = chosen
            .values
            .range(tag.values.clone())
            .filter_map(|v| values.get(*v))
            .filter(|v| !has(&v.phrases, "noMarkingDisplay") && !self.is_home(label, set, v))
            .filter_map(|v| {
                phrase(&v.phrases, lang).or_else(|| (!has(&v.phrases, "noNameDisplay")).then_some(v.name.as_str()))
            })
            .collect();
        framed(&tag.qualifiers, &shown, lang)
    }

    /// L-061: in a tag that says who else may have it, the context and the owner's own audience are not shown.
    fn is_home(&self, label: &Resolved, set: &TagSet, value: &Value) -> bool {
        if !matches!(set.role, Some(TagSetRole::Expands | TagSetRole::Audience)) {
            return false;
        }
        let owns = |c: &&Chosen| self.tag_sets.get(c.set).is_some_and(|s| s.role == Some(TagSetRole::Owns));
        set.home.as_ref() == Some(&value.key)
            || label.chosen.iter().filter(owns).flat_map(|c| self.values_of(c)).any(|v| v.key == value.key)
    }
}

fn plain(label: &Label) -> String {
    let mut text = format!("{} {}", label.policy_name(), label.classification());
    for category in &label.parts().categories {
        // Writing to a string cannot fail.
        let _ = write!(text, " {}: {}", category.tag, category.values.join(", "));
    }
    text
}
