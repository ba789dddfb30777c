//! Output items of the Responses format and the events that stream them.

use bytes::Bytes;
use serde_json::{Value, json};

use super::brain::Answer;
use super::frames::{Ids, pieces, typed_frame};
use super::tools::{Call, Kind};

/// Finished output items: the text as a message, then the calls. Never empty.
pub(super) fn items(answer: &Answer, ids: &Ids) -> Vec<Value> {
    let mut items = Vec::new();
    if !answer.text.is_empty() || answer.calls.is_empty() {
        items.push(json!({
            "id": ids.id("msg", 0),
            "type": "message",
            "status": "completed",
            "role": "assistant",
            "content": [text_part(&answer.text)],
        }));
    }
    items.extend(answer.calls.iter().enumerate().map(|(index, call)| call_item(call, ids, index)));
    items
}

fn text_part(text: &str) -> Value {
    json!({"type": "output_text", "text": text, "annotations": [], "logprobs": []})
}

fn call_item(call: &Call, ids: &Ids, index: usize) -> Value {
    let call_id = ids.id("call", index);
    let mut item = match call.kind {
        Kind::Function => json!({
            "id": ids.id("fc", index),
            "type": "function_call",
            "status": "completed",
            "call_id": call_id,
            "name": call.name,
            "arguments": call.written(),
        }),
        Kind::Custom => json!({
            "id": ids.id("ctc", index),
            "type": "custom_tool_call",
            "status": "completed",
            "call_id": call_id,
            "name": call.name,
            "input": call.written(),
        }),
        Kind::LocalShell => json!({
            "id": ids.id("lsh", index),
            "type": "local_shell_call",
            "status": "completed",
            "call_id": call_id,
            "action": {"type": "exec", "command": call.arguments.get("command"), "env": {}},
        }),
    };
    if let Some(namespace) = &call.namespace {
        item["namespace"] = json!(namespace);
    }
    item
}

/// Each item is added, filled and done before the next; `sequence_number` counts from 0.
pub(super) fn stream(open: &Value, items: &[Value], completed: &Value) -> Vec<Bytes> {
    let mut events = vec![json!({"type": "response.created", "response": open}), json!({"type": "response.in_progress", "response": open})];
    for (index, item) in items.iter().enumerate() {
        stream_item(&mut events, index, item);
    }
    events.push(json!({"type": "response.completed", "response": completed}));
    for (number, event) in events.iter_mut().enumerate() {
        event["sequence_number"] = json!(number);
    }
    events.iter().map(typed_frame).collect()
}

fn stream_item(events: &mut Vec<Value>, index: usize, item: &Value) {
    let mut added = item.clone();
    added["status"] = json!("in_progress");
    let (emptied, kind) = match item["type"].as_str() {
        Some("message") => ("content", "response.output_text"),
        Some("function_call") => ("arguments", "response.function_call_arguments"),
        Some("custom_tool_call") => ("input", "response.custom_tool_call_input"),
        // A local shell call has no deltas: it is added and done whole.
        _ => ("", ""),
    };
    let message = emptied == "content";
    let whole = if message { &item["content"][0]["text"] } else { &item[emptied] };
    let whole = whole.as_str().unwrap_or("");
    if message {
        added["content"] = json!([]);
    } else if !emptied.is_empty() {
        added[emptied] = json!("");
    }
    // What every event inside the item names; text events also name the part.
    let inside = |kind: String, fields: Value| {
        let mut event = json!({"type": kind, "item_id": item["id"], "output_index": index});
        if message {
            event["content_index"] = json!(0);
        }
        for (key, value) in fields.as_object().into_iter().flatten() {
            event[key] = value.clone();
        }
        event
    };
    events.push(json!({"type": "response.output_item.added", "output_index": index, "item": added}));
    if message {
        events.push(inside("response.content_part.added".to_owned(), json!({"part": text_part("")})));
        for piece in pieces(whole) {
            events.push(inside(format!("{kind}.delta"), json!({"delta": piece, "logprobs": []})));
        }
        events.push(inside(format!("{kind}.done"), json!({"text": whole, "logprobs": []})));
        events.push(inside("response.content_part.done".to_owned(), json!({"part": text_part(whole)})));
    } else if !emptied.is_empty() {
        for piece in pieces(whole) {
            events.push(inside(format!("{kind}.delta"), json!({"delta": piece})));
        }
        let mut done = inside(format!("{kind}.done"), json!({}));
        done[emptied] = json!(whole);
        events.push(done);
    }
    events.push(json!({"type": "response.output_item.done", "output_index": index, "item": item}));
}

#[cfg(test)]
mod tests {
    use super::super::Reply;
    use super::super::frames::testing::{events, post, types};
    use super::*;

    fn ask(input: &str, tools: Value) -> Reply {
        let body = json!({"input": input, "stream": true, "tools": tools});
        post("/v1/responses", &body.to_string())
    }

    #[test]
    fn a_message_is_added_filled_and_done() {
        let events = events(&ask("[say: hi]", json!([])));
        assert_eq!(
            types(&events),
            [
                "response.created",
                "response.in_progress",
                "response.output_item.added",
                "response.content_part.added",
                "response.output_text.delta",
                "response.output_text.done",
                "response.content_part.done",
                "response.output_item.done",
                "response.completed",
            ]
        );
        assert!(events.iter().enumerate().all(|(number, event)| event["sequence_number"] == number));
        assert_eq!(events[0]["response"]["status"], "in_progress");
        assert_eq!(events[0]["response"]["output"], json!([]));
        assert_eq!(events[2]["item"]["content"], json!([]));
        assert_eq!(events[4]["item_id"], events[7]["item"]["id"]);
        assert_eq!(events[7]["item"]["content"][0]["text"], "hi");
    }

    #[test]
    fn calls_follow_the_text_and_their_deltas_join() {
        let tools = json!([
            {"type": "function", "name": "shell_command"},
            {"type": "custom", "name": "apply_patch"},
        ]);
        let events = events(&ask("[say: x] [run: a] [tool: apply_patch {\"input\":\"*** Begin\"}]", tools));
        let deltas = |index: usize| -> String {
            let own = events.iter().filter(|event| event["output_index"] == index);
            own.filter_map(|event| event["delta"].as_str()).collect()
        };
        assert_eq!([deltas(0), deltas(1), deltas(2)], ["x", r#"{"command":"a"}"#, "*** Begin"]);
        let types = types(&events);
        assert!(types.contains(&"response.function_call_arguments.done"));
        assert!(types.contains(&"response.custom_tool_call_input.done"));
        assert_eq!(types.iter().filter(|kind| **kind == "response.output_item.done").count(), 3);
    }

    #[test]
    fn an_empty_answer_is_still_a_message() {
        let events = events(&ask("[say: ]", json!([])));
        assert!(!types(&events).contains(&"response.output_text.delta"));
        assert_eq!(events[events.len() - 2]["item"]["content"][0]["text"], "");
    }
}
