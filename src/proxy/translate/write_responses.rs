//! The neutral request as OpenAI Responses. Nothing is kept by the vendor (`store` is false), so
//! every request carries the whole conversation.

use std::collections::HashSet;

use super::{
    json::Writer,
    names::{Names, fit},
    request::{Call, Choice, Effort, FREE_SCHEMA, Input, Media, Part, Request, Role, Thinking, ToolKind, Turn},
    seal::Seal,
    text::Str,
};

/// Less is refused.
const LEAST_TOKENS: u64 = 16;

/// What differs between vendors of this format; from the provider's `quirks`.
#[derive(Clone, Copy, Debug)]
pub struct Dialect {
    /// Takes `prompt_cache_key`.
    pub cache_key: bool,
    /// Takes `reasoning`.
    pub effort: bool,
    /// Takes tools of type `custom`; else they become functions with one text.
    pub custom_tools: bool,
    /// Searches the web by itself.
    pub web_search: bool,
}

impl Default for Dialect {
    /// OpenAI's own.
    fn default() -> Self {
        Self { cache_key: true, effort: true, custom_tools: true, web_search: true }
    }
}

/// Writes the body; `names` remembers shortened tool names for the way back. Stop sequences are not
/// known to this format.
pub fn write(request: &Request<'_>, model: &str, dialect: Dialect, names: &mut Names, size: usize) -> Vec<u8> {
    let mut w = Writer::with_capacity(size + size / 8 + 1024);
    w.open(b'{').key("model").text(model);
    if !request.system.is_empty() {
        w.key("instructions").str(&Str::join(&request.system, "\\n\\n"));
    }
    w.key("input").open(b'[');
    let mut items = Items { w: &mut w, dialect, names, free: HashSet::new() };
    request.turns.iter().for_each(|turn| items.turn(turn));
    w.close(b']');
    tools(&mut w, request, dialect, names);
    if let Some(max) = request.max_tokens {
        w.key("max_output_tokens").number(max.max(LEAST_TOKENS));
    }
    if let Some(t) = request.temperature {
        w.key("temperature").raw(t.get());
    }
    if let Some(p) = request.top_p {
        w.key("top_p").raw(p.get());
    }
    if dialect.effort {
        reasoning(&mut w, request.thinking);
    }
    if let Some(schema) = &request.schema {
        w.key("text").open(b'{').key("format").open(b'{').key("type").text("json_schema");
        w.key("name").str(&schema.name.clone().unwrap_or_else(|| Str::quote("answer"))).key("schema").raw(&schema.schema);
        if let Some(strict) = schema.strict {
            w.key("strict").bool(strict);
        }
        w.close(b'}').close(b'}');
    }
    if dialect.cache_key
        && let Some(session) = &request.session
    {
        w.key("prompt_cache_key").text(&fit(session));
    }
    w.key("store").bool(false);
    if request.stream {
        w.key("stream").bool(true);
    }
    w.close(b'}');
    w.into_bytes()
}

