//! The neutral request as OpenAI Chat Completions.

use std::borrow::Cow;

use super::{
    json::Writer,
    names::{Names, fit},
    request::{Choice, Effort, FREE_SCHEMA, Part, Request, Role, Thinking, Tool, ToolKind, Turn},
    text::Str,
};

/// What differs between vendors of this format; from the provider's `quirks`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Dialect {
    /// `max_completion_tokens` instead of `max_tokens`.
    pub completion_tokens: bool,
    /// Takes `prompt_cache_key`.
    pub cache_key: bool,
    /// Takes `reasoning_effort`.
    pub effort: bool,
    /// Wants earlier reasoning back as `reasoning_content` in tool loops.
    pub echo_reasoning: bool,
}

/// Writes the body; `names` remembers shortened tool names for the way back.
pub fn write(request: &Request<'_>, model: &str, dialect: Dialect, names: &mut Names, size: usize) -> Vec<u8> {
    let mut w = Writer::with_capacity(size + size / 8 + 1024);
    w.open(b'{').key("model").text(model).key("messages").open(b'[');
    if !request.system.is_empty() {
        w.open(b'{').key("role").text("system").key("content");
        let pieces: Vec<&Str<'_>> = request.system.iter().collect();
        w.str(&Str::join(pieces, "\\n\\n")).close(b'}');
    }
    for turn in &request.turns {
        match turn.role {
            Role::System => text_message(&mut w, "system", &turn.parts),
            Role::User => user(&mut w, turn),
            Role::Assistant => assistant(&mut w, turn, dialect, names),
        }
    }
    w.close(b']');
    tools(&mut w, request, names);
    if let Some(max) = request.max_tokens {
        w.key(if dialect.completion_tokens { "max_completion_tokens" } else { "max_tokens" }).number(max);
    }
    if let Some(t) = request.temperature {
        w.key("temperature").raw(t.get());
    }
    if let Some(p) = request.top_p {
        w.key("top_p").raw(p.get());
    }
    if !request.stop.is_empty() {
        // Four at most.
        w.key("stop").open(b'[');
        request.stop.iter().take(4).for_each(|s| {
            w.str(s);
        });
        w.close(b']');
    }
    if dialect.effort
        && let Some(word) = effort(request.thinking)
    {
        w.key("reasoning_effort").text(word);
    }
    if let Some(schema) = &request.schema {
        w.key("response_format").open(b'{').key("type").text("json_schema").key("json_schema").open(b'{');
        w.key("name").str(&schema.name.clone().unwrap_or_else(|| Str::quote("answer"))).key("schema").raw(&schema.schema);
        if let Some(strict) = schema.strict {
            w.key("strict").bool(strict);
        }
        w.close(b'}').close(b'}');
    }
    if dialect.cache_key
        && let Some(session) = &request.session
    {
        w.key("prompt_cache_key").text(&fit(session));
    }
    if request.stream {
        w.key("stream").bool(true).key("stream_options").raw(r#"{"include_usage":true}"#);
    }
    w.close(b'}');
    w.into_bytes()
}

fn effort(thinking: Thinking) -> Option<&'static str> {
    match thinking {
        Thinking::Unsaid | Thinking::Auto => None,
        Thinking::Off => Some("none"),
        Thinking::Effort(effort) => Some(effort.word()),
        Thinking::Budget(tokens) => Some(Effort::of_budget(tokens).word()),
    }
}

