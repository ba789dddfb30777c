//! Anthropic Messages events, and whole messages, as neutral events.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::event::{ErrorKind, Event, Stop, Usage};
use crate::proxy::translate::{seal::Seal, text::Str};

#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(rename = "type", borrow)]
    kind: &'a str,
    #[serde(default)]
    index: u32,
    #[serde(borrow, default)]
    message: Option<Message<'a>>,
    #[serde(borrow, default)]
    content_block: Option<Block<'a>>,
    #[serde(borrow, default)]
    delta: Option<Delta<'a>>,
    #[serde(default)]
    usage: Option<Tokens>,
    #[serde(borrow, default)]
    error: Option<Failure<'a>>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    model: Option<&'a RawValue>,
    #[serde(borrow, default)]
    content: Vec<Block<'a>>,
    #[serde(borrow, default)]
    stop_reason: Option<&'a str>,
    #[serde(default)]
    usage: Option<Tokens>,
}

#[derive(Deserialize)]
struct Block<'a> {
    #[serde(rename = "type", borrow)]
    kind: &'a str,
    #[serde(borrow, default)]
    text: Option<&'a RawValue>,
    #[serde(borrow, default)]
    thinking: Option<&'a RawValue>,
    #[serde(borrow, default)]
    signature: Option<&'a RawValue>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    input: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Delta<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: Option<&'a str>,
    #[serde(borrow, default)]
    text: Option<&'a RawValue>,
    #[serde(borrow, default)]
    thinking: Option<&'a RawValue>,
    #[serde(borrow, default)]
    signature: Option<&'a RawValue>,
    #[serde(borrow, default)]
    partial_json: Option<&'a RawValue>,
    #[serde(borrow, default)]
    stop_reason: Option<&'a str>,
}

#[derive(Clone, Copy, Deserialize)]
struct Tokens {
    #[serde(default)]
    input_tokens: Option<u64>,
    #[serde(default)]
    output_tokens: Option<u64>,
    #[serde(default)]
    cache_creation_input_tokens: Option<u64>,
    #[serde(default)]
    cache_read_input_tokens: Option<u64>,
    #[serde(default)]
    output_tokens_details: Option<OutputDetails>,
}

#[derive(Clone, Copy, Deserialize)]
struct OutputDetails {
    #[serde(default)]
    thinking_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct Failure<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: Option<&'a str>,
    #[serde(borrow, default)]
    message: Option<&'a RawValue>,
}

#[derive(Debug, Default)]
pub struct Reader {
    /// Counts come twice: some only at the start, some only at the end.
    usage: Usage,
}

impl Reader {
    /// One frame's data.
    pub fn take<'a>(&mut self, data: &'a [u8], event: &mut impl FnMut(Event<'a>)) {
        if data.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        let frame: Frame<'a> = match serde_json::from_slice(data) {
            Ok(frame) => frame,
            Err(e) => {
                return event(Event::Error {
                    kind: ErrorKind::Broken,
                    message: Str::quote(&format!("the upstream sent a broken event: {e}")),
                });
            }
        };
        match frame.kind {
            "message_start" => {
                if let Some(message) = frame.message {
                    event(Event::Start { id: text(message.id), model: text(message.model) });
                    self.count(message.usage, event);
                }
            }
            "content_block_start" => {
                if let Some(block) = frame.content_block {
                    open(frame.index, &block, event);
                }
            }
            "content_block_delta" => {
                if let Some(d) = frame.delta {
                    delta(frame.index, &d, event);
                }
            }
            "message_delta" => {
                self.count(frame.usage, event);
                if let Some(reason) = frame.delta.and_then(|d| d.stop_reason) {
                    event(Event::Stop(stop(reason)));
                }
            }
            "error" => {
                if let Some(error) = frame.error {
                    event(failure(error.kind, error.message));
                }
            }
            // `ping`, `content_block_stop`, `message_stop` and kinds still to come.
            _ => {}
        }
    }

    fn count<'a>(&mut self, tokens: Option<Tokens>, event: &mut impl FnMut(Event<'a>)) {
        let Some(tokens) = tokens else { return };
        let keep = |now: Option<u64>, before: u64| now.unwrap_or(before);
        self.usage = Usage {
            input: keep(tokens.input_tokens, self.usage.input),
            cache_read: keep(tokens.cache_read_input_tokens, self.usage.cache_read),
            cache_write: keep(tokens.cache_creation_input_tokens, self.usage.cache_write),
            output: keep(tokens.output_tokens, self.usage.output),
            reasoning: keep(tokens.output_tokens_details.and_then(|d| d.thinking_tokens), self.usage.reasoning),
        };
        event(Event::Usage(self.usage));
    }
}

