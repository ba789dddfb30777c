//! Gemini requests read, and what other vendors get of them.

use serde_json::{Value, json};

use super::*;
use crate::proxy::translate::{names::Names, write_chat};

fn chat(body: &Value) -> Value {
    let bytes = serde_json::to_vec(body).unwrap();
    let request = read(&bytes, "gemini-x", true).unwrap();
    let dialect = write_chat::Dialect { effort: true, echo_reasoning: true, ..Default::default() };
    serde_json::from_slice(&write_chat::write(&request, "m", dialect, &mut Names::default(), bytes.len())).unwrap()
}

#[test]
fn a_gemini_cli_turn_becomes_a_chat_request() {
    let body = json!({
        "systemInstruction": {"role": "user", "parts": [{"text": "You are \"it\"."}]},
        "contents": [
            {"role": "user", "parts": [{"text": "hi é"}, {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]},
            {"role": "model", "parts": [
                {"text": "hm", "thought": true}, {"text": "ok"},
                {"functionCall": {"id": "c1", "name": "ls", "args": {"path": "\"x\""}}, "thoughtSignature": "skip_thought_signature_validator"},
                {"functionCall": {"name": "now"}}]},
            {"role": "user", "parts": [
                {"functionResponse": {"name": "now", "response": {"error": "late"}}},
                {"functionResponse": {"id": "c1", "name": "ls", "response": {"output": {"n": [1]}},
                    "parts": [{"inlineData": {"mimeType": "image/png", "data": "BBBB"}}]}}]}],
        "tools": [{"functionDeclarations": [
            {"name": "ls", "description": "list", "parameters": {"type": "OBJECT", "properties": {"path": {"type": "STRING"}}}},
            {"name": "now", "parametersJsonSchema": {"type": "object"}}, {"name": "bare"}]}, {"googleSearch": {}}],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["ls"]}},
        "generationConfig": {"maxOutputTokens": 9, "temperature": 0.5, "topP": 1, "stopSequences": ["X"],
            "responseMimeType": "application/json", "responseSchema": {"type": "OBJECT"},
            "thinkingConfig": {"thinkingBudget": 8192, "includeThoughts": true}}
    });
    let out = chat(&body);
    let now = names::call_id("now", "{}", 1);
    assert_eq!(
        out["messages"],
        json!([
            {"role": "system", "content": "You are \"it\"."},
            {"role": "user", "content": [
                {"type": "text", "text": "hi é"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]},
            {"role": "assistant", "content": "ok", "reasoning_content": "hm", "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "ls", "arguments": "{\"path\":\"\\\"x\\\"\"}"}},
                {"id": now, "type": "function", "function": {"name": "now", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": now, "content": "[error] late"},
            {"role": "tool", "tool_call_id": "c1", "content": "{\"n\":[1]}[its picture follows]"},
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,BBBB"}}]}
        ])
    );
    assert_eq!(out["tools"][0]["function"]["parameters"], json!({"type": "object", "properties": {"path": {"type": "string"}}}));
    assert_eq!(out["tools"][2]["function"]["parameters"], json!({"type": "object", "properties": {}}));
    assert_eq!(out["tool_choice"]["function"]["name"], "ls");
    assert_eq!(out["response_format"]["json_schema"]["schema"], json!({"type": "object"}));
    assert_eq!((out["reasoning_effort"].as_str(), out["max_tokens"].as_u64()), (Some("medium"), Some(9)));
    assert_eq!((&out["stop"], &out["stream"]), (&json!(["X"]), &json!(true)));
}

#[test]
fn snake_case_and_single_things_are_taken() {
    let body = json!({
        "system_instruction": {"parts": {"text": "s"}},
        "contents": {"parts": [{"inline_data": {"mime_type": "application/pdf", "data": "AA"}}, {"text": "t"}]},
        "tools": {"function_declarations": [{"name": "a"}, {"name": "b"}, {"name": "c"}]},
        "tool_config": {"function_calling_config": {"mode": "ANY", "allowed_function_names": ["a", "c"]}},
        "generation_config": {"max_output_tokens": 3, "response_mime_type": "application/json", "thinking_config": {"thinking_level": "HIGH"}}
    });
    let bytes = body.to_string();
    let request = read(bytes.as_bytes(), "m", false).unwrap();
    assert_eq!(request.system.iter().map(|s| s.raw()).collect::<Vec<_>>(), ["s", "Answer with valid JSON only."]);
    assert!(matches!(request.turns[0].parts.as_slice(), [Part::Document { .. }, Part::Text(_)]));
    assert_eq!(request.tools.iter().map(|t| t.name.raw()).collect::<Vec<_>>(), ["a", "c"], "others cannot say: one of these");
    assert!(matches!(request.choice, Some(Choice::Required)));
    assert_eq!((request.max_tokens, request.thinking), (Some(3), Thinking::Effort(Effort::High)));
}

#[test]
fn thinking_is_read_from_budget_and_level() {
    for (config, want) in [
        (json!({"thinkingBudget": 0}), Thinking::Off),
        (json!({"thinkingBudget": -1}), Thinking::Auto),
        (json!({"thinkingBudget": 77}), Thinking::Budget(77)),
        (json!({"thinkingLevel": "LOW", "includeThoughts": true}), Thinking::Effort(Effort::Low)),
        (json!({"includeThoughts": true}), Thinking::Auto),
        (json!({"includeThoughts": false}), Thinking::Unsaid),
    ] {
        let body = json!({"contents": [], "generationConfig": {"thinkingConfig": config}}).to_string();
        assert_eq!(read(body.as_bytes(), "m", false).unwrap().thinking, want, "{body}");
    }
}

/// BerriAI/litellm#18201: results that no call claims. Ids are optional here.
#[test]
fn bug_13_calls_without_ids_and_their_results_find_each_other() {
    let call = json!({"functionCall": {"name": "t", "args": {}}});
    let result = |n: u32| json!({"functionResponse": {"name": "t", "response": {"result": n.to_string()}}});
    let body = json!({"contents": [
        {"role": "model", "parts": [call, call]}, {"role": "user", "parts": [result(1), result(2)]},
        {"role": "model", "parts": [call]}, {"role": "function", "parts": [result(3)]}]});
    let out = chat(&body);
    let messages = out["messages"].as_array().unwrap();
    let ids: Vec<&Value> = messages.iter().flat_map(|m| m["tool_calls"].as_array().into_iter().flatten()).map(|c| &c["id"]).collect();
    let answers: Vec<(&Value, &str)> =
        messages.iter().filter(|m| m["role"] == "tool").map(|m| (&m["tool_call_id"], m["content"].as_str().unwrap())).collect();
    assert_eq!(answers, [(ids[0], "1"), (ids[1], "2"), (ids[2], "3")]);
    assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2]);
    assert_eq!(out, chat(&body), "the same on every turn");
}

