//! What is counted, in the text that Prometheus reads.

use std::sync::atomic::{AtomicI64, AtomicU64};

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};

/// The type of the text: OpenMetrics 1.0.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// All counters of a server. Their labels are of small sets: nothing that a client sends becomes one.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    durations: Family<RouteLabels, Histogram, fn() -> Histogram>,
    kids: Family<KidLabels, Counter>,
    reloads: Family<ReloadLabels, Counter>,
    keys: Gauge<i64, AtomicI64>,
    connections: Gauge<i64, AtomicI64>,
    panics: Counter<u64, AtomicU64>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RequestLabels {
    route: &'static str,
    status: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RouteLabels {
    route: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct KidLabels {
    known: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ReloadLabels {
    result: &'static str,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("clearkey");
        // 16 µs to about 4 s.
        let histogram: fn() -> Histogram = || Histogram::new(exponential_buckets(16e-6, 4.0, 10));
        let requests = Family::default();
        let durations = Family::new_with_constructor(histogram);
        let (kids, reloads) = (Family::default(), Family::default());
        let (keys, connections, panics) = (Gauge::default(), Gauge::default(), Counter::default());
        registry.register("requests", "Answered requests", requests.clone());
        registry.register(
            "request_duration_seconds",
            "From a request's head to its answer's",
            durations.clone(),
        );
        registry.register("kids", "Key ids in license requests", kids.clone());
        registry.register("key_reloads", "Readings of changed key files", reloads.clone());
        registry.register("keys", "Keys that are known, without those of a seed", keys.clone());
        registry.register("connections", "Open connections", connections.clone());
        registry.register("panics", "Requests that were not answered for a fault", panics.clone());
        Self { registry, requests, durations, kids, reloads, keys, connections, panics }
    }

    pub(crate) fn request(&self, route: &'static str, status: u16, seconds: f64) {
        self.requests.get_or_create(&RequestLabels { route, status }).inc();
        self.durations.get_or_create(&RouteLabels { route }).observe(seconds);
    }

    pub(crate) fn kids(&self, known: usize, unknown: usize) {
        for (label, count) in [("true", known), ("false", unknown)] {
            self.kids.get_or_create(&KidLabels { known: label }).inc_by(count as u64);
        }
    }

    pub(crate) fn keys(&self, count: usize) {
        self.keys.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    pub(crate) fn reload(&self, is_done: bool) {
        let result = if is_done { "done" } else { "failed" };
        self.reloads.get_or_create(&ReloadLabels { result }).inc();
    }

    pub(crate) fn panicked(&self) {
        self.panics.inc();
    }

    pub(crate) fn connections(&self) -> &Gauge<i64, AtomicI64> {
        &self.connections
    }

    /// The text; empty if it cannot be written.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        match encode(&mut text, &self.registry) {
            Ok(()) => text,
            Err(_) => String::new(),
        }
    }
}
