//! Output items and the response object that holds them.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::proxy::{
    stream::event::{ErrorKind, Stop, Usage},
    translate::{json::Writer, names::Names, seal::Seal, text::Str},
};

/// An item while it is built. Text stays escaped.
#[derive(Debug)]
pub(super) enum Item {
    Message { text: String },
    Reasoning { text: String, seal: Option<Seal<'static>> },
    Call(Call),
}

#[derive(Debug)]
pub(super) struct Call {
    pub(super) id: Str<'static>,
    pub(super) name: String,
    pub(super) namespace: Option<String>,
    /// Takes text, not JSON.
    pub(super) free: bool,
    pub(super) arguments: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    InProgress,
    Completed,
    Incomplete,
    Failed,
}

impl Status {
    fn word(self) -> &'static str {
        match self {
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
            Self::Incomplete => "incomplete",
            Self::Failed => "failed",
        }
    }
}

impl Item {
    pub(super) fn call(id: Str<'static>, name: &Str<'_>, names: &Names) -> Self {
        let name = name.plain();
        let known = names.inward(&name);
        let (namespace, short) = names.namespace(known).map_or((None, known), |(ns, short)| (Some(ns.to_owned()), short));
        let (free, name) = (names.is_free(known), short.to_owned());
        Self::Call(Call { id, name, namespace, free, arguments: String::new() })
    }

    fn prefix(&self) -> &'static str {
        match self {
            Self::Message { .. } => "msg_",
            Self::Reasoning { .. } => "rs_",
            Self::Call(Call { free: true, .. }) => "ctc_",
            Self::Call(_) => "fc_",
        }
    }

    /// The same for the same reply, and begins as the format wants it.
    pub(super) fn id(&self, reply: &str, index: u64) -> Str<'static> {
        let n = Str::quote(&format!("_{index}"));
        Str::join([&Str::quote(self.prefix()), &Str::quote(reply), &n], "")
    }

    /// The item as a whole; `InProgress`: as it is announced, with nothing in it.
    pub(super) fn write(&self, w: &mut Writer, id: &Str<'_>, status: Status) {
        w.open(b'{').key("id").str(id).key("type");
        let told = status != Status::InProgress;
        match self {
            Self::Message { text } => {
                w.text("message").key("status").text(status.word()).key("role").text("assistant").key("content").open(b'[');
                if told {
                    text_part(w, text);
                }
                w.close(b']');
            }
            Self::Reasoning { text, seal } => {
                w.text("reasoning").key("summary").open(b'[');
                if told && !text.is_empty() {
                    summary_part(w, text);
                }
                w.close(b']');
                match seal {
                    Some(Seal::Responses { data, .. }) => {
                        w.key("encrypted_content").str(data);
                    }
                    Some(foreign) => {
                        w.key("encrypted_content").str(&foreign.sealed());
                    }
                    None => {}
                }
            }
            Self::Call(call) => {
                w.text(if call.free { "custom_tool_call" } else { "function_call" }).key("status").text(status.word());
                w.key("call_id").str(&call.id).key("name").text(&call.name);
                if let Some(namespace) = &call.namespace {
                    w.key("namespace").text(namespace);
                }
                w.key(if call.free { "input" } else { "arguments" });
                if told {
                    w.strs(&[&call.given()])
                } else {
                    w.text("")
                };
            }
        }
        w.close(b'}');
    }
}

impl Call {
    /// Cut in the middle: must never look like one to be run (router-for-me/CLIProxyAPI#4873).
    pub(super) fn cut(&self) -> bool {
        let text = plain(&self.arguments);
        !text.trim().is_empty() && serde_json::from_str::<serde::de::IgnoredAny>(&text).is_err_and(|e| e.is_eof())
    }

    /// What the client's tool takes, escaped: JSON, or the text of a free tool out of its JSON.
    pub(super) fn given(&self) -> String {
        if !self.free {
            return if self.arguments.is_empty() { "{}".into() } else { self.arguments.clone() };
        }
        #[derive(Deserialize)]
        struct Wrapped<'a> {
            #[serde(borrow)]
            input: &'a RawValue,
        }
        let text = plain(&self.arguments);
        let input = serde_json::from_str::<Wrapped<'_>>(&text).ok().and_then(|w| Str::of(w.input).map(|s| s.raw().to_owned()));
        // A model that did not keep to the wrapping meant the whole.
        input.unwrap_or_else(|| self.arguments.clone())
    }
}

fn plain(escaped: &str) -> String {
    serde_json::from_str(&format!("\"{escaped}\"")).unwrap_or_else(|_| escaped.to_owned())
}

