//! What an agreement file would change: the act and the redacted copies that follow it are carried out as they would be, and nothing of it stays.

use crate::{
    Node, NodeError, effects,
    world::{RightsAt, World},
};
use label::Redacted;
use serde_json::{Value, json};
use std::{collections::BTreeMap, path::Path, sync::Arc};
use store::{InstanceInfo, Line, PreviewedChange, Rehearsal};

/// Samples that a preview gives of each line: of objects that come, and that go; of copies that come, that go, and that give way to the whole.
const SAMPLES_MAX: usize = 5;

impl Node {
    /// What putting an agreement file in force would release and withdraw, line by line, redacted copies included.
    pub(super) fn preview(&self, path: &Path) -> Result<Value, NodeError> {
        let now = self.now();
        let _guard = self.act_guard();
        let world = self.world();
        let next = self.assemble(Arc::new(world.config.with_agreement(path)?))?;
        let mut told = Ok(Vec::new());
        self.store.rehearse(&mut |stage| told = self.rehearse(stage, &world, crate::node::copy(&next), now))?;
        Ok(json!({ "changes": told? }))
    }

    fn rehearse(
        &self,
        stage: &mut dyn Rehearsal,
        world: &World,
        next: World,
        now: i64,
    ) -> Result<Vec<Value>, NodeError> {
        let mut lines = BTreeMap::new();
        for change in stage.set_rights(&next.lines(), &RightsAt::new(&next, now), SAMPLES_MAX)? {
            change.add_to(&mut lines, SAMPLES_MAX);
        }
        let next = self.rehearse_copies(stage, next, now, SAMPLES_MAX, &mut lines)?;
        lines.into_iter().map(|(line, change)| self.tell_previewed(stage, world, &next, now, line, &change)).collect()
    }

    /// What changes in a line, with samples in words. What comes is read as it would be, what goes as it is.
    fn tell_previewed(
        &self,
        stage: &mut dyn Rehearsal,
        world: &World,
        next: &World,
        now: i64,
        line: Line,
        change: &PreviewedChange,
    ) -> Result<Value, NodeError> {
        let sample = |info: &InstanceInfo, world: &World| json!({"id": info.id.as_str(), "labels": world.labels_of(&info.state)});
        let samples =
            |infos: &[InstanceInfo], world: &World| -> Value { infos.iter().map(|i| sample(i, world)).collect() };
        let released = samples(&stage.by_number(&change.released, None)?, next);
        let withdrawn = samples(&self.store.by_number(&change.withdrawn, None)?, world);
        let mut copies = Vec::new();
        for info in stage.by_number(&change.copies_released, None)? {
            let originals = stage.originals_of(info.no)?;
            let originals = stage.by_number(&originals, Some(line.reader))?;
            copies.push(self.copy_sample(&info, &originals, next, line, now, "released")?);
        }
        for (numbers, fate) in
            [(&change.copies_withdrawn, "withdrawn"), (&change.copies_replaced, "replaced by the whole")]
        {
            for info in self.store.by_number(numbers, None)? {
                let originals = self.store.by_number(&self.store.originals_of(info.no)?, Some(line.reader))?;
                copies.push(self.copy_sample(&info, &originals, world, line, now, fate)?);
            }
        }
        let mut told = effects::row(next, &change.change);
        told.insert("released_samples".to_owned(), released);
        told.insert("withdrawn_samples".to_owned(), withdrawn);
        told.insert("copy_samples".to_owned(), copies.into());
        Ok(Value::from(told))
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
