//! The child process: limits first, then one script from stdin, one verdict on stdout.

use std::io::Read;

use serde::{Deserialize, Serialize};

use super::engine::{Verdict, evaluate};
use crate::{base::os, wire::scripts::Context};

/// Hidden subcommand of the child.
pub const CHILD_COMMAND: &str = "__script";

/// Address space of the child. The program itself maps some of it.
const MEMORY: u64 = 256 << 20;
const CPU_SECONDS: u64 = 2;
/// Larger questions are none of ours.
const MAX_QUESTION: u64 = 1 << 20;

#[derive(Serialize, Deserialize)]
pub(crate) struct Question {
    pub source: String,
    pub context: Context,
    /// Read it, and do not run it.
    #[serde(default)]
    pub only_compile: bool,
}

/// The child's whole life; the caller prints the bytes and exits.
pub fn child() -> Vec<u8> {
    let limits = os::limit_resources(MEMORY, CPU_SECONDS);
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().take(MAX_QUESTION).read_to_end(&mut bytes);
    let failed = |message: String| Verdict::Failed { line: None, column: None, message };
    let verdict = match (limits, read.map(|_| serde_json::from_slice::<Question>(&bytes))) {
        (Err(e), _) => failed(format!("the script cannot be confined: {e}")),
        (_, Err(e)) => failed(format!("the script cannot be read: {e}")),
        (_, Ok(Err(e))) => failed(format!("the script cannot be read: {e}")),
        (Ok(()), Ok(Ok(question))) => {
            // A panic's own text would go to stderr, which belongs to the daemon's log.
            std::panic::set_hook(Box::new(|_| {}));
            evaluate(&question.source, &question.context, question.only_compile)
        }
    };
    serde_json::to_vec(&verdict).unwrap_or_default()
}
