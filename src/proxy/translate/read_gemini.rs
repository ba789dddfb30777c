//! Gemini `generateContent` to the neutral request. Model and streaming stand in the URL.

use std::{borrow::Cow, collections::VecDeque};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    names,
    request::{Call, Choice, Effort, Input, Media, OutputSchema, Part, Request, Role, Thinking, Tool, ToolKind, Turn, Unreadable},
    schema::from_openapi,
    seal::Seal,
    text::Str,
};

mod body;

use body::{Blob, Body, CallingConfig, Content, Declaration, FileData, FunctionCall, FunctionResponse, Generation, PartDef, ToolSet};

const NO_PARAMETERS: &str = r#"{"type":"object","properties":{}}"#;

/// What clients put where a signature must be and none is: it proves nothing.
const DUMMIES: &[&str] = &["skip_thought_signature_validator", "context_engineering_is_the_way_to_go"];

pub fn read<'a>(body: &'a [u8], model: &str, stream: bool) -> Result<Request<'a>, Unreadable> {
    let body: Body<'a> = serde_json::from_slice(body).map_err(|e| Unreadable(e.to_string()))?;
    let mut request = Request { model: Str::quote(model), stream, ..Request::default() };
    let mut calls = Calls::default();
    if let Some(system) = body.system {
        let mut said = Vec::new();
        match Str::of(system) {
            Some(text) => said.push(Part::Text(text)),
            None => parts(&object::<Content<'a>>(system, "systemInstruction")?, "systemInstruction", &mut calls, &mut said)?,
        }
        request.system = said.into_iter().filter_map(|p| if let Part::Text(text) = p { Some(text) } else { None }).collect();
    }
    for (n, content) in list::<Content<'a>>(body.contents, "contents")?.iter().enumerate() {
        let role = match content.role.as_deref() {
            None | Some("user" | "function" | "") => Role::User,
            Some("model") => Role::Assistant,
            Some(other) => return Err(Unreadable(format!("contents[{n}].role: {other:?} is not a role: user or model"))),
        };
        // A client may keep each chunk of a reply as a content of its own.
        let same = request.turns.pop_if(|t| t.role == role && role == Role::Assistant);
        let mut turn = same.unwrap_or(Turn { role, parts: Vec::new() });
        parts(content, &format!("contents[{n}]"), &mut calls, &mut turn.parts)?;
        if !turn.parts.is_empty() {
            request.turns.push(turn);
        }
    }
    if let Some(sets) = body.tools {
        for set in list::<ToolSet<'a>>(sets, "tools")? {
            tools(&set, &mut request)?;
        }
    }
    if let Some(config) = body.tool_config.and_then(|c| c.function_calling_config) {
        choice(&config, &mut request);
    }
    if let Some(generation) = body.generation {
        generate(generation, &mut request);
    }
    Ok(request)
}

fn object<'a, T: Deserialize<'a>>(json: &'a RawValue, place: &str) -> Result<T, Unreadable> {
    serde_json::from_str(json.get()).map_err(|e| Unreadable(format!("{place}: {e}")))
}

fn list<'a, T: Deserialize<'a>>(json: &'a RawValue, place: &str) -> Result<Vec<T>, Unreadable> {
    match json.get().as_bytes().first() {
        Some(b'[') => object(json, place),
        Some(b'n') => Ok(Vec::new()),
        _ => Ok(vec![object(json, place)?]),
    }
}

/// Calls whose results have not been seen yet. Gemini's ids are optional: without one, a result
/// belongs to the first open call of its name.
#[derive(Default)]
struct Calls<'a> {
    seen: usize,
    open: VecDeque<(Str<'a>, Str<'a>)>,
}

