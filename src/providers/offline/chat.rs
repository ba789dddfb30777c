//! OpenAI Chat Completions: `POST …/v1/chat/completions`. Shapes after the vendor's SDK (`openai`
//! 3.54 for Python). OpenCode's `@ai-sdk/openai-compatible` speaks this format too.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::brain::{Answer, Conversation, Outcome, asked_for, content_text};
use super::frames::{self, Ids, data_frame, event_reply, json_reply, openai_error, pieces, text_characters, tokens};
use super::tools::{Kind, Tool};
use super::{Reply, Request};

pub(super) fn reply(request: &Request<'_>) -> Reply {
    let (body, conversation) = match read(request.body) {
        Ok(parts) => parts,
        Err(problem) => return openai_error(400, &problem),
    };
    let answer = match conversation.outcome() {
        Outcome::Answer(answer) => answer,
        Outcome::Fail(status) => return openai_error(status, &asked_for(status)),
    };
    let ids = Ids::of(request.body);
    let usage = usage(&body, &answer);
    let head = Head { id: ids.id("chatcmpl", 0), created: request.now, model: frames::model(&body) };
    if frames::wants_stream(&body) {
        let counted = body.get("stream_options").is_some_and(|options| options["include_usage"] == true);
        return event_reply(stream(&head, &answer, &ids, counted.then_some(usage)));
    }
    json_reply(
        200,
        &json!({
            "id": head.id,
            "object": "chat.completion",
            "created": head.created,
            "model": head.model,
            "choices": [{
                "index": 0,
                "message": message(&answer, &ids),
                "logprobs": null,
                "finish_reason": finish(&answer),
            }],
            "usage": usage,
            "system_fingerprint": null,
        }),
    )
}

/// What every chunk of one completion repeats.
struct Head<'a> {
    id: String,
    created: u64,
    model: &'a str,
}

fn read(body: &[u8]) -> Result<(Map<String, Value>, Conversation), String> {
    let body = frames::object(body)?;
    let messages = body.get("messages").and_then(Value::as_array);
    let messages = messages.ok_or("`messages` is missing or is not a list")?;
    let mut conversation = Conversation::default();
    for message in messages {
        match message["role"].as_str() {
            Some("user") => conversation.user_said(&content_text(&message["content"])),
            Some("assistant") if message["tool_calls"].is_array() => conversation.assistant_called(),
            Some("assistant") => conversation.assistant_said(),
            Some("tool") => conversation.tool_said(content_text(&message["content"])),
            _ => {}
        }
    }
    let tools = body.get("tools").and_then(Value::as_array);
    let refused = body.get("tool_choice").is_some_and(|choice| choice == "none");
    for tool in tools.into_iter().flatten().filter(|_| !refused) {
        if let Some(name) = tool["function"]["name"].as_str() {
            conversation.offer(Tool {
                name: name.to_owned(),
                namespace: None,
                kind: Kind::Function,
                schema: tool["function"]["parameters"].clone(),
            });
        }
    }
    Ok((body, conversation))
}

fn message(answer: &Answer, ids: &Ids) -> Value {
    let mut message = json!({"role": "assistant", "content": answer.text, "refusal": null});
    if !answer.calls.is_empty() {
        if answer.text.is_empty() {
            message["content"] = Value::Null;
        }
        message["tool_calls"] =
            answer.calls.iter().enumerate().map(|(index, call)| tool_call(ids, index, &call.name, &call.written())).collect();
    }
    message
}

fn tool_call(ids: &Ids, index: usize, name: &str, arguments: &str) -> Value {
    json!({
        "id": ids.id("call", index),
        "type": "function",
        "function": {"name": name, "arguments": arguments},
    })
}

fn finish(answer: &Answer) -> &'static str {
    if answer.calls.is_empty() { "stop" } else { "tool_calls" }
}

