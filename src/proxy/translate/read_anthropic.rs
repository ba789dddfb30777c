//! Anthropic Messages to the neutral request.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    request::{Call, Choice, Effort, Input, Media, OutputSchema, Part, Request, Role, Thinking, Tool, ToolKind, Turn, Unreadable},
    seal::Seal,
    text::Str,
};

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    model: &'a RawValue,
    #[serde(borrow)]
    messages: Vec<Message<'a>>,
    #[serde(borrow, default)]
    system: Option<&'a RawValue>,
    #[serde(borrow, default)]
    tools: Vec<ToolDef<'a>>,
    #[serde(borrow, default)]
    tool_choice: Option<ToolChoice<'a>>,
    #[serde(default)]
    max_tokens: Option<u64>,
    #[serde(default)]
    stream: Option<bool>,
    #[serde(borrow, default)]
    temperature: Option<&'a RawValue>,
    #[serde(borrow, default)]
    top_p: Option<&'a RawValue>,
    #[serde(borrow, default)]
    stop_sequences: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    thinking: Option<ThinkingDef<'a>>,
    #[serde(borrow, default)]
    output_config: Option<OutputConfig<'a>>,
    #[serde(borrow, default)]
    metadata: Option<Metadata<'a>>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    role: Cow<'a, str>,
    #[serde(borrow)]
    content: &'a RawValue,
}

/// One block of any kind: only the fields of its kind are there.
#[derive(Deserialize)]
struct Block<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    text: Option<&'a RawValue>,
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    input: Option<&'a RawValue>,
    #[serde(borrow, default)]
    tool_use_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    content: Option<&'a RawValue>,
    #[serde(default)]
    is_error: Option<bool>,
    #[serde(borrow, default)]
    source: Option<Source<'a>>,
    #[serde(borrow, default)]
    title: Option<&'a RawValue>,
    #[serde(borrow, default)]
    thinking: Option<&'a RawValue>,
    #[serde(borrow, default)]
    signature: Option<&'a RawValue>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Source<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    media_type: Option<&'a RawValue>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    url: Option<&'a RawValue>,
    #[serde(borrow, default)]
    file_id: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct ToolDef<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    description: Option<&'a RawValue>,
    #[serde(borrow, default)]
    input_schema: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct ToolChoice<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    name: Option<&'a RawValue>,
    #[serde(default)]
    disable_parallel_tool_use: Option<bool>,
}

#[derive(Deserialize)]
struct ThinkingDef<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(default)]
    budget_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct OutputConfig<'a> {
    #[serde(borrow, default)]
    effort: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    format: Option<FormatDef<'a>>,
}

#[derive(Deserialize)]
struct FormatDef<'a> {
    #[serde(borrow, default)]
    schema: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Metadata<'a> {
    #[serde(borrow, default)]
    user_id: Option<Cow<'a, str>>,
}

/// Begins the first system block of Claude Code: who bills for it. It changes with every
/// conversation and means nothing to another vendor.
const BILLING: &str = "x-anthropic-billing-header:";

pub fn read(body: &[u8]) -> Result<Request<'_>, Unreadable> {
    let body: Body<'_> = serde_json::from_slice(body).map_err(|e| Unreadable(e.to_string()))?;
    let mut request = Request {
        model: string(body.model, "model")?,
        stream: body.stream.unwrap_or(false),
        max_tokens: body.max_tokens,
        temperature: body.temperature,
        top_p: body.top_p,
        stop: body.stop_sequences.iter().filter_map(|s| Str::of(s)).collect(),
        thinking: thinking(body.thinking.as_ref(), body.output_config.as_ref()),
        session: body.metadata.and_then(|m| m.user_id).map(session),
        ..Request::default()
    };
    if let Some(system) = body.system {
        let texts = blocks(system, "system")?.into_iter().filter_map(|p| if let Part::Text(text) = p { Some(text) } else { None });
        request.system = texts.filter(|text| !text.raw().starts_with(BILLING)).collect();
    }
    for (n, message) in body.messages.iter().enumerate() {
        let role = match &*message.role {
            "user" => Role::User,
            "assistant" => Role::Assistant,
            "system" => Role::System,
            other => return Err(Unreadable(format!("messages.{n}.role: {other:?} is not a role"))),
        };
        let parts = blocks(message.content, &format!("messages.{n}.content"))?;
        if !parts.is_empty() {
            request.turns.push(Turn { role, parts });
        }
    }
    request.tools = body.tools.iter().filter_map(tool).collect();
    if let Some(choice) = &body.tool_choice {
        request.parallel = choice.disable_parallel_tool_use.map(|disabled| !disabled);
        request.choice = match (&*choice.kind, choice.name.and_then(Str::of)) {
            ("any", _) => Some(Choice::Required),
            ("none", _) => Some(Choice::None),
            ("tool", Some(name)) => Some(Choice::Named(name)),
            _ => Some(Choice::Auto),
        };
    }
    if let Some(schema) = body.output_config.and_then(|c| c.format).and_then(|f| f.schema) {
        request.schema = Some(OutputSchema { name: None, schema: schema.get().into(), strict: None });
    }
    Ok(request)
}

