//! What an act changes, as its operator is told of it: line by line, with the redacted copies that follow it under the same guard.

use crate::{Node, world::World};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use store::{Line, LineChange};

/// What an act changed, by line; lines in which nothing changed are not there. A copy that the act lets show, and whose original comes whole by it, shows until copies
/// are renewed right afterwards: it is counted as released and as replaced.
#[derive(Debug, Clone, Default)]
pub struct Effects {
    lines: BTreeMap<Line, LineChange>,
    /// Copies could not all be renewed yet.
    pub(crate) copies_left: bool,
}

impl Effects {
    /// The lines in order.
    pub fn lines(&self) -> &BTreeMap<Line, LineChange> {
        &self.lines
    }

    /// What came after it.
    pub(crate) fn and(&mut self, later: Self) {
        for change in later.lines.into_values() {
            self.add(change);
        }
        self.copies_left |= later.copies_left;
    }

    /// What changed in a line after it.
    pub(crate) fn add(&mut self, change: LineChange) {
        let line = Line { reader: change.reader, collection: change.collection };
        match self.lines.get_mut(&line) {
            Some(sum) => sum.and(&change),
            None => _ = self.lines.insert(line, change),
        }
    }
}

impl From<Vec<LineChange>> for Effects {
    fn from(changes: Vec<LineChange>) -> Self {
        let mut effects = Self::default();
        for change in changes {
            effects.add(change);
        }
        effects
    }
}

/// A line's change with names. Copies are counted among the objects, and by themselves.
pub(crate) fn row(world: &World, change: &LineChange) -> Map<String, Value> {
    let mut row = Map::new();
    let account = world.reader_by_no(change.reader).map(|r| r.account.as_str());
    let collection = world.collections.get(&change.collection).map(|c| c.new.alias.as_str());
    for (name, text) in [("account", account), ("collection", collection)] {
        row.insert(name.to_owned(), text.into());
    }
    for (name, figure) in [
        ("released", change.released),
        ("withdrawn", change.withdrawn),
        ("copies_released", change.copies.released),
        ("copies_withdrawn", change.copies.withdrawn),
        ("copies_replaced", change.copies.replaced),
    ] {
        row.insert(name.to_owned(), figure.into());
    }
    row
}

impl Node {
    /// Puts effects into a reply as `name`.
    pub(crate) fn tell_effects(&self, told: &mut Value, name: &str, effects: &Effects) {
        let world = self.world();
        let Some(members) = told.as_object_mut() else { return };
        let rows = effects.lines.values().map(|change| Value::from(row(&world, change)));
        members.insert(name.to_owned(), rows.collect());
        if effects.copies_left {
            members.insert("copies".to_owned(), json!("not all could be renewed; they are tried again every second"));
        }
    }
}
