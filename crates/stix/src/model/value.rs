//! Values whose type says what they may be.

use super::{Shape, target::Target};
use crate::{
    AnyId, canonical,
    json::Node,
    schema::Kind,
    syntax::Form,
    vocabulary::{self, Vocab},
};
use std::{collections::BTreeMap, fmt, marker::PhantomData};

/// The largest integer that a double holds without a neighbour sharing its value (S-017).
const INTEGER_MAX: i64 = 9_007_199_254_740_991;

/// An integer between `MIN` and `MAX` (S-017).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Int<const MIN: i64, const MAX: i64>(i64);

/// Any integer that JSON carries exactly.
pub type Integer = Int<{ -INTEGER_MAX }, INTEGER_MAX>;
/// An integer that is not negative.
pub type Whole = Int<0, INTEGER_MAX>;
/// A count of sightings or observations that may be 0.
pub type Natural = Int<0, 999_999_999>;

impl<const MIN: i64, const MAX: i64> Int<MIN, MAX> {
    /// `None` outside the bounds.
    pub fn new(value: i64) -> Option<Self> {
        (MIN..=MAX).contains(&value).then_some(Self(value))
    }

    /// The value.
    pub fn get(self) -> i64 {
        self.0
    }
}

/// The integer that a JSON number is, if it is one: `5.0` counts (SD-03).
#[allow(clippy::cast_possible_truncation)] // checked: integral, and inside what an `f64` holds exactly
pub(crate) fn integer(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_991.0).then_some(number as i64)
}

impl<const MIN: i64, const MAX: i64> Shape for Int<MIN, MAX> {
    const KIND: Kind = Kind::Integer { min: MIN, max: MAX };

    fn read(node: &Node<'_>) -> Option<Self> {
        let Node::Number(number) = node else { return None };
        integer(*number).and_then(Self::new)
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.0.to_string().as_bytes());
    }
}

/// A reference to an object of one of the types `T`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ref<T> {
    id: AnyId,
    target: PhantomData<fn() -> T>,
}

impl<T: Target> Ref<T> {
    /// `None` if an object of this type may not stand here (S-038).
    pub fn new(id: AnyId) -> Option<Self> {
        T::TABLE.allow(id.type_name()).then_some(Self { id, target: PhantomData })
    }

    /// The identifier.
    pub fn id(&self) -> &AnyId {
        &self.id
    }
}

impl<T> fmt::Debug for Ref<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.id, f)
    }
}

impl<T: Target> Shape for Ref<T> {
    const KIND: Kind = Kind::Reference(T::TABLE);

    fn read(node: &Node<'_>) -> Option<Self> {
        let Node::Text(text) = node else { return None };
        Self::new(text.parse().ok()?)
    }

    fn write(&self, out: &mut Vec<u8>) {
        canonical::write_escaped(out, self.id.as_str());
    }
}

/// A value of an open vocabulary: those listed should be used, others may be (S-021, S-022).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Open<V> {
    text: String,
    vocabulary: PhantomData<fn() -> V>,
}

impl<V: Vocab> Open<V> {
    /// The value.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the vocabulary lists it.
    pub fn is_listed(&self) -> bool {
        V::TABLE.contains(&self.text)
    }
}

impl<V> From<&str> for Open<V> {
    fn from(text: &str) -> Self {
        Self { text: text.to_owned(), vocabulary: PhantomData }
    }
}

impl<V: Vocab> Shape for Open<V> {
    const KIND: Kind = Kind::Vocabulary(V::TABLE);

    fn read(node: &Node<'_>) -> Option<Self> {
        if let Node::Text(text) = node { Some(Self::from(text.as_ref())) } else { None }
    }

    fn write(&self, out: &mut Vec<u8>) {
        canonical::write_escaped(out, &self.text);
    }
}

/// A value of an enumeration: only those listed exist (S-006).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Closed<V> {
    text: &'static str,
    vocabulary: PhantomData<fn() -> V>,
}

