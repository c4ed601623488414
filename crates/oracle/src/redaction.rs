//! What a reader gets of an own object that it may not have whole (L-107, L-123 to L-127): a naive model with sets and loops, sharing no code with `label`.
use crate::decision::{Answer, Assigned, Chain, Label, Model, Reader, Says};
use std::collections::BTreeSet;

/// A property, or an item of a list.
#[derive(Debug, Clone)]
pub struct Part {
    /// The property.
    pub name: String,
    /// The value, for whoever compares.
    pub value: String,
    /// Markings of the selectors that cover it.
    pub markings: Vec<usize>,
    /// Identifiers in it.
    pub names: Vec<String>,
}

/// An object as redaction sees it.
#[derive(Debug, Clone)]
pub struct Whole {
    /// Its type.
    pub kind: String,
    /// Its parts but those that a copy always has, or gets anew.
    pub parts: Vec<Part>,
    /// Properties without which its type is none.
    pub required: Vec<String>,
    /// Markings on the object as a whole: carried, and assigned at the door.
    pub markings: Vec<usize>,
}

/// What a reader gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// Nothing is cut: no copy.
    Uncut,
    /// Nothing.
    Nothing,
    /// These parts, by index, under all of these markings.
    Copy {
        /// What is kept.
        kept: Vec<usize>,
        /// What marks it; a copy whose label cannot be one label may be held (L-093).
        markings: BTreeSet<usize>,
    },
}

/// What remains of an own object that came by `road`, for a reader whose agreement allows redaction. `knows` tells whom it may know of.
pub fn given(model: &Model, whole: &Whole, road: &Chain, reader: &Reader, knows: &dyn Fn(&str) -> bool) -> Given {
    if matches!(road.assigned, Assigned::Replaced(_)) || road.quarantined {
        return Given::Nothing;
    }
    let label = |m: usize| matches!(model.says(m, &road.origin), Some(Says::Label(_)));
    // What its label may not tell of is asked of the copy (L-107).
    let told_all = Reader { own_policies_alone: false, ..reader.clone() };
    let mut kept = Vec::new();
    let mut markings = BTreeSet::new();
    for (i, part) in whole.parts.iter().enumerate() {
        // A label on the part counts instead of the object's; everything else besides.
        let own_label = part.markings.iter().any(|m| label(*m));
        let of_object = whole.markings.iter().copied().filter(|m| !own_label || !label(*m));
        let all: BTreeSet<usize> = part.markings.iter().copied().chain(of_object).collect();
        let carried = all.iter().copied().collect();
        // Overrides are of the whole (L-157).
        let alone = Chain { carried, assigned: Assigned::Nothing, overrides: Vec::new(), ..road.clone() };
        let passes = matches!(model.decide(&[alone], &whole.kind, &told_all), Answer::Yes { .. });
        if passes && part.names.iter().all(|id| knows(id)) {
            kept.push(i);
            markings.extend(all);
        }
    }
    let mut all: Vec<usize> = road.carried.clone();
    all.extend(&whole.markings);
    let tells =
        |m: &usize| matches!(model.says(*m, &road.origin), Some(Says::Label(l)) if model.tells_of_others(l, reader));
    if kept.len() == whole.parts.len() && !all.iter().any(tells) {
        return Given::Uncut;
    }
    let has = |name: &String| kept.iter().any(|i| whole.parts[*i].name == *name);
    if kept.is_empty() || !whole.required.iter().all(has) {
        return Given::Nothing;
    }
    Given::Copy { kept, markings }
}

