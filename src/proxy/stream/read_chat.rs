//! OpenAI Chat Completions chunks as neutral events.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::event::{ErrorKind, Event, Key, Stop, Usage};
use crate::proxy::translate::{names, text::Str};

#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    model: Option<&'a RawValue>,
    #[serde(borrow, default = "Vec::new")]
    choices: Vec<Choice<'a>>,
    #[serde(default)]
    usage: Option<UsageDef>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow, default, alias = "message")]
    delta: Option<Delta<'a>>,
    #[serde(borrow, default)]
    finish_reason: Option<&'a str>,
}

#[derive(Deserialize)]
struct Delta<'a> {
    #[serde(borrow, default)]
    content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    refusal: Option<&'a RawValue>,
    #[serde(borrow, default)]
    reasoning_content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    reasoning: Option<&'a RawValue>,
    #[serde(borrow, default)]
    tool_calls: Option<Vec<ToolCall<'a>>>,
}

#[derive(Deserialize)]
struct ToolCall<'a> {
    #[serde(default)]
    index: Option<u32>,
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    function: Option<Function<'a>>,
}

#[derive(Deserialize)]
struct Function<'a> {
    #[serde(borrow, default)]
    name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    arguments: Option<&'a RawValue>,
}

#[derive(Clone, Copy, Deserialize)]
struct UsageDef {
    #[serde(default)]
    prompt_tokens: Option<u64>,
    #[serde(default)]
    completion_tokens: Option<u64>,
    #[serde(default)]
    prompt_tokens_details: Option<PromptDetails>,
    #[serde(default)]
    completion_tokens_details: Option<CompletionDetails>,
    /// DeepSeek's name for tokens read from its cache.
    #[serde(default)]
    prompt_cache_hit_tokens: Option<u64>,
}

#[derive(Clone, Copy, Deserialize)]
struct PromptDetails {
    #[serde(default)]
    cached_tokens: Option<u64>,
    #[serde(default)]
    cache_write_tokens: Option<u64>,
}

#[derive(Clone, Copy, Deserialize)]
struct CompletionDetails {
    #[serde(default)]
    reasoning_tokens: Option<u64>,
}

/// Which call is being built at an index: upstreams repeat names, leave ids out, or use index 0 for all.
#[derive(Debug)]
struct Building {
    index: u32,
    id: String,
    key: Key,
}

#[derive(Debug, Default)]
pub struct Reader {
    started: bool,
    done: bool,
    /// A refusal has a field of its own and then ends like any other text.
    refused: bool,
    building: Vec<Building>,
    next: Key,
}

impl Reader {
    /// One frame's data. Broken JSON is an error of the reply, not of the program.
    pub fn take<'a>(&mut self, data: &'a [u8], event: &mut impl FnMut(Event<'a>)) {
        if self.done || data.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        if data.trim_ascii() == b"[DONE]" {
            // Some send more behind it.
            self.done = true;
            return;
        }
        let chunk: Chunk<'a> = match serde_json::from_slice(data) {
            Ok(chunk) => chunk,
            Err(e) => {
                self.done = true;
                return event(Event::Error {
                    kind: ErrorKind::Broken,
                    message: Str::quote(&format!("the upstream sent a broken chunk: {e}")),
                });
            }
        };
        if let Some(error) = chunk.error.filter(|e| e.get() != "null") {
            self.done = true;
            return event(error_of(error));
        }
        if !self.started {
            self.started = true;
            let text = |value: Option<&'a RawValue>| value.and_then(Str::of).unwrap_or_default();
            event(Event::Start { id: text(chunk.id), model: text(chunk.model) });
        }
        for choice in chunk.choices {
            if let Some(delta) = choice.delta {
                self.delta(delta, event);
            }
            if let Some(reason) = choice.finish_reason {
                let stop = stop(reason);
                event(Event::Stop(if self.refused && stop == Stop::End { Stop::Refusal } else { stop }));
            }
        }
        if let Some(usage) = chunk.usage {
            event(Event::Usage(usage_of(usage)));
        }
    }

    fn delta<'a>(&mut self, delta: Delta<'a>, event: &mut impl FnMut(Event<'a>)) {
        if let Some(thought) = delta.reasoning_content.and_then(Str::of).or_else(|| delta.reasoning.and_then(Str::of)) {
            event(Event::Thought(thought));
        }
        if let Some(text) = delta.content.and_then(Str::of) {
            event(Event::Text(text));
        }
        if let Some(text) = delta.refusal.and_then(Str::of).filter(|t| !t.is_empty()) {
            self.refused = true;
            event(Event::Text(text));
        }
        for call in delta.tool_calls.into_iter().flatten() {
            self.call(call, event);
        }
    }

    fn call<'a>(&mut self, call: ToolCall<'a>, event: &mut impl FnMut(Event<'a>)) {
        let id = call.id.and_then(Str::of).filter(|i| !i.is_empty());
        let name = call.function.as_ref().and_then(|f| f.name).and_then(Str::of).filter(|n| !n.is_empty());
        let index = call.index.unwrap_or_else(|| self.building.last().map_or(0, |b| if id.is_some() { b.index + 1 } else { b.index }));
        let at = self.building.iter().rposition(|b| b.index == index);
        // Another id at the same index is another call.
        let same = at.and_then(|at| self.building.get(at)).filter(|b| id.as_ref().is_none_or(|id| *id.plain() == b.id));
        let key = match (same, name) {
            (Some(building), _) => building.key,
            // A piece of no call that was ever named.
            (None, None) => return,
            (None, Some(name)) => {
                let key = self.next;
                self.next += 1;
                let id = id.unwrap_or_else(|| Str::quote(&names::call_id(&name.plain(), "", key as usize)));
                self.building.push(Building { index, id: id.plain().into_owned(), key });
                event(Event::Call { key, id, name });
                key
            }
        };
        if let Some(arguments) = call.function.and_then(|f| f.arguments) {
            // Some send an object where a string belongs.
            let piece =
                Str::of(arguments).unwrap_or_else(|| if arguments.get() == "null" { Str::default() } else { Str::quote(arguments.get()) });
            event(Event::Arguments { key, piece });
        }
    }
}

