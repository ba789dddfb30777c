//! Figures about the daemon and what it runs, for monitoring.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Call, Effect};

/// All figures as of now. What is counted for the daemon itself begins with its life; tokens and costs are all there are.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DaemonMetrics")]
pub struct Ask {}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Metrics {
    /// RFC 3339: when counting began.
    pub since: String,
    pub families: Vec<Family>,
}

impl Call for Ask {
    const NAME: &'static str = "daemon.metrics";
    const EFFECT: Effect = Effect::Read;
    type Reply = Metrics;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "MetricKind")]
pub enum Kind {
    /// Only grows.
    Counter,
    Gauge,
    Histogram,
}

/// One figure, once for each set of labels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Family {
    /// As Prometheus writes names.
    pub name: String,
    pub help: String,
    pub kind: Kind,
    /// As UCUM writes units: `s`, `By`, `{request}`.
    pub unit: String,
    pub points: Vec<Point>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Point {
    pub labels: BTreeMap<String, String>,
    /// Of a counter or gauge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spread: Option<Spread>,
}

/// A histogram.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Spread {
    /// Upper ends, rising; each belongs to its class.
    pub bounds: Vec<f64>,
    /// How many in each class, and beyond the last end.
    pub counts: Vec<u64>,
    pub sum: f64,
}

impl Spread {
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }
}
