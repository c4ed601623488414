//! Families of minimal sets as zero-suppressed diagrams (Minato 1993), with the operations of Rauzy's minimal solutions.
//!
//! The families are antichains: no set contains another; only those that [`Zbdd::points_where`] and its like make are not. A variable may stand for an independent part of the formula and then weighs as much as that
//! part's smallest set; limits are limits of weight.

use super::arena::{Arena, Computed, Decision};
use super::bdd::{Bdd, Function, ONE, ZERO};
use super::meter::{Halt, Meter};
use std::cmp::Ordering;
use std::collections::HashMap;

/// A family of sets: a node's number.
pub(super) type Family = u32;

/// No set.
pub(super) const EMPTY: Family = 0;
/// The empty set alone.
pub(super) const BASE: Family = 1;
/// No limit of weight.
pub(super) const UNLIMITED: u32 = u32::MAX;

#[derive(Debug, Clone)]
pub(super) struct Zbdd {
    arena: Arena,
    computed: Computed,
    /// By variable. One that stands for a part that can never fail weighs [`UNLIMITED`].
    weights: Vec<u32>,
    /// By node: weight of the lightest and of the heaviest set.
    spans: Vec<(u32, u32)>,
    tasks: Vec<Task>,
    values: Vec<Family>,
    /// Whether some set was left out because of its weight since [`Self::watch`].
    cut: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    /// Sets of the first that do not contain a set of the second.
    Without,
    /// Minimal sets of both together.
    Union,
    /// Minimal unions of a set of the first and one of the second, up to a weight.
    Product,
    /// Sets up to a weight.
    Limit,
    /// Sets of the first at which the second, a monotone function, is false.
    Failing,
    /// Sets that are in both.
    Both,
    /// Sets that are in one of the two, minimal or not.
    Either,
    /// Sets of the first that are not in the second.
    But,
}

#[derive(Debug, Clone, Copy)]
enum Task {
    Do(Operation, Family, u32, u32),
    /// The operation with the last value in the first place.
    Then(Operation, u32, u32),
    /// The operation with the last value in the second place.
    After(Operation, Family, u32),
    /// The union of the last two values.
    Join,
    /// The last value is the branch without the variable; what the other needs of it follows.
    Split {
        var: u32,
        key: [u32; 3],
        high: High,
    },
    /// The last value is the branch with the variable.
    Finish {
        var: u32,
        lo: Family,
        key: [u32; 3],
    },
    Remember {
        key: [u32; 3],
    },
}

/// How the branch with the variable is made, once the one without is known.
#[derive(Debug, Clone, Copy)]
enum High {
    /// An operation, of which what contains a set of the other branch is dropped.
    Minimal(Operation, Family, u32, u32),
    /// An operation whose result is minimal already.
    Plain(Operation, Family, u32, u32),
    /// (f1 × (g0 ∪ g1)) ∪ (f0 × g1), without what contains a set of the other branch.
    Product { f: Family, g: Family, limit: u32 },
    /// (f1 without g1) without g0.
    Without { f1: Family, g1: Family, g0: Family },
}

/// No set with the variable.
const NOTHING: High = High::Plain(Operation::Limit, EMPTY, 0, UNLIMITED);

impl Zbdd {
    pub(super) fn new() -> Self {
        Self {
            arena: Arena::new(2),
            computed: Computed::new(),
            weights: Vec::new(),
            spans: vec![(UNLIMITED, 0), (0, 0)],
            tasks: Vec::new(),
            values: Vec::new(),
            cut: false,
        }
    }

    /// Begins to watch whether anything is left out because of its weight.
    pub(super) fn watch(&mut self) {
        self.cut = false;
        // What is remembered would hide that something is left out.
        self.computed.clear();
    }

    /// Whether anything was.
    pub(super) fn was_cut(&self) -> bool {
        self.cut
    }

    /// Nodes, the terminals among them.
    pub(super) fn len(&self) -> usize {
        self.arena.len()
    }

    pub(super) fn get(&self, family: Family) -> Decision {
        self.arena.get(family)
    }

    pub(super) fn set_weight(&mut self, var: u32, weight: u32) {
        if self.weights.len() <= var as usize {
            self.weights.resize(var as usize + 1, 1);
        }
        self.weights[var as usize] = weight;
    }

    /// The weight of the lightest set; [`UNLIMITED`] if there is none.
    pub(super) fn lightest(&self, family: Family) -> u32 {
        self.spans[family as usize].0
    }

