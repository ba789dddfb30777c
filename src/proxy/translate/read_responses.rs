//! OpenAI Responses to the neutral request.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    names::flat,
    read_chat::data_url,
    request::{Call, Choice, Effort, Input, Media, OutputSchema, Part, Request, Role, Thinking, Tool, ToolKind, Turn, Unreadable},
    seal::Seal,
    text::Str,
};

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    model: &'a RawValue,
    #[serde(borrow)]
    input: &'a RawValue,
    #[serde(borrow, default)]
    instructions: Option<&'a RawValue>,
    #[serde(borrow, default)]
    previous_response_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    tools: Option<Vec<ToolDef<'a>>>,
    #[serde(borrow, default)]
    tool_choice: Option<&'a RawValue>,
    #[serde(default)]
    parallel_tool_calls: Option<bool>,
    #[serde(default)]
    max_output_tokens: Option<u64>,
    #[serde(default)]
    stream: Option<bool>,
    #[serde(borrow, default)]
    temperature: Option<&'a RawValue>,
    #[serde(borrow, default)]
    top_p: Option<&'a RawValue>,
    #[serde(borrow, default)]
    reasoning: Option<Reasoning<'a>>,
    #[serde(borrow, default)]
    text: Option<TextDef<'a>>,
    #[serde(borrow, default)]
    prompt_cache_key: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Reasoning<'a> {
    #[serde(borrow, default)]
    effort: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    summary: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct TextDef<'a> {
    #[serde(borrow, default)]
    format: Option<Format<'a>>,
}

#[derive(Deserialize)]
struct Format<'a> {
    #[serde(borrow, default)]
    name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    schema: Option<&'a RawValue>,
    #[serde(default)]
    strict: Option<bool>,
}

#[derive(Deserialize)]
struct ToolDef<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    description: Option<&'a RawValue>,
    #[serde(borrow, default)]
    parameters: Option<&'a RawValue>,
    /// Of a freeform tool.
    #[serde(borrow, default)]
    format: Option<Grammar<'a>>,
    /// Of a namespace.
    #[serde(borrow, default)]
    tools: Option<Vec<ToolDef<'a>>>,
}

#[derive(Deserialize)]
struct Grammar<'a> {
    #[serde(borrow, default)]
    syntax: Option<&'a RawValue>,
    #[serde(borrow, default)]
    definition: Option<&'a RawValue>,
}

/// One item of any kind: only the fields of its kind are there.
#[derive(Deserialize)]
struct Item<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    role: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    call_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    namespace: Option<&'a RawValue>,
    #[serde(borrow, default)]
    arguments: Option<&'a RawValue>,
    #[serde(borrow, default)]
    input: Option<&'a RawValue>,
    #[serde(borrow, default)]
    output: Option<&'a RawValue>,
    #[serde(borrow, default)]
    summary: Option<&'a RawValue>,
    #[serde(borrow, default)]
    encrypted_content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    action: Option<&'a RawValue>,
    #[serde(borrow, default)]
    tools: Option<Vec<ToolDef<'a>>>,
}

#[derive(Deserialize)]
struct Piece<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    text: Option<&'a RawValue>,
    #[serde(borrow, default)]
    refusal: Option<&'a RawValue>,
    #[serde(borrow, default)]
    image_url: Option<&'a RawValue>,
    #[serde(borrow, default)]
    file_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    file_data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    file_url: Option<&'a RawValue>,
    #[serde(borrow, default)]
    filename: Option<&'a RawValue>,
}

const NO_PARAMETERS: &str = r#"{"type":"object","properties":{}}"#;

