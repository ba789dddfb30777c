//! As generativelanguage.googleapis.com replies.

use serde_json::{Value, json};

use crate::proxy::script::{Block, SIGNATURE, Script, Stop, Usage, whole as joined};

/// What was written to a cache is not told.
fn usage(usage: Usage) -> Value {
    let prompt = usage.input + usage.cache_read + usage.cache_write;
    let mut all = json!({
        "promptTokenCount": prompt, "candidatesTokenCount": usage.output - usage.reasoning, "totalTokenCount": prompt + usage.output,
        "cachedContentTokenCount": usage.cache_read, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": prompt}],
        "cacheTokensDetails": [{"modality": "TEXT", "tokenCount": usage.cache_read}]});
    if usage.reasoning > 0 {
        all["thoughtsTokenCount"] = usage.reasoning.into();
    }
    all
}

/// Calls have no reason of their own.
fn finish(stop: Stop) -> &'static str {
    match stop {
        Stop::End | Stop::ToolUse => "STOP",
        Stop::MaxTokens => "MAX_TOKENS",
        Stop::Refusal => "SAFETY",
    }
}

fn response(candidate: Value, usage: Value, model: &str) -> Value {
    json!({"candidates": [candidate], "usageMetadata": usage, "modelVersion": model, "responseId": "cAsT-1"})
}

/// Calls come whole; the first one behind a thought carries its signature.
fn parts(script: &Script, pieces: impl Fn(&[&str]) -> Vec<String>) -> Vec<Value> {
    let mut all = Vec::new();
    let mut proof = None;
    for block in &script.blocks {
        match block {
            Block::Text(texts) => all.extend(pieces(texts).iter().map(|text| json!({"text": text}))),
            Block::Thought(texts) => {
                all.extend(pieces(texts).iter().map(|text| json!({"text": text, "thought": true})));
                proof = Some(SIGNATURE);
            }
            Block::Call { id, name, arguments } => {
                let args: Value = serde_json::from_str(&joined(arguments)).unwrap();
                let mut part = json!({"functionCall": {"name": name, "args": args, "id": id}});
                if let Some(signature) = proof.take() {
                    part["thoughtSignature"] = signature.into();
                }
                all.push(part);
            }
        }
    }
    all
}

/// Each chunk is a whole response, and the last says why it ended.
pub fn chunks(script: &Script, model: &str) -> Vec<Value> {
    let content = |parts: Value| json!({"content": {"parts": parts, "role": "model"}, "index": 0});
    let so_far = json!({"promptTokenCount": 95, "totalTokenCount": 95, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 95}]});
    let pieces = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect();
    let mut all: Vec<Value> =
        parts(script, pieces).into_iter().map(|part| response(content(json!([part])), so_far.clone(), model)).collect();
    if let Some(message) = script.failure {
        all.push(error(message).1);
        return all;
    }
    let mut last = content(json!([{"text": ""}]));
    last["finishReason"] = finish(script.stop).into();
    all.push(response(last, usage(script.usage), model));
    all
}

pub fn stream(script: &Script, model: &str) -> Vec<String> {
    chunks(script, model).iter().map(|chunk| format!("data: {chunk}\r\n\r\n")).collect()
}

pub fn whole(script: &Script, model: &str) -> Value {
    let parts = parts(script, |texts| vec![texts.concat()]);
    let candidate = json!({"content": {"parts": parts, "role": "model"}, "finishReason": finish(script.stop), "index": 0});
    response(candidate, usage(script.usage), model)
}

pub fn error(message: &str) -> (u16, Value) {
    (503, json!({"error": {"code": 503, "message": message, "status": "UNAVAILABLE"}}))
}
