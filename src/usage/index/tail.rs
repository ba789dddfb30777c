//! Reads what is new in one log.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::file::{Entry, Marks, Problems, Stamp};
use super::find::{Found, log_of};
use super::lines::{Line, Lines, Passed};
use super::packed::Unpacked;
use super::strings::fnv;
use crate::usage::collect::json::is_whole;
use crate::usage::collect::{Problem, Shape, Sink, State};

/// Grows with every change of what collectors tell: then logs are read once more.
pub(super) const REVISION: u32 = 2;

const HEAD: u64 = 2048;
const FOOT: u64 = 64;

/// What a reading brought, next to what was told to the sink.
pub(super) struct Reading {
    pub(super) entry: Entry,
    pub(super) bytes: u64,
}

pub(super) fn read(found: &Found, known: &Entry, lines: &mut Lines, sink: &mut dyn Sink) -> io::Result<Reading> {
    match found.shape {
        Shape::Lines => plain(found, known, lines, sink),
        Shape::Database => database(found, known, sink),
        Shape::PackedLines | Shape::Document => afresh(found, known, lines, sink),
    }
}

fn plain(found: &Found, known: &Entry, lines: &mut Lines, sink: &mut dyn Sink) -> io::Result<Reading> {
    let mut file = File::open(&found.path)?;
    let stamp = Stamp::of(&file.metadata()?);
    let (mut bytes, mut entry) = (0, known.clone());
    let state = known.usable(stamp).filter(|_| holds(&mut file, known, &mut bytes).unwrap_or(false));
    let mut state = state.unwrap_or_else(|| {
        entry.forget();
        found.collector.begin(&found.path)
    });
    file.seek(SeekFrom::Start(entry.offset))?;
    // What is appended from now on is found by the next look, as a change of size.
    let mut rest = (&mut file).take(stamp.size().saturating_sub(entry.offset));
    let passed = feed(found, lines, &mut rest, true, &mut state, sink);
    entry.offset += passed.lines;
    entry.marks = mark(&mut file, entry.offset, entry.marks, &mut bytes)?;
    entry.lines = state.lines;
    let mut reading = done(entry, stamp, &state, &passed, bytes);
    if passed.failed {
        // Looks changed at the next look, which goes on here.
        reading.entry.stamp = stamp.unlike_any();
    }
    Ok(reading)
}

/// Whole files, read again whenever they changed.
fn afresh(found: &Found, known: &Entry, lines: &mut Lines, sink: &mut dyn Sink) -> io::Result<Reading> {
    let file = File::open(&found.path)?;
    let stamp = Stamp::of(&file.metadata()?);
    let mut entry = known.clone();
    entry.forget();
    let mut state = found.collector.begin(&found.path);
    let passed = if found.shape == Shape::PackedLines {
        feed(found, lines, &mut Unpacked::new(file), true, &mut state, sink)
    } else {
        state.time(Some(stamp.changed_ms()));
        feed(found, lines, &mut file.take(stamp.size()), false, &mut state, sink)
    };
    // Nothing goes on from here.
    entry.lines = state.lines;
    Ok(done(entry, stamp, &State::default(), &passed, 0))
}

fn done(mut entry: Entry, stamp: Stamp, state: &State, passed: &Passed, bytes: u64) -> Reading {
    entry.stamp = stamp;
    entry.revision = REVISION;
    entry.state = String::from_utf8(state.encode()).unwrap_or_default();
    Reading { entry, bytes: bytes + passed.bytes }
}

fn feed(found: &Found, lines: &mut Lines, from: &mut impl Read, apart: bool, state: &mut State, sink: &mut dyn Sink) -> Passed {
    let passed = lines.run(from, apart, &mut |line| match line {
        Line::Whole(line) => one(found, line, state, sink),
        // A line whose end is still to come, but which is all there. It is read again with its end, and tells the same then.
        Line::Last(line) if apart => {
            if is_whole(trimmed(line)) {
                one(found, line, &mut state.clone(), sink);
            }
        }
        Line::Last(line) => one(found, line, state, sink),
        Line::TooLong => {
            state.lines += 1;
            sink.problem(Problem::TooLong);
        }
    });
    if passed.failed {
        sink.problem(Problem::Unreadable);
    }
    passed
}

