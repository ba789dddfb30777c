//! A regular reply as OpenAI Responses: events, or one object.

use std::ops::Deref;

use super::{
    event::{ErrorKind, Stop, Usage},
    order::Step,
};
use crate::proxy::translate::{json::Writer, names::Names, text::Str};

mod items;

use items::{Call, End, Item, Status};

/// Writes frames. Codex takes what was said from `response.output_item.done` alone, other clients
/// from the deltas; both end with one response that holds everything.
#[derive(Debug)]
pub struct Frames<N> {
    names: N,
    /// The model as the client called it.
    model: String,
    /// Unix seconds; the format wants them.
    created: u64,
    /// Of the reply, without its prefix.
    id: Option<String>,
    sequence: u64,
    open: Option<Item>,
    /// Whole items, as JSON.
    items: Vec<String>,
    ended: bool,
}

impl<N: Deref<Target = Names>> Frames<N> {
    /// `names` as [`Names::of`] the client's request.
    pub fn new(names: N, model: &str, created: u64) -> Self {
        Self { names, model: model.to_owned(), created, id: None, sequence: 0, open: None, items: Vec::new(), ended: false }
    }

    pub fn write(&mut self, step: Step, out: &mut Vec<u8>) {
        if self.ended {
            return;
        }
        match step {
            Step::Start { id, .. } => self.start(&id, out),
            Step::OpenText => self.open(Item::Message { text: String::new() }, out),
            Step::OpenThought => self.open(Item::Reasoning { text: String::new(), seal: None }, out),
            Step::OpenCall { id, name } => self.open(Item::call(id, &name, &self.names), out),
            Step::Text(piece) => {
                if let Some(Item::Message { text }) = &mut self.open {
                    text.push_str(piece.raw());
                    self.frame(out, "response.output_text.delta", "content_index", |w, _| {
                        w.key("delta").str(&piece).key("logprobs").raw("[]");
                    });
                }
            }
            Step::Thought(piece) => {
                if let Some(Item::Reasoning { text, .. }) = &mut self.open {
                    let first = text.is_empty();
                    text.push_str(piece.raw());
                    if first {
                        self.frame(out, "response.reasoning_summary_part.added", "summary_index", |w, _| {
                            items::summary_part(w.key("part"), "");
                        });
                    }
                    self.frame(out, "response.reasoning_summary_text.delta", "summary_index", |w, _| {
                        w.key("delta").str(&piece);
                    });
                }
            }
            Step::Seal(proof) => {
                if let Some(Item::Reasoning { seal, .. }) = &mut self.open {
                    *seal = Some(proof);
                }
            }
            Step::Arguments(piece) => {
                if let Some(Item::Call(call)) = &mut self.open {
                    call.arguments.push_str(piece.raw());
                    // A free tool's text is known when its JSON is whole.
                    if !call.free {
                        self.frame(out, "response.function_call_arguments.delta", "", |w, _| {
                            w.key("delta").str(&piece);
                        });
                    }
                }
            }
            // Whether a call has no arguments or was cut before them shows only behind it.
            Step::Close if matches!(&self.open, Some(Item::Call(call)) if call.arguments.is_empty()) => {}
            Step::Close => self.close(out),
            Step::End { stop, usage } => {
                if stop != Stop::MaxTokens {
                    self.close(out);
                }
                self.end(&End { usage: Some(usage), stop: Some(stop), error: None }, out);
            }
            Step::Error { kind, message } => self.end(&End { usage: None, stop: None, error: Some((kind, message)) }, out),
        }
    }

    fn start(&mut self, id: &Str<'_>, out: &mut Vec<u8>) {
        if self.id.is_some() {
            return;
        }
        self.id = Some(reply(id));
        self.response(out, "response.created", &End::default());
        self.response(out, "response.in_progress", &End::default());
    }