impl<'a> Calls<'a> {
    fn call(&mut self, def: &FunctionCall<'a>, place: &str) -> Result<Call<'a>, Unreadable> {
        let name = Str::of(def.name).ok_or_else(|| Unreadable(format!("{place}.functionCall.name: a string is expected")))?;
        let args = def.args.map(RawValue::get).filter(|a| *a != "null").unwrap_or("{}");
        let id = def.id.and_then(Str::of).filter(|id| !id.is_empty());
        let id = id.unwrap_or_else(|| Str::quote(&names::call_id(&name.plain(), args, self.seen)));
        self.seen += 1;
        self.open.push_back((id.clone(), name.clone()));
        Ok(Call { id, name, input: Input::Json(args) })
    }

    fn answered(&mut self, id: Option<Str<'a>>, name: Option<Str<'a>>) -> Str<'a> {
        let by_id = self.open.iter().position(|(open, _)| Some(open) == id.as_ref());
        let by_name = || self.open.iter().position(|(_, open)| Some(open) == name.as_ref());
        match by_id.or_else(by_name).and_then(|at| self.open.remove(at)) {
            Some((call, _)) => call,
            None => id.unwrap_or_else(|| Str::quote(&names::call_id(&name.unwrap_or_default().plain(), "", self.seen))),
        }
    }
}

fn parts<'a>(content: &Content<'a>, place: &str, calls: &mut Calls<'a>, parts: &mut Vec<Part<'a>>) -> Result<(), Unreadable> {
    let Some(list_of) = content.parts else { return Ok(()) };
    for (n, def) in list::<PartDef<'a>>(list_of, &format!("{place}.parts"))?.into_iter().enumerate() {
        let place = format!("{place}.parts[{n}]");
        if let Some(signature) = def.thought_signature.and_then(Str::of) {
            prove(signature, parts);
        }
        if let Some(call) = &def.function_call {
            parts.push(Part::Call(calls.call(call, &place)?));
        } else if let Some(response) = def.function_response {
            parts.push(result(response, &place, calls)?);
        } else if let Some(text) = def.text {
            let text = Str::of(text).ok_or_else(|| Unreadable(format!("{place}.text: a string is expected")))?;
            match (def.thought, text.is_empty()) {
                (_, true) => {}
                (Some(true), _) => parts.push(Part::Thought { text, seal: None }),
                _ => parts.push(Part::Text(text)),
            }
        } else if let Some(media) = media(def.inline_data, def.file_data) {
            parts.push(media);
        }
    }
    Ok(())
}

/// A signature stands on the part after the thought that it proves.
fn prove<'a>(signature: Str<'a>, parts: &mut Vec<Part<'a>>) {
    if signature.is_empty() || DUMMIES.contains(&signature.raw()) {
        return;
    }
    if let Some(packed) = Seal::unpack(&signature) {
        // It holds the thoughts themselves, which may or may not stand before it as well.
        while matches!(parts.last(), Some(Part::Thought { seal: None, .. })) {
            parts.pop();
        }
        return parts.extend(packed.into_iter().map(|(seal, text)| Part::Thought { text, seal }));
    }
    let own = Seal::open(&signature).unwrap_or(Seal::Gemini(signature));
    match parts.last_mut() {
        Some(Part::Thought { seal: seal @ None, .. }) => *seal = Some(own),
        _ => parts.push(Part::Thought { text: Str::default(), seal: Some(own) }),
    }
}

fn result<'a>(def: FunctionResponse<'a>, place: &str, calls: &mut Calls<'a>) -> Result<Part<'a>, Unreadable> {
    /// By convention a result stands under `output` and a failure under `error`.
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Said<'a> {
        #[serde(borrow, default, alias = "result")]
        output: Option<&'a RawValue>,
        #[serde(borrow, default)]
        error: Option<&'a RawValue>,
    }
    let id = calls.answered(def.id.and_then(Str::of).filter(|id| !id.is_empty()), def.name.and_then(Str::of));
    let mut parts = Vec::new();
    let mut error = false;
    if let Some(response) = def.response {
        let said = match serde_json::from_str::<Said<'a>>(response.get()) {
            Ok(Said { output: Some(output), error: None }) => output,
            Ok(Said { output: None, error: Some(failure) }) => {
                error = true;
                failure
            }
            _ => response,
        };
        let text = Str::of(said).unwrap_or_else(|| Str::quote(said.get()));
        if !text.is_empty() {
            parts.push(Part::Text(text));
        }
    }
    if let Some(more) = def.parts {
        let place = format!("{place}.functionResponse.parts");
        parts.extend(list::<PartDef<'a>>(more, &place)?.into_iter().filter_map(|p| media(p.inline_data, p.file_data)));
    }
    Ok(Part::Result { id, parts, error })
}

