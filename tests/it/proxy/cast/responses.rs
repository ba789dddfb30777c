//! As api.openai.com/v1/responses replies.

use serde_json::{Value, json};

use crate::proxy::script::{Block, SIGNATURE, Script, Stop, Usage, whole as joined};

fn usage(usage: Usage) -> Value {
    let input = usage.input + usage.cache_read + usage.cache_write;
    json!({
        "input_tokens": input, "input_tokens_details": {"cached_tokens": usage.cache_read, "cache_write_tokens": usage.cache_write},
        "output_tokens": usage.output, "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": input + usage.output})
}

fn response(model: &str, status: &str, output: Value, usage: Value) -> Value {
    json!({
        "id": "resp_cast", "object": "response", "created_at": 1_790_000_000, "status": status, "background": false, "error": null,
        "incomplete_details": null, "instructions": null, "max_output_tokens": null, "max_tool_calls": null, "metadata": {},
        "model": model, "output": output, "parallel_tool_calls": true, "previous_response_id": null, "prompt_cache_key": null,
        "reasoning": {"effort": null, "summary": null}, "safety_identifier": null, "service_tier": "default", "store": false,
        "temperature": 1.0, "text": {"format": {"type": "text"}, "verbosity": "medium"}, "tool_choice": "auto", "tools": [],
        "top_logprobs": 0, "top_p": 1.0, "truncation": "disabled", "usage": usage, "user": null})
}

fn item(script: &Script, n: usize, block: &Block) -> Value {
    let cut = script.stop == Stop::MaxTokens && n + 1 == script.blocks.len();
    let status = if cut { "incomplete" } else { "completed" };
    match block {
        Block::Text(pieces) => json!({
            "id": format!("msg_cast{n}"), "type": "message", "status": status, "role": "assistant", "content": [part(script, &pieces.concat())]}),
        Block::Thought(pieces) => json!({
            "id": format!("rs_cast{n}"), "type": "reasoning", "summary": [{"type": "summary_text", "text": pieces.concat()}],
            "encrypted_content": SIGNATURE}),
        Block::Call { id, name, arguments } => {
            let mut call = json!({
                "id": format!("fc_cast{n}"), "type": "function_call", "status": status, "arguments": joined(arguments), "call_id": id,
                "name": name});
            // A server's tools are offered as those of a namespace, and called so.
            if let Some((namespace, short)) = name.strip_prefix("mcp__").and(name.rsplit_once("__")) {
                call["namespace"] = namespace.into();
                call["name"] = short.into();
            }
            call
        }
    }
}

fn part(script: &Script, text: &str) -> Value {
    if script.stop == Stop::Refusal {
        json!({"type": "refusal", "refusal": text})
    } else {
        json!({"type": "output_text", "annotations": [], "logprobs": [], "text": text})
    }
}

/// The item as it is announced: nothing in it yet.
fn announced(item: &Value) -> Value {
    let mut item = item.clone();
    for (key, empty) in [("content", json!([])), ("summary", json!([])), ("arguments", json!("")), ("encrypted_content", json!(""))] {
        if item.get(key).is_some() {
            item[key] = empty;
        }
    }
    if item.get("status").is_some() {
        item["status"] = "in_progress".into();
    }
    item
}

pub fn stream(script: &Script, model: &str) -> Vec<String> {
    let open = response(model, "in_progress", json!([]), Value::Null);
    let mut all = vec![json!({"type": "response.created", "response": open}), json!({"type": "response.in_progress", "response": open})];
    for (n, block) in script.blocks.iter().enumerate() {
        let item = item(script, n, block);
        let event = |kind: &str, more: Value| {
            let mut event = json!({"type": format!("response.{kind}"), "item_id": item["id"], "output_index": n});
            event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            event
        };
        all.push(json!({"type": "response.output_item.added", "output_index": n, "item": announced(&item)}));
        match block {
            Block::Text(pieces) => {
                let refusal = script.stop == Stop::Refusal;
                let (kind, key) = if refusal { ("refusal", "refusal") } else { ("output_text", "text") };
                let more = |key: &str, value: Value| {
                    let mut more = json!({"content_index": 0, key: value});
                    if !refusal && key != "part" {
                        more["logprobs"] = json!([]);
                    }
                    more
                };
                all.push(event("content_part.added", more("part", part(script, ""))));
                all.extend(pieces.iter().map(|text| event(&format!("{kind}.delta"), more("delta", json!(text)))));
                if script.failure.is_some() {
                    continue;
                }
                all.push(event(&format!("{kind}.done"), more(key, json!(pieces.concat()))));
                all.push(event("content_part.done", more("part", part(script, &pieces.concat()))));
            }
            Block::Thought(pieces) => {
                let more = |key: &str, value: Value| json!({"summary_index": 0, key: value});
                let part = |text: &str| more("part", json!({"type": "summary_text", "text": text}));
                all.push(event("reasoning_summary_part.added", part("")));
                all.extend(pieces.iter().map(|text| event("reasoning_summary_text.delta", more("delta", json!(text)))));
                all.push(event("reasoning_summary_text.done", more("text", json!(pieces.concat()))));
                all.push(event("reasoning_summary_part.done", part(&pieces.concat())));
            }
            Block::Call { arguments, .. } => {
                let whole = joined(arguments);
                let pieces = if arguments.is_empty() { vec![&*whole] } else { arguments.to_vec() };
                all.extend(pieces.iter().map(|text| event("function_call_arguments.delta", json!({"delta": text}))));
                all.push(event("function_call_arguments.done", json!({"arguments": whole})));
            }
        }
        all.push(json!({"type": "response.output_item.done", "output_index": n, "item": item}));
    }
    let mut end = whole(script, model);
    if let Some(message) = script.failure {
        end = response(model, "failed", json!([]), Value::Null);
        end["error"] = json!({"code": "server_error", "message": message});
    }
    all.push(json!({"type": format!("response.{}", end["status"].as_str().unwrap()), "response": end}));
    let numbered = all.into_iter().enumerate().map(|(n, mut event)| {
        event["sequence_number"] = n.into();
        format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap())
    });
    numbered.collect()
}

/// A refusal is a part of its own, and the response is complete.
pub fn whole(script: &Script, model: &str) -> Value {
    let output: Vec<Value> = script.blocks.iter().enumerate().map(|(n, block)| item(script, n, block)).collect();
    let status = if script.stop == Stop::MaxTokens { "incomplete" } else { "completed" };
    let mut all = response(model, status, output.into(), usage(script.usage));
    if script.stop == Stop::MaxTokens {
        all["incomplete_details"] = json!({"reason": "max_output_tokens"});
    }
    all
}

pub fn error(message: &str) -> (u16, Value) {
    super::chat::error(message)
}
