//! The tools a request offers: which one runs a shell command, which one a name means, and how a
//! call is filled in. Names and argument shapes were measured on Claude Code 2.1.330, Codex 0.169.0
//! and OpenCode 1.18.33.

use serde_json::{Map, Value, json};

/// Shell tools by name, best first. `Bash` is Claude Code's, `bash` OpenCode's, the rest Codex's.
const SHELLS: &[&str] = &["Bash", "exec_command", "shell_command", "shell", "local_shell", "bash"];

/// For arguments a shell tool requires beside the command; Claude Code shows `description`.
const PLACEHOLDER: &str = "Run the command from the prompt";

/// Claude Code offers this in place of the MCP tools it keeps back, and runs those all the same.
const KEEPER: &str = "ToolSearch";

/// How a call of the tool is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    /// Arguments are a JSON object.
    Function,
    /// Codex freeform tool: the argument is one text.
    Custom,
    /// OpenAI's built-in `local_shell`, which has its own kind of item.
    LocalShell,
}

#[derive(Clone, Debug)]
pub(super) struct Tool {
    pub(super) name: String,
    /// Codex groups the tools of an MCP server under one; a call must repeat it.
    pub(super) namespace: Option<String>,
    pub(super) kind: Kind,
    /// JSON Schema of the arguments, or null where the vendor defines them.
    pub(super) schema: Value,
}

#[derive(Debug, PartialEq)]
pub(super) struct Call {
    pub(super) name: String,
    pub(super) namespace: Option<String>,
    pub(super) kind: Kind,
    pub(super) arguments: Map<String, Value>,
}

impl Call {
    /// The arguments as the text a model would have written.
    pub(super) fn written(&self) -> String {
        match (self.kind, self.arguments.get("input")) {
            (Kind::Custom, Some(Value::String(input))) => input.clone(),
            _ => Value::Object(self.arguments.clone()).to_string(),
        }
    }
}

impl Tool {
    pub(super) fn call(&self, arguments: Map<String, Value>) -> Call {
        Call { name: self.name.clone(), namespace: self.namespace.clone(), kind: self.kind, arguments }
    }

    /// A call that runs `command`, if the tool takes one.
    fn running(&self, command: &str) -> Option<Call> {
        if self.kind == Kind::Custom {
            return self.running_script(command);
        }
        let (key, listed) = self.command_argument()?;
        let mut arguments = Map::new();
        arguments.insert(key.to_owned(), if listed { json!(["bash", "-lc", command]) } else { json!(command) });
        let required = self.schema.get("required").and_then(Value::as_array);
        for name in required.into_iter().flatten().filter_map(Value::as_str) {
            if name != key {
                arguments.insert(name.to_owned(), placeholder(&self.schema["properties"][name]));
            }
        }
        Some(self.call(arguments))
    }

    /// Codex gives the models it knows one `exec` tool that takes JavaScript instead of a shell.
    fn running_script(&self, command: &str) -> Option<Call> {
        if self.name != "exec" {
            return None;
        }
        let argument = json!({"cmd": command});
        let script = format!("const result = await tools.exec_command({argument});\ntext(result.output);\n");
        let mut arguments = Map::new();
        arguments.insert("input".to_owned(), json!(script));
        Some(self.call(arguments))
    }

    /// The argument that takes the command, and whether it is a list of words.
    fn command_argument(&self) -> Option<(&'static str, bool)> {
        for key in ["command", "cmd"] {
            match self.schema["properties"][key]["type"].as_str() {
                Some("string") => return Some((key, false)),
                Some("array") => return Some((key, true)),
                _ => {}
            }
        }
        match self.name.as_str() {
            "exec_command" => Some(("cmd", false)),
            "shell" | "local_shell" => Some(("command", true)),
            name if SHELLS.contains(&name) => Some(("command", false)),
            _ => None,
        }
    }

    fn full_name(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!("{namespace}__{}", self.name),
            None => self.name.clone(),
        }
    }
}

/// A call that runs `command` with the best shell tool offered.
pub(super) fn shell(tools: &[Tool], command: &str) -> Option<Call> {
    let known = SHELLS.iter().flat_map(|name| tools.iter().filter(move |tool| tool.name == *name));
    let likely = tools.iter().filter(|tool| {
        let name = tool.name.to_lowercase();
        ["bash", "shell", "exec"].iter().any(|part| name.contains(part))
    });
    known.chain(likely).find_map(|tool| tool.running(command))
}

