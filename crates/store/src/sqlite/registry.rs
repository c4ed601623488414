//! What is interned: types, label states, sets of readers, and what the rights in force say about each (state, type).
use super::error::damaged;
use crate::{Collection, Rights, StoreError};
use label::{Bits, Chain, CollectionNo, LabelState, Origin, Party};
use rusqlite::{Connection, params};
use std::collections::HashMap;
use std::sync::Arc;

/// A label state and the states that hold each of its chains alone, in the order of its chains.
#[derive(Debug, Clone)]
pub(super) struct StateEntry {
    pub(super) state: Arc<LabelState>,
    pub(super) parts: Arc<[u32]>,
}

/// One chain of a state, as the rights see it by itself.
#[derive(Debug, Clone)]
pub(super) struct ChainFacet {
    /// The state that holds it alone.
    pub(super) part: u32,
    /// The collection it is in.
    pub(super) collection: CollectionNo,
    /// Who brought it.
    pub(super) origin: Origin,
    /// Whether that party may speak for the creator.
    pub(super) vouched: bool,
    /// Readers it permits.
    pub(super) permits: Arc<Bits>,
    /// Readers who brought it.
    pub(super) contributors: Arc<Bits>,
}

/// What the rights in force say about a (state, type).
#[derive(Debug, Clone)]
pub(super) struct Facet {
    /// Readers permitted, references apart.
    pub(super) permits: Arc<Bits>,
    /// Of them, those who brought it themselves.
    pub(super) contributors: Arc<Bits>,
    /// Of them, those whom a chain in a collection with open references permits: optional references do not hold it back from them.
    pub(super) open: Arc<Bits>,
    /// Chain by chain.
    pub(super) chains: Vec<ChainFacet>,
}

impl Facet {
    /// Whether what decides is the same as in another facet of the same state.
    fn same(&self, other: &Self) -> bool {
        self.permits == other.permits
            && self.contributors == other.contributors
            && self.open == other.open
            && self
                .chains
                .iter()
                .zip(&other.chains)
                .all(|(a, b)| a.permits == b.permits && a.contributors == b.contributors)
    }
}

/// (state, type).
pub(super) type FacetName = (u32, u32);

/// Everything interned. Numbers are positions.
#[derive(Debug, Clone, Default)]
pub(super) struct Registry {
    pub(super) realms: Vec<Arc<str>>,
    pub(super) collections: Vec<Arc<Collection>>,
    pub(super) types: Vec<Arc<str>>,
    type_nos: HashMap<Arc<str>, u32>,
    pub(super) states: Vec<StateEntry>,
    state_nos: HashMap<Arc<LabelState>, u32>,
    /// How many states of one chain each party has.
    roads_of: HashMap<String, u64>,
    pub(super) classes: Vec<Arc<Bits>>,
    class_nos: HashMap<Arc<Bits>, u32>,
    pub(super) facets: HashMap<FacetName, Arc<Facet>>,
}

/// The name under which what a party brings is counted; none for the own organisation.
pub(super) fn foreign(origin: &Origin) -> Option<String> {
    match origin.party() {
        Party::Own => None,
        Party::Partner(name) => Some(format!("partner:{name}")),
        Party::Peer(name) => Some(format!("peer:{name}")),
    }
}

fn next_no(length: usize) -> Result<u32, StoreError> {
    u32::try_from(length).map_err(|_| damaged("more kinds of things than can be numbered"))
}

