use crate::{
    Environment, NodeError,
    accounts::SignIn,
    config::Config,
    effects::Effects,
    operator::Counters,
    release::Recorder,
    world::{OPERATOR, RightsAt, World, readers},
};
use label::{CollectionNo, Markings, Readers};
use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicI64, Ordering::Relaxed},
    },
};
use stix::{Object, Timestamp};
use store::{Account, Act, Collection, NewCollection, Store, StoreError};

/// Microseconds between two attempts to mend what does not agree: ten seconds.
pub(crate) const MEND_INTERVAL_US: i64 = 10_000_000;

/// A running node: the store, the world it decides by, and what signs in and records.
pub struct Node {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) environment: Environment,
    world: RwLock<Arc<World>>,
    /// Held by whoever changes the world; readers that find the store ahead of their world wait here.
    acts: Mutex<()>,
    pub(crate) sign_in: SignIn,
    pub(crate) recorder: Recorder,
    pub(crate) cursor_key: [u8; 32],
    /// What ids of redacted copies are made with.
    pub(crate) redaction_key: [u8; 32],
    /// Whether this node has ever relabelled anything that it still holds.
    pub(crate) relabelled: AtomicBool,
    /// Whether overrides whose persons are no officers any more could not all be ended (L-157).
    pub(crate) overrides_left: AtomicBool,
    /// When rights were last computed anew because something did not agree.
    mended: AtomicI64,
    /// Figures for the operator.
    pub counters: Counters,
    /// Bodies to be processed later.
    pub(crate) waiting: crate::post::Waiting,
    /// Who is being pulled from, by partner.
    pub(crate) pulling: Mutex<BTreeMap<String, Arc<Mutex<()>>>>,
    /// Indicators run over the detection collections; rebuilt from the store whenever something failed.
    pub(crate) detection: Mutex<crate::detection::Detection>,
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Node({})", self.world().config.node.name)
    }
}

impl Node {
    /// Opens a node over a store. Everything that a changed configuration or a passed date releases or withdraws is committed before this returns.
    pub fn open(dir: &Path, store: Arc<dyn Store>, environment: Environment) -> Result<Self, NodeError> {
        let config = Arc::new(Config::load(dir)?);
        let now = environment.clock.now();
        let token_key = store.secret("token-key", environment.random.bytes())?;
        let cursor_key = store.secret("cursor-key", environment.random.bytes())?;
        let sign_in = SignIn::new(token_key, environment.random.bytes());
        let redaction_key = store.secret("redaction-key", environment.random.bytes())?;
        let empty = World {
            config: Arc::clone(&config),
            markings: Arc::new(Markings::new()),
            readers: Arc::default(),
            collections: Arc::new(BTreeMap::new()),
            accounts: Arc::new(BTreeMap::new()),
            epoch: 0,
            window: (i64::MIN, i64::MIN),
        };
        let node = Self {
            recorder: Recorder::new(Arc::clone(&store)),
            store,
            environment,
            world: RwLock::new(Arc::new(empty)),
            acts: Mutex::new(()),
            sign_in,
            cursor_key,
            redaction_key,
            relabelled: AtomicBool::new(true),
            mended: AtomicI64::new(i64::MIN),
            overrides_left: AtomicBool::new(false),
            counters: Counters::default(),
            waiting: crate::post::Waiting::default(),
            pulling: Mutex::default(),
            detection: Mutex::default(),
        };
        node.ensure_operator(now)?;
        node.apply_config(config, "start")?;
        node.release_what_waited()?;
        let states = node.store.states()?;
        node.relabelled.store(states.iter().any(|(state, _)| crate::ingest::relabelled_here(state)), Relaxed);
        Ok(node)
    }

    /// Opens the node in `dir` with its SQLite store.
    pub fn open_dir(dir: &Path, environment: Environment) -> Result<Self, NodeError> {
        let config = Config::load(dir)?;
        let options = store::OpenOptions { reserve_bytes: config.node.reserve_bytes, ..store::OpenOptions::default() };
        let store = store::SqliteStore::open(&dir.join("store").join("entente.db"), &options)?;
        Self::open(dir, Arc::new(store), environment)
    }

