//! The neutral request: what all four formats can say, with the client's own slices inside.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::{seal::Seal, text::Str};

#[derive(Debug, Default)]
pub struct Request<'a> {
    pub model: Str<'a>,
    pub stream: bool,
    /// Standing instructions, in order.
    pub system: Vec<Str<'a>>,
    pub turns: Vec<Turn<'a>>,
    pub tools: Vec<Tool<'a>>,
    /// Namespace and short name of each tool that had one; in `tools` it goes by [`super::names::flat`].
    pub namespaces: Vec<(Str<'a>, Str<'a>)>,
    pub choice: Option<Choice<'a>>,
    /// Whether several calls in one turn are allowed; absent: the vendor's default.
    pub parallel: Option<bool>,
    pub max_tokens: Option<u64>,
    pub temperature: Option<&'a RawValue>,
    pub top_p: Option<&'a RawValue>,
    pub stop: Vec<Str<'a>>,
    pub thinking: Thinking,
    pub schema: Option<OutputSchema<'a>>,
    /// Names the conversation for prompt caches.
    pub session: Option<Cow<'a, str>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    User,
    Assistant,
    /// Instructions in the middle of a conversation.
    System,
}

#[derive(Debug)]
pub struct Turn<'a> {
    pub role: Role,
    pub parts: Vec<Part<'a>>,
}

#[derive(Debug)]
pub enum Part<'a> {
    Text(Str<'a>),
    Image(Media<'a>),
    Document {
        media: Media<'a>,
        title: Option<Str<'a>>,
    },
    Call(Call<'a>),
    Result {
        id: Str<'a>,
        parts: Vec<Part<'a>>,
        error: bool,
    },
    /// Text may be empty: then only its vendor can read it.
    Thought {
        text: Str<'a>,
        seal: Option<Seal<'a>>,
    },
}

impl<'a> Part<'a> {
    pub fn text(&self) -> Option<&Str<'a>> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }
}

#[derive(Debug)]
pub struct Call<'a> {
    pub id: Str<'a>,
    pub name: Str<'a>,
    pub input: Input<'a>,
}

/// Arguments of a call.
#[derive(Clone, Debug)]
pub enum Input<'a> {
    /// A JSON value as it stands.
    Json(&'a str),
    /// JSON inside of a JSON string, as OpenAI has it.
    Quoted(Str<'a>),
    /// Not JSON at all: a freeform tool's input.
    Free(Str<'a>),
}

impl<'a> Input<'a> {
    /// As a JSON object. Text that is none is kept under `input`.
    pub fn object(&self) -> Cow<'_, str> {
        match self {
            Self::Json(json) => Cow::Borrowed(json),
            Self::Quoted(text) if text.plain().trim().is_empty() => Cow::Borrowed("{}"),
            Self::Quoted(text) => {
                let plain = text.plain();
                match serde_json::from_str::<&RawValue>(&plain) {
                    Ok(value) if value.get().starts_with('{') => Cow::Owned(plain.into_owned()),
                    _ => Cow::Owned(format!("{{\"input\":\"{}\"}}", text.raw())),
                }
            }
            Self::Free(text) => Cow::Owned(format!("{{\"input\":\"{}\"}}", text.raw())),
        }
    }

    /// As a JSON string that holds JSON.
    pub fn quoted(&self) -> Str<'a> {
        match self {
            Self::Json(json) => Str::quote(json),
            Self::Quoted(text) if text.is_empty() => Str::quote("{}"),
            Self::Quoted(text) => text.clone(),
            Self::Free(_) => Str::quote(&self.object()),
        }
    }
}

#[derive(Debug)]
pub enum Media<'a> {
    Base64 {
        mime: Str<'a>,
        data: Str<'a>,
    },
    Url(Str<'a>),
    /// A file the vendor keeps: means nothing elsewhere.
    File(Str<'a>),
}

impl Media<'_> {
    /// As one URL; a kept file has none.
    pub fn url(&self) -> Option<Str<'static>> {
        match self {
            Self::Base64 { mime, data } => Some(Str::join([&Str::quote("data:"), mime, &Str::quote(";base64,"), data], "")),
            Self::Url(url) => Some(url.clone().into_owned()),
            Self::File(_) => None,
        }
    }
}