    /// The sets of `hi`, each with `var`, and those of `lo`.
    pub(super) fn make(&mut self, var: u32, hi: Family, lo: Family) -> Family {
        let weight = self.weights.get(var as usize).copied().unwrap_or(1);
        if hi == EMPTY || weight == UNLIMITED {
            return lo;
        }
        let node = self.arena.add(Decision { var, hi, lo });
        if node as usize == self.spans.len() {
            let (with, without) = (self.spans[hi as usize], self.spans[lo as usize]);
            let heavier = |w: u32| w.saturating_add(weight).min(UNLIMITED - 1);
            self.spans.push((heavier(with.0).min(without.0), heavier(with.1).max(without.1)));
        }
        node
    }

    /// What is left of a limit below `var`; `None` if the variable alone is too heavy.
    fn below(&self, var: u32, limit: u32) -> Option<u32> {
        let weight = self.weights.get(var as usize).copied().unwrap_or(1);
        if limit == UNLIMITED { Some(UNLIMITED) } else { limit.checked_sub(weight) }
    }

    /// Drops what `roots` do not need and renumbers them.
    pub(super) fn keep(&mut self, roots: &mut [Family]) {
        let map = self.arena.keep(roots.iter().copied(), 0);
        let mut spans = vec![(UNLIMITED, 0); self.arena.len()];
        // From the end, so that node 0, to which what is dropped maps, is written last and right.
        for (old, new) in map.iter().enumerate().rev() {
            spans[*new as usize] = self.spans[old];
        }
        self.spans = spans;
        for family in roots {
            *family = map[*family as usize];
        }
        self.computed.clear();
    }

    pub(super) fn union(&mut self, f: Family, g: Family, meter: &mut Meter<'_>) -> Result<Family, Halt> {
        self.run(Task::Do(Operation::Union, f, g, UNLIMITED), None, meter)
    }

    pub(super) fn product(&mut self, f: Family, g: Family, limit: u32, meter: &mut Meter<'_>) -> Result<Family, Halt> {
        self.run(Task::Do(Operation::Product, f, g, limit), None, meter)
    }

    pub(super) fn limit(&mut self, f: Family, limit: u32, meter: &mut Meter<'_>) -> Result<Family, Halt> {
        self.run(Task::Do(Operation::Limit, f, 0, limit), None, meter)
    }

    /// Minimal sets that contain at least `k` of `families`, one set of each, by one row of partial results.
    pub(super) fn at_least(
        &mut self,
        k: usize,
        families: &[Family],
        limit: u32,
        meter: &mut Meter<'_>,
    ) -> Result<Family, Halt> {
        let mut row = vec![EMPTY; k + 1];
        row[0] = BASE;
        for (taken, f) in families.iter().enumerate() {
            let left = families.len() - taken - 1;
            for j in (k.saturating_sub(left).max(1)..=k.min(taken + 1)).rev() {
                let with = self.product(*f, row[j - 1], limit, meter)?;
                row[j] = self.union(with, row[j], meter)?;
            }
        }
        Ok(row[k])
    }

    /// The minimal solutions of `function` up to a weight (Rauzy 1993, 2001): sets of variables that make it true with all others false, and of which no proper
    /// subset does. For a monotone function these are the minimal cut sets, else the minimal p-cuts.
    pub(super) fn minimal(
        &mut self,
        bdd: &Bdd,
        function: Function,
        monotone: bool,
        limit: u32,
        meter: &mut Meter<'_>,
    ) -> Result<Family, Halt> {
        if function <= ZERO {
            return Ok(if function == ONE { BASE } else { EMPTY });
        }
        let mut families: HashMap<Function, Family> = [(ONE, BASE), (ZERO, EMPTY)].into();
        let mut path = vec![function];
        while let Some(f) = path.last().copied() {
            if families.contains_key(&f) {
                path.pop();
                continue;
            }
            let (f1, f0) = bdd.branches(f);
            let (Some(with), Some(without)) = (families.get(&f1).copied(), families.get(&f0).copied()) else {
                path.extend([f1, f0].into_iter().filter(|b| !families.contains_key(b)));
                continue;
            };
            let var = bdd.var(f);
            let hi = match self.below(var, limit) {
                None => EMPTY,
                Some(rest) => {
                    let with = self.limit(with, rest, meter)?;
                    let (operation, second) =
                        if monotone { (Operation::Failing, f0) } else { (Operation::Without, without) };
                    self.run(Task::Do(operation, with, second, UNLIMITED), Some(bdd), meter)?
                }
            };
            families.insert(f, self.make(var, hi, without));
            path.pop();
        }
        Ok(families[&function])
    }