/// The labels of a copy under these markings (L-107, L-126); none if no model says which: of several labels one may be made, or a person decides (L-093).
pub fn borne(model: &Model, road: &Chain, markings: &BTreeSet<usize>, reader: &Reader) -> Option<Vec<Label>> {
    let mut own = Vec::new();
    let mut beside = Vec::new();
    for m in markings {
        if let Some(Says::Label(label)) = model.says(*m, &road.origin) {
            if label.originator { own.push(label.clone()) } else { beside.push(label.clone()) }
        }
    }
    if own.len() > 1 {
        return None;
    }
    let Some(mut label) = own.pop() else { return Some(beside) };
    let may = |l: &Label| !reader.own_policies_alone || model.cleared(l, reader);
    if may(&label) {
        label.alternatives.retain(may);
        return Some(vec![label]);
    }
    // In its place what says the same in the reader's own policies, one of each.
    let mut all = label.alternatives.clone();
    all.extend(beside);
    all.retain(may);
    let policies: BTreeSet<&str> = all.iter().map(|l| l.policy.as_str()).collect();
    (label.succession.is_none() && policies.len() == all.len()).then_some(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decision::{Clearance, Marking, Origin};
    use std::collections::BTreeMap;

    fn reader(clearances: Vec<Clearance>, alone: bool) -> Reader {
        Reader {
            account: "r".to_owned(),
            partner: Some("P".to_owned()),
            clearances,
            tlp: vec![],
            collections: BTreeMap::from([(1, None)]),
            dates: (None, None),
            organisations: vec![],
            client: false,
            communities: vec![],
            link: None,
            own_policies_alone: alone,
        }
    }

    /// The model itself, on a case written by hand: TLP:GREEN is addressed to the reader, TLP:AMBER is not.
    #[test]
    fn what_remains_is_what_passes_and_names_nobody_hidden() {
        let level = |n| Marking { says: Says::Tlp(n), by: vec![] };
        let model = Model {
            policies: vec![],
            markings: vec![level(1), level(2)],
            at: 0,
            mappers: vec![],
            home: vec![],
            officers: vec![],
        };
        let part = |name: &str, markings: &[usize], names: &[&str]| Part {
            name: name.to_owned(),
            value: String::new(),
            markings: markings.to_vec(),
            names: names.iter().map(|n| (*n).to_owned()).collect(),
        };
        let mut whole = Whole {
            kind: "report".to_owned(),
            parts: vec![part("name", &[], &[]), part("description", &[1], &[]), part("object_refs", &[], &["a"])],
            required: vec!["name".to_owned(), "object_refs".to_owned()],
            markings: vec![0],
        };
        let road = Chain::new(1, Origin::Own(None), vec![0, 1], Assigned::Nothing);
        let reader = Reader { tlp: vec![1], ..reader(vec![], false) };
        let copy = |kept: &[usize]| Given::Copy { kept: kept.to_vec(), markings: BTreeSet::from([0]) };
        assert_eq!(given(&model, &whole, &road, &reader, &|_| true), copy(&[0, 2]));
        assert_eq!(given(&model, &whole, &road, &reader, &|_| false), Given::Nothing, "a report refers to something");
        whole.parts[1].markings.clear();
        assert_eq!(given(&model, &whole, &road, &reader, &|_| true), Given::Uncut);
        whole.parts.push(part("object_refs", &[], &["b"]));
        assert_eq!(given(&model, &whole, &road, &reader, &|id| id == "a"), copy(&[0, 1, 2]));
    }

    /// The model itself, on a case written by hand: of a label in P with an alternative in Q, a reader cleared in one of them is told of that one alone.
    #[test]
    fn what_stands_for_a_label_is_what_the_reader_may_know_of() {
        let policy = |name: &str| crate::decision::Policy {
            name: name.to_owned(),
            oid: name.to_owned(),
            window: (None, None),
            levels: vec![],
            sets: vec![],
            public: false,
        };
        let of = |policy: &str, originator: bool, alternatives: Vec<Label>| Label {
            originator,
            policy: policy.to_owned(),
            oid: None,
            level: "L".to_owned(),
            categories: vec![],
            succession: None,
            extended: false,
            alternatives,
        };
        let says = |label: Label| Marking { says: Says::Label(label), by: vec![] };
        let model = Model {
            policies: vec![policy("P"), policy("Q")],
            markings: vec![says(of("P", true, vec![of("Q", false, vec![])])), says(of("P", true, vec![]))],
            at: 0,
            mappers: vec![],
            home: vec![],
            officers: vec![],
        };
        let clearance = |oid: &str| Clearance {
            oid: oid.to_owned(),
            levels: BTreeSet::from(["L".to_owned()]),
            values: BTreeMap::new(),
        };
        let reader = |oids: &[&str], alone: bool| reader(oids.iter().map(|o| clearance(o)).collect(), alone);
        let road = Chain::new(1, Origin::Own(None), vec![0], Assigned::Nothing);
        let told = |markings: &[usize], oids: &[&str], alone: bool| {
            let labels = borne(&model, &road, &markings.iter().copied().collect(), &reader(oids, alone));
            let name = |l: &Label| format!("{} {} {}", l.policy, l.originator, l.alternatives.len());
            labels.map(|all| all.iter().map(name).collect::<Vec<_>>())
        };
        let one = |name: &str| Some(vec![name.to_owned()]);
        assert_eq!(told(&[0], &["P"], false), one("P true 1"));
        assert_eq!(told(&[0], &["P", "Q"], true), one("P true 1"));
        assert_eq!(told(&[0], &["P"], true), one("P true 0"));
        assert_eq!(told(&[0], &["Q"], true), one("Q false 0"));
        assert_eq!(told(&[0, 1], &["P"], true), None);
        for (markings, oids, tells) in
            [(0, &["P"][..], true), (1, &["P"], false), (0, &["P", "Q"], false), (1, &["Q"], true)]
        {
            let told = |alone: bool| match model.says(markings, &road.origin) {
                Some(Says::Label(label)) => Some(model.tells_of_others(label, &reader(oids, alone))),
                _ => None,
            };
            assert_eq!((told(true), told(false)), (Some(tells), Some(false)));
        }
    }
}
