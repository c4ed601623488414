//! The members of one JSON object, in their order, each value as it was written.

use crate::json::NameSeed;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::{Value, value::RawValue};
use std::{borrow::Cow, collections::HashMap, fmt};

/// An object on its way through a conversion.
#[derive(Debug, Clone, Default)]
pub(super) struct Members<'a> {
    list: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> Members<'a> {
    /// `None` if the text is no JSON object.
    pub(super) fn read(raw: &'a str) -> Option<Self> {
        let mut json = serde_json::Deserializer::from_str(raw);
        let list = (&mut json).deserialize_map(Pairs).ok()?;
        json.end().ok()?;
        Some(Self { list })
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.list.iter().map(|(name, value)| (name.as_ref(), value.as_ref()))
    }

    /// At the end; the name must be new.
    pub(super) fn push(&mut self, name: &str, value: &Value) {
        self.list.push((name.to_owned().into(), value.to_string().into()));
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.raw(name).is_some()
    }

    /// As written.
    pub(super) fn raw(&self, name: &str) -> Option<&str> {
        self.list.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_ref())
    }

    pub(super) fn value(&self, name: &str) -> Option<Value> {
        serde_json::from_str(self.raw(name)?).ok()
    }

    /// `None` too if it is no string.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.raw(name)?).ok()
    }

    /// `None` too if it is no list of strings.
    pub(super) fn texts(&self, name: &str) -> Option<Vec<String>> {
        serde_json::from_str(self.raw(name)?).ok()
    }

    pub(super) fn remove(&mut self, name: &str) -> bool {
        let before = self.list.len();
        self.list.retain(|(n, _)| n != name);
        before != self.list.len()
    }

    /// In its old place, or at the end.
    pub(super) fn set(&mut self, name: &str, value: &Value) {
        let raw = value.to_string();
        match self.list.iter_mut().find(|(n, _)| n == name) {
            Some((_, old)) => *old = raw.into(),
            None => self.list.push((name.to_owned().into(), raw.into())),
        }
    }

    /// In the place of `old`, else at the end; `old` is gone.
    pub(super) fn replace(&mut self, old: &str, name: &str, value: &Value) {
        if let Some((n, _)) = self.list.iter_mut().find(|(n, _)| n == old) {
            *n = name.to_owned().into();
        }
        self.set(name, value);
    }

    /// Several at once: a new value each, or none for what goes.
    pub(super) fn change(&mut self, changes: Vec<(String, Option<Value>)>) {
        let changes: HashMap<String, Option<Value>> = changes.into_iter().collect();
        self.list.retain_mut(|(name, value)| match changes.get(name.as_ref()) {
            None => true,
            Some(None) => false,
            Some(Some(new)) => {
                *value = new.to_string().into();
                true
            }
        });
    }

    /// Right behind `before`, unless it is there already; then it gets the value in its place.
    pub(super) fn set_behind(&mut self, before: &str, name: &str, value: &Value) {
        if self.has(name) {
            return self.set(name, value);
        }
        let at = self.list.iter().position(|(n, _)| n == before).map_or(0, |at| at + 1);
        self.list.insert(at, (name.to_owned().into(), value.to_string().into()));
    }

    pub(super) fn write(&self) -> String {
        let mut out = String::with_capacity(self.list.iter().map(|(n, v)| n.len() + v.len() + 4).sum::<usize>() + 2);
        out.push('{');
        for (i, (name, value)) in self.list.iter().enumerate() {
            if i > 0 {
                out.push(',');
            }
            out.push_str(&Value::from(name.as_ref()).to_string());
            out.push(':');
            out.push_str(value);
        }
        out.push('}');
        out
    }
}

struct Pairs;

impl<'de> Visitor<'de> for Pairs {
    type Value = Vec<(Cow<'de, str>, Cow<'de, str>)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(name) = entries.next_key_seed(NameSeed)? {
            list.push((name, Cow::Borrowed(entries.next_value::<&'de RawValue>()?.get())));
        }
        Ok(list)
    }
}
