//! OpenAI Chat Completions to the neutral request.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    request::{Call, Choice, Effort, Input, Media, OutputSchema, Part, Request, Role, Thinking, Tool, ToolKind, Turn, Unreadable},
    text::Str,
};

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    model: &'a RawValue,
    #[serde(borrow)]
    messages: Vec<Message<'a>>,
    #[serde(borrow, default)]
    tools: Vec<ToolDef<'a>>,
    #[serde(borrow, default)]
    tool_choice: Option<&'a RawValue>,
    #[serde(default)]
    parallel_tool_calls: Option<bool>,
    #[serde(default)]
    max_tokens: Option<u64>,
    #[serde(default)]
    max_completion_tokens: Option<u64>,
    #[serde(default)]
    stream: Option<bool>,
    #[serde(borrow, default)]
    temperature: Option<&'a RawValue>,
    #[serde(borrow, default)]
    top_p: Option<&'a RawValue>,
    #[serde(borrow, default)]
    stop: Option<&'a RawValue>,
    #[serde(borrow, default)]
    reasoning_effort: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    response_format: Option<ResponseFormat<'a>>,
    #[serde(borrow, default)]
    prompt_cache_key: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    user: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    role: Cow<'a, str>,
    #[serde(borrow, default)]
    content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    reasoning_content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    tool_calls: Option<Vec<ToolCall<'a>>>,
    #[serde(borrow, default)]
    tool_call_id: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct ToolCall<'a> {
    #[serde(borrow)]
    id: &'a RawValue,
    #[serde(borrow, default)]
    function: Option<Function<'a>>,
    #[serde(borrow, default)]
    custom: Option<Custom<'a>>,
}

#[derive(Deserialize)]
struct Function<'a> {
    #[serde(borrow)]
    name: &'a RawValue,
    #[serde(borrow, default)]
    arguments: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Custom<'a> {
    #[serde(borrow)]
    name: &'a RawValue,
    #[serde(borrow, default)]
    input: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct ContentPart<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    text: Option<&'a RawValue>,
    #[serde(borrow, default)]
    refusal: Option<&'a RawValue>,
    #[serde(borrow, default)]
    image_url: Option<&'a RawValue>,
    #[serde(borrow, default)]
    file: Option<FileDef<'a>>,
}

#[derive(Deserialize)]
struct FileDef<'a> {
    #[serde(borrow, default)]
    filename: Option<&'a RawValue>,
    #[serde(borrow, default)]
    file_data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    file_id: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct ToolDef<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    function: Option<FunctionDef<'a>>,
    #[serde(borrow, default)]
    custom: Option<FunctionDef<'a>>,
}

#[derive(Deserialize)]
struct FunctionDef<'a> {
    #[serde(borrow)]
    name: &'a RawValue,
    #[serde(borrow, default)]
    description: Option<&'a RawValue>,
    #[serde(borrow, default)]
    parameters: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct ResponseFormat<'a> {
    #[serde(borrow, default)]
    json_schema: Option<SchemaDef<'a>>,
}

#[derive(Deserialize)]
struct SchemaDef<'a> {
    #[serde(borrow, default)]
    name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    schema: Option<&'a RawValue>,
    #[serde(default)]
    strict: Option<bool>,
}

/// A function that takes nothing may come without a schema.
const NO_PARAMETERS: &str = r#"{"type":"object","properties":{}}"#;