/// router-for-me/CLIProxyAPI#2172: a signature must come back with the very thought it proves, though
/// Gemini's clients drop the thought.
#[test]
fn bug_14_a_packed_thought_returns_whole_whether_its_text_was_kept_or_not() {
    let s = Str::quote;
    let packed = Seal::packed(&[(Some(Seal::Anthropic(s("Sig=="))), s("hm \"é\"")), (Some(Seal::Redacted(s("data"))), s(""))]);
    let call = json!({"functionCall": {"id": "c1", "name": "t", "args": {}}, "thoughtSignature": packed.plain()});
    let thought = json!({"text": "hm \"é\"", "thought": true});
    let model = |parts: Value| json!({"role": "model", "parts": parts});
    // The SDK for Python keeps each chunk as a content of its own.
    for contents in [vec![model(json!([thought, call]))], vec![model(json!([call]))], vec![model(json!([thought])), model(json!([call]))]] {
        let contents = [vec![json!({"role": "user", "parts": [{"text": "q"}]})], contents].concat();
        let bytes = json!({"contents": contents,
            "generationConfig": {"thinkingConfig": {"thinkingBudget": 2048}}})
        .to_string();
        let request = read(bytes.as_bytes(), "m", false).unwrap();
        let [Part::Thought { text, seal: Some(Seal::Anthropic(own)) }, Part::Thought { seal: Some(Seal::Redacted(_)), .. }, Part::Call(_)] =
            request.turns[1].parts.as_slice()
        else {
            panic!("{:?}", request.turns[1].parts)
        };
        assert_eq!((text.plain(), own.raw()), ("hm \"é\"".into(), "Sig=="));
    }
}

#[test]
fn what_is_no_request_is_refused_with_its_place() {
    for (body, says) in [
        ("{", "EOF"),
        ("{}", "contents"),
        (r#"{"contents":[{"role":"robot","parts":[]}]}"#, "contents[0].role"),
        (r#"{"contents":[{"parts":[{"text":3}]}]}"#, "contents[0].parts[0].text"),
        (r#"{"contents":[{"parts":[{"functionCall":{}}]}]}"#, "contents[0].parts"),
        (r#"{"contents":[],"tools":[3]}"#, "tools"),
    ] {
        let why = read(body.as_bytes(), "m", false).unwrap_err().to_string();
        assert!(why.contains(says), "{body}: {why}");
    }
}

/// Google's SDK for Python writes base64 for URLs; a picture in it is refused by everybody else.
#[test]
fn a_picture_leaves_in_the_alphabet_that_everybody_reads() {
    let picture = |data: &str| json!({"contents": [{"parts": [{"inlineData": {"mimeType": "image/png", "data": data}}]}]});
    for (data, want) in [("AB-_Zz==", "AB+/Zz=="), ("AB+/Zz==", "AB+/Zz==")] {
        let out = chat(&picture(data));
        assert_eq!(out["messages"][0]["content"][0]["image_url"]["url"], format!("data:image/png;base64,{want}"));
    }
}
