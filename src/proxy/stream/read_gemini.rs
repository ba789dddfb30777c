//! Gemini `streamGenerateContent` chunks, and whole `generateContent` replies, as neutral events.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::event::{ErrorKind, Event, Key, Stop, Usage};
use crate::proxy::translate::{names, seal::Seal, text::Str};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Chunk<'a> {
    #[serde(borrow, default)]
    response_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    model_version: Option<&'a RawValue>,
    #[serde(borrow, default)]
    candidates: Option<Vec<Candidate<'a>>>,
    #[serde(borrow, default)]
    prompt_feedback: Option<Feedback<'a>>,
    #[serde(default)]
    usage_metadata: Option<UsageDef>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Candidate<'a> {
    #[serde(default)]
    index: Option<u32>,
    #[serde(borrow, default)]
    content: Option<Content<'a>>,
    #[serde(borrow, default)]
    finish_reason: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    finish_message: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Content<'a> {
    #[serde(borrow, default)]
    parts: Option<Vec<PartDef<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PartDef<'a> {
    #[serde(borrow, default)]
    text: Option<&'a RawValue>,
    #[serde(default)]
    thought: Option<bool>,
    #[serde(borrow, default)]
    thought_signature: Option<&'a RawValue>,
    #[serde(borrow, default)]
    function_call: Option<FunctionCall<'a>>,
}

#[derive(Deserialize)]
struct FunctionCall<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    args: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Feedback<'a> {
    #[serde(borrow, default)]
    block_reason: Option<&'a RawValue>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
struct UsageDef {
    #[serde(default)]
    prompt_token_count: Option<u64>,
    #[serde(default)]
    cached_content_token_count: Option<u64>,
    #[serde(default)]
    candidates_token_count: Option<u64>,
    #[serde(default)]
    thoughts_token_count: Option<u64>,
    #[serde(default)]
    tool_use_prompt_token_count: Option<u64>,
}

#[derive(Debug, Default)]
pub struct Reader {
    started: bool,
    done: bool,
    /// The reply's own id: makes ids of calls that have none differ from one reply to the next.
    id: String,
    next: Key,
    /// A signature that came with text. It is given last: a client would show text that a thought
    /// interrupts as two.
    held: Option<Str<'static>>,
}

impl Reader {
    /// One frame's data. Broken JSON is an error of the reply, not of the program.
    pub fn take<'a>(&mut self, data: &'a [u8], event: &mut impl FnMut(Event<'a>)) {
        if self.done || data.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        match serde_json::from_slice(data) {
            Ok(chunk) => self.chunk(chunk, event),
            Err(e) => self.broken(&e, event),
        }
    }

    fn broken<'a>(&mut self, e: &serde_json::Error, event: &mut impl FnMut(Event<'a>)) {
        self.done = true;
        event(Event::Error { kind: ErrorKind::Broken, message: Str::quote(&format!("the upstream sent a broken chunk: {e}")) });
    }

    fn chunk<'a>(&mut self, chunk: Chunk<'a>, event: &mut impl FnMut(Event<'a>)) {
        if self.done {
            return;
        }
        if let Some(error) = chunk.error.filter(|e| e.get() != "null") {
            self.done = true;
            return event(error_of(error));
        }
        if !self.started {
            self.started = true;
            let text = |value: Option<&'a RawValue>| value.and_then(Str::of).unwrap_or_default();
            let id = text(chunk.response_id);
            self.id = id.raw().to_owned();
            event(Event::Start { id, model: text(chunk.model_version) });
        }
        if let Some(usage) = chunk.usage_metadata {
            event(Event::Usage(usage_of(usage)));
        }
        // One answer is asked for: further candidates are nobody's.
        for candidate in chunk.candidates.into_iter().flatten().filter(|c| c.index.unwrap_or(0) == 0) {
            for part in candidate.content.and_then(|c| c.parts).into_iter().flatten() {
                self.part(part, event);
            }
            if let Some(reason) = candidate.finish_reason {
                self.end(&reason, candidate.finish_message, event);
            }
        }
        if chunk.prompt_feedback.and_then(|f| f.block_reason).is_some_and(|r| r.get() != "null") {
            event(Event::Stop(Stop::Refusal));
        }
    }

    fn part<'a>(&mut self, part: PartDef<'a>, event: &mut impl FnMut(Event<'a>)) {
        let signature = part.thought_signature.and_then(Str::of).filter(|s| !s.is_empty());
        let text = part.text.and_then(Str::of);
        if let Some(call) = part.function_call {
            self.call(call, signature, event);
        } else if part.thought == Some(true) {
            event(Event::Thought(text.unwrap_or_default()));
            if let Some(own) = signature {
                event(Event::Seal(Seal::Gemini(own)));
            }
        } else {
            if let Some(text) = text {
                event(Event::Text(text));
            }
            if let Some(own) = signature {
                self.held = Some(own.into_owned());
            }
        }
    }

    /// A call comes whole, its signature right before it. One that text brought is let go: the text
    /// may do without, and on the call it would be wrong.
    fn call<'a>(&mut self, call: FunctionCall<'a>, signature: Option<Str<'a>>, event: &mut impl FnMut(Event<'a>)) {
        let Some(name) = call.name.and_then(Str::of) else { return };
        self.held = None;
        if let Some(own) = signature {
            event(Event::Seal(Seal::Gemini(own)));
        }
        let args = call.args.map(RawValue::get).filter(|a| *a != "null").unwrap_or("{}");
        let key = self.next;
        self.next += 1;
        let id = call.id.and_then(Str::of).filter(|id| !id.is_empty());
        let id = id.unwrap_or_else(|| Str::quote(&names::call_id(&format!("{}/{}", self.id, name.raw()), args, key as usize)));
        event(Event::Call { key, id, name });
        event(Event::Arguments { key, piece: Str::quote(args) });
    }

    fn end<'a>(&mut self, reason: &str, says: Option<&'a RawValue>, event: &mut impl FnMut(Event<'a>)) {
        if let Some(own) = self.held.take() {
            event(Event::Seal(Seal::Gemini(own)));
        }
        let stop = match reason {
            "MAX_TOKENS" => Stop::MaxTokens,
            "SAFETY" | "RECITATION" | "LANGUAGE" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII" | "OTHER" => Stop::Refusal,
            "IMAGE_SAFETY" | "IMAGE_PROHIBITED_CONTENT" | "IMAGE_RECITATION" => Stop::Refusal,
            // The model failed to say a call: nothing of it may be run.
            "MALFORMED_FUNCTION_CALL"
            | "UNEXPECTED_TOOL_CALL"
            | "TOO_MANY_TOOL_CALLS"
            | "MISSING_THOUGHT_SIGNATURE"
            | "MALFORMED_RESPONSE" => {
                self.done = true;
                let says = says.and_then(Str::of).map(|s| s.plain().into_owned()).unwrap_or_default();
                let message = Str::quote(format!("the model's reply ended with {reason} {says}").trim_end());
                return event(Event::Error { kind: ErrorKind::Broken, message });
            }
            _ if self.next > 0 => Stop::ToolUse,
            _ => Stop::End,
        };
        event(Event::Stop(stop));
    }
}

