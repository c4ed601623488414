//! Expressions of Open-PSA: what a basic event's probability or a parameter is.
//!
//! The laws that this crate knows stay laws, so that another mission time can be asked for; everything else is computed at the mission time. Random
//! deviates count as their mean, as they do in a point estimate.

use super::{Reader, described, join, look_up};
use crate::resilience::event::Failure;
use crate::resilience::import::{ImportError, ImportFault};
use roxmltree::Node;
use std::collections::{HashMap, hash_map::Entry};

/// Expressions inside one another and in the parameters they name, at most.
pub(in super::super) const DEPTH_MAX: usize = 120;
/// Tests of a periodically tested component in one mission, at most.
const TESTS_MAX: f64 = 1_000_000.0;
/// The mission time of a file: hours of a year. The format has no element for another.
const MISSION_H: f64 = 8760.0;

struct Parameter<'d> {
    node: Node<'d, 'd>,
    scope: String,
    value: Option<f64>,
}

/// All parameters of a file, computed when they are needed.
pub(super) struct Parameters<'r, 'i, 'd> {
    reader: &'r Reader<'i>,
    list: Vec<Parameter<'d>>,
    by_path: HashMap<String, usize>,
    /// Those being computed.
    chain: Vec<usize>,
    depth: usize,
    mission_h: f64,
}

impl<'r, 'i, 'd> Parameters<'r, 'i, 'd> {
    pub(super) fn new(reader: &'r Reader<'i>) -> Self {
        let mission_h = reader.import.mission_h.unwrap_or(MISSION_H);
        Self { reader, list: Vec::new(), by_path: HashMap::new(), chain: Vec::new(), depth: 0, mission_h }
    }

    pub(super) fn add(
        &mut self,
        node: Node<'d, 'd>,
        name: &str,
        scope: &str,
        private: bool,
    ) -> Result<(), ImportError> {
        let path = join(scope, name);
        let keys = if private || path == name { vec![path] } else { vec![name.to_owned(), path] };
        let index = self.list.len();
        for key in keys {
            match self.by_path.entry(key) {
                Entry::Occupied(first) => {
                    let first = self.reader.at(self.list[*first.get()].node).line;
                    let fault = ImportFault::DefinedTwice { what: "parameter", name: name.to_owned(), first };
                    return Err(self.reader.fault(node, fault));
                }
                Entry::Vacant(free) => {
                    free.insert(index);
                }
            }
        }
        self.list.push(Parameter { node, scope: scope.to_owned(), value: None });
        Ok(())
    }

    /// The law of a basic event. The mission time is that of the import, or the default.
    pub(super) fn failure(
        &mut self,
        expression: Option<Node<'d, 'd>>,
        event: Node<'d, 'd>,
        scope: &str,
    ) -> Result<Failure, ImportError> {
        let Some(node) = expression else { return Ok(Failure::Unknown) };
        let arguments: Vec<_> = node.children().filter(Node::is_element).collect();
        let timed = arguments.last().is_some_and(|a| a.tag_name().name() == "system-mission-time");
        let failure = match (node.tag_name().name(), arguments.as_slice()) {
            ("exponential", [rate, _]) if timed => Failure::Exponential { rate_per_h: self.value(*rate, scope)? },
            ("GLM", [on_demand, rate, repair, _]) if timed => Failure::Demand {
                on_demand: self.value(*on_demand, scope)?,
                rate_per_h: self.value(*rate, scope)?,
                repair_rate_per_h: self.value(*repair, scope)?,
            },
            ("Weibull", [scale, shape, start, _]) if timed => Failure::Weibull {
                scale_h: self.value(*scale, scope)?,
                shape: self.value(*shape, scope)?,
                start_h: self.value(*start, scope)?,
            },
            _ => Failure::Probability(self.value(node, scope)?),
        };
        failure.check().map_err(|fault| {
            let event = event.attribute("name").unwrap_or_default().trim().to_owned();
            let fault = crate::resilience::ModelFault::Failure { event, fault };
            self.reader.fault(node, ImportFault::Model(fault))
        })?;
        Ok(failure)
    }

