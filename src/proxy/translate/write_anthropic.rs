//! The neutral request as Anthropic Messages.

use super::{
    json::Writer,
    names::{Names, fit},
    request::{Choice, Effort, FREE_SCHEMA, Media, Part, Request, Role, Thinking, Tool, ToolKind, Turn},
    seal::Seal,
    text::Str,
};

/// The format needs a limit; this is what every current model of it takes.
const DEFAULT_MAX_TOKENS: u64 = 32_000;
const LEAST_BUDGET: u64 = 1024;

/// What differs between vendors of this format; from the provider's `quirks`.
#[derive(Clone, Copy, Debug)]
pub struct Dialect {
    /// Takes turns of role `system` in the middle of a conversation.
    pub system_turns: bool,
    /// Takes `cache_control`.
    pub cache: bool,
    /// Takes `thinking: adaptive` and `output_config.effort`; else a budget is given.
    pub effort: bool,
}

impl Default for Dialect {
    fn default() -> Self {
        Self { system_turns: false, cache: true, effort: true }
    }
}

pub fn write(request: &Request<'_>, model: &str, dialect: Dialect, names: &mut Names, size: usize) -> Vec<u8> {
    let mut w = Writer::with_capacity(size + size / 8 + 1024);
    let max = request.max_tokens.unwrap_or(DEFAULT_MAX_TOKENS);
    w.open(b'{').key("model").text(model).key("max_tokens").number(max);
    if !request.system.is_empty() {
        w.key("system").open(b'[');
        let texts: Vec<&Str<'_>> = request.system.iter().filter(|t| !t.is_empty()).collect();
        for (n, text) in texts.iter().enumerate() {
            w.open(b'{').key("type").text("text").key("text").str(text);
            close_block(&mut w, dialect.cache && n + 1 == texts.len());
        }
        w.close(b']');
    }
    tools(&mut w, request, names);
    w.key("messages").open(b'[');
    let turns = merged(&request.turns, dialect);
    for (n, (role, parts)) in turns.iter().enumerate() {
        let last = n + 1 == turns.len();
        w.open(b'{').key("role").text(role).key("content").open(b'[');
        for (m, part) in parts.iter().enumerate() {
            block(&mut w, part, names, dialect.cache && last && m + 1 == parts.len());
        }
        w.close(b']').close(b'}');
    }
    w.close(b']');
    let thinking = thinks(request);
    write_thinking(&mut w, request, dialect, max);
    // With thinking on, sampling must be left alone.
    if let (Some(t), false) = (request.temperature, thinking) {
        w.key("temperature").raw(t.get());
    }
    if let (Some(p), false) = (request.top_p, thinking) {
        w.key("top_p").raw(p.get());
    }
    if !request.stop.is_empty() {
        w.key("stop_sequences").open(b'[');
        request.stop.iter().for_each(|s| {
            w.str(s);
        });
        w.close(b']');
    }
    if let Some(session) = &request.session {
        w.key("metadata").open(b'{').key("user_id").text(&fit(session)).close(b'}');
    }
    if request.stream {
        w.key("stream").bool(true);
    }
    w.close(b'}');
    w.into_bytes()
}

fn close_block(w: &mut Writer, cached: bool) {
    if cached {
        w.key("cache_control").raw(r#"{"type":"ephemeral"}"#);
    }
    w.close(b'}');
}

/// Turns of one role behind each other become one; results come first in theirs, as the format
/// wants; instructions in the middle become text of the user where they may not stand alone.
fn merged<'r>(turns: &'r [Turn<'r>], dialect: Dialect) -> Vec<(&'static str, Vec<Block<'r>>)> {
    let mut all: Vec<(&'static str, Vec<Block<'r>>)> = Vec::new();
    for turn in turns {
        let role = match turn.role {
            Role::Assistant => "assistant",
            Role::System if dialect.system_turns => "system",
            Role::User | Role::System => "user",
        };
        let reminder = turn.role == Role::System && role == "user";
        let blocks = turn.parts.iter().filter(|p| writable(p)).map(|part| if reminder { Block::Reminder(part) } else { Block::Part(part) });
        match all.last_mut() {
            Some((last, parts)) if *last == role => parts.extend(blocks),
            _ => all.push((role, blocks.collect())),
        }
    }
    for (_, parts) in &mut all {
        parts.sort_by_key(|b| !matches!(b, Block::Part(Part::Result { .. })));
    }
    all.retain(|(_, parts)| !parts.is_empty());
    all
}

#[derive(Clone, Copy)]
enum Block<'r> {
    Part(&'r Part<'r>),
    Reminder(&'r Part<'r>),
}

