//! Requests that only a profile's proxy saw: titles, summaries, whatever an agent asks and does not write down.
//!
//! The proxy's log has every request, the agent's most of them, and both know a reply by its id. What the agent wrote down too is left
//! out here, so nothing counts twice. Where an agent's log does not name replies that cannot be told, so nothing is added at all.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    fs::{File, Metadata},
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    time::SystemTime,
};

use serde::Deserialize;

use super::{
    record::{Bill, Geo, Record, ServiceTier, Speed, Tokens},
    row::{Row, Rows},
};
use crate::base::error::{Error, Result};

/// Agents whose logs name replies, and how such a name begins.
const NAMING: &[(&str, &str)] = &[("claude", "msg_"), ("codex", "resp_")];

/// A proxy's log and the profile it is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    pub file: PathBuf,
    pub profile: String,
    /// The manifest's word, as for collectors.
    pub agent: String,
}

/// A line of it; `proxy/engine/meter.rs` writes them.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Line {
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
}

/// What one file told.
#[derive(Default)]
struct Told {
    mark: Mark,
    /// Device and inode, where there are such.
    place: Option<(u64, u64)>,
    /// Read up to here, which is after a line's end.
    offset: u64,
    sides: Vec<Side>,
}

/// A request of one line.
struct Side {
    record: Record<'static>,
    reply: Option<String>,
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
        self.logs.values().all(|told| told.sides.is_empty())
    }

    /// Both, each request once. The proxies' rows come last.
    pub fn beside<'a>(&'a self, rows: &'a dyn Rows) -> Together<'a> {
        Together { sides: self, rows, only_sides: false }
    }

    /// The proxies' rows that these are without.
    pub fn beyond<'a>(&'a self, rows: &'a dyn Rows) -> Together<'a> {
        Together { only_sides: true, ..self.beside(rows) }
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
        // A line that is being written is left for the next look; one that is none is left out.
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let lines = bytes.get(..whole).unwrap_or_default().split(|byte| *byte == b'\n');
        self.sides.extend(lines.filter_map(|line| serde_json::from_slice::<Line>(line).ok()).filter_map(side));
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
    Some(Side { record, reply: line.reply })
}

/// Rows of logs, and of proxies where logs have none.
pub struct Together<'a> {
    sides: &'a Sides,
    rows: &'a dyn Rows,
    only_sides: bool,
}

impl Rows for Together<'_> {
    fn each(&self, visit: &mut dyn FnMut(Row<'_>)) {
        if self.sides.is_empty() {
            if !self.only_sides {
                self.rows.each(visit);
            }
            return;
        }
        let profiles: HashSet<&str> = self.sides.wanted.iter().map(|log| log.profile.as_str()).collect();
        let mut named: HashSet<String> = HashSet::new();
        // Profiles with a request that names no reply.
        let mut unnamed: HashSet<String> = HashSet::new();
        self.rows.each(&mut |row| {
            if let Some(profile) = row.profile.filter(|profile| profiles.contains(profile)) {
                let key = row.record.key.as_ref();
                let begins = NAMING.iter().find(|(agent, _)| *agent == row.agent).map(|(_, begins)| *begins);
                if begins.is_some_and(|begins| key.starts_with(begins)) {
                    named.insert(key.to_owned());
                } else if !row.record.sub_request {
                    unnamed.insert(profile.to_owned());
                }
            }
            if !self.only_sides {
                visit(row);
            }
        });
        for log in &self.sides.wanted {
            if unnamed.contains(&log.profile) || !NAMING.iter().any(|(agent, _)| *agent == log.agent) {
                continue;
            }
            for file in [older(&log.file), log.file.clone()] {
                let sides = self.sides.logs.get(&file).map(|told| told.sides.as_slice()).unwrap_or_default();
                for side in sides.iter().filter(|side| !is_known(side, &named)) {
                    let text = file.to_str().unwrap_or_default();
                    visit(Row { agent: &log.agent, profile: Some(&log.profile), file: text, record: side.record.clone() });
                }
            }
        }
    }
}

