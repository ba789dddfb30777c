//! As api.openai.com/v1/chat/completions replies; thinking as DeepSeek and vLLM send it, since OpenAI shows none there.

use serde_json::{Value, json};

use crate::proxy::script::{Block, Script, Stop, Usage, whole as joined};

fn usage(usage: Usage) -> Value {
    let prompt = usage.input + usage.cache_read + usage.cache_write;
    json!({
        "prompt_tokens": prompt, "completion_tokens": usage.output, "total_tokens": prompt + usage.output,
        "prompt_tokens_details": {"cached_tokens": usage.cache_read, "cache_write_tokens": usage.cache_write, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning, "audio_tokens": 0, "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0},
    })
}

/// A refusal has a field of its own and ends as any other text.
fn finish(stop: Stop) -> &'static str {
    match stop {
        Stop::End | Stop::Refusal => "stop",
        Stop::ToolUse => "tool_calls",
        Stop::MaxTokens => "length",
    }
}

/// `with_usage`: the client asked for it.
pub fn stream(script: &Script, model: &str, with_usage: bool) -> Vec<String> {
    let chunk = |choices: Value, usage: Value| {
        let mut chunk = json!({
            "id": "chatcmpl-cast", "object": "chat.completion.chunk", "created": 1_790_000_000, "model": model,
            "service_tier": "default", "system_fingerprint": "fp_cast", "choices": choices});
        if with_usage {
            chunk["usage"] = usage;
        }
        chunk["obfuscation"] = "aGk".into();
        format!("data: {chunk}\n\n")
    };
    let delta =
        |delta: Value, finish: Value| chunk(json!([{"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish}]), Value::Null);
    let mut all = vec![delta(json!({"role": "assistant", "content": "", "refusal": null}), Value::Null)];
    let field = if script.stop == Stop::Refusal { "refusal" } else { "content" };
    let mut call = 0;
    for block in &script.blocks {
        let mut says = |key: &str, pieces: &[&str]| all.extend(pieces.iter().map(|text| delta(json!({key: text}), Value::Null)));
        match block {
            Block::Text(pieces) => says(field, pieces),
            Block::Thought(pieces) => says("reasoning_content", pieces),
            Block::Call { id, name, arguments } => {
                let piece = |function: Value| delta(json!({"tool_calls": [{"index": call, "function": function}]}), Value::Null);
                let first = json!({"index": call, "id": id, "type": "function", "function": {"name": name, "arguments": ""}});
                all.push(delta(json!({"tool_calls": [first]}), Value::Null));
                let empty: &[&str] = &["{}"];
                let pieces = if arguments.is_empty() { empty } else { arguments };
                all.extend(pieces.iter().map(|text| piece(json!({"arguments": text}))));
                call += 1;
            }
        }
    }
    if let Some(message) = script.failure {
        all.push(format!("data: {}\n\n", error(message).1));
        return all;
    }
    all.push(delta(json!({}), finish(script.stop).into()));
    if with_usage {
        all.push(chunk(json!([]), usage(script.usage)));
    }
    all.push("data: [DONE]\n\n".to_owned());
    all
}

pub fn whole(script: &Script, model: &str) -> Value {
    let mut message = json!({"role": "assistant", "content": null, "refusal": null, "annotations": []});
    let mut calls = Vec::new();
    for block in &script.blocks {
        match block {
            Block::Text(pieces) if script.stop == Stop::Refusal => message["refusal"] = pieces.concat().into(),
            Block::Text(pieces) => message["content"] = pieces.concat().into(),
            Block::Thought(pieces) => message["reasoning_content"] = pieces.concat().into(),
            Block::Call { id, name, arguments } => {
                calls.push(json!({"id": id, "type": "function", "function": {"name": name, "arguments": joined(arguments)}}));
            }
        }
    }
    if !calls.is_empty() {
        message["tool_calls"] = calls.into();
    }
    json!({
        "id": "chatcmpl-cast", "object": "chat.completion", "created": 1_790_000_000, "model": model,
        "choices": [{"index": 0, "message": message, "logprobs": null, "finish_reason": finish(script.stop)}],
        "usage": usage(script.usage), "service_tier": "default", "system_fingerprint": "fp_cast",
    })
}

pub fn error(message: &str) -> (u16, Value) {
    (503, json!({"error": {"message": message, "type": "server_error", "param": null, "code": "server_is_overloaded"}}))
}
