//! The records, folded in memory from the file.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use crate::{
    base::{
        error::{Error, Result},
        fsx,
    },
    wire::{
        runs::Exit,
        sessions::{List, Session, Sessions as Listed, State},
    },
};

const MAX_PAGE: usize = 500;

/// Work that nobody waits for.
pub type Later = Box<dyn Fn(Box<dyn FnOnce() + Send>) + Send + Sync>;

pub struct Sessions {
    path: PathBuf,
    /// Syncs to disk: a run must not wait for them.
    later: Later,
    /// Records by id, and the number of unreadable lines; loaded at first use. The lock also makes
    /// a change of state and its line in the file one step.
    state: Mutex<Option<Folded>>,
}

#[derive(Default)]
struct Folded {
    records: BTreeMap<String, Session>,
    bad_lines: usize,
}

impl Sessions {
    pub fn new(path: PathBuf, later: Later) -> Self {
        Self { path, later, state: Mutex::new(None) }
    }

    fn with<T>(&self, use_it: impl FnOnce(&mut Folded) -> Result<T>) -> Result<T> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.is_none() {
            *state = Some(fold(&fsx::read_optional(&self.path)?.unwrap_or_default()));
        }
        use_it(state.get_or_insert_default())
    }

    fn write(&self, folded: &mut Folded, session: Session) -> Result<()> {
        let line = serde_json::to_string(&session).map_err(|e| Error::io("cannot encode a session record").cause(e))?;
        let file = fsx::append_line(&self.path, &line)?;
        (self.later)(Box::new(move || {
            if let Err(error) = file.sync_data() {
                tracing::error!(%error, "the session records may not survive a power cut");
            }
        }));
        folded.records.insert(session.id.clone(), session);
        Ok(())
    }

    pub fn open(&self, session: Session) -> Result<()> {
        self.with(|folded| self.write(folded, session))
    }

    /// Changes a live record. `Ok(None)` when it is closed already; closing twice is no error.
    pub fn update(&self, id: &str, change: impl FnOnce(&mut Session)) -> Result<Option<Session>> {
        self.with(|folded| {
            let Some(found) = folded.records.get(id) else { return Err(unknown(id)) };
            if !found.state.live() {
                return Ok(None);
            }
            let mut session = found.clone();
            change(&mut session);
            self.write(folded, session.clone())?;
            Ok(Some(session))
        })
    }

    /// Closes a record. `Exit::Unknown` makes it lost; who saw the end may still tell it then, which
    /// happens when the daemon was away. `Ok(None)` when nothing changed.
    pub fn close(&self, id: &str, exit: Exit, now: String) -> Result<Option<Session>> {
        self.with(|folded| {
            let Some(found) = folded.records.get(id) else { return Err(unknown(id)) };
            let told_late = found.state == State::Lost && exit != Exit::Unknown;
            if !found.state.live() && !told_late {
                return Ok(None);
            }
            let mut session = found.clone();
            session.state = if exit == Exit::Unknown { State::Lost } else { State::Ended };
            session.exit = Some(exit);
            session.ended.get_or_insert(now);
            self.write(folded, session.clone())?;
            Ok(Some(session))
        })
    }

    /// Adds to a record, also to a closed one.
    pub fn amend(&self, id: &str, change: impl FnOnce(&mut Session)) -> Result<()> {
        self.with(|folded| {
            let Some(found) = folded.records.get(id) else { return Err(unknown(id)) };
            let mut session = found.clone();
            change(&mut session);
            if session == *found { Ok(()) } else { self.write(folded, session) }
        })
    }

    pub fn live(&self) -> Result<Vec<Session>> {
        self.with(|folded| Ok(folded.records.values().filter(|s| s.state.live()).cloned().collect()))
    }

    /// All there ever were.
    pub fn count(&self) -> Result<usize> {
        self.with(|folded| Ok(folded.records.len()))
    }

    pub fn list(&self, ask: &List) -> Result<Listed> {
        self.with(|folded| {
            let wanted = |s: &&Session| {
                ask.profile.as_ref().is_none_or(|p| *p == s.profile)
                    && (!ask.live || s.state.live())
                    && ask.before.as_ref().is_none_or(|b| s.id < *b)
            };
            let sessions = folded.records.values().rev().filter(wanted).take(ask.limit.clamp(1, MAX_PAGE)).cloned().collect();
            Ok(Listed { sessions, bad_lines: folded.bad_lines })
        })
    }

    /// By id or by the beginning of one.
    pub fn get(&self, id: &str) -> Result<Session> {
        self.with(|folded| {
            let mut hits = folded.records.range(id.to_owned()..).map(|(_, s)| s).take_while(|s| s.id.starts_with(id));
            match (hits.next(), hits.next()) {
                (Some(one), None) => Ok(one.clone()),
                (Some(one), Some(_)) if one.id == id => Ok(one.clone()),
                (Some(_), Some(_)) => Err(Error::invalid(format!("more than one session id begins with {id:?}")).hint("give more of it")),
                (None, _) => Err(unknown(id)),
            }
        })
    }
}

