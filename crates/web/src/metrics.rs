//! Figures for the operator, in the Prometheus text format. Labels are route and status: a fixed, small number of series, and nothing about partners or objects.

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric as _, text},
    metrics::{
        MetricType, counter::ConstCounter, counter::Counter, family::Family, gauge::ConstGauge, gauge::Gauge,
        histogram::Histogram,
    },
    registry::{Registry, Unit},
};
use std::{fmt, sync::Arc, time::Duration};

/// What else the operator sees: totals that the node keeps (released, withheld, held, quarantined ...).
pub trait Operator: Send + Sync + 'static {
    /// The figures now. Called from a blocking pool at every scrape.
    fn figures(&self) -> Vec<Figure>;
}

/// One figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// Name without prefix and without `_total`, e.g. `released_objects`.
    pub name: &'static str,
    /// One sentence.
    pub help: &'static str,
    /// Kind.
    pub kind: FigureKind,
    /// Value.
    pub value: u64,
}

/// How a figure moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FigureKind {
    /// Up only.
    Counter,
    /// Up and down.
    Gauge,
}

/// The figures of one process.
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    durations: Family<RouteLabels, Histogram>,
    open: Gauge,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: &'static str,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: &'static str,
}

/// Upper bounds of the latency histogram, in seconds: from a cached page to a large import.
const BUCKETS_S: [f64; 14] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0];

impl Metrics {
    /// With the operator's figures beside those of HTTP.
    pub fn new(operator: Arc<dyn Operator>) -> Self {
        let mut registry = Registry::with_prefix("entente");
        let requests = Family::<RequestLabels, Counter>::default();
        let durations = Family::<RouteLabels, Histogram>::new_with_constructor(|| Histogram::new(BUCKETS_S));
        let open = Gauge::default();
        registry.register("http_requests", "requests answered, by route and status", requests.clone());
        registry.register_with_unit(
            "http_request_duration",
            "time from the head of a request to its reply",
            Unit::Seconds,
            durations.clone(),
        );
        registry.register("http_requests_open", "requests being answered", open.clone());
        registry.register_collector(Box::new(OperatorFigures(operator)));
        Self { registry, requests, durations, open }
    }

    /// The text of a scrape; blocking.
    pub fn text(&self) -> Result<String, fmt::Error> {
        let mut out = String::new();
        text::encode(&mut out, &self.registry)?;
        Ok(out)
    }

    pub(crate) fn open(&self) -> Open {
        self.open.inc();
        Open(self.open.clone())
    }

    pub(crate) fn answered(&self, route: &'static str, status: u16, took: Duration) {
        self.requests.get_or_create(&RequestLabels { route, status }).inc();
        self.durations.get_or_create(&RouteLabels { route }).observe(took.as_secs_f64());
    }
}

/// Counts a request as open until dropped, also when the client goes away.
pub(crate) struct Open(Gauge);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}

struct OperatorFigures(Arc<dyn Operator>);

impl fmt::Debug for OperatorFigures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OperatorFigures")
    }
}

impl Collector for OperatorFigures {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        for figure in self.0.figures() {
            match figure.kind {
                FigureKind::Counter => {
                    let counter = ConstCounter::new(figure.value);
                    counter.encode(encoder.encode_descriptor(
                        figure.name,
                        figure.help,
                        None,
                        MetricType::Counter,
                    )?)?;
                }
                FigureKind::Gauge => {
                    let gauge = ConstGauge::new(i64::try_from(figure.value).unwrap_or(i64::MAX));
                    gauge.encode(encoder.encode_descriptor(figure.name, figure.help, None, MetricType::Gauge)?)?;
                }
            }
        }
        Ok(())
    }
}
