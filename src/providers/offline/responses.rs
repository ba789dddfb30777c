//! OpenAI Responses: `POST …/v1/responses`. Shapes after the vendor's SDK (`openai` 3.54 for Python)
//! and what Codex 0.169 consumes: the text it shows is that of `response.output_item.done`, and a
//! stream without `response.completed` is retried.
//!
//! Nothing is stored: `previous_response_id` is ignored, and agents that set `store: false` (Codex)
//! send the whole input every time.

use serde_json::{Map, Value, json};

use super::brain::{Answer, Conversation, Outcome, asked_for, content_text};
use super::frames::{self, Ids, event_reply, json_reply, openai_error, text_characters, tokens};
use super::responses_events::{items, stream};
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
    let items = items(&answer, &ids);
    let mut response = response(&ids, request.now, &body);
    let open = response.clone();
    response["status"] = json!("completed");
    response["completed_at"] = json!(request.now);
    response["output"] = json!(items);
    response["usage"] = usage(&body, &answer);
    if frames::wants_stream(&body) {
        return event_reply(stream(&open, &items, &response));
    }
    json_reply(200, &response)
}

fn read(body: &[u8]) -> Result<(Map<String, Value>, Conversation), String> {
    let body = frames::object(body)?;
    let mut conversation = Conversation::default();
    let mut offered = Vec::new();
    match body.get("input") {
        Some(Value::String(text)) => conversation.user_said(text),
        Some(Value::Array(items)) => {
            for item in items {
                read_item(&mut conversation, item);
                if item["type"] == "additional_tools" {
                    offered.extend(tools(&item["tools"], None));
                }
            }
        }
        _ => return Err("`input` is missing or is neither a string nor a list".to_owned()),
    }
    offered.extend(body.get("tools").into_iter().flat_map(|list| tools(list, None)));
    if body.get("tool_choice").is_none_or(|choice| choice != "none") {
        offered.into_iter().for_each(|tool| conversation.offer(tool));
    }
    Ok((body, conversation))
}

fn read_item(conversation: &mut Conversation, item: &Value) {
    let kind = item["type"].as_str().unwrap_or("message");
    match (kind, item["role"].as_str()) {
        ("message", Some("user")) => conversation.user_said(&content_text(&item["content"])),
        ("message", Some("assistant")) => conversation.assistant_said(),
        // `function_call_output`, `custom_tool_call_output`, `local_shell_call_output`
        _ if kind.ends_with("_call_output") => conversation.tool_said(content_text(&item["output"])),
        _ if kind.ends_with("_call") => conversation.assistant_called(),
        _ => {}
    }
}

/// Tools of a list; those of a namespace carry its name. Hosted tools (`web_search`) are not ours.
fn tools(list: &Value, namespace: Option<&str>) -> Vec<Tool> {
    let mut found = Vec::new();
    for tool in list.as_array().into_iter().flatten() {
        let name = tool["name"].as_str();
        let (kind, name) = match (tool["type"].as_str(), name) {
            (Some("namespace"), Some(name)) => {
                found.extend(tools(&tool["tools"], Some(name)));
                continue;
            }
            (Some("function"), Some(name)) => (Kind::Function, name),
            (Some("custom"), Some(name)) => (Kind::Custom, name),
            (Some("local_shell"), _) => (Kind::LocalShell, "local_shell"),
            _ => continue,
        };
        found.push(Tool { name: name.to_owned(), namespace: namespace.map(str::to_owned), kind, schema: tool["parameters"].clone() });
    }
    found
}

/// The response object before it has output. `tools` is not repeated: Codex sends 40 KB of them.
fn response(ids: &Ids, now: u64, body: &Map<String, Value>) -> Value {
    let asked = |key: &str, default: Value| match body.get(key) {
        None | Some(Value::Null) => default,
        Some(value) => value.clone(),
    };
    json!({
        "id": ids.id("resp", 0),
        "object": "response",
        "created_at": now,
        "status": "in_progress",
        "background": false,
        "error": null,
        "incomplete_details": null,
        "instructions": null,
        "max_output_tokens": asked("max_output_tokens", Value::Null),
        "model": frames::model(body),
        "output": [],
        "parallel_tool_calls": asked("parallel_tool_calls", json!(true)),
        "previous_response_id": null,
        "reasoning": {"effort": null, "summary": null},
        "store": false,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}},
        "tool_choice": asked("tool_choice", json!("auto")),
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": null,
        "user": null,
        "metadata": {},
    })
}