pub fn read(body: &[u8]) -> Result<Request<'_>, Unreadable> {
    let body: Body<'_> = serde_json::from_slice(body).map_err(|e| Unreadable(e.to_string()))?;
    if body.previous_response_id.is_some() {
        return Err(Unreadable("previous_response_id: this proxy keeps no replies; send the whole conversation as input".into()));
    }
    let mut request = Request {
        model: Str::of(body.model).ok_or_else(|| Unreadable("model: a string is expected".into()))?,
        stream: body.stream.unwrap_or(false),
        system: body.instructions.and_then(Str::of).filter(|s| !s.is_empty()).into_iter().collect(),
        parallel: body.parallel_tool_calls,
        max_tokens: body.max_output_tokens,
        temperature: body.temperature,
        top_p: body.top_p,
        thinking: body.reasoning.as_ref().map_or(Thinking::Unsaid, thinking),
        session: body.prompt_cache_key,
        ..Request::default()
    };
    tools(&mut request, body.tools.unwrap_or_default(), None);
    if let Some(text) = Str::of(body.input) {
        push(&mut request, Role::User, vec![Part::Text(text)]);
    } else {
        let items: Vec<Item<'_>> = serde_json::from_str(body.input.get()).map_err(|e| Unreadable(format!("input: {e}")))?;
        for (n, item) in items.into_iter().enumerate() {
            take(&mut request, item, &format!("input.{n}"))?;
        }
    }
    request.choice = body.tool_choice.and_then(choice);
    if let Some((format, schema)) = body.text.and_then(|t| t.format).and_then(|f| Some((f.schema?, f)).map(|(s, f)| (f, s))) {
        request.schema = Some(OutputSchema { name: format.name.and_then(Str::of), schema: schema.get().into(), strict: format.strict });
    }
    Ok(request)
}

fn take<'a>(request: &mut Request<'a>, item: Item<'a>, place: &str) -> Result<(), Unreadable> {
    let needed = |value: Option<&'a RawValue>, field: &str| {
        value.and_then(Str::of).ok_or_else(|| Unreadable(format!("{place}.{field}: a string is expected")))
    };
    let name = || {
        let name = needed(item.name, "name")?;
        Ok(item.namespace.and_then(Str::of).filter(|ns| !ns.is_empty()).map_or(name.clone(), |ns| flat(&ns, &name)))
    };
    match item.kind.as_deref().unwrap_or("message") {
        "message" | "agent_message" => {
            let role = match item.role.as_deref().unwrap_or("user") {
                "user" => Role::User,
                "assistant" => Role::Assistant,
                "system" | "developer" => Role::System,
                other => return Err(Unreadable(format!("{place}.role: {other:?} is not a role"))),
            };
            let parts = item.content.map(|c| content(c, &format!("{place}.content"))).transpose()?.unwrap_or_default();
            if role == Role::System && request.turns.is_empty() {
                request.system.extend(parts.into_iter().filter_map(|p| if let Part::Text(text) = p { Some(text) } else { None }));
            } else {
                push(request, role, parts);
            }
        }
        "function_call" => {
            let input = match item.arguments {
                Some(value) => Str::of(value).map_or(Input::Json(value.get()), Input::Quoted),
                None => Input::Json("{}"),
            };
            call(request, Call { id: needed(item.call_id, "call_id")?, name: name()?, input });
        }
        "custom_tool_call" => {
            let input = Input::Free(needed(item.input, "input")?);
            call(request, Call { id: needed(item.call_id, "call_id")?, name: name()?, input });
        }
        // Its answer comes as a function's.
        "local_shell_call" => {
            let id = needed(item.call_id.or(item.id), "call_id")?;
            call(request, Call { id, name: Str::quote("local_shell"), input: Input::Json(item.action.map_or("{}", RawValue::get)) });
        }
        "function_call_output" | "custom_tool_call_output" | "local_shell_call_output" => {
            let id = needed(item.call_id.or(item.id), "call_id")?;
            let parts = match item.output {
                None => Vec::new(),
                Some(value) => content(value, "").unwrap_or_else(|_| vec![Part::Text(Str::quote(value.get()))]),
            };
            answer(request, Part::Result { id, parts, error: false });
        }
        "reasoning" => {
            let seal = item.encrypted_content.and_then(Str::of).filter(|d| !d.is_empty()).map(|data| {
                Seal::open(&data).unwrap_or_else(|| Seal::Responses { id: item.id.and_then(Str::of).unwrap_or_default(), data })
            });
            let text = [item.summary, item.content].into_iter().flatten().map(words).find(|t| !t.is_empty()).unwrap_or_default();
            if seal.is_some() || !text.is_empty() {
                push(request, Role::Assistant, vec![Part::Thought { text, seal }]);
            }
        }
        "additional_tools" => tools(request, item.tools.unwrap_or_default(), None),
        "item_reference" => {
            return Err(Unreadable(format!("{place}: this proxy keeps no items to refer to; send the item itself")));
        }
        // Searches a vendor made by itself, and its own bookkeeping.
        _ => {}
    }
    Ok(())
}