    fn open(&mut self, item: Item, out: &mut Vec<u8>) {
        self.close(out);
        self.open = Some(item);
        self.item(out, "response.output_item.added", Status::InProgress);
        if let Some(Item::Message { .. }) = self.open {
            self.frame(out, "response.content_part.added", "content_index", |w, _| items::text_part(w.key("part"), ""));
        }
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        match &self.open {
            None => return,
            Some(Item::Message { .. }) => {
                self.frame(out, "response.output_text.done", "content_index", |w, item| {
                    w.key("text").strs(&[words(item)]).key("logprobs").raw("[]");
                });
                self.frame(out, "response.content_part.done", "content_index", |w, item| items::text_part(w.key("part"), words(item)));
            }
            Some(Item::Reasoning { text, .. }) if text.is_empty() => {}
            Some(Item::Reasoning { .. }) => {
                self.frame(out, "response.reasoning_summary_text.done", "summary_index", |w, item| {
                    w.key("text").strs(&[words(item)]);
                });
                self.frame(out, "response.reasoning_summary_part.done", "summary_index", |w, item| {
                    items::summary_part(w.key("part"), words(item));
                });
            }
            Some(Item::Call(call)) if call.cut() => return self.keep(Status::Incomplete),
            Some(Item::Call(call)) => {
                let (given, name) = (call.given(), call.name.clone());
                let (kind, key) = if call.free { ("custom_tool_call_input", "input") } else { ("function_call_arguments", "arguments") };
                if call.free || call.arguments.is_empty() {
                    self.frame(out, &format!("response.{kind}.delta"), "", |w, _| {
                        w.key("delta").strs(&[&given]);
                    });
                }
                self.frame(out, &format!("response.{kind}.done"), "", |w, _| {
                    w.key("name").text(&name).key(key).strs(&[&given]);
                });
            }
        }
        self.item(out, "response.output_item.done", Status::Completed);
        self.keep(Status::Completed);
    }

    /// Into the response at the end.
    fn keep(&mut self, status: Status) {
        let id = self.item_id();
        if let Some(item) = self.open.take() {
            let mut w = Writer::default();
            item.write(&mut w, &id, status);
            self.items.push(String::from_utf8(w.into_bytes()).unwrap_or_default());
        }
    }

    fn end(&mut self, end: &End, out: &mut Vec<u8>) {
        self.start(&Str::default(), out);
        if self.open.is_some() {
            self.keep(Status::Incomplete);
        }
        self.ended = true;
        let name = match end.status() {
            Status::Failed => "response.failed",
            Status::Incomplete => "response.incomplete",
            Status::Completed | Status::InProgress => "response.completed",
        };
        self.response(out, name, end);
    }

    fn item_id(&self) -> Str<'static> {
        let reply = self.id.as_deref().unwrap_or_default();
        self.open.as_ref().map(|i| i.id(reply, self.items.len() as u64)).unwrap_or_default()
    }

    fn head(&mut self, w: &mut Writer, name: &str) {
        w.open(b'{').key("type").text(name).key("sequence_number").number(self.sequence);
        self.sequence += 1;
    }

    fn response(&mut self, out: &mut Vec<u8>, name: &str, end: &End) {
        let mut w = Writer::with_capacity(1024);
        self.head(&mut w, name);
        let id = format!("resp_{}", self.id.as_deref().unwrap_or_default());
        items::response(w.key("response"), &id, &self.model, self.created, &self.items, end);
        send(out, name, w);
    }

    fn item(&mut self, out: &mut Vec<u8>, name: &str, status: Status) {
        let (mut w, id) = (Writer::with_capacity(256), self.item_id());
        self.head(&mut w, name);
        w.key("output_index").number(self.items.len() as u64);
        if let Some(item) = &self.open {
            item.write(w.key("item"), &id, status);
        }
        send(out, name, w);
    }

    /// An event about the open item; `part` names the index of the part within it, if it has any.
    fn frame(&mut self, out: &mut Vec<u8>, name: &str, part: &str, body: impl FnOnce(&mut Writer, Option<&Item>)) {
        let (mut w, id) = (Writer::with_capacity(256), self.item_id());
        self.head(&mut w, name);
        w.key("item_id").str(&id).key("output_index").number(self.items.len() as u64);
        if !part.is_empty() {
            w.key(part).number(0);
        }
        body(&mut w, self.open.as_ref());
        send(out, name, w);
    }
}

fn words(item: Option<&Item>) -> &str {
    match item {
        Some(Item::Message { text } | Item::Reasoning { text, .. }) => text,
        _ => "",
    }
}

fn send(out: &mut Vec<u8>, name: &str, mut w: Writer) {
    w.close(b'}');
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\ndata: ");
    out.extend_from_slice(&w.into_bytes());
    out.extend_from_slice(b"\n\n");
}

/// A reply's id without a prefix; what the upstream left out is made up, the same each time.
fn reply(id: &Str<'_>) -> String {
    let plain = id.plain();
    let bare = ["resp_", "msg_"].iter().find_map(|p| plain.strip_prefix(p)).unwrap_or(&plain);
    if bare.is_empty() { "0".into() } else { bare.to_owned() }
}