impl<V: Vocab> Closed<V> {
    /// `None` if the enumeration does not list it.
    pub fn new(text: &str) -> Option<Self> {
        let text = V::TABLE.members.iter().find(|member| **member == text)?;
        Some(Self { text, vocabulary: PhantomData })
    }

    /// The value.
    pub fn as_str(&self) -> &'static str {
        self.text
    }
}

impl<V: Vocab> Shape for Closed<V> {
    const KIND: Kind = Kind::Vocabulary(V::TABLE);

    fn read(node: &Node<'_>) -> Option<Self> {
        if let Node::Text(text) = node { Self::new(text) } else { None }
    }

    fn write(&self, out: &mut Vec<u8>) {
        canonical::write_escaped(out, self.text);
    }
}

/// A string of a form of its own, e.g. [`crate::syntax::Url`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Token<F> {
    text: String,
    form: PhantomData<fn() -> F>,
}

impl<F: Form> Token<F> {
    /// `None` if the text has not the form; forms that should be kept and are not (S-012 upper case, SD-07) pass.
    pub fn new(text: &str) -> Option<Self> {
        let valid = !matches!((F::TABLE.check)(text), crate::syntax::Verdict::Wrong(_));
        valid.then(|| Self { text: text.to_owned(), form: PhantomData })
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl<F: Form> Shape for Token<F> {
    const KIND: Kind = Kind::Token(F::TABLE);

    fn read(node: &Node<'_>) -> Option<Self> {
        if let Node::Text(text) = node { Self::new(text) } else { None }
    }

    fn write(&self, out: &mut Vec<u8>) {
        canonical::write_escaped(out, &self.text);
    }
}

/// Algorithm names and values (S-010).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hashes(pub BTreeMap<String, String>);

/// The same type under the name that external references use for it.
pub type HashesAny = Hashes;

impl Shape for Hashes {
    const KIND: Kind = Kind::Hashes(vocabulary::HashAlgorithm::TABLE);

    fn read(node: &Node<'_>) -> Option<Self> {
        Dictionary::<String>::read(node).map(|dictionary| Self(dictionary.0))
    }

    fn write(&self, out: &mut Vec<u8>) {
        write_map(&self.0, out);
    }
}

/// Keys and values of one type (S-004).
#[derive(Debug, Clone, PartialEq)]
pub struct Dictionary<T>(pub BTreeMap<String, T>);

impl<T: Shape> Shape for Dictionary<T> {
    const KIND: Kind = Kind::Dictionary(&T::KIND);

    fn read(node: &Node<'_>) -> Option<Self> {
        let Node::Map(map) = node else { return None };
        map.iter().map(|(name, node)| Some((name.to_owned(), T::read(node)?))).collect::<Option<_>>().map(Self)
    }

    fn write(&self, out: &mut Vec<u8>) {
        write_map(&self.0, out);
    }
}

fn write_map<T: Shape>(map: &BTreeMap<String, T>, out: &mut Vec<u8>) {
    let mut members = super::Members::default();
    for (name, value) in map {
        members.put(name, value);
    }
    out.extend_from_slice(members.finish().as_bytes());
}

/// A value that is kept as it is, in canonical form: custom properties and unknown extensions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Any {
    json: String,
}

impl Any {
    pub(crate) fn of(node: &Node<'_>) -> Self {
        let mut out = Vec::new();
        canonical::write_node(&mut out, node);
        // The tree holds strings only.
        Self { json: String::from_utf8(out).unwrap_or_default() }
    }

    /// Its canonical JSON.
    pub fn as_json(&self) -> &str {
        &self.json
    }
}

impl From<&serde_json::Value> for Any {
    fn from(value: &serde_json::Value) -> Self {
        Self { json: String::from_utf8(canonical::canonicalise_value(value)).unwrap_or_default() }
    }
}

impl Shape for Any {
    const KIND: Kind = Kind::Any;

    fn read(node: &Node<'_>) -> Option<Self> {
        Some(Self::of(node))
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.json.as_bytes());
    }
}