pub fn read(body: &[u8]) -> Result<Request<'_>, Unreadable> {
    let body: Body<'_> = serde_json::from_slice(body).map_err(|e| Unreadable(e.to_string()))?;
    let mut request = Request {
        model: string(body.model, "model")?,
        stream: body.stream.unwrap_or(false),
        parallel: body.parallel_tool_calls,
        max_tokens: body.max_completion_tokens.or(body.max_tokens),
        temperature: body.temperature,
        top_p: body.top_p,
        stop: body.stop.map(stops).transpose()?.unwrap_or_default(),
        thinking: thinking(body.reasoning_effort.as_deref()),
        session: body.prompt_cache_key.or(body.user),
        ..Request::default()
    };
    for (n, message) in body.messages.into_iter().enumerate() {
        read_message(&mut request, message, &format!("messages[{n}]"))?;
    }
    request.tools = body.tools.into_iter().filter_map(tool).collect();
    request.choice = body.tool_choice.map(choice).transpose()?;
    if let Some(SchemaDef { name, schema: Some(schema), strict }) = body.response_format.and_then(|f| f.json_schema) {
        request.schema = Some(OutputSchema { name: name.and_then(Str::of), schema: schema.get().into(), strict });
    }
    Ok(request)
}

fn string<'a>(value: &'a RawValue, place: &str) -> Result<Str<'a>, Unreadable> {
    Str::of(value).ok_or_else(|| Unreadable(format!("{place}: a string is expected")))
}

fn read_message<'a>(request: &mut Request<'a>, message: Message<'a>, place: &str) -> Result<(), Unreadable> {
    let content = message.content.map(|c| parts(c, &format!("{place}.content"))).transpose()?.unwrap_or_default();
    match &*message.role {
        // Instructions at the head stand for the whole conversation, later ones where they are.
        "system" | "developer" if request.turns.is_empty() => {
            request.system.extend(content.into_iter().filter_map(|p| if let Part::Text(text) = p { Some(text) } else { None }));
        }
        "system" | "developer" => push(request, Role::System, content),
        "user" => push(request, Role::User, content),
        "tool" | "function" => {
            let id = message.tool_call_id.and_then(Str::of).ok_or_else(|| Unreadable(format!("{place}.tool_call_id: missing")))?;
            push(request, Role::User, vec![Part::Result { id, parts: content, error: false }]);
        }
        "assistant" => {
            let mut all = Vec::new();
            if let Some(text) = message.reasoning_content.and_then(Str::of).filter(|t| !t.is_empty()) {
                all.push(Part::Thought { text, seal: None });
            }
            all.extend(content);
            for call in message.tool_calls.into_iter().flatten() {
                all.push(Part::Call(read_call(call, place)?));
            }
            push(request, Role::Assistant, all);
        }
        other => return Err(Unreadable(format!("{place}.role: {other:?} is not a role"))),
    }
    Ok(())
}

/// Results of parallel calls come as messages of their own and belong to one turn.
fn push<'a>(request: &mut Request<'a>, role: Role, parts: Vec<Part<'a>>) {
    if parts.is_empty() {
        return;
    }
    match request.turns.last_mut() {
        Some(last) if last.role == role && role == Role::User => last.parts.extend(parts),
        _ => request.turns.push(Turn { role, parts }),
    }
}

fn read_call<'a>(call: ToolCall<'a>, place: &str) -> Result<Call<'a>, Unreadable> {
    let id = string(call.id, &format!("{place}.tool_calls.id"))?;
    match (call.function, call.custom) {
        (Some(function), _) => Ok(Call {
            id,
            name: string(function.name, &format!("{place}.tool_calls.function.name"))?,
            input: match function.arguments {
                Some(raw) => Str::of(raw).map_or(Input::Json(raw.get()), Input::Quoted),
                None => Input::Json("{}"),
            },
        }),
        (None, Some(custom)) => Ok(Call {
            id,
            name: string(custom.name, &format!("{place}.tool_calls.custom.name"))?,
            input: Input::Free(custom.input.and_then(Str::of).unwrap_or_default()),
        }),
        (None, None) => Err(Unreadable(format!("{place}.tool_calls: neither function nor custom"))),
    }
}

fn parts<'a>(content: &'a RawValue, place: &str) -> Result<Vec<Part<'a>>, Unreadable> {
    if let Some(text) = Str::of(content) {
        return Ok(if text.is_empty() { Vec::new() } else { vec![Part::Text(text)] });
    }
    if content.get() == "null" {
        return Ok(Vec::new());
    }
    let list: Vec<ContentPart<'a>> = serde_json::from_str(content.get()).map_err(|e| Unreadable(format!("{place}: {e}")))?;
    list.into_iter().filter_map(|part| part_of(part, place).transpose()).collect()
}

