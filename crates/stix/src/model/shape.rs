//! How a value is read from the tree and written in canonical form.

use crate::{
    Limits, ObjectError, Timestamp, canonical,
    json::{self, Map, Node},
    schema::{Kind, Type},
};

/// A value that a property can hold.
pub(crate) trait Shape: Sized {
    /// What the validator expects there.
    const KIND: Kind;
    /// `None` if the node holds something else.
    fn read(node: &Node<'_>) -> Option<Self>;
    /// Appends the canonical form.
    fn write(&self, out: &mut Vec<u8>);
}

/// A value with named properties.
pub(crate) trait Record: Sized {
    /// What the standard says about it.
    const TABLE: &'static Type;
    fn read_map(map: &Map<'_>) -> Result<Self, ObjectError>;
    /// Puts every member that is present.
    fn members(&self, members: &mut Members);

    /// Reads a whole object of a type.
    fn read_object(type_name: &'static str, raw: &str, limits: &Limits) -> Result<Self, ObjectError> {
        let node = super::tree(raw, limits)?;
        let Node::Map(map) = &node else {
            return Err(ObjectError::new("", "it must be a JSON object", "S-001"));
        };
        match map.get("type") {
            Some(Node::Text(found)) if found == type_name => Self::read_map(map),
            _ => Err(ObjectError::new("/type", format!("it must be `{type_name}`"), "S-025")),
        }
    }
}

/// What a property cannot hold.
pub(crate) fn expected(name: &str, kind: &Kind) -> ObjectError {
    ObjectError::new(
        format!("/{name}"),
        format!("it must be {}", crate::validate::words(kind)),
        crate::validate::requirement(kind),
    )
}

/// The members of an object that is being written.
#[derive(Default)]
pub(crate) struct Members {
    members: Vec<(String, Vec<u8>)>,
}

impl Members {
    pub(crate) fn put<T: Shape>(&mut self, name: &str, value: &T) {
        let mut out = Vec::new();
        value.write(&mut out);
        self.members.push((name.to_owned(), out));
    }

    pub(crate) fn put_text(&mut self, name: &str, text: &str) {
        let mut out = Vec::new();
        canonical::write_escaped(&mut out, text);
        self.members.push((name.to_owned(), out));
    }

    /// The object, members sorted as RFC 8785 wants it; of two with one name the first counts.
    pub(crate) fn finish(mut self) -> String {
        self.members.sort_by(|(a, _), (b, _)| json::utf16_order(a, b));
        self.members.dedup_by(|(later, _), (first, _)| later == first);
        let mut out = vec![b'{'];
        for (i, (name, value)) in self.members.iter().enumerate() {
            if i > 0 {
                out.push(b',');
            }
            canonical::write_escaped(&mut out, name);
            out.push(b':');
            out.extend_from_slice(value);
        }
        out.push(b'}');
        // Everything was written from strings.
        String::from_utf8(out).unwrap_or_default()
    }
}

impl Shape for String {
    const KIND: Kind = Kind::Text;

    fn read(node: &Node<'_>) -> Option<Self> {
        if let Node::Text(text) = node { Some(text.to_string()) } else { None }
    }

    fn write(&self, out: &mut Vec<u8>) {
        canonical::write_escaped(out, self);
    }
}

impl Shape for bool {
    const KIND: Kind = Kind::Boolean;

    fn read(node: &Node<'_>) -> Option<Self> {
        if let Node::Bool(value) = node { Some(*value) } else { None }
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(if *self { b"true" } else { b"false" });
    }
}

impl Shape for f64 {
    const KIND: Kind = Kind::Float;

    fn read(node: &Node<'_>) -> Option<Self> {
        if let Node::Number(value) = node { Some(*value) } else { None }
    }

    fn write(&self, out: &mut Vec<u8>) {
        // Infinity and NaN are no floats of STIX (S-009); JSON could not say them.
        canonical::write_number(out, if self.is_finite() { *self } else { 0.0 });
    }
}

impl Shape for Timestamp {
    const KIND: Kind = Kind::Timestamp;

    fn read(node: &Node<'_>) -> Option<Self> {
        if let Node::Text(text) = node { Self::parse(text).ok() } else { None }
    }

    fn write(&self, out: &mut Vec<u8>) {
        canonical::write_escaped(out, &self.millis_or_finer());
    }
}

impl<T: Shape> Shape for Vec<T> {
    const KIND: Kind = Kind::List(&T::KIND);

    fn read(node: &Node<'_>) -> Option<Self> {
        let Node::List(list) = node else { return None };
        list.iter().map(T::read).collect()
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        for (i, item) in self.iter().enumerate() {
            if i > 0 {
                out.push(b',');
            }
            item.write(out);
        }
        out.push(b']');
    }
}
