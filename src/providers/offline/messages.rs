//! Anthropic Messages: `POST …/v1/messages` and `…/count_tokens`. Shapes after the vendor's SDK
//! (`anthropic` 2.12 for Python, whose types and stream accumulator accept these replies).

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::brain::{Answer, Conversation, Outcome, asked_for, content_text};
use super::frames::{self, Ids, event_reply, json_reply, pieces, text_characters, tokens, typed_frame};
use super::tools::{Kind, Tool};
use super::{Reply, Request};

pub(super) fn reply(request: &Request<'_>) -> Reply {
    let (body, conversation) = match read(request.body) {
        Ok(parts) => parts,
        Err(problem) => return error(request, 400, &problem),
    };
    let answer = match conversation.outcome() {
        Outcome::Answer(answer) => answer,
        Outcome::Fail(status) => return error(request, status, &asked_for(status)),
    };
    let ids = Ids::of(request.body);
    let content = content(&answer, &ids);
    let input = input_tokens(&body);
    let output = tokens(answer.characters());
    let stop = if answer.calls.is_empty() { "end_turn" } else { "tool_use" };
    if frames::wants_stream(&body) {
        let start = message(&ids, frames::model(&body), vec![], None, usage(input, 1));
        return event_reply(stream(start, &content, stop, usage(input, output)));
    }
    let model = frames::model(&body);
    json_reply(200, &message(&ids, model, content, Some(stop), usage(input, output)))
}

/// The same number `usage.input_tokens` will show for the same messages.
pub(super) fn count_tokens(request: &Request<'_>) -> Reply {
    match read(request.body) {
        Ok((body, _)) => json_reply(200, &json!({"input_tokens": input_tokens(&body)})),
        Err(problem) => error(request, 400, &problem),
    }
}

/// `{"type":"error","error":{type,message},"request_id"}`; types by status as the vendor documents.
fn error(request: &Request<'_>, status: u16, message: &str) -> Reply {
    let kind = match status {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        504 => "timeout_error",
        529 => "overloaded_error",
        500..=599 => "api_error",
        _ => "invalid_request_error",
    };
    let id = Ids::of(request.body).id("req", 0);
    json_reply(status, &json!({"type": "error", "error": {"type": kind, "message": message}, "request_id": id}))
}

fn read(body: &[u8]) -> Result<(Map<String, Value>, Conversation), String> {
    let body = frames::object(body)?;
    let messages = body.get("messages").and_then(Value::as_array);
    let messages = messages.ok_or("`messages` is missing or is not a list")?;
    let mut conversation = Conversation::default();
    for message in messages {
        match (message["role"].as_str(), &message["content"]) {
            (Some("user"), Value::String(text)) => conversation.user_said(text),
            (Some("user"), content) => read_user(&mut conversation, content),
            (Some("assistant"), content) => read_assistant(&mut conversation, content),
            // Claude Code puts `system` turns between the others: not the user's words.
            _ => {}
        }
    }
    let tools = body.get("tools").and_then(Value::as_array);
    let refused = body.get("tool_choice").is_some_and(|choice| choice["type"] == "none");
    for tool in tools.into_iter().flatten().filter(|_| !refused) {
        if let Some(name) = tool["name"].as_str() {
            conversation.offer(Tool { name: name.to_owned(), namespace: None, kind: Kind::Function, schema: tool["input_schema"].clone() });
        }
    }
    Ok((body, conversation))
}

/// Text blocks of one turn are one text; what comes last, text or result, is what is answered.
fn read_user(conversation: &mut Conversation, content: &Value) {
    let mut texts = Vec::new();
    for block in content.as_array().into_iter().flatten() {
        match block["type"].as_str() {
            Some("text") => texts.extend(block["text"].as_str()),
            Some("tool_result") => {
                conversation.user_said(&texts.join("\n"));
                texts.clear();
                conversation.tool_said(content_text(&block["content"]));
            }
            _ => {}
        }
    }
    conversation.user_said(&texts.join("\n"));
}

