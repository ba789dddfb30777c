//! One answer to a shell: a line for each word, with its help behind a tab.
//!
//! `:files` and `:dirs` alone on a line ask the shell for names of files. Never starts a daemon,
//! never says what went wrong: a prompt is no place for it.

use std::{sync::mpsc, time::Duration};

use argh::ArgsInfo;

use super::line::{Files, Wanted, wanted};
use crate::{
    base::paths::Paths,
    cli::{
        args::Top,
        output::{printable, write_stdout},
    },
    ipc::client::Client,
    wire::complete::{Ask, Kind, Word},
};

/// A daemon answers in a few milliseconds. Whoever pressed the key does not wait longer than this.
const PATIENCE: Duration = Duration::from_millis(200);
/// Tests wait longer, on machines that do much at once. In milliseconds.
const PATIENCE_VAR: &str = "CLOWN_TEST_PATIENCE";
/// The first word of a shell that cannot pass on an empty word: the last one is a new one.
const NEXT: &str = "--next";

/// Prints what the last of these words may be. Always a success.
pub(in crate::cli) fn answer(words: &[String]) -> i32 {
    let words = match words.split_first() {
        Some((first, rest)) if first == NEXT => [rest, &[String::new()]].concat(),
        _ => words.to_vec(),
    };
    let wanted = wanted(&words, &Top::get_args_info());
    let mut text = String::new();
    let mut line = |word: &str, help: &str| {
        let help = printable(help).replace(['\n', '\t'], " ");
        // A name with a control character, or one a shell would take apart, is not offered.
        if word.chars().all(|c| !c.is_control() && !c.is_whitespace() && !"'\"`$\\;&|<>()*?[]{}!#~".contains(c)) {
            text += &if help.is_empty() { format!("{word}\n") } else { format!("{word}\t{help}\n") };
        }
    };
    wanted.words.iter().for_each(|(word, help)| line(word, help));
    if let Some(kind) = wanted.names {
        names(kind, &wanted).iter().for_each(|name| line(&format!("{}{}", wanted.before, name.word), &name.help));
    }
    match wanted.files {
        Some(Files::Any) => text += ":files\n",
        Some(Files::Dirs) => text += ":dirs\n",
        None => {}
    }
    write_stdout(&text);
    0
}

/// From a daemon that runs; none without.
fn names(kind: Kind, wanted: &Wanted) -> Vec<Word> {
    let ask = Ask {
        kind,
        begins: wanted.begins.clone(),
        agent: wanted.agent.clone(),
        provider: wanted.provider.clone(),
        profile: wanted.profile.clone(),
    };
    let patience = std::env::var(PATIENCE_VAR).ok().and_then(|ms| ms.parse().ok()).map_or(PATIENCE, Duration::from_millis);
    let (send, receive) = mpsc::channel();
    // Left behind when it takes too long; it ends with the process.
    std::thread::spawn(move || {
        let words = Paths::from_env().ok().and_then(|paths| Client::connect(&paths).ok()).and_then(|mut client| client.call(&ask).ok());
        let _ = send.send(words);
    });
    receive.recv_timeout(patience).ok().flatten().map(|words| words.words).unwrap_or_default()
}