    /// Sets that are in both.
    pub(super) fn both(&mut self, f: Family, g: Family, meter: &mut Meter<'_>) -> Result<Family, Halt> {
        self.run(Task::Do(Operation::Both, f, g, UNLIMITED), None, meter)
    }

    /// Sets that are in one of the two, minimal or not.
    pub(super) fn either(&mut self, f: Family, g: Family, meter: &mut Meter<'_>) -> Result<Family, Halt> {
        self.run(Task::Do(Operation::Either, f, g, UNLIMITED), None, meter)
    }

    /// Sets of the first that are not in the second.
    pub(super) fn but(&mut self, f: Family, g: Family, meter: &mut Meter<'_>) -> Result<Family, Halt> {
        self.run(Task::Do(Operation::But, f, g, UNLIMITED), None, meter)
    }

    /// All sets of the variables `first` up to `end` up to a weight; only those with `with`, if it is told.
    pub(super) fn points_where(
        &mut self,
        (first, end): (u32, u32),
        with: Option<u32>,
        limit: u32,
        meter: &mut Meter<'_>,
    ) -> Result<Family, Halt> {
        // By weight that is left: all sets of the variables below.
        let mut row = vec![BASE; limit as usize + 1];
        for var in (first..end).rev() {
            let weight = self.weights.get(var as usize).copied().unwrap_or(1);
            for left in (0..=limit).rev() {
                meter.step(self.arena.len())?;
                let hi = left.checked_sub(weight).map_or(EMPTY, |rest| row[rest as usize]);
                let lo = if with == Some(var) { EMPTY } else { row[left as usize] };
                row[left as usize] = self.make(var, hi, lo);
            }
        }
        Ok(row[limit as usize])
    }

    /// The sets of a family that contain no other of it.
    pub(super) fn minimal_of(&mut self, family: Family, meter: &mut Meter<'_>) -> Result<Family, Halt> {
        let mut minimal: HashMap<Family, Family> = [(EMPTY, EMPTY), (BASE, BASE)].into();
        let mut path = vec![family];
        while let Some(f) = path.last().copied() {
            let d = self.get(f);
            match (minimal.contains_key(&f), minimal.get(&d.hi).copied(), minimal.get(&d.lo).copied()) {
                (true, ..) => {
                    path.pop();
                }
                (false, Some(with), Some(without)) => {
                    let hi = self.run(Task::Do(Operation::Without, with, without, UNLIMITED), None, meter)?;
                    let made = self.make(d.var, hi, without);
                    minimal.insert(f, made);
                    path.pop();
                }
                _ => path.extend([d.hi, d.lo].into_iter().filter(|b| !minimal.contains_key(b))),
            }
        }
        Ok(minimal[&family])
    }

    fn run(&mut self, task: Task, bdd: Option<&Bdd>, meter: &mut Meter<'_>) -> Result<Family, Halt> {
        self.tasks.clear();
        self.values.clear();
        self.tasks.push(task);
        while let Some(task) = self.tasks.pop() {
            match task {
                Task::Do(operation, f, g, limit) => self.open(operation, f, g, limit, bdd, meter)?,
                Task::Then(operation, g, limit) => {
                    let f = self.value()?;
                    self.tasks.push(Task::Do(operation, f, g, limit));
                }
                Task::After(operation, f, limit) => {
                    let g = self.value()?;
                    self.tasks.push(Task::Do(operation, f, g, limit));
                }
                Task::Join => {
                    let (g, f) = (self.value()?, self.value()?);
                    self.tasks.push(Task::Do(Operation::Union, f, g, UNLIMITED));
                }
                Task::Split { var, key, high } => {
                    let lo = self.value()?;
                    self.split(var, lo, key, high);
                }
                Task::Finish { var, lo, key } => {
                    let hi = self.value()?;
                    let made = self.make(var, hi, lo);
                    self.computed.set(key, made);
                    self.values.push(made);
                }
                Task::Remember { key } => {
                    let value = self.value()?;
                    self.computed.set(key, value);
                    self.values.push(value);
                }
            }
        }
        self.value()
    }

    /// The last value. Each task leaves one, so there always is one.
    fn value(&mut self) -> Result<Family, Halt> {
        self.values.pop().ok_or(Halt::Budget)
    }