fn read_assistant(conversation: &mut Conversation, content: &Value) {
    let blocks = content.as_array();
    let called = blocks.is_some_and(|blocks| blocks.iter().any(|block| block["type"] == "tool_use"));
    if called {
        conversation.assistant_called();
    } else {
        conversation.assistant_said();
    }
}

/// The vendor sends no empty text block, so an empty answer has no content.
fn content(answer: &Answer, ids: &Ids) -> Vec<Value> {
    let text = (!answer.text.is_empty()).then(|| json!({"type": "text", "text": answer.text}));
    let calls = answer.calls.iter().enumerate().map(|(index, call)| {
        json!({
            "type": "tool_use",
            "id": ids.id("toolu", index),
            "name": call.name,
            "input": call.arguments,
        })
    });
    text.into_iter().chain(calls).collect()
}

fn message(ids: &Ids, model: &str, content: Vec<Value>, stop: Option<&str>, usage: Value) -> Value {
    json!({
        "id": ids.id("msg", 0),
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": stop,
        "stop_sequence": null,
        "usage": usage,
    })
}

fn usage(input: u64, output: u64) -> Value {
    json!({
        "input_tokens": input,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
        "output_tokens": output,
        "service_tier": "standard",
    })
}

fn input_tokens(body: &Map<String, Value>) -> u64 {
    let texts = ["system", "messages"].iter().filter_map(|key| body.get(*key));
    tokens(texts.map(text_characters).sum())
}

/// Blocks are numbered from 0 and never interleave; exactly one `message_stop` ends the stream.
fn stream(start: Value, content: &[Value], stop: &str, usage: Value) -> Vec<Bytes> {
    let mut events = vec![json!({"type": "message_start", "message": start}), json!({"type": "ping"})];
    for (index, block) in content.iter().enumerate() {
        let mut opened = block.clone();
        let deltas: Vec<Value> = if block["type"] == "text" {
            opened["text"] = json!("");
            let text = block["text"].as_str().unwrap_or("");
            pieces(text).into_iter().map(|piece| json!({"type": "text_delta", "text": piece})).collect()
        } else {
            opened["input"] = json!({});
            let input = block["input"].to_string();
            let delta = |piece| json!({"type": "input_json_delta", "partial_json": piece});
            pieces(&input).into_iter().map(delta).collect()
        };
        events.push(json!({"type": "content_block_start", "index": index, "content_block": opened}));
        for delta in deltas {
            events.push(json!({"type": "content_block_delta", "index": index, "delta": delta}));
        }
        events.push(json!({"type": "content_block_stop", "index": index}));
    }
    events.push(json!({
        "type": "message_delta",
        "delta": {"stop_reason": stop, "stop_sequence": null},
        "usage": usage,
    }));
    events.push(json!({"type": "message_stop"}));
    events.iter().map(typed_frame).collect()
}

#[cfg(test)]
mod tests {
    use super::super::frames::testing::{events, post, types, value};
    use super::*;

    const TOOLS: &str = r#"[{"name":"Bash","input_schema":{"properties":{"command":{"type":"string"}}}}]"#;

