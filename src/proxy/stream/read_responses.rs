//! OpenAI Responses events, or one whole response, as neutral events.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::event::{ErrorKind, Event, Key, Stop, Usage};
use crate::proxy::translate::{
    names::{call_id, flat},
    seal::Seal,
    text::Str,
};

mod failure;

use failure::error_of;

/// One event of any kind: only the fields of its kind are there.
#[derive(Deserialize)]
struct Data<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    response: Option<Response<'a>>,
    #[serde(borrow, default)]
    item: Option<Item<'a>>,
    #[serde(borrow, default)]
    item_id: Option<&'a RawValue>,
    #[serde(default)]
    output_index: Option<u32>,
    #[serde(default)]
    content_index: Option<u32>,
    #[serde(default)]
    summary_index: Option<u32>,
    #[serde(borrow, default)]
    delta: Option<&'a RawValue>,
    #[serde(borrow, default)]
    text: Option<&'a RawValue>,
    #[serde(borrow, default)]
    refusal: Option<&'a RawValue>,
    #[serde(borrow, default)]
    arguments: Option<&'a RawValue>,
    #[serde(borrow, default)]
    input: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Response<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    model: Option<&'a RawValue>,
    #[serde(borrow, default)]
    status: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    output: Option<Vec<Item<'a>>>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
    #[serde(borrow, default)]
    incomplete_details: Option<Incomplete<'a>>,
    #[serde(default)]
    usage: Option<UsageDef>,
}

#[derive(Deserialize)]
struct Incomplete<'a> {
    #[serde(borrow, default)]
    reason: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct UsageDef {
    #[serde(default)]
    input_tokens: Option<u64>,
    #[serde(default)]
    output_tokens: Option<u64>,
    #[serde(default)]
    input_tokens_details: Option<Details>,
    #[serde(default)]
    output_tokens_details: Option<Details>,
}

#[derive(Clone, Copy, Default, Deserialize)]
struct Details {
    #[serde(default)]
    cached_tokens: Option<u64>,
    #[serde(default)]
    cache_write_tokens: Option<u64>,
    #[serde(default)]
    reasoning_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct Item<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    call_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    namespace: Option<&'a RawValue>,
    #[serde(borrow, default)]
    arguments: Option<&'a RawValue>,
    #[serde(borrow, default)]
    input: Option<&'a RawValue>,
    #[serde(borrow, default)]
    content: Option<Vec<Piece<'a>>>,
    #[serde(borrow, default)]
    summary: Option<Vec<Piece<'a>>>,
    #[serde(borrow, default)]
    encrypted_content: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Piece<'a> {
    #[serde(borrow, default)]
    text: Option<&'a RawValue>,
    #[serde(borrow, default)]
    refusal: Option<&'a RawValue>,
}

/// An output item being built. Some upstreams give it another `item_id` in every event, so the index
/// decides wherever there is one.
#[derive(Debug)]
struct Building {
    index: Option<u32>,
    id: String,
    key: Key,
    call: Call,
    /// Parts of which something was told.
    told: Vec<Part>,
    done: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    /// No call, or one whose name is not known yet.
    No,
    Json,
    Free,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Text(u32),
    Refusal(u32),
    Summary(u32),
    Thinking(u32),
    Arguments,
}

#[derive(Debug, Default)]
pub struct Reader {
    started: bool,
    done: bool,
    refused: bool,
    building: Vec<Building>,
}