pub(super) fn text_part(w: &mut Writer, text: &str) {
    w.open(b'{')
        .key("type")
        .text("output_text")
        .key("text")
        .strs(&[text])
        .key("annotations")
        .raw("[]")
        .key("logprobs")
        .raw("[]")
        .close(b'}');
}

pub(super) fn summary_part(w: &mut Writer, text: &str) {
    w.open(b'{').key("type").text("summary_text").key("text").strs(&[text]).close(b'}');
}

/// How a response stands.
#[derive(Debug, Default)]
pub(super) struct End {
    pub(super) usage: Option<Usage>,
    pub(super) stop: Option<Stop>,
    pub(super) error: Option<(ErrorKind, Str<'static>)>,
}

impl End {
    pub(super) fn status(&self) -> Status {
        match (&self.error, self.stop) {
            (Some(_), _) => Status::Failed,
            (None, None) => Status::InProgress,
            (None, Some(Stop::MaxTokens | Stop::Refusal)) => Status::Incomplete,
            (None, Some(Stop::End | Stop::ToolUse | Stop::StopSequence)) => Status::Completed,
        }
    }
}

/// The whole object. The official SDKs need every field that is here.
pub(super) fn response(w: &mut Writer, id: &str, model: &str, created: u64, items: &[String], end: &End) {
    w.open(b'{').key("id").text(id).key("object").text("response").key("created_at").number(created);
    w.key("status").text(end.status().word()).key("background").bool(false).key("error");
    match &end.error {
        Some((kind, message)) => {
            w.open(b'{').key("code").text(code(*kind, message)).key("message").str(message).close(b'}');
        }
        None => {
            w.raw("null");
        }
    }
    w.key("incomplete_details").raw(match end.stop {
        Some(Stop::MaxTokens) => r#"{"reason":"max_output_tokens"}"#,
        Some(Stop::Refusal) => r#"{"reason":"content_filter"}"#,
        _ => "null",
    });
    w.key("instructions").raw("null").key("max_output_tokens").raw("null").key("metadata").raw("{}").key("model").text(model);
    w.key("output").open(b'[');
    for item in items {
        w.raw(item);
    }
    w.close(b']').key("parallel_tool_calls").bool(true).key("previous_response_id").raw("null");
    w.key("reasoning").raw(r#"{"effort":null,"summary":null}"#).key("store").bool(false).key("temperature").raw("null");
    w.key("text").raw(r#"{"format":{"type":"text"}}"#).key("tool_choice").text("auto").key("tools").raw("[]").key("top_p").raw("null");
    w.key("truncation").text("disabled").key("usage");
    match end.usage {
        Some(usage) => tokens(w, usage),
        None => {
            w.raw("null");
        }
    }
    w.close(b'}');
}

/// The input's count includes what came from and went to a cache.
fn tokens(w: &mut Writer, usage: Usage) {
    let input = usage.input + usage.cache_read + usage.cache_write;
    w.open(b'{').key("input_tokens").number(input).key("input_tokens_details").open(b'{').key("cached_tokens").number(usage.cache_read);
    w.key("cache_write_tokens").number(usage.cache_write).close(b'}').key("output_tokens").number(usage.output);
    w.key("output_tokens_details").open(b'{').key("reasoning_tokens").number(usage.reasoning).close(b'}');
    w.key("total_tokens").number(input + usage.output).close(b'}');
}

/// How vendors say that a conversation is too long, or that nothing is left to spend. Their errors
/// have no common code for it, and Codex acts on the code.
const TOO_LONG: &[&str] =
    &["context length", "context window", "context_length", "prompt is too long", "input token count", "maximum number of tokens"];
const SPENT: &[&str] =
    &["insufficient_quota", "current quota", "credit balance is too low", "insufficient balance", "insufficient credits"];

/// The codes Codex 0.169 acts on; it tries again after any other.
pub(super) fn code(kind: ErrorKind, message: &Str<'_>) -> &'static str {
    let text = message.raw().to_lowercase();
    let says = |signs: &[&str]| signs.iter().any(|sign| text.contains(sign));
    match kind {
        _ if says(SPENT) => "insufficient_quota",
        ErrorKind::Invalid | ErrorKind::Api if says(TOO_LONG) => "context_length_exceeded",
        ErrorKind::Invalid => "invalid_prompt",
        ErrorKind::Authentication => "invalid_api_key",
        ErrorKind::RateLimit => "rate_limit_exceeded",
        ErrorKind::Overloaded | ErrorKind::Broken | ErrorKind::Api => "server_error",
    }
}
