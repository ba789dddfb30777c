//! Logs at other places than where their agents keep them by themselves: `usage.roots` in `config.toml`.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

use crate::{
    app::App,
    base::error::{Error, Result},
    usage::source::Place,
    wire::{
        envelope::Caller,
        usage::{Elsewhere, Trouble},
    },
};

/// The setting: agents and directories, like `claude=/data/claude,codex=/mnt/codex`.
pub(crate) const SETTING: &str = "usage.roots";

/// The variable that moves an agent's logs, by the word of its collector. The client tells them (`CALLER_VARS`).
pub(super) const MOVES: &[(&str, &str)] = &[
    ("claude", "CLAUDE_CONFIG_DIR"),
    ("codex", "CODEX_HOME"),
    ("opencode", "OPENCODE_DATA_DIR"),
    ("gemini", "GEMINI_DATA_DIR"),
    ("qwen", "QWEN_DATA_DIR"),
    ("copilot", "COPILOT_HOME"),
    ("droid", "DROID_SESSIONS_DIR"),
    ("kimi", "KIMI_CODE_HOME"),
    ("pi", "PI_AGENT_DIR"),
    ("grok", "GROK_HOME"),
    ("amp", "AMP_DATA_DIR"),
];

/// The user's own places beside the usual ones.
pub(super) fn places(app: &App) -> Result<Vec<Place>> {
    let text = app.config.text(SETTING)?;
    Ok(read(&text)?.into_iter().map(|(word, variable, dir)| at(word, variable, dir)).collect())
}

/// Refuses what [`places`] could not read.
pub(crate) fn check(text: &str) -> Result<()> {
    read(text).map(|_| ())
}

/// What is wrong with the setting, as it stands in the file.
pub(super) fn wrong(app: &App) -> Option<Trouble> {
    let error = places(app).err()?;
    Some(Trouble { file: app.paths.config_file().display().to_string(), what: error.to_string(), count: 1 })
}

/// Places the caller's environment names that are none of these.
pub(super) fn elsewhere(app: &App, places: &[Place], caller: &Caller) -> Vec<Elsewhere> {
    let source = app.usage.source();
    let real = |path: PathBuf| std::fs::canonicalize(&path).unwrap_or(path);
    let known: HashSet<PathBuf> = source.roots(places).into_iter().map(|(_, _, root)| real(root)).collect();
    let mut found = Vec::new();
    for (word, variable) in MOVES {
        let named = caller.env.get(*variable).map(String::as_str).unwrap_or_default();
        for dir in named.split(',').map(str::trim).filter(|dir| Path::new(dir).is_absolute()) {
            let roots = source.roots(&[at(word, variable, PathBuf::from(dir))]);
            let mut there = roots.into_iter().map(|(_, _, root)| root).filter(|root| root.exists()).peekable();
            if there.peek().is_some() && there.all(|root| !known.contains(&real(root))) {
                let roots = app.config.text(SETTING).ok().filter(|text| !text.is_empty()).map(|text| text + ",").unwrap_or_default();
                found.push(Elsewhere {
                    agent: (*word).to_owned(),
                    variable: (*variable).to_owned(),
                    dir: dir.to_owned(),
                    roots: format!("{roots}{word}={dir}"),
                });
            }
        }
    }
    found
}

fn at(word: &str, variable: &str, dir: PathBuf) -> Place {
    let env = [(variable.to_owned(), dir.to_string_lossy().into_owned())].into_iter().collect();
    Place { home: dir, profile: None, env, only: Some(word.to_owned()) }
}

fn read(text: &str) -> Result<Vec<(&'static str, &'static str, PathBuf)>> {
    let wrong = |part: &str, why: String| {
        Error::invalid(format!("{SETTING} has {part:?}: {why}")).hint("write it like claude=/data/claude,codex=/mnt/codex")
    };
    let home = directories::BaseDirs::new().map(|dirs| dirs.home_dir().to_owned());
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (agent, dir) = part.split_once('=').ok_or_else(|| wrong(part, "no agent and directory".into()))?;
            let known = MOVES.iter().find(|(word, _)| *word == agent.trim()).ok_or_else(|| {
                let words: Vec<&str> = MOVES.iter().map(|(word, _)| *word).collect();
                wrong(part, format!("no agent of this name keeps logs; there are {}", words.join(", ")))
            })?;
            let dir = dir.trim();
            let dir = match (dir.strip_prefix("~/"), &home) {
                (Some(below), Some(home)) => home.join(below),
                _ => PathBuf::from(dir),
            };
            if dir.is_absolute() { Ok((known.0, known.1, dir)) } else { Err(wrong(part, "not an absolute path".into())) }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_and_what_is_none_is_told() {
        let read = |text: &str| super::read(text).map(|all| all.into_iter().map(|(word, _, dir)| (word, dir)).collect::<Vec<_>>());
        assert_eq!(read("").unwrap(), []);
        let two = [("claude", PathBuf::from("/data/c d")), ("codex", PathBuf::from("/mnt/x"))];
        assert_eq!(read(" claude=/data/c d, codex = /mnt/x ,").unwrap(), two);
        for bad in ["/data", "claud=/data", "claude=data", "claude="] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_client_tells_each_variable() {
        let told = crate::wire::envelope::CALLER_VARS;
        assert!(MOVES.iter().all(|(_, variable)| told.contains(variable)));
    }
}