fn usage(body: &Map<String, Value>, answer: &Answer) -> Value {
    let input = tokens(body.get("messages").map_or(0, text_characters));
    let output = tokens(answer.characters());
    json!({
        "prompt_tokens": input,
        "completion_tokens": output,
        "total_tokens": input + output,
        "prompt_tokens_details": {"cached_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0},
    })
}

/// The first chunk carries the role; id and name of a call come with its first chunk only; usage,
/// when asked for, is a last chunk without choices; `[DONE]` ends the stream.
fn stream(head: &Head<'_>, answer: &Answer, ids: &Ids, usage: Option<Value>) -> Vec<Bytes> {
    let chunk = |delta: Value, finish: Option<&str>| {
        json!({
            "id": head.id,
            "object": "chat.completion.chunk",
            "created": head.created,
            "model": head.model,
            "system_fingerprint": null,
            "choices": [{"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish}],
        })
    };
    let mut chunks = vec![chunk(json!({"role": "assistant", "content": ""}), None)];
    for piece in pieces(&answer.text) {
        chunks.push(chunk(json!({"content": piece}), None));
    }
    for (index, call) in answer.calls.iter().enumerate() {
        let mut first = tool_call(ids, index, &call.name, "");
        first["index"] = json!(index);
        chunks.push(chunk(json!({"tool_calls": [first]}), None));
        for piece in pieces(&call.written()) {
            let part = json!({"index": index, "function": {"arguments": piece}});
            chunks.push(chunk(json!({"tool_calls": [part]}), None));
        }
    }
    chunks.push(chunk(json!({}), Some(finish(answer))));
    if let Some(usage) = usage {
        let mut last = chunk(Value::Null, None);
        last["choices"] = json!([]);
        last["usage"] = usage;
        chunks.push(last);
    }
    let frames = chunks.iter().map(|chunk| data_frame(&chunk.to_string()));
    frames.chain([data_frame("[DONE]")]).collect()
}

#[cfg(test)]
mod tests {
    use super::super::frames::testing::{events, post, value};
    use super::*;

    fn ask(user: &str, more: Value) -> Reply {
        let mut body = json!({
            "model": "m",
            "messages": [{"role": "system", "content": "[run: no]"}, {"role": "user", "content": user}],
            "tools": [{"type": "function", "function": {
                "name": "bash",
                "parameters": {"properties": {"command": {"type": "string"}}, "required": ["command"]},
            }}],
        });
        for (key, value) in more.as_object().unwrap() {
            body[key] = value.clone();
        }
        post("/v1/chat/completions", &body.to_string())
    }

    #[test]
    fn text_has_usage_and_the_time_given() {
        let reply = value(&ask("hi", json!({})));
        assert_eq!(reply["created"], 7);
        assert_eq!(reply["choices"][0]["message"]["content"], "offline: you said: hi");
        assert_eq!(reply["choices"][0]["finish_reason"], "stop");
        assert!(reply["choices"][0]["message"].get("tool_calls").is_none());
        assert_eq!(
            (&reply["usage"]["prompt_tokens"], &reply["usage"]["completion_tokens"], &reply["usage"]["total_tokens"]),
            (&json!(3), &json!(6), &json!(9))
        );
    }

    #[test]
    fn a_stream_joins_to_the_text_and_counts_only_when_asked() {
        let plain = events(&ask("one two", json!({"stream": true})));
        assert_eq!(plain[0]["choices"][0]["delta"]["role"], "assistant");
        let text: String = plain.iter().filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str()).collect();
        assert_eq!(text, "offline: you said: one two");
        assert_eq!(plain[plain.len() - 1], "[DONE]");
        assert_eq!(plain[plain.len() - 2]["choices"][0]["finish_reason"], "stop");
        assert!(plain.iter().all(|chunk| chunk.get("usage").is_none()));

        let counted = events(&ask("x", json!({"stream": true, "stream_options": {"include_usage": true}})));
        let last = &counted[counted.len() - 2];
        assert_eq!(last["choices"], json!([]));
        assert_eq!(last["usage"]["prompt_tokens_details"]["cached_tokens"], 0);
    }

    #[test]
    fn calls_run_in_parallel_whole_and_streamed() {
        let reply = value(&ask("[run: a] [run: b]", json!({})));
        let message = &reply["choices"][0]["message"];
        assert_eq!(message["content"], Value::Null);
        assert_eq!(message["tool_calls"][1]["function"]["arguments"], r#"{"command":"b"}"#);
        assert_eq!(reply["choices"][0]["finish_reason"], "tool_calls");

        let chunks = events(&ask("[run: a] [run: b]", json!({"stream": true})));
        let parts = || chunks.iter().map(|chunk| &chunk["choices"][0]["delta"]["tool_calls"][0]);
        for (index, expected) in [(0, r#"{"command":"a"}"#), (1, r#"{"command":"b"}"#)] {
            let own: Vec<_> = parts().filter(|part| part["index"] == index).collect();
            assert_eq!(own.iter().filter(|part| part["id"].is_string()).count(), 1);
            let written: String = own.iter().filter_map(|p| p["function"]["arguments"].as_str()).collect();
            assert_eq!(written, expected);
        }
    }

    #[test]
    fn results_after_the_call_are_reported_together() {
        let reply = ask(
            "",
            json!({"messages": [
                {"role": "user", "content": [{"type": "text", "text": "[run: a]"}]},
                {"role": "assistant", "content": null, "tool_calls": [{}, {}]},
                {"role": "tool", "tool_call_id": "1", "content": "one"},
                {"role": "tool", "tool_call_id": "2", "content": [{"type": "text", "text": "two"}]},
            ]}),
        );
        assert_eq!(value(&reply)["choices"][0]["message"]["content"], "offline: the tool said: one\ntwo");
    }

    #[test]
    fn errors_have_the_vendors_shape() {
        let reply = ask("[fail: 429]", json!({"stream": true}));
        assert_eq!(reply.status, 429);
        assert_eq!(value(&reply)["error"]["code"], "rate_limit_exceeded");
        for body in ["{", r#"{"input":"x"}"#] {
            let reply = post("/v1/chat/completions", body);
            assert_eq!(reply.status, 400);
            assert_eq!(value(&reply)["error"]["type"], "invalid_request_error");
        }
    }
}
