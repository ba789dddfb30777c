//! A regular reply as OpenAI Chat Completions: chunks, or one object.

use std::ops::Deref;

use super::{
    event::{ErrorKind, Stop, Usage},
    order::Step,
};
use crate::proxy::translate::{json::Writer, names::Names, text::Str};

/// Writes chunks. Usage comes in one of its own at the end, as clients ask for it.
#[derive(Debug)]
pub struct Frames<N> {
    names: N,
    model: String,
    /// Unix seconds; the format wants them.
    created: u64,
    id: Str<'static>,
    calls: u64,
    /// A call is open and nothing of its arguments was told.
    bare: bool,
    /// Whether the client asked for usage.
    usage: bool,
}

impl<N: Deref<Target = Names>> Frames<N> {
    pub fn new(names: N, model: &str, created: u64, usage: bool) -> Self {
        Self { names, model: model.to_owned(), created, id: Str::default(), calls: 0, bare: false, usage }
    }

    pub fn write(&mut self, step: Step, out: &mut Vec<u8>) {
        // Clients read the arguments as JSON, which nothing at all is not. Whether a call has none or was cut
        // before them shows only behind it.
        if self.bare && goes_on(&step) {
            self.arguments(&Str::quote("{}"), out);
        }
        match step {
            Step::Start { id, .. } => {
                self.id = id;
                self.delta(out, |w| {
                    w.key("role").text("assistant").key("content").text("");
                });
            }
            Step::Text(text) => self.delta(out, |w| {
                w.key("content").str(&text);
            }),
            Step::Thought(text) => self.delta(out, |w| {
                w.key("reasoning_content").str(&text);
            }),
            Step::OpenCall { id, name } => {
                let index = self.calls;
                self.calls += 1;
                self.bare = true;
                let name = name.plain();
                let name = self.names.inward(&name).to_owned();
                self.delta(out, |w| {
                    w.key("tool_calls").open(b'[').open(b'{').key("index").number(index).key("id").str(&id).key("type").text("function");
                    w.key("function").open(b'{').key("name").text(&name).key("arguments").text("").close(b'}').close(b'}').close(b']');
                });
            }
            Step::Arguments(piece) => self.arguments(&piece, out),
            // The format has no place for a proof, and its text needs no frame.
            Step::OpenText | Step::OpenThought | Step::Seal(_) | Step::Close => {}
            Step::End { stop, usage } => {
                self.chunk(out, |w| {
                    w.open(b'{').key("index").number(0).key("delta").raw("{}").key("finish_reason").text(word(stop)).close(b'}');
                });
                if self.usage {
                    self.frame(out, |w| {
                        w.key("choices").raw("[]").key("usage").open(b'{');
                        tokens(w, usage);
                        w.close(b'}');
                    });
                }
                out.extend_from_slice(b"data: [DONE]\n\n");
            }
            // Without `[DONE]`: nobody may take this for an end.
            Step::Error { kind, message } => {
                let mut w = Writer::default();
                error_body(&mut w, kind, &message);
                push(out, w);
            }
        }
    }

    fn arguments(&mut self, piece: &Str<'_>, out: &mut Vec<u8>) {
        self.bare = false;
        let index = self.calls.saturating_sub(1);
        self.delta(out, |w| {
            w.key("tool_calls").open(b'[').open(b'{').key("index").number(index);
            w.key("function").open(b'{').key("arguments").str(piece).close(b'}').close(b'}').close(b']');
        });
    }

    fn delta(&self, out: &mut Vec<u8>, body: impl FnOnce(&mut Writer)) {
        self.chunk(out, |w| {
            w.open(b'{').key("index").number(0).key("delta").open(b'{');
            body(w);
            w.close(b'}').key("finish_reason").raw("null").close(b'}');
        });
    }

    fn chunk(&self, out: &mut Vec<u8>, choice: impl FnOnce(&mut Writer)) {
        self.frame(out, |w| {
            w.key("choices").open(b'[');
            choice(w);
            w.close(b']');
        });
    }

    fn frame(&self, out: &mut Vec<u8>, rest: impl FnOnce(&mut Writer)) {
        let mut w = Writer::with_capacity(256);
        w.open(b'{').key("id").strs(&["chatcmpl-", self.id.raw()]).key("object").text("chat.completion.chunk");
        w.key("created").number(self.created).key("model").text(&self.model);
        rest(&mut w);
        w.close(b'}');
        push(out, w);
    }
}

