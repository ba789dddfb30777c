//! Questions on a terminal. Without one, nothing is asked.

use std::io::{self, BufRead, IsTerminal, Write};

use crate::base::error::{Error, Result};

/// Whether somebody is there to answer.
pub(super) fn possible() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

fn ended(e: io::Error) -> Error {
    Error::invalid("the answer was not read").cause(e)
}

/// A line of text; `default` when it is left empty.
pub(super) fn ask(question: &str, default: Option<&str>) -> Result<String> {
    let shown = default.map(|d| format!(" [{d}]")).unwrap_or_default();
    loop {
        eprint_now(&format!("{question}{shown}: "));
        let mut line = String::new();
        if io::stdin().lock().read_line(&mut line).map_err(ended)? == 0 {
            return Err(Error::invalid("cancelled: end of input"));
        }
        let line = line.trim();
        match (line, default) {
            ("", Some(default)) => return Ok(default.to_owned()),
            ("", None) => {}
            (text, _) => return Ok(text.to_owned()),
        }
    }
}

/// A text that `parse` accepts; says why when it does not, and asks again.
pub(super) fn ask_for<T, E: std::fmt::Display>(question: &str, parse: impl Fn(&str) -> Result<T, E>) -> Result<T> {
    loop {
        match parse(&ask(question, None)?) {
            Ok(value) => return Ok(value),
            Err(why) => tell(&super::output::printable(&why.to_string())),
        }
    }
}

/// A line that needs no answer.
pub(super) fn tell(line: &str) {
    eprint_now(&format!("{line}\n"));
}

/// One of some names, each with a word about it, by number or by name.
pub(super) fn choose(question: &str, choices: &[(String, String)]) -> Result<String> {
    let width = choices.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    for (number, (name, about)) in choices.iter().enumerate() {
        eprint_now(&format!("  {:>2}  {name:width$}  {}\n", number + 1, super::output::printable(about)));
    }
    loop {
        let answer = ask(question, choices.first().map(|(name, _)| name.as_str()))?;
        let by_number = answer.parse::<usize>().ok().and_then(|n| choices.get(n.wrapping_sub(1)));
        if let Some((name, _)) = by_number.or_else(|| choices.iter().find(|(name, _)| *name == answer)) {
            return Ok(name.clone());
        }
        tell("Give a number or a name from the list.");
    }
}

/// Yes or no; anything but yes is no.
pub(super) fn confirm(question: &str) -> Result<bool> {
    Ok(matches!(ask(&format!("{question} (yes/no)"), Some("no"))?.to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// A key, without echo.
pub(super) fn key(question: &str) -> Result<String> {
    eprint_now(&format!("{question}: "));
    let key = rpassword::read_password().map_err(ended)?;
    Ok(key.trim().to_owned())
}

fn eprint_now(text: &str) {
    let mut err = io::stderr().lock();
    let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
}
