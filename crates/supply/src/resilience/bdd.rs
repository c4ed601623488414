//! Reduced ordered binary decision diagrams with complemented edges (Bryant 1986; Brace, Rudell and Bryant 1990).

use super::arena::{Arena, Computed, Decision};
use super::meter::{Halt, Meter};

/// A function: a node's number × 2, plus 1 if the function is the node's complement. The edge taken when a variable is true is never complemented.
pub(super) type Function = u32;

pub(super) const ONE: Function = 0;
pub(super) const ZERO: Function = 1;

pub(super) fn not(f: Function) -> Function {
    f ^ 1
}

#[derive(Debug, Clone)]
pub(super) struct Bdd {
    arena: Arena,
    computed: Computed,
    tasks: Vec<Task>,
    values: Vec<Function>,
}

/// What is left to do; there is no recursion, so the depth of a diagram is bounded by memory alone.
#[derive(Debug, Clone, Copy)]
enum Task {
    Choose(Function, Function, Function),
    Make { key: [u32; 3], var: u32, complement: bool },
}

impl Bdd {
    pub(super) fn new() -> Self {
        Self { arena: Arena::new(1), computed: Computed::new(), tasks: Vec::new(), values: Vec::new() }
    }

    /// Nodes, the terminal among them.
    pub(super) fn len(&self) -> usize {
        self.arena.len()
    }

    /// The variable a function depends on first; [`super::arena::NO_VAR`] for a constant.
    pub(super) fn var(&self, f: Function) -> u32 {
        self.arena.get(f >> 1).var
    }

    /// The function with its first variable true, and false.
    pub(super) fn branches(&self, f: Function) -> (Function, Function) {
        let Decision { hi, lo, .. } = self.arena.get(f >> 1);
        (hi ^ (f & 1), lo ^ (f & 1))
    }

    pub(super) fn variable(&mut self, var: u32) -> Function {
        self.make(var, ONE, ZERO)
    }

    fn make(&mut self, var: u32, hi: Function, lo: Function) -> Function {
        if hi == lo {
            return hi;
        }
        let complement = hi & 1;
        self.arena.add(Decision { var, hi: hi ^ complement, lo: lo ^ complement }) << 1 | complement
    }

    /// `if f then g else h`.
    pub(super) fn choose(
        &mut self,
        f: Function,
        g: Function,
        h: Function,
        meter: &mut Meter<'_>,
    ) -> Result<Function, Halt> {
        self.tasks.clear();
        self.values.clear();
        self.tasks.push(Task::Choose(f, g, h));
        while let Some(task) = self.tasks.pop() {
            match task {
                Task::Choose(f, g, h) => self.open(f, g, h, meter)?,
                Task::Make { key, var, complement } => {
                    // Each `Choose` leaves one value; the first of the two below was the true branch.
                    let (Some(lo), Some(hi)) = (self.values.pop(), self.values.pop()) else { return Err(Halt::Budget) };
                    let made = self.make(var, hi, lo);
                    self.computed.set(key, made);
                    self.values.push(made ^ u32::from(complement));
                }
            }
        }
        self.values.pop().ok_or(Halt::Budget)
    }

    fn open(&mut self, f: Function, g: Function, h: Function, meter: &mut Meter<'_>) -> Result<(), Halt> {
        let (mut f, mut g, mut h) = (f, g, h);
        if g == f {
            g = ONE;
        } else if g == not(f) {
            g = ZERO;
        }
        if h == f {
            h = ZERO;
        } else if h == not(f) {
            h = ONE;
        }
        let simple = match (f, g, h) {
            (ONE, ..) => Some(g),
            (ZERO, ..) => Some(h),
            _ if g == h => Some(g),
            (_, ONE, ZERO) => Some(f),
            (_, ZERO, ONE) => Some(not(f)),
            _ => None,
        };
        if let Some(value) = simple {
            self.values.push(value);
            return Ok(());
        }
        // Equal operations are written in one way only, so that they are remembered together.
        match (g, h) {
            (ONE, _) if h < f => (f, h) = (h, f),
            (_, ZERO) if g < f => (f, g) = (g, f),
            (ZERO, _) => (f, g, h) = (not(f), h, ZERO),
            (_, ONE) => (f, g, h) = (not(f), ONE, g),
            _ => {}
        }
        match (g, h) {
            (ONE, _) if h < f => (f, h) = (h, f),
            (_, ZERO) if g < f => (f, g) = (g, f),
            _ => {}
        }
        if f & 1 == 1 {
            (f, g, h) = (not(f), h, g);
        }
        let complement = g & 1 == 1;
        if complement {
            (g, h) = (not(g), not(h));
        }
        let key = [f, g, h];
        if let Some(value) = self.computed.get(key) {
            self.values.push(value ^ u32::from(complement));
            return Ok(());
        }
        meter.step(self.arena.len())?;
        let var = self.var(f).min(self.var(g)).min(self.var(h));
        let at = |x: Function| if self.var(x) == var { self.branches(x) } else { (x, x) };
        let ((f1, f0), (g1, g0), (h1, h0)) = (at(f), at(g), at(h));
        self.tasks.push(Task::Make { key, var, complement });
        self.tasks.push(Task::Choose(f0, g0, h0));
        self.tasks.push(Task::Choose(f1, g1, h1));
        Ok(())
    }

    pub(super) fn and(&mut self, f: Function, g: Function, meter: &mut Meter<'_>) -> Result<Function, Halt> {
        self.choose(f, g, ZERO, meter)
    }

    pub(super) fn or(&mut self, f: Function, g: Function, meter: &mut Meter<'_>) -> Result<Function, Halt> {
        self.choose(f, ONE, g, meter)
    }

    /// At least `k` of `functions`, by one row of partial results.
    pub(super) fn at_least(
        &mut self,
        k: usize,
        functions: &[Function],
        meter: &mut Meter<'_>,
    ) -> Result<Function, Halt> {
        // `row[j]`: at least j of those that were taken so far.
        let mut row = vec![ZERO; k + 1];
        row[0] = ONE;
        for (taken, f) in functions.iter().enumerate() {
            let left = functions.len() - taken - 1;
            // Fewer than k − left can no longer reach k.
            for j in (k.saturating_sub(left).max(1)..=k.min(taken + 1)).rev() {
                row[j] = self.choose(*f, row[j - 1], row[j], meter)?;
            }
        }
        Ok(row[k])
    }

    /// Drops what `roots` do not need and renumbers them.
    pub(super) fn keep(&mut self, roots: &mut [Function]) {
        let map = self.arena.keep(roots.iter().map(|f| f >> 1), 1);
        for f in roots {
            *f = map[(*f >> 1) as usize] << 1 | (*f & 1);
        }
        self.computed.clear();
    }
}