    fn split(&mut self, var: u32, lo: Family, key: [u32; 3], high: High) {
        self.tasks.push(Task::Finish { var, lo, key });
        match high {
            High::Minimal(operation, f, g, limit) => {
                self.tasks.push(Task::Then(Operation::Without, lo, UNLIMITED));
                self.tasks.push(Task::Do(operation, f, g, limit));
            }
            High::Plain(operation, f, g, limit) => self.tasks.push(Task::Do(operation, f, g, limit)),
            High::Product { f, g, limit } => {
                let (f, g) = (self.get(f), self.get(g));
                self.tasks.push(Task::Then(Operation::Without, lo, UNLIMITED));
                self.tasks.push(Task::Join);
                self.tasks.push(Task::Do(Operation::Product, f.lo, g.hi, limit));
                self.tasks.push(Task::After(Operation::Product, f.hi, limit));
                self.tasks.push(Task::Do(Operation::Union, g.lo, g.hi, UNLIMITED));
            }
            High::Without { f1, g1, g0 } => {
                self.tasks.push(Task::Then(Operation::Without, g0, UNLIMITED));
                self.tasks.push(Task::Do(Operation::Without, f1, g1, UNLIMITED));
            }
        }
    }

    /// The answer, where it is plain without looking further.
    fn plain(&self, operation: Operation, f: Family, g: u32, limit: u32) -> Option<Family> {
        let (f_min, f_max) = self.spans[f as usize];
        match operation {
            Operation::Without => match (f, g) {
                (EMPTY, _) | (_, BASE) => Some(EMPTY),
                (_, EMPTY) | (BASE, _) => Some(f),
                _ if f == g => Some(EMPTY),
                _ if f_max < self.spans[g as usize].0 => Some(f),
                _ => None,
            },
            Operation::Union => match (f, g) {
                (EMPTY, _) => Some(g),
                (_, EMPTY) => Some(f),
                (BASE, _) | (_, BASE) => Some(BASE),
                _ if f == g => Some(f),
                _ => None,
            },
            Operation::But if f == EMPTY || f == g => Some(EMPTY),
            Operation::Either if f == EMPTY => Some(g),
            Operation::Either | Operation::But if g == EMPTY => Some(f),
            Operation::Both | Operation::Either if f == g => Some(f),
            Operation::Product | Operation::Both if f == EMPTY || g == EMPTY => Some(EMPTY),
            Operation::Product if f_min > limit || self.spans[g as usize].0 > limit => Some(EMPTY),
            Operation::Limit if f_max <= limit => Some(f),
            Operation::Limit if f_min > limit => Some(EMPTY),
            Operation::Product | Operation::Limit | Operation::Both | Operation::Either | Operation::But => None,
            Operation::Failing => match (f, g) {
                (EMPTY, _) | (_, ONE) => Some(EMPTY),
                // A monotone function that is not constant is false where nothing is true.
                (_, ZERO) | (BASE, _) => Some(f),
                _ => None,
            },
        }
    }