/// `None` for kinds that mean nothing to another vendor.
fn media<'a>(inline: Option<Blob<'a>>, file: Option<FileData<'a>>) -> Option<Part<'a>> {
    let (mime, media) = match (inline, file) {
        (Some(blob), _) => {
            let mime = blob.mime_type.and_then(Str::of)?;
            (Some(mime.clone()), Media::Base64 { mime, data: Str::of(blob.data)?.base64() })
        }
        (None, Some(file)) => {
            let uri = Str::of(file.file_uri)?;
            let kept = uri.raw().contains("generativelanguage.googleapis.com") || !uri.raw().starts_with("http");
            (file.mime_type.and_then(Str::of), if kept { Media::File(uri) } else { Media::Url(uri) })
        }
        (None, None) => return None,
    };
    let picture = mime.is_none_or(|m| m.raw().starts_with("image"));
    Some(if picture { Part::Image(media) } else { Part::Document { media, title: None } })
}

fn tools<'a>(set: &ToolSet<'a>, request: &mut Request<'a>) -> Result<(), Unreadable> {
    if set.google_search.is_some() {
        request.tools.push(Tool { name: Str::quote("web_search"), description: None, kind: ToolKind::WebSearch });
    }
    let Some(declarations) = set.function_declarations else { return Ok(()) };
    for d in list::<Declaration<'a>>(declarations, "tools.functionDeclarations")? {
        let name = Str::of(d.name).ok_or_else(|| Unreadable("tools.functionDeclarations.name: a string is expected".to_owned()))?;
        let schema = match (d.parameters_json_schema, d.parameters) {
            (Some(schema), _) => Cow::Borrowed(schema.get()),
            (None, Some(openapi)) => Cow::Owned(from_openapi(openapi.get())),
            (None, None) => Cow::Borrowed(NO_PARAMETERS),
        };
        request.tools.push(Tool { name, description: d.description.and_then(Str::of), kind: ToolKind::Function(schema) });
    }
    Ok(())
}

fn choice<'a>(config: &CallingConfig<'a>, request: &mut Request<'a>) {
    let mut allowed: Vec<Str<'a>> = config.allowed_function_names.iter().flatten().filter_map(|n| Str::of(n)).collect();
    request.choice = match config.mode.as_deref().unwrap_or_default().to_ascii_uppercase().as_str() {
        "ANY" if allowed.len() == 1 => allowed.pop().map(Choice::Named),
        "ANY" => {
            // Others cannot say "one of these": only these are offered.
            request.tools.retain(|t| allowed.is_empty() || allowed.iter().any(|a| a.plain() == t.name.plain()));
            Some(Choice::Required)
        }
        "NONE" => Some(Choice::None),
        "AUTO" | "VALIDATED" => Some(Choice::Auto),
        _ => None,
    };
}

fn generate<'a>(generation: Generation<'a>, request: &mut Request<'a>) {
    request.max_tokens = generation.max_output_tokens;
    request.temperature = generation.temperature;
    request.top_p = generation.top_p;
    request.stop = generation.stop_sequences.iter().flatten().filter_map(|s| Str::of(s)).collect();
    let schema = match (generation.response_json_schema, generation.response_schema) {
        (Some(schema), _) => Some(Cow::Borrowed(schema.get())),
        (None, Some(openapi)) => Some(Cow::Owned(from_openapi(openapi.get()))),
        (None, None) => None,
    };
    request.schema = schema.map(|schema| OutputSchema { name: None, schema, strict: None });
    if request.schema.is_none() && generation.response_mime_type.as_deref() == Some("application/json") {
        request.system.push(Str::quote("Answer with valid JSON only."));
    }
    let Some(config) = generation.thinking_config else { return };
    let level = config.thinking_level.map(|l| l.to_ascii_lowercase()).and_then(|l| Effort::parse(&l));
    request.thinking = match (level, config.thinking_budget, config.include_thoughts) {
        (Some(level), ..) => Thinking::Effort(level),
        (None, Some(0), _) => Thinking::Off,
        (None, Some(budget), _) => u64::try_from(budget).map_or(Thinking::Auto, Thinking::Budget),
        (None, None, Some(true)) => Thinking::Auto,
        (None, None, _) => Thinking::Unsaid,
    };
}

#[cfg(test)]
mod tests;
