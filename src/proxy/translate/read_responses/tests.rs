use serde_json::{Value, json};

use super::*;
use crate::proxy::translate::{
    names::Names,
    write_chat::{self, Dialect},
};

fn as_chat(body: &Value) -> Value {
    let bytes = serde_json::to_vec(body).unwrap();
    let request = read(&bytes).unwrap();
    serde_json::from_slice(&write_chat::write(&request, "m", Dialect::default(), &mut Names::of(&request), bytes.len())).unwrap()
}

fn codex() -> Value {
    json!({
        "model": "gpt-x", "stream": true, "store": false, "include": ["reasoning.encrypted_content"], "instructions": "first",
        "prompt_cache_key": "s-1", "parallel_tool_calls": true, "tool_choice": "auto", "reasoning": {"effort": "high", "summary": "auto"},
        "input": [
            {"type": "additional_tools", "role": "developer", "tools": [{"type": "function", "name": "late", "parameters": null}]},
            {"type": "message", "role": "developer", "id": "msg_1", "content": [{"type": "input_text", "text": "rules \"é\""}]},
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}, {"type": "input_image", "image_url": "data:image/png;base64,AA=="}]},
            {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": "gAAA"},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "ok"}]},
            {"type": "web_search_call", "id": "ws_1", "status": "completed"},
            {"type": "function_call", "call_id": "c1", "name": "spawn", "namespace": "multi", "arguments": "{\"a\":1}"},
            {"type": "custom_tool_call", "call_id": "c2", "name": "apply_patch", "input": "*** Begin\n\"x\""},
            {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "between"}]},
            {"type": "function_call_output", "call_id": "c1", "output": [{"type": "input_text", "text": "seen"}, {"type": "input_image", "image_url": "data:image/png;base64,BB=="}]},
            {"type": "custom_tool_call_output", "call_id": "c2", "output": "done"},
            {"role": "user", "content": "go on"}],
        "tools": [
            {"type": "function", "name": "shell", "description": "run", "strict": false, "parameters": {"type": "object"}},
            {"type": "namespace", "name": "multi", "tools": [{"type": "function", "name": "spawn", "parameters": {"type": "object"}}]},
            {"type": "custom", "name": "apply_patch", "description": "edit", "format": {"type": "grammar", "syntax": "lark", "definition": "start: x"}},
            {"type": "web_search", "external_web_access": false}, {"type": "image_generation"}]
    })
}

/// BerriAI/litellm#18201, #22578: each call in an assistant message of its own, answers astray.
#[test]
fn bug_13_calls_of_one_reply_are_one_turn_with_their_answers_right_behind() {
    let out = as_chat(&codex());
    assert_eq!(
        out["messages"],
        json!([
            {"role": "system", "content": "first\n\nrules \"é\""},
            {"role": "user", "content": [{"type": "text", "text": "hi"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}]},
            {"role": "assistant", "content": "ok", "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "multi__spawn", "arguments": "{\"a\":1}"}},
                {"id": "c2", "type": "function", "function": {"name": "apply_patch", "arguments": "{\"input\":\"*** Begin\\n\\\"x\\\"\"}"}}]},
            {"role": "tool", "tool_call_id": "c1", "content": "seen[its picture follows]"},
            {"role": "tool", "tool_call_id": "c2", "content": "done"},
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,BB=="}}]},
            {"role": "system", "content": "between"},
            {"role": "user", "content": "go on"}
        ])
    );
}

#[test]
fn what_codex_sends_is_kept() {
    let bytes = serde_json::to_vec(&codex()).unwrap();
    let request = read(&bytes).unwrap();
    let names: Vec<String> = request.tools.iter().map(|t| t.name.plain().into_owned()).collect();
    assert_eq!(names, ["shell", "multi__spawn", "apply_patch", "web_search", "late"]);
    assert_eq!((request.session.as_deref(), request.parallel, request.stream), (Some("s-1"), Some(true), true));
    assert_eq!(request.thinking, Thinking::Effort(Effort::High));
    let names = Names::of(&request);
    assert_eq!(names.namespace("multi__spawn"), Some(("multi", "spawn")));
    assert!(names.is_free("apply_patch") && !names.is_free("shell"));
    let Part::Thought { text, seal: Some(Seal::Responses { id, data }) } = &request.turns[1].parts[0] else { panic!("{request:?}") };
    assert_eq!((text.raw(), id.raw(), data.raw()), ("hm", "rs_1", "gAAA"));
}

/// router-for-me/CLIProxyAPI#5753: a freeform tool was offered as a kind nobody else takes.
#[test]
fn bug_20_a_freeform_tool_is_a_function_with_its_grammar_in_words() {
    let out = as_chat(&codex());
    let tool = &out["tools"][2]["function"];
    assert_eq!(tool["parameters"]["required"], json!(["input"]));
    assert_eq!(tool["description"], "edit\n\nThe input follows this grammar (lark):\nstart: x");
}

/// Another vendor's proof comes back as that vendor's own.
#[test]
fn bug_14_a_sealed_proof_is_opened_and_its_text_unchanged() {
    let sealed = Seal::Anthropic(Str::quote("sig==")).sealed();
    let body = json!({"model": "m", "input": [{"type": "reasoning", "id": "rs_9", "summary": [{"type": "summary_text", "text": "a\n"}], "encrypted_content": sealed.raw()}]});
    let bytes = serde_json::to_vec(&body).unwrap();
    let request = read(&bytes).unwrap();
    let Part::Thought { text, seal } = &request.turns[0].parts[0] else { panic!("{request:?}") };
    assert_eq!((text.plain().as_ref(), seal), ("a\n", &Some(Seal::Anthropic(Str::quote("sig==")))));
}

#[test]
fn a_plain_request_and_its_settings() {
    let body = json!({"model": "m", "input": "hi", "max_output_tokens": 9, "tools": [{"type": "function", "name": "f"}],
        "tool_choice": {"type": "function", "name": "f"}, "reasoning": {"effort": "none"},
        "text": {"format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}, "strict": true}}});
    let out = as_chat(&body);
    assert_eq!(out["messages"], json!([{"role": "user", "content": "hi"}]));
    assert_eq!((&out["tool_choice"]["function"]["name"], &out["max_tokens"]), (&json!("f"), &json!(9)));
    assert_eq!(out["response_format"]["json_schema"], json!({"name": "n", "schema": {"type": "object"}, "strict": true}));
}

#[test]
fn a_body_that_is_none_is_refused_with_its_place() {
    for (body, says) in [
        ("{", "EOF"),
        (r#"{"model":"m"}"#, "input"),
        (r#"{"model":1,"input":""}"#, "model"),
        (r#"{"model":"m","input":"","previous_response_id":"r"}"#, "previous_response_id"),
        (r#"{"model":"m","input":[{"role":"robot","content":""}]}"#, "input.0.role"),
        (r#"{"model":"m","input":[{"type":"function_call","name":"x"}]}"#, "input.0.call_id"),
        (r#"{"model":"m","input":[{"type":"item_reference","id":"x"}]}"#, "input.0"),
    ] {
        let why = read(body.as_bytes()).unwrap_err().to_string();
        assert!(why.contains(says), "{body}: {why}");
    }
}
