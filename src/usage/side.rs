//! Requests that only a profile's proxy saw: titles, summaries, whatever an agent asks and does not write down.
//!
//! The proxy's log has every request, the agent's most of them. `pair` finds out which are the same: by the reply's name where the
//! agent wrote it down, else by what was counted and when. What both know counts once, with the model and the seller that the proxy
//! chose; what the proxy alone knows is added. Where an agent's log tells of something else than the proxy's during a run, the two
//! cannot be brought together and nothing of that run is added.

mod pair;

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap, HashSet},
    fs::{File, Metadata},
    hash::BuildHasher,
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    time::SystemTime,
};

use pair::Pairs;
use serde::Deserialize;

use super::{
    record::{Bill, Geo, Record, ServiceTier, Speed, Tokens},
    row::{Changes, Numbered, Row, Rows},
};
use crate::{
    base::error::{Error, Result},
    wire::usage::{Collector, Skipped},
};

/// A proxy's log and the profile it is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    pub file: PathBuf,
    pub profile: String,
    /// The manifest's word, as for collectors.
    pub agent: String,
}

/// Equal for equal keys within one life of the process, which is all that is asked of it.
type Marker = std::hash::BuildHasherDefault<std::hash::DefaultHasher>;

/// Of lines. A later one may mean other things by the same names.
const VERSION: u32 = 1;

/// A line of it; `proxy/engine/meter.rs` writes them.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Line {
    v: u32,
    id: String,
    session: String,
    at: i64,
    target: String,
    upstream_model: String,
    input: u64,
    cache_read: u64,
    cache_write: u64,
    output: u64,
    reasoning: u64,
    outcome: String,
    total_ms: f64,
    usage: Option<Usage>,
    reply: Option<String>,
}

/// What of an upstream's own words changes a price.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Usage {
    cache_creation: Option<Writes>,
    service_tier: Option<String>,
    speed: Option<String>,
    inference_geo: Option<String>,
    server_tool_use: Option<Tools>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Writes {
    ephemeral_5m_input_tokens: Option<u64>,
    ephemeral_1h_input_tokens: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Tools {
    web_search_requests: Option<u32>,
}

/// Size and time of change; none of a file that is not there.
type Mark = Option<(u64, SystemTime)>;

/// What a proxy's logs told, read only where they grew.
#[derive(Default)]
pub struct Sides {
    logs: HashMap<PathBuf, Told>,
    wanted: Vec<Log>,
    /// Profiles and who serves them.
    sellers: BTreeMap<String, String>,
}

/// How clown's set-up calls a profile's provider in Codex's and OpenCode's own settings, and so they in their logs.
pub(crate) const OURS: &str = "clown";

/// What one file told.
#[derive(Default)]
struct Told {
    mark: Mark,
    /// Device and inode, where there are such.
    place: Option<(u64, u64)>,
    /// Read up to here, which is after a line's end.
    offset: u64,
    sides: Vec<Side>,
    lines: u64,
    skipped: Skipped,
}

/// A request of one line. Its session is the run of clown's it came from.
struct Side {
    record: Record<'static>,
    reply: Option<String>,
    /// When its answer ended; it began at the record's time.
    end_ms: i64,
}

impl Sides {
    /// Says whether anything changed.
    pub fn read(&mut self, logs: &[Log]) -> Result<bool> {
        let mut changed = self.wanted != logs;
        logs.clone_into(&mut self.wanted);
        for log in logs {
            for file in [older(&log.file), log.file.clone()] {
                let known = self.logs.entry(file.clone()).or_default();
                changed |= known.look(&file)?;
            }
        }
        let files: HashSet<PathBuf> = logs.iter().flat_map(|log| [older(&log.file), log.file.clone()]).collect();
        self.logs.retain(|file, _| files.contains(file));
        Ok(changed)
    }

    /// Whether this is one of the proxies' own logs.
    #[must_use]
    pub fn has(&self, file: &Path) -> bool {
        self.logs.contains_key(file)
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.logs.values().all(|file| file.sides.is_empty())
    }

    /// From now on: profiles and their providers, for requests whose agent does not tell who served it.
    pub fn sold_by(&mut self, sellers: &BTreeMap<String, String>) {
        self.sellers.clone_from(sellers);
    }

    /// Both, each request once. The proxies' rows come last.
    pub fn beside<'a>(&'a self, rows: &'a dyn Numbered) -> Together<'a> {
        let logs: Vec<_> = if self.is_empty() { Vec::new() } else { self.wanted.iter().map(|log| (log, self.of(log))).collect() };
        let pairs = if logs.is_empty() { Pairs::default() } else { Pairs::of(rows, &logs) };
        Together { sides: self, rows, pairs }
    }
}

fn older(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".1");
    name.into()
}

