//! A regular reply as Anthropic Messages events.

use std::ops::Deref;

use super::{
    event::{ErrorKind, Stop, Usage},
    order::Step,
};
use crate::proxy::translate::{json::Writer, names::Names, request::Input, seal::Seal, text::Str};

/// Writes frames; every frame has an `event:` line equal to its `type`.
#[derive(Debug)]
pub struct Frames<N> {
    names: N,
    /// Told as the input until the upstream gives its own count.
    estimate: u64,
    index: usize,
    /// The model as the client called it.
    model: String,
}

impl<N: Deref<Target = Names>> Frames<N> {
    pub fn new(names: N, model: &str, estimated_input: u64) -> Self {
        Self { names, estimate: estimated_input, index: 0, model: model.to_owned() }
    }

    pub fn write(&mut self, step: Step, out: &mut Vec<u8>) {
        let index = self.index as u64;
        match step {
            Step::Start { id, .. } => frame(out, "message_start", |w| {
                w.key("message").open(b'{').key("id").strs(&["msg_", id.raw()]).key("type").text("message").key("role").text("assistant");
                w.key("model").text(&self.model).key("content").raw("[]").key("stop_reason").raw("null").key("stop_sequence").raw("null");
                w.key("usage").open(b'{').key("input_tokens").number(self.estimate).key("cache_creation_input_tokens").number(0);
                w.key("cache_read_input_tokens").number(0).key("output_tokens").number(0).close(b'}').close(b'}');
            }),
            Step::OpenText => open(out, index, |w| {
                w.key("type").text("text").key("text").text("");
            }),
            Step::OpenThought => open(out, index, |w| {
                w.key("type").text("thinking").key("thinking").text("").key("signature").text("");
            }),
            // `input` must be there, or some clients crash (farion1231/cc-switch#2556).
            Step::OpenCall { id, name } => open(out, index, |w| {
                let name = name.plain();
                w.key("type").text("tool_use").key("id").str(&id).key("name").text(self.names.inward(&name)).key("input").raw("{}");
            }),
            Step::Text(text) => delta(out, index, "text_delta", "text", &text),
            Step::Thought(text) => delta(out, index, "thinking_delta", "thinking", &text),
            Step::Seal(seal) => {
                let text = match seal {
                    Seal::Anthropic(signature) => signature,
                    foreign => foreign.sealed(),
                };
                delta(out, index, "signature_delta", "signature", &text);
            }
            Step::Arguments(piece) => delta(out, index, "input_json_delta", "partial_json", &piece),
            Step::Close => {
                frame(out, "content_block_stop", |w| {
                    w.key("index").number(index);
                });
                self.index += 1;
            }
            Step::End { stop, usage } => {
                frame(out, "message_delta", |w| {
                    w.key("delta").open(b'{').key("stop_reason").text(word(stop)).key("stop_sequence").raw("null").close(b'}');
                    w.key("usage").open(b'{');
                    tokens(w, usage);
                    w.close(b'}');
                });
                frame(out, "message_stop", |_| {});
            }
            Step::Error { kind, message } => frame(out, "error", |w| {
                w.key("error").open(b'{').key("type").text(error_type(kind)).key("message").str(&message).close(b'}');
            }),
        }
    }
}

fn frame(out: &mut Vec<u8>, name: &str, body: impl FnOnce(&mut Writer)) {
    let mut w = Writer::onto(std::mem::take(out));
    w.outside(b"event: ").outside(name.as_bytes()).outside(b"\ndata: ").open(b'{').key("type").text(name);
    body(&mut w);
    w.close(b'}').outside(b"\n\n");
    *out = w.into_bytes();
}

fn open(out: &mut Vec<u8>, index: u64, block: impl FnOnce(&mut Writer)) {
    frame(out, "content_block_start", |w| {
        w.key("index").number(index).key("content_block").open(b'{');
        block(w);
        w.close(b'}');
    });
}

fn delta(out: &mut Vec<u8>, index: u64, kind: &str, key: &str, text: &Str<'_>) {
    frame(out, "content_block_delta", |w| {
        w.key("index").number(index).key("delta").open(b'{').key("type").text(kind).key(key).str(text).close(b'}');
    });
}