    /// The world in force.
    pub fn world(&self) -> Arc<World> {
        Arc::clone(&self.world.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The store, for operators' reads.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Microseconds since 1970 by the node's clock.
    pub fn now(&self) -> i64 {
        self.environment.clock.now()
    }

    pub(crate) fn act_guard(&self) -> MutexGuard<'_, ()> {
        self.acts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn swap(&self, world: World) -> Arc<World> {
        let world = Arc::new(world);
        *self.world.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&world);
        world
    }

    /// The world in force at `now`: when a date has passed (or the clock stepped back over one), what it releases and withdraws is committed first.
    pub fn world_at(&self, now: i64) -> Result<Arc<World>, NodeError> {
        let world = self.world();
        if world.holds_at(now) {
            return Ok(world);
        }
        let guard = self.act_guard();
        let world = self.world();
        if world.holds_at(now) {
            return Ok(world);
        }
        let (world, changes) = self.set_rights(&guard, copy(&world), "clock", now)?;
        tracing::info!(changed_lines = changes.lines().len(), "a date passed; rights are computed anew");
        Ok(world)
    }

    /// Reads the configuration directory again and puts it in force; returns what changed, line by line.
    pub fn reload(&self) -> Result<Effects, NodeError> {
        let config = Arc::new(Config::load(&self.world().config.dir)?);
        let changes = self.apply_config(config, OPERATOR)?;
        // A marking that the catalogue has gained may be what objects wait for.
        self.release_what_waited()?;
        Ok(changes)
    }

    fn apply_config(&self, config: Arc<Config>, by: &str) -> Result<Effects, NodeError> {
        let guard = self.act_guard();
        let now = self.now();
        self.sync_collections(&config, now)?;
        let mut world = self.assemble(config)?;
        world.epoch = self.store.epoch()?.0;
        let (_, changes) = self.set_rights(&guard, world, by, now)?;
        drop(guard);
        self.place_catalogue()?;
        Ok(changes)
    }

    /// Makes the world from the configuration and the store; epoch and window are still to be set.
    pub(crate) fn assemble(&self, config: Arc<Config>) -> Result<World, NodeError> {
        let collections: BTreeMap<CollectionNo, Collection> =
            self.store.collections()?.into_iter().map(|c| (c.no, c)).collect();
        let accounts: BTreeMap<String, Account> =
            self.store.accounts()?.into_iter().map(|a| (a.name.clone(), a)).collect();
        let readers = readers(&config, &accounts, &collections)?;
        let markings = self.held_markings(&config, &collections)?;
        Ok(World {
            config,
            markings: Arc::new(markings),
            readers: Arc::new(Readers::new(readers)),
            collections: Arc::new(collections),
            accounts: Arc::new(accounts),
            epoch: 0,
            window: (i64::MIN, i64::MIN),
        })
    }

    fn held_markings(
        &self,
        config: &Config,
        collections: &BTreeMap<CollectionNo, Collection>,
    ) -> Result<Markings, NodeError> {
        let mut markings = config.markings();
        config.own_link().identities.into_iter().for_each(|identity| markings.home(identity));
        for collection in collections.values() {
            markings.place(collection.no, &collection.new.realm);
            let community = config.collection(&collection.new.alias).and_then(|c| c.community.as_ref());
            if let Some((policy, value)) =
                community.and_then(|c| Some((config.policies.find(&c.policy, None)?, &c.value)))
            {
                markings.community(collection.no, policy.oid(), value);
            }
        }
        let limits = stix::Limits::default();
        for (raw, roads) in self.store.markings()? {
            let object = Object::parse(&raw, &limits)
                .map_err(|e| StoreError::Damaged(format!("a stored marking definition: {e}")))?;
            for (collection, origin) in &roads {
                // A forged definition is stored (its sender reads it back) but defines nothing.
                if markings.add_in(*collection, &object, origin).is_err() {
                    tracing::warn!(object.id = %object.id(), "a held marking definition is forged; it defines nothing");
                }
            }
        }
        Ok(markings)
    }

    /// Reads everything anew and asks about everything again, whatever the digest says: for when store and gate were found to disagree. At most once in
    /// [`MEND_INTERVAL_US`], so that what cannot be mended does not cost that much for every request.
    pub(crate) fn mend(&self) -> Result<(), NodeError> {
        let guard = self.act_guard();
        let now = self.now();
        let last = self.mended.swap(now, Relaxed);
        if (last..last.saturating_add(MEND_INTERVAL_US)).contains(&now) {
            return Ok(());
        }
        tracing::warn!("the store and the gate, or the store and the world, do not agree; rights are computed anew");
        let world = self.assemble(Arc::clone(&self.world().config))?;
        self.put_in_force(&guard, world, "mend", now, true)?;
        Ok(())
    }

    /// Puts a world in force: window, digest, recomputation where the digest moved, and the swap.
    pub(crate) fn set_rights(
        &self,
        guard: &MutexGuard<'_, ()>,
        world: World,
        by: &str,
        now: i64,
    ) -> Result<(Arc<World>, Effects), NodeError> {
        self.put_in_force(guard, world, by, now, false)
    }

    pub(crate) fn put_in_force(
        &self,
        guard: &MutexGuard<'_, ()>,
        mut world: World,
        by: &str,
        now: i64,
        anew: bool,
    ) -> Result<(Arc<World>, Effects), NodeError> {
        let states = self.store.states()?;
        let states: Vec<&label::LabelState> = states.iter().map(|(state, _)| state.as_ref()).collect();
        let at = Timestamp::from_micros(now);
        world.window = world.authority(&at).stable_window(&world.readers, &states);
        let digest = world.digest();
        let (epoch, in_force) = self.store.epoch()?;
        let mut effects = if in_force == digest && !anew {
            world.epoch = epoch;
            Effects::default()
        } else {
            let hex = |bytes: &[u8]| {
                bytes.iter().fold(String::new(), |mut text, b| {
                    let _ = std::fmt::Write::write_fmt(&mut text, format_args!("{b:02x}"));
                    text
                })
            };
            let body = serde_json::json!({"digest": hex(&digest), "policies": hex(&world.config.policies_digest),
                "agreements": world.config.agreements.iter().map(|(p, f)| (p.clone(), hex(&f.digest))).collect::<BTreeMap<_, _>>(),
                "readers": world.readers.len()});
            let act = Act { kind: "rights".to_owned(), by: by.to_owned(), body };
            let lines = world.lines();
            let rights = RightsAt::new(&world, now);
            let (epoch, changes) = self.store.set_rights(&lines, digest, &rights, &act, now)?;
            drop(rights);
            world.epoch = epoch;
            Effects::from(changes)
        };
        self.swap(world);
        self.end_overrides(guard, true);
        effects.and(self.renew_copies(guard));
        Ok((self.world(), effects))
    }

    /// Moves the world to the store's epoch after an act that changed nothing else of it.
    pub(crate) fn follow_epoch(&self, _guard: &MutexGuard<'_, ()>) -> Result<(), NodeError> {
        let mut next = copy(&self.world());
        next.epoch = self.store.epoch()?.0;
        self.swap(next);
        Ok(())
    }

    fn sync_collections(&self, config: &Config, now: i64) -> Result<(), NodeError> {
        let held = self.store.collections()?;
        for file in &config.node.collections {
            let default_markings =
                file.default_label.iter().filter_map(|name| config.catalogue.get(name)).map(|label| label.id).collect();
            let new = NewCollection {
                realm: file.realm.clone(),
                id: file.id,
                alias: file.alias.clone(),
                title: file.title.clone(),
                description: file.description.clone(),
                default_markings,
                // What a sensor names and the node does not hold must not keep its observations from being matched; nothing of them goes out.
                open_references: file.open_references || file.detection.is_some(),
            };
            match held.iter().find(|c| c.new.id == file.id) {
                None => {
                    self.store.create_collection(&new, now)?;
                }
                Some(old) if old.new == new => {}
                Some(old) if old.new.realm == new.realm => self.store.update_collection(old.no, &new, now)?,
                Some(old) => {
                    let text = format!(
                        "node.toml: collection `{}` is in realm `{}` and cannot move to another (I8)",
                        old.new.alias, old.new.realm
                    );
                    return Err(NodeError::Config(vec![text]));
                }
            }
        }
        Ok(())
    }

    fn ensure_operator(&self, now: i64) -> Result<(), NodeError> {
        if self.store.accounts()?.iter().any(|a| a.name == OPERATOR) {
            return Ok(());
        }
        let account = Account {
            name: OPERATOR.to_owned(),
            reader: 0,
            partner: None,
            password: None,
            tokens: Vec::new(),
            disabled: false,
            settings: serde_json::json!({}),
        };
        let act =
            Act { kind: "account".to_owned(), by: "start".to_owned(), body: serde_json::json!({"account": OPERATOR}) };
        self.store.put_account(&account, &act, now)?;
        Ok(())
    }

    /// Creates or changes an account; in force everywhere in the node when this returns, remembered credentials dropped.
    pub fn put_account(&self, account: &Account, by: &str) -> Result<Account, NodeError> {
        if let Some(partner) = &account.partner
            && !self.world().config.agreements.contains_key(partner)
        {
            return Err(NodeError::Refused(format!(
                "there is no agreement with `{partner}`; write agreements/{partner}.toml first"
            )));
        }
        let guard = self.act_guard();
        let now = self.now();
        let body = serde_json::json!({"account": account.name, "partner": account.partner, "disabled": account.disabled,
            "settings": account.settings, "tokens": account.tokens.iter().map(|t| &t.0).collect::<Vec<_>>()});
        let stored =
            self.store.put_account(account, &Act { kind: "account".to_owned(), by: by.to_owned(), body }, now)?;
        self.sign_in.forget(&account.name);
        let world = self.assemble(Arc::clone(&self.world().config))?;
        self.set_rights(&guard, world, by, now)?;
        Ok(stored)
    }
}

/// A world like another, to be changed and swapped in.
pub(crate) fn copy(world: &World) -> World {
    World {
        config: Arc::clone(&world.config),
        markings: Arc::clone(&world.markings),
        readers: Arc::clone(&world.readers),
        collections: Arc::clone(&world.collections),
        accounts: Arc::clone(&world.accounts),
        epoch: world.epoch,
        window: world.window,
    }
}
