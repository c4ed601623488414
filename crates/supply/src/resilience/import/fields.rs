//! The words in which an edge list and the STIX extension describe a node: one table for CSV, JSON and STIX.

use super::{Import, ImportError, ImportFault};
use crate::resilience::model::{Connective, Disclosure, Facts, Position};
use crate::resilience::{Failure, Formula, Input, ModelBuilder, ModelFault};
use std::collections::HashMap;
use stix::{Id, id::MarkingDefinition};

/// What can be said of a node, besides its name and what it needs. Columns of CSV, members in JSON and STIX.
pub(in super::super) const NODE_FIELDS: [&str; 22] = [
    "title",
    "gate",
    "k",
    "k_max",
    "own_failure",
    "house",
    "probability",
    "availability",
    "on_demand",
    "rate_per_h",
    "mtbf_h",
    "repair_rate_per_h",
    "mttr_h",
    "weibull_scale_h",
    "weibull_shape",
    "weibull_start_h",
    "hold_over_h",
    "owner",
    "nation",
    "labels",
    "disclosure",
    "top",
];
/// What can be said of an edge. Columns of CSV have `edge_` before it.
pub(in super::super) const EDGE_FIELDS: [&str; 3] = ["hold_over_h", "labels", "delayed"];
/// The name of a node's own failure: the node's, and this.
pub const OWN_FAILURE: &str = "/own";

/// Where a value stands, and how its labels are read.
pub(super) struct Place<'i> {
    pub(super) position: Position,
    pub(super) import: &'i Import<'i>,
}

impl Place<'_> {
    pub(super) fn fault(&self, fault: ImportFault) -> ImportError {
        ImportError { position: Some(self.position.clone()), fault }
    }

    pub(super) fn bad(&self, of: &str, field: &str, value: &str, wanted: &'static str) -> ImportError {
        let (of, field, value) = (format!("`{of}`"), field.to_owned(), value.to_owned());
        self.fault(ImportFault::BadValue { of, field, value, wanted })
    }
}

/// Labels by marking id, TLP name or the catalogue's name; separated by `;`.
pub(super) fn labels(at: &Place<'_>, of: &str, text: &str) -> Result<Vec<Id<MarkingDefinition>>, ImportError> {
    let mut markings = Vec::new();
    for name in text.split(';').map(str::trim).filter(|n| !n.is_empty()) {
        let tlp = || label::Tlp::ALL.into_iter().find(|tlp| tlp.to_string() == name).map(label::Tlp::marking_id);
        let unknown = || at.fault(ImportFault::UnknownLabel { of: of.to_owned(), label: name.to_owned() });
        markings.push(name.parse().ok().or_else(tlp).or_else(|| (at.import.label)(name)).ok_or_else(unknown)?);
    }
    markings.sort();
    markings.dedup();
    Ok(markings)
}

pub(super) fn disclosure(at: &Place<'_>, of: &str, text: &str) -> Result<Disclosure, ImportError> {
    Disclosure::parse(text).ok_or_else(|| at.bad(of, "disclosure", text, Disclosure::WORDS))
}

/// A finite number from 0.
pub(super) fn positive(at: &Place<'_>, of: &str, field: &str, text: &str) -> Result<f64, ImportError> {
    let value = text.parse().ok().filter(|v: &f64| v.is_finite() && *v >= 0.0);
    value.ok_or_else(|| at.bad(of, field, text, "a number from 0"))
}

fn truth(at: &Place<'_>, of: &str, field: &str, text: &str) -> Result<bool, ImportError> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "true" | "1" => Ok(true),
        "no" | "false" | "0" => Ok(false),
        _ => Err(at.bad(of, field, text, "`yes` or `no`")),
    }
}

/// One node as a file describes it; values as text.
#[derive(Debug, Default)]
pub(super) struct Described {
    name: String,
    values: [Option<Box<str>>; NODE_FIELDS.len()],
    /// Where it was met first.
    position: Option<Position>,
    needs: Vec<Need>,
}

