//! The general case: depth-first over slots, from left to right, with the choices still open kept on a stack of our own.

use super::{BINDING_STEPS_MAX, Bound, Candidate, Nanos, Node, Plan, TooMuch};
use std::rc::Rc;

/// What is still to be bound; a list, so that branches share what follows.
struct Task<'n> {
    work: Work<'n>,
    place: Place,
    next: List<'n>,
}

type List<'n> = Option<Rc<Task<'n>>>;
/// The frame and the part of it in which something is bound.
type Place = Option<(usize, usize)>;

#[derive(Clone, Copy)]
enum Work<'n> {
    Node(&'n Node),
    /// The slot so many times, from this position of its list on: repetitions are alike, so that one order is enough.
    Repeat {
        slot: u32,
        times: u64,
        from: usize,
    },
    /// The part so many times.
    Times {
        node: &'n Node,
        times: u64,
    },
    /// The part so that the observation that must be bound is bound in it.
    Must(&'n Node),
}

/// A WITHIN or FOLLOWEDBY that is being bound.
struct Frame {
    outer: Place,
    within: Option<Nanos>,
    /// For each part the latest `first` and the earliest `last` that is bound.
    parts: Vec<(Nanos, Nanos)>,
}

const NOTHING: (Nanos, Nanos) = (Nanos::MIN, Nanos::MAX);

/// A choice with alternatives left.
struct Choice<'n> {
    kind: Alternatives<'n>,
    place: Place,
    rest: List<'n>,
    bound: usize,
    frames: usize,
    undo: usize,
}

enum Alternatives<'n> {
    /// Positions in the list of the slot; `times` counts the one to bind now.
    Slot {
        slot: u32,
        at: usize,
        times: u64,
        limits: (Nanos, Nanos),
    },
    Branches {
        parts: &'n [Node],
        at: usize,
        must: bool,
    },
    /// Which part binds what must be bound.
    Carrier {
        parts: &'n [Node],
        at: usize,
        is_sequence: bool,
    },
}

struct Search<'p, 'n> {
    candidates: &'p [Candidate],
    /// For each slot its candidates, sorted by `last`.
    by_slot: Vec<Vec<u32>>,
    /// No candidate lasts: `first` is `last`.
    are_points: bool,
    /// How often each candidate can still be bound.
    left: Vec<u64>,
    frames: Vec<Frame>,
    bound: Bound,
    /// Frame, part and what it held before.
    undo: Vec<(usize, usize, (Nanos, Nanos))>,
    choices: Vec<Choice<'n>>,
    must: Option<u32>,
    steps: u64,
}

/// A binding of the plan; with `must`, one that binds that candidate.
pub(super) fn find(plan: &Plan, candidates: &[Candidate], must: Option<u32>) -> Result<Option<Bound>, TooMuch> {
    let mut by_slot = vec![Vec::new(); plan.slots as usize];
    for (i, candidate) in (0_u32..).zip(candidates) {
        for (slot, _) in &candidate.fits {
            by_slot[*slot as usize].push(i);
        }
    }
    for list in &mut by_slot {
        list.sort_by_key(|i| candidates[*i as usize].last);
    }
    let search = Search {
        candidates,
        by_slot,
        are_points: candidates.iter().all(|c| c.first == c.last),
        left: candidates.iter().map(|c| c.number).collect(),
        frames: Vec::new(),
        bound: Vec::new(),
        undo: Vec::new(),
        choices: Vec::new(),
        must,
        steps: 0,
    };
    let work = if must.is_some() { Work::Must(&plan.root) } else { Work::Node(&plan.root) };
    search.run(Some(Rc::new(Task { work, place: None, next: None })))
}

