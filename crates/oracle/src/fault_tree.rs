//! A fault tree over at most sixteen events, answered by its truth table: one row for each assignment, no diagram anywhere.

use std::collections::BTreeMap;

/// Events of a tree, at most.
pub const EVENTS_MAX: usize = 16;

/// What a gate says of its inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Says {
    /// All are true.
    And,
    /// Some is true.
    Or,
    /// So many at least are true.
    AtLeast(usize),
    /// From so many to so many are true.
    Between(usize, usize),
    /// Not the first.
    Not,
    /// Not all.
    NotAll,
    /// None.
    None,
    /// The two differ.
    Differ,
    /// The two are equal.
    Equal,
    /// The first implies the second.
    Implies,
    /// True, whatever the inputs.
    Always,
    /// False, whatever the inputs.
    Never,
}

/// A tree (with shared parts): nodes `0..events` are the events, the rest gates over nodes before them. The last node is the top.
#[derive(Debug, Clone)]
pub struct Tree {
    /// The probability of each event.
    pub probabilities: Vec<f64>,
    /// The gates.
    pub gates: Vec<(Says, Vec<usize>)>,
}

/// A set of events, one bit each.
pub type Set = u32;

/// The measures of one event.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measures {
    /// P(top | event).
    pub with: f64,
    /// P(top | not event).
    pub without: f64,
}

impl Tree {
    fn events(&self) -> usize {
        self.probabilities.len()
    }

    /// By assignment: whether the top is true. An assignment is the set of true events.
    pub fn table(&self) -> Vec<bool> {
        let rows = 1_usize << self.events();
        let mut columns: Vec<Vec<bool>> =
            (0..self.events()).map(|e| (0..rows).map(|row| row >> e & 1 == 1).collect()).collect();
        for (says, inputs) in &self.gates {
            let column = (0..rows)
                .map(|row| {
                    let truths: Vec<bool> = inputs.iter().map(|i| columns[*i][row]).collect();
                    let count = truths.iter().filter(|t| **t).count();
                    match says {
                        Says::And => count == truths.len(),
                        Says::Or => count > 0,
                        Says::AtLeast(k) => count >= *k,
                        Says::Between(low, high) => count >= *low && count <= *high,
                        Says::Not => !truths[0],
                        Says::NotAll => count < truths.len(),
                        Says::None => count == 0,
                        Says::Differ => truths[0] != truths[1],
                        Says::Equal => truths[0] == truths[1],
                        Says::Implies => !truths[0] || truths[1],
                        Says::Always => true,
                        Says::Never => false,
                    }
                })
                .collect();
            columns.push(column);
        }
        columns.pop().unwrap_or_default()
    }

    /// The true assignments of which no proper subset is true, by size and then by number.
    pub fn minimal(&self, table: &[bool]) -> Vec<Set> {
        // By set: whether a proper subset is true. A set's number is greater than those of its subsets.
        let mut above = vec![false; table.len()];
        let mut minimal = Vec::new();
        for set in 0..table.len() {
            above[set] = (0..self.events()).any(|e| {
                let smaller = set & !(1 << e);
                smaller != set && (table[smaller] || above[smaller])
            });
            if table[set] && !above[set] {
                minimal.push(Set::try_from(set).unwrap_or(Set::MAX));
            }
        }
        minimal.sort_by_key(|set| (set.count_ones(), *set));
        minimal
    }

    /// Whether no event, by happening, ever makes the top false.
    pub fn is_monotone(&self, table: &[bool]) -> bool {
        (0..table.len()).all(|set| (0..self.events()).all(|e| !table[set] || table[set | 1 << e]))
    }

    /// The probability of the top, with some events held at a probability of their own.
    pub fn probability(&self, table: &[bool], held: &BTreeMap<usize, f64>) -> f64 {
        let p = |e: usize| held.get(&e).copied().unwrap_or(self.probabilities[e]);
        let row = |set: usize| -> f64 {
            (0..self.events()).map(|e| if set >> e & 1 == 1 { p(e) } else { 1.0 - p(e) }).product()
        };
        (0..table.len()).filter(|set| table[*set]).map(row).sum::<f64>()
    }

    /// The conditional probabilities from which all measures of an event follow.
    pub fn measures(&self, table: &[bool], event: usize) -> Measures {
        Measures {
            with: self.probability(table, &BTreeMap::from([(event, 1.0)])),
            without: self.probability(table, &BTreeMap::from([(event, 0.0)])),
        }
    }

    /// How few events hit every one of `sets`; `None` if one of them is empty.
    pub fn smallest_hitting(&self, sets: &[Set]) -> Option<usize> {
        let hits = |choice: Set| sets.iter().all(|set| set & choice != 0);
        (0..1 << self.events()).filter(|choice| hits(*choice)).map(|choice: Set| choice.count_ones() as usize).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_of_three_by_hand() {
        let tree = Tree { probabilities: vec![0.1, 0.2, 0.3], gates: vec![(Says::AtLeast(2), vec![0, 1, 2])] };
        let table = tree.table();
        assert_eq!(tree.minimal(&table), [0b011, 0b101, 0b110]);
        assert!(tree.is_monotone(&table));
        assert!((tree.probability(&table, &BTreeMap::new()) - 0.098).abs() < 1e-15);
        assert_eq!(tree.smallest_hitting(&[0b011, 0b101, 0b110]), Some(2));
        let with = tree.measures(&table, 0).with;
        assert!((with - 0.44).abs() < 1e-15, "{with}");
        let xor = Tree { probabilities: vec![0.5; 2], gates: vec![(Says::Differ, vec![0, 1])] };
        assert!(!xor.is_monotone(&xor.table()));
        assert_eq!(xor.minimal(&xor.table()), [0b01, 0b10]);
    }
}