/// One turn per role: other formats know no items (BerriAI/litellm#18201).
fn push<'a>(request: &mut Request<'a>, role: Role, parts: Vec<Part<'a>>) {
    if parts.is_empty() {
        return;
    }
    match request.turns.last_mut() {
        Some(turn) if turn.role == role => turn.parts.extend(parts),
        _ => request.turns.push(Turn { role, parts }),
    }
}

fn call<'a>(request: &mut Request<'a>, call: Call<'a>) {
    push(request, Role::Assistant, vec![Part::Call(call)]);
}

/// Right behind the turn with the calls and before anything else said there, as other formats need it.
fn answer<'a>(request: &mut Request<'a>, result: Part<'a>) {
    let behind = request.turns.iter().rposition(|t| t.role == Role::Assistant).map_or(request.turns.len(), |at| at + 1);
    match request.turns.get_mut(behind) {
        Some(turn) if turn.role == Role::User => {
            let at = turn.parts.iter().take_while(|p| matches!(p, Part::Result { .. })).count();
            turn.parts.insert(at, result);
        }
        _ => request.turns.insert(behind, Turn { role: Role::User, parts: vec![result] }),
    }
}

/// Content is one string or a list of parts.
fn content<'a>(value: &'a RawValue, place: &str) -> Result<Vec<Part<'a>>, Unreadable> {
    if let Some(text) = Str::of(value) {
        return Ok(if text.is_empty() { Vec::new() } else { vec![Part::Text(text)] });
    }
    let pieces: Vec<Piece<'a>> = serde_json::from_str(value.get()).map_err(|e| Unreadable(format!("{place}: {e}")))?;
    Ok(pieces.into_iter().filter_map(part).collect())
}

/// `None` for kinds that mean nothing to another vendor.
fn part(p: Piece<'_>) -> Option<Part<'_>> {
    let file = || p.file_id.and_then(Str::of).map(Media::File);
    Some(match &*p.kind {
        "input_text" | "output_text" | "text" => Part::Text(p.text.and_then(Str::of)?),
        "refusal" => Part::Text(p.refusal.and_then(Str::of)?),
        "input_image" => Part::Image(p.image_url.and_then(Str::of).map(data_url).or_else(file)?),
        "input_file" => {
            let data = p.file_data.and_then(Str::of).map(|data| match data_url(data) {
                // Some send the file without saying what it is.
                Media::Url(data) => Media::Base64 { mime: Str::quote("application/pdf"), data },
                media => media,
            });
            let url = || p.file_url.and_then(Str::of).map(Media::Url);
            Part::Document { media: data.or_else(url).or_else(file)?, title: p.filename.and_then(Str::of) }
        }
        _ => return None,
    })
}

/// The one text of a summary as it stands: another vendor's proof may hold only for exactly that.
fn words(list: &RawValue) -> Str<'_> {
    let pieces: Vec<Piece<'_>> = serde_json::from_str(list.get()).unwrap_or_default();
    let mut texts: Vec<Str<'_>> = pieces.into_iter().filter_map(|p| p.text.and_then(Str::of)).collect();
    if texts.len() > 1 { Str::join(&texts, "\\n\\n") } else { texts.pop().unwrap_or_default() }
}

