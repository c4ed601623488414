//! What an agreement file would change: the act and the redacted copies that follow it are carried out as they would be, and nothing of it stays.

use crate::{
    Node, NodeError, effects,
    world::{RightsAt, World},
};
use label::Redacted;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, btree_map::Entry},
    path::Path,
    sync::Arc,
};
use store::{InstanceInfo, InstanceNo, Line, LineChange, PreviewedChange, Rehearsal};

/// Samples that a preview gives of each line: of objects that come, and that go; of copies that come, that go, and that give way to the whole.
const SAMPLES_MAX: usize = 5;

/// What would change in a line, with samples in words.
struct Row {
    change: LineChange,
    released: Vec<Value>,
    withdrawn: Vec<Value>,
    copies: [Vec<Value>; 3],
}

impl Node {
    /// What putting an agreement file in force would release and withdraw, line by line, redacted copies included.
    pub(super) fn preview(&self, path: &Path) -> Result<Value, NodeError> {
        let now = self.now();
        let _guard = self.act_guard();
        let world = self.world();
        let next = self.assemble(Arc::new(world.config.with_agreement(path)?))?;
        let mut rows = BTreeMap::new();
        let mut outcome = Ok(());
        self.store.rehearse(&mut |stage| outcome = self.rehearse(stage, &world, &next, now, &mut rows))?;
        outcome?;
        let told = |row: Row| {
            let mut told = effects::row(&next, &row.change);
            told.insert("released_samples".to_owned(), row.released.into());
            told.insert("withdrawn_samples".to_owned(), row.withdrawn.into());
            told.insert("copy_samples".to_owned(), row.copies.concat().into());
            Value::from(told)
        };
        Ok(json!({ "changes": rows.into_values().map(told).collect::<Vec<_>>() }))
    }

    fn rehearse(
        &self,
        stage: &mut dyn Rehearsal,
        world: &World,
        next: &World,
        now: i64,
        rows: &mut BTreeMap<Line, Row>,
    ) -> Result<(), NodeError> {
        let changes = stage.set_rights(&next.lines(), &RightsAt::new(next, now), SAMPLES_MAX)?;
        let mut add = |stage: &mut dyn Rehearsal, next: &World, changes: Vec<PreviewedChange>| {
            changes.into_iter().try_for_each(|change| self.add_previewed(stage, world, next, now, change, rows))
        };
        add(stage, next, changes)?;
        self.rehearse_copies(stage, crate::node::copy(next), now, SAMPLES_MAX, &mut add)
    }

    /// Adds to a line what an act changes in it. What comes is read as it would be, what goes as it is.
    fn add_previewed(
        &self,
        stage: &mut dyn Rehearsal,
        world: &World,
        next: &World,
        now: i64,
        more: PreviewedChange,
        rows: &mut BTreeMap<Line, Row>,
    ) -> Result<(), NodeError> {
        let line = Line { reader: more.change.reader, collection: more.change.collection };
        let row = match rows.entry(line) {
            Entry::Occupied(entry) => {
                let row = entry.into_mut();
                row.change.and(&more.change);
                row
            }
            Entry::Vacant(entry) => entry.insert(Row {
                change: more.change,
                released: Vec::new(),
                withdrawn: Vec::new(),
                copies: Default::default(),
            }),
        };
        let left = |list: &[Value], mut numbers: Vec<InstanceNo>| {
            numbers.truncate(SAMPLES_MAX.saturating_sub(list.len()));
            numbers
        };
        let sample = |info: &InstanceInfo, world: &World| json!({"id": info.id.as_str(), "labels": world.labels_of(&info.state)});
        for info in stage.by_number(&left(&row.released, more.released), None)? {
            row.released.push(sample(&info, next));
        }
        for info in self.store.by_number(&left(&row.withdrawn, more.withdrawn), None)? {
            row.withdrawn.push(sample(&info, world));
        }
        let [released, withdrawn, replaced] = &mut row.copies;
        for info in stage.by_number(&left(released, more.copies_released), None)? {
            let originals = stage.originals_of(info.no)?;
            let originals = stage.by_number(&originals, Some(line.reader))?;
            released.push(self.copy_sample(&info, &originals, next, line, now, "released")?);
        }
        for (list, numbers, fate) in
            [(withdrawn, more.copies_withdrawn, "withdrawn"), (replaced, more.copies_replaced, "replaced by the whole")]
        {
            for info in self.store.by_number(&left(list, numbers), None)? {
                let originals = self.store.by_number(&self.store.originals_of(info.no)?, Some(line.reader))?;
                list.push(self.copy_sample(&info, &originals, world, line, now, fate)?);
            }
        }
        Ok(())
    }

    /// A copy in words: of what it is one, and what is cut of that for the reader of the line.
    fn copy_sample(
        &self,
        copy: &InstanceInfo,
        originals: &[InstanceInfo],
        world: &World,
        line: Line,
        now: i64,
        fate: &str,
    ) -> Result<Value, NodeError> {
        let mut of = originals.first();
        let mut cut = None;
        if let Some(reader) = world.reader_by_no(line.reader) {
            for original in originals {
                let made = self.redacted_for(world, original, reader, now)?;
                let mut made =
                    made.iter().filter(|(to, _)| *to == line.collection).filter_map(|(_, m)| m.as_ref().ok());
                if let Some(made) = made.find(|made| made.object().digest() == copy.digest) {
                    (of, cut) = (Some(original), Some(Redacted::cut(made).to_vec()));
                    break;
                }
            }
        }
        Ok(
            json!({"change": fate, "copy": copy.id.as_str(), "version": copy.version, "of": of.map(|info| info.id.as_str()),
            "cut": cut, "labels": world.labels_of(&copy.state)}),
        )
    }
}