impl Registry {
    /// Reads everything interned.
    pub(super) fn load(conn: &Connection) -> Result<Self, StoreError> {
        let mut registry = Self::default();
        let dense = |no: u32, length: usize, what: &str| {
            if no as usize == length { Ok(()) } else { Err(damaged(format!("{what} {no} is out of order"))) }
        };
        let mut rows = conn.prepare("SELECT no, name FROM realm ORDER BY no")?;
        let mut rows = rows.query([])?;
        while let Some(row) = rows.next()? {
            dense(row.get(0)?, registry.realms.len(), "realm")?;
            registry.realms.push(row.get::<_, String>(1)?.into());
        }
        let mut rows = conn.prepare("SELECT no, body FROM collection ORDER BY no")?;
        let mut rows = rows.query([])?;
        while let Some(row) = rows.next()? {
            dense(row.get(0)?, registry.collections.len(), "collection")?;
            let new = serde_json::from_str(&row.get::<_, String>(1)?).map_err(super::error::backend)?;
            registry.collections.push(Arc::new(Collection { no: row.get(0)?, new }));
        }
        let mut rows = conn.prepare("SELECT no, name FROM type_name ORDER BY no")?;
        let mut rows = rows.query([])?;
        while let Some(row) = rows.next()? {
            dense(row.get(0)?, registry.types.len(), "type")?;
            registry.add_type(row.get::<_, String>(1)?.into(), row.get(0)?);
        }
        let mut rows = conn.prepare("SELECT no, canonical FROM label_state ORDER BY no")?;
        let mut rows = rows.query([])?;
        while let Some(row) = rows.next()? {
            dense(row.get(0)?, registry.states.len(), "label state")?;
            let bytes: Vec<u8> = row.get(1)?;
            let state =
                LabelState::from_canonical(&bytes).ok_or_else(|| damaged("a stored label state does not read back"))?;
            registry.add_state(Arc::new(state), row.get(0)?)?;
        }
        let mut rows = conn.prepare("SELECT no, bits FROM class ORDER BY no")?;
        let mut rows = rows.query([])?;
        while let Some(row) = rows.next()? {
            dense(row.get(0)?, registry.classes.len(), "class")?;
            registry.add_class(Arc::new(bits_from(&row.get::<_, Vec<u8>>(1)?)?), row.get(0)?);
        }
        let mut raw = HashMap::new();
        let mut rows = conn.prepare("SELECT state, type, permits, contributors, open FROM facet")?;
        let mut rows = rows.query([])?;
        while let Some(row) = rows.next()? {
            let permits = Arc::new(bits_from(&row.get::<_, Vec<u8>>(2)?)?);
            let contributors = Arc::new(bits_from(&row.get::<_, Vec<u8>>(3)?)?);
            let open = bits_from(&row.get::<_, Vec<u8>>(4)?)?;
            raw.insert((row.get(0)?, row.get(1)?), (permits, contributors, open));
        }
        let names: Vec<FacetName> = raw.keys().copied().collect();
        for name in names {
            let facet = registry.build_facet(name, |part, _| {
                let answer = raw.get(&part).map(|(permits, contributors, _)| (permits.clone(), contributors.clone()));
                answer.ok_or_else(|| damaged("what the rights say about a chain is missing"))
            })?;
            // Which collections were open when the rights were last asked, not which are now: visibility follows at the next `set_rights`.
            let open = raw.get(&name).map(|(_, _, open)| open.clone()).unwrap_or_default();
            if *facet.open != open {
                registry.facets.insert(name, Arc::new(Facet { open: Arc::new(open), ..(*facet).clone() }));
            }
        }
        Ok(registry)
    }

    fn add_type(&mut self, name: Arc<str>, no: u32) {
        self.types.push(name.clone());
        self.type_nos.insert(name, no);
    }

    fn add_class(&mut self, bits: Arc<Bits>, no: u32) {
        self.classes.push(bits.clone());
        self.class_nos.insert(bits, no);
    }

    fn add_state(&mut self, state: Arc<LabelState>, no: u32) -> Result<(), StoreError> {
        let parts = match state.chains() {
            [] => Arc::from([]),
            [_] => Arc::from([no]),
            chains => chains
                .iter()
                .map(|chain| {
                    self.state_of(chain).ok_or_else(|| damaged("a chain of a label state is not interned alone"))
                })
                .collect::<Result<Vec<u32>, _>>()?
                .into(),
        };
        if let [chain] = state.chains()
            && let Some(party) = foreign(&chain.origin)
        {
            *self.roads_of.entry(party).or_default() += 1;
        }
        self.states.push(StateEntry { state: state.clone(), parts });
        self.state_nos.insert(state, no);
        Ok(())
    }

    /// How many distinct roads a party has.
    pub(super) fn roads_of(&self, party: &str) -> u64 {
        self.roads_of.get(party).copied().unwrap_or(0)
    }

    fn state_of(&self, chain: &Chain) -> Option<u32> {
        self.state_nos.get(&LabelState::new(vec![chain.clone()])).copied()
    }