/// What a node needs.
#[derive(Debug)]
pub(super) struct Need {
    pub(super) node: String,
    pub(super) position: Position,
    pub(super) hold_over_h: Option<f64>,
    pub(super) markings: Vec<Id<MarkingDefinition>>,
    pub(super) delayed: bool,
    /// Place among the needs, where order counts; else the order of the file.
    pub(super) order: Option<u32>,
}

impl Need {
    /// From the fields of an edge.
    pub(super) fn read<'v>(
        at: &Place<'_>,
        of: &str,
        node: &str,
        field: impl Fn(&str) -> Option<&'v str>,
    ) -> Result<Self, ImportError> {
        let position = at.position.clone();
        let mut need = Self {
            node: node.to_owned(),
            position,
            hold_over_h: None,
            markings: Vec::new(),
            delayed: false,
            order: None,
        };
        if let Some(text) = field("hold_over_h") {
            need.hold_over_h = Some(positive(at, of, "hold_over_h", text)?);
        }
        if let Some(text) = field("labels") {
            need.markings = labels(at, of, text)?;
        }
        if let Some(text) = field("delayed") {
            need.delayed = truth(at, of, "delayed", text)?;
        }
        Ok(need)
    }
}

/// All nodes of a file, in the order in which it names them.
#[derive(Debug, Default)]
pub(super) struct Descriptions {
    list: Vec<Described>,
    index: HashMap<String, usize>,
}

impl Descriptions {
    /// The node of that name, made if it is new.
    pub(super) fn node(&mut self, name: &str, position: &Position) -> usize {
        if let Some(index) = self.index.get(name) {
            return *index;
        }
        let index = self.list.len();
        self.index.insert(name.to_owned(), index);
        self.list.push(Described { name: name.to_owned(), position: Some(position.clone()), ..Described::default() });
        index
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.index.contains_key(name)
    }

    pub(super) fn need(&mut self, node: usize, need: Need) {
        self.list[node].needs.push(need);
    }

    /// Notes a value; it may be said again, but not otherwise.
    pub(super) fn set(&mut self, node: usize, field: usize, value: &str, at: &Place<'_>) -> Result<(), ImportError> {
        let described = &mut self.list[node];
        match &described.values[field] {
            Some(first) if **first != *value => {
                let fault = ImportFault::Contradiction {
                    node: described.name.clone(),
                    field: NODE_FIELDS[field].to_owned(),
                    first: first.to_string(),
                    second: value.to_owned(),
                };
                Err(at.fault(fault))
            }
            Some(_) => Ok(()),
            None => {
                described.values[field] = Some(value.into());
                Ok(())
            }
        }
    }

    /// Writes everything into a builder.
    pub(super) fn write(mut self, import: &Import<'_>, builder: &mut ModelBuilder) -> Result<(), ImportError> {
        for described in &mut self.list {
            if described.needs.iter().any(|n| n.order.is_some()) {
                described.needs.sort_by_key(|n| n.order.unwrap_or(u32::MAX));
            }
        }
        for described in &self.list {
            described.write(import, builder)?;
        }
        Ok(())
    }
}

impl Described {
    fn value(&self, field: &str) -> Option<&str> {
        NODE_FIELDS.iter().position(|f| *f == field).and_then(|i| self.values[i].as_deref())
    }

