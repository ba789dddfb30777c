//! What must reach an upstream of a request, in the upstream's own shape, whoever asked.

use serde_json::{Value, json};

use super::{
    engine::{CLIENT_KEY, UPSTREAM_KEY},
    script::{Format, SIGNATURE},
    sdk::PIXEL,
};
use crate::support::Recorded;

/// As `tests/sdk/matrix.py` asks.
const QUESTION: &str = "What is this? 世界";
const SYSTEM: &str = "Be brief.";
const RESULT: &str = "12 degrees";

/// The upstream's key where its vendor wants it, and the client's nowhere.
pub fn credential(format: Format, request: &Recorded) {
    let expected = match format {
        Format::Chat | Format::Responses => format!("Bearer {UPSTREAM_KEY}"),
        Format::Anthropic | Format::Gemini => UPSTREAM_KEY.to_owned(),
    };
    let name = if format.auth() == "bearer" { "authorization" } else { format.auth() };
    assert_eq!(request.header(name), Some(&*expected), "{request:?}");
    let all = ["authorization", "x-api-key", "x-goog-api-key"].iter().filter(|name| request.header(name).is_some()).count();
    assert_eq!(all, 1, "one credential: {request:?}");
    assert!(!request.holds(CLIENT_KEY), "the client's key went to the upstream: {request:?}");
}

/// Question, system prompt and limit.
pub fn question(format: Format, body: &Value) {
    let (system, limit) = match format {
        Format::Anthropic => (body["system"].clone(), &body["max_tokens"]),
        Format::Chat => (body["messages"][0].clone(), &body["max_tokens"]),
        Format::Responses => (body["instructions"].clone(), &body["max_output_tokens"]),
        Format::Gemini => (body["systemInstruction"].clone(), &body["generationConfig"]["maxOutputTokens"]),
    };
    let limit = if limit.is_null() { &body["max_completion_tokens"] } else { limit };
    assert!(system.to_string().contains(SYSTEM), "{body}");
    assert_eq!(limit, &json!(2000), "{body}");
    assert!(turns(format, body).to_string().contains(QUESTION), "{body}");
}

fn turns(format: Format, body: &Value) -> &Value {
    match format {
        Format::Anthropic | Format::Chat => &body["messages"],
        Format::Responses => &body["input"],
        Format::Gemini => &body["contents"],
    }
}

/// Both tools with names, descriptions and what their schemas say.
pub fn tools(format: Format, body: &Value) {
    let tools = &body["tools"];
    let (list, inside, schema) = match format {
        Format::Anthropic => (tools, "", "input_schema"),
        Format::Chat => (tools, "function", "parameters"),
        Format::Responses => (tools, "", "parameters"),
        Format::Gemini => (&tools[0]["functionDeclarations"], "", "parametersJsonSchema"),
    };
    let list: Vec<&Value> = list.as_array().unwrap_or_else(|| panic!("{body}")).iter().collect();
    let list: Vec<&Value> = list.into_iter().map(|tool| if inside.is_empty() { tool } else { &tool[inside] }).collect();
    let names: Vec<&str> = list.iter().filter_map(|tool| tool["name"].as_str()).collect();
    assert_eq!(names, ["get_weather", "now"], "{body}");
    assert_eq!(list[0]["description"], "The weather \"now\"", "{body}");
    // Google's own SDK writes this key the Python way.
    let found =
        [schema, "parameters_json_schema", "parameters"].iter().find_map(|key| list[0].get(*key)).unwrap_or_else(|| panic!("{body}"));
    assert_eq!(found["required"], json!(["city"]), "{body}");
    assert_eq!(found["properties"]["unit"]["enum"], json!(["celsius", "kelvin", "度"]), "{body}");
    assert_eq!(found["properties"]["city"]["description"], "its name", "{body}");
}

/// The picture, in this format's own part.
pub fn picture(format: Format, body: &Value) {
    let url = format!("data:image/png;base64,{PIXEL}");
    let want = match format {
        Format::Anthropic => json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}),
        Format::Chat => json!({"type": "image_url", "image_url": {"url": url}}),
        Format::Responses => json!({"type": "input_image", "image_url": url}),
        Format::Gemini => json!({"inlineData": {"mimeType": "image/png", "data": PIXEL}}),
    };
    let key = if format == Format::Gemini { "parts" } else { "content" };
    let parts: Vec<&Value> = turns(format, body).as_array().unwrap().iter().filter_map(|turn| turn[key].as_array()).flatten().collect();
    // A client may say more about it.
    let holds = |part: &Value, want: &Value| want.as_object().unwrap().iter().all(|(key, value)| part[key] == *value);
    assert!(parts.iter().any(|part| holds(&spelled(part), &want)), "no {want} in {body}");
}

/// Google's own SDK writes the Python way, and base64 for URLs.
fn spelled(part: &Value) -> Value {
    let mut part = part.clone();
    if let Some(blob) = part.get_mut("inlineData").filter(|blob| blob.get("mime_type").is_some()) {
        let data = blob["data"].as_str().unwrap().replace('-', "+").replace('_', "/");
        *blob = json!({"mimeType": blob["mime_type"], "data": data});
    }
    part
}

/// The second turn: call and result, and the proof of the thought before the call where both sides can say it.
pub fn history(client: Format, format: Format, body: &Value) {
    let text = turns(format, body).to_string();
    assert!(text.contains(RESULT) && text.contains("Lima"), "{body}");
    // Chat has no place for a proof, neither as a client nor as an upstream.
    if client == Format::Chat || format == Format::Chat {
        return;
    }
    let all = turns(format, body).as_array().unwrap();
    let found = match format {
        Format::Anthropic => {
            let parts: Vec<&Value> = all.iter().filter_map(|turn| turn["content"].as_array()).flatten().collect();
            let at = parts.iter().position(|p| p["type"] == "thinking" && p["signature"] == SIGNATURE);
            at.is_some_and(|at| parts[at + 1]["type"] == "tool_use" && parts[at]["thinking"] == "They want the weather.\nI \"look\".")
        }
        Format::Responses => {
            let at = all.iter().position(|item| item["type"] == "reasoning" && item["encrypted_content"] == SIGNATURE);
            at.is_some_and(|at| all[at + 1]["type"] == "function_call")
        }
        Format::Gemini => {
            let parts = all.iter().filter_map(|turn| turn["parts"].as_array()).flatten();
            let call = |part: &&Value| part["functionCall"]["name"] == "get_weather";
            parts.into_iter().find(call).is_some_and(|part| part["thoughtSignature"] == SIGNATURE)
        }
        Format::Chat => false,
    };
    assert!(found, "{client:?} client: the proof is not where it was: {body}");
}
