//! What a command prints, in both forms.

use std::io::{self, IsTerminal, Write};

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::{base::error::Error, wire::error::Failure};

/// How this invocation talks.
#[derive(Clone, Copy)]
pub(super) struct Output {
    pub json: bool,
    pub quiet: bool,
}

impl Output {
    /// Data: the document in JSON, else the text that `text` makes.
    pub fn data<T: Serialize>(self, value: &T, text: impl FnOnce() -> String) {
        let text = if self.json { serde_json::to_string_pretty(value).unwrap_or_default() + "\n" } else { text() };
        write_stdout(&text);
    }

    /// A sentence for people, on stderr.
    pub fn say(self, line: &str) {
        if !self.quiet && !self.json {
            let _ = writeln!(io::stderr(), "{line}");
        }
    }

    pub fn warn(self, line: &str) {
        if !self.json {
            let _ = writeln!(io::stderr(), "{} {line}", paint("warning:", AnsiColor::Yellow, io::stderr().is_terminal()));
        }
    }

    /// What is wrong and the next step, where the answer itself is data.
    pub fn error(self, line: &str, hint: Option<&str>) {
        if !self.json {
            self.fail(hint.into_iter().fold(Error::io(line), |error, hint| error.hint(hint)));
        }
    }

    /// Renders a failure and gives the exit code for it.
    pub fn fail(self, error: Error) -> i32 {
        let failure: Failure = error.into();
        if self.json {
            #[derive(Serialize)]
            struct Document<'a> {
                error: &'a Failure,
            }
            write_stdout(&(serde_json::to_string_pretty(&Document { error: &failure }).unwrap_or_default() + "\n"));
        } else {
            let color = io::stderr().is_terminal();
            let mut text = format!("{} {}\n", paint("error:", AnsiColor::Red, color), printable(&failure.message));
            for hint in &failure.hints {
                text += &format!("{} {}\n", paint("hint:", AnsiColor::Cyan, color), printable(hint));
            }
            let _ = io::stderr().write_all(text.as_bytes());
        }
        failure.exit_code()
    }
}

/// A reader that went away is no failure.
pub(super) fn write_stdout(text: &str) {
    let mut out = io::stdout().lock();
    if let Err(error) = out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        std::process::exit(i32::from(error.kind() != io::ErrorKind::BrokenPipe));
    }
}

/// Names and messages may come from files of strangers: no control character reaches the terminal.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}

pub(super) fn paint(text: &str, color: AnsiColor, terminal: bool) -> String {
    let wanted =
        terminal && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()) && std::env::var_os("TERM").is_none_or(|t| t != "dumb");
    if !wanted {
        return text.to_owned();
    }
    let style = Style::new().fg_color(Some(color.into())).bold();
    format!("{style}{text}{style:#}")
}

/// The beginning of a hash: enough to tell two apart by eye.
pub(super) fn short(hash: &str) -> String {
    hash.get(..12).unwrap_or(hash).to_owned()
}

/// "3 min ago" for an RFC 3339 time; the text itself when it is none.
pub(super) fn ago(time: &str) -> String {
    let (Ok(then), Some(now)) = (time.parse::<jiff::Timestamp>(), now()) else { return printable(time) };
    let seconds = now.as_second() - then.as_second();
    match seconds {
        ..5 => "just now".to_owned(),
        5..60 => format!("{seconds} s ago"),
        60..3600 => format!("{} min ago", seconds / 60),
        3600..86_400 => format!("{} h ago", seconds / 3600),
        _ => format!("{} d ago", seconds / 86_400),
    }
}

fn now() -> Option<jiff::Timestamp> {
    jiff::Timestamp::try_from(std::time::SystemTime::now()).ok()
}