    fn write(&self, import: &Import<'_>, builder: &mut ModelBuilder) -> Result<(), ImportError> {
        let position = self.position.clone().unwrap_or_else(|| super::place(import.file, 1, 0));
        let at = Place { position: position.clone(), import };
        let name = self.name.as_str();
        let facts = self.facts(&at)?;
        if let Some(text) = self.value("top")
            && truth(&at, name, "top", text)?
            && import.tops.is_empty()
        {
            builder.top(name, Some(position));
        }
        if let Some(text) = self.value("house") {
            if !self.needs.is_empty() {
                return Err(at.bad(name, "house", text, "left out: a node with needs is no house event"));
            }
            builder.house(name, truth(&at, name, "house", text)?, facts)?;
            return Ok(());
        }
        let failure = self.failure(&at)?;
        if self.needs.is_empty() {
            for field in ["gate", "k", "k_max"] {
                if let Some(text) = self.value(field) {
                    return Err(at.bad(name, field, text, "left out: the node needs nothing"));
                }
            }
            builder.event(name, failure.unwrap_or_default(), facts)?;
            return Ok(());
        }
        let (connective, planners) = self.connective(&at)?;
        let own = match self.value("own_failure") {
            Some(text) => truth(&at, name, "own_failure", text)?,
            None => planners || failure.is_some(),
        };
        let inputs: Vec<Input> = self.needs.iter().map(Need::input).collect();
        let mut formula = Formula { connective, inputs };
        if own {
            let event = format!("{name}{OWN_FAILURE}");
            builder.event(&event, failure.unwrap_or_default(), Facts { hold_over_h: None, ..facts.clone() })?;
            if connective == Connective::Or {
                formula.inputs.insert(0, Input::name(event));
            } else {
                formula = Formula { connective: Connective::Or, inputs: vec![Input::name(event), formula.into()] };
            }
        } else if let Some(field) = LAW_FIELDS.into_iter().find(|f| self.value(f).is_some()) {
            return Err(at.bad(
                name,
                field,
                self.value(field).unwrap_or_default(),
                "left out: the node has no failure of its own",
            ));
        }
        builder.gate(name, formula, facts)?;
        Ok(())
    }

