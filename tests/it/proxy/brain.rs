//! A model with one idea: run a command, then say what came of it. It finds the client's own tool for that,
//! whatever format the request came in.

use clown::proxy::translate::{
    read_anthropic, read_chat, read_gemini, read_responses,
    request::{Part, Request, ToolKind},
};
use serde_json::{Value, json};

use super::script::{Block, Format, Script, Stop, Usage};

/// What the command prints, and the answer repeats.
pub const WORD: &str = "told-4711-ünd";
const COMMAND: &str = "env > seen; printf 'told-%s-ünd' 4711";
/// Tools of the agents that run a command.
const SHELLS: &[&str] = &["Bash", "exec_command", "shell_command", "shell", "bash", "run_shell_command", "run_terminal_command", "Execute"];

pub fn script(format: Format, body: &[u8]) -> Option<Script> {
    let request = match format {
        Format::Anthropic => read_anthropic::read(body),
        Format::Chat => read_chat::read(body),
        Format::Responses => read_responses::read(body),
        Format::Gemini => read_gemini::read(body, "m", true),
    }
    .ok()?;
    let usage = Usage { input: 100, cache_read: 10, cache_write: 0, output: 7, reasoning: 0 };
    let says = |blocks, stop| Some(Script { blocks, stop, usage, failure: None });
    let mut results = request.turns.iter().flat_map(|t| &t.parts).filter(|p| matches!(p, Part::Result { .. }));
    if let Some(Part::Result { parts, .. }) = results.next_back() {
        let text: String = parts.iter().filter_map(Part::text).map(|t| t.plain().into_owned()).collect();
        let answer: &'static str = if text.contains(WORD) { "The tool said told-4711-ünd." } else { "The tool's words were lost." };
        return says(vec![Block::Text(leak(vec![answer]))], Stop::End);
    }
    let Some((name, arguments)) = delegation(&request).or_else(|| server_call(&request)).or_else(|| call(&request)) else {
        return says(vec![Block::Text(&["No tool here."])], Stop::End);
    };
    // In two pieces, cut inside of a character's neighbourhood.
    let at = arguments.len() / 2;
    let at = (0..=at).rev().find(|n| arguments.is_char_boundary(*n)).unwrap_or(0);
    let pieces = vec![&*String::leak(arguments[..at].to_owned()), &*String::leak(arguments[at..].to_owned())];
    let call = Block::Call { id: "call_agent1", name: String::leak(name), arguments: leak(pieces) };
    says(vec![Block::Text(&["I run it."]), call], Stop::ToolUse)
}

fn leak(pieces: Vec<&'static str>) -> &'static [&'static str] {
    Vec::leak(pieces)
}

/// A call of the tool that gives work to a sub-agent, where the user asks for it.
fn delegation(request: &Request<'_>) -> Option<(String, String)> {
    let mut said = request.turns.iter().flat_map(|t| &t.parts).filter_map(Part::text);
    let tool = request.tools.iter().map(|t| t.name.plain()).find(|name| ["Agent", "Task", "task"].contains(&name.as_ref()))?;
    said.any(|text| text.plain().contains("delegate it")).then(|| {
        let helper = if tool == "task" { "general" } else { "general-purpose" };
        let arguments = json!({"description": "runs it", "prompt": "run it", "subagent_type": helper});
        (tool.to_string(), arguments.to_string())
    })
}

/// A call of an MCP server's tool, where the user asks for it and the server is there.
fn server_call(request: &Request<'_>) -> Option<(String, String)> {
    let mut said = request.turns.iter().flat_map(|t| &t.parts).filter_map(Part::text);
    let tool = request.tools.iter().map(|t| t.name.plain()).find(|name| name.ends_with("say_word"))?;
    said.any(|text| text.plain().contains("ask the server")).then(|| (tool.to_string(), json!({"loud": true}).to_string()))
}

/// A call of the first tool that can run a command, with all its schema requires.
fn call(request: &Request<'_>) -> Option<(String, String)> {
    SHELLS.iter().find_map(|shell| {
        let tool = request.tools.iter().find(|t| t.name.plain() == *shell)?;
        let ToolKind::Function(schema) = &tool.kind else { return None };
        let schema: Value = serde_json::from_str(schema).ok()?;
        let properties = &schema["properties"];
        let key = ["command", "cmd"].into_iter().find(|k| properties.get(k).is_some())?;
        let listed = properties[key]["type"].as_str().is_some_and(|t| t.eq_ignore_ascii_case("array"));
        let mut arguments = json!({ key: if listed { json!(["bash", "-lc", COMMAND]) } else { json!(COMMAND) } });
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).filter(|n| *n != key) {
            let kind = properties[name]["type"].as_str().unwrap_or_default().to_ascii_lowercase();
            let listed = properties[name]["enum"].get(0).cloned();
            arguments[name] = match &*kind {
                "number" | "integer" => json!(60_000),
                "boolean" => json!(false),
                "object" => json!({}),
                _ => listed.unwrap_or_else(|| json!("as asked")),
            };
        }
        Some(((*shell).to_owned(), arguments.to_string()))
    })
}
