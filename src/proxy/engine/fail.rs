//! Errors in the client's own words.
//!
//! Statuses and types: the vendors' error references, 2026-11. An upstream's message stays whole
//! inside ours, because agents recover by its wording.

use memchr::memmem;
use serde::Deserialize;

use crate::{
    proxy::{
        stream::{
            convert::{Extra, Frames},
            event::ErrorKind,
            order::Step,
            write_responses,
        },
        translate::{json::Writer, names::Names, text::Str},
    },
    wire::manifest::Format,
};

/// A failure for the client.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) status: u16,
    pub(super) message: String,
}

impl Failure {
    pub(super) fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    /// The status a client of this format expects, and the body.
    pub(super) fn body(&self, format: Format) -> (u16, Vec<u8>) {
        let message = Str::quote(&worded(format, &self.message));
        let mut w = Writer::with_capacity(self.message.len() + 128);
        match format {
            Format::Anthropic => anthropic(&mut w, self.status, &message),
            Format::OpenaiResponses if self.status != 404 => write_responses::error_body(&mut w, kind(self.status), &message),
            Format::OpenaiChat | Format::OpenaiResponses => openai(&mut w, self.status, &self.message, &message),
            Format::Gemini => gemini(&mut w, self.status, &message),
        }
        // Overload has a status of its own with Anthropic, unknown to the others.
        let status = match (self.status, format) {
            (503, Format::Anthropic) => 529,
            (529, Format::OpenaiChat | Format::OpenaiResponses | Format::Gemini) => 503,
            (status, _) => status,
        };
        (status, w.into_bytes())
    }
}

/// Kind of a status, for the events that end a stream.
pub(super) fn kind(status: u16) -> ErrorKind {
    match status {
        401..=403 => ErrorKind::Authentication,
        429 => ErrorKind::RateLimit,
        503 | 529 => ErrorKind::Overloaded,
        400..=499 => ErrorKind::Invalid,
        _ => ErrorKind::Api,
    }
}

/// What a stream that passed through told before it broke.
#[derive(Clone, Copy, Default)]
pub(super) struct Told<'a> {
    pub(super) id: Option<&'a str>,
    /// The last frames that went by, whole.
    pub(super) last: &'a [u8],
}

impl Told<'_> {
    /// Responses numbers its events.
    fn next_number(&self) -> u64 {
        const KEY: &[u8] = b"\"sequence_number\":";
        let number = memmem::rfind(self.last, KEY).and_then(|at| {
            let value = self.last.get(at + KEY.len()..)?.trim_ascii_start();
            let digits = value.iter().take_while(|b| b.is_ascii_digit()).count();
            std::str::from_utf8(value.get(..digits)?).ok()?.parse::<u64>().ok()
        });
        number.map_or(0, |n| n + 1)
    }
}

/// The event that ends a stream of this format which passed through until it broke.
pub(super) fn event(format: Format, told: Told<'_>, kind: ErrorKind, message: &str) -> Vec<u8> {
    let (message, mut out) = (Str::quote(message), Vec::with_capacity(256));
    if format == Format::OpenaiResponses {
        write_responses::failed_event(&mut out, told.id.unwrap_or("resp_0"), told.next_number(), kind, &message);
    } else {
        let names = std::sync::Arc::new(Names::default());
        Frames::new(format, names, "", 0, &Extra::default()).write(Step::Error { kind, message }, &mut out);
    }
    out
}

/// What an upstream's error body says, whatever its shape.
pub(super) fn message_of(body: &[u8], status: u16) -> String {
    #[derive(Deserialize)]
    struct Body {
        error: Option<Inner>,
        message: Option<String>,
        detail: Option<serde_json::Value>,
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Inner {
        Said { message: String },
        Text(String),
    }
    // Gemini sends a list when it was asked for one.
    let body = body.trim_ascii();
    let body = body.strip_prefix(b"[").and_then(|b| b.strip_suffix(b"]")).unwrap_or(body);
    let parsed: Option<Body> = serde_json::from_slice(body).ok();
    let said = parsed.and_then(|b| match (b.error, b.message, b.detail) {
        (Some(Inner::Said { message } | Inner::Text(message)), _, _) | (None, Some(message), _) => Some(message),
        (None, None, Some(detail)) => Some(detail.as_str().map_or_else(|| detail.to_string(), str::to_owned)),
        (None, None, None) => None,
    });
    said.filter(|m| !m.trim().is_empty()).unwrap_or_else(|| {
        let text: String = String::from_utf8_lossy(body).chars().take(500).collect();
        if text.trim().is_empty() {
            format!("the upstream answered {status} and said nothing")
        } else {
            format!("the upstream answered {status}: {text}")
        }
    })
}

/// Words of vendors whose model was given more than it can read.
const TOO_LONG: &[&str] = &[
    "context_length_exceeded",
    "maximum context length",
    "prompt is too long",
    "input token count",
    "context window",
    "exceeds the maximum number of tokens",
];

fn too_long(message: &str) -> bool {
    TOO_LONG.iter().any(|words| message.contains(words))
}

/// Claude Code shortens its history on these words.
fn worded(format: Format, message: &str) -> std::borrow::Cow<'_, str> {
    if format == Format::Anthropic && too_long(message) && !message.contains("prompt is too long") {
        return format!("prompt is too long: {message}").into();
    }
    message.into()
}

