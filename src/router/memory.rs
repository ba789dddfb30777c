//! Answers of calls that must run once.

use std::{
    collections::HashMap,
    sync::{Condvar, Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::failed;
use crate::{base::error::Error, wire::envelope::Response};

/// How long a request id is remembered.
const REMEMBER: Duration = Duration::from_secs(15 * 60);
const REMEMBER_AT_MOST: usize = 4096;

/// By request id.
#[derive(Default)]
pub(super) struct Memory {
    /// Guards the map.
    known: Mutex<HashMap<String, Known>>,
    done: Condvar,
}

struct Known {
    at: Instant,
    asked: blake3::Hash,
    /// Absent while it is being worked on.
    response: Option<Response>,
}

impl Memory {
    pub fn once(&self, id: &str, asked: blake3::Hash, run: impl FnOnce() -> Response) -> Response {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match known.get(id) {
                Some(entry) if entry.asked != asked => {
                    return failed(
                        Error::conflict(format!("the request id {id:?} was used for another request"))
                            .hint("make a new id for each request"),
                    );
                }
                Some(Known { response: Some(response), .. }) => return response.clone(),
                // A resend while the first is at work waits for the same answer.
                Some(_) => known = self.done.wait(known).unwrap_or_else(PoisonError::into_inner),
                None => break,
            }
        }
        known.retain(|_, entry| entry.response.is_none() || entry.at.elapsed() < REMEMBER);
        if known.len() >= REMEMBER_AT_MOST
            && let Some(oldest) = known.iter().filter(|(_, e)| e.response.is_some()).min_by_key(|(_, e)| e.at).map(|(id, _)| id.clone())
        {
            known.remove(&oldest);
        }
        known.insert(id.to_owned(), Known { at: Instant::now(), asked, response: None });
        drop(known);
        let response = run();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(id.to_owned(), Known { at: Instant::now(), asked, response: Some(response.clone()) });
        self.done.notify_all();
        response
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::{
        router::VERSION,
        wire::{envelope::Outcome, error::Code},
    };

    #[test]
    fn a_request_id_runs_once_and_serves_one_request() {
        let memory = Memory::default();
        let runs = AtomicUsize::new(0);
        let run = |id: &str, asked: &[u8]| {
            memory.once(id, blake3::hash(asked), || {
                let n = runs.fetch_add(1, Ordering::SeqCst);
                Response::new(VERSION, Outcome::Reply(n.into()))
            })
        };
        let reply = |response: Response| match response.outcome {
            Outcome::Reply(value) => Ok(value),
            Outcome::Error(failure) => Err(failure.code),
        };
        std::thread::scope(|scope| {
            let same: Vec<_> = (0..8).map(|_| scope.spawn(|| reply(run("a", b"x")))).collect();
            assert!(same.into_iter().all(|t| t.join().unwrap() == Ok(0.into())));
        });
        assert_eq!(reply(run("a", b"y")), Err(Code::Conflict));
        assert_eq!(reply(run("b", b"x")), Ok(1.into()));
        assert_eq!(runs.load(Ordering::SeqCst), 2);
    }
}