/// Thinking without its vendor's own proof is refused; empty text too.
fn writable(part: &Part<'_>) -> bool {
    match part {
        Part::Thought { seal, .. } => matches!(seal, Some(Seal::Anthropic(_) | Seal::Redacted(_))),
        Part::Text(text) => !text.is_empty(),
        _ => true,
    }
}

fn block(w: &mut Writer, block: &Block<'_>, names: &mut Names, cached: bool) {
    match block {
        Block::Reminder(Part::Text(text)) => {
            w.open(b'{').key("type").text("text").key("text").strs(&["<system-reminder>\\n", text.raw(), "\\n</system-reminder>"]);
            close_block(w, cached);
        }
        Block::Reminder(part) | Block::Part(part) => write_part(w, part, names, cached),
    }
}

fn write_part(w: &mut Writer, part: &Part<'_>, names: &mut Names, cached: bool) {
    match part {
        Part::Text(text) => {
            w.open(b'{').key("type").text("text").key("text").str(text);
            close_block(w, cached);
        }
        Part::Image(media) => write_media(w, "image", media, None, cached),
        Part::Document { media, title } => write_media(w, "document", media, title.as_ref(), cached),
        Part::Call(call) => {
            w.open(b'{').key("type").text("tool_use").key("id").text(&fit(&call.id.plain()));
            w.key("name").text(&names.outward(&call.name.plain())).key("input").raw(&call.input.object());
            close_block(w, cached);
        }
        Part::Result { id, parts, error } => {
            w.open(b'{').key("type").text("tool_result").key("tool_use_id").text(&fit(&id.plain())).key("content").open(b'[');
            parts.iter().filter(|p| writable(p)).for_each(|p| write_part(w, p, names, false));
            w.close(b']');
            if *error {
                w.key("is_error").bool(true);
            }
            close_block(w, cached);
        }
        Part::Thought { text, seal: Some(Seal::Anthropic(signature)) } => {
            w.open(b'{').key("type").text("thinking").key("thinking").str(text).key("signature").str(signature).close(b'}');
        }
        Part::Thought { seal: Some(Seal::Redacted(data)), .. } => {
            w.open(b'{').key("type").text("redacted_thinking").key("data").str(data).close(b'}');
        }
        Part::Thought { .. } => {}
    }
}

fn write_media(w: &mut Writer, kind: &str, media: &Media<'_>, title: Option<&Str<'_>>, cached: bool) {
    w.open(b'{');
    match media {
        Media::Base64 { mime, data } => {
            w.key("type")
                .text(kind)
                .key("source")
                .open(b'{')
                .key("type")
                .text("base64")
                .key("media_type")
                .str(mime)
                .key("data")
                .str(data)
                .close(b'}');
        }
        Media::Url(url) => {
            w.key("type").text(kind).key("source").open(b'{').key("type").text("url").key("url").str(url).close(b'}');
        }
        Media::File(_) => {
            w.key("type").text("text").key("text").text(&format!("[a {kind} kept by another vendor is not shown]"));
            return close_block(w, cached);
        }
    }
    if let Some(title) = title {
        w.key("title").str(title);
    }
    close_block(w, cached);
}