impl<'n> Search<'_, 'n> {
    fn run(mut self, mut tasks: List<'n>) -> Result<Option<Bound>, TooMuch> {
        loop {
            let Some(task) = tasks else { return Ok(Some(self.bound)) };
            let (place, rest) = (task.place, task.next.clone());
            let next = match task.work {
                Work::Node(node) => self.expand(node, place, rest),
                Work::Times { node, times } => {
                    let again = times > 1;
                    let rest = if again { push(Work::Times { node, times: times - 1 }, place, rest) } else { rest };
                    Some(push(Work::Node(node), place, rest))
                }
                Work::Repeat { slot, times, from } => self.choose_slot(slot, times, from, place, rest),
                Work::Must(node) => self.expand_must(node, place, rest),
            };
            tasks = match next {
                Some(tasks) => tasks,
                None => match self.retry()? {
                    Some(tasks) => tasks,
                    None => return Ok(None),
                },
            };
            if self.steps > BINDING_STEPS_MAX {
                return Err(TooMuch);
            }
        }
    }

    /// What `node` asks for, before `rest`. `None`: it cannot be.
    fn expand(&mut self, node: &'n Node, place: Place, rest: List<'n>) -> Option<List<'n>> {
        match node {
            Node::Slot(slot) => self.choose_slot(*slot, 1, 0, place, rest),
            Node::Times(times, inner) => match **inner {
                Node::Slot(slot) => self.choose_slot(slot, *times, 0, place, rest),
                ref node => {
                    // Each repetition binds one at least.
                    (usize::try_from(*times).is_ok_and(|n| n as u64 <= self.supply()))
                        .then(|| push(Work::Times { node, times: *times }, place, rest))
                }
            },
            Node::All(parts) => Some(parts.iter().rev().fold(rest, |rest, part| push(Work::Node(part), place, rest))),
            Node::Seq(parts) => {
                let frame = self.frame(place, None, parts.len());
                let with_part = |rest, (i, part)| push(Work::Node(part), Some((frame, i)), rest);
                Some(parts.iter().enumerate().rev().fold(rest, with_part))
            }
            Node::Within(x, inner) => {
                let frame = self.frame(place, Some(*x), 1);
                Some(push(Work::Node(inner), Some((frame, 0)), rest))
            }
            Node::Any(parts) => self.choose(Alternatives::Branches { parts, at: 0, must: false }, place, rest),
        }
    }

    /// As [`Self::expand`], where what must be bound is bound in `node`, first of all: its time narrows everything else.
    fn expand_must(&mut self, node: &'n Node, place: Place, rest: List<'n>) -> Option<List<'n>> {
        let must = self.must?;
        match node {
            Node::Slot(slot) => {
                let (first_max, last_min) = self.limits(place);
                let candidate = &self.candidates[must as usize];
                let term = candidate.term(*slot)?;
                let fits = candidate.first <= first_max && candidate.last >= last_min && self.left[must as usize] > 0;
                if !fits {
                    return None;
                }
                self.bind(must, term, place);
                self.is_open(&rest).then_some(rest)
            }
            Node::Times(times, inner) => {
                let others = match **inner {
                    Node::Slot(slot) => Work::Repeat { slot, times: times - 1, from: 0 },
                    ref node => Work::Times { node, times: times - 1 },
                };
                let rest = if *times > 1 { push(others, place, rest) } else { rest };
                Some(push(Work::Must(inner), place, rest))
            }
            Node::Within(x, inner) => {
                let frame = self.frame(place, Some(*x), 1);
                Some(push(Work::Must(inner), Some((frame, 0)), rest))
            }
            Node::Any(parts) => self.choose(Alternatives::Branches { parts, at: 0, must: true }, place, rest),
            Node::All(parts) => self.choose(Alternatives::Carrier { parts, at: 0, is_sequence: false }, place, rest),
            Node::Seq(parts) => self.choose(Alternatives::Carrier { parts, at: 0, is_sequence: true }, place, rest),
        }
    }

    /// How many observations there are in all.
    fn supply(&self) -> u64 {
        self.candidates.iter().fold(0, |n, c| n.saturating_add(c.number))
    }

    fn frame(&mut self, outer: Place, within: Option<Nanos>, parts: usize) -> usize {
        self.frames.push(Frame { outer, within, parts: vec![NOTHING; parts] });
        self.frames.len() - 1
    }

    /// The latest `first` and the earliest `last` that may be bound at `place`.
    fn limits(&self, mut place: Place) -> (Nanos, Nanos) {
        let (mut first_max, mut last_min) = (Nanos::MAX, Nanos::MIN);
        while let Some((frame, part)) = place {
            let frame = &self.frames[frame];
            if let Some(x) = frame.within {
                let (first, last) = frame.parts[0];
                first_max = first_max.min(last.saturating_add(x - 1));
                last_min = last_min.max(first.saturating_sub(x - 1));
            } else {
                for (i, (first, last)) in frame.parts.iter().enumerate() {
                    if i < part {
                        last_min = last_min.max(*first);
                    } else if i > part {
                        first_max = first_max.min(*last);
                    }
                }
            }
            place = frame.outer;
        }
        (first_max, last_min)
    }

    fn bind(&mut self, candidate: u32, term: u32, mut place: Place) {
        let Candidate { first, last, .. } = self.candidates[candidate as usize];
        self.left[candidate as usize] -= 1;
        self.bound.push((term, candidate));
        while let Some((frame, part)) = place {
            let held = &mut self.frames[frame].parts[part];
            self.undo.push((frame, part, *held));
            *held = (held.0.max(first), held.1.min(last));
            place = self.frames[frame].outer;
        }
    }

    fn choose(&mut self, kind: Alternatives<'n>, place: Place, rest: List<'n>) -> Option<List<'n>> {
        let (bound, frames, undo) = (self.bound.len(), self.frames.len(), self.undo.len());
        self.choices.push(Choice { kind, place, rest, bound, frames, undo });
        None
    }

    /// Binds the slot `times` times: opens a choice if there are observations enough in time.
    fn choose_slot(&mut self, slot: u32, times: u64, from: usize, place: Place, rest: List<'n>) -> Option<List<'n>> {
        let limits = self.limits(place);
        let list = self.by_slot.get(slot as usize)?;
        let begin = list.partition_point(|i| self.candidates[*i as usize].last < limits.1).max(from);
        let mut enough = 0_u64;
        for i in list.get(begin..).unwrap_or_default() {
            self.steps += 1;
            if self.candidates[*i as usize].first <= limits.0 {
                enough = enough.saturating_add(self.left[*i as usize]);
                if enough >= times {
                    return self.choose(Alternatives::Slot { slot, at: begin, times, limits }, place, rest);
                }
            } else if self.are_points {
                break;
            }
        }
        None
    }

    /// Whether every slot that is next to be bound has an observation in time: only a look ahead.
    fn is_open(&mut self, tasks: &List<'n>) -> bool {
        /// How far is looked.
        const TASKS_MAX: usize = 8;
        let mut next = tasks.as_ref();
        for _ in 0..TASKS_MAX {
            let Some(task) = next else { return true };
            let (slot, from) = match task.work {
                Work::Node(Node::Slot(slot)) => (*slot, 0),
                Work::Repeat { slot, from, .. } => (slot, from),
                _ => {
                    next = task.next.as_ref();
                    continue;
                }
            };
            let (first_max, last_min) = self.limits(task.place);
            let list = &self.by_slot[slot as usize];
            let begin = list.partition_point(|i| self.candidates[*i as usize].last < last_min).max(from);
            let mut open = false;
            for i in list.get(begin..).unwrap_or_default() {
                self.steps += 1;
                let in_time = self.candidates[*i as usize].first <= first_max;
                if in_time && self.left[*i as usize] > 0 {
                    open = true;
                    break;
                }
                if !in_time && self.are_points {
                    break;
                }
            }
            if !open {
                return false;
            }
            next = task.next.as_ref();
        }
        true
    }

    /// Takes the next alternative of the last choice that has one. `None`: there is no binding.
    fn retry(&mut self) -> Result<Option<List<'n>>, TooMuch> {
        loop {
            self.steps += 1;
            if self.steps > BINDING_STEPS_MAX {
                return Err(TooMuch);
            }
            let Some(mut choice) = self.choices.pop() else { return Ok(None) };
            self.take_back(&choice);
            let (place, rest) = (choice.place, choice.rest.clone());
            let taken = match &mut choice.kind {
                Alternatives::Slot { slot, at, times, limits } => {
                    let (slot, times, limits) = (*slot, *times, *limits);
                    let Some(found) = self.next_fit(slot, *at, limits) else { continue };
                    *at = found + 1;
                    self.choices.push(choice);
                    self.bind_at(slot, found, place);
                    let again = Work::Repeat { slot, times: times - 1, from: found };
                    let rest = if times > 1 { push(again, place, rest) } else { rest };
                    if !self.is_open(&rest) {
                        continue;
                    }
                    rest
                }
                Alternatives::Branches { parts, at, must } => {
                    let Some(part) = parts.get(*at) else { continue };
                    *at += 1;
                    let work = if *must { Work::Must(part) } else { Work::Node(part) };
                    self.choices.push(choice);
                    push(work, place, rest)
                }
                Alternatives::Carrier { parts, at, is_sequence } => {
                    let (parts, carrier, is_sequence): (&'n [Node], _, _) = (parts, *at, *is_sequence);
                    let Some(part) = parts.get(carrier) else { continue };
                    *at += 1;
                    self.choices.push(choice);
                    let frame = is_sequence.then(|| self.frame(place, None, parts.len()));
                    let place_of = |i| frame.map_or(place, |frame| Some((frame, i)));
                    let others = parts.iter().enumerate().rev().filter(|(i, _)| *i != carrier);
                    let rest = others.fold(rest, |rest, (i, part)| push(Work::Node(part), place_of(i), rest));
                    push(Work::Must(part), place_of(carrier), rest)
                }
            };
            return Ok(Some(taken));
        }
    }

    /// The next position in the slot's list that is in time and not used up.
    fn next_fit(&mut self, slot: u32, from: usize, (first_max, _): (Nanos, Nanos)) -> Option<usize> {
        let list = &self.by_slot[slot as usize];
        for (at, i) in list.iter().enumerate().skip(from) {
            self.steps += 1;
            let in_time = self.candidates[*i as usize].first <= first_max;
            if in_time && self.left[*i as usize] > 0 {
                return Some(at);
            }
            if !in_time && self.are_points {
                return None;
            }
        }
        None
    }

    fn bind_at(&mut self, slot: u32, at: usize, place: Place) {
        let i = self.by_slot[slot as usize][at];
        if let Some(term) = self.candidates[i as usize].term(slot) {
            self.bind(i, term, place);
        }
    }

    /// Undoes what was bound since the choice was opened.
    fn take_back(&mut self, choice: &Choice<'n>) {
        for (_, candidate) in self.bound.drain(choice.bound..) {
            self.left[candidate as usize] += 1;
        }
        for (frame, part, held) in self.undo.drain(choice.undo..).rev() {
            self.frames[frame].parts[part] = held;
        }
        self.frames.truncate(choice.frames);
    }
}

#[allow(clippy::unnecessary_wraps)]
fn push<'n>(work: Work<'n>, place: Place, next: List<'n>) -> List<'n> {
    Some(Rc::new(Task { work, place, next }))
}

impl Drop for Task<'_> {
    /// Long lists are taken apart one by one: dropping a list by recursion would take a stack frame for each task.
    fn drop(&mut self) {
        let mut next = self.next.take();
        while let Some(task) = next {
            match Rc::try_unwrap(task) {
                Ok(mut task) => next = task.next.take(),
                Err(_) => break,
            }
        }
    }
}