/// A reply that was not streamed; without `alt=sse` a stream is one array of chunks.
pub fn whole<'a>(body: &'a [u8], event: &mut impl FnMut(Event<'a>)) {
    let mut reader = Reader::default();
    if body.trim_ascii_start().first() != Some(&b'[') {
        return reader.take(body, event);
    }
    match serde_json::from_slice::<Vec<Chunk<'a>>>(body) {
        Ok(chunks) => chunks.into_iter().for_each(|chunk| reader.chunk(chunk, event)),
        Err(e) => reader.broken(&e, event),
    }
}

fn usage_of(usage: UsageDef) -> Usage {
    // The prompt's count includes what was read from a cache.
    let prompt = usage.prompt_token_count.unwrap_or(0) + usage.tool_use_prompt_token_count.unwrap_or(0);
    let read = usage.cached_content_token_count.unwrap_or(0);
    let reasoning = usage.thoughts_token_count.unwrap_or(0);
    Usage {
        input: prompt.saturating_sub(read),
        cache_read: read,
        cache_write: 0,
        output: usage.candidates_token_count.unwrap_or(0) + reasoning,
        reasoning,
    }
}

/// `google.rpc.Status`: the upstream's own words, and what kind of failure they tell.
fn error_of(error: &RawValue) -> Event<'_> {
    #[derive(Deserialize)]
    struct Body<'a> {
        #[serde(default)]
        code: Option<u16>,
        #[serde(borrow, default)]
        message: Option<&'a RawValue>,
        #[serde(borrow, default)]
        status: Option<Cow<'a, str>>,
        #[serde(borrow, default)]
        details: Option<&'a RawValue>,
    }
    let Ok(body) = serde_json::from_str::<Body<'_>>(error.get()) else {
        let message = Str::of(error).unwrap_or_else(|| Str::quote(error.get()));
        return Event::Error { kind: ErrorKind::Api, message };
    };
    // A wrong key is an invalid argument to Google.
    let wrong_key = body.details.is_some_and(|d| d.get().contains("API_KEY_INVALID"));
    let kind = match (body.status.as_deref().unwrap_or_default(), body.code.unwrap_or(0)) {
        _ if wrong_key => ErrorKind::Authentication,
        ("UNAUTHENTICATED" | "PERMISSION_DENIED", _) | (_, 401 | 403) => ErrorKind::Authentication,
        ("RESOURCE_EXHAUSTED", _) | (_, 429) => ErrorKind::RateLimit,
        ("UNAVAILABLE", _) | (_, 503) => ErrorKind::Overloaded,
        ("INVALID_ARGUMENT" | "FAILED_PRECONDITION" | "NOT_FOUND" | "OUT_OF_RANGE", _) | (_, 400 | 404) => ErrorKind::Invalid,
        _ => ErrorKind::Api,
    };
    Event::Error { kind, message: body.message.and_then(Str::of).unwrap_or_else(|| Str::quote(error.get())) }
}

#[cfg(test)]
mod tests;
