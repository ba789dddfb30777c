//! The account's windows, as the vendor told them with an answer.

use crate::usage::collect::json::Walk;
use crate::usage::collect::sink::{Limit, Sink, Window};

pub(super) fn read(walk: &mut Walk<'_>, ts_ms: i64, sink: &mut dyn Sink) {
    let mut limit = Limit { id: "codex".into(), ts_ms, ..Limit::default() };
    walk.object(|key, value| {
        match key {
            b"limit_id" => limit.id = value.text().map_or_else(|| "codex".into(), Into::into),
            b"plan_type" => limit.plan = value.text().map(Into::into),
            b"primary" | b"secondary" => limit.windows.extend(window(value, ts_ms)),
            _ => {}
        }
        true
    });
    if !limit.windows.is_empty() {
        sink.limit(limit);
    }
}

fn window(walk: &mut Walk<'_>, ts_ms: i64) -> Option<Window> {
    let (mut used, mut window) = (None, Window::default());
    let millis = |seconds: u64| i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1000);
    walk.object(|key, value| {
        match key {
            b"used_percent" => used = value.number(),
            b"window_minutes" => window.minutes = value.count().unwrap_or(0),
            b"resets_at" => window.resets_ms = value.count().map_or(0, millis),
            // Older ones count from the time they were told.
            b"resets_in_seconds" => window.resets_ms = value.count().map_or(0, |seconds| ts_ms.saturating_add(millis(seconds))),
            _ => {}
        }
        true
    });
    used.map(|used_percent| Window { used_percent, ..window })
}
