//! What an observation shows, folded into five words that stand in it: most observations are passed over without a look at their objects, which lie
//! scattered in memory. What the words do not show is not there; what they show may be.

use super::{
    Step,
    observation::Sco,
    observed::Tree,
    trigger::{Need, triggers},
};
use serde_json::Value;

/// Words of the filter for texts: with twenty texts of two bits each, one absent text in forty seems to be there.
const WORDS: usize = 4;
/// Texts of which a test wants one; more are no filter.
const TEXTS_MAX: usize = 16;

/// Types and texts, each as bits of its hash.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Shown {
    kinds: u64,
    texts: [u64; WORDS],
}

/// What a test wants to see.
#[derive(Debug)]
pub(super) struct Wanted {
    /// One of these types.
    kinds: u64,
    /// One of these texts, if that can be told.
    texts: Option<Vec<[u64; WORDS]>>,
}

impl Shown {
    pub(super) fn of(objects: &[Sco]) -> Self {
        let mut shown = Self::default();
        for object in objects {
            shown.kinds |= kind(&object.object_type);
            object.properties.values().for_each(|value| shown.value(value));
        }
        shown
    }

    /// As deep as JSON was read, which is bounded there.
    fn value(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.texts.iter_mut().zip(bits(text)).for_each(|(word, bits)| *word |= bits),
            Value::Array(items) => items.iter().for_each(|item| self.value(item)),
            Value::Object(members) => members.values().for_each(|member| self.value(member)),
            _ => {}
        }
    }
}

impl Wanted {
    pub(super) fn of(tree: &Tree, types: &[Box<str>]) -> Self {
        let text = |(path, need): (&super::ObjectPath, Need)| match need {
            // Texts of `_bin` and `_hex` are compared as octets.
            Need::Text(text) if !is_octets(&path.steps) => Some(bits(&text)),
            _ => None,
        };
        let texts: Option<Vec<_>> = triggers(tree).into_iter().map(text).collect();
        Self {
            kinds: types.iter().fold(0, |kinds, of_type| kinds | kind(of_type)),
            texts: texts.filter(|texts| !texts.is_empty() && texts.len() <= TEXTS_MAX),
        }
    }

    /// Whether an observation that shows this may satisfy the test.
    pub(super) fn may_be_in(&self, shown: &Shown) -> bool {
        let has = |bits: &[u64; WORDS]| bits.iter().zip(shown.texts).all(|(bits, word)| bits & word == *bits);
        self.kinds & shown.kinds != 0 && self.texts.as_ref().is_none_or(|texts| texts.iter().any(has))
    }
}

fn is_octets(steps: &[Step]) -> bool {
    let last = steps.iter().rev().find_map(|step| if let Step::Property(name) = step { Some(name) } else { None });
    last.is_none_or(|name| name.ends_with("_bin") || name.ends_with("_hex"))
}

fn kind(object_type: &str) -> u64 {
    1 << (hash(object_type.as_bytes()) >> 58)
}

fn bits(text: &str) -> [u64; WORDS] {
    let hash = hash(text.as_bytes());
    let mut words = [0; WORDS];
    for bit in [hash >> 56, hash >> 48 & 0xff] {
        if let Some(word) = words.get_mut(usize::try_from(bit / 64).unwrap_or_default()) {
            *word |= 1 << (bit % 64);
        }
    }
    words
}

/// Eight bytes at a time; collisions cost a look and change no answer.
fn hash(bytes: &[u8]) -> u64 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |hash: u64, word: u64| (hash ^ word).wrapping_mul(ODD).rotate_left(29);
    let (words, rest) = bytes.as_chunks::<8>();
    let hash = words.iter().fold(bytes.len() as u64, |hash, word| mix(hash, u64::from_le_bytes(*word)));
    let rest = rest.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
    mix(mix(hash, rest), 0).wrapping_mul(ODD)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::pattern::{Matcher, parse};
    use serde_json::json;

    fn shown(objects: &[Value]) -> Shown {
        let sco = |object: &Value| Sco::new("0", object.as_object().unwrap().clone()).unwrap();
        Shown::of(&objects.iter().map(sco).collect::<Vec<_>>())
    }

    fn may_be(pattern: &str, shown: &Shown) -> bool {
        Matcher::new(&parse(pattern).unwrap()).terms.iter().any(|term| term.may_hold_in(shown))
    }

    #[test]
    fn what_is_there_is_shown_wherever_it_stands() {
        let file = shown(&[
            json!({"type": "file", "name": "a", "hashes": {"MD5": "b"}, "x_list": [{"y": ["c"]}], "payload_bin": "AEI="}),
        ]);
        for pattern in [
            "[file:name = 'a']",
            "[file:hashes.MD5 = 'b']",
            "[file:x_list[*].y[0] = 'c']",
            "[file:payload_bin = 'octets are not looked for']",
            "[file:name != 'z']",
            "[file:name = 'z' OR file:size > 1]",
            "[file:name NOT = 'a']",
            "[file:name IN ('z', 'a')]",
        ] {
            assert!(may_be(pattern, &file), "{pattern}");
        }
        // Hashes are fixed: these share no bits with what is there.
        for pattern in [
            "[file:name = 'z']",
            "[url:value = 'a']",
            "[file:name IN ('y', 'z')]",
            "[file:name = 'z' AND file:size > 1]",
        ] {
            assert!(!may_be(pattern, &file), "{pattern}");
        }
    }

    #[test]
    fn few_absent_texts_seem_to_be_there() {
        let texts: Vec<Value> = (0..20).map(|i| json!(format!("text number {i}"))).collect();
        let full = shown(&[json!({"type": "file", "x": texts})]);
        let seeming = (0..1_000).filter(|i| may_be(&format!("[file:x[*] = 'absent {i}']"), &full)).count();
        assert!(seeming < 60, "{seeming} of 1000");
    }
}