impl Reader {
    /// One frame's data. Broken JSON is an error of the reply, not of the program.
    pub fn take<'a>(&mut self, data: &'a [u8], event: &mut impl FnMut(Event<'a>)) {
        let data = data.trim_ascii();
        // The format has no such end, but some send one.
        if self.done || data.is_empty() || data == b"[DONE]" {
            return;
        }
        let d: Data<'a> = match serde_json::from_slice(data) {
            Ok(data) => data,
            Err(e) => return self.fail(broken(&e), event),
        };
        let kind = d.kind.as_deref().unwrap_or_default();
        match kind {
            "response.created" | "response.in_progress" | "response.queued" => self.start(d.response.as_ref(), event),
            "response.completed" | "response.incomplete" | "response.failed" | "response.cancelled" | "response.done" => match d.response {
                Some(response) => self.end(kind, response, event),
                None => self.fail(error_of(data), event),
            },
            "response.output_item.added" | "response.output_item.done" => {
                let Some(item) = d.item else { return };
                self.start(None, event);
                let at = self.find(d.output_index, item.id, event, Some(&item));
                if kind.ends_with(".done") {
                    self.finish(at, item, event);
                }
            }
            "error" => self.fail(error_of(d.error.map_or(data, |e| e.get().as_bytes())), event),
            "" if d.error.is_some_and(|e| e.get() != "null") => {
                self.fail(error_of(d.error.map_or(data, |e| e.get().as_bytes())), event);
            }
            _ => self.piece(&d, event),
        }
    }

    fn piece<'a>(&mut self, d: &Data<'a>, event: &mut impl FnMut(Event<'a>)) {
        let (content, summary) = (d.content_index.unwrap_or(0), d.summary_index.unwrap_or(0));
        let (part, piece, whole) = match d.kind.as_deref().unwrap_or_default() {
            "response.output_text.delta" => (Part::Text(content), d.delta, false),
            "response.output_text.done" => (Part::Text(content), d.text, true),
            "response.refusal.delta" => (Part::Refusal(content), d.delta, false),
            "response.refusal.done" => (Part::Refusal(content), d.refusal, true),
            "response.reasoning_summary_text.delta" => (Part::Summary(summary), d.delta, false),
            "response.reasoning_summary_text.done" => (Part::Summary(summary), d.text, true),
            "response.reasoning_text.delta" => (Part::Thinking(content), d.delta, false),
            "response.reasoning_text.done" => (Part::Thinking(content), d.text, true),
            "response.function_call_arguments.delta" => (Part::Arguments, d.delta, false),
            "response.function_call_arguments.done" => (Part::Arguments, d.arguments, true),
            "response.custom_tool_call_input.delta" => (Part::Arguments, d.delta, false),
            "response.custom_tool_call_input.done" => (Part::Arguments, d.input, true),
            _ => return,
        };
        self.start(None, event);
        let at = self.find(d.output_index, d.item_id, event, None);
        self.tell(at, part, piece, whole, event);
    }

    fn start<'a>(&mut self, response: Option<&Response<'a>>, event: &mut impl FnMut(Event<'a>)) {
        if !std::mem::replace(&mut self.started, true) {
            let text = |value: Option<&'a RawValue>| value.and_then(Str::of).unwrap_or_default();
            event(Event::Start { id: text(response.and_then(|r| r.id)), model: text(response.and_then(|r| r.model)) });
        }
    }

    /// Where the item is kept; a call is told as soon as its name is known.
    fn find<'a>(
        &mut self,
        index: Option<u32>,
        id: Option<&'a RawValue>,
        event: &mut impl FnMut(Event<'a>),
        item: Option<&Item<'a>>,
    ) -> usize {
        let id = id.and_then(Str::of).unwrap_or_default();
        let same = |b: &Building| match (index, b.index) {
            (Some(a), Some(b)) => a == b,
            _ => !id.is_empty() && id.raw() == b.id || id.is_empty() && index.is_none() && !b.done,
        };
        let at = self.building.iter().rposition(same).unwrap_or_else(|| {
            let key = Key::try_from(self.building.len()).unwrap_or(Key::MAX);
            self.building.push(Building { index, id: id.raw().to_owned(), key, call: Call::No, told: Vec::new(), done: false });
            self.building.len() - 1
        });
        if let (Some(item), Some(b)) = (item, self.building.get_mut(at))
            && let Some(name) = item.name.and_then(Str::of).filter(|n| !n.is_empty())
            && b.call == Call::No
        {
            b.call = match &*item.kind {
                "function_call" => Call::Json,
                "custom_tool_call" => Call::Free,
                _ => return at,
            };
            let name = item.namespace.and_then(Str::of).filter(|ns| !ns.is_empty()).map_or(name.clone(), |ns| flat(&ns, &name));
            let id = item.call_id.or(item.id).and_then(Str::of).filter(|i| !i.is_empty());
            let id = id.unwrap_or_else(|| Str::quote(&call_id(&name.plain(), "", b.key as usize)));
            event(Event::Call { key: b.key, id, name });
        }
        at
    }

    /// A piece of a part, or the part as a whole: then it counts only when no piece came before
    /// (BerriAI/litellm#25321: arguments only at the end).
    fn tell<'a>(&mut self, at: usize, part: Part, piece: Option<&'a RawValue>, whole: bool, event: &mut impl FnMut(Event<'a>)) {
        let (Some(b), Some(value)) = (self.building.get_mut(at), piece) else { return };
        // Some send an object where a string belongs.
        let text = Str::of(value).unwrap_or_else(|| if value.get() == "null" { Str::default() } else { Str::quote(value.get()) });
        let before = b.told.contains(&part);
        if text.is_empty() || whole && before || part == Part::Arguments && b.call == Call::No {
            return;
        }
        let next_summary = matches!(part, Part::Summary(_)) && !before && b.told.iter().any(|p| matches!(p, Part::Summary(_)));
        if !before {
            b.told.push(part);
        }
        match part {
            Part::Text(_) => event(Event::Text(text)),
            Part::Refusal(_) => {
                self.refused = true;
                event(Event::Text(text));
            }
            Part::Summary(_) => {
                if next_summary {
                    event(Event::Thought(Str::quote("\n\n")));
                }
                event(Event::Thought(text));
            }
            Part::Thinking(_) => event(Event::Thought(text)),
            Part::Arguments if b.call == Call::Free => {
                if !before {
                    event(Event::Arguments { key: b.key, piece: Str::quote("{\"input\":\"") });
                }
                // Free text becomes a string inside of JSON, so what was escaped once is escaped twice.
                event(Event::Arguments { key: b.key, piece: Str::quote(text.raw()) });
            }
            Part::Arguments => event(Event::Arguments { key: b.key, piece: text }),
        }
    }

    /// The item as a whole: what was not told piece by piece is told now.
    fn finish<'a>(&mut self, at: usize, item: Item<'a>, event: &mut impl FnMut(Event<'a>)) {
        if self.building.get_mut(at).is_none_or(|b| std::mem::replace(&mut b.done, true)) {
            return;
        }
        let numbered = |list: Option<Vec<Piece<'a>>>| (0u32..).zip(list.into_iter().flatten());
        match &*item.kind {
            "message" => {
                for (n, piece) in numbered(item.content) {
                    self.tell(at, Part::Text(n), piece.text, true, event);
                    self.tell(at, Part::Refusal(n), piece.refusal, true, event);
                }
            }
            "reasoning" => {
                numbered(item.summary).for_each(|(n, piece)| self.tell(at, Part::Summary(n), piece.text, true, event));
                numbered(item.content).for_each(|(n, piece)| self.tell(at, Part::Thinking(n), piece.text, true, event));
                if let Some(data) = item.encrypted_content.and_then(Str::of).filter(|d| !d.is_empty()) {
                    event(Event::Seal(Seal::Responses { id: item.id.and_then(Str::of).unwrap_or_default(), data }));
                }
            }
            "function_call" => self.tell(at, Part::Arguments, item.arguments, true, event),
            "custom_tool_call" => {
                self.tell(at, Part::Arguments, item.input, true, event);
                if let Some(b) = self.building.get(at).filter(|b| b.call == Call::Free) {
                    let end = if b.told.is_empty() { "{\"input\":\"\"}" } else { "\"}" };
                    event(Event::Arguments { key: b.key, piece: Str::quote(end) });
                }
            }
            _ => {}
        }
    }

    fn end<'a>(&mut self, kind: &str, response: Response<'a>, event: &mut impl FnMut(Event<'a>)) {
        self.start(Some(&response), event);
        if let Some(usage) = response.usage {
            event(Event::Usage(usage_of(&usage)));
        }
        let status = response.status.as_deref().unwrap_or_else(|| kind.trim_start_matches("response."));
        let why = response.error.filter(|e| e.get() != "null");
        if why.is_some() || matches!(status, "failed" | "cancelled") {
            let nothing = || Event::Error { kind: ErrorKind::Api, message: Str::quote(&format!("the upstream's reply was {status}")) };
            return self.fail(why.map_or_else(nothing, |e| error_of(e.get().as_bytes())), event);
        }
        // Some tell the items only here.
        for (n, item) in (0u32..).zip(response.output.into_iter().flatten()) {
            let at = self.find(Some(n), item.id, event, Some(&item));
            self.finish(at, item, event);
        }
        self.done = true;
        let reason = response.incomplete_details.and_then(|i| i.reason);
        event(Event::Stop(match (status, reason.as_deref()) {
            (_, Some("content_filter")) => Stop::Refusal,
            ("incomplete", _) => Stop::MaxTokens,
            _ if self.refused => Stop::Refusal,
            _ => Stop::End,
        }));
    }

    fn fail<'a>(&mut self, error: Event<'a>, event: &mut impl FnMut(Event<'a>)) {
        self.done = true;
        event(error);
    }
}

/// A reply that was not streamed.
pub fn whole<'a>(body: &'a [u8], event: &mut impl FnMut(Event<'a>)) {
    let mut reader = Reader::default();
    match serde_json::from_slice::<Response<'a>>(body) {
        Ok(response) => reader.end("response.completed", response, event),
        Err(e) => reader.fail(broken(&e), event),
    }
}

fn broken(e: &serde_json::Error) -> Event<'static> {
    Event::Error { kind: ErrorKind::Broken, message: Str::quote(&format!("the upstream sent a broken event: {e}")) }
}

fn usage_of(usage: &UsageDef) -> Usage {
    let details = usage.input_tokens_details.unwrap_or_default();
    let (read, write) = (details.cached_tokens.unwrap_or(0), details.cache_write_tokens.unwrap_or(0));
    Usage {
        // The input's count includes both.
        input: usage.input_tokens.unwrap_or(0).saturating_sub(read).saturating_sub(write),
        cache_read: read,
        cache_write: write,
        output: usage.output_tokens.unwrap_or(0),
        reasoning: usage.output_tokens_details.and_then(|d| d.reasoning_tokens).unwrap_or(0),
    }
}

#[cfg(test)]
mod tests;