/// The vendor's own tools but web search are left out, and a name is taken once.
fn tools<'a>(request: &mut Request<'a>, list: Vec<ToolDef<'a>>, namespace: Option<&Str<'a>>) {
    for def in list {
        let named = def.name.and_then(Str::of).filter(|n| !n.is_empty());
        let description = def.description.and_then(Str::of);
        let (short, kind, description) = match (&*def.kind, named) {
            ("namespace", Some(ns)) => {
                tools(request, def.tools.unwrap_or_default(), Some(&ns));
                continue;
            }
            ("function", Some(name)) => {
                let schema = def.parameters.filter(|p| p.get() != "null").map_or(NO_PARAMETERS, RawValue::get);
                (name, ToolKind::Function(schema.into()), description)
            }
            ("custom", Some(name)) => (name, ToolKind::Free, grammar(description, def.format)),
            (kind, _) if kind.starts_with("web_search") => (Str::quote("web_search"), ToolKind::WebSearch, description),
            _ => continue,
        };
        let name = namespace.map_or(short.clone(), |ns| flat(ns, &short));
        if request.tools.iter().any(|t| t.name == name) {
            continue;
        }
        if let Some(ns) = namespace {
            request.namespaces.push((ns.clone(), short));
        }
        request.tools.push(Tool { name, description, kind });
    }
}

/// Nobody else enforces a grammar, so the model must at least read it.
fn grammar<'a>(description: Option<Str<'a>>, format: Option<Grammar<'a>>) -> Option<Str<'a>> {
    let Some(definition) = format.as_ref().and_then(|f| f.definition).and_then(Str::of) else { return description };
    let syntax = format.and_then(|f| f.syntax).and_then(Str::of).unwrap_or_default();
    let lead = [Str::quote("The input follows this grammar ("), syntax, Str::quote("):\n"), definition];
    let text = Str::join(&lead, "");
    Some(description.map_or(text.clone(), |d| Str::join([&d, &text], "\\n\\n")))
}

fn choice(value: &RawValue) -> Option<Choice<'_>> {
    #[derive(Deserialize)]
    struct Chosen<'a> {
        #[serde(rename = "type", borrow)]
        kind: Cow<'a, str>,
        #[serde(borrow, default)]
        name: Option<&'a RawValue>,
        #[serde(borrow, default)]
        namespace: Option<&'a RawValue>,
        #[serde(borrow, default)]
        mode: Option<Cow<'a, str>>,
    }
    match value.get() {
        "\"auto\"" => return Some(Choice::Auto),
        "\"required\"" => return Some(Choice::Required),
        "\"none\"" => return Some(Choice::None),
        _ => {}
    }
    let chosen: Chosen<'_> = serde_json::from_str(value.get()).ok()?;
    match (&*chosen.kind, chosen.name.and_then(Str::of)) {
        ("function" | "custom", Some(name)) => {
            Some(Choice::Named(chosen.namespace.and_then(Str::of).map_or(name.clone(), |ns| flat(&ns, &name))))
        }
        ("allowed_tools", _) => Some(if chosen.mode.as_deref() == Some("required") { Choice::Required } else { Choice::Auto }),
        (kind, _) if kind.starts_with("web_search") => Some(Choice::Named(Str::quote("web_search"))),
        _ => None,
    }
}

fn thinking(reasoning: &Reasoning<'_>) -> Thinking {
    match reasoning.effort.as_deref() {
        Some("none") => Thinking::Off,
        Some(word) => Effort::parse(word).map_or(Thinking::Auto, Thinking::Effort),
        None if reasoning.summary.is_some() => Thinking::Auto,
        None => Thinking::Unsaid,
    }
}

#[cfg(test)]
mod tests;
