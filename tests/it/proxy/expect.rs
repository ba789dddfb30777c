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

fn failure(message: &str, client: Format, upstream: Format, streamed: bool) -> Value {
    if !streamed {
        return refused(client, if client == Format::Anthropic { 529 } else { 503 }, message);
    }
    // A Responses stream tells a failure of the server, but not that it is an overload.
    broke(client, if upstream == Format::Responses { 500 } else { 503 }, message)
}

/// The SDK's own error for a reply with this HTTP status.
pub fn refused(client: Format, status: u16, says: &str) -> Value {
    let class = match (client, status) {
        (Format::Gemini, 400..=499) => "ClientError",
        (Format::Gemini, _) => "ServerError",
        (_, 401) => "AuthenticationError",
        (_, 429) => "RateLimitError",
        (Format::Anthropic, 529) => "OverloadedError",
        _ => "InternalServerError",
    };
    json!({"error": class, "status": status, "says": says})
}

/// The SDK's own error in a stream that began, and so has a status of 200. Gemini alone tells one inside.
pub fn broke(client: Format, inside: u16, says: &str) -> Value {
    let (class, status) = match client {
        Format::Anthropic => ("APIStatusError", 200),
        Format::Chat => ("APIError", 0),
        Format::Responses => ("response.failed", 0),
        Format::Gemini => ("ServerError", inside),
    };
    json!({"error": class, "status": status, "says": says})
}
