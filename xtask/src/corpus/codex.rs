//! A thread of Codex, and at times a fork of it that replays it first.

use std::fmt::Write;

use super::Writer;
use super::random::{JUNE, Random, stamp};
use super::truth::Truth;
use crate::outcome::Outcome;

/// Input, cached, written, output, reasoning.
type Counts = [u64; 5];

struct Log {
    thread: String,
    at: u64,
    text: String,
    sums: Counts,
    /// Newer releases tell each answer with its id as well.
    records: bool,
}

pub(super) fn sessions(to: &mut Writer, random: &mut Random, number: u64, truth: &mut Truth) -> Outcome {
    let at = number * 7_000_000;
    let thread = random.uuid7(JUNE + at);
    let mut log = Log { thread, at, text: String::new(), sums: [0; 5], records: random.one_in(2) };
    log.meta("");
    for _ in 0..random.within(4, 30) {
        log.turn(random, truth);
    }
    to.file(&log.name(), &log.text)?;
    if log.records || !random.one_in(12) {
        return Ok(());
    }
    let at = log.at + 60_000;
    let mut fork = Log { thread: random.uuid7(JUNE + at), at, text: String::new(), ..log };
    fork.meta(&format!(",\"forked_from_id\":\"{}\"", log.thread));
    truth.repeats += log.text.matches("\"token_count\"").count() as u64;
    fork.text.push_str(&log.text);
    for _ in 0..random.within(1, 10) {
        fork.turn(random, truth);
    }
    to.file(&fork.name(), &fork.text)
}

impl Log {
    fn name(&self) -> String {
        let day = stamp(self.at);
        format!(".codex/sessions/2026/{}/{}/rollout-{}-{}.jsonl", &day[5..7], &day[8..10], day[..19].replace(':', "-"), self.thread)
    }

    fn line(&mut self, kind: &str, payload: &str) {
        let _ = writeln!(self.text, "{{\"timestamp\":\"{}\",\"type\":\"{kind}\",\"payload\":{{{payload}}}}}", stamp(self.at));
    }

    fn meta(&mut self, more: &str) {
        let payload = format!("\"id\":\"{}\",\"cwd\":\"/home/user/p\",\"model_provider\":\"openai\"{more}", self.thread);
        self.line("session_meta", &payload);
    }

    fn turn(&mut self, random: &mut Random, truth: &mut Truth) {
        self.at += random.within(2000, 60_000);
        let id = random.uuid7(JUNE + self.at);
        self.line("turn_context", &format!("\"turn_id\":\"{id}\",\"cwd\":\"/home/user/p\",\"model\":\"gpt-5.5\",\"summary\":\"none\""));
        for _ in 0..random.within(1, 8) {
            for _ in 0..random.within(1, 4) {
                self.at += random.within(100, 4000);
                let text = random.within(200, 6000);
                let text = random.words(text);
                self.line(
                    "response_item",
                    &format!("\"type\":\"message\",\"role\":\"assistant\",\"content\":[{{\"type\":\"output_text\",\"text\":\"{text}\"}}]"),
                );
            }
            self.answer(random, truth);
        }
    }

    fn answer(&mut self, random: &mut Random, truth: &mut Truth) {
        let (read, written, plain) = (random.within(0, 90_000), random.within(0, 3) * 500, random.within(50, 9000));
        let output = random.within(20, 3000);
        let reasoning = random.within(0, output);
        let used = [plain + read + written, read, written, output, reasoning];
        self.sums.iter_mut().zip(used).for_each(|(sum, used)| *sum += used);
        let (last, sums) = (counts(used), counts(self.sums));
        if self.records {
            let payload = format!(
                "\"thread_id\":\"{}\",\"turn_id\":\"t\",\"response_id\":\"resp_{}\",\"usage\":{last},\"thread_token_usage\":{sums}",
                self.thread,
                random.hex(48)
            );
            self.line("token_usage_record", &payload);
        }
        let tellings = if random.one_in(6) { 2 } else { 1 };
        for _ in 0..tellings {
            self.at += 1;
            self.line("event_msg", &format!("\"type\":\"token_count\",\"info\":{{\"total_token_usage\":{sums},\"last_token_usage\":{last},\"model_context_window\":258400}},\"rate_limits\":null"));
        }
        truth.repeats += tellings - u64::from(!self.records);
        truth.requests += 1;
        truth.input += plain;
        truth.output += output;
        truth.reasoning += reasoning;
        truth.cache_read += read;
        truth.write_other += written;
    }
}

fn counts([input, cached, written, output, reasoning]: Counts) -> String {
    format!(
        "{{\"input_tokens\":{input},\"cached_input_tokens\":{cached},\"cache_write_input_tokens\":{written},\"output_tokens\":{output},\"reasoning_output_tokens\":{reasoning},\"total_tokens\":{}}}",
        input + output
    )
}
