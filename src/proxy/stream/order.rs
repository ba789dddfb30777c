//! Makes a reply regular, whatever the upstream does: one block at a time, each opened once and
//! closed once, one end, and no call finished whose arguments never were.

use std::collections::VecDeque;

use super::event::{ErrorKind, Event, Key, Stop, Usage};
use crate::proxy::translate::{seal::Seal, text::Str};

/// A regular reply. Blocks are numbered from 0 without gaps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Start {
        id: Str<'static>,
        model: Str<'static>,
    },
    OpenText,
    OpenThought,
    OpenCall {
        id: Str<'static>,
        name: Str<'static>,
    },
    Text(Str<'static>),
    Thought(Str<'static>),
    Seal(Seal<'static>),
    Arguments(Str<'static>),
    Close,
    /// Last, unless it is `Error`.
    End {
        stop: Stop,
        usage: Usage,
    },
    Error {
        kind: ErrorKind,
        message: Str<'static>,
    },
}

#[derive(Debug, PartialEq, Eq)]
enum Open {
    Text,
    Thought,
    Call(Key),
}

#[derive(Debug, Default)]
pub struct Orderer {
    started: bool,
    ended: bool,
    open: Option<Open>,
    /// Calls that wait because the one before is not complete yet.
    waiting: VecDeque<Waiting>,
    arguments: Shape,
    calls: usize,
    stop: Option<Stop>,
    usage: Usage,
}

#[derive(Debug)]
struct Waiting {
    key: Key,
    id: Str<'static>,
    name: Str<'static>,
    pieces: Vec<Str<'static>>,
}

impl Orderer {
    pub fn usage(&self) -> Usage {
        self.usage
    }

    pub fn take(&mut self, event: Event<'_>, step: &mut impl FnMut(Step)) {
        if self.ended {
            return;
        }
        match event {
            // Some upstreams say it again.
            Event::Start { .. } if self.started => {}
            Event::Start { id, model } => {
                self.started = true;
                step(Step::Start { id: id.into_owned(), model: model.into_owned() });
            }
            Event::Text(text) if text.is_empty() => {}
            Event::Text(text) => {
                self.switch(Open::Text, step);
                step(Step::Text(text.into_owned()));
            }
            Event::Thought(text) if text.is_empty() => {}
            Event::Thought(text) => {
                self.switch(Open::Thought, step);
                step(Step::Thought(text.into_owned()));
            }
            Event::Seal(seal) => {
                self.switch(Open::Thought, step);
                step(Step::Seal(seal.into_owned()));
                // A thought behind it has a proof of its own.
                self.close(step);
            }
            Event::Call { key, id, name } => {
                self.calls += 1;
                let call = Waiting { key, id: id.into_owned(), name: name.into_owned(), pieces: Vec::new() };
                match self.open {
                    // Two calls at once: the second is held until the first is whole.
                    Some(Open::Call(_)) if !self.arguments.complete() => self.waiting.push_back(call),
                    _ => self.open_call(call, step),
                }
            }
            Event::Arguments { key, piece } => self.arguments(key, piece.into_owned(), step),
            Event::Usage(usage) => self.usage = usage,
            Event::Stop(stop) => self.stop = Some(stop),
            Event::Error { kind, message } => self.fail(kind, message.into_owned(), step),
        }
    }

    /// The upstream closed the stream.
    pub fn finish(&mut self, step: &mut impl FnMut(Step)) {
        if self.ended {
            return;
        }
        let Some(stop) = self.stop else {
            return self.fail(ErrorKind::Broken, Str::quote("the upstream ended the reply in the middle"), step);
        };
        self.drain(step);
        // A call cut short by a limit must not look like one to be run.
        if matches!(self.open, Some(Open::Call(_))) && !self.arguments.finished() && stop != Stop::MaxTokens {
            return self.fail(ErrorKind::Broken, Str::quote("the upstream ended in the middle of a tool call"), step);
        }
        self.close(step);
        self.ended = true;
        // Several upstreams say `stop` after calls.
        let stop = if self.calls > 0 && stop == Stop::End { Stop::ToolUse } else { stop };
        step(Step::End { stop, usage: self.usage });
    }

    fn fail(&mut self, kind: ErrorKind, message: Str<'static>, step: &mut impl FnMut(Step)) {
        self.ended = true;
        step(Step::Error { kind, message });
    }

    fn switch(&mut self, to: Open, step: &mut impl FnMut(Step)) {
        if self.open.as_ref() == Some(&to) {
            return;
        }
        self.drain(step);
        self.close(step);
        step(if to == Open::Text { Step::OpenText } else { Step::OpenThought });
        self.open = Some(to);
    }

    fn open_call(&mut self, call: Waiting, step: &mut impl FnMut(Step)) {
        self.close(step);
        self.arguments = Shape::default();
        step(Step::OpenCall { id: call.id, name: call.name });
        self.open = Some(Open::Call(call.key));
        for piece in call.pieces {
            self.piece(piece, step);
        }
    }

    fn piece(&mut self, piece: Str<'static>, step: &mut impl FnMut(Step)) {
        if piece.is_empty() {
            return;
        }
        self.arguments.take(&piece.plain());
        step(Step::Arguments(piece));
    }

    fn arguments(&mut self, key: Key, piece: Str<'static>, step: &mut impl FnMut(Step)) {
        if self.open == Some(Open::Call(key)) {
            self.piece(piece, step);
            // Whoever waited goes on as soon as this one is whole.
            while self.arguments.complete() && !self.waiting.is_empty() {
                let Some(next) = self.waiting.pop_front() else { break };
                self.open_call(next, step);
            }
        } else if let Some(waiting) = self.waiting.iter_mut().find(|w| w.key == key) {
            waiting.pieces.push(piece);
        }
    }

    fn drain(&mut self, step: &mut impl FnMut(Step)) {
        while let Some(next) = self.waiting.pop_front() {
            self.open_call(next, step);
        }
    }

    fn close(&mut self, step: &mut impl FnMut(Step)) {
        if self.open.take().is_some() {
            step(Step::Close);
        }
    }
}

/// Follows JSON text just far enough to know whether a value is whole.
#[derive(Debug, Default)]
struct Shape {
    depth: usize,
    in_string: bool,
    escaped: bool,
    begun: bool,
}

impl Shape {
    fn take(&mut self, text: &str) {
        for c in text.bytes() {
            if self.in_string {
                match c {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => self.in_string = false,
                    _ => {}
                }
                continue;
            }
            match c {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
            self.begun |= !c.is_ascii_whitespace();
        }
    }

    /// A whole value stands there.
    fn complete(&self) -> bool {
        self.begun && self.depth == 0 && !self.in_string
    }

    /// Whole, or nothing at all: a call without arguments.
    fn finished(&self) -> bool {
        self.complete() || !self.begun
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(events: Vec<Event<'_>>) -> Vec<Step> {
        let (mut orderer, mut steps) = (Orderer::default(), Vec::new());
        events.into_iter().for_each(|e| orderer.take(e, &mut |s| steps.push(s)));
        orderer.finish(&mut |s| steps.push(s));
        steps
    }

    fn s(text: &str) -> Str<'static> {
        Str::quote(text)
    }

    fn start() -> Event<'static> {
        Event::Start { id: s("r"), model: s("m") }
    }

    fn call(key: Key) -> Event<'static> {
        Event::Call { key, id: s(&format!("c{key}")), name: s("t") }
    }

    fn args(key: Key, piece: &str) -> Event<'static> {
        Event::Arguments { key, piece: s(piece) }
    }

    #[test]
    fn calls_that_come_interleaved_leave_one_after_the_other() {
        let steps = run(vec![start(), call(0), args(0, "{\"a\":"), call(1), args(1, "{}"), args(0, "\"}\"}"), Event::Stop(Stop::End)]);
        let open = |n: u32| Step::OpenCall { id: s(&format!("c{n}")), name: s("t") };
        let want = [
            Step::Start { id: s("r"), model: s("m") },
            open(0),
            Step::Arguments(s("{\"a\":")),
            Step::Arguments(s("\"}\"}")),
            Step::Close,
            open(1),
            Step::Arguments(s("{}")),
            Step::Close,
            Step::End { stop: Stop::ToolUse, usage: Usage::default() },
        ];
        assert_eq!(steps, want);
    }

    /// router-for-me/CLIProxyAPI#4873: a truncated call was finished and executed empty.
    #[test]
    fn bug_16_a_reply_cut_in_a_call_ends_as_an_error() {
        for events in [vec![start(), call(0), args(0, "{\"a\":")], vec![start(), call(0), args(0, "{\"a\":"), Event::Stop(Stop::ToolUse)]] {
            let steps = run(events);
            assert!(matches!(steps.last(), Some(Step::Error { kind: ErrorKind::Broken, .. })), "{steps:?}");
            assert!(!steps.contains(&Step::Close));
        }
        let limited = run(vec![start(), call(0), args(0, "{\"a\":"), Event::Stop(Stop::MaxTokens)]);
        assert!(matches!(limited.last(), Some(Step::End { stop: Stop::MaxTokens, .. })));
    }

    #[test]
    fn an_empty_call_is_whole_and_a_repeated_start_is_not_told_twice() {
        let steps = run(vec![start(), start(), Event::Text(s("")), call(0), Event::Stop(Stop::ToolUse)]);
        assert_eq!(steps.iter().filter(|s| matches!(s, Step::Start { .. })).count(), 1);
        assert!(!steps.contains(&Step::OpenText));
        assert!(matches!(steps.last(), Some(Step::End { stop: Stop::ToolUse, .. })));
    }

    #[test]
    fn text_between_thoughts_opens_a_block_of_its_own() {
        let steps = run(vec![start(), Event::Thought(s("a")), Event::Text(s("b")), Event::Thought(s("c")), Event::Stop(Stop::End)]);
        let opens = steps.iter().filter(|s| matches!(s, Step::OpenText | Step::OpenThought)).count();
        assert_eq!((opens, steps.iter().filter(|s| **s == Step::Close).count()), (3, 3));
    }
}