fn unknown(id: &str) -> Error {
    Error::not_found(format!("session {id:?} not found")).hint("list sessions: clown sessions list")
}

fn fold(bytes: &[u8]) -> Folded {
    let mut folded = Folded::default();
    for line in bytes.split(|b| *b == b'\n').filter(|l| !l.is_empty()) {
        match serde_json::from_slice::<Session>(line) {
            Ok(session) => {
                folded.records.insert(session.id.clone(), session);
            }
            Err(_) => folded.bad_lines += 1,
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn session(id: &str) -> Session {
        serde_json::from_value(serde_json::json!({
            "version": 1, "id": id, "state": "starting", "profile": "p", "agent": "a", "provider": "o",
            "cwd": "/", "started": "2026-01-01T00:00:00.000Z", "from_the_future": 7
        }))
        .unwrap()
    }

    #[test]
    fn records_survive_a_restart_a_torn_line_and_keep_unknown_fields() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sessions.jsonl");
        let store = Sessions::new(path.clone(), Box::new(|job| job()));
        store.open(session("s1")).unwrap();
        store.open(session("s2")).unwrap();
        store.close("s1", Exit::Code(3), "t".into()).unwrap().unwrap();
        std::io::Write::write_all(&mut std::fs::OpenOptions::new().append(true).open(&path).unwrap(), b"{\"id\":\"s2\",\"sta").unwrap();

        let store = Sessions::new(path, Box::new(|job| job()));
        let one = store.get("s1").unwrap();
        assert_eq!((one.state, one.exit), (State::Ended, Some(Exit::Code(3))));
        assert_eq!(one.rest["from_the_future"], 7);
        assert_eq!(store.live().unwrap().len(), 1);
        store.close("s2", Exit::Unknown, "t".into()).unwrap();
        let listed = store.list(&List { limit: 10, ..List::default() }).unwrap();
        assert_eq!((listed.sessions.len(), listed.bad_lines), (2, 1));
        assert_eq!(listed.sessions[0].state, State::Lost);
    }

    const GOLDEN: &str = include_str!("../../tests/golden/session-v1.jsonl");

    /// Starting, running, ended, and once more with what it used, which was not there in the first builds.
    #[test]
    fn the_golden_lines_of_version_1_still_read_and_are_written_the_same() {
        let sessions: Vec<Session> = GOLDEN.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let again: Vec<String> = sessions.iter().map(|session| serde_json::to_string(session).unwrap()).collect();
        assert_eq!(again, GOLDEN.lines().collect::<Vec<_>>());
        let told: Vec<_> = sessions.iter().map(|session| (session.state, session.usage.is_some(), session.rest.len())).collect();
        assert_eq!(told, [(State::Starting, false, 0), (State::Running, false, 0), (State::Ended, false, 0), (State::Ended, true, 0)]);
        let folded = fold(GOLDEN.as_bytes());
        assert_eq!((folded.records.len(), folded.bad_lines), (1, 0));
        let used = folded.records.into_values().next().unwrap().usage.unwrap();
        assert_eq!((used.figures.requests, used.models.len(), used.difference_usd), (1, 1, Some(0.0)));
        // What was written before there was that line.
        let before = GOLDEN.lines().take(3).collect::<Vec<_>>().join("\n");
        assert_eq!(fold(before.as_bytes()).records.into_values().next().unwrap().usage, None);
    }

    /// The record as builds before the fourth line knew it.
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Older {
        id: String,
        state: State,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        exit: Option<Exit>,
        #[serde(flatten)]
        rest: serde_json::Map<String, serde_json::Value>,
    }

    #[test]
    fn an_older_reader_keeps_what_a_run_used_and_a_newer_one_reads_it_from_there() {
        let last = GOLDEN.lines().last().unwrap();
        let older: Older = serde_json::from_str(last).unwrap();
        assert_eq!((older.state, older.exit), (State::Ended, Some(Exit::Code(0))));
        let rewritten = serde_json::to_string(&older).unwrap();
        let (now, then): (Session, Session) = (serde_json::from_str(&rewritten).unwrap(), serde_json::from_str(last).unwrap());
        assert_eq!(now, then);
    }

    #[test]
    fn closing_twice_keeps_the_first_exit() {
        let dir = tempfile::tempdir().unwrap();
        let store = Sessions::new(dir.path().join("s.jsonl"), Box::new(|job| job()));
        store.open(session("s1")).unwrap();
        store.close("s1", Exit::Code(0), "t".into()).unwrap();
        assert!(store.close("s1", Exit::Unknown, "u".into()).unwrap().is_none());
        assert_eq!(store.get("s").unwrap().exit, Some(Exit::Code(0)));
        store.open(session("t1")).unwrap();
        store.close("t1", Exit::Unknown, "t".into()).unwrap();
        store.close("t1", Exit::Code(4), "u".into()).unwrap();
        let late = store.get("t1").unwrap();
        assert_eq!((late.state, late.exit, late.ended.as_deref()), (State::Ended, Some(Exit::Code(4)), Some("t")));
        assert!(store.close("nope", Exit::Unknown, "u".into()).is_err());
    }
}