/// A call of the tool that `asked` means. An exact name wins; else `mcp__x__y`, `mcp__x/y`, `x/y`
/// and `x_y` are the same, because each agent offers an MCP tool in its own spelling; else the bare
/// name of a namespaced tool; else the name as it is, where the agent keeps tools back.
pub(super) fn named(tools: &[Tool], asked: &str, arguments: Map<String, Value>) -> Option<Call> {
    let plain = spelling(asked);
    let found = tools
        .iter()
        .find(|tool| tool.namespace.is_none() && tool.name == asked)
        .or_else(|| tools.iter().find(|tool| spelling(&tool.full_name()) == plain))
        .or_else(|| tools.iter().find(|tool| tool.name == asked));
    if let Some(tool) = found {
        return Some(tool.call(arguments));
    }
    let keeper = tools.iter().find(|tool| tool.name == KEEPER)?;
    Some(Call { name: asked.to_owned(), ..keeper.call(arguments) })
}

fn spelling(name: &str) -> String {
    let name = name.strip_prefix("mcp__").unwrap_or(name);
    let words: Vec<_> = name.split(['_', '/']).filter(|word| !word.is_empty()).collect();
    words.join("_")
}

fn placeholder(schema: &Value) -> Value {
    if let Some(first) = schema["enum"].get(0) {
        return first.clone();
    }
    match schema["type"].as_str() {
        Some("boolean") => json!(false),
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or(json!(0)),
        Some("array") => json!([]),
        Some("object") => json!({}),
        _ => json!(PLACEHOLDER),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tool(namespace: Option<&str>, name: &str, schema: Value) -> Tool {
        Tool { name: name.to_owned(), namespace: namespace.map(str::to_owned), kind: Kind::Function, schema }
    }

    fn arguments(tool: Tool) -> Option<Value> {
        shell(&[tool], "ls").map(|call| Value::Object(call.arguments))
    }

    #[test]
    fn each_agents_shell_gets_its_own_arguments() {
        let described = json!({
            "properties": {"command": {"type": "string"}, "description": {"type": "string"}},
            "required": ["command", "description"],
        });
        for (name, schema, expected) in [
            ("Bash", described, json!({"command": "ls", "description": PLACEHOLDER})),
            ("exec_command", json!({"properties": {"cmd": {"type": "string"}}}), json!({"cmd": "ls"})),
            ("exec_command", Value::Null, json!({"cmd": "ls"})),
            ("shell", Value::Null, json!({"command": ["bash", "-lc", "ls"]})),
            ("shell_command", Value::Null, json!({"command": "ls"})),
            ("bash", Value::Null, json!({"command": "ls"})),
        ] {
            assert_eq!(arguments(tool(None, name, schema)), Some(expected), "{name}");
        }
    }

    #[test]
    fn an_unknown_shell_is_known_by_its_schema() {
        let schema = json!({
            "properties": {
                "cmd": {"type": "string"}, "why": {"type": "string"}, "level": {"enum": ["low"]},
                "wait": {"type": "boolean"}, "seconds": {"type": "integer", "minimum": 1},
            },
            "required": ["cmd", "why", "level", "wait", "seconds"],
        });
        assert_eq!(
            arguments(tool(None, "run_shell_command", schema.clone())),
            Some(json!({"cmd": "ls", "why": PLACEHOLDER, "level": "low", "wait": false, "seconds": 1}))
        );
        assert_eq!(arguments(tool(None, "BashOutput", json!({"properties": {}}))), None);
        assert_eq!(arguments(tool(None, "write", schema)), None);
    }

    #[test]
    fn a_known_shell_wins_over_a_likely_one() {
        let likely = tool(None, "exec_more", json!({"properties": {"command": {"type": "string"}}}));
        let tools = [likely, tool(None, "bash", Value::Null)];
        assert_eq!(shell(&tools, "ls").unwrap().name, "bash");
    }

    #[test]
    fn a_script_tool_gets_a_script() {
        let mut script = tool(None, "exec", Value::Null);
        script.kind = Kind::Custom;
        let call = shell(&[script], "echo \"hi\"").unwrap();
        assert!(call.written().contains(r#"tools.exec_command({"cmd":"echo \"hi\""})"#));
    }

    #[test]
    fn one_tool_has_many_spellings() {
        let mut tools = vec![tool(Some("mcp__x"), "y", Value::Null), tool(None, "y_z", Value::Null)];
        for asked in ["mcp__x__y", "mcp__x/y", "x/y", "x_y", "y"] {
            let call = named(&tools, asked, Map::new()).unwrap();
            assert_eq!(call.namespace.as_deref(), Some("mcp__x"), "{asked}");
        }
        assert_eq!(named(&tools, "mcp__y__z", Map::new()).unwrap().name, "y_z");
        assert_eq!(named(&tools, "z", Map::new()), None);
        tools.push(tool(None, KEEPER, Value::Null));
        assert_eq!(named(&tools, "z", Map::new()).unwrap().name, "z");
    }
}
