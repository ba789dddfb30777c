//! How a task ends and how it speaks: steps and errors go to stderr, so that a test runner's summary stays the last
//! thing printed.

use std::fmt;
use std::process::ExitCode;
use std::time::Instant;

pub(crate) type Outcome = Result<(), Failure>;

/// Why a task stopped and what to do about it.
#[derive(Debug)]
pub(crate) struct Failure {
    what: String,
    hint: Option<String>,
    code: u8,
}

impl Failure {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), hint: None, code: 1 }
    }

    pub(crate) fn usage(what: impl Into<String>) -> Self {
        Self { what: what.into(), hint: Some("list tasks and options: cargo xtask --help".into()), code: 2 }
    }

    /// The program that failed has said everything; add nothing after its last line.
    pub(crate) fn silent() -> Self {
        Self::new("")
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

pub(crate) fn exit_code(outcome: Outcome) -> ExitCode {
    let Err(failure) = outcome else {
        return ExitCode::SUCCESS;
    };
    if !failure.what.is_empty() {
        eprintln!("error: {}", failure.what);
    }
    if let Some(hint) = failure.hint {
        eprintln!("  hint: {hint}");
    }
    ExitCode::from(failure.code)
}

/// Announces a step, runs it, says how long it took.
pub(crate) fn step<T>(name: &str, work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    eprintln!("==> {name}");
    let start = Instant::now();
    let done = work()?;
    eprintln!("    {name}: {:.1} s", start.elapsed().as_secs_f64());
    Ok(done)
}