    fn parameter(&mut self, node: Node<'d, 'd>, scope: &str) -> Result<f64, ImportError> {
        let name = self.reader.name_of(node)?;
        let Some(index) = look_up(name, scope, |key| self.by_path.get(key).copied()) else {
            let of =
                node.ancestors().find(|n| n.tag_name().name().starts_with("define-")).map_or(String::new(), described);
            return Err(self.reader.fault(node, ImportFault::UndefinedParameter { of, name: name.to_owned() }));
        };
        if let Some(value) = self.list[index].value {
            return Ok(value);
        }
        let name_of = |i: &usize| self.list[*i].node.attribute("name").unwrap_or_default().to_owned();
        if let Some(start) = self.chain.iter().position(|i| *i == index) {
            let mut names: Vec<String> = self.chain[start..].iter().map(name_of).collect();
            names.push(name.to_owned());
            return Err(self.reader.fault(node, ImportFault::ParameterCycle(names)));
        }
        let (definition, scope) = (self.list[index].node, self.list[index].scope.clone());
        let mut body = definition.children().filter(Node::is_element);
        let body = body.find(|n| !matches!(n.tag_name().name(), "label" | "attributes"));
        let Some(body) = body else {
            let missing = ImportFault::Missing { of: described(definition), what: "an expression" };
            return Err(self.reader.fault(definition, missing));
        };
        self.chain.push(index);
        let value = self.value(body, &scope)?;
        self.chain.pop();
        self.list[index].value = Some(value);
        Ok(value)
    }

    /// The value at the mission time.
    fn value(&mut self, node: Node<'d, 'd>, scope: &str) -> Result<f64, ImportError> {
        if self.depth >= DEPTH_MAX {
            return Err(self.reader.fault(node, ImportFault::ExpressionTooDeep));
        }
        self.depth += 1;
        let value = self.computed(node, scope);
        self.depth -= 1;
        value
    }

    fn computed(&mut self, node: Node<'d, 'd>, scope: &str) -> Result<f64, ImportError> {
        let element = node.tag_name().name();
        match element {
            "float" | "int" => return self.literal(node),
            "bool" => return Ok(f64::from(u8::from(self.reader.constant(node)?))),
            "parameter" => return self.parameter(node, scope),
            "system-mission-time" => return Ok(self.mission_h),
            "pi" => return Ok(std::f64::consts::PI),
            "histogram" => return self.histogram(node, scope),
            "switch" => return self.switch(node, scope),
            _ => {}
        }
        let mut arguments = Vec::new();
        for argument in node.children().filter(Node::is_element) {
            arguments.push(self.value(argument, scope)?);
        }
        let Some(value) = apply(element, &arguments) else {
            let inside =
                node.ancestors().find(|n| n.tag_name().name().starts_with("define-")).map_or_else(String::new, |n| {
                    format!("the expression of {} with {} arguments", described(n), arguments.len())
                });
            return Err(self.reader.fault(node, ImportFault::UnknownElement { element: element.to_owned(), inside }));
        };
        if value.is_finite() {
            Ok(value)
        } else {
            let of =
                node.ancestors().find(|n| n.tag_name().name().starts_with("define-")).map_or(String::new(), described);
            let (field, value) = (element.to_owned(), value.to_string());
            Err(self.reader.fault(node, ImportFault::BadValue { of, field, value, wanted: "a finite number" }))
        }
    }

    fn literal(&self, node: Node<'_, '_>) -> Result<f64, ImportError> {
        let text = node.attribute("value").unwrap_or_default();
        let value: Option<f64> = text.trim().parse().ok().filter(|v: &f64| v.is_finite());
        value.ok_or_else(|| {
            let of =
                node.ancestors().find(|n| n.tag_name().name().starts_with("define-")).map_or(String::new(), described);
            let fault =
                ImportFault::BadValue { of, field: "value".to_owned(), value: text.to_owned(), wanted: "a number" };
            self.reader.fault(node, fault)
        })
    }

    /// The mean of a histogram: a base and bins, each with an upper bound and a weight.
    fn histogram(&mut self, node: Node<'d, 'd>, scope: &str) -> Result<f64, ImportError> {
        let mut children = node.children().filter(Node::is_element);
        let mut lower = match children.next() {
            Some(base) => self.value(base, scope)?,
            None => return Err(self.reader.fault(node, ImportFault::Missing { of: described(node), what: "a base" })),
        };
        let (mut sum, mut weights) = (0.0, 0.0);
        for bin in children {
            let mut parts = bin.children().filter(Node::is_element);
            let (Some(upper), Some(weight)) = (parts.next(), parts.next()) else {
                let missing = ImportFault::Missing { of: described(bin), what: "an upper bound and a weight" };
                return Err(self.reader.fault(bin, missing));
            };
            let (upper, weight) = (self.value(upper, scope)?, self.value(weight, scope)?);
            sum += weight * (lower + upper) / 2.0;
            weights += weight;
            lower = upper;
        }
        if weights > 0.0 {
            Ok(sum / weights)
        } else {
            Err(self
                .reader
                .fault(node, ImportFault::Missing { of: described(node), what: "a bin with a weight above 0" }))
        }
    }