    /// The type's number, if any instance ever had it.
    pub(super) fn type_no(&self, name: &str) -> Option<u32> {
        self.type_nos.get(name).copied()
    }

    /// A type's name.
    pub(super) fn type_name(&self, no: u32) -> Result<&Arc<str>, StoreError> {
        self.types.get(no as usize).ok_or_else(|| damaged(format!("type {no} is missing")))
    }

    /// A state with its parts.
    pub(super) fn state(&self, no: u32) -> Result<&StateEntry, StoreError> {
        self.states.get(no as usize).ok_or_else(|| damaged(format!("label state {no} is missing")))
    }

    /// A class' readers.
    pub(super) fn class(&self, no: u32) -> Result<&Arc<Bits>, StoreError> {
        self.classes.get(no as usize).ok_or_else(|| damaged(format!("class {no} is missing")))
    }

    /// A collection by number.
    pub(super) fn collection(&self, no: CollectionNo) -> Result<&Arc<Collection>, StoreError> {
        self.collections.get(no as usize).ok_or(StoreError::NotFound { what: "collection" })
    }

    /// A realm's number.
    pub(super) fn realm_no(&self, name: &str) -> Option<u32> {
        self.realms.iter().position(|r| **r == *name).and_then(|n| u32::try_from(n).ok())
    }

    /// Interns a type.
    pub(super) fn intern_type(self: &mut Arc<Self>, conn: &Connection, name: &str) -> Result<u32, StoreError> {
        if let Some(no) = self.type_no(name) {
            return Ok(no);
        }
        let no = next_no(self.types.len())?;
        conn.execute("INSERT INTO type_name (no, name) VALUES (?1, ?2)", params![no, name])?;
        Arc::make_mut(self).add_type(name.into(), no);
        Ok(no)
    }

    /// Interns a state. If it has several chains, each of them is interned alone before: whoever adds one to a state has its number already.
    pub(super) fn intern_state(self: &mut Arc<Self>, conn: &Connection, state: LabelState) -> Result<u32, StoreError> {
        if let Some(no) = self.state_nos.get(&state) {
            return Ok(*no);
        }
        let no = next_no(self.states.len())?;
        conn.execute("INSERT INTO label_state (no, canonical) VALUES (?1, ?2)", params![no, state.canonical()])?;
        Arc::make_mut(self).add_state(Arc::new(state), no)?;
        Ok(no)
    }

    /// Interns a set of readers.
    pub(super) fn intern_class(self: &mut Arc<Self>, conn: &Connection, bits: &Bits) -> Result<u32, StoreError> {
        if let Some(no) = self.class_nos.get(bits) {
            return Ok(*no);
        }
        let no = next_no(self.classes.len())?;
        conn.execute("INSERT INTO class (no, bits) VALUES (?1, ?2)", params![no, bits.to_bytes()])?;
        Arc::make_mut(self).add_class(Arc::new(bits.clone()), no);
        Ok(no)
    }

    fn build_facet(
        &mut self,
        name: FacetName,
        mut ask: impl FnMut(FacetName, &LabelState) -> Result<(Arc<Bits>, Arc<Bits>), StoreError>,
    ) -> Result<Arc<Facet>, StoreError> {
        let entry = self.state(name.0)?.clone();
        let mut permits = Bits::new();
        let mut contributors = Bits::new();
        let mut open = Bits::new();
        let mut chains = Vec::with_capacity(entry.parts.len());
        for (chain, &part) in entry.state.chains().iter().zip(&*entry.parts) {
            let (chain_permits, chain_contributors) = ask((part, name.1), &self.state(part)?.state)?;
            permits.union(&chain_permits);
            contributors.union(&chain_contributors);
            if self.collections.get(chain.collection as usize).is_some_and(|c| c.new.open_references) {
                open.union(&chain_permits);
            }
            chains.push(ChainFacet {
                part,
                collection: chain.collection,
                origin: chain.origin.clone(),
                vouched: chain.vouched,
                permits: chain_permits,
                contributors: chain_contributors,
            });
        }
        if entry.parts.len() > 1 || entry.parts.is_empty() {
            // What the rights say about the whole binds as well: nobody is permitted by the parts who is not permitted by the whole.
            let (whole, whole_contributors) =
                if entry.parts.is_empty() { Default::default() } else { ask(name, &entry.state)? };
            permits.intersect(&whole);
            contributors.intersect(&whole_contributors);
            open.intersect(&whole);
        }
        contributors.intersect(&permits);
        let facet = Arc::new(Facet {
            permits: Arc::new(permits),
            contributors: Arc::new(contributors),
            open: Arc::new(open),
            chains,
        });
        self.facets.insert(name, facet.clone());
        Ok(facet)
    }

