//! What every SDK must see of a script: one table. What a format cannot say by its nature stands here with its reason, and nowhere else.

use serde_json::{Value, json};

use super::script::{Block, Format, Script, Stop, Usage, whole};

/// The reply as `tests/sdk` tells it.
pub fn reply(script: &Script, client: Format, upstream: Format, streamed: bool) -> Value {
    if let Some(message) = script.failure {
        return failure(message, client, upstream, streamed);
    }
    let calls = script.blocks.iter().filter_map(|block| match block {
        Block::Call { name, arguments, .. } => {
            Some(json!({"name": name, "args": serde_json::from_str::<Value>(&whole(arguments)).unwrap()}))
        }
        _ => None,
    });
    let thought: String = script.blocks.iter().flat_map(|b| if let Block::Thought(pieces) = b { *pieces } else { &[] }).copied().collect();
    let stop = match script.stop {
        // Both end a reply with calls like any other.
        Stop::ToolUse if matches!(client, Format::Responses | Format::Gemini) => "end",
        Stop::End => "end",
        Stop::ToolUse => "tool",
        Stop::MaxTokens => "max",
        Stop::Refusal => "refusal",
    };
    json!({
        "text": script.text(), "thought": thought, "calls": calls.collect::<Vec<_>>(), "stop": stop,
        "usage": usage(script.usage, client, upstream),
    })
}

fn usage(mut usage: Usage, client: Format, upstream: Format) -> Value {
    // Gemini counts what was written to a cache among the rest of the prompt.
    if client == Format::Gemini || upstream == Format::Gemini {
        usage.input += std::mem::take(&mut usage.cache_write);
    }
    json!({
        "input": usage.input, "cache_read": usage.cache_read, "cache_write": usage.cache_write, "output": usage.output,
        "reasoning": usage.reasoning,
    })
}

/// Each SDK's own error. A stream that began is HTTP 200 for the SDKs that tell a status.
fn failure(message: &str, client: Format, upstream: Format, streamed: bool) -> Value {
    let (class, status) = match (client, streamed) {
        (Format::Anthropic, true) => ("APIStatusError", 200),
        (Format::Anthropic, false) => ("OverloadedError", 529),
        (Format::Chat, true) => ("APIError", 0),
        (Format::Chat | Format::Responses, false) => ("InternalServerError", 503),
        (Format::Responses, true) => ("response.failed", 0),
        // A Responses stream tells a failure of the server, but not that it is an overload.
        (Format::Gemini, true) if upstream == Format::Responses => ("ServerError", 500),
        (Format::Gemini, _) => ("ServerError", 503),
    };
    json!({"error": class, "status": status, "says": message})
}