/// Collects a reply that is not streamed.
#[derive(Debug, Default)]
pub struct Whole {
    id: Str<'static>,
    blocks: Vec<Block>,
    end: Option<(Stop, Usage)>,
    error: Option<(ErrorKind, Str<'static>)>,
}

#[derive(Debug)]
enum Block {
    Text(Vec<Str<'static>>),
    Thought(Vec<Str<'static>>, Option<Seal<'static>>),
    Call(Str<'static>, Str<'static>, Vec<Str<'static>>),
}

impl Whole {
    pub fn take(&mut self, step: Step) {
        match (step, self.blocks.last_mut()) {
            (Step::Start { id, .. }, _) => self.id = id,
            (Step::OpenText, _) => self.blocks.push(Block::Text(Vec::new())),
            (Step::OpenThought, _) => self.blocks.push(Block::Thought(Vec::new(), None)),
            (Step::OpenCall { id, name }, _) => self.blocks.push(Block::Call(id, name, Vec::new())),
            (Step::Text(text), Some(Block::Text(pieces)))
            | (Step::Thought(text), Some(Block::Thought(pieces, _)))
            | (Step::Arguments(text), Some(Block::Call(_, _, pieces))) => pieces.push(text),
            (Step::Seal(seal), Some(Block::Thought(_, place))) => *place = Some(seal),
            (Step::End { stop, usage }, _) => self.end = Some((stop, usage)),
            (Step::Error { kind, message }, _) => self.error = Some((kind, message)),
            _ => {}
        }
    }

    /// The body, or the error the reply came to.
    pub fn body(self, names: &Names, model: &str) -> Result<Vec<u8>, (ErrorKind, Str<'static>)> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let (stop, usage) = self.end.unwrap_or((Stop::End, Usage::default()));
        let mut w = Writer::with_capacity(1024);
        w.open(b'{').key("id").strs(&["msg_", self.id.raw()]).key("type").text("message").key("role").text("assistant");
        w.key("model").text(model).key("content").open(b'[');
        for block in &self.blocks {
            w.open(b'{').key("type");
            match block {
                Block::Text(pieces) => w.text("text").key("text").str(&Str::join(pieces, "")),
                Block::Thought(_, Some(Seal::Redacted(data))) => w.text("redacted_thinking").key("data").str(data),
                Block::Thought(pieces, seal) => {
                    w.text("thinking").key("thinking").str(&Str::join(pieces, "")).key("signature");
                    match seal {
                        Some(Seal::Anthropic(signature)) => w.str(signature),
                        Some(foreign) => w.str(&foreign.sealed()),
                        None => w.text(""),
                    }
                }
                Block::Call(id, name, pieces) => {
                    w.text("tool_use").key("id").str(id).key("name").text(names.inward(&name.plain()));
                    w.key("input").raw(&Input::Quoted(Str::join(pieces, "")).object())
                }
            };
            w.close(b'}');
        }
        w.close(b']').key("stop_reason").text(word(stop)).key("stop_sequence").raw("null").key("usage").open(b'{');
        tokens(&mut w, usage);
        w.close(b'}').close(b'}');
        Ok(w.into_bytes())
    }
}

/// `{"type":"error","error":{"type","message"}}`
pub fn error_body(w: &mut Writer, kind: ErrorKind, message: &Str<'_>) {
    w.open(b'{').key("type").text("error").key("error").open(b'{').key("type").text(error_type(kind)).key("message").str(message);
    w.close(b'}').close(b'}');
}

fn tokens(w: &mut Writer, usage: Usage) {
    w.key("input_tokens").number(usage.input).key("cache_creation_input_tokens").number(usage.cache_write);
    w.key("cache_read_input_tokens").number(usage.cache_read).key("output_tokens").number(usage.output);
    if usage.reasoning > 0 {
        w.key("output_tokens_details").open(b'{').key("thinking_tokens").number(usage.reasoning).close(b'}');
    }
}

fn word(stop: Stop) -> &'static str {
    match stop {
        Stop::End => "end_turn",
        Stop::MaxTokens => "max_tokens",
        Stop::ToolUse => "tool_use",
        Stop::StopSequence => "stop_sequence",
        Stop::Refusal => "refusal",
    }
}

fn error_type(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Invalid => "invalid_request_error",
        ErrorKind::Authentication => "authentication_error",
        ErrorKind::RateLimit => "rate_limit_error",
        ErrorKind::Overloaded => "overloaded_error",
        ErrorKind::Broken | ErrorKind::Api => "api_error",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        proxy::stream::{
            convert::{Extra, Translator},
            sse,
        },
        wire::manifest::Format,
    };

    /// The whole way: bytes of a chat stream, cut as given, to bytes of an Anthropic stream.
    fn translate(pieces: &[&[u8]]) -> Vec<u8> {
        let extra = Extra { estimate: 7, ..Extra::default() };
        Translator::new(Format::OpenaiChat, Format::Anthropic, true, Names::default(), "claude-x", 0, &extra).stream(pieces.iter().copied())
    }

    fn events(bytes: &[u8]) -> Vec<Value> {
        let (mut parser, mut all) = (sse::Parser::default(), Vec::new());
        parser.feed(bytes, |f| {
            let value: Value = serde_json::from_slice(f.data).unwrap();
            assert_eq!(value["type"], f.event);
            all.push(value);
        });
        all
    }

    fn chunk(delta: Value) -> String {
        format!(
            "data: {}\n\n",
            json!({"id": "x1", "object": "chat.completion.chunk", "model": "up", "choices": [{"index": 0, "delta": delta, "finish_reason": null}]})
        )
    }

