//! Anthropic and Gemini requests written for Gemini.

use serde_json::{Value, json};

use super::*;
use crate::proxy::translate::{read_anthropic, read_gemini};

const OLD: &str = "gemini-2.5-flash";
const NEW: &str = "gemini-3-pro-preview";

fn gemini(body: &Value, model: &str) -> Value {
    let bytes = serde_json::to_vec(body).unwrap();
    let request = read_anthropic::read(&bytes).unwrap();
    serde_json::from_slice(&write(&request, Dialect::of(model), &mut Names::default(), bytes.len())).unwrap()
}

#[test]
fn a_claude_code_turn_becomes_a_gemini_request() {
    let sealed = |s: &str| Seal::Gemini(Str::quote(s)).sealed().plain().into_owned();
    let body = json!({
        "model": "claude-x", "max_tokens": 32000, "stream": true, "temperature": 1, "stop_sequences": ["a", "b", "c", "d", "e", "f"],
        "system": [{"type": "text", "text": "You are \"it\".\n", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
        "thinking": {"type": "enabled", "budget_tokens": 4096}, "context_management": {"edits": []},
        "tools": [{"name": "Bash", "description": "run", "input_schema": {"$schema": "x", "type": "object", "additionalProperties": false}},
                  {"type": "web_search_20250305", "name": "web_search"}],
        "tool_choice": {"type": "any", "disable_parallel_tool_use": true},
        "messages": [
            {"role": "user", "content": "hi é"},
            {"role": "user", "content": "again"},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "hm", "signature": sealed("SigA==")},
                {"type": "text", "text": "ok"},
                {"type": "thinking", "thinking": "", "signature": sealed("SigB==")},
                {"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "ls \"x\""}},
                {"type": "tool_use", "id": "t2", "name": "Bash", "input": {}}]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "t2", "content": "bad", "is_error": true},
                {"type": "tool_result", "tool_use_id": "t1", "content": "a"},
                {"type": "text", "text": "go on"}]},
            {"role": "assistant", "content": [
                {"type": "text", "text": "done"}, {"type": "thinking", "thinking": "", "signature": sealed("SigC==")}]}]
    });
    let out = gemini(&body, OLD);
    assert_eq!(out["systemInstruction"], json!({"parts": [{"text": "You are \"it\".\n"}]}));
    assert_eq!(
        out["contents"],
        json!([
            {"role": "user", "parts": [{"text": "hi é"}, {"text": "again"}]},
            {"role": "model", "parts": [
                {"text": "ok", "thoughtSignature": "SigA=="},
                {"functionCall": {"id": "t1", "name": "Bash", "args": {"command": "ls \"x\""}}, "thoughtSignature": "SigB=="},
                {"functionCall": {"id": "t2", "name": "Bash", "args": {}}}]},
            {"role": "user", "parts": [
                {"functionResponse": {"id": "t1", "name": "Bash", "response": {"output": "a"}}},
                {"functionResponse": {"id": "t2", "name": "Bash", "response": {"error": "bad"}}},
                {"text": "go on"}]},
            {"role": "model", "parts": [{"text": "done"}, {"text": "", "thoughtSignature": "SigC=="}]}
        ])
    );
    assert_eq!(
        out["tools"],
        json!([{"functionDeclarations": [{"name": "Bash", "description": "run", "parametersJsonSchema": {"type": "object"}}]}])
    );
    assert_eq!(out["toolConfig"], json!({"functionCallingConfig": {"mode": "ANY"}}));
    assert_eq!(
        out["generationConfig"],
        json!({"maxOutputTokens": 32000, "temperature": 1, "stopSequences": ["a", "b", "c", "d", "e"],
            "thinkingConfig": {"includeThoughts": true, "thinkingBudget": 4096}})
    );
    // BerriAI/litellm PR#39355 and #26240: Anthropic's own fields fail the request elsewhere.
    for field in ["cache_control", "context_management", "additionalProperties", "$schema"] {
        assert!(!out.to_string().contains(field), "{field}");
    }
}