/// Encrypted reasoning is asked for only where there is some: other models refuse the question.
fn reasoning(w: &mut Writer, thinking: Thinking) {
    let effort = match thinking {
        Thinking::Unsaid => return,
        Thinking::Off => Some("none"),
        Thinking::Auto => None,
        Thinking::Effort(effort) => Some(effort.word()),
        Thinking::Budget(tokens) => Some(Effort::of_budget(tokens).word()),
    };
    w.key("reasoning").open(b'{');
    if let Some(word) = effort {
        w.key("effort").text(word);
    }
    if thinking == Thinking::Off {
        w.close(b'}');
        return;
    }
    w.key("summary").text("auto").close(b'}').key("include").raw(r#"["reasoning.encrypted_content"]"#);
}

struct Items<'w, 'n> {
    w: &'w mut Writer,
    dialect: Dialect,
    names: &'n mut Names,
    /// Calls written as `custom_tool_call`: their answers have a kind of their own.
    free: HashSet<String>,
}

impl Items<'_, '_> {
    fn turn(&mut self, turn: &Turn<'_>) {
        match turn.role {
            Role::System => self.message("system", "input_text", &turn.parts.iter().collect::<Vec<_>>()),
            Role::User => {
                let rest: Vec<&Part<'_>> = turn.parts.iter().filter(|p| !self.result(p)).collect();
                self.message("user", "input_text", &rest);
            }
            Role::Assistant => self.assistant(&turn.parts),
        }
    }

    /// In order: texts that stand together as one message, reasoning right before what it led to.
    fn assistant(&mut self, parts: &[Part<'_>]) {
        let mut texts: Vec<&Part<'_>> = Vec::new();
        for (n, part) in parts.iter().enumerate() {
            if let Part::Text(_) = part {
                texts.push(part);
                continue;
            }
            self.message("assistant", "output_text", &std::mem::take(&mut texts));
            match part {
                Part::Call(call) => self.call(call),
                // Reasoning that leads to nothing is refused.
                Part::Thought { text, seal: Some(Seal::Responses { id, data }) }
                    if parts.iter().skip(n + 1).any(|p| matches!(p, Part::Text(_) | Part::Call(_))) =>
                {
                    self.reasoning(text, id, data);
                }
                _ => {}
            }
        }
        self.message("assistant", "output_text", &texts);
    }

    fn reasoning(&mut self, text: &Str<'_>, id: &Str<'_>, data: &Str<'_>) {
        self.w.open(b'{').key("type").text("reasoning");
        if id.raw().starts_with("rs_") {
            self.w.key("id").str(id);
        }
        self.w.key("summary").open(b'[');
        if !text.is_empty() {
            self.w.open(b'{').key("type").text("summary_text").key("text").str(text).close(b'}');
        }
        self.w.close(b']').key("encrypted_content").str(data).close(b'}');
    }

    fn call(&mut self, call: &Call<'_>) {
        let (id, name) = (call.id.plain(), call.name.plain());
        let (id, name) = (fit(&id), self.names.outward(&name));
        match &call.input {
            Input::Free(text) if self.dialect.custom_tools => {
                self.w.open(b'{').key("type").text("custom_tool_call").key("call_id").text(&id).key("name").text(&name);
                self.w.key("input").str(text).close(b'}');
                self.free.insert(id.into_owned());
            }
            input => {
                self.w.open(b'{').key("type").text("function_call").key("call_id").text(&id).key("name").text(&name);
                self.w.key("arguments").str(&input.quoted()).close(b'}');
            }
        }
    }

    /// Whether it was one.
    fn result(&mut self, part: &Part<'_>) -> bool {
        let Part::Result { id, parts, error } = part else { return false };
        let id = id.plain();
        let id = fit(&id);
        let kind = if self.free.contains(&*id) { "custom_tool_call_output" } else { "function_call_output" };
        self.w.open(b'{').key("type").text(kind).key("call_id").text(&id).key("output");
        let lead = error.then(|| Str::quote("[error] "));
        if parts.iter().all(|p| matches!(p, Part::Text(_))) {
            let texts = parts.iter().filter_map(Part::text);
            let text = Str::join(texts, "\\n");
            self.w.str(&Str::join(lead.iter().chain([&text]), ""));
        } else {
            self.w.open(b'[');
            if let Some(lead) = lead {
                self.piece("input_text", &Part::Text(lead));
            }
            parts.iter().for_each(|p| self.piece("input_text", p));
            self.w.close(b']');
        }
        self.w.close(b'}');
        true
    }

    fn message(&mut self, role: &str, kind: &str, parts: &[&Part<'_>]) {
        if !parts.iter().any(|p| matches!(p, Part::Text(_) | Part::Image(_) | Part::Document { .. })) {
            return;
        }
        self.w.open(b'{').key("type").text("message").key("role").text(role).key("content").open(b'[');
        parts.iter().for_each(|p| self.piece(kind, p));
        self.w.close(b']').close(b'}');
    }

    fn piece(&mut self, kind: &str, part: &Part<'_>) {
        match part {
            Part::Text(text) => {
                self.w.open(b'{').key("type").text(kind).key("text").str(text).close(b'}');
            }
            Part::Image(media) => {
                self.w.open(b'{').key("type").text("input_image");
                match media.url() {
                    Some(url) => self.w.key("image_url").str(&url),
                    None => self.file(media),
                };
                self.w.key("detail").text("auto").close(b'}');
            }
            Part::Document { media, title } => {
                self.w.open(b'{').key("type").text("input_file");
                match media {
                    Media::Base64 { .. } => {
                        let name = title.clone().unwrap_or_else(|| Str::quote("document.pdf"));
                        self.w.key("filename").str(&name).key("file_data").str(&media.url().unwrap_or_default());
                    }
                    Media::Url(url) => {
                        self.w.key("file_url").str(url);
                    }
                    Media::File(_) => {
                        self.file(media);
                    }
                }
                self.w.close(b'}');
            }
            _ => {}
        }
    }

    fn file(&mut self, media: &Media<'_>) -> &mut Writer {
        match media {
            Media::File(id) => self.w.key("file_id").str(id),
            _ => self.w,
        }
    }
}

fn tools(w: &mut Writer, request: &Request<'_>, dialect: Dialect, names: &mut Names) {
    let offered = || request.tools.iter().filter(|t| dialect.web_search || !matches!(t.kind, ToolKind::WebSearch));
    if offered().next().is_none() {
        return;
    }
    w.key("tools").open(b'[');
    for tool in offered() {
        let name = tool.name.plain();
        let (kind, schema) = match &tool.kind {
            ToolKind::WebSearch => {
                w.open(b'{').key("type").text("web_search").close(b'}');
                continue;
            }
            ToolKind::Free if dialect.custom_tools => ("custom", None),
            ToolKind::Free => ("function", Some(FREE_SCHEMA)),
            ToolKind::Function(schema) => ("function", Some(&**schema)),
        };
        w.open(b'{').key("type").text(kind).key("name").text(&names.outward(&name));
        if let Some(description) = &tool.description {
            w.key("description").str(description);
        }
        if let Some(schema) = schema {
            // Strict unless told otherwise, which most schemas do not pass.
            w.key("parameters").raw(schema).key("strict").bool(false);
        }
        w.close(b'}');
    }
    w.close(b']');
    match &request.choice {
        None => {}
        Some(Choice::Auto) => {
            w.key("tool_choice").text("auto");
        }
        Some(Choice::Required) => {
            w.key("tool_choice").text("required");
        }
        Some(Choice::None) => {
            w.key("tool_choice").text("none");
        }
        Some(Choice::Named(name)) => {
            let kind = request.tools.iter().find(|t| t.name == *name).map(|t| &t.kind);
            w.key("tool_choice").open(b'{').key("type");
            match kind {
                Some(ToolKind::WebSearch) => w.text("web_search"),
                Some(ToolKind::Free) if dialect.custom_tools => w.text("custom").key("name").text(&names.outward(&name.plain())),
                _ => w.text("function").key("name").text(&names.outward(&name.plain())),
            };
            w.close(b'}');
        }
    }
    if let Some(parallel) = request.parallel {
        w.key("parallel_tool_calls").bool(parallel);
    }
}

#[cfg(test)]
mod tests;
