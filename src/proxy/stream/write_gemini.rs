//! A regular reply as Gemini's: chunks of a stream, or one whole `GenerateContentResponse`.

use std::ops::Deref;

use super::{
    event::{ErrorKind, Stop, Usage},
    order::Step,
};
use crate::proxy::translate::{json::Writer, names::Names, request::Input, seal::Seal, text::Str};

/// What is on its way to the next part. Clients of this format give a part's `thoughtSignature` back
/// and drop the thoughts themselves, so another vendor's thoughts travel in it, packed.
#[derive(Debug, Default)]
struct Proofs {
    /// The thought being told.
    telling: Vec<Str<'static>>,
    seals: Vec<Seal<'static>>,
    ended: Vec<(Option<Seal<'static>>, Str<'static>)>,
}

impl Proofs {
    fn close(&mut self) {
        let text = Str::join(&std::mem::take(&mut self.telling), "");
        let mut seals = std::mem::take(&mut self.seals).into_iter();
        let first = seals.next();
        if first.is_some() || !text.is_empty() {
            self.ended.push((first, text));
        }
        self.ended.extend(seals.map(|seal| (Some(seal), Str::default())));
    }

    /// For the part that follows. Thoughts that nobody signed are wanted back with a call alone.
    fn take(&mut self, for_call: bool) -> Option<Str<'static>> {
        if !for_call && self.ended.iter().all(|(seal, _)| seal.is_none()) {
            return None;
        }
        match std::mem::take(&mut self.ended).as_slice() {
            [] => None,
            [(Some(Seal::Gemini(own)), _)] => Some(own.clone()),
            thoughts => Some(Seal::packed(thoughts)),
        }
    }
}

/// A call being told: it leaves whole.
#[derive(Debug)]
struct Call {
    id: Str<'static>,
    name: Str<'static>,
    arguments: Vec<Str<'static>>,
}

/// Steps as parts of a content; both writers share it.
#[derive(Debug)]
struct Parts<N> {
    names: N,
    proofs: Proofs,
    thinking: bool,
    call: Option<Call>,
}

impl<N: Deref<Target = Names>> Parts<N> {
    fn new(names: N) -> Self {
        Self { names, proofs: Proofs::default(), thinking: false, call: None }
    }

    /// Writes at most one part; tells whether it did. `Start`, `Error` and the rest of `End` are the caller's.
    fn write(&mut self, step: Step, w: &mut Writer) -> bool {
        match step {
            Step::OpenText => return self.held(w),
            Step::OpenThought => {
                let wrote = self.held(w);
                self.thinking = true;
                return wrote;
            }
            Step::OpenCall { id, name } => {
                let wrote = self.held(w);
                self.call = Some(Call { id, name, arguments: Vec::new() });
                return wrote;
            }
            Step::Text(text) => {
                w.open(b'{').key("text").str(&text);
                signed(w, self.proofs.take(false));
                return true;
            }
            Step::Thought(text) => {
                w.open(b'{').key("text").str(&text).key("thought").bool(true).close(b'}');
                self.proofs.telling.push(text);
                return true;
            }
            Step::Seal(seal) => self.proofs.seals.push(seal),
            Step::Arguments(piece) => {
                if let Some(call) = &mut self.call {
                    call.arguments.push(piece);
                }
            }
            Step::Close => {
                if std::mem::take(&mut self.thinking) {
                    self.proofs.close();
                } else if self.call.as_ref().is_some_and(|call| !call.arguments.is_empty()) {
                    return self.held(w);
                }
            }
            Step::End { stop, .. } if stop != Stop::MaxTokens => return self.held(w),
            Step::Start { .. } | Step::End { .. } | Step::Error { .. } => {}
        }
        false
    }

    /// The call that was told. Whether one has no arguments or was cut before them shows only behind it.
    fn held(&mut self, w: &mut Writer) -> bool {
        self.call.take().is_some_and(|call| self.call(call, w))
    }

