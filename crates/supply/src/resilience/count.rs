//! Sums over all sets of a family without listing them: how many there are of each order, in how many each event is, and how likely they are.

use super::analysis::Events;
use super::model::NodeId;
use super::solver::{Solver, Variable};
use super::zbdd::{BASE, EMPTY, Family};
use num_bigint::BigUint;
use std::collections::HashMap;

/// What is summed. A sum by order is a polynomial: the coefficient of xⁿ belongs to sets of order n.
pub(super) trait Number: Clone + PartialEq {
    fn zero() -> Self;
    fn one() -> Self;
    /// `None` if the result does not fit.
    fn plus(&self, other: &Self) -> Option<Self>;
    fn times(&self, other: &Self) -> Option<Self>;
}

impl Number for u128 {
    fn zero() -> Self {
        0
    }
    fn one() -> Self {
        1
    }
    fn plus(&self, other: &Self) -> Option<Self> {
        self.checked_add(*other)
    }
    fn times(&self, other: &Self) -> Option<Self> {
        self.checked_mul(*other)
    }
}

impl Number for BigUint {
    fn zero() -> Self {
        Self::ZERO
    }
    fn one() -> Self {
        Self::from(1_u8)
    }
    fn plus(&self, other: &Self) -> Option<Self> {
        Some(self + other)
    }
    fn times(&self, other: &Self) -> Option<Self> {
        Some(self * other)
    }
}

impl Number for f64 {
    fn zero() -> Self {
        0.0
    }
    fn one() -> Self {
        1.0
    }
    fn plus(&self, other: &Self) -> Option<Self> {
        Some(self + other)
    }
    fn times(&self, other: &Self) -> Option<Self> {
        Some(self * other)
    }
}

/// Coefficients by order, without zeros at the end.
type Polynomial<N> = Vec<N>;

/// How sums are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Orders {
    /// By order, up to this one.
    UpTo(u32),
    /// All orders together, as the coefficient of x⁰.
    Together,
}

/// Sums over the families of a solver.
pub(super) struct Sums<'s, N> {
    solver: &'s Solver,
    orders: Orders,
    /// By event: what a set with it is multiplied by.
    factor: &'s dyn Fn(NodeId) -> N,
    /// By family: the sum over it.
    families: HashMap<Family, Polynomial<N>>,
    /// By part.
    parts: Vec<Polynomial<N>>,
}

impl<'s, N: Number> Sums<'s, N> {
    /// `None` if a number does not fit.
    pub(super) fn new(solver: &'s Solver, orders: Orders, factor: &'s dyn Fn(NodeId) -> N) -> Option<Self> {
        let mut sums = Self { solver, orders, factor, families: HashMap::new(), parts: Vec::new() };
        sums.families.insert(EMPTY, Vec::new());
        sums.families.insert(BASE, vec![N::one()]);
        for part in 0..solver.parts.len() {
            let root = solver.solutions[part].family;
            for family in below(solver, root) {
                let d = solver.zbdd.get(family);
                let with = sums.with(solver.variables[d.var as usize], &sums.families[&d.hi])?;
                let sum = add(&with, &sums.families[&d.lo])?;
                sums.families.insert(family, sum);
            }
            sums.parts.push(sums.families[&root].clone());
        }
        Some(sums)
    }

    /// The sum over the top's sets.
    pub(super) fn top(&self) -> &[N] {
        self.parts.last().map_or(&[], Vec::as_slice)
    }

    /// For each event, the sum over the sets that it is in, all orders together, each without the event's own factor.
    pub(super) fn by_event(&self) -> Option<Events<N>> {
        let mut by_event = Events::new();
        // By part: the sum of what the part's sets are multiplied with in the top's sets.
        let mut outer: Vec<Polynomial<N>> = vec![Vec::new(); self.parts.len()];
        if let Some(top) = outer.last_mut() {
            *top = vec![N::one()];
        }
        for part in (0..self.parts.len()).rev() {
            let root = self.solver.solutions[part].family;
            let mut above: HashMap<Family, Polynomial<N>> = HashMap::from([(root, outer[part].clone())]);
            for family in below(self.solver, root).into_iter().rev() {
                let Some(here) = above.remove(&family) else { continue };
                let d = self.solver.zbdd.get(family);
                let variable = self.solver.variables[d.var as usize];
                let others = self.multiply(&here, &self.families[&d.hi])?;
                match variable {
                    Variable::Event(event) => {
                        let others = self.shifted(&others);
                        let sum = others.iter().try_fold(N::zero(), |sum, n| sum.plus(n))?;
                        let entry = by_event.entry(event).or_insert_with(N::zero);
                        *entry = entry.plus(&sum)?;
                    }
                    Variable::Part(p) => outer[p] = add(&outer[p], &others)?,
                }
                let with = self.with(variable, &here)?;
                for (to, what) in [(d.hi, with), (d.lo, here)] {
                    if to > BASE {
                        let sum = above.get(&to).map_or(Some(what.clone()), |old| add(old, &what))?;
                        above.insert(to, sum);
                    }
                }
            }
        }
        Some(by_event)
    }