/// A reply that was not streamed: the same fields, with `message` for `delta`.
pub fn whole<'a>(body: &'a [u8], event: &mut impl FnMut(Event<'a>)) {
    let mut reader = Reader::default();
    let mut stopped = false;
    reader.take(body, &mut |e| {
        stopped |= matches!(e, Event::Stop(_) | Event::Error { .. });
        event(e);
    });
    // Some leave the reason out of a whole reply.
    if !stopped {
        event(Event::Stop(if reader.refused { Stop::Refusal } else { Stop::End }));
    }
}

fn stop(reason: &str) -> Stop {
    match reason {
        "length" => Stop::MaxTokens,
        "tool_calls" | "function_call" => Stop::ToolUse,
        "content_filter" => Stop::Refusal,
        _ => Stop::End,
    }
}

fn usage_of(usage: UsageDef) -> Usage {
    let prompt = usage.prompt_tokens.unwrap_or(0);
    let details = usage.prompt_tokens_details;
    let read = details.and_then(|d| d.cached_tokens).or(usage.prompt_cache_hit_tokens).unwrap_or(0);
    let write = details.and_then(|d| d.cache_write_tokens).unwrap_or(0);
    Usage {
        // The prompt's count includes both.
        input: prompt.saturating_sub(read).saturating_sub(write),
        cache_read: read,
        cache_write: write,
        output: usage.completion_tokens.unwrap_or(0),
        reasoning: usage.completion_tokens_details.and_then(|d| d.reasoning_tokens).unwrap_or(0),
    }
}

/// The upstream's own words, whatever shape they come in.
fn error_of(error: &RawValue) -> Event<'_> {
    #[derive(Deserialize)]
    struct Body<'a> {
        #[serde(borrow, default)]
        message: Option<&'a RawValue>,
        #[serde(borrow, default)]
        r#type: Option<&'a RawValue>,
        #[serde(borrow, default)]
        code: Option<&'a RawValue>,
    }
    let Ok(body) = serde_json::from_str::<Body<'_>>(error.get()) else {
        let message = Str::of(error).unwrap_or_else(|| Str::quote(error.get()));
        return Event::Error { kind: ErrorKind::Api, message };
    };
    let word = |v: Option<&RawValue>| v.map(|v| v.get().to_lowercase()).unwrap_or_default();
    let words = format!("{} {}", word(body.r#type), word(body.code));
    let kind = [
        ("rate_limit", ErrorKind::RateLimit),
        ("429", ErrorKind::RateLimit),
        ("overloaded", ErrorKind::Overloaded),
        ("503", ErrorKind::Overloaded),
    ]
    .into_iter()
    .chain([
        ("auth", ErrorKind::Authentication),
        ("401", ErrorKind::Authentication),
        ("invalid", ErrorKind::Invalid),
        ("400", ErrorKind::Invalid),
    ])
    .find(|(sign, _)| words.contains(sign))
    .map_or(ErrorKind::Api, |(_, kind)| kind);
    Event::Error { kind, message: body.message.and_then(Str::of).unwrap_or_else(|| Str::quote(error.get())) }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::proxy::stream::order::{Orderer, Step};

    fn refusals() -> [Vec<Value>; 2] {
        let delta = |delta: Value, reason: Value| json!({"id": "x", "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]});
        let message = json!({"role": "assistant", "content": null, "refusal": "I cannot."});
        [
            vec![
                delta(json!({"refusal": "I "}), Value::Null),
                delta(json!({"refusal": "cannot."}), Value::Null),
                delta(json!({}), json!("stop")),
            ],
            vec![json!({"id": "x", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})],
        ]
    }

    /// The official API says `stop` behind a refusal.
    #[test]
    fn a_refusal_stays_one_to_the_end() {
        for chunks in refusals() {
            let (mut reader, mut orderer, mut steps) = (Reader::default(), Orderer::default(), Vec::new());
            for chunk in chunks {
                reader.take(chunk.to_string().as_bytes(), &mut |e| orderer.take(e, &mut |s| steps.push(s)));
            }
            orderer.finish(&mut |s| steps.push(s));
            let text: String = steps.iter().filter_map(|s| if let Step::Text(t) = s { Some(t.raw()) } else { None }).collect();
            assert_eq!(text, "I cannot.");
            assert!(matches!(steps.last(), Some(Step::End { stop: Stop::Refusal, .. })), "{steps:?}");
        }
    }
}