    fn call(&mut self, call: Call, w: &mut Writer) -> bool {
        let arguments = Str::join(&call.arguments, "");
        // Cut short by a limit: a client would run what is there of it.
        let cut = serde_json::from_str::<serde::de::IgnoredAny>(&arguments.plain()).is_err_and(|e| e.is_eof());
        if cut && !arguments.is_empty() {
            return false;
        }
        w.open(b'{').key("functionCall").open(b'{').key("id").str(&call.id);
        w.key("name").text(self.names.inward(&call.name.plain())).key("args").raw(&Input::Quoted(arguments).object()).close(b'}');
        signed(w, self.proofs.take(true));
        true
    }
}

/// Ends a part, with its signature if there is one.
fn signed(w: &mut Writer, signature: Option<Str<'static>>) {
    if let Some(signature) = signature {
        w.key("thoughtSignature").str(&signature);
    }
    w.close(b'}');
}

/// Writes a stream's frames.
#[derive(Debug)]
pub struct Frames<N> {
    parts: Parts<N>,
    id: Str<'static>,
    /// The model as the client called it.
    model: String,
}

impl<N: Deref<Target = Names>> Frames<N> {
    pub fn new(names: N, model: &str) -> Self {
        Self { parts: Parts::new(names), id: Str::default(), model: model.to_owned() }
    }

    pub fn write(&mut self, step: Step, out: &mut Vec<u8>) {
        match step {
            Step::Start { id, .. } => self.id = id,
            Step::End { stop, usage } => {
                let mut w = Writer::with_capacity(256);
                w.open(b'{').key("candidates").open(b'[').open(b'{').key("content").open(b'{').key("parts").open(b'[');
                self.parts.write(Step::End { stop, usage }, &mut w);
                // A last signature needs a part, and every real last chunk has one.
                w.open(b'{').key("text").text("");
                signed(&mut w, self.parts.proofs.take(false));
                w.close(b']').key("role").text("model").close(b'}').key("finishReason").text(word(stop)).key("index").number(0);
                w.close(b'}').close(b']');
                self.tail(w, Some(usage), out);
            }
            Step::Error { kind, message } => frame(&error(kind, &message).1, out),
            step => {
                let mut w = Writer::with_capacity(256);
                w.open(b'{').key("candidates").open(b'[').open(b'{').key("content").open(b'{').key("parts").open(b'[');
                if self.parts.write(step, &mut w) {
                    w.close(b']').key("role").text("model").close(b'}').key("index").number(0).close(b'}').close(b']');
                    self.tail(w, None, out);
                }
            }
        }
    }

    fn tail(&self, mut w: Writer, usage: Option<Usage>, out: &mut Vec<u8>) {
        tail(&mut w, usage, &self.model, &self.id);
        frame(&w.into_bytes(), out);
    }
}

fn frame(data: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"data: ");
    out.extend_from_slice(data);
    out.extend_from_slice(b"\r\n\r\n");
}

fn tail(w: &mut Writer, usage: Option<Usage>, model: &str, id: &Str<'_>) {
    if let Some(usage) = usage {
        tokens(w, usage);
    }
    w.key("modelVersion").text(model).key("responseId").str(id).close(b'}');
}

fn tokens(w: &mut Writer, usage: Usage) {
    let prompt = usage.input + usage.cache_read + usage.cache_write;
    w.key("usageMetadata").open(b'{').key("promptTokenCount").number(prompt);
    w.key("candidatesTokenCount").number(usage.output.saturating_sub(usage.reasoning));
    w.key("totalTokenCount").number(prompt + usage.output);
    if usage.cache_read > 0 {
        w.key("cachedContentTokenCount").number(usage.cache_read);
    }
    if usage.reasoning > 0 {
        w.key("thoughtsTokenCount").number(usage.reasoning);
    }
    w.close(b'}');
}