impl Told {
    /// Says whether it is another file than before, or has grown.
    fn look(&mut self, file: &Path) -> Result<bool> {
        let meta = std::fs::metadata(file).ok();
        let mark = meta.as_ref().and_then(|meta| Some((meta.len(), meta.modified().ok()?)));
        let place = meta.as_ref().and_then(place);
        if (self.mark, self.place) == (mark, place) {
            return Ok(false);
        }
        // The proxy only appends, and begins another file when one is long.
        let grown = place.is_some() && place == self.place && mark.is_some_and(|(length, _)| length >= self.offset);
        if !grown {
            *self = Self::default();
        }
        if mark.is_some() {
            self.read(file).map_err(Error::reading(file))?;
        }
        (self.mark, self.place) = (mark, place);
        Ok(true)
    }

    fn read(&mut self, file: &Path) -> std::io::Result<()> {
        let mut file = File::open(file)?;
        file.seek(SeekFrom::Start(self.offset))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        // Behind the last line's end is what is being written: left for the next look.
        let whole = memchr::memrchr(b'\n', &bytes).map_or(0, |end| end + 1);
        for line in bytes.get(..whole).unwrap_or_default().split_inclusive(|byte| *byte == b'\n').map(<[u8]>::trim_ascii) {
            self.lines += 1;
            match serde_json::from_slice::<Line>(line) {
                Ok(line) if line.v > VERSION => self.skipped.unknown_version += 1,
                Ok(line) => self.sides.extend(side(line)),
                Err(_) if line.is_empty() => {}
                Err(_) if std::str::from_utf8(line).is_err() => self.skipped.not_text += 1,
                Err(_) if line.starts_with(b"{") != line.ends_with(b"}") => self.skipped.half += 1,
                Err(_) => self.skipped.garbage += 1,
            }
        }
        self.offset += whole as u64;
        Ok(())
    }
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "not every system has them")]
fn place(meta: &Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    Some((meta.dev(), meta.ino()))
}

#[cfg(not(unix))]
fn place(_meta: &Metadata) -> Option<(u64, u64)> {
    None
}

fn side(line: Line) -> Option<Side> {
    let billed = line.input + line.cache_read + line.cache_write + line.output > 0;
    // An upstream that refused bills nothing.
    if !billed || line.outcome == "error" || line.id.is_empty() {
        return None;
    }
    let usage = line.usage.unwrap_or_default();
    let writes = usage.cache_creation.unwrap_or_default();
    let five = writes.ephemeral_5m_input_tokens.unwrap_or(0).min(line.cache_write);
    let hour = writes.ephemeral_1h_input_tokens.unwrap_or(0).min(line.cache_write - five);
    let tokens = Tokens {
        input: line.input,
        output: line.output,
        reasoning: line.reasoning,
        cache_read: line.cache_read,
        cache_write_5m: five,
        cache_write_1h: hour,
        cache_write_other: line.cache_write - five - hour,
        ..Tokens::default()
    };
    let word = |word: &Option<String>| word.clone().unwrap_or_default();
    let bill = Bill {
        tokens,
        web_searches: usage.server_tool_use.and_then(|tools| tools.web_search_requests).unwrap_or(0),
        tier: ServiceTier::of(&word(&usage.service_tier)),
        speed: Speed::of(&word(&usage.speed)),
        geo: Geo::of(&word(&usage.inference_geo)),
        ts_ms: line.at,
    };
    let provider = line.target.split_once('/').map(|(provider, _)| provider.to_owned());
    let record = Record {
        key: Cow::Owned(format!("proxy:{}", line.id)),
        session: Cow::Owned(line.session),
        provider: provider.map(Cow::Owned),
        model: Cow::Owned(line.upstream_model),
        bill,
        ..Record::default()
    };
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds of one answer")]
    let end_ms = line.at.saturating_add(line.total_ms.max(0.0) as i64);
    Some(Side { record, reply: line.reply, end_ms })
}

