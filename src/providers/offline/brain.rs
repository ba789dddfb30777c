//! What the fake model answers, whatever the wire format: a conversation in, an outcome out.

use serde_json::Value;

use super::markers::{self, Marker};
use super::tools::{self, Call, Tool};

const RESULT_SHOWN: usize = 2000;
const PROMPT_SHOWN: usize = 400;

/// A request in the terms all formats share. Filled by telling it the items in their order.
#[derive(Default)]
pub(super) struct Conversation {
    /// Last text the user wrote, without the blocks agents add.
    user: String,
    /// Whether anything of the assistant's follows that text: its markers are then spent. Without
    /// this an agent that sends one more request after the answer would run the command again.
    answered: bool,
    /// Tool results that nothing but further results follows.
    results: Vec<String>,
    tools: Vec<Tool>,
}

pub(super) enum Outcome {
    Answer(Answer),
    /// The prompt asked for this HTTP status, 400 to 599.
    Fail(u16),
}

/// One assistant message: text, tool calls, or text and then calls.
#[derive(Default)]
pub(super) struct Answer {
    pub(super) text: String,
    pub(super) calls: Vec<Call>,
}

impl Conversation {
    pub(super) fn user_said(&mut self, text: &str) {
        let text = markers::without_wrappers(text);
        if !text.is_empty() {
            self.user = text;
            self.answered = false;
            self.results.clear();
        }
    }

    pub(super) fn assistant_said(&mut self) {
        self.answered = true;
        self.results.clear();
    }

    /// Keeps the results so far: Codex may list a call, its result, the next call, its result.
    pub(super) fn assistant_called(&mut self) {
        self.answered = true;
    }

    pub(super) fn tool_said(&mut self, text: String) {
        self.answered = true;
        self.results.push(text);
    }

    pub(super) fn offer(&mut self, tool: Tool) {
        self.tools.push(tool);
    }

    pub(super) fn outcome(&self) -> Outcome {
        if !self.results.is_empty() {
            let text = shown(&self.results.join("\n"), RESULT_SHOWN);
            return said(format!("offline: the tool said: {text}"));
        }
        let markers = if self.answered { Vec::new() } else { markers::parse(&self.user) };
        if markers.is_empty() {
            return said(format!("offline: you said: {}", shown(&self.user, PROMPT_SHOWN)));
        }
        self.obey(markers)
    }

    /// A failure wins over all else. What cannot be done becomes text next to what can.
    fn obey(&self, markers: Vec<Marker>) -> Outcome {
        let mut texts = Vec::new();
        let mut calls = Vec::new();
        for marker in markers {
            match marker {
                Marker::Fail(status) => match status.parse() {
                    Ok(status @ 400..=599) => return Outcome::Fail(status),
                    _ => texts.push(format!("offline: [fail: {status}] needs a status from 400 to 599")),
                },
                Marker::Say(text) => texts.push(text),
                Marker::Run(command) => match tools::shell(&self.tools, &command) {
                    Some(call) => calls.push(call),
                    None => texts.push(format!("offline: no shell tool is offered, so this was not run: {command}")),
                },
                Marker::Tool { name, arguments } => match arguments {
                    Ok(arguments) => match tools::named(&self.tools, &name, arguments) {
                        Some(call) => calls.push(call),
                        None => texts.push(format!("offline: no tool named {name} is offered")),
                    },
                    Err(problem) => texts.push(format!("offline: the arguments of {name} are not a JSON object: {problem}")),
                },
            }
        }
        Outcome::Answer(Answer { text: texts.join("\n"), calls })
    }
}

impl Answer {
    /// Characters that count as output.
    pub(super) fn characters(&self) -> usize {
        let calls = self.calls.iter().map(|call| call.written().chars().count());
        self.text.chars().count() + calls.sum::<usize>()
    }
}

/// The message of a failure the prompt asked for.
pub(super) fn asked_for(status: u16) -> String {
    format!("offline: the prompt asked for status {status}")
}

/// Text of a content value: in all formats a string, or parts of which some have `text`.
pub(super) fn content_text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let texts: Vec<_> = parts.iter().filter_map(|part| part["text"].as_str()).collect();
            texts.join("\n")
        }
        _ => String::new(),
    }
}

fn said(text: String) -> Outcome {
    Outcome::Answer(Answer { text, calls: Vec::new() })
}

fn shown(text: &str, limit: usize) -> String {
    text.trim().chars().take(limit).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tools::Kind;
    use super::*;

    fn asked(text: &str) -> Conversation {
        let mut conversation = Conversation::default();
        conversation.user_said(text);
        conversation.offer(Tool { name: "Bash".to_owned(), namespace: None, kind: Kind::Function, schema: Value::Null });
        conversation
    }

    fn answer(conversation: &Conversation) -> Answer {
        match conversation.outcome() {
            Outcome::Answer(answer) => answer,
            Outcome::Fail(status) => panic!("failed with {status}"),
        }
    }

    #[test]
    fn plain_text_is_echoed_and_trimmed() {
        assert_eq!(answer(&asked(" hi ")).text, "offline: you said: hi");
        let long = answer(&asked(&"ä".repeat(900))).text;
        assert_eq!(long.chars().count(), "offline: you said: ".len() + PROMPT_SHOWN);
    }

    #[test]
    fn markers_of_wrappers_do_not_count() {
        let mut conversation = asked("hello");
        conversation.user_said("<system-reminder>[run: rm x]</system-reminder>");
        assert_eq!(answer(&conversation).text, "offline: you said: hello");
    }

    #[test]
    fn two_markers_are_two_calls_and_say_stands_beside_them() {
        let answer = answer(&asked("[say: now] [run: a] [run: b]"));
        assert_eq!(answer.text, "now");
        let commands: Vec<_> = answer.calls.iter().map(|call| &call.arguments["command"]).collect();
        assert_eq!(commands, ["a", "b"]);
    }

    #[test]
    fn results_are_reported_and_markers_do_not_run_again() {
        let mut conversation = asked("[run: a]");
        conversation.assistant_called();
        conversation.tool_said("one\n".to_owned());
        conversation.tool_said(String::new());
        assert_eq!(answer(&conversation).text, "offline: the tool said: one");
        conversation.assistant_said();
        conversation.user_said("<system-reminder>more</system-reminder>");
        let spent = answer(&conversation);
        assert!(spent.calls.is_empty());
        assert_eq!(spent.text, "offline: you said: [run: a]");
    }

    #[test]
    fn what_cannot_be_done_is_said() {
        let mut conversation = asked("[tool: nope {}] [tool: Bash {x}] [fail: 200]");
        let text = answer(&conversation).text;
        assert!(text.contains("no tool named nope"), "{text}");
        assert!(text.contains("arguments of Bash"), "{text}");
        assert!(text.contains("needs a status"), "{text}");
        conversation.tools.clear();
        conversation.user_said("[run: ls]");
        assert!(answer(&conversation).text.contains("no shell tool is offered"));
    }

    #[test]
    fn a_failure_wins() {
        assert!(matches!(asked("[run: a] [fail: 529]").outcome(), Outcome::Fail(529)));
    }
}