    /// The gate as the fault tree has it, and whether it was told in a planner's words (what must work) and not in a fault tree's (what has failed).
    fn connective(&self, at: &Place<'_>) -> Result<(Connective, bool), ImportError> {
        let name = self.name.as_str();
        let inputs = u32::try_from(self.needs.len()).unwrap_or(u32::MAX);
        let word = self.value("gate").unwrap_or("needs-all");
        let number = |field: &'static str| -> Result<u32, ImportError> {
            let Some(text) = self.value(field) else {
                let what = if field == "k" { "`k`" } else { "`k_max`" };
                return Err(at.fault(ImportFault::Missing { of: format!("`{name}` (gate `{word}`)"), what }));
            };
            text.parse().map_err(|_| at.bad(name, field, text, "a whole number from 0"))
        };
        let (connective, planners) = match word {
            "needs-all" => (Connective::Or, true),
            "needs-any" => (Connective::And, true),
            "needs-at-least" => {
                let k = number("k")?;
                if k == 0 || k > inputs {
                    let fault =
                        ModelFault::WrongK { gate: name.to_owned(), asked: k.to_string(), found: self.needs.len() };
                    return Err(at.fault(ImportFault::Model(fault)));
                }
                // It fails when so many are lost that fewer than k work.
                (Connective::AtLeast { k: inputs - k + 1 }, true)
            }
            "and" => (Connective::And, false),
            "or" => (Connective::Or, false),
            "atleast" => (Connective::AtLeast { k: number("k")? }, false),
            "cardinality" => (Connective::Cardinality { min: number("k")?, max: number("k_max")? }, false),
            "not" => (Connective::Not, false),
            "nand" => (Connective::Nand, false),
            "nor" => (Connective::Nor, false),
            "xor" => (Connective::Xor, false),
            "iff" => (Connective::Iff, false),
            "imply" => (Connective::Imply, false),
            "null" => (Connective::Null, false),
            other => {
                let wanted = "`needs-all`, `needs-any` or `needs-at-least` (what must work), or a fault tree's `and`, `or`, `atleast`, `cardinality`, `not`, `nand`, `nor`, `xor`, `iff`, `imply`, `null` (what has failed)";
                return Err(at.bad(name, "gate", other, wanted));
            }
        };
        let takes_k = matches!(connective, Connective::AtLeast { .. } | Connective::Cardinality { .. });
        if let Some(text) = self.value("k").filter(|_| !takes_k) {
            return Err(at.bad(name, "k", text, "left out: this gate takes no k"));
        }
        Ok((connective, planners))
    }

    /// The law of failure, if anything is said of it; exactly one law.
    fn failure(&self, at: &Place<'_>) -> Result<Option<Failure>, ImportError> {
        let name = self.name.as_str();
        let number = |field: &str| self.value(field).map(|text| positive(at, name, field, text)).transpose();
        let rate = |rate: &str, mean: &str| -> Result<Option<f64>, ImportError> {
            match (number(rate)?, number(mean)?) {
                (Some(_), Some(_)) => {
                    Err(at.bad(name, mean, self.value(mean).unwrap_or_default(), "left out: the rate is given"))
                }
                (None, Some(0.0)) => Err(at.bad(name, mean, "0", "a number above 0")),
                (None, Some(mean)) => Ok(Some(1.0 / mean)),
                (rate, None) => Ok(rate),
            }
        };
        let (failing, repair) = (rate("rate_per_h", "mtbf_h")?, rate("repair_rate_per_h", "mttr_h")?);
        let (probability, availability, on_demand) =
            (number("probability")?, number("availability")?, number("on_demand")?);
        let (scale, shape, start) = (number("weibull_scale_h")?, number("weibull_shape")?, number("weibull_start_h")?);
        let failure = match (probability, availability, on_demand, failing, repair, scale, shape, start) {
            (None, None, None, None, None, None, None, None) => return Ok(None),
            (Some(p), None, None, None, None, None, None, None) => Failure::Probability(p),
            (None, Some(a), None, None, None, None, None, None) => Failure::Availability(a),
            (None, None, None, Some(rate_per_h), None, None, None, None) => Failure::Exponential { rate_per_h },
            (None, None, None, Some(rate_per_h), Some(repair_rate_per_h), None, None, None) => {
                Failure::Repairable { rate_per_h, repair_rate_per_h }
            }
            (None, None, Some(on_demand), rate, repair, None, None, None) => {
                Failure::Demand { on_demand, rate_per_h: rate.unwrap_or(0.0), repair_rate_per_h: repair.unwrap_or(0.0) }
            }
            (None, None, None, None, None, Some(scale_h), Some(shape), start_h) => {
                Failure::Weibull { scale_h, shape, start_h: start_h.unwrap_or(0.0) }
            }
            _ => {
                let field = LAW_FIELDS.into_iter().rev().find(|f| self.value(f).is_some()).unwrap_or_default();
                let wanted = "part of one law: a probability, an availability, a rate (with a repair rate), a chance on demand (with rates), or a Weibull scale and shape";
                return Err(at.bad(name, field, self.value(field).unwrap_or_default(), wanted));
            }
        };
        failure
            .check()
            .map_err(|fault| at.fault(ImportFault::Model(ModelFault::Failure { event: name.to_owned(), fault })))?;
        Ok(Some(failure))
    }

    fn facts(&self, at: &Place<'_>) -> Result<Facts, ImportError> {
        let name = self.name.as_str();
        Ok(Facts {
            title: self.value("title").map(Into::into),
            owner: self.value("owner").map(Into::into),
            nation: self.value("nation").map(Into::into),
            markings: self.value("labels").map(|t| labels(at, name, t)).transpose()?.unwrap_or_default(),
            disclosure: self.value("disclosure").map(|t| disclosure(at, name, t)).transpose()?.unwrap_or_default(),
            hold_over_h: self.value("hold_over_h").map(|t| positive(at, name, "hold_over_h", t)).transpose()?,
            position: self.position.clone(),
        })
    }
}

/// Fields that tell how a node fails by itself.
const LAW_FIELDS: [&str; 10] = [
    "probability",
    "availability",
    "on_demand",
    "rate_per_h",
    "mtbf_h",
    "repair_rate_per_h",
    "mttr_h",
    "weibull_scale_h",
    "weibull_shape",
    "weibull_start_h",
];

impl Need {
    fn input(&self) -> Input {
        let mut input = Input::name(self.node.as_str());
        input.delayed = self.delayed;
        let facts = Facts { markings: self.markings.clone(), hold_over_h: self.hold_over_h, ..Facts::default() };
        if facts != Facts::default() {
            input.facts = Some(Box::new(Facts { position: Some(self.position.clone()), ..facts }));
        }
        input
    }
}

impl Disclosure {
    const WORDS: &'static str = "`nothing`, `state` or `probability`";

    /// From the word that files use.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Nothing, Self::State, Self::Probability].into_iter().find(|d| d.word() == text)
    }

    /// The word that files use.
    pub fn word(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::State => "state",
            Self::Probability => "probability",
        }
    }
}
