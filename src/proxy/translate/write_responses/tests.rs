use serde_json::{Value, json};

use super::*;
use crate::proxy::translate::{read_anthropic, read_responses};

fn from_anthropic(body: &Value, dialect: Dialect) -> Value {
    let bytes = serde_json::to_vec(body).unwrap();
    let request = read_anthropic::read(&bytes).unwrap();
    serde_json::from_slice(&write(&request, "m", dialect, &mut Names::default(), bytes.len())).unwrap()
}

#[test]
fn an_anthropic_turn_becomes_items() {
    let proof = Seal::Responses { id: Str::quote("rs_1"), data: Str::quote("gAAA") }.sealed();
    let long = "t".repeat(70);
    let out = from_anthropic(
        &json!({
            "model": "c", "max_tokens": 1, "system": "sys", "stream": true, "thinking": {"type": "enabled", "budget_tokens": 8192}, "stop_sequences": ["x"],
            "tools": [{"name": "Bash", "input_schema": {"type": "object"}}, {"type": "web_search_20250305", "name": "web_search"}],
            "tool_choice": {"type": "any", "disable_parallel_tool_use": true},
            "messages": [
                {"role": "user", "content": "hi é"}, {"role": "system", "content": "mid"},
                {"role": "assistant", "content": [
                    {"type": "thinking", "thinking": "hm", "signature": proof.raw()}, {"type": "text", "text": "ok"},
                    {"type": "thinking", "thinking": "theirs", "signature": "sig"}, {"type": "tool_use", "id": long, "name": "Bash", "input": {"a": "\n"}}]},
                {"role": "user", "content": [
                    {"type": "tool_result", "tool_use_id": long, "content": [{"type": "text", "text": "a"}, {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA"}}]},
                    {"type": "text", "text": "go"}]},
                {"role": "assistant", "content": [{"type": "thinking", "thinking": "last", "signature": proof.raw()}]}]
        }),
        Dialect::default(),
    );
    let id = out["input"][4]["call_id"].clone();
    assert!(id.as_str().unwrap().len() <= 64);
    assert_eq!(
        out["input"],
        json!([
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi é"}]},
            {"type": "message", "role": "system", "content": [{"type": "input_text", "text": "mid"}]},
            {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": "gAAA"},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "ok"}]},
            {"type": "function_call", "call_id": id, "name": "Bash", "arguments": "{\"a\":\"\\n\"}"},
            {"type": "function_call_output", "call_id": id, "output": [
                {"type": "input_text", "text": "a"}, {"type": "input_image", "image_url": "data:image/png;base64,AA", "detail": "auto"}]},
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "go"}]}
        ])
    );
    assert_eq!(
        out["tools"],
        json!([{"type": "function", "name": "Bash", "parameters": {"type": "object"}, "strict": false}, {"type": "web_search"}])
    );
    assert_eq!((&out["instructions"], &out["max_output_tokens"], &out["store"]), (&json!("sys"), &json!(16), &json!(false)));
    assert_eq!((&out["reasoning"]["effort"], &out["include"]), (&json!("medium"), &json!(["reasoning.encrypted_content"])));
    assert_eq!((&out["tool_choice"], &out["parallel_tool_calls"]), (&json!("required"), &json!(false)));
    assert!(out.get("stop").is_none());
}

/// BerriAI/litellm#36091: without the key, no prompt was ever found in the cache.
#[test]
fn bug_07_the_session_becomes_the_cache_key() {
    let user = json!({"session_id": "s-1"}).to_string();
    let body = json!({"model": "c", "max_tokens": 1, "metadata": {"user_id": user}, "messages": []});
    assert_eq!(from_anthropic(&body, Dialect::default())["prompt_cache_key"], "s-1");
    assert!(from_anthropic(&body, Dialect { cache_key: false, ..Dialect::default() }).get("prompt_cache_key").is_none());
}

/// router-for-me/CLIProxyAPI#5753: most upstreams of this format do not know `custom`.
#[test]
fn bug_20_freeform_tools_are_custom_or_functions_as_the_upstream_takes_them() {
    let body = json!({"model": "m", "tools": [{"type": "custom", "name": "p"}], "tool_choice": {"type": "custom", "name": "p"}, "input": [
        {"type": "custom_tool_call", "call_id": "c", "name": "p", "input": "a\n"}, {"type": "custom_tool_call_output", "call_id": "c", "output": "ok"}]});
    let bytes = serde_json::to_vec(&body).unwrap();
    let request = read_responses::read(&bytes).unwrap();
    let out = |custom_tools| -> Value {
        let dialect = Dialect { custom_tools, ..Dialect::default() };
        serde_json::from_slice(&write(&request, "m", dialect, &mut Names::of(&request), 0)).unwrap()
    };
    let own = out(true);
    assert_eq!((&own["input"], &own["tools"], &own["tool_choice"]), (&body["input"], &body["tools"], &body["tool_choice"]));
    let function = out(false);
    assert_eq!(function["input"][0]["arguments"], "{\"input\":\"a\\n\"}");
    assert_eq!((&function["input"][1]["type"], &function["tools"][0]["type"]), (&json!("function_call_output"), &json!("function")));
}