/// lbjlaq/Antigravity-Manager#123: "Function call is missing a thought_signature".
#[test]
fn bug_15_a_call_of_another_vendor_carries_the_accepted_stand_in() {
    let call = |id: &str| json!({"type": "tool_use", "id": id, "name": "t", "input": {}});
    let out = gemini(
        &json!({"model": "c", "max_tokens": 1, "messages": [
            {"role": "assistant", "content": [{"type": "thinking", "thinking": "x", "signature": "EqQB"}, call("a"), call("b")]}]}),
        NEW,
    );
    let parts = &out["contents"][0]["parts"];
    assert_eq!((&parts[0]["thoughtSignature"], parts[1].get("thoughtSignature")), (&json!(FOREIGN), None));
    assert!(!out.to_string().contains("EqQB"), "another vendor's signature would be refused");
}

/// The same, through a client of this very format: signatures stay on their parts, byte for byte.
#[test]
fn bug_15_a_signature_goes_back_on_the_part_it_came_with() {
    let contents = json!([{"role": "user", "parts": [{"text": "q"}]}, {"role": "model", "parts": [
        {"text": "a", "thoughtSignature": "S1+/="},
        {"functionCall": {"id": "c", "name": "t", "args": {"k": "\u{e9}"}}, "thoughtSignature": "S2"},
        {"functionCall": {"id": "d", "name": "t", "args": {}}}, {"text": "", "thoughtSignature": "S3"}]}]);
    let body = json!({ "contents": contents }).to_string();
    let request = read_gemini::read(body.as_bytes(), NEW, false).unwrap();
    let out: Value = serde_json::from_slice(&write(&request, Dialect::of(NEW), &mut Names::default(), 0)).unwrap();
    assert_eq!(out["contents"], contents);
}

/// BerriAI/litellm#23712: pictures inside results were dropped.
#[test]
fn bug_11_pictures_in_results_arrive() {
    let body = json!({"model": "c", "max_tokens": 1, "messages": [
        {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "shot", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": [
            {"type": "text", "text": "see"}, {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}]}]}]});
    let picture = json!({"inlineData": {"mimeType": "image/png", "data": "AAAA"}});
    let response = |out: &Value| out["contents"][1]["parts"].clone();
    let said = json!({"id": "a", "name": "shot", "response": {"output": "see"}});
    assert_eq!(response(&gemini(&body, OLD)), json!([{"functionResponse": said}, picture]));
    let mut nested = said;
    nested["parts"] = json!([picture]);
    assert_eq!(response(&gemini(&body, NEW)), json!([{"functionResponse": nested}]));
}

/// BerriAI/litellm#17904: names over 64 characters are refused upstream.
#[test]
fn bug_10_long_tool_names_are_shortened_everywhere_alike() {
    let long = format!("mcp__{}__do", "x".repeat(80));
    let out = gemini(
        &json!({"model": "c", "max_tokens": 1, "tool_choice": {"type": "tool", "name": long}, "tools": [{"name": long, "input_schema": {}}],
            "messages": [
                {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": long, "input": {}}]},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": ""}]}]}),
        NEW,
    );
    let name = &out["tools"][0]["functionDeclarations"][0]["name"];
    assert!(name.as_str().unwrap().len() <= 64);
    assert_eq!(out["toolConfig"]["functionCallingConfig"], json!({"mode": "ANY", "allowedFunctionNames": [name]}));
    assert_eq!(&out["contents"][0]["parts"][0]["functionCall"]["name"], name);
    assert_eq!(&out["contents"][1]["parts"][0]["functionResponse"]["name"], name);
}

/// Measured in claude-code-router 2.0.0: a system turn in mid-conversation was silently lost.
#[test]
fn bug_27_a_system_turn_is_kept_where_it_stands() {
    let out = gemini(
        &json!({"model": "c", "max_tokens": 1, "system": "s", "messages": [
            {"role": "system", "content": "early"}, {"role": "user", "content": "q"}, {"role": "system", "content": "mid \"m\""}]}),
        NEW,
    );
    assert_eq!(out["systemInstruction"]["parts"], json!([{"text": "s"}, {"text": "early"}]));
    assert_eq!(out["contents"][0]["parts"], json!([{"text": "q"}, {"text": "<system>\nmid \"m\"\n</system>"}]));
}