    fn tail(reason: &str) -> String {
        let usage = json!({"prompt_tokens": 100, "completion_tokens": 20, "prompt_tokens_details": {"cached_tokens": 40}, "completion_tokens_details": {"reasoning_tokens": 5}});
        format!(
            "data: {}\n\ndata: {}\n\ndata: [DONE]\n\n",
            json!({"id": "x1", "choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}),
            json!({"id": "x1", "choices": [], "usage": usage})
        )
    }

    fn rich() -> String {
        [
            chunk(json!({"role": "assistant", "content": ""})),
            chunk(json!({"reasoning_content": "hm "})),
            ": keep-alive\r\n\r\n".into(),
            chunk(json!({"content": "héllo\n\"q\""})),
            chunk(json!({"tool_calls": [{"index": 0, "id": "c1", "type": "function", "function": {"name": "Bash", "arguments": ""}}]})),
            chunk(json!({"tool_calls": [{"index": 0, "function": {"arguments": "{\"command\":\"ls"}}]})),
            chunk(json!({"tool_calls": [{"index": 0, "function": {"arguments": " 世\"}"}}]})),
            chunk(json!({"tool_calls": [{"index": 1, "id": "c2", "function": {"name": "Read", "arguments": "{}"}}]})),
            tail("tool_calls"),
        ]
        .concat()
    }

    #[test]
    fn a_reply_with_thought_text_and_two_calls() {
        let all = events(&translate(&[rich().as_bytes()]));
        let kinds: Vec<&str> = all.iter().map(|e| e["type"].as_str().unwrap()).collect();
        let block = ["content_block_start", "content_block_delta", "content_block_stop"];
        let mut want = vec!["message_start"];
        want.extend(block);
        want.extend(block);
        want.extend(["content_block_start", "content_block_delta", "content_block_delta", "content_block_stop"]);
        want.extend(block);
        want.extend(["message_delta", "message_stop"]);
        assert_eq!(kinds, want);
        assert_eq!(all[0]["message"]["usage"]["input_tokens"], 7);
        assert_eq!(all[0]["message"]["model"], "claude-x");
        assert_eq!(all[5]["delta"]["text"], "héllo\n\"q\"");
        assert_eq!(all[7]["content_block"], json!({"type": "tool_use", "id": "c1", "name": "Bash", "input": {}}));
        let delta = &all[all.len() - 2];
        assert_eq!(delta["delta"]["stop_reason"], "tool_use");
        assert_eq!(
            delta["usage"],
            json!({"input_tokens": 60, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 40, "output_tokens": 20, "output_tokens_details": {"thinking_tokens": 5}})
        );
        let indices: Vec<u64> = all.iter().filter(|e| e["type"] == "content_block_start").map(|e| e["index"].as_u64().unwrap()).collect();
        assert_eq!(indices, [0, 1, 2, 3]);
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

    /// BerriAI/litellm#21331: parallel calls that all come on index 0.
    #[test]
    fn bug_12_calls_on_one_index_are_told_apart_by_id() {
        let call = |id: &str| chunk(json!({"tool_calls": [{"index": 0, "id": id, "function": {"name": "t", "arguments": "{}"}}]}));
        let all = events(&translate(&[[call("a"), call("b"), tail("stop")].concat().as_bytes()]));
        let ids: Vec<&str> = all.iter().filter_map(|e| e["content_block"]["id"].as_str()).collect();
        assert_eq!(ids, ["a", "b"]);
        assert_eq!(all[all.len() - 2]["delta"]["stop_reason"], "tool_use", "although the upstream said stop");
    }

    /// BerriAI/litellm#30014: the first text was lost.
    #[test]
    fn bug_4_text_in_the_first_chunk_is_kept() {
        let all = events(&translate(&[[chunk(json!({"role": "assistant", "content": "first"})), tail("stop")].concat().as_bytes()]));
        assert_eq!(all[2]["delta"]["text"], "first");
    }

    #[test]
    fn failures_in_the_middle_end_as_errors_with_the_upstreams_words() {
        for (tail, says) in [
            ("", "in the middle"),
            ("data: {\"error\":{\"message\":\"slow down please\",\"type\":\"rate_limit_error\"}}\n\n", "slow down please"),
            ("data: {broken\n\n", "broken chunk"),
        ] {
            let all = events(&translate(&[(chunk(json!({"content": "a"})) + tail).as_bytes()]));
            let last = all.last().unwrap();
            assert_eq!(last["type"], "error");
            assert!(last["error"]["message"].as_str().unwrap().contains(says), "{last}");
            assert!(!all.iter().any(|e| e["type"] == "message_stop"));
        }
    }

    #[test]
    fn arguments_given_as_an_object_and_a_refusal_are_understood() {
        let all = events(&translate(&[[
            chunk(json!({"tool_calls": [{"id": "a", "function": {"name": "t", "arguments": {"x": 1}}}]})),
            tail("tool_calls"),
        ]
        .concat()
        .as_bytes()]));
        assert_eq!(all[2]["delta"]["partial_json"], "{\"x\":1}");
        let all = events(&translate(&[[chunk(json!({"content": "no"})), tail("content_filter")].concat().as_bytes()]));
        assert_eq!(all[all.len() - 2]["delta"]["stop_reason"], "refusal");
    }
}