/// Rows of logs as the proxies know them better, and of proxies where logs have none.
pub struct Together<'a> {
    sides: &'a Sides,
    rows: &'a dyn Numbered,
    pairs: Pairs<'a>,
}

impl Together<'_> {
    /// Rows that a proxy's log tells of too, and a mark of which of its lines that is.
    pub fn amended(&self) -> HashMap<u32, u64> {
        self.pairs.rows().map(|(row, side)| (row, Marker::default().hash_one(&side.record.key))).collect()
    }

    /// What no agent's log tells of.
    pub fn alone(&self) -> Alone<'_> {
        Alone(self)
    }

    fn amend<'r>(&'r self, number: u32, row: Row<'r>) -> Row<'r> {
        let mut row = row;
        if row.record.provider.as_deref().is_none_or(|word| word == OURS) {
            let seller = row.profile.and_then(|profile| self.sides.sellers.get(profile));
            row.record.provider = seller.map(|seller| Cow::Borrowed(seller.as_str()));
        }
        if let Some(side) = self.pairs.of_row(number) {
            amend(&mut row.record, side);
        }
        row
    }
}

impl Numbered for Together<'_> {
    fn changes(&self) -> Changes {
        self.rows.changes()
    }

    fn each_numbered(&self, visit: &mut dyn FnMut(u32, Row<'_>)) {
        self.rows.each_numbered(&mut |number, row| visit(number, self.amend(number, row)));
    }

    fn some(&self, numbers: &[u32], visit: &mut dyn FnMut(u32, Row<'_>)) {
        self.rows.some(numbers, &mut |number, row| visit(number, self.amend(number, row)));
    }
}

impl Rows for Together<'_> {
    fn each(&self, visit: &mut dyn FnMut(Row<'_>)) {
        self.each_numbered(&mut |_, row| visit(row));
        self.alone().each(visit);
    }
}

/// Rows of proxies that logs do not have.
pub struct Alone<'a>(&'a Together<'a>);

impl Rows for Alone<'_> {
    fn each(&self, visit: &mut dyn FnMut(Row<'_>)) {
        for (log, side) in self.0.pairs.alone() {
            visit(Row {
                agent: &log.agent,
                profile: Some(&log.profile),
                file: log.file.to_str().unwrap_or_default(),
                record: side.record.clone(),
            });
        }
    }
}

impl Sides {
    /// What was found where.
    pub fn census(&self) -> Vec<Collector> {
        let of = |log: &Log| {
            let mut found = Collector {
                agent: "proxy".into(),
                profile: Some(log.profile.clone()),
                root: log.file.display().to_string(),
                ..Collector::default()
            };
            for file in
                [older(&log.file), log.file.clone()].iter().filter_map(|file| self.logs.get(file)).filter(|file| file.mark.is_some())
            {
                found.files += 1;
                found.lines += file.lines;
                let (all, more) = (&mut found.skipped, &file.skipped);
                all.garbage += more.garbage;
                all.half += more.half;
                all.not_text += more.not_text;
                all.unknown_version += more.unknown_version;
            }
            found
        };
        self.wanted.iter().map(of).filter(|found| found.files > 0).collect()
    }

    fn of(&self, log: &Log) -> Vec<&Side> {
        let files = [older(&log.file), log.file.clone()];
        files.iter().filter_map(|file| self.logs.get(file)).flat_map(|file| &file.sides).collect()
    }
}

/// What the proxy knows better: who served it, and what of the prompt was written to a cache where the agent's count has no place for
/// that.
fn amend(record: &mut Record<'_>, side: &Side) {
    let known = &side.record;
    if !known.model.is_empty() {
        record.model = Cow::Owned(known.model.to_string());
    }
    if known.provider.is_some() {
        record.provider.clone_from(&known.provider);
    }
    let (ours, theirs) = (&mut record.bill.tokens, &known.bill.tokens);
    if ours.cache_write() == 0 && (ours.prompt(), ours.output, ours.cache_read) == (theirs.prompt(), theirs.output, theirs.cache_read) {
        *ours = Tokens { reasoning: ours.reasoning, ..*theirs };
    }
}

#[cfg(test)]
mod tests;
