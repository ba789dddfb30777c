//! A session of Claude Code: a transcript, at times a sub-agent's, at times a resumed copy.

use std::fmt::Write;

use super::Writer;
use super::random::{Random, stamp};
use super::truth::Truth;
use crate::outcome::Outcome;

const MODELS: &[&str] = &["claude-opus-5-5", "claude-sonnet-4-6", "claude-haiku-5-5"];

pub(super) fn session(to: &mut Writer, random: &mut Random, number: u64, truth: &mut Truth) -> Outcome {
    let project = random.within(0, 40);
    let session = format!("{}-{}-4{}-8{}-{}", random.hex(8), random.hex(4), random.hex(3), random.hex(3), random.hex(12));
    let mut log = Log { session, project, at: number * 7_000_000, sidechain: false, text: String::new(), last: String::new() };
    for _ in 0..random.within(10, 80) {
        log.turn(random, truth);
    }
    let name = |project: u64, rest: &str| format!(".claude/projects/-home-user-p{project}/{rest}");
    to.file(&name(project, &format!("{}.jsonl", log.session)), &log.text)?;
    if random.one_in(4) {
        let mut side = Log { sidechain: true, text: String::new(), last: String::new(), session: log.session.clone(), ..log };
        for _ in 0..random.within(2, 20) {
            side.turn(random, truth);
        }
        // The parent's last answer again, under another request id.
        let replay = log.last.replace("\"isSidechain\":false", "\"isSidechain\":true").replace("\"req_", "\"req_side");
        truth.repeats += 1;
        let name = name(project, &format!("{}/subagents/agent-{}.jsonl", log.session, random.hex(17)));
        return to.file(&name, &format!("{replay}{}", side.text));
    }
    if random.one_in(25) {
        let start: String = log.text.lines().take(40).flat_map(|line| [line, "\n"]).collect();
        truth.repeats += start.matches("\"type\":\"assistant\"").count() as u64;
        let mut resumed = Log { session: random.hex(32), text: start, last: String::new(), ..log };
        resumed.turn(random, truth);
        return to.file(&name(project, &format!("{}.jsonl", resumed.session)), &resumed.text);
    }
    Ok(())
}

struct Log {
    session: String,
    project: u64,
    at: u64,
    sidechain: bool,
    text: String,
    last: String,
}

impl Log {
    fn tail(&self, random: &mut Random) -> String {
        let (session, project) = (&self.session, self.project);
        let (uuid, time) = (random.hex(32), stamp(self.at));
        format!(
            "\"uuid\":\"{uuid}\",\"timestamp\":\"{time}\",\"userType\":\"external\",\"cwd\":\"/home/user/p{project}\",\"sessionId\":\"{session}\",\"version\":\"2.1.330\",\"gitBranch\":\"main\"}}\n"
        )
    }

    /// A question or a tool's result, other lines, and an answer of one to three blocks.
    fn turn(&mut self, random: &mut Random, truth: &mut Truth) {
        let side = self.sidechain;
        for _ in 0..random.within(1, 4) {
            self.at += random.within(100, 9000);
            let (tail, text) = (self.tail(random), random.within(300, 7000));
            let _ = write!(
                self.text,
                "{{\"parentUuid\":\"{}\",\"isSidechain\":{side},\"type\":\"user\",\"message\":{{\"role\":\"user\",\"content\":\"{}\"}},{tail}",
                random.hex(32),
                random.words(text)
            );
        }
        let (id, request) = (random.hex(24), random.hex(24));
        let model = MODELS.get(random.within(0, 3) as usize).unwrap_or(&"");
        let (input, output) = (random.within(1, 3000), random.within(20, 4000));
        let (read, m5, h1) = (random.within(0, 180_000), random.within(0, 9000), random.within(0, 3) * 700);
        let other = if random.one_in(10) { random.within(1, 500) } else { 0 };
        let blocks = random.within(1, 4);
        for block in 1..=blocks {
            self.at += random.within(100, 3000);
            let so_far = if random.one_in(2) { output } else { output * block / blocks };
            let told = if block == blocks { output } else { so_far.max(1) };
            let (tail, text) = (self.tail(random), random.within(200, 4000));
            self.last = format!(
                "{{\"parentUuid\":\"{}\",\"isSidechain\":{side},\"message\":{{\"id\":\"msg_01{id}\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"{model}\",\"content\":[{{\"type\":\"text\",\"text\":\"{}\"}}],\"stop_reason\":null,\"usage\":{{\"input_tokens\":{input},\"cache_creation_input_tokens\":{},\"cache_read_input_tokens\":{read},\"output_tokens\":{told},\"server_tool_use\":{{\"web_search_requests\":0,\"web_fetch_requests\":0}},\"service_tier\":\"standard\",\"cache_creation\":{{\"ephemeral_1h_input_tokens\":{h1},\"ephemeral_5m_input_tokens\":{m5}}},\"inference_geo\":\"\",\"iterations\":[],\"speed\":\"standard\"}}}},\"apiBlockIndex\":{},\"requestId\":\"req_01{request}\",\"type\":\"assistant\",{tail}",
                random.hex(32),
                random.words(text),
                m5 + h1 + other,
                block - 1
            );
            self.text.push_str(&self.last);
        }
        truth.repeats += blocks - 1;
        truth.requests += 1;
        truth.input += input;
        truth.output += output;
        truth.cache_read += read;
        truth.write_5m += m5;
        truth.write_1h += h1;
        truth.write_other += other;
    }
}
