//! Identifiers `type--UUID` (S-013).
//!
//! Upper-case hexadecimal digits are accepted and become lower case, so that two spellings of one identifier are equal.
//! Anything else is refused: no braces, no `urn:uuid:`, no other variant than RFC 4122's.

use crate::error::{TOKEN_CHARS_MAX, cut};
use std::{borrow::Cow, cmp::Ordering, fmt, hash, marker::PhantomData, str::FromStr};
use uuid::{Uuid, Variant};

/// Shortest type name, in bytes (S-026).
pub const TYPE_BYTES_MIN: usize = 3;
/// Longest type name, in bytes (S-026).
pub const TYPE_BYTES_MAX: usize = 250;
/// Length of a UUID in its hyphenated form, the only one STIX allows (S-013).
const UUID_BYTES: usize = 36;
const SEPARATOR: &str = "--";

/// An object type known at compile time, for [`Id`].
pub trait Kind {
    /// The STIX type name, e.g. `identity`.
    const TYPE: &'static str;
}

macro_rules! kinds { ($($name:ident = $ty:literal),* $(,)?) => { $(
    #[doc = concat!("The kind `", $ty, "`.")]
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum $name {}
    impl Kind for $name { const TYPE: &'static str = $ty; }
)* } }
kinds! { ExtensionDefinition = "extension-definition", Identity = "identity", MarkingDefinition = "marking-definition" }

/// An identifier of any type; hex digits are kept in lower case (S-013). Cheap to clone is not promised; compare and hash by text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AnyId {
    text: Box<str>,
}

impl AnyId {
    /// The type name before `--`.
    pub fn type_name(&self) -> &str {
        at_separator(&self.text).map_or("", |(type_name, _)| type_name)
    }

    /// The UUID after `--`.
    pub fn uuid(&self) -> Uuid {
        // Every constructor has checked the text, so that the nil UUID never stands for a failure.
        at_separator(&self.text).and_then(|(_, uuid)| Uuid::try_parse(uuid).ok()).unwrap_or_default()
    }

    /// The whole identifier.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Joins a type name and a UUID.
    ///
    /// # Errors
    /// The type name breaks S-026 or S-147, or the UUID is not of RFC 4122's variant (S-013).
    pub fn new(type_name: &str, uuid: Uuid) -> Result<Self, IdError> {
        let text = format!("{type_name}{SEPARATOR}{uuid}");
        if is_type_name(type_name) && uuid.get_variant() == Variant::RFC4122 {
            Ok(Self { text: text.into() })
        } else {
            Err(IdError::malformed(&text))
        }
    }
}

impl FromStr for AnyId {
    type Err = IdError;

    fn from_str(s: &str) -> Result<Self, IdError> {
        let (type_name, uuid) = split(s)?;
        if s.bytes().any(|b| b.is_ascii_uppercase()) {
            return Self::new(type_name, uuid);
        }
        Ok(Self { text: s.into() })
    }
}

impl fmt::Display for AnyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for AnyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// An identifier of kind `K`. Copy, 16 bytes.
pub struct Id<K> {
    uuid: Uuid,
    kind: PhantomData<fn() -> K>,
}

impl<K: Kind> Id<K> {
    /// Wraps a UUID.
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self { uuid, kind: PhantomData }
    }

    /// The UUID.
    pub fn uuid(&self) -> Uuid {
        self.uuid
    }

    /// The same identifier with its type in the text.
    pub fn any(&self) -> AnyId {
        AnyId { text: self.to_string().into() }
    }
}

impl<K: Kind> FromStr for Id<K> {
    type Err = IdError;

    fn from_str(s: &str) -> Result<Self, IdError> {
        let (type_name, uuid) = split(s)?;
        Self::of(type_name, uuid)
    }
}

impl<K: Kind> TryFrom<&AnyId> for Id<K> {
    type Error = IdError;

    fn try_from(v: &AnyId) -> Result<Self, IdError> {
        Self::of(v.type_name(), v.uuid())
    }
}