#[test]
fn thinking_is_said_as_each_generation_understands_it() {
    for (thinking, model, want) in [
        (json!({"type": "adaptive"}), OLD, json!({"includeThoughts": true, "thinkingBudget": -1})),
        (json!({"type": "adaptive"}), NEW, json!({"includeThoughts": true})),
        (json!({"type": "disabled"}), OLD, json!({"includeThoughts": false, "thinkingBudget": 0})),
        (json!({"type": "disabled"}), "gemini-2.5-pro", json!({"includeThoughts": false, "thinkingBudget": 128})),
        (json!({"type": "disabled"}), NEW, json!({"includeThoughts": false, "thinkingLevel": "LOW"})),
        (json!({"type": "disabled"}), "gemini-3-flash", json!({"includeThoughts": false, "thinkingLevel": "MINIMAL"})),
        (json!({"type": "enabled", "budget_tokens": 99_000}), OLD, json!({"includeThoughts": true, "thinkingBudget": 24_576})),
        (json!({"type": "enabled", "budget_tokens": 1024}), NEW, json!({"includeThoughts": true, "thinkingLevel": "LOW"})),
        (
            json!({"type": "enabled", "budget_tokens": 99_000}),
            "models/gemini-3.5-flash",
            json!({"includeThoughts": true, "thinkingLevel": "HIGH"}),
        ),
        (json!({"type": "adaptive"}), "gemini-2.0-flash", Value::Null),
    ] {
        let out = gemini(&json!({"model": "c", "max_tokens": 1, "thinking": thinking, "messages": []}), model);
        assert_eq!(out["generationConfig"]["thinkingConfig"], want, "{thinking} {model}");
    }
}

#[test]
fn a_schema_beside_tools_is_asked_for_in_words_where_it_would_be_refused() {
    let schema = json!({"type": "object", "properties": {"a": {"const": "x"}}});
    let body = json!({"model": "c", "max_tokens": 1, "messages": [], "tools": [{"name": "t", "input_schema": {}}],
        "output_config": {"format": {"type": "json_schema", "schema": schema}}});
    let (old, new) = (gemini(&body, OLD), gemini(&body, NEW));
    assert!(old["generationConfig"].get("responseMimeType").is_none());
    assert!(old["systemInstruction"]["parts"][0]["text"].as_str().unwrap().contains(r#""const":"x""#));
    assert_eq!(new["generationConfig"]["responseMimeType"], "application/json");
    assert_eq!(new["generationConfig"]["responseJsonSchema"]["properties"]["a"], json!({"enum": ["x"]}));
    assert!(new.get("systemInstruction").is_none());
}

#[test]
fn media_by_address_and_a_search_alone() {
    let image = |source: Value| json!({"type": "image", "source": source});
    let out = gemini(
        &json!({"model": "c", "max_tokens": 1, "tools": [{"type": "web_search_20250305", "name": "web_search"}], "messages": [{"role": "user", "content": [
            image(json!({"type": "url", "url": "https://x/a.PNG?q"})), image(json!({"type": "url", "url": "data:image/gif;base64,R0"})),
            image(json!({"type": "file", "file_id": "f"}))]}]}),
        NEW,
    );
    assert_eq!(
        out["contents"][0]["parts"],
        json!([
            {"fileData": {"mimeType": "image/png", "fileUri": "https://x/a.PNG?q"}}, {"inlineData": {"mimeType": "image/gif", "data": "R0"}},
            {"text": "[a picture kept by another vendor is not shown]"}])
    );
    assert_eq!(out["tools"], json!([{"googleSearch": {}}]));
}

#[test]
fn the_address_names_model_and_method() {
    assert_eq!(path("gemini-x", true), "/v1beta/models/gemini-x:streamGenerateContent?alt=sse");
    assert_eq!(path("models/a b?c", false), "/v1beta/models/a%20b%3Fc:generateContent");
}
