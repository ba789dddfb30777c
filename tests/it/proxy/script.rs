//! What an upstream says in each scenario, in no vendor's words. The model's name chooses.

pub use clown::proxy::stream::event::Usage;
use clown::wire::manifest;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Anthropic,
    Chat,
    Responses,
    Gemini,
}

impl Format {
    pub const ALL: [Self; 4] = [Self::Anthropic, Self::Chat, Self::Responses, Self::Gemini];

    /// As the program itself names it.
    pub fn wire(self) -> manifest::Format {
        match self {
            Self::Anthropic => manifest::Format::Anthropic,
            Self::Chat => manifest::Format::OpenaiChat,
            Self::Responses => manifest::Format::OpenaiResponses,
            Self::Gemini => manifest::Format::Gemini,
        }
    }

    /// As configuration names it.
    pub fn id(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::Chat => "openai-chat",
            Self::Responses => "openai-responses",
            Self::Gemini => "gemini",
        }
    }

    /// One word, for names of models and cases.
    pub fn word(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::Chat => "chat",
            Self::Responses => "responses",
            Self::Gemini => "gemini",
        }
    }

    /// How its own vendor wants the key.
    pub fn auth(self) -> &'static str {
        match self {
            Self::Anthropic => "x-api-key",
            Self::Chat | Self::Responses => "bearer",
            Self::Gemini => "x-goog-api-key",
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub enum Block {
    /// The pieces it is streamed in, and the vendor's proof of it.
    Thought(&'static [&'static str]),
    Text(&'static [&'static str]),
    Call {
        id: &'static str,
        name: &'static str,
        /// Pieces of JSON.
        arguments: &'static [&'static str],
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    End,
    ToolUse,
    MaxTokens,
    Refusal,
}

#[derive(Clone, Debug)]
pub struct Script {
    pub blocks: Vec<Block>,
    pub stop: Stop,
    pub usage: Usage,
    /// Fails in the middle, with this message.
    pub failure: Option<&'static str>,
}

pub const NAMES: [&str; 10] = ["text", "tool", "tools3", "think-tool", "image", "refusal", "max", "broken", "empty-args", "multibyte"];

/// Proofs of thinking, each in its vendor's own form. Google's SDK decodes base64.
pub const SIGNATURE: &str = "RXFRQkNnSUlBUklBc2lnbmVk";

pub const FAILURE: &str = "the \"cast\" fell over";

const USAGE: Usage = Usage { input: 55, cache_read: 40, cache_write: 0, output: 20, reasoning: 0 };

fn says(blocks: Vec<Block>, stop: Stop) -> Script {
    Script { blocks, stop, usage: USAGE, failure: None }
}

fn weather(id: &'static str, arguments: &'static [&'static str]) -> Block {
    Block::Call { id, name: "get_weather", arguments }
}

pub fn script(name: &str) -> Option<Script> {
    Some(match name {
        "text" => says(vec![Block::Text(&["Hello", ",\n\"world\"", " and \\ all", " of it."])], Stop::End),
        "tool" => says(
            vec![Block::Text(&["Let me look."]), weather("call_a1", &["{\"city\":", "\"Paris\",\"unit\"", ":\"celsius\"}"])],
            Stop::ToolUse,
        ),
        "tools3" => says(
            vec![
                weather("call_b1", &["{\"city\":\"Paris\"", "}"]),
                weather("call_b2", &["{\"city\":\"Oslo\",\"unit\":\"kelvin\"}"]),
                weather("call_b3", &["{\"", "city\":\"Rome\"}"]),
            ],
            Stop::ToolUse,
        ),
        "think-tool" => Script {
            usage: Usage { cache_write: 5, reasoning: 8, ..USAGE },
            ..says(
                vec![Block::Thought(&["They want", " the weather.\nI \"look\"."]), weather("call_c1", &["{\"city\":\"Lima\"}"])],
                Stop::ToolUse,
            )
        },
        "image" => says(vec![Block::Text(&["It is", " red."])], Stop::End),
        "refusal" => says(vec![Block::Text(&["I cannot", " help with that."])], Stop::Refusal),
        "max" => says(vec![Block::Text(&["This goes on and", " on and"])], Stop::MaxTokens),
        "broken" => Script { failure: Some(FAILURE), ..says(vec![Block::Text(&["It began", " well"])], Stop::End) },
        "empty-args" => says(vec![Block::Call { id: "call_d1", name: "now", arguments: &[] }], Stop::ToolUse),
        "multibyte" => says(
            vec![
                Block::Text(&["Grüße, 世界", " 🦀", "\u{2028}e\u{301} \u{7f}"]),
                weather("call_e1", &["{\"city\":\"Zü", "rich 🏔\"", ",\"unit\":\"度\"}"]),
            ],
            Stop::ToolUse,
        ),
        _ => return None,
    })
}

impl Script {
    /// Words that every format shows as they are.
    pub fn mark(&self) -> Option<&'static str> {
        match self.blocks.last()? {
            Block::Text(pieces) => pieces.last().copied(),
            Block::Thought(_) => None,
            Block::Call { id, .. } => Some(id),
        }
    }

    pub fn text(&self) -> String {
        self.blocks.iter().flat_map(|b| if let Block::Text(pieces) = b { *pieces } else { &[] }).copied().collect()
    }
}

/// A call's arguments as one text.
pub fn whole(arguments: &[&str]) -> String {
    if arguments.is_empty() { "{}".to_owned() } else { arguments.concat() }
}
