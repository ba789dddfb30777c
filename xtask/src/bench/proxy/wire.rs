//! The four wire formats as this bench speaks them: what the client sends, and what the mock upstream answers.
//!
//! Each delta of a stream carries the moment it was sent, as `@` and 19 digits of nanoseconds of the monotonic clock.
//! The mark is plain text to a proxy and survives translation, so the client can tell how long each delta took.

/// Deltas of one stream.
pub(super) const DELTAS: usize = 200;
/// What every plain reply says.
pub(super) const SAID: &str = "The answer to the small question of this bench is a sentence of a plain length, no more.";

const STAMP: usize = 19;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Anthropic,
    Chat,
    Responses,
    Gemini,
}

/// How the mock upstream answers. The last word of the model's name says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Json,
    /// Deltas back to back, one write each.
    Burst,
    /// Deltas 5 ms apart.
    Paced,
    /// The whole stream in one write.
    Blob,
}

impl Answer {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Burst => "burst",
            Self::Paced => "paced",
            Self::Blob => "blob",
        }
    }

    pub(super) fn of(model: &[u8]) -> Self {
        [Self::Burst, Self::Paced, Self::Blob].into_iter().find(|answer| model.ends_with(answer.name().as_bytes())).unwrap_or(Self::Json)
    }

    pub(super) fn streams(self) -> bool {
        self != Self::Json
    }
}

impl Format {
    /// The format an upstream is spoken to in, by the path.
    pub(super) fn of(path: &[u8]) -> Option<Self> {
        let has = |word: &str| super::http::find(path, word.as_bytes()).is_some();
        match () {
            () if has("/chat/completions") => Some(Self::Chat),
            () if has("/responses") => Some(Self::Responses),
            () if has("/messages") => Some(Self::Anthropic),
            () if has("enerateContent") => Some(Self::Gemini),
            () => None,
        }
    }

    pub(super) fn path(self, model: &str, stream: bool) -> String {
        match self {
            Self::Anthropic => "/v1/messages".into(),
            Self::Chat => "/v1/chat/completions".into(),
            Self::Responses => "/v1/responses".into(),
            Self::Gemini if stream => format!("/v1beta/models/{model}:streamGenerateContent?alt=sse"),
            Self::Gemini => format!("/v1beta/models/{model}:generateContent"),
        }
    }

