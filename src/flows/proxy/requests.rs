//! The last requests through a proxy, from the end of the log its engine writes.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::Path,
};

use serde::Deserialize;

use crate::{
    app::App,
    base::{
        error::{Error, Result},
        paths::Paths,
    },
    wire::{
        envelope::Caller,
        proxy::{FailedTarget, Request, RequestRows, Requests},
    },
};

/// A line is a few hundred bytes, and with an upstream's own words on tokens rarely over a thousand.
const TAIL: u64 = 512 << 10;

/// A line of the log; `proxy/engine/meter.rs` writes them.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Line {
    id: String,
    at: i64,
    model: String,
    rule: String,
    target: String,
    status: u16,
    outcome: String,
    failed: Vec<FailedTarget>,
    input: u64,
    cache_read: u64,
    cache_write: u64,
    output: u64,
    first_ms: f64,
    total_ms: f64,
}

pub fn requests(app: &App, ask: Requests, _caller: &Caller) -> Result<RequestRows> {
    let profile = app.profiles.find(&ask.alias)?;
    let limit = ask.limit.unwrap_or(50).min(RequestRows::MOST);
    let text = tail(&Paths::proxy_usage(Path::new(&profile.home)))?;
    Ok(RequestRows { requests: newest(&text, limit) })
}

/// The end of a file, from the beginning of a line; empty when there is none.
fn tail(path: &Path) -> Result<String> {
    let failed = |e: std::io::Error| Error::io(format!("cannot read {}", path.display())).cause(e);
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(String::new()),
        Err(e) => return Err(failed(e)),
    };
    let length = file.metadata().map_err(failed)?.len();
    let from = length.saturating_sub(TAIL);
    file.seek(SeekFrom::Start(from)).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes).map_err(failed)?;
    let begun = if from == 0 { 0 } else { bytes.iter().position(|b| *b == b'\n').map_or(bytes.len(), |at| at + 1) };
    Ok(String::from_utf8_lossy(bytes.get(begun..).unwrap_or_default()).into_owned())
}

/// The last line may be half written, and a line of a newer build may be another.
fn newest(text: &str, limit: usize) -> Vec<Request> {
    let lines = text.lines().rev().filter_map(|line| serde_json::from_str::<Line>(line).ok());
    lines.filter(|line| !line.id.is_empty()).take(limit).map(row).collect()
}

fn row(line: Line) -> Request {
    Request {
        time: jiff::Timestamp::from_millisecond(line.at).map(|t| t.to_string()).unwrap_or_default(),
        id: line.id,
        model: line.model,
        rule: line.rule,
        target: line.target,
        status: line.status,
        outcome: line.outcome,
        failed: line.failed,
        input_tokens: line.input,
        cache_read_tokens: line.cache_read,
        cache_write_tokens: line.cache_write,
        output_tokens: line.output,
        first_ms: line.first_ms,
        total_ms: line.total_ms,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(n: usize) -> String {
        format!(
            r#"{{"v":1,"id":"i-{n}","at":{},"model":"m","rule":"r","target":"p/m","status":200,"outcome":"ok","input":{n},"first_ms":1.5,"total_ms":2.0,"new":1}}"#,
            1_760_000_000_000 + n
        )
    }

    #[test]
    fn the_newest_come_first_and_a_torn_line_is_left_out() {
        let text = format!("{}\nno line\n{}\n{}", line(1), line(2), &line(3)[..40]);
        let rows = newest(&text, 9);
        assert_eq!(rows.iter().map(|r| r.id.as_str()).collect::<Vec<_>>(), ["i-2", "i-1"]);
        assert_eq!((rows[0].time.as_str(), rows[0].input_tokens, rows[0].first_ms), ("2025-10-09T08:53:20.002Z", 2, 1.5));
        assert_eq!(newest(&text, 1).len(), 1);
    }

    #[test]
    fn of_a_long_file_the_end_is_read_from_a_whole_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("usage.jsonl");
        assert_eq!(tail(&path).unwrap(), "");
        let text: String = (0..5000).map(|n| line(n) + "\n").collect();
        std::fs::write(&path, &text).unwrap();
        assert!(text.len() as u64 > TAIL);
        let end = tail(&path).unwrap();
        assert!(end.len() as u64 <= TAIL && text.ends_with(&end) && end.starts_with("{\"v\""));
        assert_eq!(newest(&end, RequestRows::MOST).len(), RequestRows::MOST);
    }
}