fn usage(body: &Map<String, Value>, answer: &Answer) -> Value {
    let texts = ["instructions", "input"].iter().filter_map(|key| body.get(*key));
    let input = tokens(texts.map(text_characters).sum());
    let output = tokens(answer.characters());
    json!({
        "input_tokens": input,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": output,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": input + output,
    })
}

#[cfg(test)]
mod tests {
    use super::super::frames::testing::{events, post, types, value};
    use super::*;

    fn shell() -> Value {
        json!({"type": "function", "name": "exec_command", "parameters": {"properties": {"cmd": {"type": "string"}}}})
    }

    fn ask(input: Value, stream: bool) -> Reply {
        let body = json!({"model": "m", "input": input, "stream": stream, "tools": [shell()]});
        post("/v1/responses", &body.to_string())
    }

    #[test]
    fn text_has_usage_and_the_time_given() {
        let reply = value(&ask(json!("hi"), false));
        assert_eq!((&reply["status"], &reply["created_at"]), (&json!("completed"), &json!(7)));
        assert_eq!(reply["output"][0]["content"][0]["text"], "offline: you said: hi");
        assert_eq!(reply["usage"]["total_tokens"], 7);
        assert_eq!(reply["usage"]["input_tokens_details"]["cached_tokens"], 0);
        assert_eq!(reply["usage"]["output_tokens_details"]["reasoning_tokens"], 0);
    }

    #[test]
    fn parallel_calls_carry_their_namespace() {
        let body = json!({"input": "[run: a] [tool: mcp__x__y {\"k\":1}]", "tools": [
            shell(), {"type": "web_search"},
            {"type": "namespace", "name": "mcp__x", "tools": [{"type": "function", "name": "y"}]},
        ]});
        let output = &value(&post("/responses", &body.to_string()))["output"];
        assert_eq!(output[0]["arguments"], r#"{"cmd":"a"}"#);
        assert!(output[0].get("namespace").is_none());
        assert_eq!((&output[1]["namespace"], &output[1]["name"]), (&json!("mcp__x"), &json!("y")));
        assert_ne!(output[0]["call_id"], output[1]["call_id"]);
    }

    #[test]
    fn tools_of_an_input_item_count() {
        let input = json!([
            {"type": "additional_tools", "tools": [{"type": "custom", "name": "exec"}, {"type": "local_shell"}]},
            {"role": "user", "content": "[run: a]"},
        ]);
        let body = json!({"input": input, "tools": []});
        let reply = value(&post("/responses", &body.to_string()));
        let item = &reply["output"][0];
        assert_eq!(item["type"], "local_shell_call");
        assert_eq!(item["action"]["command"], json!(["bash", "-lc", "a"]));
    }

    #[test]
    fn codex_context_is_not_the_prompt_and_results_are_reported() {
        let message = |role: &str, text: &str| json!({"type": "message", "role": role, "content": [{"type": "input_text", "text": text}]});
        let mut input = vec![
            message("developer", "[run: no]"),
            message("user", "<environment_context>[run: no]</environment_context>"),
            message("user", "[run: a]"),
            message("developer", "[run: no]"),
        ];
        let types = |reply: &Value| reply["output"][0]["type"].clone();
        assert_eq!(types(&value(&ask(json!(input), false))), "function_call");
        input.push(json!({"type": "function_call", "call_id": "1"}));
        input.push(json!({"type": "function_call_output", "call_id": "1", "output": "one"}));
        input.push(json!({"type": "function_call", "call_id": "2"}));
        input.push(json!({"type": "function_call_output", "call_id": "2", "output": [{"text": "two"}]}));
        let reply = value(&ask(json!(input), false));
        assert_eq!(reply["output"][0]["content"][0]["text"], "offline: the tool said: one\ntwo");
    }

    #[test]
    fn a_stream_ends_with_the_whole_response() {
        let events = events(&ask(json!("hi"), true));
        assert_eq!(types(&events).last(), Some(&"response.completed"));
        let last = &events[events.len() - 1]["response"];
        assert_eq!(last["output"][0]["content"][0]["text"], "offline: you said: hi");
        assert_eq!(last["usage"]["output_tokens"], 6);
    }

    #[test]
    fn errors_have_the_vendors_shape() {
        let reply = ask(json!("[fail: 401]"), true);
        assert_eq!((reply.status, &value(&reply)["error"]["code"]), (401, &json!("invalid_api_key")));
        for body in ["{", "{}", r#"{"input":1}"#] {
            assert_eq!(post("/v1/responses", body).status, 400);
        }
    }
}
