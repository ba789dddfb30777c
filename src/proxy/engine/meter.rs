//! What each request was: tokens, time, target, outcome. One JSON line each in the usage log, sums in memory.

use std::{
    collections::BTreeMap,
    fs::File,
    io::Write,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use serde::Serialize;
use serde_json::value::RawValue;
use tokio::sync::Notify;

use crate::{
    base::fsx,
    proxy::{route::Price, stream::event::Usage},
    wire::manifest::Format,
};

/// Version of a line.
const VERSION: u32 = 1;
/// The log and the one before it.
const MOST: u64 = 32 << 20;
/// Lines wait for company at most this long.
const GATHER: Duration = Duration::from_millis(50);

/// One request, as its line says it.
#[derive(Debug, Serialize)]
pub(super) struct Record {
    pub(super) v: u32,
    /// Unique among all requests of all proxies.
    pub(super) id: String,
    /// 32 hex digits; empty: the owner's own.
    pub(super) session: String,
    /// Milliseconds since 1970, when the request came.
    pub(super) at: u64,
    #[serde(rename = "in")]
    pub(super) inbound: Format,
    #[serde(rename = "out")]
    pub(super) outbound: Option<Format>,
    /// As the client called it.
    pub(super) model: String,
    pub(super) rule: String,
    /// The target that answered, or the last that was asked.
    pub(super) target: String,
    pub(super) upstream_model: String,
    pub(super) stream: bool,
    /// As the client got it; 0: none.
    pub(super) status: u16,
    pub(super) outcome: Outcome,
    /// Targets that failed before, and how.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) failed: Vec<Failed>,
    pub(super) input: u64,
    pub(super) cache_read: u64,
    pub(super) cache_write: u64,
    pub(super) output: u64,
    pub(super) reasoning: u64,
    /// The upstream told no tokens, or not all of them.
    pub(super) partial: bool,
    /// The upstream's own words on tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) usage: Option<Box<RawValue>>,
    /// The upstream's id of the reply.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reply: Option<String>,
    /// The upstream's id of the request, from its headers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) request: Option<String>,
    /// Milliseconds to the first byte of the answer and to its end.
    pub(super) first_ms: f64,
    pub(super) total_ms: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    Ok,
    /// An error was the answer.
    Error,
    /// The answer ended in the middle.
    Broken,
    /// The client went away.
    Cancelled,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Failed {
    pub(super) target: String,
    pub(super) why: String,
}

impl Outcome {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Error => "error",
            Self::Broken => "broken",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A request being measured; tells the meter when it is dropped.
pub(super) struct Measure {
    pub(super) record: Record,
    pub(super) price: Option<Price>,
    begun: Instant,
    meter: std::sync::Arc<Meter>,
}

impl Measure {
    pub(super) fn new(meter: &std::sync::Arc<Meter>, inbound: Format, session: String) -> Self {
        let at = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as u64);
        let record = Record {
            v: VERSION,
            id: format!("{}-{}", meter.instance, meter.next.fetch_add(1, Ordering::Relaxed)),
            session,
            at,
            inbound,
            outbound: None,
            model: String::new(),
            rule: String::new(),
            target: String::new(),
            upstream_model: String::new(),
            stream: false,
            status: 0,
            // Until something else is known.
            outcome: Outcome::Cancelled,
            failed: Vec::new(),
            input: 0,
            cache_read: 0,
            cache_write: 0,
            output: 0,
            reasoning: 0,
            partial: true,
            usage: None,
            reply: None,
            request: None,
            first_ms: 0.0,
            total_ms: 0.0,
        };
        Self { record, price: None, begun: Instant::now(), meter: meter.clone() }
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    pub(super) fn first_byte(&mut self) {
        if self.record.first_ms == 0.0 {
            self.record.first_ms = ms(self.begun.elapsed());
        }
    }

    pub(super) fn tokens(&mut self, usage: Option<Usage>, raw: Option<String>) {
        if let Some(u) = usage {
            let r = &mut self.record;
            (r.input, r.cache_read, r.cache_write, r.output, r.reasoning) = (u.input, u.cache_read, u.cache_write, u.output, u.reasoning);
            r.partial = false;
        }
        // Some upstreams write in many lines; a record is one.
        let one_line = |raw: String| {
            if raw.contains('\n') { serde_json::from_str::<serde_json::Value>(&raw).ok().map(|v| v.to_string()) } else { Some(raw) }
        };
        self.record.usage = raw.and_then(one_line).and_then(|r| RawValue::from_string(r).ok());
    }

    pub(super) fn ended(&mut self, outcome: Outcome) {
        self.record.outcome = outcome;
    }
}

impl Drop for Measure {
    fn drop(&mut self) {
        self.record.total_ms = ms(self.begun.elapsed());
        self.record.partial |= matches!(self.record.outcome, Outcome::Broken | Outcome::Cancelled);
        self.meter.clone().count(self);
    }
}

fn ms(d: Duration) -> f64 {
    (d.as_secs_f64() * 1e6).round() / 1e3
}

#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    requests: u64,
    tokens: Usage,
    cost: f64,
}

/// Sums since the start, and the log.
pub(super) struct Meter {
    /// Names this process in ids.
    instance: String,
    next: AtomicU64,
    /** Guards the sums; held for additions only. */
    sums: Mutex<BTreeMap<String, Sum>>,
    pub(super) times: super::times::Times,
    /** Guards the lines that wait to be written; held for appends only. */
    lines: Mutex<Vec<u8>>,
    wake: Notify,
    logging: std::sync::atomic::AtomicBool,
}

impl Meter {
    pub(super) fn new() -> Self {
        let instance = uuid::Uuid::now_v7().simple().to_string();
        Self {
            instance,
            next: AtomicU64::new(0),
            sums: Mutex::default(),
            times: Default::default(),
            lines: Mutex::default(),
            wake: Notify::new(),
            logging: Default::default(),
        }
    }

    fn count(&self, measure: &Measure) {
        let record = &measure.record;
        self.times.add(record.outcome, record.total_ms);
        {
            let mut sums = self.sums.lock().unwrap_or_else(PoisonError::into_inner);
            // Most requests are for a model that was asked for before: no new text for them.
            if !sums.contains_key(&record.target) {
                sums.insert(record.target.clone(), Sum::default());
            }
            if let Some(sum) = sums.get_mut(&record.target) {
                sum.requests += 1;
                sum.tokens.input += record.input;
                sum.tokens.cache_read += record.cache_read;
                sum.tokens.cache_write += record.cache_write;
                sum.tokens.output += record.output;
                sum.tokens.reasoning += record.reasoning;
                sum.cost += measure.price.map_or(0.0, |p| {
                    record.input as f64 * p.input
                        + record.cache_read as f64 * p.cache_read
                        + record.cache_write as f64 * p.cache_write
                        + record.output as f64 * p.output
                });
            }
        }
        if self.logging.load(Ordering::Relaxed) {
            let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
            let empty = lines.is_empty();
            if serde_json::to_writer(&mut *lines, record).is_ok() {
                lines.push(b'\n');
            }
            drop(lines);
            if empty {
                self.wake.notify_one();
            }
        }
    }

    /// Writes lines to the log, a few at a time, until the task is dropped.
    pub(super) async fn write(&self, path: PathBuf) {
        self.logging.store(true, Ordering::Relaxed);
        loop {
            self.wake.notified().await;
            tokio::time::sleep(GATHER).await;
            self.flush(&path);
        }
    }

    /// Writes what waits.
    pub(super) fn flush(&self, path: &Path) {
        let lines = std::mem::take(&mut *self.lines.lock().unwrap_or_else(PoisonError::into_inner));
        if lines.is_empty() {
            return;
        }
        if let Err(error) = append(path).and_then(|mut file| file.write_all(&lines)) {
            tracing::warn!(%error, path = %path.display(), "the usage log cannot be written; these requests are in the sums only");
        }
    }

    /// Both shapes that are in use for `/spend/analytics`, in one object.
    pub(super) fn analytics(&self) -> serde_json::Value {
        let sums = self.sums.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all = Sum::default();
        let mut models = serde_json::Map::new();
        for (target, sum) in sums.iter() {
            all.requests += sum.requests;
            all.cost += sum.cost;
            add(&mut all.tokens, sum.tokens);
            models.insert(target.clone(), figures(sum));
        }
        let mut whole = figures(&all);
        if let Some(object) = whole.as_object_mut() {
            object.insert("total_requests".into(), all.requests.into());
            object.insert("total_tokens".into(), tokens(all.tokens));
            object.insert("total_input_tokens".into(), (all.tokens.input + all.tokens.cache_read + all.tokens.cache_write).into());
            object.insert("total_output_tokens".into(), all.tokens.output.into());
            object.insert("total_cost_usd".into(), all.cost.into());
            object.insert("total_spend".into(), all.cost.into());
            object.insert("by_model".into(), models.into());
        }
        whole
    }
}

fn add(to: &mut Usage, more: Usage) {
    to.input += more.input;
    to.cache_read += more.cache_read;
    to.cache_write += more.cache_write;
    to.output += more.output;
    to.reasoning += more.reasoning;
}

fn figures(sum: &Sum) -> serde_json::Value {
    let input = sum.tokens.input + sum.tokens.cache_read + sum.tokens.cache_write;
    serde_json::json!({
        "requests": sum.requests, "tokens": tokens(sum.tokens), "cost_usd": sum.cost,
        "spend": sum.cost, "input_tokens": input, "output_tokens": sum.tokens.output,
    })
}

fn tokens(u: Usage) -> serde_json::Value {
    serde_json::json!({
        "input_tokens": u.input, "output_tokens": u.output,
        "cache_creation_input_tokens": u.cache_write, "cache_read_input_tokens": u.cache_read,
    })
}

fn append(path: &Path) -> std::io::Result<File> {
    if std::fs::metadata(path).is_ok_and(|m| m.len() > MOST) {
        std::fs::rename(path, fsx::log_before(path))?;
    }
    fsx::open_log(path)
}