fn tools(w: &mut Writer, request: &Request<'_>, names: &mut Names) {
    if request.tools.is_empty() {
        return;
    }
    w.key("tools").open(b'[');
    for tool in &request.tools {
        write_tool(w, tool, names);
    }
    w.close(b']');
    if request.choice.is_none() && request.parallel.is_none() {
        return;
    }
    w.key("tool_choice").open(b'{').key("type");
    match &request.choice {
        // Forced calls and thinking exclude each other.
        Some(Choice::Required | Choice::Named(_)) if thinks(request) => w.text("auto"),
        Some(Choice::Required) => w.text("any"),
        Some(Choice::None) => w.text("none"),
        Some(Choice::Named(name)) => w.text("tool").key("name").text(&names.outward(&name.plain())),
        Some(Choice::Auto) | None => w.text("auto"),
    };
    if let (Some(parallel), false) = (request.parallel, matches!(request.choice, Some(Choice::None))) {
        w.key("disable_parallel_tool_use").bool(!parallel);
    }
    w.close(b'}');
}

fn write_tool(w: &mut Writer, tool: &Tool<'_>, names: &mut Names) {
    if matches!(tool.kind, ToolKind::WebSearch) {
        w.raw(r#"{"type":"web_search_20250305","name":"web_search"}"#);
        return;
    }
    w.open(b'{').key("name").text(&names.outward(&tool.name.plain()));
    if let Some(description) = &tool.description {
        w.key("description").str(description);
    }
    w.key("input_schema").raw(match &tool.kind {
        ToolKind::Function(schema) => schema,
        _ => FREE_SCHEMA,
    });
    w.close(b'}');
}

fn thinks(request: &Request<'_>) -> bool {
    !matches!(request.thinking, Thinking::Unsaid | Thinking::Off | Thinking::Effort(Effort::Minimal))
}

fn write_thinking(w: &mut Writer, request: &Request<'_>, dialect: Dialect, max: u64) {
    let effort = match request.thinking {
        Thinking::Unsaid | Thinking::Off => None,
        Thinking::Auto => None,
        Thinking::Effort(effort) => Some(effort),
        Thinking::Budget(tokens) => Some(Effort::of_budget(tokens)),
    };
    if thinks(request) {
        let budget = match request.thinking {
            Thinking::Budget(tokens) => tokens,
            _ => effort.map_or(Effort::Medium.budget(), Effort::budget),
        };
        // A budget must leave room for the answer.
        let budget = budget.min(max.saturating_sub(1));
        if dialect.effort && !matches!(request.thinking, Thinking::Budget(_)) {
            w.key("thinking").raw(r#"{"type":"adaptive"}"#);
        } else if budget >= LEAST_BUDGET {
            w.key("thinking").open(b'{').key("type").text("enabled").key("budget_tokens").number(budget).close(b'}');
        }
    }
    let effort = effort.filter(|_| dialect.effort && !matches!(request.thinking, Thinking::Budget(_)));
    if effort.is_none() && request.schema.is_none() {
        return;
    }
    w.key("output_config").open(b'{');
    if let Some(effort) = effort {
        // The least this format has a word for.
        w.key("effort").text(effort.max(Effort::Low).word());
    }
    if let Some(schema) = &request.schema {
        w.key("format").open(b'{').key("type").text("json_schema").key("schema").raw(&schema.schema).close(b'}');
    }
    w.close(b'}');
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::proxy::translate::read_chat;

    fn anthropic(body: &Value, dialect: Dialect) -> Value {
        let bytes = serde_json::to_vec(body).unwrap();
        let request = read_chat::read(&bytes).unwrap();
        serde_json::from_slice(&write(&request, "m", dialect, &mut Names::default(), bytes.len())).unwrap()
    }

    const PLAIN: Dialect = Dialect { system_turns: false, cache: false, effort: true };

    #[test]
    fn a_chat_conversation_becomes_messages() {
        let body = json!({
            "model": "g", "max_completion_tokens": 100, "stream": true, "stop": "END", "parallel_tool_calls": false, "tool_choice": "required",
            "tools": [{"type": "function", "function": {"name": "a.b", "description": "d"}}],
            "messages": [
                {"role": "developer", "content": "be good"},
                {"role": "user", "content": [{"type": "text", "text": "look"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]},
                {"role": "assistant", "content": null, "reasoning_content": "foreign", "tool_calls": [
                    {"id": "call:1", "type": "function", "function": {"name": "a.b", "arguments": "{\"x\": \"é\\n\"}"}},
                    {"id": "c2", "type": "function", "function": {"name": "a.b", "arguments": ""}}]},
                {"role": "tool", "tool_call_id": "call:1", "content": "one"},
                {"role": "tool", "tool_call_id": "c2", "content": "two"},
                {"role": "system", "content": "mid"},
                {"role": "user", "content": "go"}]
        });
        let out = anthropic(&body, PLAIN);
        let name = out["tools"][0]["name"].as_str().unwrap().to_owned();
        assert!(name.starts_with("a_b_"));
        let id = out["messages"][1]["content"][0]["id"].as_str().unwrap().to_owned();
        assert_eq!(
            out["messages"],
            json!([
                {"role": "user", "content": [{"type": "text", "text": "look"}, {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}]},
                {"role": "assistant", "content": [
                    {"type": "tool_use", "id": id, "name": name, "input": {"x": "é\n"}},
                    {"type": "tool_use", "id": "c2", "name": name, "input": {}}]},
                {"role": "user", "content": [
                    {"type": "tool_result", "tool_use_id": id, "content": [{"type": "text", "text": "one"}]},
                    {"type": "tool_result", "tool_use_id": "c2", "content": [{"type": "text", "text": "two"}]},
                    {"type": "text", "text": "<system-reminder>\nmid\n</system-reminder>"},
                    {"type": "text", "text": "go"}]}
            ])
        );
        assert_eq!(out["system"], json!([{"type": "text", "text": "be good"}]));
        assert_eq!(out["tool_choice"], json!({"type": "any", "disable_parallel_tool_use": true}));
        assert_eq!((out["max_tokens"].as_u64(), &out["stop_sequences"]), (Some(100), &json!(["END"])));
        assert_eq!(out["tools"][0]["input_schema"]["type"], "object");
    }

    #[test]
    fn caches_are_marked_where_they_help() {
        let body = json!({"model": "g", "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}]});
        let out = anthropic(&body, Dialect::default());
        assert_eq!(out["system"][0]["cache_control"], json!({"type": "ephemeral"}));
        assert_eq!(out["messages"][2]["content"][0]["cache_control"], json!({"type": "ephemeral"}));
        assert_eq!(out.to_string().matches("cache_control").count(), 2);
        assert!(!anthropic(&body, PLAIN).to_string().contains("cache_control"));
    }

    #[test]
    fn effort_becomes_thinking_and_leaves_sampling_alone() {
        let body = |effort: &str| json!({"model": "g", "temperature": 0.3, "reasoning_effort": effort, "tools": [{"type": "function", "function": {"name": "t"}}], "tool_choice": "required", "messages": [{"role": "user", "content": "a"}]});
        let out = anthropic(&body("high"), PLAIN);
        assert_eq!((&out["thinking"], &out["output_config"]), (&json!({"type": "adaptive"}), &json!({"effort": "high"})));
        assert!(out.get("temperature").is_none());
        assert_eq!(out["tool_choice"]["type"], "auto", "forced calls exclude thinking");
        let out = anthropic(&body("low"), Dialect { effort: false, ..PLAIN });
        assert_eq!(out["thinking"], json!({"type": "enabled", "budget_tokens": 1024}));
        let out = anthropic(&body("none"), PLAIN);
        assert!(out.get("thinking").is_none() && out["temperature"] == 0.3 && out["tool_choice"]["type"] == "any");
    }
}