fn part_of<'a>(part: ContentPart<'a>, place: &str) -> Result<Option<Part<'a>>, Unreadable> {
    Ok(match &*part.kind {
        "text" | "refusal" => {
            let text = part.text.or(part.refusal).and_then(Str::of);
            Some(Part::Text(text.ok_or_else(|| Unreadable(format!("{place}.text: a string is expected")))?))
        }
        "image_url" => part.image_url.and_then(image).map(Part::Image),
        "file" => part.file.and_then(|file| {
            let media = match (file.file_data.and_then(Str::of), file.file_id.and_then(Str::of)) {
                (Some(data), _) => data_url(data),
                (None, Some(id)) => Media::File(id),
                (None, None) => return None,
            };
            Some(Part::Document { media, title: file.filename.and_then(Str::of) })
        }),
        _ => None,
    })
}

fn image(value: &RawValue) -> Option<Media<'_>> {
    #[derive(Deserialize)]
    struct Url<'a> {
        #[serde(borrow)]
        url: &'a RawValue,
    }
    let url = Str::of(value).or_else(|| serde_json::from_str::<Url<'_>>(value.get()).ok().and_then(|u| Str::of(u.url)))?;
    Some(data_url(url))
}

/// A `data:` URL is the file itself.
pub(super) fn data_url(url: Str<'_>) -> Media<'_> {
    match url.clone().cut("data:", ";base64,") {
        Some((mime, data)) => Media::Base64 { mime, data },
        None => Media::Url(url),
    }
}

fn tool(def: ToolDef<'_>) -> Option<Tool<'_>> {
    match (def.kind.as_deref().unwrap_or("function"), def.function, def.custom) {
        ("function", Some(f), _) => Some(Tool {
            name: Str::of(f.name)?,
            description: f.description.and_then(Str::of),
            kind: ToolKind::Function(f.parameters.map_or(NO_PARAMETERS, RawValue::get).into()),
        }),
        ("custom", _, Some(c)) => Some(Tool { name: Str::of(c.name)?, description: c.description.and_then(Str::of), kind: ToolKind::Free }),
        _ => None,
    }
}

fn choice(value: &RawValue) -> Result<Choice<'_>, Unreadable> {
    #[derive(Deserialize)]
    struct Named<'a> {
        #[serde(borrow)]
        function: Name<'a>,
    }
    #[derive(Deserialize)]
    struct Name<'a> {
        #[serde(borrow)]
        name: &'a RawValue,
    }
    match value.get() {
        "\"none\"" => Ok(Choice::None),
        "\"required\"" => Ok(Choice::Required),
        text if text.starts_with('"') || text == "null" => Ok(Choice::Auto),
        text => {
            let named: Named<'_> = serde_json::from_str(text).map_err(|e| Unreadable(format!("tool_choice: {e}")))?;
            Ok(Choice::Named(string(named.function.name, "tool_choice.function.name")?))
        }
    }
}

fn stops(value: &RawValue) -> Result<Vec<Str<'_>>, Unreadable> {
    if value.get() == "null" {
        return Ok(Vec::new());
    }
    if let Some(one) = Str::of(value) {
        return Ok(vec![one]);
    }
    let list: Vec<&RawValue> = serde_json::from_str(value.get()).map_err(|e| Unreadable(format!("stop: {e}")))?;
    Ok(list.into_iter().filter_map(Str::of).collect())
}

fn thinking(effort: Option<&str>) -> Thinking {
    match effort {
        None => Thinking::Unsaid,
        Some("none") => Thinking::Off,
        Some(word) => Effort::parse(word).map_or(Thinking::Auto, Thinking::Effort),
    }
}
