//! The report: one HTML file with everything in it, for offline reading.

use super::{
    ModelArgs,
    analyse::{Asked, completeness},
};
use std::collections::HashSet;
use std::fmt::Write as _;
use supply::resilience::{
    Analysis, NodeId, Probability,
    draw::{Mark, escaped, picture},
};

/// Cut sets listed in a report.
const SETS_MAX: usize = 25;
/// Events in the chart and the table of importance.
const EVENTS_MAX: usize = 20;
/// Width of the charts, pixels.
const CHART_WIDTH: f64 = 720.0;
/// Where bars begin, and how long the longest is.
const BARS_AT: f64 = 230.0;
const BAR_MAX: f64 = 380.0;
const BAR_STEP: f64 = 24.0;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;color:#10151b;background:#fff;margin:0 auto;max-width:72rem;padding:1rem 1.5rem}\
h1{font-size:1.6rem;line-height:1.25;margin:.8rem 0 .2rem}h2{font-size:1.3rem;margin:2.2rem 0 .4rem;border-bottom:2px solid #1d4a7d}h3{font-size:1.05rem;margin:1.6rem 0 .4rem}\
p{max-width:46rem;margin:.4rem 0}table{border-collapse:collapse;font-size:.92rem;font-variant-numeric:tabular-nums}caption{text-align:left;font-weight:600;padding:.3rem 0}\
th,td{padding:.28rem .7rem;border-bottom:1px solid #d5dae1;text-align:left;vertical-align:top}th[scope=col]{background:#f0f3f7}td.n,th.n{text-align:right}\
.label{background:#10151b;color:#fff;padding:.35rem .8rem;font-weight:600;letter-spacing:.02em}.facts{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1.2rem;margin:.8rem 0}\
.facts dt{font-weight:600}.facts dd{margin:0}.warn{border-left:5px solid #a3180b;background:#fdf1ef;padding:.5rem .9rem;margin:.8rem 0;max-width:46rem}\
.scroll{overflow-x:auto;border:1px solid #d5dae1;margin:.5rem 0}figure{margin:.8rem 0}figcaption{font-size:.92rem;color:#37414d;max-width:46rem}\
svg{display:block}@media print{.scroll{overflow:visible;border:0}.scroll svg{max-width:100%;height:auto}}";

/// The part of a report about one top.
pub(super) fn section(asked: &Asked, analysis: &Analysis<'_>, number: usize) -> String {
    let subject = &asked.subject;
    let top = analysis.top();
    let name = subject.model().facts(top).title.as_deref().unwrap_or_else(|| asked.top_name(top));
    let counts = analysis.counts();
    let mut out = format!("<section aria-labelledby=\"top{number}\"><h2 id=\"top{number}\">{}</h2>\n", escaped(name));
    let sets: Vec<_> = analysis.cut_sets(SETS_MAX).collect();
    let singles: Vec<NodeId> =
        sets.iter().filter(|s| s.events.len() == 1).filter_map(|s| s.events.first().copied()).collect();
    let kind = if analysis.is_coherent() { "minimal cut sets" } else { "minimal p-cuts (the model is not coherent)" };
    let probability = match analysis.probability() {
        Ok(Probability::Exact(p)) => format!("{p:.6e} (exact, at {} h)", subject.model().mission_h()),
        Ok(Probability::Between { low, high }) => format!("between {low:.4e} and {high:.4e} (not finished)"),
        Err(why) => format!("unknown: {why}"),
    };
    let _ = writeln!(
        out,
        "<dl class=\"facts\"><dt>Probability of failure</dt><dd>{}</dd><dt>Number of {kind}</dt><dd>{} ({})</dd></dl>",
        escaped(&probability),
        counts.total,
        escaped(&completeness(&counts))
    );
    if singles.is_empty() {
        out.push_str("<p>No single failure stops this service.</p>\n");
    } else {
        let names: Vec<String> =
            singles.iter().map(|e| format!("<strong>{}</strong>", escaped(subject.name(*e)))).collect();
        let _ = writeln!(
            out,
            "<p class=\"warn\">Single points of failure, each of which stops this service alone: {}.</p>",
            names.join(", ")
        );
    }
    orders(&mut out, &counts, number);
    cut_sets(&mut out, asked, &sets);
    importance(&mut out, asked, analysis, number);
    graph(&mut out, asked, top, &singles.iter().copied().collect(), number);
    out.push_str("</section>\n");
    out
}

/// A bar: what it is, its share of the longest, and its value in words.
struct Bar {
    name: String,
    share: f64,
    value: String,
}

fn bars(id: &str, title: &str, text: &str, list: &[Bar]) -> String {
    let mut height = 8.0;
    let mut rows = String::new();
    for bar in list {
        let width = (bar.share.clamp(0.0, 1.0) * BAR_MAX).max(1.0);
        let (middle, top) = (height + 14.0, height + 2.0);
        let shown: String = if bar.name.chars().count() > 30 {
            bar.name.chars().take(29).chain(['…']).collect()
        } else {
            bar.name.clone()
        };
        let _ = writeln!(
            rows,
            "<g><title>{}: {}</title><text x=\"{:.0}\" y=\"{middle:.0}\" text-anchor=\"end\">{}</text><rect x=\"{BARS_AT:.0}\" y=\"{top:.0}\" width=\"{width:.1}\" height=\"16\" fill=\"#1d4a7d\"/><text x=\"{:.1}\" y=\"{middle:.0}\">{}</text></g>",
            escaped(&bar.name),
            escaped(&bar.value),
            BARS_AT - 10.0,
            escaped(&shown),
            BARS_AT + width + 8.0,
            escaped(&bar.value),
        );
        height += BAR_STEP;
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{CHART_WIDTH:.0}\" height=\"{0:.0}\" viewBox=\"0 0 {CHART_WIDTH:.0} {0:.0}\" role=\"img\" aria-labelledby=\"{id}-title {id}-text\" font-family=\"system-ui, sans-serif\" font-size=\"13\" fill=\"#10151b\"><title id=\"{id}-title\">{1}</title><desc id=\"{id}-text\">{2}</desc>\n{rows}</svg>",
        height + 6.0,
        escaped(title),
        escaped(text)
    )
}

/// Counts by order, as bars on a logarithmic scale: they run from one to billions.
fn orders(out: &mut String, counts: &supply::resilience::Counts, number: usize) {
    if counts.by_order.is_empty() {
        return;
    }
    // Digits are what a logarithmic bar shows.
    let digits = |n: &str| -> f64 {
        let lead: f64 = n.get(..n.len().min(15)).and_then(|d| d.parse().ok()).unwrap_or(1.0);
        let rest = u32::try_from(n.len().saturating_sub(15)).unwrap_or(0);
        lead.log10() + f64::from(rest)
    };
    let texts: Vec<(u32, String)> = counts.by_order.iter().map(|(order, n)| (*order, n.to_string())).collect();
    let most = texts.iter().map(|(_, n)| digits(n)).fold(0.0, f64::max) + 0.3;
    let list: Vec<Bar> = texts
        .iter()
        .map(|(order, n)| Bar { name: format!("{order} at once"), share: (digits(n) + 0.3) / most, value: grouped(n) })
        .collect();
    let spoken: Vec<String> = texts.iter().map(|(order, n)| format!("{n} of order {order}")).collect();
    let svg = bars(&format!("orders{number}"), "Cut sets by order", &spoken.join(", "), &list);
    let _ = writeln!(
        out,
        "<h3>How many failures must come together</h3>\n<figure>{svg}<figcaption>Sets of failures that stop the service, by how many failures they need. The scale is logarithmic.</figcaption></figure>"
    );
}

fn cut_sets(out: &mut String, asked: &Asked, sets: &[supply::resilience::CutSet]) {
    if sets.is_empty() {
        return;
    }
    out.push_str("<h3>The smallest and likeliest sets</h3>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Table of cut sets\"><table><thead><tr><th scope=\"col\" class=\"n\">Order</th><th scope=\"col\">Failures</th><th scope=\"col\" class=\"n\">Probability</th><th scope=\"col\">Owners</th><th scope=\"col\">Nations</th></tr></thead><tbody>\n");
    for set in sets {
        let names: Vec<&str> = set.events.iter().map(|e| asked.subject.name(*e)).collect();
        let (owners, nations) = asked.places(set);
        let probability = set.probability.map_or_else(|| "unknown".to_owned(), |p| format!("{p:.3e}"));
        let _ = writeln!(
            out,
            "<tr><td class=\"n\">{}</td><td>{}</td><td class=\"n\">{probability}</td><td>{}</td><td>{}</td></tr>",
            set.events.len(),
            escaped(&names.join(", ")),
            escaped(&owners.join(", ")),
            escaped(&nations.join(", "))
        );
    }
    out.push_str("</tbody></table></div>\n");
}

fn importance(out: &mut String, asked: &Asked, analysis: &Analysis<'_>, number: usize) {
    let Ok(importances) = analysis.importance() else {
        out.push_str(
            "<h3>What matters most</h3>\n<p>Not all probabilities are known, so importance cannot be told.</p>\n",
        );
        return;
    };
    let mut ranked: Vec<_> = importances.events.iter().filter(|i| i.criticality.is_some()).collect();
    ranked.sort_by(|a, b| b.criticality.unwrap_or(0.0).total_cmp(&a.criticality.unwrap_or(0.0)));
    ranked.truncate(EVENTS_MAX);
    let Some(most) = ranked.first().and_then(|i| i.criticality).filter(|c| *c > 0.0) else { return };
    let list: Vec<Bar> = ranked
        .iter()
        .map(|i| {
            let share = i.criticality.unwrap_or(0.0);
            Bar {
                name: asked.subject.name(i.event).to_owned(),
                share: share / most,
                value: format!("{:.2} %", share * 100.0),
            }
        })
        .collect();
    let spoken: Vec<String> = list.iter().map(|b| format!("{} {}", b.name, b.value)).collect();
    let svg = bars(&format!("importance{number}"), "Criticality importance", &spoken.join(", "), &list);
    let exact = if importances.exact { "" } else { " Not finished: sums over the known cut sets stand in." };
    let _ = writeln!(
        out,
        "<h3>What matters most</h3>\n<figure>{svg}<figcaption>Criticality: the share of failures of the service that would not be if this could not fail.{exact}</figcaption></figure>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Table of importance\"><table><thead><tr><th scope=\"col\">Event</th><th scope=\"col\" class=\"n\">Probability</th><th scope=\"col\" class=\"n\">In sets</th><th scope=\"col\" class=\"n\">Birnbaum</th><th scope=\"col\" class=\"n\">Criticality</th><th scope=\"col\" class=\"n\">Fussell-Vesely</th><th scope=\"col\" class=\"n\">RAW</th><th scope=\"col\" class=\"n\">RRW</th></tr></thead><tbody>"
    );
    let cell = |x: Option<f64>| x.map_or_else(|| "–".to_owned(), |x| format!("{x:.3e}"));
    for i in ranked {
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
            escaped(asked.subject.name(i.event)),
            cell(Some(i.probability)),
            grouped(&i.occurrences.to_string()),
            cell(Some(i.birnbaum)),
            cell(i.criticality),
            cell(i.fussell_vesely),
            cell(i.raw),
            cell(i.rrw)
        );
    }
    out.push_str("</tbody></table></div>\n");
}

fn graph(out: &mut String, asked: &Asked, top: NodeId, singles: &HashSet<NodeId>, number: usize) {
    let model = asked.subject.model();
    let picture = picture(model, top, |n| {
        if singles.contains(&n) {
            Mark::Critical
        } else if asked.subject.is_module(n) {
            Mark::Hidden
        } else {
            Mark::None
        }
    });
    let name = asked.top_name(top);
    let text = format!("{} nodes, from the service on the left to what it needs on the right.", picture.nodes.len());
    let svg = picture.svg(&format!("graph{number}"), &format!("What {name} needs"), &text);
    let left_out = match picture.left_out {
        0 => String::new(),
        n => format!(" {n} nodes farther away are not drawn."),
    };
    let _ = writeln!(
        out,
        "<h3>What it needs</h3>\n<figure><div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Graph of {}\">{svg}</div><figcaption>From left to right: what needs, and what is needed. Rounded: can fail. A thick red border: its failure alone stops the service.{left_out}</figcaption></figure>",
        escaped(name)
    );
}

/// The whole file.
pub(super) fn page(asked: &Asked, args: &ModelArgs, sections: &[String]) -> String {
    let model = asked.subject.model();
    let title = model.name().map_or_else(|| args.file_name(), str::to_owned);
    let labels = asked.subject.labels(&asked.tops);
    let label = if labels.is_empty() {
        String::new()
    } else {
        format!("<p class=\"label\">{}</p>\n", escaped(&labels.join(" and ")))
    };
    let seen = args.reader.as_ref().map_or_else(String::new, |r| {
        format!("<p>As <strong>{}</strong> may see it. What it may not know stands as <em>hidden</em> modules, which are taken as independent of each other.</p>\n", escaped(r))
    });
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n<title>Resilience of {0}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{label}<main>\n<h1>Resilience of {0}</h1>\n<p>Which few failures stop the service, how likely that is, and what matters most. Model: {1} nodes, {2} basic events; mission time {3} h.</p>\n{seen}{4}</main>\n{label}</body>\n</html>\n",
        escaped(&title),
        model.len(),
        model.events().count(),
        model.mission_h(),
        sections.concat(),
    )
}

/// Digits in groups of three.
fn grouped(digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped_from_the_right() {
        assert_eq!(
            ["1", "123", "1234", "105955422"].map(grouped),
            ["1", "123", "1\u{202f}234", "105\u{202f}955\u{202f}422"]
        );
    }

    #[test]
    fn bars_escape_what_they_show() {
        let svg = bars("b", "a < b", "text", &[Bar { name: "<x>".to_owned(), share: 0.5, value: "1 & 2".to_owned() }]);
        assert!(svg.contains("&lt;x&gt;") && svg.contains("1 &amp; 2") && !svg.contains("<x>"));
    }
}