fn text_message(w: &mut Writer, role: &str, parts: &[Part<'_>]) {
    let texts: Vec<&Str<'_>> = parts.iter().filter_map(Part::text).collect();
    if !texts.is_empty() {
        w.open(b'{').key("role").text(role).key("content").str(&Str::join(texts, "\\n\\n")).close(b'}');
    }
}

/// Results first, each a message of its own, right behind the calls they answer. Pictures in results
/// are not allowed there and follow in a user message.
fn user(w: &mut Writer, turn: &Turn<'_>) {
    let mut rest: Vec<&Part<'_>> = Vec::new();
    for part in &turn.parts {
        let Part::Result { id, parts, error } = part else {
            rest.push(part);
            continue;
        };
        let texts: Vec<&Str<'_>> = parts.iter().filter_map(Part::text).collect();
        let pictures = parts.iter().filter(|p| matches!(p, Part::Image(_) | Part::Document { .. })).count();
        w.open(b'{').key("role").text("tool").key("tool_call_id").text(&fit(&id.plain())).key("content");
        let mut pieces = vec![];
        if *error {
            pieces.push(Str::quote("[error] "));
        }
        pieces.push(Str::join(texts, "\\n"));
        if pictures > 0 {
            pieces.push(Str::quote(if pictures == 1 { "[its picture follows]" } else { "[its pictures follow]" }));
        }
        w.str(&Str::join(&pieces, "")).close(b'}');
    }
    let hoisted = turn.parts.iter().filter_map(|p| if let Part::Result { parts, .. } = p { Some(parts) } else { None }).flatten();
    let media: Vec<&Part<'_>> = hoisted.filter(|p| matches!(p, Part::Image(_) | Part::Document { .. })).collect();
    let content: Vec<&Part<'_>> = media.into_iter().chain(rest).collect();
    if let [Part::Text(text)] = content.as_slice() {
        w.open(b'{').key("role").text("user").key("content").str(text).close(b'}');
    } else if !content.is_empty() {
        w.open(b'{').key("role").text("user").key("content").open(b'[');
        content.into_iter().for_each(|part| content_part(w, part));
        w.close(b']').close(b'}');
    }
}

fn content_part(w: &mut Writer, part: &Part<'_>) {
    match part {
        Part::Text(text) => {
            w.open(b'{').key("type").text("text").key("text").str(text).close(b'}');
        }
        Part::Image(media) => match media.url() {
            Some(url) => {
                w.open(b'{').key("type").text("image_url").key("image_url").open(b'{').key("url").str(&url).close(b'}').close(b'}');
            }
            None => missing(w, "a picture kept by another vendor"),
        },
        Part::Document { media, title } => match media.url() {
            Some(url) => {
                let name = title.clone().unwrap_or_else(|| Str::quote("document.pdf"));
                w.open(b'{').key("type").text("file").key("file").open(b'{');
                w.key("filename").str(&name).key("file_data").str(&url).close(b'}').close(b'}');
            }
            None => missing(w, "a document kept by another vendor"),
        },
        _ => {}
    }
}

/// The model is told what it cannot see.
fn missing(w: &mut Writer, what: &str) {
    w.open(b'{').key("type").text("text").key("text").text(&format!("[{what} is not shown]")).close(b'}');
}

fn assistant(w: &mut Writer, turn: &Turn<'_>, dialect: Dialect, names: &mut Names) {
    let texts: Vec<&Str<'_>> = turn.parts.iter().filter_map(Part::text).collect();
    let thoughts: Vec<&Str<'_>> =
        turn.parts.iter().filter_map(|p| if let Part::Thought { text, .. } = p { Some(text) } else { None }).collect();
    let calls: Vec<_> = turn.parts.iter().filter_map(|p| if let Part::Call(c) = p { Some(c) } else { None }).collect();
    if texts.is_empty() && calls.is_empty() {
        return;
    }
    w.open(b'{').key("role").text("assistant").key("content");
    if texts.is_empty() {
        w.raw("null")
    } else {
        w.str(&Str::join(texts, ""))
    };
    if dialect.echo_reasoning && !thoughts.is_empty() {
        w.key("reasoning_content").str(&Str::join(thoughts, ""));
    }
    if !calls.is_empty() {
        w.key("tool_calls").open(b'[');
        for call in calls {
            w.open(b'{').key("id").text(&fit(&call.id.plain())).key("type").text("function").key("function").open(b'{');
            w.key("name").text(&names.outward(&call.name.plain())).key("arguments").str(&call.input.quoted()).close(b'}').close(b'}');
        }
        w.close(b']');
    }
    w.close(b'}');
}

fn tools(w: &mut Writer, request: &Request<'_>, names: &mut Names) {
    // Chat has no search of its own, so such a tool is not offered rather than offered and dead.
    let offered: Vec<&Tool<'_>> = request.tools.iter().filter(|t| !matches!(t.kind, ToolKind::WebSearch)).collect();
    if offered.is_empty() {
        return;
    }
    w.key("tools").open(b'[');
    for tool in offered {
        let name = tool.name.plain();
        w.open(b'{').key("type").text("function").key("function").open(b'{').key("name").text(&names.outward(&name));
        if let Some(description) = &tool.description {
            w.key("description").str(description);
        }
        w.key("parameters").raw(match &tool.kind {
            ToolKind::Function(schema) => schema,
            _ => FREE_SCHEMA,
        });
        w.close(b'}').close(b'}');
    }
    w.close(b']');
    match &request.choice {
        None => {}
        Some(Choice::Auto) => {
            w.key("tool_choice").text("auto");
        }
        Some(Choice::Required) => {
            w.key("tool_choice").text("required");
        }
        Some(Choice::None) => {
            w.key("tool_choice").text("none");
        }
        Some(Choice::Named(name)) => {
            let name: Cow<'_, str> = name.plain();
            w.key("tool_choice").open(b'{').key("type").text("function").key("function").open(b'{');
            w.key("name").text(&names.outward(&name)).close(b'}').close(b'}');
        }
    }
    if let Some(parallel) = request.parallel {
        w.key("parallel_tool_calls").bool(parallel);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::proxy::translate::read_anthropic;

    fn chat(body: &Value, dialect: Dialect) -> Value {
        let bytes = serde_json::to_vec(body).unwrap();
        let request = read_anthropic::read(&bytes).unwrap();
        serde_json::from_slice(&write(&request, "m", dialect, &mut Names::default(), bytes.len())).unwrap()
    }

    const ALL: Dialect = Dialect { completion_tokens: true, cache_key: true, effort: true, echo_reasoning: true };

    #[test]
    fn a_claude_code_turn_becomes_a_chat_request() {
        let body = json!({
            "model": "claude-x", "max_tokens": 32000, "stream": true,
            "system": [
                {"type": "text", "text": "x-anthropic-billing-header: cc_version=2; cc_entrypoint=cli;"},
                {"type": "text", "text": "You are \"it\".\n", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
                {"type": "text", "text": "More"}],
            "metadata": {"user_id": "{\"device_id\":\"d\",\"session_id\":\"s-1\"}"},
            "thinking": {"type": "adaptive"}, "output_config": {"effort": "high"},
            "context_management": {"edits": []},
            "tools": [{"name": "Bash", "description": "run", "input_schema": {"type": "object"}, "cache_control": {"type": "ephemeral"}},
                      {"type": "web_search_20250305", "name": "web_search"}, {"name": "deferred", "defer_loading": true}],
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "hi é"}]},
                {"role": "system", "content": "mid"},
                {"role": "assistant", "content": [
                    {"type": "thinking", "thinking": "hm", "signature": "sig"},
                    {"type": "text", "text": "ok"},
                    {"type": "tool_use", "id": "toolu_1", "name": "Bash", "input": {"command": "ls \"x\""}},
                    {"type": "tool_use", "id": "toolu_2", "name": "Bash", "input": {}}]},
                {"role": "user", "content": [
                    {"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": "a"}, {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}]},
                    {"type": "tool_result", "tool_use_id": "toolu_2", "content": "bad", "is_error": true},
                    {"type": "text", "text": "go on"}]}]
        });
        let out = chat(&body, ALL);
        assert_eq!(
            out["messages"],
            json!([
                {"role": "system", "content": "You are \"it\".\n\n\nMore"},
                {"role": "user", "content": "hi é"},
                {"role": "system", "content": "mid"},
                {"role": "assistant", "content": "ok", "reasoning_content": "hm", "tool_calls": [
                    {"id": "toolu_1", "type": "function", "function": {"name": "Bash", "arguments": "{\"command\":\"ls \\\"x\\\"\"}"}},
                    {"id": "toolu_2", "type": "function", "function": {"name": "Bash", "arguments": "{}"}}]},
                {"role": "tool", "tool_call_id": "toolu_1", "content": "a[its picture follows]"},
                {"role": "tool", "tool_call_id": "toolu_2", "content": "[error] bad"},
                {"role": "user", "content": [
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
                    {"type": "text", "text": "go on"}]}
            ])
        );
        assert_eq!(
            out["tools"],
            json!([{"type": "function", "function": {"name": "Bash", "description": "run", "parameters": {"type": "object"}}}])
        );
        assert_eq!((out["reasoning_effort"].as_str(), out["prompt_cache_key"].as_str()), (Some("high"), Some("s-1")));
        assert_eq!((out["max_completion_tokens"].as_u64(), &out["stream_options"]), (Some(32000), &json!({"include_usage": true})));
        assert!(out.get("context_management").is_none() && !out.to_string().contains("cache_control"));
    }

    /// BerriAI/litellm#17904: names over 64 characters are refused upstream.
    #[test]
    fn bug_10_long_tool_names_are_shortened_everywhere_alike() {
        let long = format!("mcp__{}__do", "x".repeat(80));
        let body = json!({
            "model": "c", "max_tokens": 1, "tool_choice": {"type": "tool", "name": long, "disable_parallel_tool_use": true},
            "tools": [{"name": long, "input_schema": {}}],
            "messages": [{"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": long, "input": {}}]}]
        });
        let out = chat(&body, Dialect::default());
        let name = out["tools"][0]["function"]["name"].as_str().unwrap();
        assert!(name.len() <= 64);
        assert_eq!(out["tool_choice"]["function"]["name"], name);
        assert_eq!(out["messages"][0]["tool_calls"][0]["function"]["name"], name);
        assert_eq!(out["parallel_tool_calls"], false);
        assert!(out.get("max_completion_tokens").is_none() && out["max_tokens"] == 1);
    }

    #[test]
    fn a_body_that_is_none_is_refused_with_its_place() {
        for (body, says) in [
            ("{", "EOF"),
            (r#"{"model":"m"}"#, "messages"),
            (r#"{"model":3,"messages":[]}"#, "model"),
            (r#"{"model":"m","messages":[{"role":"robot","content":""}]}"#, "messages.0.role"),
            (r#"{"model":"m","messages":[{"role":"user","content":[{"type":"text"}]}]}"#, "messages.0.content.0.text"),
        ] {
            let why = read_anthropic::read(body.as_bytes()).unwrap_err().to_string();
            assert!(why.contains(says), "{body}: {why}");
        }
    }
}
