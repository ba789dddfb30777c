//! One log of two gigabytes, as Codex leaves them: pictures, long lines, and a few words about usage.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::thread;
use std::time::Duration;

use super::report::Table;
use super::site::{Site, peak, seconds, spent};
use crate::bench::measure::{self, number_after};
use crate::outcome::{Failure, Outcome};

const SIZE: u64 = 2_000_000_000;
/// A line's text; now and then one is a picture.
const TEXT: usize = 6000;
const PICTURE: usize = 40_000_000;

pub(super) fn measure(site: &Site, table: &mut Table) -> Outcome {
    site.forget()?;
    let home = site.scratch.home();
    for agent in [".claude", ".codex"] {
        let dir = home.join(agent);
        fs::remove_dir_all(&dir).map_err(|err| Failure::new(format!("cannot empty {}: {err}", dir.display())))?;
    }
    let path = home.join(".codex/sessions/2026/06/01/rollout-2026-06-01T00-00-00-019e7d3a-3c00-7000-8000-000000000001.jsonl");
    let answers = write(&path).map_err(|err| Failure::new(format!("cannot write {}: {err}", path.display())))?;
    let mut run = spent(&mut site.scratch.clown(&["usage", "daily", "--json"]))?;
    let daemon = site.daemon()?;
    thread::sleep(Duration::from_millis(500));
    run.cpu += seconds(measure::activity(daemon)?.ticks);
    run.peak = peak(daemon)?;
    let page = site.ask(&["usage", "agents", "--json"])?;
    let totals = page.split_once("\"totals\":").map_or("", |(_, totals)| totals);
    let told = |name: &str| number_after(totals, &format!("\"{name}\":"));
    if told("requests") != Some(answers) || told("output_tokens") != Some(answers * 20) {
        return Err(Failure::new(format!("the large log has {answers} answers; clown says {totals}")));
    }
    let value = format!("{:.1} MiB, in {:.2} s, {:.2} s of processor", run.peak, run.wall, run.cpu);
    table.goal("most memory, one log of 2 GB with lines of up to 40 MB", &value, "<= 64 MiB", run.peak <= 64.0);
    // It is as large as all others.
    fs::remove_file(&path).map_err(|err| Failure::new(format!("cannot remove {}: {err}", path.display())))
}

/// How many answers it tells of.
fn write(path: &Path) -> std::io::Result<u64> {
    fs::create_dir_all(path.parent().unwrap_or(path))?;
    let mut to = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let text = "some words, \\\"quoted\\\" and\\nbroken ".repeat(TEXT / 36);
    let (mut answers, mut written) = (0_u64, 0);
    let envelope = |kind: &str, second: u64, payload: &str| {
        let (hour, minute) = (second / 3600 % 24, second / 60 % 60);
        format!(
            "{{\"timestamp\":\"2026-06-01T{hour:02}:{minute:02}:{:02}.000Z\",\"type\":\"{kind}\",\"payload\":{{{payload}}}}}\n",
            second % 60
        )
    };
    let message =
        |text: &str| format!("\"type\":\"message\",\"role\":\"assistant\",\"content\":[{{\"type\":\"output_text\",\"text\":\"{text}\"}}]");
    let mut line = |text: String, written: &mut u64| -> std::io::Result<()> {
        *written += text.len() as u64;
        to.write_all(text.as_bytes())
    };
    let meta = "\"id\":\"019e7d3a-3c00-7000-8000-000000000001\",\"cwd\":\"/w\",\"model_provider\":\"openai\"";
    line(envelope("session_meta", 0, meta), &mut written)?;
    line(envelope("turn_context", 1, "\"cwd\":\"/w\",\"model\":\"gpt-5.5\""), &mut written)?;
    let picture = "iVBORw0KGgo=".repeat(PICTURE / 12);
    while written < SIZE {
        for _ in 0..4 {
            line(envelope("response_item", answers, &message(&text)), &mut written)?;
        }
        if answers.is_multiple_of(4000) {
            line(envelope("response_item", answers, &message(&picture)), &mut written)?;
        }
        answers += 1;
        let counts = |times: u64| {
            let (input, output) = (100 * times, 20 * times);
            format!(
                "{{\"input_tokens\":{input},\"cached_input_tokens\":0,\"output_tokens\":{output},\"reasoning_output_tokens\":0,\"total_tokens\":{}}}",
                input + output
            )
        };
        let payload = format!(
            "\"type\":\"token_count\",\"info\":{{\"total_token_usage\":{},\"last_token_usage\":{}}},\"rate_limits\":null",
            counts(answers),
            counts(1)
        );
        line(envelope("event_msg", answers, &payload), &mut written)?;
    }
    to.flush()?;
    Ok(answers)
}
