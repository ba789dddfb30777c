//! The models a client may ask for, in its own words.

use serde_json::{Value, json};

use crate::{proxy::route::Table, wire::manifest::Format};

pub(super) fn list(table: &Table, format: Format) -> String {
    let names = table.models();
    match format {
        Format::Gemini => {
            let models: Vec<Value> = names
                .iter()
                .map(|n| json!({ "name": format!("models/{n}"), "displayName": n, "supportedGenerationMethods": ["generateContent", "streamGenerateContent", "countTokens"] }))
                .collect();
            json!({ "models": models }).to_string()
        }
        // OpenAI's and Anthropic's lists are read by the same fields.
        _ => {
            let data: Vec<Value> = names
                .iter()
                .map(|n| json!({ "id": n, "object": "model", "type": "model", "display_name": n, "created": 0, "created_at": "1970-01-01T00:00:00Z", "owned_by": owner(n) }))
                .collect();
            json!({ "object": "list", "data": data, "has_more": false, "first_id": names.first(), "last_id": names.last() }).to_string()
        }
    }
}

fn owner(name: &str) -> &str {
    name.split_once('/').map_or("clown", |(provider, _)| provider)
}