    /// The first case whose condition holds, or the default.
    fn switch(&mut self, node: Node<'d, 'd>, scope: &str) -> Result<f64, ImportError> {
        for part in node.children().filter(Node::is_element) {
            if part.tag_name().name() != "case" {
                return self.value(part, scope);
            }
            let mut parts = part.children().filter(Node::is_element);
            let (Some(condition), Some(value)) = (parts.next(), parts.next()) else {
                let missing = ImportFault::Missing { of: described(part), what: "a condition and a value" };
                return Err(self.reader.fault(part, missing));
            };
            if self.value(condition, scope)? != 0.0 {
                return self.value(value, scope);
            }
        }
        Err(self.reader.fault(node, ImportFault::Missing { of: described(node), what: "a default" }))
    }
}

/// An operator over computed arguments; `None` if there is no such operator of so many arguments.
#[allow(clippy::float_cmp)] // `eq` and `df` are what the format calls equal and different
fn apply(element: &str, arguments: &[f64]) -> Option<f64> {
    let truth = |b: bool| f64::from(u8::from(b));
    Some(match (element, arguments) {
        ("neg", [a]) => -a,
        ("add", [_, _, ..]) => arguments.iter().sum(),
        ("sub", [first, rest @ ..]) if !rest.is_empty() => first - rest.iter().sum::<f64>(),
        ("mul", [_, _, ..]) => arguments.iter().product(),
        ("div", [first, rest @ ..]) if !rest.is_empty() => rest.iter().fold(*first, |a, b| a / b),
        ("pow", [a, b]) => a.powf(*b),
        ("mod", [a, b]) => a % b,
        ("abs", [a]) => a.abs(),
        ("acos", [a]) => a.acos(),
        ("asin", [a]) => a.asin(),
        ("atan", [a]) => a.atan(),
        ("cos", [a]) => a.cos(),
        ("sin", [a]) => a.sin(),
        ("tan", [a]) => a.tan(),
        ("cosh", [a]) => a.cosh(),
        ("sinh", [a]) => a.sinh(),
        ("tanh", [a]) => a.tanh(),
        ("exp", [a]) => a.exp(),
        ("log", [a]) => a.ln(),
        ("log10", [a]) => a.log10(),
        ("sqrt", [a]) => a.sqrt(),
        ("ceil", [a]) => a.ceil(),
        ("floor", [a]) => a.floor(),
        ("min", [_, ..]) => arguments.iter().copied().fold(f64::INFINITY, f64::min),
        ("max", [_, ..]) => arguments.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        ("mean", [_, ..]) => arguments.iter().sum::<f64>() / count(arguments),
        ("ite", [condition, then, other]) => {
            if *condition == 0.0 {
                *other
            } else {
                *then
            }
        }
        ("not", [a]) => truth(*a == 0.0),
        ("and", [_, _, ..]) => truth(arguments.iter().all(|a| *a != 0.0)),
        ("or", [_, _, ..]) => truth(arguments.iter().any(|a| *a != 0.0)),
        ("eq", [a, b]) => truth(a == b),
        ("df", [a, b]) => truth(a != b),
        ("lt", [a, b]) => truth(a < b),
        ("gt", [a, b]) => truth(a > b),
        ("leq", [a, b]) => truth(a <= b),
        ("geq", [a, b]) => truth(a >= b),
        ("exponential", [rate, time]) => lost(rate * time),
        ("GLM", [on_demand, rate, repair, time]) => {
            let law = Failure::Demand { on_demand: *on_demand, rate_per_h: *rate, repair_rate_per_h: *repair };
            law.check().ok()?;
            law.probability(*time)?
        }
        ("Weibull", [scale, shape, start, time]) => {
            let law = Failure::Weibull { scale_h: *scale, shape: *shape, start_h: *start };
            law.check().ok()?;
            law.probability(*time)?
        }
        ("periodic-test", [rate, interval, first, time]) => tested(*rate, None, *interval, *first, *time)?,
        ("periodic-test", [rate, repair, interval, first, time]) => {
            tested(*rate, Some(*repair), *interval, *first, *time)?
        }
        ("uniform-deviate", [low, high]) => f64::midpoint(*low, *high),
        // The lognormal one has a mean with error factor and level, or the mean and deviation of the logarithm.
        ("normal-deviate", [mean, _]) | ("lognormal-deviate", [mean, _, _]) => *mean,
        ("lognormal-deviate", [mu, sigma]) => (mu + sigma * sigma / 2.0).exp(),
        ("gamma-deviate", [shape, scale]) => shape * scale,
        ("beta-deviate", [alpha, beta]) => alpha / (alpha + beta),
        _ => return None,
    })
}