fn one(found: &Found, line: &[u8], state: &mut State, sink: &mut dyn Sink) {
    state.lines += 1;
    match trimmed(line) {
        [] => {}
        line @ [b'{', .., b'}'] => found.collector.line(line, state, sink),
        line if std::str::from_utf8(line).is_err() => sink.problem(Problem::NotText),
        [b'{', ..] | [.., b'}'] => sink.problem(Problem::Half),
        _ => sink.problem(Problem::NotJson),
    }
}

/// Without spaces, and without the zero bytes that a crash leaves.
fn trimmed(mut line: &[u8]) -> &[u8] {
    while let [b' ' | b'\t' | b'\r' | b'\n' | 0, rest @ ..] | [rest @ .., b' ' | b'\t' | b'\r' | b'\n' | 0] = line {
        line = rest;
    }
    line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line)
}

fn database(found: &Found, known: &Entry, sink: &mut dyn Sink) -> io::Result<Reading> {
    let log = log_of(&found.path);
    let has_log = std::fs::metadata(&log).is_ok_and(|meta| meta.len() > 0);
    let db = open(&found.path, has_log).map_err(io::Error::other)?;
    let mut entry = known.clone();
    let same = entry.revision == REVISION && entry.stamp.place() == found.stamp.place();
    let mut state = State::decode(entry.state.as_bytes()).filter(|_| same).unwrap_or_else(|| {
        entry.forget();
        found.collector.begin(&found.path)
    });
    found.collector.database(&db, &mut state, sink).map_err(io::Error::other)?;
    Ok(done(entry, found.stamp, &state, &Passed::default(), 0))
}

/// With a write-ahead log SQLite needs its index beside it, and has to make it where it is missing. Without one nothing is made.
fn open(path: &Path, has_log: bool) -> rusqlite::Result<Connection> {
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => uri.push(char::from(*byte)),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri.push_str(if has_log { "?mode=ro" } else { "?immutable=1" });
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(uri, flags)?;
    db.busy_timeout(Duration::from_secs(1))?;
    Ok(db)
}

impl Entry {
    /// The state to go on with, where the file can still be the one it was.
    fn usable(&self, now: Stamp) -> Option<State> {
        let grown = self.revision == REVISION && now.size() >= self.offset && self.offset > 0;
        State::decode(self.state.as_bytes()).filter(|_| grown)
    }

    fn forget(&mut self) {
        (self.offset, self.marks, self.problems, self.lines) = (0, Marks::default(), Problems::default(), 0);
        self.state.clear();
    }
}

/// Whether what was read of a file is still in it.
pub(super) fn holds(file: &mut File, known: &Entry, bytes: &mut u64) -> io::Result<bool> {
    let Marks(length, head, foot) = known.marks;
    Ok(hash(file, 0, u64::from(length), bytes)? == head && foot_of(file, known.offset, bytes)? == foot)
}

fn mark(file: &mut File, offset: u64, known: Marks, bytes: &mut u64) -> io::Result<Marks> {
    let length = HEAD.min(offset);
    let head = if u64::from(known.0) == length { known.1 } else { hash(file, 0, length, bytes)? };
    Ok(Marks(u32::try_from(length).unwrap_or(0), head, foot_of(file, offset, bytes)?))
}

fn foot_of(file: &mut File, offset: u64, bytes: &mut u64) -> io::Result<u64> {
    hash(file, offset.saturating_sub(FOOT), FOOT.min(offset), bytes)
}

fn hash(file: &mut File, at: u64, length: u64, bytes: &mut u64) -> io::Result<u64> {
    let mut text = Vec::new();
    file.seek(SeekFrom::Start(at))?;
    *bytes += file.take(length).read_to_end(&mut text)? as u64;
    Ok(fnv(&text))
}