    /// A polynomial times what the variable stands for.
    fn with(&self, variable: Variable, polynomial: &[N]) -> Option<Polynomial<N>> {
        match variable {
            Variable::Event(event) => {
                let factor = (self.factor)(event);
                let scaled: Polynomial<N> = polynomial
                    .iter()
                    .map(|n| if factor == N::one() { Some(n.clone()) } else { n.times(&factor) })
                    .collect::<Option<_>>()?;
                Some(self.shifted(&scaled))
            }
            Variable::Part(part) => self.multiply(polynomial, &self.parts[part]),
        }
    }

    fn limit(&self) -> usize {
        match self.orders {
            Orders::UpTo(order) => order as usize + 1,
            Orders::Together => 1,
        }
    }

    fn shifted(&self, polynomial: &[N]) -> Polynomial<N> {
        if self.orders == Orders::Together || polynomial.is_empty() {
            return polynomial.to_vec();
        }
        std::iter::once(N::zero()).chain(polynomial.iter().cloned()).take(self.limit()).collect()
    }

    fn multiply(&self, a: &[N], b: &[N]) -> Option<Polynomial<N>> {
        if a.is_empty() || b.is_empty() {
            return Some(Vec::new());
        }
        let mut product = vec![N::zero(); (a.len() + b.len() - 1).min(self.limit())];
        for (i, x) in a.iter().enumerate().filter(|(_, x)| **x != N::zero()) {
            for (y, to) in b.iter().zip(product.iter_mut().skip(i)) {
                *to = to.plus(&x.times(y)?)?;
            }
        }
        Some(product)
    }
}

fn add<N: Number>(a: &[N], b: &[N]) -> Option<Polynomial<N>> {
    let (long, short) = if a.len() < b.len() { (b, a) } else { (a, b) };
    let mut sum = long.to_vec();
    for (to, n) in sum.iter_mut().zip(short) {
        *to = to.plus(n)?;
    }
    Some(sum)
}

/// The nodes below a family that are not terminals, it among them; children first.
pub(super) fn below(solver: &Solver, root: Family) -> Vec<Family> {
    let mut seen = std::collections::HashSet::new();
    let mut open = vec![root];
    while let Some(family) = open.pop() {
        if family > BASE && seen.insert(family) {
            let d = solver.zbdd.get(family);
            open.extend([d.hi, d.lo]);
        }
    }
    let mut nodes: Vec<Family> = seen.into_iter().collect();
    // A node has a larger number than those it leads to.
    nodes.sort_unstable();
    nodes
}

/// How many of the known sets there are of each order, up to `orders`.
pub(super) fn by_order(solver: &Solver, order: u32) -> Vec<BigUint> {
    let orders = Orders::UpTo(order);
    if let Some(sums) = Sums::<u128>::new(solver, orders, &|_| 1) {
        return sums.top().iter().map(|n| BigUint::from(*n)).collect();
    }
    Sums::<BigUint>::new(solver, orders, &|_| BigUint::one()).map(|s| s.top().to_vec()).unwrap_or_default()
}

/// In how many of the known sets of these orders each event is.
pub(super) fn occurrences(solver: &Solver, orders: Orders) -> Events<BigUint> {
    if let Some(counts) = Sums::<u128>::new(solver, orders, &|_| 1).and_then(|s| s.by_event()) {
        return counts.into_iter().map(|(e, n)| (e, BigUint::from(n))).collect();
    }
    Sums::<BigUint>::new(solver, orders, &|_| BigUint::one()).and_then(|s| s.by_event()).unwrap_or_default()
}

/// The order of the largest known set; 0 if there is none.
pub(super) fn greatest_order(solver: &Solver) -> u32 {
    let mut greatest: HashMap<Family, Option<u32>> = HashMap::from([(EMPTY, None), (BASE, Some(0))]);
    for solution in &solver.solutions {
        for family in below(solver, solution.family) {
            let d = solver.zbdd.get(family);
            let own = match solver.variables[d.var as usize] {
                Variable::Event(_) => Some(1),
                Variable::Part(part) => greatest[&solver.solutions[part].family],
            };
            let with = own.zip(greatest[&d.hi]).map(|(a, b): (u32, u32)| a.saturating_add(b));
            greatest.insert(family, with.max(greatest[&d.lo]));
        }
    }
    solver.solutions.last().and_then(|s| greatest[&s.family]).unwrap_or(0)
}
