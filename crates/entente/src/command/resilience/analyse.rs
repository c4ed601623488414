//! Questions to the exact engine: how many cut sets, which, how likely, what matters, what if.

use super::{EngineArgs, ModelArgs, interrupt::Watch, load::Subject, report};
use crate::{print, render};
use serde_json::{Map, Value, json};
use std::path::Path;
use supply::resilience::{
    Analysis, Budget, Counts, CutSet, Importance, NodeId, Probability, Question, Reason, Truncation, states,
};

/// Bytes of memory that a node of a diagram takes with its share of the tables.
const NODE_BYTES: usize = 64;
/// Steps of the search for the smallest hardening.
const HARDEN_STEPS: u64 = 200_000_000;
/// Rows shown of a table to people; programs get all.
const ROWS_MAX: usize = 30;

/// A model with the tops to ask about, and how long that may take.
pub(super) struct Asked {
    pub(super) subject: Subject,
    pub(super) tops: Vec<NodeId>,
    pub(super) watch: Watch,
    budget: Budget,
    order_max: Option<u32>,
}

impl Asked {
    pub(super) fn new(args: &ModelArgs, engine: &EngineArgs, dir: &Path) -> Result<Self, String> {
        let watch = Watch::new(engine.seconds)?;
        let subject = Subject::load(args, dir)?;
        let tops = subject.model().tops().to_vec();
        let mut budget =
            Budget { nodes: engine.memory_mib.saturating_mul((1 << 20) / NODE_BYTES), ..Budget::default() };
        if engine.seconds.is_some() {
            budget.steps = u64::MAX;
        }
        Ok(Self { subject, tops, watch, budget, order_max: engine.order })
    }

    /// Analyses one top with some nodes held as failed.
    pub(super) fn analysis(&self, top: NodeId, failed: &[NodeId]) -> Analysis<'_> {
        self.assuming(top, failed.iter().map(|n| (*n, true)))
    }

    /// Analyses one top with some nodes held at a value.
    fn assuming(&self, top: NodeId, assumed: impl Iterator<Item = (NodeId, bool)>) -> Analysis<'_> {
        let question = Question { assumed: assumed.collect(), order_max: self.order_max, mission_h: None };
        Analysis::run(self.subject.model(), top, question, self.budget, &mut |p| self.watch.go_on(p))
    }

    pub(super) fn top_name(&self, top: NodeId) -> &str {
        self.subject.model().node_name(top)
    }

    fn mark(&self, value: &mut Value, top: NodeId) {
        let labels = self.subject.labels(&[top]);
        if !labels.is_empty() {
            value["label"] = json!(labels);
        }
    }

    /// Owners and nations of a set, each once.
    pub(super) fn places(&self, set: &CutSet) -> (Vec<&str>, Vec<&str>) {
        let facts = set.events.iter().map(|e| self.subject.model().facts(*e));
        let mut owners: Vec<&str> = facts.clone().filter_map(|f| f.owner.as_deref()).collect();
        let mut nations: Vec<&str> = facts.filter_map(|f| f.nation.as_deref()).collect();
        owners.sort_unstable();
        owners.dedup();
        nations.sort_unstable();
        nations.dedup();
        (owners, nations)
    }
}

/// What is missing, for programs.
pub(super) fn truncated(truncation: Option<Truncation>) -> Value {
    let Some(Truncation { order, reason }) = truncation else { return Value::Null };
    let reason = match reason {
        Reason::OrderMax => "order",
        Reason::Budget => "budget",
        Reason::Stopped => "stopped",
    };
    json!({"order": order, "reason": reason})
}

/// What is missing, for people.
pub(super) fn completeness(counts: &Counts) -> String {
    match counts.truncated {
        None => "complete".to_owned(),
        Some(Truncation { order, reason }) => {
            let why = match reason {
                Reason::OrderMax => "as asked",
                Reason::Budget => "not finished: the budget ended",
                Reason::Stopped => "not finished: stopped",
            };
            format!("at least {}; complete up to order {order} ({why})", counts.total)
        }
    }
}

fn by_order(counts: &Counts) -> Map<String, Value> {
    counts.by_order.iter().map(|(order, n)| (order.to_string(), json!(n.to_string()))).collect()
}

