//! Who stands for callers that are no process. A page has no PATH and no home: it means those of the person who sits before it.

use std::sync::{Arc, Mutex, PoisonError};

use crate::wire::envelope::{CALLER_VARS, Caller};

/// Set inside a profile, whose PATH and places are not the person's.
const INSIDE: &str = "CLOWN_REAL_HOME";

/// The variables of the latest client on the socket; before the first, those the daemon was started with.
pub(super) struct Latest(Mutex<Arc<Caller>>);

impl Latest {
    pub fn of_this_process() -> Self {
        let env = CALLER_VARS.iter().filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?))).collect();
        Self(Mutex::new(Arc::new(Caller { pid: 0, cwd: String::new(), env })))
    }

    pub fn note(&self, caller: &Caller) {
        if caller.pid == 0 || !caller.env.contains_key("PATH") || caller.env.contains_key(INSIDE) {
            return;
        }
        let mut latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if latest.env != caller.env {
            *latest = Arc::new(Caller { pid: 0, cwd: String::new(), env: caller.env.clone() });
        }
    }

    pub fn get(&self) -> Arc<Caller> {
        Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