    fn open(
        &mut self,
        operation: Operation,
        f: Family,
        g: u32,
        limit: u32,
        bdd: Option<&Bdd>,
        meter: &mut Meter<'_>,
    ) -> Result<(), Halt> {
        let (mut operation, mut f, mut g, mut limit) = (operation, f, g, limit);
        if operation == Operation::Product {
            if f == g || g == BASE {
                (operation, g) = (Operation::Limit, 0);
            } else if f == BASE {
                (operation, f, g) = (Operation::Limit, g, 0);
            } else if self.spans[f as usize].1.saturating_add(self.spans[g as usize].1) <= limit {
                limit = UNLIMITED;
            }
        }
        if matches!(operation, Operation::Product | Operation::Union | Operation::Both | Operation::Either) && g < f {
            (f, g) = (g, f);
        }
        if let Some(value) = self.plain(operation, f, g, limit) {
            self.cut |= match operation {
                Operation::Product => f != EMPTY && g != EMPTY,
                Operation::Limit => value != f,
                _ => false,
            };
            self.values.push(value);
            return Ok(());
        }
        // Orders are far below 2^24; what is not limited has a code of its own.
        let key = [f, g, (operation as u32) << 24 | limit.min(0xFF_FFFF)];
        if let Some(value) = self.computed.get(key) {
            self.values.push(value);
            return Ok(());
        }
        meter.step(self.arena.len())?;
        let df = self.get(f);
        match operation {
            Operation::Limit => {
                let high = match self.below(df.var, limit) {
                    Some(rest) => High::Plain(Operation::Limit, df.hi, 0, rest),
                    None => self.too_heavy(),
                };
                self.two(df.var, key, (Operation::Limit, df.lo, 0, limit), high);
            }
            Operation::Failing => {
                // Only `minimal` asks for this, and brings the diagram.
                let Some(bdd) = bdd else { return Err(Halt::Budget) };
                let ((g1, g0), var) = (bdd.branches(g), bdd.var(g));
                if df.var > var {
                    self.pass(key, operation, f, g0);
                } else {
                    let (g1, g0) = if df.var == var { (g1, g0) } else { (g, g) };
                    let high = High::Plain(operation, df.hi, g1, limit);
                    self.two(df.var, key, (operation, df.lo, g0, limit), high);
                }
            }
            Operation::Without => {
                let dg = self.get(g);
                match df.var.cmp(&dg.var) {
                    Ordering::Greater => {
                        self.pass(key, operation, f, dg.lo);
                    }
                    Ordering::Less => {
                        let high = High::Plain(operation, df.hi, g, limit);
                        self.two(df.var, key, (operation, df.lo, g, limit), high);
                    }
                    Ordering::Equal => {
                        let high = High::Without { f1: df.hi, g1: dg.hi, g0: dg.lo };
                        self.two(df.var, key, (operation, df.lo, dg.lo, limit), high);
                    }
                }
            }
            Operation::Both | Operation::Either | Operation::But => self.open_plain(operation, f, g, key),
            Operation::Union => {
                let dg = self.get(g);
                if df.var == dg.var {
                    let high = High::Minimal(operation, df.hi, dg.hi, limit);
                    self.two(df.var, key, (operation, df.lo, dg.lo, limit), high);
                } else {
                    let (first, rest) = if df.var < dg.var { (df, g) } else { (dg, f) };
                    let high = High::Minimal(operation, first.hi, EMPTY, limit);
                    self.two(first.var, key, (operation, first.lo, rest, limit), high);
                }
            }
            Operation::Product => {
                let dg = self.get(g);
                let rest = self.below(df.var.min(dg.var), limit);
                let none = if rest.is_none() { self.too_heavy() } else { NOTHING };
                if df.var == dg.var {
                    let high = rest.map_or(none, |limit| High::Product { f, g, limit });
                    self.two(df.var, key, (operation, df.lo, dg.lo, limit), high);
                } else {
                    let (first, other) = if df.var < dg.var { (df, g) } else { (dg, f) };
                    let high = rest.map_or(none, |limit| High::Minimal(operation, first.hi, other, limit));
                    self.two(first.var, key, (operation, first.lo, other, limit), high);
                }
            }
        }
        Ok(())
    }

    /// Set algebra, in which sets that contain others stay.
    fn open_plain(&mut self, operation: Operation, f: Family, g: Family, key: [u32; 3]) {
        let (df, dg) = (self.get(f), self.get(g));
        let whole = |hi: Family| High::Plain(Operation::Limit, hi, 0, UNLIMITED);
        match (df.var.cmp(&dg.var), operation) {
            (Ordering::Equal, _) => {
                let high = High::Plain(operation, df.hi, dg.hi, UNLIMITED);
                self.two(df.var, key, (operation, df.lo, dg.lo, UNLIMITED), high);
            }
            (Ordering::Less, Operation::Both) => self.pass(key, operation, df.lo, g),
            (Ordering::Greater, Operation::Both | Operation::But) => self.pass(key, operation, f, dg.lo),
            (Ordering::Less, _) => self.two(df.var, key, (operation, df.lo, g, UNLIMITED), whole(df.hi)),
            (Ordering::Greater, _) => self.two(dg.var, key, (operation, f, dg.lo, UNLIMITED), whole(dg.hi)),
        }
    }

    /// The result is that of another operation.
    fn pass(&mut self, key: [u32; 3], operation: Operation, f: Family, g: u32) {
        self.tasks.push(Task::Remember { key });
        self.tasks.push(Task::Do(operation, f, g, UNLIMITED));
    }

    fn too_heavy(&mut self) -> High {
        self.cut = true;
        NOTHING
    }

    /// First the branch without the variable, then the other.
    fn two(&mut self, var: u32, key: [u32; 3], low: (Operation, Family, u32, u32), high: High) {
        self.tasks.push(Task::Split { var, key, high });
        self.tasks.push(Task::Do(low.0, low.1, low.2, low.3));
    }
}
