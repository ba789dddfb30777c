//! What the formats share on the way out: JSON replies, SSE frames, ids, pieces of text, token counts.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::{Body, Reply};

/// Longest delta in characters: a text without spaces is streamed in several deltas as well.
const PIECE: usize = 24;

/// Ids that follow from the request body, so that a retried request repeats its ids.
pub(super) struct Ids {
    hex: String,
}

impl Ids {
    pub(super) fn of(body: &[u8]) -> Self {
        Self { hex: blake3::hash(body).to_hex().chars().take(22).collect() }
    }

    /// The id of the `index`-th thing of this kind in the reply, like `toolu_5f2c…00`.
    pub(super) fn id(&self, prefix: &str, index: usize) -> String {
        format!("{prefix}_{}{index:02}", self.hex)
    }
}

pub(super) fn json_reply(status: u16, body: &Value) -> Reply {
    Reply { status, content_type: "application/json", body: Body::Full(Bytes::from(body.to_string())) }
}

pub(super) fn event_reply(frames: Vec<Bytes>) -> Reply {
    Reply { status: 200, content_type: "text/event-stream; charset=utf-8", body: Body::Events(frames) }
}

/// A frame whose `event:` line repeats `data.type`: the Anthropic and Responses form.
pub(super) fn typed_frame(data: &Value) -> Bytes {
    let kind = data.get("type").and_then(Value::as_str).unwrap_or("message");
    Bytes::from(format!("event: {kind}\ndata: {data}\n\n"))
}

/// A frame without an `event:` line: the Chat Completions form.
pub(super) fn data_frame(data: &str) -> Bytes {
    Bytes::from(format!("data: {data}\n\n"))
}

/// Error body of both OpenAI formats: `{"error":{message,type,param,code}}`.
pub(super) fn openai_error(status: u16, message: &str) -> Reply {
    let (kind, code) = match status {
        401 => ("authentication_error", Some("invalid_api_key")),
        403 => ("permission_error", None),
        404 => ("invalid_request_error", Some("not_found")),
        429 => ("rate_limit_error", Some("rate_limit_exceeded")),
        400..=499 => ("invalid_request_error", None),
        _ => ("server_error", Some("server_error")),
    };
    json_reply(status, &json!({"error": {"message": message, "type": kind, "param": null, "code": code}}))
}

/// The body as a JSON object, or why it is not one.
pub(super) fn object(body: &[u8]) -> Result<Map<String, Value>, String> {
    serde_json::from_slice(body).map_err(|error| format!("the body is not a JSON object: {error}"))
}

/// The model asked for, or the default one.
pub(super) fn model(body: &Map<String, Value>) -> &str {
    let asked = body.get("model").and_then(Value::as_str).unwrap_or("");
    if asked.is_empty() { "offline-1" } else { asked }
}

pub(super) fn wants_stream(body: &Map<String, Value>) -> bool {
    body.get("stream").and_then(Value::as_bool).unwrap_or(false)
}

/// Cuts a text into deltas: after each run of spaces, and at the latest after `PIECE` characters.
/// Joined, the pieces are the text. An empty text has no piece.
pub(super) fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut length = 0;
    let mut after_space = false;
    for (at, character) in text.char_indices() {
        if length == PIECE || (after_space && !character.is_whitespace()) {
            pieces.push(&text[start..at]);
            start = at;
            length = 0;
        }
        after_space = character.is_whitespace();
        length += 1;
    }
    if start < text.len() {
        pieces.push(&text[start..]);
    }
    pieces
}

/// Deterministic stand-in for a tokenizer: a token per started four characters, at least one.
pub(super) fn tokens(characters: usize) -> u64 {
    (characters.div_ceil(4)).max(1) as u64
}

/// Characters of the text in messages or items: what a model would read, not ids, roles or images.
pub(super) fn text_characters(value: &Value) -> usize {
    match value {
        Value::String(text) => text.chars().count(),
        Value::Array(items) => items.iter().map(text_characters).sum(),
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| match (key.as_str(), value) {
                ("input", Value::Object(_)) => value.to_string().chars().count(),
                ("text" | "content" | "output" | "arguments" | "input" | "thinking", _) | ("function", _) | ("tool_calls", _) => {
                    text_characters(value)
                }
                _ => 0,
            })
            .sum(),
        _ => 0,
    }
}

#[cfg(test)]
pub(super) mod testing {
    use super::super::{Body, Reply, Request, answer};
    use serde_json::Value;

    pub(in super::super) fn post(path: &str, body: &str) -> Reply {
        answer(&Request { method: "POST", path, body: body.as_bytes(), now: 7 })
    }

    pub(in super::super) fn get(path: &str) -> Reply {
        answer(&Request { method: "GET", path, body: b"", now: 7 })
    }

    pub(in super::super) fn value(reply: &Reply) -> Value {
        match &reply.body {
            Body::Full(bytes) => serde_json::from_slice(bytes).unwrap(),
            Body::Events(_) => panic!("expected a whole body"),
        }
    }

    /// The data of each frame. A frame with an `event:` line must name the type of its data.
    pub(in super::super) fn events(reply: &Reply) -> Vec<Value> {
        let Body::Events(frames) = &reply.body else { panic!("expected events") };
        frames
            .iter()
            .map(|frame| {
                let frame = std::str::from_utf8(frame).unwrap();
                let frame = frame.strip_suffix("\n\n").unwrap();
                let (event, data) = match frame.split_once('\n') {
                    Some((event, data)) => (event.strip_prefix("event: "), data),
                    None => (None, frame),
                };
                let data = data.strip_prefix("data: ").unwrap();
                let data = serde_json::from_str(data).unwrap_or(Value::from(data));
                assert!(event.is_none_or(|event| data["type"] == event));
                data
            })
            .collect()
    }

    pub(in super::super) fn types(events: &[Value]) -> Vec<&str> {
        events.iter().map(|event| event["type"].as_str().unwrap()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_join_to_the_text_and_keep_characters_whole() {
        let long = "ä".repeat(100);
        for text in ["", "one", "two  words\nhere", " x", long.as_str()] {
            assert_eq!(pieces(text).concat(), text);
        }
        assert_eq!(pieces("two  words\nhere"), ["two  ", "words\n", "here"]);
        assert_eq!(pieces(&long).len(), 5);
    }

    #[test]
    fn tokens_are_a_quarter_rounded_up_and_at_least_one() {
        assert_eq!([0, 1, 4, 5].map(tokens), [1, 1, 1, 2]);
    }

    #[test]
    fn only_text_is_counted() {
        let message = json!({"role": "user", "content": [
            {"type": "text", "text": "four"},
            {"type": "image", "source": {"data": "AAAA"}},
            {"type": "tool_use", "id": "x", "name": "y", "input": {"a": 1}},
        ]});
        assert_eq!(text_characters(&message), 4 + r#"{"a":1}"#.len());
    }

    #[test]
    fn ids_follow_the_body() {
        assert_eq!(Ids::of(b"a").id("msg", 0), Ids::of(b"a").id("msg", 0));
        assert_ne!(Ids::of(b"a").id("msg", 0), Ids::of(b"b").id("msg", 0));
        assert_ne!(Ids::of(b"a").id("msg", 0), Ids::of(b"a").id("msg", 1));
    }
}
