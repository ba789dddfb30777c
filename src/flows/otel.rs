//! Figures for a collector of OpenTelemetry (OTLP over HTTP, in its JSON form).

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    app::App,
    base::{error::Result, seams::rfc3339},
    flows::metrics,
    wire::{
        envelope::Caller,
        metrics::{Ask, Family, Kind, Metrics, Point},
    },
};

/// A collector that hangs must not hold up the end of the daemon.
const LIMIT: Duration = Duration::from_secs(5);
/// OTLP's number for "since the start".
const CUMULATIVE: u8 = 2;

/// Where figures go, and how often. `None`: nowhere.
pub fn settings(app: &App) -> Result<Option<(String, Duration)>> {
    let endpoint = app.config.text("otel.endpoint")?;
    if endpoint.is_empty() || endpoint == "off" {
        return Ok(None);
    }
    let seconds = app.config.number("otel.interval_seconds")?.max(1);
    Ok(Some((endpoint, Duration::from_secs(seconds))))
}

/// Sends all figures once. Waits.
pub fn export(app: &App, endpoint: &str) -> Result<()> {
    let figures = metrics::metrics(app, Ask {}, &Caller::default())?;
    let base = endpoint.trim_end_matches('/');
    let url = if base.ends_with("/v1/metrics") { base.to_owned() } else { format!("{base}/v1/metrics") };
    let body = document(&figures, &rfc3339(&*app.seams.clock)).to_string();
    app.seams.fetch.post_json(&url, body.as_bytes(), LIMIT)
}

fn document(figures: &Metrics, now: &str) -> Value {
    let (since, now) = (nanos(&figures.since), nanos(now));
    let metrics: Vec<Value> = figures.families.iter().map(|family| metric(family, &since, &now)).collect();
    let version = env!("CARGO_PKG_VERSION");
    json!({ "resourceMetrics": [{
        "resource": { "attributes": [attribute("service.name", "clown"), attribute("service.version", version)] },
        "scopeMetrics": [{ "scope": { "name": "clown", "version": version }, "metrics": metrics }],
    }] })
}

fn metric(family: &Family, since: &str, now: &str) -> Value {
    let points: Vec<Value> = family.points.iter().map(|p| point(p, since, now)).collect();
    let mut metric = json!({ "name": family.name, "description": family.help, "unit": family.unit });
    let (kind, data) = match family.kind {
        Kind::Counter => ("sum", json!({ "aggregationTemporality": CUMULATIVE, "isMonotonic": true, "dataPoints": points })),
        Kind::Gauge => ("gauge", json!({ "dataPoints": points })),
        Kind::Histogram => ("histogram", json!({ "aggregationTemporality": CUMULATIVE, "dataPoints": points })),
    };
    metric[kind] = data;
    metric
}

/// 64-bit numbers are texts in this form.
fn point(point: &Point, since: &str, now: &str) -> Value {
    let attributes: Vec<Value> = point.labels.iter().map(|(name, value)| attribute(name, value)).collect();
    let mut out = json!({ "attributes": attributes, "startTimeUnixNano": since, "timeUnixNano": now });
    if let Some(value) = point.value {
        out["asDouble"] = value.into();
    }
    if let Some(spread) = &point.spread {
        out["count"] = spread.count().to_string().into();
        out["sum"] = spread.sum.into();
        out["bucketCounts"] = spread.counts.iter().map(u64::to_string).collect();
        out["explicitBounds"] = spread.bounds.clone().into();
    }
    out
}

fn attribute(name: &str, value: &str) -> Value {
    json!({ "key": name, "value": { "stringValue": value } })
}

fn nanos(time: &str) -> String {
    time.parse::<jiff::Timestamp>().map_or_else(|_| "0".to_owned(), |t| t.as_nanosecond().max(0).to_string())
}