#[derive(Debug)]
pub struct Tool<'a> {
    pub name: Str<'a>,
    pub description: Option<Str<'a>>,
    pub kind: ToolKind<'a>,
}

/// Schema of a freeform tool for a format that has none: its text as the one argument, in the shape
/// that [`Input::object`] gives.
pub const FREE_SCHEMA: &str = r#"{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}"#;

#[derive(Debug)]
pub enum ToolKind<'a> {
    /// JSON schema of its arguments.
    Function(Cow<'a, str>),
    /// Takes text, not JSON.
    Free,
    WebSearch,
}

#[derive(Debug)]
pub enum Choice<'a> {
    Auto,
    Required,
    None,
    Named(Str<'a>),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Thinking {
    /// The client said nothing.
    #[default]
    Unsaid,
    Off,
    /// On, and the model decides how much.
    Auto,
    Effort(Effort),
    Budget(u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effort {
    Minimal,
    Low,
    Medium,
    High,
    XHigh,
    Max,
}

/// Effort and budget in tokens, as well-kept gateways pair them.
const BUDGETS: &[(Effort, u64)] = &[
    (Effort::Minimal, 512),
    (Effort::Low, 1024),
    (Effort::Medium, 8192),
    (Effort::High, 24_576),
    (Effort::XHigh, 32_768),
    (Effort::Max, 128_000),
];

impl Effort {
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "minimal" => Self::Minimal,
            "low" => Self::Low,
            "medium" => Self::Medium,
            "high" => Self::High,
            "xhigh" => Self::XHigh,
            "max" => Self::Max,
            _ => return None,
        })
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Minimal => "minimal",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::XHigh => "xhigh",
            Self::Max => "max",
        }
    }

    pub fn budget(self) -> u64 {
        BUDGETS.iter().find(|(e, _)| *e == self).map_or(0, |(_, b)| *b)
    }

    /// The least effort whose budget covers this one.
    pub fn of_budget(tokens: u64) -> Self {
        BUDGETS.iter().find(|(_, b)| tokens <= *b).map_or(Self::Max, |(e, _)| *e)
    }
}

#[derive(Debug)]
pub struct OutputSchema<'a> {
    pub name: Option<Str<'a>>,
    pub schema: Cow<'a, str>,
    pub strict: Option<bool>,
}

/// Why a request cannot be read, for the client's own error body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable(pub String);

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_change_their_form_and_nothing_else() {
        let json = r#"{"command":"echo \"é\"\n"}"#;
        let quoted = Input::Json(json).quoted();
        assert_eq!(quoted.plain(), json);
        assert_eq!(Input::Quoted(quoted).object(), json);
        assert_eq!(Input::Quoted(Str::default()).object(), "{}");
        assert_eq!(Input::Quoted(Str::default()).quoted().plain(), "{}");
        assert_eq!(Input::Quoted(Str::quote("{broken")).object(), r#"{"input":"{broken"}"#);
        assert_eq!(Input::Free(Str::quote("*** Begin\n")).object(), r#"{"input":"*** Begin\n"}"#);
    }

    #[test]
    fn efforts_and_budgets_pair_up() {
        for (effort, budget) in BUDGETS {
            assert_eq!((Effort::of_budget(*budget), effort.budget()), (*effort, *budget));
            assert_eq!(Effort::parse(effort.word()), Some(*effort));
        }
        assert_eq!(Effort::of_budget(2000), Effort::Medium);
        assert_eq!(Effort::of_budget(1_000_000), Effort::Max);
    }
}