/// A translated reply has the upstream's id behind a beginning of the client's own format.
fn is_known(side: &Side, named: &HashSet<String>) -> bool {
    let Some(reply) = &side.reply else { return false };
    let bare = ["resp_", "msg_"].iter().find_map(|begins| reply.strip_prefix(begins)).unwrap_or(reply);
    named.contains(reply)
        || ["msg_", "resp_"].iter().any(|begins| named.contains(&format!("{begins}{reply}")) || named.contains(&format!("{begins}{bare}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Known(Vec<(&'static str, &'static str)>);

    impl Rows for Known {
        fn each(&self, visit: &mut dyn FnMut(Row<'_>)) {
            for (agent, key) in &self.0 {
                visit(Row { agent, profile: Some("work"), file: "", record: Record { key: Cow::Borrowed(key), ..Record::default() } });
            }
        }
    }

    fn merged(agent: &str, known: &[(&'static str, &'static str)], lines: &str) -> Vec<String> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("usage.jsonl");
        std::fs::write(&file, lines).unwrap();
        let mut sides = Sides::default();
        let log = Log { file, profile: "work".into(), agent: agent.into() };
        assert!(sides.read(std::slice::from_ref(&log)).unwrap());
        assert!(!sides.read(&[log]).unwrap(), "nothing new");
        let mut keys = Vec::new();
        sides.beside(&Known(known.to_vec())).each(&mut |row| keys.push(row.record.key.to_string()));
        keys
    }

    fn line(id: &str, reply: &str) -> String {
        format!(
            r#"{{"v":1,"id":"{id}","session":"s","at":1,"target":"zai/glm","upstream_model":"glm","input":5,"output":1,"outcome":"ok","reply":"{reply}"}}"#
        ) + "\n"
    }

    #[test]
    fn what_the_agent_wrote_down_too_counts_once() {
        let lines = [line("1", "msg_a"), line("2", "chatcmpl-b"), line("3", "msg_title"), "{half".to_owned()].concat();
        let known = [("claude", "msg_a"), ("claude", "msg_chatcmpl-b")];
        assert_eq!(merged("claude", &known, &lines), ["msg_a", "msg_chatcmpl-b", "proxy:3"]);
        assert_eq!(merged("codex", &[("codex", "resp_x")], &line("1", "msg_x")), ["resp_x"], "translated for a Responses client");
    }

    #[test]
    fn an_agent_that_names_no_replies_is_not_added_to() {
        assert_eq!(merged("opencode", &[("opencode", "msg_own")], &line("1", "msg_a")), ["msg_own"]);
        assert_eq!(merged("codex", &[("codex", "0199:7")], &line("1", "resp_a")), ["0199:7"], "an older log of totals only");
    }

    #[test]
    fn errors_and_requests_without_tokens_are_no_use() {
        let refused = line("1", "msg_a").replace("\"ok\"", "\"error\"");
        let empty = line("2", "msg_b").replace(":5", ":0").replace("\"output\":1", "\"output\":0");
        assert_eq!(merged("claude", &[], &[refused, empty].concat()), [""; 0]);
    }

    #[test]
    fn a_log_that_grows_in_pieces_or_begins_anew_tells_what_a_whole_one_tells() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("usage.jsonl");
        let log = [Log { file: file.clone(), profile: "work".into(), agent: "claude".into() }];
        let mut sides = Sides::default();
        let mut keys = || {
            sides.read(&log).unwrap();
            let mut keys = Vec::new();
            sides.beyond(&Known(Vec::new())).each(&mut |row| keys.push(row.record.key.to_string()));
            keys
        };
        let mut so_far = String::new();
        for piece in [line("1", "msg_a").as_str(), &line("2", "msg_b")[..20], &line("2", "msg_b")[20..], "no line\n"] {
            so_far.push_str(piece);
            std::fs::write(&file, &so_far).unwrap();
            let whole = so_far.matches("outcome").count();
            assert_eq!(keys().len(), whole);
        }
        std::fs::rename(&file, older(&file)).unwrap();
        std::fs::write(&file, line("3", "msg_c")).unwrap();
        assert_eq!(keys(), ["proxy:1", "proxy:2", "proxy:3"]);
        std::fs::remove_file(&file).unwrap();
        assert_eq!(keys(), ["proxy:1", "proxy:2"]);
    }
}
