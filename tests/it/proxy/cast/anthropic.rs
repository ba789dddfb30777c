//! As api.anthropic.com replies.

use serde_json::{Value, json};

use crate::proxy::script::{Block, SIGNATURE, Script, Stop, Usage, whole as joined};

fn frame(data: &Value) -> String {
    format!("event: {}\ndata: {data}\n\n", data["type"].as_str().unwrap())
}

/// What a reply costs; the start of a stream does not know all of it yet.
fn usage(usage: Usage) -> Value {
    let mut all = json!({
        "input_tokens": usage.input, "cache_creation_input_tokens": usage.cache_write, "cache_read_input_tokens": usage.cache_read,
        "output_tokens": usage.output,
    });
    if usage.reasoning > 0 {
        all["output_tokens_details"] = json!({"thinking_tokens": usage.reasoning});
    }
    all
}

fn message(script: &Script, model: &str, content: Value) -> Value {
    json!({
        "model": model, "id": "msg_01Cast", "type": "message", "role": "assistant", "content": content,
        "stop_reason": null, "stop_sequence": null, "stop_details": null, "usage": usage(script.usage),
    })
}

/// Reason and details of the end.
fn end(stop: Stop) -> Value {
    let word = match stop {
        Stop::End => "end_turn",
        Stop::ToolUse => "tool_use",
        Stop::MaxTokens => "max_tokens",
        Stop::Refusal => "refusal",
    };
    let details = match stop {
        Stop::Refusal => json!({"type": "refusal", "category": null, "explanation": null}),
        _ => Value::Null,
    };
    json!({"stop_reason": word, "stop_sequence": null, "stop_details": details})
}

pub fn stream(script: &Script, model: &str) -> Vec<String> {
    let mut start = message(script, model, json!([]));
    start["usage"]["output_tokens"] = 1.into();
    start["usage"]["cache_creation"] = json!({"ephemeral_5m_input_tokens": script.usage.cache_write, "ephemeral_1h_input_tokens": 0});
    start["usage"]["service_tier"] = "standard".into();
    if let Some(usage) = start["usage"].as_object_mut() {
        usage.remove("output_tokens_details");
    }
    let mut all = vec![json!({"type": "message_start", "message": start})];
    for (index, block) in script.blocks.iter().enumerate() {
        let mut open = |block: Value| all.push(json!({"type": "content_block_start", "index": index, "content_block": block}));
        let delta = |delta: Value| json!({"type": "content_block_delta", "index": index, "delta": delta});
        match block {
            Block::Text(pieces) => {
                open(json!({"type": "text", "text": ""}));
                if index == 0 {
                    all.push(json!({"type": "ping"}));
                }
                all.extend(pieces.iter().map(|text| delta(json!({"type": "text_delta", "text": text}))));
            }
            Block::Thought(pieces) => {
                open(json!({"type": "thinking", "thinking": "", "signature": ""}));
                all.extend(pieces.iter().map(|text| delta(json!({"type": "thinking_delta", "thinking": text}))));
                all.push(delta(json!({"type": "signature_delta", "signature": SIGNATURE})));
            }
            Block::Call { id, name, arguments } => {
                open(json!({"type": "tool_use", "id": id, "name": name, "input": {}}));
                // It begins with an empty piece, which is all there is of a call without arguments.
                let pieces = [""].iter().chain(arguments.iter());
                all.extend(pieces.map(|piece| delta(json!({"type": "input_json_delta", "partial_json": piece}))));
            }
        }
        if script.failure.is_none() {
            all.push(json!({"type": "content_block_stop", "index": index}));
        }
    }
    if let Some(message) = script.failure {
        all.push(error(message).1);
    } else {
        all.push(json!({"type": "message_delta", "delta": end(script.stop), "usage": usage(script.usage)}));
        all.push(json!({"type": "message_stop"}));
    }
    all.iter().map(frame).collect()
}

pub fn whole(script: &Script, model: &str) -> Value {
    let content = script.blocks.iter().map(|block| match block {
        Block::Text(pieces) => json!({"type": "text", "text": pieces.concat()}),
        Block::Thought(pieces) => json!({"type": "thinking", "thinking": pieces.concat(), "signature": SIGNATURE}),
        Block::Call { id, name, arguments } => {
            let input: Value = serde_json::from_str(&joined(arguments)).unwrap();
            json!({"type": "tool_use", "id": id, "name": name, "input": input})
        }
    });
    let mut message = message(script, model, content.collect());
    message.as_object_mut().unwrap().extend(end(script.stop).as_object().unwrap().clone());
    message
}

/// An overload, as an HTTP status and body.
pub fn error(message: &str) -> (u16, Value) {
    (529, json!({"type": "error", "error": {"type": "overloaded_error", "message": message}, "request_id": "req_cast"}))
}