/// 1 − e^(−x), exact for small x too.
fn lost(x: f64) -> f64 {
    -(-x).exp_m1()
}

#[allow(clippy::cast_precision_loss)] // arguments of one element
fn count(arguments: &[f64]) -> f64 {
    arguments.len() as f64
}

/// The unavailability of a component that fails at `rate` and is tested first after `first` hours, then every `interval` hours. A test finds a failure;
/// the repair is instant without `repair`, else it takes an exponential time. At the very moment of a test the state before it counts. `None` for
/// numbers that the law cannot have.
fn tested(rate: f64, repair: Option<f64>, interval: f64, first: f64, time: f64) -> Option<f64> {
    let possible = rate >= 0.0 && repair.is_none_or(|r| r >= 0.0) && interval > 0.0 && first >= 0.0;
    if !possible || time / interval > TESTS_MAX {
        return None;
    }
    if time <= first {
        return Some(lost(rate * time));
    }
    let tests = ((time - first) / interval).ceil() - 1.0;
    let rest = time - first - tests * interval;
    let Some(repair) = repair else { return Some(lost(rate * rest)) };
    // Works, or is under repair; what remains has failed unnoticed.
    let (mut works, mut repairing) = ((-rate * first).exp(), 0.0);
    let pass = |works: f64, repairing: f64, hours: f64| {
        let (kept, unrepaired) = ((-rate * hours).exp(), (-repair * hours).exp());
        let back = if (rate - repair).abs() <= 1e-9 * rate.max(repair) {
            repair * hours * kept
        } else {
            repair * (unrepaired - kept) / (rate - repair)
        };
        (works * kept + repairing * back, repairing * unrepaired)
    };
    let mut done = 0.0;
    while done <= tests {
        repairing = 1.0 - works;
        (works, repairing) = pass(works, repairing, if done < tests { interval } else { rest });
        done += 1.0;
    }
    let _ = repairing;
    Some((1.0 - works).clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn close(a: f64, b: f64) {
        assert!((a - b).abs() <= 1e-12 * b.abs().max(1e-300), "{a} {b}");
    }

    #[test]
    fn a_tested_component_counts_from_its_last_test() {
        // 8760 h, tested every 720 h from the start: 120 h after the twelfth test.
        close(tested(7e-7, None, 720.0, 0.0, 8760.0).unwrap(), lost(7e-7 * 120.0));
        close(tested(7e-7, None, 720.0, 100.0, 50.0).unwrap(), lost(7e-7 * 50.0));
        // At the moment of a test the interval before it counts.
        close(tested(1e-3, None, 10.0, 0.0, 30.0).unwrap(), lost(1e-3 * 10.0));
        assert_eq!(tested(1e-3, None, 0.0, 0.0, 30.0), None);
        assert_eq!(tested(1e-3, None, 1e-9, 0.0, 30.0), None);
    }

    #[test]
    fn a_slow_repair_adds_to_the_unavailability() {
        let fast = tested(1e-3, Some(1e6), 100.0, 0.0, 950.0).unwrap();
        close(fast, {
            let instant = tested(1e-3, None, 100.0, 0.0, 950.0).unwrap();
            assert!((fast - instant).abs() < 1e-6);
            fast
        });
        let slow = tested(1e-3, Some(1e-2), 100.0, 0.0, 950.0).unwrap();
        let never = tested(1e-3, Some(0.0), 100.0, 0.0, 950.0).unwrap();
        assert!(fast < slow && slow < never);
        close(never, lost(0.95));
        // Equal rates are a limit of unequal ones.
        let equal = tested(1e-2, Some(1e-2), 100.0, 0.0, 950.0).unwrap();
        let nearly = tested(1e-2, Some(1.000_01e-2), 100.0, 0.0, 950.0).unwrap();
        assert!((equal - nearly).abs() < 1e-5);
    }

    #[test]
    fn operators_take_the_arguments_they_take() {
        close(apply("sub", &[5.0, 1.0, 1.0]).unwrap(), 3.0);
        close(apply("div", &[8.0, 2.0, 2.0]).unwrap(), 2.0);
        close(apply("ite", &[0.0, 1.0, 7.0]).unwrap(), 7.0);
        close(apply("lognormal-deviate", &[0.0, 2.0]).unwrap(), 2.0_f64.exp());
        close(apply("exponential", &[1e-3, 1000.0]).unwrap(), 0.632_120_558_828_557_7);
        assert_eq!(apply("sub", &[5.0]), None);
        assert_eq!(apply("test-initiating-event", &[]), None);
    }
}