/// Whether the block before was whole: only a limit or a failure cuts one short.
fn goes_on(step: &Step) -> bool {
    match step {
        Step::OpenText | Step::OpenThought | Step::OpenCall { .. } => true,
        Step::End { stop, .. } => *stop != Stop::MaxTokens,
        _ => false,
    }
}

fn push(out: &mut Vec<u8>, w: Writer) {
    out.extend_from_slice(b"data: ");
    out.extend_from_slice(&w.into_bytes());
    out.extend_from_slice(b"\n\n");
}

/// Collects a reply that is not streamed.
#[derive(Debug, Default)]
pub struct Whole {
    id: Str<'static>,
    text: Vec<Str<'static>>,
    thoughts: Vec<Str<'static>>,
    calls: Vec<(Str<'static>, Str<'static>, Vec<Str<'static>>)>,
    end: Option<(Stop, Usage)>,
    error: Option<(ErrorKind, Str<'static>)>,
}

impl Whole {
    pub fn take(&mut self, step: Step) {
        match step {
            Step::Start { id, .. } => self.id = id,
            Step::Text(text) => self.text.push(text),
            Step::Thought(text) => self.thoughts.push(text),
            Step::OpenCall { id, name } => self.calls.push((id, name, Vec::new())),
            Step::Arguments(piece) => {
                if let Some((_, _, pieces)) = self.calls.last_mut() {
                    pieces.push(piece);
                }
            }
            Step::OpenText | Step::OpenThought | Step::Seal(_) | Step::Close => {}
            Step::End { stop, usage } => self.end = Some((stop, usage)),
            Step::Error { kind, message } => self.error = Some((kind, message)),
        }
    }

    /// The body, or the error the reply came to.
    pub fn body(self, names: &Names, model: &str, created: u64) -> Result<Vec<u8>, (ErrorKind, Str<'static>)> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let (stop, usage) = self.end.unwrap_or((Stop::End, Usage::default()));
        let mut w = Writer::with_capacity(1024);
        w.open(b'{').key("id").strs(&["chatcmpl-", self.id.raw()]).key("object").text("chat.completion");
        w.key("created").number(created).key("model").text(model).key("choices").open(b'[').open(b'{').key("index").number(0);
        w.key("message").open(b'{').key("role").text("assistant").key("content");
        if self.text.is_empty() && !self.calls.is_empty() {
            w.raw("null")
        } else {
            w.str(&Str::join(&self.text, ""))
        };
        w.key("refusal").raw("null");
        if !self.thoughts.is_empty() {
            w.key("reasoning_content").str(&Str::join(&self.thoughts, ""));
        }
        if !self.calls.is_empty() {
            w.key("tool_calls").open(b'[');
            for (n, (id, name, pieces)) in self.calls.iter().enumerate() {
                let cut = stop == Stop::MaxTokens && n + 1 == self.calls.len();
                let arguments = if pieces.is_empty() && !cut { Str::quote("{}") } else { Str::join(pieces, "") };
                w.open(b'{').key("id").str(id).key("type").text("function").key("function").open(b'{');
                w.key("name").text(names.inward(&name.plain())).key("arguments").str(&arguments).close(b'}').close(b'}');
            }
            w.close(b']');
        }
        w.close(b'}').key("logprobs").raw("null").key("finish_reason").text(word(stop)).close(b'}').close(b']');
        w.key("usage").open(b'{');
        tokens(&mut w, usage);
        w.close(b'}').close(b'}');
        Ok(w.into_bytes())
    }
}

/// `{"error":{"message","type","param","code"}}`
pub fn error_body(w: &mut Writer, kind: ErrorKind, message: &Str<'_>) {
    let (word, code) = match kind {
        ErrorKind::Invalid => ("invalid_request_error", "null"),
        ErrorKind::Authentication => ("authentication_error", "\"invalid_api_key\""),
        ErrorKind::RateLimit => ("rate_limit_error", "\"rate_limit_exceeded\""),
        ErrorKind::Overloaded => ("server_error", "\"server_is_overloaded\""),
        ErrorKind::Broken | ErrorKind::Api => ("server_error", "null"),
    };
    w.open(b'{').key("error").open(b'{').key("message").str(message).key("type").text(word).key("param").raw("null").key("code").raw(code);
    w.close(b'}').close(b'}');
}

/// The prompt's count includes what came from and went to a cache.
fn tokens(w: &mut Writer, usage: Usage) {
    let prompt = usage.input + usage.cache_read + usage.cache_write;
    w.key("prompt_tokens").number(prompt).key("completion_tokens").number(usage.output).key("total_tokens").number(prompt + usage.output);
    w.key("prompt_tokens_details")
        .open(b'{')
        .key("cached_tokens")
        .number(usage.cache_read)
        .key("cache_write_tokens")
        .number(usage.cache_write);
    w.close(b'}').key("completion_tokens_details").open(b'{').key("reasoning_tokens").number(usage.reasoning).close(b'}');
}

fn word(stop: Stop) -> &'static str {
    match stop {
        Stop::End | Stop::StopSequence => "stop",
        Stop::MaxTokens => "length",
        Stop::ToolUse => "tool_calls",
        Stop::Refusal => "content_filter",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        proxy::stream::{
            convert::{Extra, Translator},
            order::Orderer,
            read_anthropic, read_chat, sse, write_anthropic,
        },
        wire::manifest::Format,
    };

    fn translate(pieces: &[&[u8]]) -> Vec<u8> {
        let extra = Extra { include_usage: true, ..Extra::default() };
        Translator::new(Format::Anthropic, Format::OpenaiChat, true, Names::default(), "gpt", 5, &extra).stream(pieces.iter().copied())
    }

    fn frame(value: &Value) -> String {
        format!("event: {}\ndata: {value}\n\n", value["type"].as_str().unwrap())
    }

    fn rich() -> String {
        [
            json!({"type": "message_start", "message": {"id": "m1", "model": "c", "usage": {"input_tokens": 10, "cache_read_input_tokens": 30, "cache_creation_input_tokens": 5, "output_tokens": 1}}}),
            json!({"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": "", "signature": ""}}),
            json!({"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "hm"}}),
            json!({"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "EqQ="}}),
            json!({"type": "content_block_stop", "index": 0}),
            json!({"type": "ping"}),
            json!({"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}}),
            json!({"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "héllo 世"}}),
            json!({"type": "content_block_stop", "index": 1}),
            json!({"type": "content_block_start", "index": 2, "content_block": {"type": "tool_use", "id": "t1", "name": "Bash", "input": {}}}),
            json!({"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": "{\"a\":\"\\u00e9"}}),
            json!({"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": "\"}"}}),
            json!({"type": "content_block_stop", "index": 2}),
            json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 20}}),
            json!({"type": "message_stop"}),
        ]
        .iter()
        .map(frame)
        .collect()
    }

    fn chunks(bytes: &[u8]) -> Vec<Value> {
        let (mut parser, mut all) = (sse::Parser::default(), Vec::new());
        parser.feed(bytes, |f| all.push(if f.data == b"[DONE]" { json!("DONE") } else { serde_json::from_slice(f.data).unwrap() }));
        all
    }

    #[test]
    fn a_message_becomes_chunks_with_usage_and_an_end() {
        let all = chunks(&translate(&[rich().as_bytes()]));
        let deltas: Vec<&Value> = all.iter().filter_map(|c| c["choices"].get(0)).map(|c| &c["delta"]).collect();
        assert_eq!(deltas[1], &json!({"reasoning_content": "hm"}));
        assert_eq!(deltas[2], &json!({"content": "héllo 世"}));
        assert_eq!(
            deltas[3]["tool_calls"][0],
            json!({"index": 0, "id": "t1", "type": "function", "function": {"name": "Bash", "arguments": ""}})
        );
        let arguments: String = deltas[4..].iter().filter_map(|d| d["tool_calls"][0]["function"]["arguments"].as_str()).collect();
        assert_eq!(arguments, "{\"a\":\"\\u00e9\"}");
        let usage = &all[all.len() - 2]["usage"];
        assert_eq!(
            (
                usage["prompt_tokens"].as_u64(),
                usage["prompt_tokens_details"]["cached_tokens"].as_u64(),
                usage["completion_tokens"].as_u64()
            ),
            (Some(45), Some(30), Some(20))
        );
        assert_eq!(all[all.len() - 3]["choices"][0]["finish_reason"], "tool_calls");
        assert_eq!(all.last().unwrap(), "DONE");
    }

    /// An Anthropic upstream streams no arguments for a call without any; nothing is no JSON.
    #[test]
    fn a_call_without_arguments_has_an_empty_object_unless_it_was_cut_short() {
        let stream = |reason: &str| -> String {
            [
                json!({"type": "message_start", "message": {"id": "m"}}),
                json!({"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "id": "t1", "name": "now", "input": {}}}),
                json!({"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": ""}}),
                json!({"type": "content_block_stop", "index": 0}),
                json!({"type": "message_delta", "delta": {"stop_reason": reason}}),
            ]
            .iter()
            .map(frame)
            .collect()
        };
        let arguments = |stream: String| -> String {
            let all = chunks(&translate(&[stream.as_bytes()]));
            let pieces = all.iter().map(|c| &c["choices"][0]["delta"]["tool_calls"][0]["function"]["arguments"]);
            pieces.filter_map(Value::as_str).collect()
        };
        assert_eq!(arguments(stream("tool_use")), "{}");
        assert_eq!(arguments(stream("max_tokens")), "");
        assert_eq!(arguments(rich()), "{\"a\":\"\\u00e9\"}");
    }

    #[test]
    fn every_cut_gives_the_same_bytes() {
        let stream = rich();
        let whole = translate(&[stream.as_bytes()]);
        for cut in 0..=stream.len() {
            let (a, b) = stream.as_bytes().split_at(cut);
            assert_eq!(translate(&[a, b]), whole, "cut at {cut}");
        }
    }

    #[test]
    fn an_error_in_the_middle_is_told_and_nothing_is_done() {
        let stream: String = [
            json!({"type": "message_start", "message": {"id": "m"}}),
            json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded \"now\""}}),
        ]
        .iter()
        .map(frame)
        .collect();
        let all = chunks(&translate(&[stream.as_bytes()]));
        assert_eq!(all.last().unwrap()["error"]["message"], "Overloaded \"now\"");
        assert_eq!(all.last().unwrap()["error"]["code"], "server_is_overloaded");
    }

    /// There and back: what a chat client sees is what an Anthropic upstream said.
    #[test]
    fn whole_replies_keep_text_calls_and_usage_in_both_directions() {
        let message = json!({"id": "m1", "type": "message", "model": "c", "stop_reason": "tool_use", "content": [
            {"type": "text", "text": "a\nb"}, {"type": "tool_use", "id": "t1", "name": "Bash", "input": {"x": [1, "é"]}}],
            "usage": {"input_tokens": 10, "cache_read_input_tokens": 30, "output_tokens": 7}});
        let bytes = serde_json::to_vec(&message).unwrap();
        let (mut orderer, mut chat) = (Orderer::default(), Whole::default());
        read_anthropic::whole(&bytes, &mut |e| orderer.take(e, &mut |s| chat.take(s)));
        orderer.finish(&mut |s| chat.take(s));
        let chat = chat.body(&Names::default(), "gpt", 5).unwrap();
        let value: Value = serde_json::from_slice(&chat).unwrap();
        assert_eq!(value["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"], "{\"x\":[1,\"é\"]}");
        assert_eq!(
            (value["choices"][0]["finish_reason"].as_str(), value["usage"]["prompt_tokens"].as_u64()),
            (Some("tool_calls"), Some(40))
        );

        let (mut orderer, mut back) = (Orderer::default(), write_anthropic::Whole::default());
        read_chat::whole(&chat, &mut |e| orderer.take(e, &mut |s| back.take(s)));
        orderer.finish(&mut |s| back.take(s));
        let value: Value = serde_json::from_slice(&back.body(&Names::default(), "claude").unwrap()).unwrap();
        assert_eq!(value["content"], message["content"]);
        assert_eq!(
            value["usage"],
            json!({"input_tokens": 10, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 30, "output_tokens": 7})
        );
        assert_eq!(value["stop_reason"], "tool_use");
    }
}
