//! What is measured: each cell is one request, sent by some connections over and over.

use super::load::Kind;
use super::ways::KEY;
use super::wire::{Answer, Format};

const CLAUDE: &str = include_str!("../../../data/claude.json");
const CODEX: &str = include_str!("../../../data/codex.json");

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    Small,
    /// The first request of the real agent, some 78 KB of Messages.
    Claude,
    /// The same of Codex, some 40 KB of Responses.
    Codex,
}

pub(super) struct Cell {
    pub(super) what: &'static str,
    body: Body,
    client: Format,
    /// The format clown and LiteLLM speak to the upstream. The others pass the request on as it is.
    upstream: Format,
    pub(super) answer: Answer,
    pub(super) connections: usize,
}

pub(super) const SMALL_1: usize = 0;
pub(super) const SMALL_64: usize = 2;
pub(super) const SMALL_TRANSLATED: usize = 3;
pub(super) const CLAUDE_PASSED: usize = 4;
pub(super) const CLAUDE_TRANSLATED: usize = 5;
pub(super) const CODEX_TRANSLATED: usize = 6;
pub(super) const BURST_PASSED: usize = 7;
pub(super) const BURST_TRANSLATED: usize = 8;
pub(super) const BURST_CODEX: usize = 9;
pub(super) const PACED_PASSED: usize = 11;
pub(super) const PACED_TRANSLATED: usize = 12;

use Answer::{Blob, Burst, Json, Paced};
use Format::{Anthropic, Chat, Responses};

pub(super) const CELLS: &[Cell] = &[
    cell("small, chat to chat", Body::Small, Chat, Chat, Json, 1),
    cell("small, chat to chat", Body::Small, Chat, Chat, Json, 8),
    cell("small, chat to chat", Body::Small, Chat, Chat, Json, 64),
    cell("small, Messages to chat", Body::Small, Anthropic, Chat, Json, 64),
    cell("Claude Code's 78 KB, Messages to Messages", Body::Claude, Anthropic, Anthropic, Json, 8),
    cell("Claude Code's 78 KB, Messages to chat", Body::Claude, Anthropic, Chat, Json, 8),
    cell("Codex's 40 KB, Responses to chat", Body::Codex, Responses, Chat, Json, 8),
    cell("burst of 200 deltas, Messages to Messages", Body::Small, Anthropic, Anthropic, Burst, 8),
    cell("burst of 200 deltas, Messages to chat", Body::Small, Anthropic, Chat, Burst, 8),
    cell("burst of 200 deltas, Responses to chat", Body::Small, Responses, Chat, Burst, 8),
    cell("200 deltas in one write, Messages to chat", Body::Small, Anthropic, Chat, Blob, 8),
    cell("200 deltas 5 ms apart, Messages to Messages", Body::Small, Anthropic, Anthropic, Paced, 8),
    cell("200 deltas 5 ms apart, Messages to chat", Body::Small, Anthropic, Chat, Paced, 8),
    cell("200 deltas in one write, Messages to Messages", Body::Small, Anthropic, Anthropic, Blob, 8),
    cell("Claude Code's 78 KB, a burst of 200 deltas, Messages to chat", Body::Claude, Anthropic, Chat, Burst, 8),
];

const fn cell(what: &'static str, body: Body, client: Format, upstream: Format, answer: Answer, connections: usize) -> Cell {
    Cell { what, body, client, upstream, answer, connections }
}

impl Cell {
    pub(super) fn kind(&self) -> Kind {
        if self.answer.streams() { Kind::Stream } else { Kind::Plain }
    }

    /// The same bytes for every way.
    pub(super) fn request(&self, port: u16) -> Vec<u8> {
        let served_in = if self.upstream == Anthropic { "anthropic" } else { "chat" };
        let model = format!("{served_in}-{}", self.answer.name());
        let stream = self.answer.streams();
        let body = match self.body {
            Body::Small => self.client.small_request(&model, stream),
            Body::Claude => adapted(CLAUDE, &model, stream),
            Body::Codex => adapted(CODEX, &model, stream),
        };
        let key = match self.client {
            Anthropic => format!("x-api-key: {KEY}\r\nanthropic-version: 2023-06-01"),
            Format::Gemini => format!("x-goog-api-key: {KEY}"),
            Chat | Responses => format!("authorization: Bearer {KEY}"),
        };
        let accept = if stream { "text/event-stream" } else { "application/json" };
        let path = self.client.path(&model, stream);
        format!(
            "POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nuser-agent: bench\r\naccept: {accept}\r\n{key}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .into_bytes()
    }
}

/// A recorded body with another model, and with or without streaming.
fn adapted(recorded: &str, model: &str, stream: bool) -> String {
    let (before, rest) = recorded.split_once("\"model\":\"").unwrap_or((recorded, "\""));
    let after = rest.split_once('"').map_or("", |(_, after)| after);
    let after = if stream { after.to_owned() } else { after.replace("\"stream\":true", "\"stream\":false") };
    format!("{before}\"model\":\"{model}\"{after}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_cells_are_where_they_say() {
        let is = |at: usize, answer: Answer, upstream: Format, connections: usize| {
            let cell = &CELLS[at];
            assert!((cell.answer, cell.upstream, cell.connections) == (answer, upstream, connections), "{at}");
        };
        is(SMALL_1, Json, Chat, 1);
        is(SMALL_64, Json, Chat, 64);
        is(SMALL_TRANSLATED, Json, Chat, 64);
        is(CLAUDE_PASSED, Json, Anthropic, 8);
        is(CLAUDE_TRANSLATED, Json, Chat, 8);
        is(CODEX_TRANSLATED, Json, Chat, 8);
        is(BURST_PASSED, Burst, Anthropic, 8);
        is(BURST_TRANSLATED, Burst, Chat, 8);
        is(BURST_CODEX, Burst, Chat, 8);
        is(PACED_PASSED, Paced, Anthropic, 8);
        is(PACED_TRANSLATED, Paced, Chat, 8);
        assert!(CELLS[CLAUDE_PASSED].body == Body::Claude && CELLS[CODEX_TRANSLATED].body == Body::Codex);
        assert!(CELLS[SMALL_TRANSLATED].client == Anthropic && CELLS[BURST_CODEX].client == Responses);
    }

    #[test]
    fn recorded_bodies_are_adapted() {
        let body = adapted(CLAUDE, "x-json", false);
        assert!(body.starts_with("{\"model\":\"x-json\",") && body.ends_with("\"stream\":false}"));
        assert_eq!(adapted(CODEX, "gpt-5.1-codex", true), CODEX);
        assert!(adapted(CODEX, "m", false).contains("\"stream\":false"));
    }
}