impl<K: Kind> Id<K> {
    fn of(type_name: &str, uuid: Uuid) -> Result<Self, IdError> {
        if type_name == K::TYPE {
            Ok(Self::from_uuid(uuid))
        } else {
            Err(IdError::WrongType { expected: K::TYPE, found: cut(type_name, TOKEN_CHARS_MAX) })
        }
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for Id<K> {}

impl<K> PartialEq for Id<K> {
    fn eq(&self, o: &Self) -> bool {
        self.uuid == o.uuid
    }
}

impl<K> Eq for Id<K> {}

impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, o: &Self) -> Option<Ordering> {
        Some(self.cmp(o))
    }
}

impl<K> Ord for Id<K> {
    fn cmp(&self, o: &Self) -> Ordering {
        self.uuid.cmp(&o.uuid)
    }
}

impl<K> hash::Hash for Id<K> {
    fn hash<H: hash::Hasher>(&self, h: &mut H) {
        self.uuid.hash(h);
    }
}

impl<K: Kind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{SEPARATOR}{}", K::TYPE, self.uuid)
    }
}

impl<K: Kind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<K: Kind> serde::Serialize for Id<K> {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de, K: Kind> serde::Deserialize<'de> for Id<K> {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Cow::<'de, str>::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

impl serde::Serialize for AnyId {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.text)
    }
}

impl<'de> serde::Deserialize<'de> for AnyId {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Cow::<'de, str>::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Why a text is no identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdError {
    /// Not `type--UUID`. Holds the text, cut to 80 characters.
    #[error("`{0}` is not of the form `type--UUID`")]
    Malformed(String),
    /// Right form, wrong type.
    #[error("expected an id of type `{expected}`, found `{found}`")]
    WrongType {
        /// The type wanted.
        expected: &'static str,
        /// The type found.
        found: String,
    },
}

impl IdError {
    fn malformed(text: &str) -> Self {
        Self::Malformed(cut(text, TOKEN_CHARS_MAX))
    }
}

/// Whether a text may name an object type: lower-case letters, digits and single inner hyphens, a letter first,
/// [`TYPE_BYTES_MIN`] to [`TYPE_BYTES_MAX`] bytes (S-026, S-147, S-154).
pub fn is_type_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut before = b'-';
    (TYPE_BYTES_MIN..=TYPE_BYTES_MAX).contains(&bytes.len())
        && bytes.first().is_some_and(u8::is_ascii_lowercase)
        && bytes.iter().all(|&b| {
            let last = std::mem::replace(&mut before, b);
            b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' && last != b'-'
        })
        && before != b'-'
}

/// What stands before and behind the separator of an identifier, found from its end: a type name holds no separator and ends in no hyphen.
fn at_separator(s: &str) -> Option<(&str, &str)> {
    let (head, uuid) = s.split_at_checked(s.len().checked_sub(UUID_BYTES)?)?;
    Some((head.strip_suffix(SEPARATOR)?, uuid))
}

/// An identifier taken apart without allocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct IdParts<'a> {
    pub(crate) type_name: &'a str,
    /// Of the UUID.
    pub(crate) version: u8,
}

/// Takes an identifier apart; `None` exactly where [`AnyId`] refuses it.
pub(crate) fn parts(s: &str) -> Option<IdParts<'_>> {
    let (type_name, uuid) = at_separator(s)?;
    let bytes: &[u8; UUID_BYTES] = uuid.as_bytes().try_into().ok()?;
    let valid = bytes.iter().enumerate().all(|(i, b)| match i {
        8 | 13 | 18 | 23 => *b == b'-',
        // The variant of RFC 4122.
        19 => matches!(b, b'8' | b'9' | b'a' | b'b' | b'A' | b'B'),
        _ => b.is_ascii_hexdigit(),
    });
    let digit = char::from(bytes[14]).to_digit(16)?;
    (valid && is_type_name(type_name)).then(|| IdParts { type_name, version: u8::try_from(digit).unwrap_or_default() })
}