    fn ask(user: &str, stream: bool) -> Reply {
        let user = json!(user);
        post(
            "/v1/messages",
            &format!(r#"{{"model":"m","stream":{stream},"tools":{TOOLS},"messages":[{{"role":"user","content":{user}}}]}}"#),
        )
    }

    #[test]
    fn text_has_usage_and_echoes_the_model() {
        let reply = value(&ask("hi", false));
        assert_eq!(reply["model"], "m");
        assert_eq!(reply["content"], json!([{"type": "text", "text": "offline: you said: hi"}]));
        assert_eq!(reply["stop_reason"], "end_turn");
        assert_eq!(reply["usage"]["input_tokens"], 1);
        assert_eq!(reply["usage"]["output_tokens"], 6);
        assert_eq!(reply["usage"]["cache_read_input_tokens"], 0);
    }

    #[test]
    fn a_stream_holds_the_same_message() {
        let events = events(&ask("one two", true));
        let types = types(&events);
        assert_eq!(types[..3], ["message_start", "ping", "content_block_start"]);
        assert_eq!(types[types.len() - 3..], ["content_block_stop", "message_delta", "message_stop"]);
        let text: String = events.iter().filter_map(|event| event["delta"]["text"].as_str()).collect();
        assert_eq!(text, "offline: you said: one two");
        assert_eq!(events[0]["message"]["stop_reason"], Value::Null);
        assert_eq!(events[0]["message"]["id"], value_id("one two"));
        let delta = &events[events.len() - 2];
        assert_eq!(delta["usage"]["output_tokens"], 7);
    }

    fn value_id(user: &str) -> Value {
        events(&ask(user, true))[0]["message"]["id"].clone()
    }

    #[test]
    fn calls_run_in_parallel_whole_and_streamed() {
        let reply = value(&ask("[run: a] [tool: Bash {\"command\":\"b\"}]", false));
        assert_eq!(reply["stop_reason"], "tool_use");
        assert_eq!(reply["content"][0]["input"], json!({"command": "a"}));
        assert_eq!(reply["content"][1]["input"], json!({"command": "b"}));
        assert_ne!(reply["content"][0]["id"], reply["content"][1]["id"]);

        let events = events(&ask("[run: a] [run: b]", true));
        for (index, expected) in [(0, r#"{"command":"a"}"#), (1, r#"{"command":"b"}"#)] {
            let part = |event: &&Value| event["index"] == index;
            let start = events.iter().find(part).unwrap();
            assert_eq!(start["content_block"]["input"], json!({}));
            let parts = events.iter().filter(part).filter_map(|e| e["delta"]["partial_json"].as_str());
            assert_eq!(parts.collect::<String>(), expected);
        }
        assert_eq!(events[events.len() - 2]["delta"]["stop_reason"], "tool_use");
    }

    #[test]
    fn a_result_is_reported_despite_reminders_and_system_turns() {
        let reply = post(
            "/v1/messages",
            r#"{"messages":[
                {"role":"user","content":[{"type":"text","text":"<system-reminder>x</system-reminder>"},{"type":"text","text":"[run: a]"}]},
                {"role":"assistant","content":[{"type":"tool_use","id":"t","name":"Bash","input":{}}]},
                {"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":[{"type":"text","text":"out"}]},{"type":"text","text":"<system-reminder>y</system-reminder>"}]},
                {"role":"system","content":"z"}]}"#,
        );
        assert_eq!(value(&reply)["content"][0]["text"], "offline: the tool said: out");
    }

    #[test]
    fn tool_choice_none_offers_nothing() {
        let body = format!(r#"{{"tool_choice":{{"type":"none"}},"tools":{TOOLS},"messages":[{{"role":"user","content":"[run: a]"}}]}}"#);
        let text = value(&post("/v1/messages", &body))["content"][0]["text"].clone();
        assert!(text.as_str().unwrap().contains("no shell tool"));
    }

    #[test]
    fn errors_have_the_vendors_shape() {
        let reply = ask("[fail: 529]", true);
        assert_eq!((reply.status, &value(&reply)["error"]["type"]), (529, &json!("overloaded_error")));
        for body in ["{", "[]", "{}", r#"{"messages":1}"#] {
            let reply = post("/v1/messages", body);
            assert_eq!(reply.status, 400);
            let body = value(&reply);
            assert_eq!((&body["type"], &body["error"]["type"]), (&json!("error"), &json!("invalid_request_error")));
        }
    }

    #[test]
    fn counted_tokens_are_the_input_tokens() {
        let body = r#"{"system":"four","messages":[{"role":"user","content":"hello"}]}"#;
        let counted = value(&post("/v1/messages/count_tokens", body))["input_tokens"].clone();
        assert_eq!(counted, 3);
        assert_eq!(value(&post("/v1/messages", body))["usage"]["input_tokens"], counted);
        assert_eq!(post("/v1/messages/count_tokens", "{}").status, 400);
    }
}