    /// What the rights in force say about a (state, type). Asked of `rights` only where it was never asked under them; kept until
    /// `Store::set_rights` asks again.
    pub(super) fn facet(
        self: &mut Arc<Self>,
        conn: &Connection,
        rights: &dyn Rights,
        state: u32,
        type_no: u32,
    ) -> Result<Arc<Facet>, StoreError> {
        if let Some(facet) = self.facets.get(&(state, type_no)) {
            return Ok(facet.clone());
        }
        let type_name = self.type_name(type_no)?.clone();
        let parts = self.state(state)?.parts.clone();
        if parts.len() > 1 {
            for &part in &*parts {
                self.facet(conn, rights, part, type_no)?;
            }
        }
        let known: HashMap<u32, Arc<Facet>> =
            parts.iter().filter_map(|&part| Some((part, self.facets.get(&(part, type_no))?.clone()))).collect();
        let mut fresh = None;
        let facet = Arc::make_mut(self).build_facet((state, type_no), |name, label_state| {
            if let Some(facet) = known.get(&name.0) {
                return Ok((facet.permits.clone(), facet.contributors.clone()));
            }
            let permits = rights.permits(label_state, &type_name);
            let mut contributors = rights.contributors(label_state);
            contributors.intersect(&permits);
            let answer = (Arc::new(permits), Arc::new(contributors));
            fresh = Some(answer.clone());
            Ok(answer)
        })?;
        let (permits, contributors) = fresh.unwrap_or_default();
        let mut put = conn.prepare_cached(
            "INSERT INTO facet (state, type, permits, contributors, open) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        put.execute(params![state, type_no, permits.to_bytes(), contributors.to_bytes(), facet.open.to_bytes()])?;
        Ok(facet)
    }

    /// The facet as kept.
    pub(super) fn kept_facet(&self, state: u32, type_no: u32) -> Result<&Arc<Facet>, StoreError> {
        self.facets.get(&(state, type_no)).ok_or_else(|| damaged("what the rights say about a label state is missing"))
    }

    /// Asks everything again about the states that are `used`; about others it is asked when they come to be used. Returns, per facet that changed,
    /// what it was.
    pub(super) fn ask_again(
        self: &mut Arc<Self>,
        conn: &Connection,
        rights: &dyn Rights,
        used: impl Fn(u32) -> bool,
    ) -> Result<HashMap<FacetName, Arc<Facet>>, StoreError> {
        let old = std::mem::take(&mut Arc::make_mut(self).facets);
        conn.execute("DELETE FROM facet", [])?;
        let mut names: Vec<FacetName> = old.keys().copied().filter(|name| used(name.0)).collect();
        names.sort_unstable();
        for (state, type_no) in names {
            self.facet(conn, rights, state, type_no)?;
        }
        let mut changed = old;
        changed.retain(|name, was| self.facets.get(name).is_some_and(|now| !now.same(was)));
        Ok(changed)
    }

    /// Replaces a collection that was just written.
    pub(super) fn put_collection(&mut self, collection: Collection) {
        if let Some(held) = self.collections.get_mut(collection.no as usize) {
            *held = Arc::new(collection);
        }
    }

    /// Adds a collection that was just written.
    pub(super) fn push_collection(&mut self, collection: Collection, realm: Option<Arc<str>>) {
        self.realms.extend(realm);
        self.collections.push(Arc::new(collection));
    }
}

/// Reads a set of readers back.
pub(super) fn bits_from(bytes: &[u8]) -> Result<Bits, StoreError> {
    Bits::from_bytes(bytes).ok_or_else(|| damaged("a stored set of readers does not read back"))
}