/// A reply that was not streamed.
pub fn whole<'a>(body: &'a [u8], event: &mut impl FnMut(Event<'a>)) {
    let message: Message<'a> = match serde_json::from_slice(body) {
        Ok(message) => message,
        Err(e) => {
            return event(Event::Error {
                kind: ErrorKind::Broken,
                message: Str::quote(&format!("the upstream sent a broken message: {e}")),
            });
        }
    };
    event(Event::Start { id: text(message.id), model: text(message.model) });
    for (n, block) in message.content.iter().enumerate() {
        let key = u32::try_from(n).unwrap_or(u32::MAX);
        open(key, block, event);
        if block.kind == "tool_use" {
            event(Event::Arguments { key, piece: Str::quote(block.input.map_or("{}", RawValue::get)) });
        }
    }
    Reader::default().count(message.usage, event);
    event(Event::Stop(message.stop_reason.map_or(Stop::End, stop)));
}

fn text(value: Option<&RawValue>) -> Str<'_> {
    value.and_then(Str::of).unwrap_or_default()
}

fn open<'a>(index: u32, block: &Block<'a>, event: &mut impl FnMut(Event<'a>)) {
    match block.kind {
        "text" => event(Event::Text(text(block.text))),
        "thinking" => {
            event(Event::Thought(text(block.thinking)));
            seal(block.signature, event);
        }
        "redacted_thinking" => event(Event::Seal(Seal::Redacted(text(block.data)))),
        "tool_use" => event(Event::Call { key: index, id: text(block.id), name: text(block.name) }),
        _ => {}
    }
}

fn delta<'a>(index: u32, d: &Delta<'a>, event: &mut impl FnMut(Event<'a>)) {
    match d.kind.unwrap_or_default() {
        "text_delta" => event(Event::Text(text(d.text))),
        "thinking_delta" => event(Event::Thought(text(d.thinking))),
        "signature_delta" => seal(d.signature, event),
        "input_json_delta" => event(Event::Arguments { key: index, piece: text(d.partial_json) }),
        _ => {}
    }
}

/// Its own, or another vendor's that passed through here before.
fn seal<'a>(signature: Option<&'a RawValue>, event: &mut impl FnMut(Event<'a>)) {
    if let Some(signature) = signature.and_then(Str::of).filter(|s| !s.is_empty()) {
        event(Event::Seal(Seal::open(&signature).unwrap_or(Seal::Anthropic(signature))));
    }
}

fn stop(reason: &str) -> Stop {
    match reason {
        "max_tokens" | "model_context_window_exceeded" => Stop::MaxTokens,
        "tool_use" => Stop::ToolUse,
        "stop_sequence" => Stop::StopSequence,
        "refusal" => Stop::Refusal,
        _ => Stop::End,
    }
}

fn failure<'a>(kind: Option<&str>, message: Option<&'a RawValue>) -> Event<'a> {
    let kind = match kind.unwrap_or_default() {
        "invalid_request_error" | "not_found_error" | "request_too_large" => ErrorKind::Invalid,
        "authentication_error" | "permission_error" | "billing_error" => ErrorKind::Authentication,
        "rate_limit_error" => ErrorKind::RateLimit,
        "overloaded_error" => ErrorKind::Overloaded,
        _ => ErrorKind::Api,
    };
    Event::Error { kind, message: text(message) }
}
