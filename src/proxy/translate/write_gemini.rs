//! The neutral request as Gemini `generateContent`.

use std::{borrow::Cow, collections::HashMap};

use super::{
    json::Writer,
    names::{Names, fit},
    request::{Choice, Effort, FREE_SCHEMA, Media, Part, Request, Role, Thinking, ToolKind, Turn},
    schema::to_gemini,
    seal::Seal,
    text::Str,
};

/// What differs between Gemini's generations, told by the model's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Before 2.5: cannot be told how to think.
    Plain,
    /// 2.5: thinks by a budget of tokens, within these bounds; `off` when it can be switched off.
    Budget { off: bool, least: u64, most: u64 },
    /// 3 and later: thinks by levels, takes pictures inside results, and answers by a schema with tools at hand.
    Level { minimal: bool },
}

impl Dialect {
    pub fn of(model: &str) -> Self {
        let name = model.rsplit('/').next().unwrap_or(model);
        if ["gemini-1", "gemini-2.0", "gemma", "learnlm"].iter().any(|old| name.starts_with(old)) {
            Self::Plain
        } else if !name.starts_with("gemini-2.5") {
            Self::Level { minimal: name.contains("flash") }
        } else if name.contains("flash-lite") {
            Self::Budget { off: true, least: 512, most: 24_576 }
        } else if name.contains("flash") {
            Self::Budget { off: true, least: 0, most: 24_576 }
        } else {
            Self::Budget { off: false, least: 128, most: 32_768 }
        }
    }

    fn latest(self) -> bool {
        matches!(self, Self::Level { .. })
    }
}

/// Where the request goes, behind the endpoint's address.
pub fn path(model: &str, stream: bool) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~/".contains(&b);
    let model: String = model
        .strip_prefix("models/")
        .unwrap_or(model)
        .bytes()
        .map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect();
    format!("/v1beta/models/{model}:{}", if stream { "streamGenerateContent?alt=sse" } else { "generateContent" })
}

/// Stands where the latest models demand a signature of theirs and another vendor wrote the call.
const FOREIGN: &str = "skip_thought_signature_validator";

/// Writes the body; `names` remembers shortened tool names for the way back.
pub fn write(request: &Request<'_>, dialect: Dialect, names: &mut Names, size: usize) -> Vec<u8> {
    let mut w = Writer::with_capacity(size + size / 8 + 1024);
    w.open(b'{');
    // Instructions before the first word of the conversation belong to the standing ones.
    let leading = request.turns.iter().take_while(|t| t.role == Role::System).count();
    let (first, turns) = request.turns.split_at_checked(leading).unwrap_or((&[], &request.turns));
    let early = first.iter().flat_map(|t| &t.parts).filter_map(text_of);
    let with_tools = request.tools.iter().any(|t| !matches!(t.kind, ToolKind::WebSearch));
    // Earlier generations refuse a schema beside tools: there it is asked for in words.
    let asked = request.schema.as_ref().filter(|_| with_tools && !dialect.latest());
    let asked = asked.map(|s| Str::quote(&format!("Give your final answer as JSON of this schema and nothing else: {}", s.schema)));
    let system: Vec<&Str<'_>> = request.system.iter().chain(early).chain(asked.as_ref()).filter(|s| !s.is_empty()).collect();
    if !system.is_empty() {
        w.key("systemInstruction").open(b'{').key("parts").open(b'[');
        system.into_iter().for_each(|text| text_part(&mut w, text));
        w.close(b']').close(b'}');
    }
    w.key("contents").open(b'[');
    let calls = calls(turns);
    for same in turns.chunk_by(|a, b| (a.role == Role::Assistant) == (b.role == Role::Assistant)) {
        if same.first().is_some_and(|t| t.role == Role::Assistant) {
            model(&mut w, same, names);
        } else {
            user(&mut w, same, &calls, dialect, names);
        }
    }
    w.close(b']');
    tools(&mut w, request, with_tools, names);
    generation(&mut w, request, dialect, asked.is_some());
    w.close(b'}');
    w.into_bytes()
}

fn text_of<'p, 'a>(part: &'p Part<'a>) -> Option<&'p Str<'a>> {
    if let Part::Text(text) = part { Some(text) } else { None }
}

fn text_part(w: &mut Writer, text: &Str<'_>) {
    w.open(b'{').key("text").str(text).close(b'}');
}

/// Name and place of every call by its id: a result must name its function.
fn calls<'r>(turns: &'r [Turn<'_>]) -> HashMap<Cow<'r, str>, (usize, &'r Str<'r>)> {
    let calls = turns.iter().flat_map(|t| &t.parts).filter_map(|p| if let Part::Call(call) = p { Some(call) } else { None });
    calls.enumerate().map(|(n, call)| (call.id.plain(), (n, &call.name))).collect()
}

/// One content opened only when something stands in it: Gemini refuses an empty one.
struct Content<'w> {
    w: &'w mut Writer,
    role: &'static str,
    open: bool,
}