fn string<'a>(value: &'a RawValue, place: &str) -> Result<Str<'a>, Unreadable> {
    Str::of(value).ok_or_else(|| Unreadable(format!("{place}: a string is expected")))
}

/// Content is one string or a list of blocks.
fn blocks<'a>(content: &'a RawValue, place: &str) -> Result<Vec<Part<'a>>, Unreadable> {
    if let Some(text) = Str::of(content) {
        return Ok(if text.is_empty() { Vec::new() } else { vec![Part::Text(text)] });
    }
    let list: Vec<Block<'a>> = serde_json::from_str(content.get()).map_err(|e| Unreadable(format!("{place}: {e}")))?;
    list.into_iter().enumerate().filter_map(|(n, b)| block(b, &format!("{place}.{n}")).transpose()).collect()
}

/// `None` for kinds that mean nothing to another vendor.
fn block<'a>(b: Block<'a>, place: &str) -> Result<Option<Part<'a>>, Unreadable> {
    let needed = |value: Option<&'a RawValue>, field: &str| {
        value.and_then(Str::of).ok_or_else(|| Unreadable(format!("{place}.{field}: a string is expected")))
    };
    Ok(Some(match &*b.kind {
        "text" => Part::Text(needed(b.text, "text")?),
        "image" => match b.source.and_then(media) {
            Some(media) => Part::Image(media),
            None => return Err(Unreadable(format!("{place}.source: not an image this proxy knows"))),
        },
        "document" => match b.source {
            // A document given as text is text.
            Some(Source { kind, data: Some(data), .. }) if kind == "text" => Part::Text(needed(Some(data), "source.data")?),
            Some(source) => match media(source) {
                Some(media) => Part::Document { media, title: b.title.and_then(Str::of) },
                None => return Ok(None),
            },
            None => return Err(Unreadable(format!("{place}.source: missing"))),
        },
        "tool_use" => Part::Call(Call {
            id: needed(b.id, "id")?,
            name: needed(b.name, "name")?,
            input: Input::Json(b.input.map_or("{}", RawValue::get)),
        }),
        "tool_result" => Part::Result {
            id: needed(b.tool_use_id, "tool_use_id")?,
            parts: b.content.map(|c| blocks(c, &format!("{place}.content"))).transpose()?.unwrap_or_default(),
            error: b.is_error.unwrap_or(false),
        },
        "thinking" => Part::Thought {
            text: b.thinking.and_then(Str::of).unwrap_or_default(),
            seal: b.signature.and_then(Str::of).filter(|s| !s.is_empty()).map(seal),
        },
        "redacted_thinking" => {
            let data = needed(b.data, "data")?;
            let seal = Seal::open(&data).unwrap_or(Seal::Redacted(data));
            Part::Thought { text: Str::default(), seal: Some(seal) }
        }
        _ => return Ok(None),
    }))
}

/// Another vendor's proof that this client kept, or Anthropic's own.
fn seal(signature: Str<'_>) -> Seal<'_> {
    Seal::open(&signature).unwrap_or(Seal::Anthropic(signature))
}

fn media(source: Source<'_>) -> Option<Media<'_>> {
    Some(match &*source.kind {
        "base64" => Media::Base64 { mime: source.media_type.and_then(Str::of)?, data: source.data.and_then(Str::of)? },
        "url" => Media::Url(source.url.and_then(Str::of)?),
        "file" => Media::File(source.file_id.and_then(Str::of)?),
        _ => return None,
    })
}

/// A placeholder without a schema, and Anthropic's own server tools but web search, are left out.
fn tool<'a>(def: &ToolDef<'a>) -> Option<Tool<'a>> {
    let name = def.name.and_then(Str::of)?;
    let kind = def.kind.as_deref().unwrap_or("custom");
    let description = def.description.and_then(Str::of);
    match (kind, def.input_schema) {
        ("custom", Some(schema)) => Some(Tool { name, description, kind: ToolKind::Function(schema.get().into()) }),
        (kind, _) if kind.starts_with("web_search") => Some(Tool { name, description, kind: ToolKind::WebSearch }),
        _ => None,
    }
}

fn thinking(def: Option<&ThinkingDef<'_>>, config: Option<&OutputConfig<'_>>) -> Thinking {
    let effort = config.and_then(|c| c.effort.as_deref()).and_then(Effort::parse);
    match (def.map(|d| (&*d.kind, d.budget_tokens)), effort) {
        (Some(("disabled", _)), _) => Thinking::Off,
        (_, Some(effort)) => Thinking::Effort(effort),
        (Some(("enabled", Some(budget))), None) => Thinking::Budget(budget),
        (Some(_), None) => Thinking::Auto,
        (None, None) => Thinking::Unsaid,
    }
}

/// Claude Code puts JSON there; its session is what a cache needs.
fn session(user_id: Cow<'_, str>) -> Cow<'_, str> {
    #[derive(Deserialize)]
    struct Inside {
        session_id: String,
    }
    match serde_json::from_str::<Inside>(&user_id) {
        Ok(inside) => Cow::Owned(inside.session_id),
        Err(_) => user_id,
    }
}