fn anthropic(w: &mut Writer, status: u16, message: &Str<'_>) {
    let word = match status {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        409 => "conflict_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        408 | 504 => "timeout_error",
        503 | 529 => "overloaded_error",
        400..=499 => "invalid_request_error",
        _ => "api_error",
    };
    w.open(b'{').key("type").text("error").key("error").open(b'{').key("type").text(word).key("message").str(message);
    w.close(b'}').close(b'}');
}

fn openai(w: &mut Writer, status: u16, plain: &str, message: &Str<'_>) {
    let (word, code) = match status {
        401 | 403 => ("authentication_error", Some("invalid_api_key")),
        402 => ("insufficient_quota", Some("insufficient_quota")),
        404 => ("invalid_request_error", Some("model_not_found")),
        429 => ("rate_limit_error", Some("rate_limit_exceeded")),
        503 | 529 => ("server_error", Some("server_is_overloaded")),
        400..=499 => ("invalid_request_error", too_long(plain).then_some("context_length_exceeded")),
        _ => ("server_error", None),
    };
    w.open(b'{').key("error").open(b'{').key("message").str(message).key("type").text(word).key("param").raw("null").key("code");
    match code {
        Some(code) => w.text(code),
        None => w.raw("null"),
    };
    w.close(b'}').close(b'}');
}

fn gemini(w: &mut Writer, status: u16, message: &Str<'_>) {
    let word = match status {
        401 => "UNAUTHENTICATED",
        402 | 403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        429 => "RESOURCE_EXHAUSTED",
        408 | 504 => "DEADLINE_EXCEEDED",
        503 | 529 => "UNAVAILABLE",
        400..=499 => "INVALID_ARGUMENT",
        _ => "INTERNAL",
    };
    let code = if status == 529 { 503 } else { status };
    w.open(b'{').key("error").open(b'{').key("code").number(u64::from(code)).key("message").str(message);
    w.key("status").text(word).key("details").raw("[]").close(b'}').close(b'}');
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn an_upstreams_words_survive_in_every_format() {
        let bodies = [
            r#"{"error":{"message":"slow down: 3 \"x\"","type":"t"}}"#,
            r#"{"type":"error","error":{"type":"rate_limit_error","message":"slow down: 3 \"x\""}}"#,
            r#"[{"error":{"code":429,"message":"slow down: 3 \"x\"","status":"RESOURCE_EXHAUSTED"}}]"#,
            r#"{"message":"slow down: 3 \"x\""}"#,
            r#"{"error":"slow down: 3 \"x\""}"#,
            r#"{"detail":"slow down: 3 \"x\""}"#,
            "slow down: 3 \"x\"",
        ];
        for body in bodies {
            let failure = Failure::new(429, message_of(body.as_bytes(), 429));
            for format in [Format::Anthropic, Format::OpenaiChat, Format::OpenaiResponses, Format::Gemini] {
                let (status, out) = failure.body(format);
                let out: Value = serde_json::from_slice(&out).unwrap();
                assert_eq!(status, 429);
                assert!(out["error"]["message"].as_str().unwrap().contains("slow down: 3 \"x\""), "{out}");
            }
        }
        assert!(message_of(b"", 502).contains("502"));
    }

    #[test]
    fn a_broken_responses_stream_is_continued_where_it_was() {
        let last = b"data: {\"sequence_number\":7}\n\ndata: {\"delta\":\"\\\"sequence_number\\\":90\",\"sequence_number\": 8}\n\n";
        let out = event(Format::OpenaiResponses, Told { id: Some("own"), last }, ErrorKind::Broken, "x");
        let out = String::from_utf8(out).unwrap();
        assert!(out.contains("\"sequence_number\":9,") && out.contains("\"id\":\"own\""), "{out}");
        assert_eq!(Told::default().next_number(), 0);
    }

    #[test]
    fn overload_and_a_full_context_are_said_as_each_client_understands_them() {
        assert_eq!(Failure::new(529, "x").body(Format::OpenaiChat).0, 503);
        assert_eq!(Failure::new(529, "x").body(Format::Anthropic).0, 529);
        assert_eq!(Failure::new(503, "x").body(Format::Anthropic).0, 529);
        let full = Failure::new(400, "This model's maximum context length is 8192 tokens");
        let (_, body) = full.body(Format::Anthropic);
        assert!(String::from_utf8(body).unwrap().contains("prompt is too long: This model's maximum"));
        let (_, body) = full.body(Format::OpenaiResponses);
        assert!(String::from_utf8(body).unwrap().contains("\"context_length_exceeded\""));
    }
}