/// `analyse`.
pub(super) fn analyse(
    args: &ModelArgs,
    engine: &EngineArgs,
    html: Option<&Path>,
    dir: &Path,
    json: bool,
) -> Result<(), String> {
    let asked = Asked::new(args, engine, dir)?;
    let mut pages = Vec::new();
    for top in asked.tops.clone() {
        let analysis = asked.analysis(top, &[]);
        let counts = analysis.counts();
        let probability = analysis.probability();
        let mut value = json!({
            "top": asked.top_name(top), "coherent": analysis.is_coherent(), "count": counts.total.to_string(),
            "counts_by_order": by_order(&counts),
            "probability": match &probability { Ok(Probability::Exact(p)) => json!(p), _ => Value::Null },
            "truncated": truncated(counts.truncated), "seconds": asked.watch.seconds(),
        });
        if let Ok(Probability::Between { low, high }) = probability {
            value["probability_between"] = json!([low, high]);
        }
        asked.mark(&mut value, top);
        if html.is_some() {
            pages.push(report::section(&asked, &analysis, pages.len()));
        }
        if json {
            print(&value.to_string());
            continue;
        }
        let singles: Vec<String> = analysis
            .cut_sets(ROWS_MAX)
            .take_while(|s| s.events.len() <= 1)
            .filter_map(|s| s.events.first().map(|e| asked.subject.name(*e).to_owned()))
            .collect();
        let sets = if analysis.is_coherent() { "minimal cut sets" } else { "minimal p-cuts (not coherent)" };
        value["cut_sets"] = json!(format!("{} {sets}, {}", counts.total, completeness(&counts)));
        value["probability"] = match &probability {
            Ok(Probability::Exact(p)) => json!(p),
            Ok(Probability::Between { low, high }) => json!(format!("between {low:e} and {high:e}")),
            Err(why) => json!(format!("unknown: {why}")),
        };
        value["single_failures"] = json!(singles);
        for field in ["count", "truncated", "probability_between"] {
            value.as_object_mut().map(|o| o.remove(field));
        }
        print(&format!("{}\n", render::text(&value)));
    }
    if let Some(path) = html {
        let page = report::page(&asked, args, &pages);
        std::fs::write(path, page).map_err(|e| format!("`{}`: {e}", path.display()))?;
    }
    Ok(())
}

/// `cutsets`.
pub(super) fn cut_sets(
    args: &ModelArgs,
    engine: &EngineArgs,
    limit: usize,
    abroad: Option<&str>,
    dir: &Path,
    json: bool,
) -> Result<(), String> {
    let asked = Asked::new(args, engine, dir)?;
    for top in asked.tops.clone() {
        let analysis = asked.analysis(top, &[]);
        let counts = analysis.counts();
        let mut rows = Vec::new();
        let mut sets = analysis.cut_sets(if abroad.is_some() { usize::MAX } else { limit });
        for set in sets.by_ref() {
            if rows.len() == limit || asked.watch.interrupted() {
                break;
            }
            let (owners, nations) = asked.places(&set);
            if abroad.is_some_and(|home| nations.iter().all(|n| *n == home)) {
                continue;
            }
            let names: Vec<&str> = set.events.iter().map(|e| asked.subject.name(*e)).collect();
            rows.push(json!({
                "order": set.events.len(), "events": names, "probability": set.probability,
                "owners": owners, "nations": nations,
            }));
        }
        let listed_to = sets.listed_to();
        let mut end = json!({
            "top": asked.top_name(top), "listed": rows.len(), "count": counts.total.to_string(),
            "truncated": truncated(counts.truncated),
            "listed_to": listed_to.map(|l| json!({"order": l.order, "probability": l.probability})),
        });
        asked.mark(&mut end, top);
        if json {
            for mut row in rows {
                row["top"] = json!(asked.top_name(top));
                print(&row.to_string());
            }
            print(&end.to_string());
            continue;
        }
        let rows: Vec<Value> = rows
            .into_iter()
            .map(|mut row| {
                row["probability"] = row["probability"].as_f64().map_or(Value::Null, |p| json!(format!("{p:.4e}")));
                row
            })
            .collect();
        print(&render::text(&Value::Array(rows)));
        let last = listed_to.map_or_else(String::new, |l| format!("; the list ends within order {}", l.order));
        let labels = asked.subject.labels(&[top]);
        let label = if labels.is_empty() { String::new() } else { format!(" [{}]", labels.join(" and ")) };
        print(&format!(
            "\n{}: {} of {} listed ({}{last}){label}\n",
            asked.top_name(top),
            end["listed"],
            counts.total,
            completeness(&counts)
        ));
    }
    Ok(())
}

/// One event with all its measures, for programs.
fn measures(asked: &Asked, i: &Importance) -> Value {
    json!({
        "event": asked.subject.name(i.event), "probability": i.probability, "occurrences": i.occurrences.to_string(),
        "birnbaum": i.birnbaum, "criticality": i.criticality, "fussell_vesely": i.fussell_vesely, "raw": i.raw, "rrw": i.rrw,
    })
}

