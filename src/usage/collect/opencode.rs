//! OpenCode: `opencode.db` (SQLite), and before that one JSON file for each message. The same message may be in both.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::agent::{Collector, Home, Shape, above, ends, stem, within};
use super::json::Walk;
use super::sink::{Seen, Sink};
use super::state::State;
use super::tokens::Counters;
use crate::usage::record::{Bill, Record};

pub(crate) struct OpenCode;

const NEW: &str = "SELECT m.id, m.session_id, m.time_updated, CAST(m.data AS BLOB), s.parent_id
    FROM message m LEFT JOIN session s ON s.id = m.session_id WHERE m.time_updated >= ?1";

impl Collector for OpenCode {
    fn word(&self) -> &'static str {
        "opencode"
    }

    fn roots(&self, home: &Home<'_>) -> Vec<PathBuf> {
        let named = home.listed("OPENCODE_DATA_DIR");
        let bases = if named.is_empty() { vec![home.data().join("opencode")] } else { named };
        bases.iter().flat_map(|base| databases(base).chain([base.join("storage/message")])).collect()
    }

    fn shape(&self, path: &Path) -> Option<Shape> {
        let name = path.file_name()?.to_str()?;
        match () {
            () if name.starts_with("opencode") && ends(path, ".db") => Some(Shape::Database),
            () if ends(path, ".json") && within(path, "storage") && within(path, "message") => Some(Shape::Document),
            () => None,
        }
    }

    fn begin(&self, path: &Path) -> State {
        State { session: above(path, 1), model: stem(path), ..State::default() }
    }

    fn line(&self, line: &[u8], state: &mut State, sink: &mut dyn Sink) {
        message(line, &state.model, &state.session, None, sink);
    }

    fn database(&self, db: &rusqlite::Connection, state: &mut State, sink: &mut dyn Sink) -> rusqlite::Result<()> {
        let mut query = db.prepare(NEW)?;
        // Changes of one millisecond may come in two: the last one's are read again, which changes nothing.
        let mut rows = query.query([state.watermark])?;
        let mut newest = state.watermark;
        while let Some(row) = rows.next()? {
            let text = |at: usize| row.get_ref(at).ok().and_then(|value| value.as_str().ok());
            let data = row.get_ref(3)?.as_bytes_or_null()?.unwrap_or_default();
            message(data, text(0).unwrap_or_default(), text(1).unwrap_or_default(), text(4), sink);
            newest = newest.max(row.get(2)?);
        }
        state.watermark = newest;
        Ok(())
    }
}

/// `opencode.db`, and one for each other channel. The directory has much else below it that nobody should walk through.
fn databases(base: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = std::fs::read_dir(base).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| ends(path, ".db"))
}

#[derive(Default)]
struct Told<'a> {
    id: Option<Cow<'a, str>>,
    session: Option<Cow<'a, str>>,
    provider: Option<Cow<'a, str>>,
    model: Option<Cow<'a, str>>,
    cwd: Option<Cow<'a, str>>,
    created: i64,
    cost: Option<f64>,
    counters: Option<Counters>,
    is_answer: bool,
}

fn message(data: &[u8], id: &str, session: &str, parent: Option<&str>, sink: &mut dyn Sink) {
    let mut told = Told::default();
    Walk::new(data).object(|key, value| {
        match key {
            b"role" => told.is_answer = value.raw() == Some(b"assistant"),
            b"id" => told.id = value.text(),
            b"sessionID" => told.session = value.text(),
            b"providerID" => told.provider = value.text(),
            b"modelID" => told.model = value.text(),
            b"cost" => told.cost = value.number(),
            b"tokens" => told.counters = tokens(value),
            b"path" => inside(value, b"cwd", |value| told.cwd = value.text()),
            b"time" => inside(value, b"created", |value| told.created = value.count().and_then(|ms| i64::try_from(ms).ok()).unwrap_or(0)),
            _ => {}
        }
        true
    });
    let (true, Some(counters)) = (told.is_answer, told.counters.filter(|counters| !counters.is_nothing())) else { return };
    sink.request(Seen {
        record: Record {
            key: told.id.unwrap_or(Cow::Borrowed(id)),
            session: told.session.unwrap_or(Cow::Borrowed(session)),
            parent_session: parent.map(Cow::Borrowed),
            project: told.cwd,
            provider: told.provider,
            model: told.model.unwrap_or_default(),
            bill: Bill { tokens: counters.with_reasoning().disjoint(), ts_ms: told.created, ..Bill::default() },
            // 0 is a price OpenCode does not know.
            source_cost: told.cost.filter(|cost| *cost > 0.0),
            ..Record::default()
        },
        ..Seen::default()
    });
}

fn tokens(walk: &mut Walk<'_>) -> Option<Counters> {
    let mut cache = Counters::default();
    let counters = Counters::read(&mut walk.clone(), &[b"input", b"output", b"reasoning", b"", b""])?;
    inside(walk, b"cache", |value| cache = Counters::read(value, &[b"", b"", b"", b"read", b"write"]).unwrap_or_default());
    Some(Counters { read: cache.read, write: cache.write, ..counters })
}

fn inside<'a>(walk: &mut Walk<'a>, name: &[u8], mut visit: impl FnMut(&mut Walk<'a>)) {
    walk.object(|key, value| {
        if key == name {
            visit(value);
        }
        true
    });
}