/// Collects a reply that is not streamed.
#[derive(Debug, Default)]
pub struct Whole {
    id: Str<'static>,
    /// Names of calls are the client's only at the end, when they are known.
    blocks: Vec<Block>,
    end: End,
}

#[derive(Debug)]
enum Block {
    Item(Item),
    Call { id: Str<'static>, name: Str<'static>, arguments: String },
}

impl Whole {
    pub fn take(&mut self, step: Step) {
        match (step, self.blocks.last_mut()) {
            (Step::Start { id, .. }, _) => self.id = id,
            (Step::OpenText, _) => self.blocks.push(Block::Item(Item::Message { text: String::new() })),
            (Step::OpenThought, _) => self.blocks.push(Block::Item(Item::Reasoning { text: String::new(), seal: None })),
            (Step::OpenCall { id, name }, _) => self.blocks.push(Block::Call { id, name, arguments: String::new() }),
            (Step::Text(piece), Some(Block::Item(Item::Message { text })))
            | (Step::Thought(piece), Some(Block::Item(Item::Reasoning { text, .. })))
            | (Step::Arguments(piece), Some(Block::Call { arguments: text, .. })) => text.push_str(piece.raw()),
            (Step::Seal(proof), Some(Block::Item(Item::Reasoning { seal, .. }))) => *seal = Some(proof),
            (Step::End { stop, usage }, _) => self.end = End { usage: Some(usage), stop: Some(stop), error: None },
            (Step::Error { kind, message }, _) => self.end.error = Some((kind, message)),
            _ => {}
        }
    }

    /// The body, or the error the reply came to. `names` as [`Names::of`] the client's request.
    pub fn body(self, names: &Names, model: &str, created: u64) -> Result<Vec<u8>, (ErrorKind, Str<'static>)> {
        if let Some(error) = self.end.error {
            return Err(error);
        }
        let reply = reply(&self.id);
        let mut items = Vec::new();
        let (last, limited) = (self.blocks.len() as u64, self.end.stop == Some(Stop::MaxTokens));
        for (n, block) in (0u64..).zip(self.blocks) {
            let item = match block {
                Block::Item(item) => item,
                Block::Call { id, name, arguments: pieces } => match Item::call(id, &name, names) {
                    Item::Call(call) => Item::Call(Call { arguments: pieces, ..call }),
                    other => other,
                },
            };
            let at_limit = limited && n + 1 == last;
            let cut = matches!(&item, Item::Call(call) if call.cut() || at_limit && call.arguments.is_empty());
            let mut w = Writer::default();
            item.write(&mut w, &item.id(&reply, n), if cut { Status::Incomplete } else { Status::Completed });
            items.push(String::from_utf8(w.into_bytes()).unwrap_or_default());
        }
        let end = End { usage: self.end.usage.or(Some(Usage::default())), ..self.end };
        let mut w = Writer::with_capacity(1024);
        items::response(&mut w, &format!("resp_{reply}"), model, created, &items, &end);
        Ok(w.into_bytes())
    }
}

/// The event that ends a stream which passed through until it broke. The official SDKs take none with
/// another `id` than the stream had; `sequence` is the number behind its last event's.
pub fn failed_event(out: &mut Vec<u8>, id: &str, sequence: u64, kind: ErrorKind, message: &Str<'_>) {
    let mut w = Writer::with_capacity(512);
    w.open(b'{').key("type").text("response.failed").key("sequence_number").number(sequence).key("response");
    let end = End { usage: None, stop: None, error: Some((kind, message.clone().into_owned())) };
    items::response(&mut w, id, "", 0, &[], &end);
    send(out, "response.failed", w);
}

/// The body of a request that failed, with the codes Codex acts on.
pub fn error_body(w: &mut Writer, kind: ErrorKind, message: &Str<'_>) {
    let word = match kind {
        ErrorKind::Invalid => "invalid_request_error",
        ErrorKind::Authentication => "authentication_error",
        ErrorKind::RateLimit => "rate_limit_error",
        ErrorKind::Overloaded | ErrorKind::Broken | ErrorKind::Api => "server_error",
    };
    w.open(b'{').key("error").open(b'{').key("message").str(message).key("type").text(word).key("param").raw("null");
    w.key("code").text(items::code(kind, message)).close(b'}').close(b'}');
}

#[cfg(test)]
mod tests;
