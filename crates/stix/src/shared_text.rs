//! Texts that share one allocation: a page of a thousand objects is read into a few large buffers, not into a thousand small ones.

use std::{fmt, ops::Deref, ops::Range, sync::Arc};

/// A piece of a text that it shares with other pieces; the text is given back when the last of them is. Reads as `str`.
#[derive(Clone)]
pub struct SharedText {
    whole: Arc<String>,
    /// Within `whole`, on borders of characters.
    range: Range<usize>,
}

impl SharedText {
    /// The piece at `range`, in octets; `None` if that is not within the text or cuts a character.
    pub fn new(whole: &Arc<String>, range: Range<usize>) -> Option<Self> {
        whole.get(range.clone())?;
        Some(Self { whole: Arc::clone(whole), range })
    }
}

impl Deref for SharedText {
    type Target = str;

    fn deref(&self) -> &str {
        self.whole.get(self.range.clone()).unwrap_or_default()
    }
}

impl From<&str> for SharedText {
    fn from(text: &str) -> Self {
        Self { whole: Arc::new(text.to_owned()), range: 0..text.len() }
    }
}

impl fmt::Debug for SharedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl fmt::Display for SharedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self)
    }
}

impl serde::Serialize for SharedText {
    /// As the string that it is.
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self)
    }
}

impl PartialEq for SharedText {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for SharedText {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_what_stands_at_its_place_and_never_half_a_character() {
        let whole = Arc::new("aéb".to_owned());
        let at = |range| SharedText::new(&whole, range).map(|piece| piece.to_string());
        assert_eq!(at(1..3).as_deref(), Some("é"));
        assert_eq!(at(3..4).as_deref(), Some("b"));
        assert_eq!((at(0..2), at(0..5)), (None, None));
        assert_eq!(SharedText::from("é"), SharedText { range: 1..3, whole });
    }
}