/// Calls have no reason of their own here.
fn word(stop: Stop) -> &'static str {
    match stop {
        Stop::End | Stop::ToolUse | Stop::StopSequence => "STOP",
        Stop::MaxTokens => "MAX_TOKENS",
        Stop::Refusal => "SAFETY",
    }
}

/// An error's HTTP status and body; the same body ends a stream.
pub fn error(kind: ErrorKind, message: &Str<'_>) -> (u16, Vec<u8>) {
    let (code, status) = match kind {
        ErrorKind::Invalid => (400, "INVALID_ARGUMENT"),
        ErrorKind::Authentication => (401, "UNAUTHENTICATED"),
        ErrorKind::RateLimit => (429, "RESOURCE_EXHAUSTED"),
        ErrorKind::Overloaded => (503, "UNAVAILABLE"),
        ErrorKind::Broken | ErrorKind::Api => (500, "INTERNAL"),
    };
    let mut w = Writer::with_capacity(128);
    w.open(b'{').key("error").open(b'{').key("code").number(u64::from(code)).key("message").str(message);
    w.key("status").text(status).key("details").raw("[]").close(b'}').close(b'}');
    (code, w.into_bytes())
}

/// The reply to `countTokens`.
pub fn total_tokens(tokens: u64) -> Vec<u8> {
    let mut w = Writer::with_capacity(32);
    w.open(b'{').key("totalTokens").number(tokens).close(b'}');
    w.into_bytes()
}

/// Writes a reply that is not streamed: a block's pieces become one part.
#[derive(Debug)]
pub struct Whole<N> {
    parts: Parts<N>,
    w: Writer,
    empty: bool,
    said: Vec<Str<'static>>,
    id: Str<'static>,
    model: String,
    end: Option<Result<(Stop, Usage), (ErrorKind, Str<'static>)>>,
}

impl<N: Deref<Target = Names>> Whole<N> {
    pub fn new(names: N, model: &str) -> Self {
        let mut w = Writer::with_capacity(1024);
        w.open(b'{').key("candidates").open(b'[').open(b'{').key("content").open(b'{').key("parts").open(b'[');
        Self { parts: Parts::new(names), w, empty: true, said: Vec::new(), id: Str::default(), model: model.to_owned(), end: None }
    }

    pub fn take(&mut self, step: Step) {
        match step {
            Step::Start { id, .. } => self.id = id,
            Step::End { stop, usage } => {
                self.part(Step::End { stop, usage });
                self.end = Some(Ok((stop, usage)));
            }
            Step::Error { kind, message } => self.end = Some(Err((kind, message))),
            Step::Text(text) | Step::Thought(text) => self.said.push(text),
            Step::Close => {
                if !self.said.is_empty() {
                    let text = Str::join(&std::mem::take(&mut self.said), "");
                    self.part(if self.parts.thinking { Step::Thought(text) } else { Step::Text(text) });
                }
                self.part(Step::Close);
            }
            step => self.part(step),
        }
    }

    fn part(&mut self, step: Step) {
        self.empty &= !self.parts.write(step, &mut self.w);
    }

    /// HTTP status and body, behind the last step.
    pub fn body(mut self) -> (u16, Vec<u8>) {
        let (stop, usage) = match self.end {
            Some(Ok(end)) => end,
            Some(Err((kind, message))) => return error(kind, &message),
            None => return error(ErrorKind::Broken, &Str::quote("the upstream ended the reply in the middle")),
        };
        let signature = self.parts.proofs.take(false);
        let mut w = self.w;
        if self.empty || signature.is_some() {
            w.open(b'{').key("text").text("");
            signed(&mut w, signature);
        }
        w.close(b']').key("role").text("model").close(b'}').key("finishReason").text(word(stop)).key("index").number(0);
        w.close(b'}').close(b']');
        tail(&mut w, Some(usage), &self.model, &self.id);
        (200, w.into_bytes())
    }
}

#[cfg(test)]
mod tests;