    /// A short question without tools.
    pub(super) fn small_request(self, model: &str, stream: bool) -> String {
        const ASKED: &str = "What is the answer to the small question of this bench?";
        match self {
            Self::Anthropic => format!(
                r#"{{"model":"{model}","max_tokens":1024,"system":"You are brief.","messages":[{{"role":"user","content":"{ASKED}"}}],"stream":{stream}}}"#
            ),
            Self::Chat => format!(
                r#"{{"model":"{model}","messages":[{{"role":"system","content":"You are brief."}},{{"role":"user","content":"{ASKED}"}}],"max_tokens":1024,"stream":{stream}{}}}"#,
                if stream { r#","stream_options":{"include_usage":true}"# } else { "" }
            ),
            Self::Responses => format!(
                r#"{{"model":"{model}","instructions":"You are brief.","input":[{{"type":"message","role":"user","content":[{{"type":"input_text","text":"{ASKED}"}}]}}],"max_output_tokens":1024,"stream":{stream}}}"#
            ),
            Self::Gemini => format!(
                r#"{{"systemInstruction":{{"parts":[{{"text":"You are brief."}}]}},"contents":[{{"role":"user","parts":[{{"text":"{ASKED}"}}]}}],"generationConfig":{{"maxOutputTokens":1024}}}}"#
            ),
        }
    }

    pub(super) fn reply(self) -> String {
        match self {
            Self::Anthropic => format!(
                r#"{{"id":"msg_0123456789abcdefghijklmn","type":"message","role":"assistant","model":"mock","content":[{{"type":"text","text":"{SAID}"}}],"stop_reason":"end_turn","stop_sequence":null,"usage":{{"input_tokens":25,"output_tokens":21,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"service_tier":"standard"}}}}"#
            ),
            Self::Chat => format!(
                r#"{{"id":"chatcmpl-0123456789abcdef","object":"chat.completion","created":1700000000,"model":"mock","choices":[{{"index":0,"message":{{"role":"assistant","content":"{SAID}","refusal":null}},"logprobs":null,"finish_reason":"stop"}}],"usage":{{"prompt_tokens":25,"completion_tokens":21,"total_tokens":46,"prompt_tokens_details":{{"cached_tokens":0}}}}}}"#
            ),
            Self::Responses => completed(&message("completed", SAID)),
            Self::Gemini => format!(
                r#"{{"candidates":[{{"content":{{"role":"model","parts":[{{"text":"{SAID}"}}]}},"finishReason":"STOP","index":0}}],"usageMetadata":{{"promptTokenCount":25,"candidatesTokenCount":21,"totalTokenCount":46}},"modelVersion":"mock","responseId":"r0123456789abcdef"}}"#
            ),
        }
    }

    /// What comes before the deltas, as whole events.
    pub(super) fn opening(self) -> String {
        match self {
            Self::Anthropic => {
                event(
                    "message_start",
                    r#""message":{"id":"msg_0123456789abcdefghijklmn","type":"message","role":"assistant","model":"mock","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":25,"output_tokens":1,"cache_creation_input_tokens":0,"cache_read_input_tokens":0}}"#,
                ) + &event("content_block_start", r#""index":0,"content_block":{"type":"text","text":""}"#)
            }
            Self::Chat => chat(r#"[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]"#, ""),
            Self::Responses => {
                let open = r#"{"id":"resp_0123456789abcdef","object":"response","status":"in_progress","model":"mock","output":[]}"#;
                event("response.created", &format!(r#""sequence_number":0,"response":{open}"#))
                    + &event(
                        "response.output_item.added",
                        r#""sequence_number":1,"output_index":0,"item":{"type":"message","id":"msg_0123456789abcdef","status":"in_progress","role":"assistant","content":[]}"#,
                    )
                    + &event(
                        "response.content_part.added",
                        r#""sequence_number":2,"item_id":"msg_0123456789abcdef","output_index":0,"content_index":0,"part":{"type":"output_text","text":"","annotations":[]}"#,
                    )
            }
            Self::Gemini => String::new(),
        }
    }

    /// One delta with room for its mark: the text, and where the mark's digits go.
    pub(super) fn delta(self) -> (Vec<u8>, usize) {
        let text = format!("@{} some words here", "0".repeat(STAMP));
        let whole = match self {
            Self::Anthropic => event("content_block_delta", &format!(r#""index":0,"delta":{{"type":"text_delta","text":"{text}"}}"#)),
            Self::Chat => chat(&format!(r#"[{{"index":0,"delta":{{"content":"{text}"}},"finish_reason":null}}]"#), ""),
            Self::Responses => event(
                "response.output_text.delta",
                &format!(
                    r#""sequence_number":3,"item_id":"msg_0123456789abcdef","output_index":0,"content_index":0,"delta":"{text}","logprobs":[]"#
                ),
            ),
            Self::Gemini => format!(
                "data: {{\"candidates\":[{{\"content\":{{\"role\":\"model\",\"parts\":[{{\"text\":\"{text}\"}}]}},\"index\":0}}],\"modelVersion\":\"mock\",\"responseId\":\"r0123456789abcdef\"}}\r\n\r\n"
            ),
        };
        let at = whole.find('@').map_or(0, |at| at + 1);
        (whole.into_bytes(), at)
    }

    /// What comes after the deltas. A real upstream repeats the whole text in some events; the marks would count twice, so it says less.
    pub(super) fn closing(self) -> String {
        match self {
            Self::Anthropic => {
                event("content_block_stop", r#""index":0"#)
                    + &event("message_delta", r#""delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":800}"#)
                    + "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"
            }
            Self::Chat => {
                chat(r#"[{"index":0,"delta":{},"finish_reason":"stop"}]"#, "")
                    + &chat("[]", r#","usage":{"prompt_tokens":25,"completion_tokens":800,"total_tokens":825}"#)
                    + "data: [DONE]\n\n"
            }
            Self::Responses => {
                let item = message("completed", "done");
                event("response.output_item.done", &format!(r#""sequence_number":4,"output_index":0,"item":{item}"#))
                    + &event("response.completed", &format!(r#""sequence_number":5,"response":{}"#, completed(&item)))
            }
            Self::Gemini => "data: {\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[{\"text\":\"\"}]},\"finishReason\":\"STOP\",\"index\":0}],\"usageMetadata\":{\"promptTokenCount\":25,\"candidatesTokenCount\":800,\"totalTokenCount\":825},\"modelVersion\":\"mock\",\"responseId\":\"r0123456789abcdef\"}\r\n\r\n".into(),
        }
    }
}

fn event(name: &str, rest: &str) -> String {
    format!("event: {name}\ndata: {{\"type\":\"{name}\",{rest}}}\n\n")
}

fn chat(choices: &str, rest: &str) -> String {
    format!(
        "data: {{\"id\":\"chatcmpl-0123456789abcdef\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"mock\",\"choices\":{choices}{rest}}}\n\n"
    )
}

fn message(status: &str, text: &str) -> String {
    format!(
        r#"{{"type":"message","id":"msg_0123456789abcdef","status":"{status}","role":"assistant","content":[{{"type":"output_text","text":"{text}","annotations":[]}}]}}"#
    )
}

fn completed(item: &str) -> String {
    format!(
        r#"{{"id":"resp_0123456789abcdef","object":"response","created_at":1700000000,"status":"completed","model":"mock","output":[{item}],"parallel_tool_calls":true,"tool_choice":"auto","tools":[],"usage":{{"input_tokens":25,"input_tokens_details":{{"cached_tokens":0}},"output_tokens":21,"output_tokens_details":{{"reasoning_tokens":0}},"total_tokens":46}}}}"#
    )
}

/// Writes a moment over the digits at `at`.
pub(super) fn stamp(bytes: &mut [u8], at: usize, mut moment: u64) {
    for digit in bytes[at..at + STAMP].iter_mut().rev() {
        *digit = b'0' + (moment % 10) as u8;
        moment /= 10;
    }
}

/// Finds the marks in a stream, in whatever pieces it comes.
#[derive(Default)]
pub(super) struct Marks {
    /// Digits of a mark that has begun, and its value so far.
    open: Option<(usize, u64)>,
    latest: u64,
    pub(super) count: usize,
}

impl Marks {
    /// Calls `found` with the moment of each new mark. A text that is repeated at the end of a stream has old marks; they do not count.
    pub(super) fn feed(&mut self, mut bytes: &[u8], mut found: impl FnMut(u64)) {
        while !bytes.is_empty() {
            let Some((digits, value)) = self.open else {
                let Some(at) = bytes.iter().position(|b| *b == b'@') else { return };
                self.open = Some((0, 0));
                bytes = &bytes[at + 1..];
                continue;
            };
            let (byte, rest) = (bytes[0], &bytes[1..]);
            if !byte.is_ascii_digit() {
                self.open = None;
                continue;
            }
            bytes = rest;
            let value = value.wrapping_mul(10).wrapping_add(u64::from(byte - b'0'));
            if digits + 1 < STAMP {
                self.open = Some((digits + 1, value));
                continue;
            }
            self.open = None;
            if value > self.latest {
                self.latest = value;
                self.count += 1;
                found(value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_survive_any_cut_and_count_once() {
        let (mut delta, at) = Format::Anthropic.delta();
        let mut text = b"mail@example @12 ".to_vec();
        for moment in [7, 1_234_567_890_123_456_789] {
            stamp(&mut delta, at, moment);
            text.extend_from_slice(&delta);
        }
        text.extend_from_slice(&text.clone());
        for piece in 1..60 {
            let (mut marks, mut moments) = (Marks::default(), Vec::new());
            text.chunks(piece).for_each(|part| marks.feed(part, |moment| moments.push(moment)));
            assert_eq!((moments, marks.count), (vec![7, 1_234_567_890_123_456_789], 2), "{piece}");
        }
    }

    #[test]
    fn paths_and_models_choose() {
        for format in [Format::Anthropic, Format::Chat, Format::Responses, Format::Gemini] {
            assert_eq!(Format::of(format.path("m", true).as_bytes()), Some(format));
            assert!((300..700).contains(&format.reply().len()), "{format:?}: {}", format.reply().len());
            assert!(format.delta().1 > 1);
        }
        assert_eq!(Format::of(b"/health"), None);
        assert_eq!(Answer::of(b"chat-burst"), Answer::Burst);
        assert_eq!(Answer::of(b"claude"), Answer::Json);
    }
}
