//! Markers a person writes into the prompt to steer the fake model, and the blocks agents add to
//! user text that are not the person's words.
//!
//! `[run: COMMAND]` run a shell command; `[tool: NAME {json}]` call a tool; `[fail: STATUS]` answer
//! that HTTP status; `[say: TEXT]` answer exactly TEXT. There is no marker for time: the provider
//! has no clock.

use std::borrow::Cow;

use serde_json::{Map, Value};

/// Blocks agents put into user content: Claude Code (first and last rows), Codex (middle rows).
const WRAPPERS: &[&str] = &["system-reminder", "environment_context", "user_instructions", "INSTRUCTIONS", "local-command-caveat"];

#[derive(Debug, PartialEq)]
pub(super) enum Marker {
    Run(String),
    Tool {
        name: String,
        /// The arguments, or why they are none.
        arguments: Result<Map<String, Value>, String>,
    },
    /// The status as written; whether it is one is for the brain to say.
    Fail(String),
    Say(String),
}

/// The markers of a text in order. A marker ends at the bracket that balances its first one, so
/// that `[run: [ -f x ] && cat x]` is one marker. A marker without an end is plain text.
pub(super) fn parse(text: &str) -> Vec<Marker> {
    let text = unquoted(text);
    let mut markers = Vec::new();
    let mut rest = text.as_ref();
    while let Some(at) = rest.find('[') {
        rest = &rest[at + 1..];
        if let Some((marker, after)) = marker(rest) {
            markers.push(marker);
            rest = after;
        }
    }
    markers
}

/// Removes the blocks agents add, and the space around what is left.
pub(super) fn without_wrappers(text: &str) -> String {
    let mut text = text.to_owned();
    for tag in WRAPPERS {
        let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
        while let Some(start) = text.find(&open) {
            let Some(length) = text[start..].find(&close) else {
                break;
            };
            text.replace_range(start..start + length + close.len(), "");
        }
    }
    text.trim().to_owned()
}

/// Undoes `opencode run`, which puts a message of several words in quotes and escapes those inside:
/// measured on 1.18.33.
fn unquoted(text: &str) -> Cow<'_, str> {
    match text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        Some(inside) => Cow::Owned(inside.replace("\\\"", "\"")),
        None => Cow::Borrowed(text),
    }
}

/// Reads one marker after its opening bracket; returns it and the text after its closing bracket.
fn marker(text: &str) -> Option<(Marker, &str)> {
    let (word, inside) = text.split_once(':')?;
    if word == "tool" {
        return tool(inside);
    }
    let make = match word {
        "run" => Marker::Run,
        "fail" => Marker::Fail,
        "say" => Marker::Say,
        _ => return None,
    };
    let (inside, after) = balanced(inside)?;
    Some((make(inside.trim().to_owned()), after))
}

/// Splits at the closing bracket that has no opening one before it.
fn balanced(text: &str) -> Option<(&str, &str)> {
    let mut open = 0usize;
    for (at, character) in text.char_indices() {
        match character {
            '[' => open += 1,
            ']' if open == 0 => return Some((&text[..at], &text[at + 1..])),
            ']' => open -= 1,
            _ => {}
        }
    }
    None
}

/// The arguments are read by the JSON parser, not by counting brackets: a string may hold any.
fn tool(text: &str) -> Option<(Marker, &str)> {
    let text = text.trim_start();
    let end = text.find(|c: char| c.is_whitespace() || c == '{' || c == ']')?;
    let (name, rest) = text.split_at(end);
    let rest = rest.trim_start();
    let marker = |arguments| Marker::Tool { name: name.to_owned(), arguments };
    if let Some(after) = rest.strip_prefix(']') {
        return Some((marker(Ok(Map::new())), after));
    }
    let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Map<String, Value>>();
    let problem = match values.next() {
        Some(Ok(arguments)) => {
            let after = rest.get(values.byte_offset()..)?.trim_start();
            match after.strip_prefix(']') {
                Some(after) => return Some((marker(Ok(arguments)), after)),
                None => "text follows them".to_owned(),
            }
        }
        Some(Err(error)) => error.to_string(),
        None => "there are none".to_owned(),
    };
    let (_, after) = balanced(rest)?;
    Some((marker(Err(problem)), after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn tool(name: &str, arguments: Value) -> Marker {
        Marker::Tool { name: name.to_owned(), arguments: Ok(arguments.as_object().unwrap().clone()) }
    }

    #[test]
    fn a_marker_ends_at_its_own_bracket() {
        assert_eq!(parse("please [run: [ -f x ] && echo ${a[0]}] now"), [Marker::Run("[ -f x ] && echo ${a[0]}".into())]);
    }

    #[test]
    fn several_markers_keep_their_order() {
        assert_eq!(
            parse("[say: a b][run: ls] then [fail: 429]"),
            [Marker::Say("a b".into()), Marker::Run("ls".into()), Marker::Fail("429".into())]
        );
    }

    #[test]
    fn a_marker_inside_a_marker_is_its_text() {
        assert_eq!(parse("[say: [run: x]]"), [Marker::Say("[run: x]".into())]);
    }

    #[test]
    fn unknown_and_unfinished_markers_are_text() {
        for text in ["[sleep: 3]", "[run: x", "[Run: x]", "[ run: x]", "[tool: ", "a: b]"] {
            assert_eq!(parse(text), [], "{text}");
        }
        assert_eq!(parse("[x] [y: [run: z]"), [Marker::Run("z".into())]);
    }

    #[test]
    fn tool_arguments_are_json() {
        assert_eq!(parse("[tool: a]"), [tool("a", json!({}))]);
        assert_eq!(
            parse(r#"[tool: mcp__x__y {"s":"]}[","n":[1]} ] [tool: x/y{}]"#),
            [tool("mcp__x__y", json!({"s": "]}[", "n": [1]})), tool("x/y", json!({}))]
        );
    }

    #[test]
    fn bad_tool_arguments_are_kept_as_a_problem() {
        for text in ["[tool: a {x}]", "[tool: a 1]", "[tool: a {} b]"] {
            let markers = parse(text);
            assert!(matches!(&markers[..], [Marker::Tool { arguments: Err(_), .. }]), "{text}");
        }
    }

    #[test]
    fn a_quoted_message_means_what_was_typed() {
        assert_eq!(
            parse(r#""[run: echo \"a b\"] [tool: t {\"k\":1}]""#),
            [Marker::Run(r#"echo "a b""#.into()), tool("t", json!({"k": 1}))]
        );
        assert_eq!(parse(r#"[run: echo \"]"#), [Marker::Run(r#"echo \""#.into())]);
    }

    #[test]
    fn wrappers_are_removed_wherever_they_stand() {
        let text = "<system-reminder>[run: a]</system-reminder>\nhi <environment_context>x</environment_context>";
        assert_eq!(without_wrappers(text), "hi");
        assert_eq!(without_wrappers("<system-reminder>open"), "<system-reminder>open");
    }
}