impl Content<'_> {
    fn part(&mut self) -> &mut Writer {
        if !self.open {
            self.open = true;
            self.w.open(b'{').key("role").text(self.role).key("parts").open(b'[');
        }
        self.w
    }

    fn end(self) {
        if self.open {
            self.w.close(b']').close(b'}');
        }
    }
}

fn model(w: &mut Writer, turns: &[Turn<'_>], names: &mut Names) {
    let mut content = Content { w, role: "model", open: false };
    // A signature goes back on the part that it came with: the one behind its thought.
    let mut signature: Option<&Str<'_>> = None;
    let mut called = false;
    for part in turns.iter().flat_map(|t| &t.parts) {
        match part {
            Part::Thought { seal: Some(Seal::Gemini(own)), .. } => signature = Some(own),
            Part::Text(text) if !text.is_empty() => {
                let w = content.part().open(b'{').key("text").str(text);
                if let Some(own) = signature.take() {
                    w.key("thoughtSignature").str(own);
                }
                w.close(b'}');
            }
            Part::Call(call) => {
                let w = content.part().open(b'{').key("functionCall").open(b'{').key("id").text(&fit(&call.id.plain()));
                w.key("name").text(&names.outward(&call.name.plain())).key("args").raw(&call.input.object()).close(b'}');
                // Only the first call of several carries one.
                match signature.take() {
                    Some(own) => w.key("thoughtSignature").str(own),
                    None if !called => w.key("thoughtSignature").text(FOREIGN),
                    None => w,
                }
                .close(b'}');
                called = true;
            }
            Part::Image(media) | Part::Document { media, .. } => {
                media_part(content.part(), media, part);
            }
            _ => {}
        }
    }
    // It came last, on a text of its own.
    if let Some(own) = signature.filter(|_| content.open) {
        content.part().open(b'{').key("text").text("").key("thoughtSignature").str(own).close(b'}');
    }
    content.end();
}

/// Results first and in the order of their calls, then everything else.
fn user(w: &mut Writer, turns: &[Turn<'_>], calls: &HashMap<Cow<'_, str>, (usize, &Str<'_>)>, dialect: Dialect, names: &mut Names) {
    let mut content = Content { w, role: "user", open: false };
    let all = turns.iter().flat_map(|t| &t.parts);
    let mut results: Vec<_> = all
        .filter_map(|p| if let Part::Result { id, parts, error } = p { Some((id.plain(), parts, *error)) } else { None })
        .map(|(id, parts, error)| (calls.get(&id).copied(), id, parts, error))
        .collect();
    results.sort_by_key(|(call, ..)| call.map_or(usize::MAX, |(n, _)| n));
    for (call, id, parts, error) in &results {
        let w = content.part().open(b'{').key("functionResponse").open(b'{').key("id").text(&fit(id));
        let name = call.map_or(Cow::Borrowed("unknown"), |(_, name)| name.plain());
        w.key("name").text(&names.outward(&name)).key("response").open(b'{').key(if *error { "error" } else { "output" });
        w.str(&Str::join(parts.iter().filter_map(text_of), "\\n")).close(b'}');
        if dialect.latest() && parts.iter().any(is_media) {
            w.key("parts").open(b'[');
            parts.iter().for_each(|part| media_of(w, part));
            w.close(b']');
        }
        w.close(b'}').close(b'}');
    }
    // Earlier generations take them only beside the results.
    if !dialect.latest() {
        for part in results.iter().flat_map(|(_, _, parts, _)| parts.iter()).filter(|p| is_media(p)) {
            media_of(content.part(), part);
        }
    }
    for turn in turns {
        for part in &turn.parts {
            match part {
                Part::Text(text) if text.is_empty() => {}
                // There is no such role here: the model is told whose words they are.
                Part::Text(text) if turn.role == Role::System => {
                    content.part().open(b'{').key("text").strs(&["<system>\\n", text.raw(), "\\n</system>"]).close(b'}');
                }
                Part::Text(text) => text_part(content.part(), text),
                part if is_media(part) => media_of(content.part(), part),
                _ => {}
            }
        }
    }
    content.end();
}

fn is_media(part: &Part<'_>) -> bool {
    matches!(part, Part::Image(_) | Part::Document { .. })
}

fn media_of(w: &mut Writer, part: &Part<'_>) {
    if let Part::Image(media) | Part::Document { media, .. } = part {
        media_part(w, media, part);
    }
}

fn media_part(w: &mut Writer, media: &Media<'_>, part: &Part<'_>) {
    let inline = |w: &mut Writer, mime: &Str<'_>, data: &Str<'_>| {
        w.open(b'{').key("inlineData").open(b'{').key("mimeType").str(mime).key("data").str(data).close(b'}').close(b'}');
    };
    match media {
        Media::Base64 { mime, data } => inline(w, mime, data),
        Media::Url(url) => match url.clone().cut("data:", ";base64,") {
            Some((mime, data)) => inline(w, &mime, &data),
            None => {
                w.open(b'{').key("fileData").open(b'{');
                if let Some(mime) = mime_of(url.raw(), part) {
                    w.key("mimeType").text(mime);
                }
                w.key("fileUri").str(url).close(b'}').close(b'}');
            }
        },
        // The model is told what it cannot see.
        Media::File(_) => {
            let what = if matches!(part, Part::Image(_)) { "picture" } else { "document" };
            text_part(w, &Str::quote(&format!("[a {what} kept by another vendor is not shown]")));
        }
    }
}

fn mime_of(url: &str, part: &Part<'_>) -> Option<&'static str> {
    let path = url.split(['?', '#']).next().unwrap_or(url).to_ascii_lowercase();
    let known = [("png", "image/png"), ("jpg", "image/jpeg"), ("jpeg", "image/jpeg"), ("webp", "image/webp"), ("gif", "image/gif")];
    let found = known.iter().find(|(end, _)| path.ends_with(&format!(".{end}"))).map(|(_, mime)| *mime);
    found.or_else(|| matches!(part, Part::Document { .. }).then_some("application/pdf"))
}

fn tools(w: &mut Writer, request: &Request<'_>, with_tools: bool, names: &mut Names) {
    if !with_tools {
        // Beside functions a search is refused, so it is offered alone or not at all.
        if !request.tools.is_empty() {
            w.key("tools").raw(r#"[{"googleSearch":{}}]"#);
        }
        return;
    }
    w.key("tools").open(b'[').open(b'{').key("functionDeclarations").open(b'[');
    for tool in &request.tools {
        let schema = match &tool.kind {
            ToolKind::WebSearch => continue,
            ToolKind::Function(schema) => Cow::Owned(to_gemini(schema)),
            ToolKind::Free => Cow::Borrowed(FREE_SCHEMA),
        };
        w.open(b'{').key("name").text(&names.outward(&tool.name.plain()));
        if let Some(description) = &tool.description {
            w.key("description").str(description);
        }
        w.key("parametersJsonSchema").raw(&schema).close(b'}');
    }
    w.close(b']').close(b'}').close(b']');
    let Some(choice) = &request.choice else { return };
    w.key("toolConfig").open(b'{').key("functionCallingConfig").open(b'{').key("mode");
    match choice {
        Choice::Auto => w.text("AUTO"),
        Choice::None => w.text("NONE"),
        Choice::Required => w.text("ANY"),
        Choice::Named(name) => w.text("ANY").key("allowedFunctionNames").open(b'[').text(&names.outward(&name.plain())).close(b']'),
    };
    w.close(b'}').close(b'}');
}

fn generation(w: &mut Writer, request: &Request<'_>, dialect: Dialect, asked: bool) {
    w.key("generationConfig").open(b'{');
    if let Some(max) = request.max_tokens {
        w.key("maxOutputTokens").number(max);
    }
    if let Some(t) = request.temperature {
        w.key("temperature").raw(t.get());
    }
    if let Some(p) = request.top_p {
        w.key("topP").raw(p.get());
    }
    if !request.stop.is_empty() {
        // Five at most.
        w.key("stopSequences").open(b'[');
        request.stop.iter().take(5).for_each(|s| {
            w.str(s);
        });
        w.close(b']');
    }
    if let Some(schema) = request.schema.as_ref().filter(|_| !asked) {
        w.key("responseMimeType").text("application/json").key("responseJsonSchema").raw(&to_gemini(&schema.schema));
    }
    thinking(w, request.thinking, dialect);
    w.close(b'}');
}

fn thinking(w: &mut Writer, thinking: Thinking, dialect: Dialect) {
    let effort = match thinking {
        Thinking::Unsaid => return,
        Thinking::Off => None,
        Thinking::Auto => Some(None),
        Thinking::Effort(effort) => Some(Some((effort, effort.budget()))),
        Thinking::Budget(tokens) => Some(Some((Effort::of_budget(tokens), tokens))),
    };
    if dialect == Dialect::Plain {
        return;
    }
    w.key("thinkingConfig").open(b'{').key("includeThoughts").bool(effort.is_some());
    match (dialect, effort) {
        (Dialect::Level { minimal }, amount) => {
            let level = match amount {
                Some(None) => None,
                // It cannot be switched off: the least there is.
                None | Some(Some((Effort::Minimal, _))) if minimal => Some("MINIMAL"),
                None | Some(Some((Effort::Minimal | Effort::Low, _))) => Some("LOW"),
                Some(Some((Effort::Medium, _))) => Some("MEDIUM"),
                Some(Some(_)) => Some("HIGH"),
            };
            if let Some(level) = level {
                w.key("thinkingLevel").text(level);
            }
        }
        (Dialect::Budget { .. }, Some(None)) => {
            w.key("thinkingBudget").raw("-1");
        }
        (Dialect::Budget { off, least, most }, amount) => {
            let tokens = amount.flatten().map(|(_, tokens)| tokens.clamp(least, most));
            w.key("thinkingBudget").number(tokens.unwrap_or(if off { 0 } else { least }));
        }
        (Dialect::Plain, _) => {}
    }
    w.close(b'}');
}

#[cfg(test)]
mod tests;
