//! What a collector is, and the list of them.

use std::path::{Path, PathBuf};

use super::{Sink, State, amp, claude, codex, copilot, droid, gemini, grok, kimi, opencode, pi, qwen};

/// A home in which agents keep logs.
pub struct Home<'a> {
    pub path: &'a Path,
    /// Whose it is; `None` for the user's own.
    pub profile: Option<&'a str>,
    /// The environment an agent has there. Empty for most profiles' homes, where everything is at its default place.
    pub env: &'a dyn Fn(&str) -> Option<String>,
}

impl Home<'_> {
    /// The paths in a variable, separated by commas, else the default below the home.
    pub(crate) fn places(&self, variable: &str, default: &str) -> Vec<PathBuf> {
        let named: Vec<PathBuf> = self.listed(variable);
        if named.is_empty() { vec![self.path.join(default)] } else { named }
    }

    pub(crate) fn listed(&self, variable: &str) -> Vec<PathBuf> {
        let value = (self.env)(variable).unwrap_or_default();
        value.split(',').map(str::trim).filter(|part| !part.is_empty()).map(|part| self.path.join(part)).collect()
    }

    /// `$XDG_DATA_HOME`, else `~/.local/share`.
    pub(crate) fn data(&self) -> PathBuf {
        self.listed("XDG_DATA_HOME").into_iter().next().unwrap_or_else(|| self.path.join(".local/share"))
    }
}

/// How a file is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One JSON object a line, appended to.
    Lines,
    /// The same, packed by zstd. Not read where the plain file stands beside it.
    PackedLines,
    /// One JSON object, replaced as a whole.
    Document,
    /// A SQLite database, which has a write-ahead log.
    Database,
}

/// One agent's logs.
pub trait Collector: Sync {
    /// The manifest's word for it, its `usage` field.
    fn word(&self) -> &'static str;

    /// Where it keeps logs: directories, searched to their depths. They need not be there.
    fn roots(&self, home: &Home<'_>) -> Vec<PathBuf>;

    /// How a file is read; `None` for one that tells nothing.
    fn shape(&self, path: &Path) -> Option<Shape>;

    /// The state before a file's first line: what its path tells.
    fn begin(&self, _path: &Path) -> State {
        State::default()
    }

    /// One line (or document): an object by its brackets, without spaces or zero bytes around it.
    fn line(&self, line: &[u8], state: &mut State, sink: &mut dyn Sink);

    /// All that is new in a database since the state was made.
    fn database(&self, _db: &rusqlite::Connection, _state: &mut State, _sink: &mut dyn Sink) -> rusqlite::Result<()> {
        Ok(())
    }
}

/// All of them.
#[must_use]
pub fn collectors() -> &'static [&'static dyn Collector] {
    &[
        &claude::Claude,
        &codex::Codex,
        &opencode::OpenCode,
        &gemini::Gemini,
        &qwen::Qwen,
        &copilot::Copilot,
        &droid::Droid,
        &kimi::Kimi,
        &pi::Pi,
        &grok::Grok,
        &amp::Amp,
    ]
}

/// The one a manifest's word stands for.
#[must_use]
pub fn collector(word: &str) -> Option<&'static dyn Collector> {
    collectors().iter().copied().find(|collector| collector.word() == word)
}

/// Whether a path has this ending. Names of logs are compared as bytes, as their agents do.
pub(crate) fn ends(path: &Path, ending: &str) -> bool {
    path.as_os_str().as_encoded_bytes().ends_with(ending.as_bytes())
}

/// Whether a path has a component of this name.
pub(crate) fn within(path: &Path, name: &str) -> bool {
    path.components().any(|part| part.as_os_str() == name)
}

/// The name of a file without its endings.
pub(crate) fn stem(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.split('.').next().unwrap_or_default().to_owned()
}

/// The name of the directory `up` levels above a file.
pub(crate) fn above(path: &Path, up: usize) -> String {
    path.ancestors().nth(up).and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned()
}