fn split(s: &str) -> Result<(&str, Uuid), IdError> {
    let malformed = || IdError::malformed(s);
    // The length of what follows the separator rules out the other spellings that the parser knows (simple, braced, URN).
    let (type_name, uuid) = at_separator(s).ok_or_else(malformed)?;
    if !is_type_name(type_name) {
        return Err(malformed());
    }
    let uuid = Uuid::try_parse(uuid).map_err(|_| malformed())?;
    if uuid.get_variant() != Variant::RFC4122 {
        return Err(malformed());
    }
    Ok((type_name, uuid))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const ID: &str = "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f";

    #[test]
    fn an_identifier_is_a_type_and_a_uuid() {
        // S-013
        let id: AnyId = ID.parse().unwrap();
        assert_eq!(id.type_name(), "indicator");
        assert_eq!(id.uuid().to_string(), "8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f");
        assert_eq!(id.as_str(), ID);
        assert_eq!(AnyId::new("indicator", id.uuid()).unwrap(), id);
    }

    #[test]
    fn upper_case_digits_name_the_same_object() {
        // S-013
        let id: AnyId = "indicator--8E2E2D2B-17D4-4CBF-938F-98EE46B3CD3F".parse().unwrap();
        assert_eq!(id.as_str(), ID);
        let typed: Id<Identity> = "identity--8E2E2D2B-17D4-4CBF-938F-98EE46B3CD3F".parse().unwrap();
        assert_eq!(typed.to_string(), "identity--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f");
        assert_eq!(typed.any().as_str(), typed.to_string());
    }

    #[test]
    fn what_is_not_type_and_uuid_is_refused() {
        // S-013, S-026, S-147
        for bad in [
            "",
            "--",
            "indicator",
            "indicator--",
            "indicator-8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f",
            "indicator---8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f",
            "Indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f",
            "xy--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f",
            "1ab--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f",
            "a_b--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f",
            "x-a--b--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f",
            "indicator--8e2e2d2b17d44cbf938f98ee46b3cd3f",
            "indicator--{8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f}",
            "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3",
            "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3g",
            "indicator--8e2e2d2b-17d4-4cbf-d38f-98ee46b3cd3f",
            "indicator--00000000-0000-0000-0000-000000000000",
            " indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f",
            "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f ",
            "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3\u{e9}",
            "example:ttp-66647c79-5766-4ca7-ab8a-a579ea1bc3a1",
        ] {
            assert!(matches!(bad.parse::<AnyId>(), Err(IdError::Malformed(_))), "{bad}");
        }
    }

    #[test]
    fn type_names_have_3_to_250_bytes() {
        // S-026, S-147
        let uuid = "--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f";
        for (length, accepted) in [(2, false), (3, true), (250, true), (251, false)] {
            assert_eq!(format!("{}{uuid}", "a".repeat(length)).parse::<AnyId>().is_ok(), accepted, "{length}");
        }
        assert!(AnyId::new("x-", Uuid::from_u128(0x8e2e_2d2b_17d4_4cbf_938f_98ee_46b3_cd3f)).is_err());
        assert!(AnyId::new("x-ok", Uuid::nil()).is_err());
    }

    #[test]
    fn an_id_of_the_wrong_kind_says_both_kinds() {
        // S-013, S-038
        let error = ID.parse::<Id<MarkingDefinition>>().unwrap_err();
        assert_eq!(error.to_string(), "expected an id of type `marking-definition`, found `indicator`");
        assert_eq!(
            Id::<Identity>::try_from(&ID.parse::<AnyId>().unwrap()).unwrap_err().to_string(),
            "expected an id of type `identity`, found `indicator`"
        );
    }

    #[test]
    fn an_error_repeats_at_most_80_characters() {
        let Err(IdError::Malformed(text)) = "é".repeat(500).parse::<AnyId>() else { unreachable!() };
        assert_eq!(text.chars().count(), TOKEN_CHARS_MAX + 1);
    }

    #[test]
    fn identifiers_are_strings_in_json() {
        let id: AnyId = serde_json::from_str(&format!("\"{ID}\"")).unwrap();
        assert_eq!(serde_json::to_string(&id).unwrap(), format!("\"{ID}\""));
        assert!(serde_json::from_str::<Id<Identity>>(&format!("\"{ID}\"")).is_err());
        let identity: Id<Identity> =
            serde_json::from_str("\"identity--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f\"").unwrap();
        assert_eq!(serde_json::to_value(identity).unwrap(), "identity--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f");
    }
}