/// `importance`.
pub(super) fn importance(args: &ModelArgs, engine: &EngineArgs, dir: &Path, json: bool) -> Result<(), String> {
    let asked = Asked::new(args, engine, dir)?;
    for top in asked.tops.clone() {
        let analysis = asked.analysis(top, &[]);
        let importances = analysis.importance().map_err(|e| e.to_string())?;
        if json {
            for i in &importances.events {
                let mut value = measures(&asked, i);
                value["top"] = json!(asked.top_name(top));
                value["exact"] = json!(importances.exact);
                asked.mark(&mut value, top);
                print(&value.to_string());
            }
            continue;
        }
        let short = |x: Option<f64>| x.map_or(Value::Null, |x| json!(format!("{x:.5e}")));
        let rows: Vec<Value> = importances
            .events
            .iter()
            .take(ROWS_MAX)
            .map(|i| {
                json!({
                    "event": asked.subject.name(i.event), "probability": short(Some(i.probability)), "sets": i.occurrences.to_string(),
                    "birnbaum": short(Some(i.birnbaum)), "criticality": short(i.criticality),
                    "fussell_vesely": short(i.fussell_vesely), "raw": short(i.raw), "rrw": short(i.rrw),
                })
            })
            .collect();
        let shown = rows.len();
        print(&render::text(&Value::Array(rows)));
        let exact = if importances.exact { "exact" } else { "not finished: sums over the known cut sets" };
        let labels = asked.subject.labels(&[top]);
        let label = if labels.is_empty() { String::new() } else { format!(" [{}]", labels.join(" and ")) };
        print(&format!("\n{}: {shown} of {} events ({exact}){label}\n", asked.top_name(top), importances.events.len()));
    }
    Ok(())
}

/// `whatif`.
pub(super) fn what_if(
    args: &ModelArgs,
    engine: &EngineArgs,
    fail: &[String],
    dir: &Path,
    json: bool,
) -> Result<(), String> {
    let asked = Asked::new(args, engine, dir)?;
    let failed = fail.iter().map(|name| asked.subject.find(name.trim())).collect::<Result<Vec<_>, _>>()?;
    let down = states(asked.subject.model(), &failed);
    for top in asked.tops.clone() {
        let (before, after) = (asked.analysis(top, &[]), asked.analysis(top, &failed));
        let (count_before, count_after) = (before.counts(), after.counts());
        let exact = |a: &Analysis<'_>| match a.probability() {
            Ok(Probability::Exact(p)) => Some(p),
            _ => None,
        };
        let (p_before, p_after) = (exact(&before), exact(&after));
        let singles: Vec<String> = after
            .cut_sets(ROWS_MAX)
            .take_while(|s| s.events.len() <= 1)
            .filter_map(|s| s.events.first().map(|e| asked.subject.name(*e).to_owned()))
            .collect();
        let mut value = json!({
            "top": asked.top_name(top), "failed": fail, "top_failed": down[top.index()],
            "probability_before": p_before, "probability_after": p_after,
            "times_as_likely": p_before.zip(p_after).filter(|(b, _)| *b > 0.0).map(|(b, a)| a / b),
            "cut_sets_before": count_before.total.to_string(), "cut_sets_after": count_after.total.to_string(),
            "then_single_failures": singles, "truncated": truncated(count_after.truncated),
        });
        asked.mark(&mut value, top);
        print(&if json { value.to_string() } else { format!("{}\n", render::text(&value)) });
    }
    Ok(())
}

/// `harden`.
pub(super) fn harden(args: &ModelArgs, engine: &EngineArgs, dir: &Path, json: bool) -> Result<(), String> {
    let asked = Asked::new(args, engine, dir)?;
    let order = engine.order.unwrap_or(1);
    for top in asked.tops.clone() {
        let analysis = asked.analysis(top, &[]);
        let hardening =
            analysis.harden(order, HARDEN_STEPS, &mut |p| asked.watch.go_on(p)).map_err(|e| e.to_string())?;
        let actions: Vec<&str> = hardening.actions.iter().map(|n| asked.subject.name(*n)).collect();
        let exact = |a: &Analysis<'_>| match a.probability() {
            Ok(Probability::Exact(p)) => Some(p),
            _ => None,
        };
        let hardened = asked.assuming(top, hardening.actions.iter().map(|n| (*n, false)));
        let (before, after) = (exact(&analysis), exact(&hardened));
        let mut value = json!({
            "top": asked.top_name(top), "order": hardening.order, "sets": hardening.sets, "actions": actions,
            "smallest": hardening.is_smallest(), "at_least": hardening.at_least,
            "probability_before": before, "probability_after": after,
        });
        asked.mark(&mut value, top);
        if json {
            print(&value.to_string());
            continue;
        }
        let sure = if hardening.is_smallest() {
            "proven smallest".to_owned()
        } else {
            format!("not proven smallest; no fewer than {} can do", hardening.at_least)
        };
        value["proof"] = json!(sure);
        for field in ["smallest", "at_least"] {
            value.as_object_mut().map(|o| o.remove(field));
        }
        print(&format!("{}\n", render::text(&value)));
    }
    Ok(())
}
