//! How long an upstream asks to be left alone.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hyper::HeaderMap;
use serde::Deserialize;

/// Longer than this nothing is left alone, whatever it says: keys are refilled, limits raised.
pub(super) const MOST: Duration = Duration::from_secs(15 * 60);

/// From `retry-after(-ms)`, the vendors' reset headers, or Gemini's `RetryInfo`.
pub(super) fn told(headers: &HeaderMap, body: &[u8]) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).map(str::trim);
    if let Some(ms) = text("retry-after-ms").and_then(|t| t.parse::<f64>().ok()) {
        return seconds(ms / 1000.0);
    }
    if let Some(after) = text("retry-after") {
        return after.parse::<f64>().ok().map_or_else(|| until(after), seconds);
    }
    // The limit that is spent says when it is filled again.
    let spent = |name: &str| text(name).and_then(|t| t.parse::<f64>().ok()).is_some_and(|left| left <= 0.0);
    for kind in ["requests", "tokens", "input-tokens", "output-tokens"] {
        if spent(&format!("anthropic-ratelimit-{kind}-remaining")) {
            return text(&format!("anthropic-ratelimit-{kind}-reset")).and_then(until);
        }
        if spent(&format!("x-ratelimit-remaining-{kind}")) {
            return text(&format!("x-ratelimit-reset-{kind}")).and_then(span);
        }
    }
    retry_info(body)
}

fn seconds(s: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(s.max(0.0)).ok()
}

/// A moment: RFC 3339, or as HTTP writes it.
fn until(text: &str) -> Option<Duration> {
    let moment = text.parse::<jiff::Timestamp>().ok().or_else(|| jiff::fmt::rfc2822::parse(text).ok().map(|z| z.timestamp()))?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    seconds(moment.as_second() as f64 - now.as_secs_f64())
}

/// OpenAI's spans: `1s`, `6m0s`, `20ms`, `1h2m`.
fn span(text: &str) -> Option<Duration> {
    let mut total = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(digits);
        let letters = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let scale = match unit {
            "ms" => 0.001,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            "d" => 86_400.0,
            _ => return None,
        };
        total += number.parse::<f64>().ok()? * scale;
        rest = tail;
    }
    (!text.is_empty()).then(|| seconds(total)).flatten()
}

fn retry_info(body: &[u8]) -> Option<Duration> {
    #[derive(Deserialize)]
    struct Body {
        error: Inner,
    }
    #[derive(Deserialize)]
    struct Inner {
        details: Vec<Detail>,
    }
    #[derive(Deserialize)]
    struct Detail {
        #[serde(rename = "retryDelay")]
        retry_delay: Option<String>,
    }
    let body: Body = serde_json::from_slice(body).ok()?;
    body.error.details.into_iter().find_map(|d| d.retry_delay).and_then(|d| span(&d))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_asking_for_a_rest_is_understood() {
        let of = |pairs: &[(&str, &str)], body: &str| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(hyper::header::HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
            }
            told(&headers, body.as_bytes()).map(|d| d.as_secs_f64())
        };
        assert_eq!(of(&[("retry-after", "7")], ""), Some(7.0));
        assert_eq!(of(&[("retry-after-ms", "1500"), ("retry-after", "9")], ""), Some(1.5));
        assert_eq!(of(&[("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", "6m0.5s")], ""), Some(360.5));
        assert_eq!(of(&[("x-ratelimit-remaining-tokens", "5"), ("x-ratelimit-reset-tokens", "6m")], ""), None);
        assert_eq!(of(&[], r#"{"error":{"code":429,"details":[{"@type":"x"},{"retryDelay":"34s"}]}}"#), Some(34.0));
        assert_eq!(of(&[], "no json"), None);
        let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(100);
        for text in [soon.to_string(), soon.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()] {
            let rest = of(&[("retry-after", &text)], "").unwrap();
            assert!((90.0..=100.0).contains(&rest), "{text}: {rest}");
        }
        assert!(
            of(&[("anthropic-ratelimit-requests-remaining", "0"), ("anthropic-ratelimit-requests-reset", &soon.to_string())], "").unwrap()
                > 90.0
        );
        assert_eq!(of(&[("retry-after", "-5")], ""), Some(0.0));
        assert_eq!(of(&[("retry-after", "soon")], ""), None);
    }
}
