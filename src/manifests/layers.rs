//! Look-up over the layers, reloaded when a directory's content changes.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use include_dir::{Dir, include_dir};

use super::parse;
use crate::{
    base::{
        error::{Error, Result, closest},
        paths::Paths,
    },
    wire::{
        ids::ScriptName,
        manifest::{AgentManifest, Origin, Problem, ProviderManifest},
    },
};

static BUILT_IN: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/manifests");

/// Larger files are not manifests.
const MAX_FILE: u64 = 256 * 1024;

/// An entry and where it came from.
#[derive(Clone, Debug)]
pub struct Found<T> {
    pub item: Arc<T>,
    pub origin: Origin,
    pub file: Option<PathBuf>,
}

#[derive(Clone, Debug)]
pub struct Script {
    pub name: ScriptName,
    pub source: String,
    /// blake3 of the source, hex.
    pub hash: String,
}

/// Everything known at one moment.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    pub agents: BTreeMap<String, Found<AgentManifest>>,
    pub providers: BTreeMap<String, Found<ProviderManifest>>,
    pub scripts: BTreeMap<String, Found<Script>>,
    pub problems: Vec<Problem>,
}

/// Name, size and time of every file in the directories of a layer.
type Stamp = Vec<(PathBuf, u64, Option<SystemTime>)>;

pub struct Manifests {
    layers: Vec<(Origin, [PathBuf; 3])>,
    /// The last snapshot and what the directories looked like then.
    cache: Mutex<Option<(Stamp, Arc<Snapshot>)>>,
}

impl Manifests {
    pub fn new(paths: &Paths) -> Self {
        let registry = paths.registry_current();
        Self {
            layers: vec![
                (Origin::Registry, [registry.join("agents"), registry.join("providers"), registry.join("scripts")]),
                (Origin::User, [paths.agents_dir(), paths.providers_dir(), paths.scripts_dir()]),
            ],
            cache: Mutex::new(None),
        }
    }

    /// Current content of all layers.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        let stamp = self.stamp();
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((seen, snapshot)) = cache.as_ref()
            && *seen == stamp
        {
            return Arc::clone(snapshot);
        }
        let snapshot = Arc::new(self.load(&stamp));
        *cache = Some((stamp, Arc::clone(&snapshot)));
        snapshot
    }

    fn stamp(&self) -> Stamp {
        let mut stamp = Vec::new();
        for dir in self.layers.iter().flat_map(|(_, dirs)| dirs) {
            let Ok(entries) = fs::read_dir(dir) else { continue };
            for path in entries.flatten().map(|e| e.path()) {
                let wanted = path.extension().is_some_and(|e| e == "toml" || e == "rhai");
                if let (true, Ok(meta)) = (wanted, fs::metadata(&path)) {
                    stamp.push((path, meta.len(), meta.modified().ok()));
                }
            }
        }
        stamp.sort();
        stamp
    }

    fn load(&self, stamp: &Stamp) -> Snapshot {
        let mut snapshot = Snapshot::default();
        for kind in ["agents", "providers", "scripts"] {
            for file in BUILT_IN.get_dir(kind).into_iter().flat_map(|d| d.files()) {
                let text = file.contents_utf8().unwrap_or_default();
                snapshot.add(kind, Origin::BuiltIn, file.path(), text);
            }
        }
        for (origin, dirs) in &self.layers {
            for (path, size, _) in stamp {
                let Some(at) = dirs.iter().position(|d| path.parent() == Some(d)) else { continue };
                let kind = ["agents", "providers", "scripts"][at];
                if *size > MAX_FILE {
                    snapshot.problem(path, format!("is larger than {} KiB", MAX_FILE / 1024));
                    continue;
                }
                match fs::read_to_string(path) {
                    Ok(text) => snapshot.add(kind, *origin, path, &text),
                    Err(e) => snapshot.problem(path, format!("cannot be read: {e}")),
                }
            }
        }
        snapshot
    }
}

impl Snapshot {
    fn problem(&mut self, path: &Path, message: String) {
        self.problems.push(Problem { file: path.display().to_string(), line: None, key: None, message });
    }

    fn add(&mut self, kind: &str, origin: Origin, path: &Path, text: &str) {
        let stem = path.file_stem().and_then(|s| s.to_str()).unwrap_or_default().to_owned();
        let extension = path.extension().and_then(|s| s.to_str()).unwrap_or_default();
        if extension != if kind == "scripts" { "rhai" } else { "toml" } {
            return;
        }
        let shown = path.display().to_string();
        let file = (origin != Origin::BuiltIn).then(|| path.to_owned());
        let result = match kind {
            "agents" => parse::agent(&shown, &stem, text).map(|item| {
                self.agents.insert(stem, Found { item: Arc::new(item), origin, file });
            }),
            "providers" => parse::provider(&shown, &stem, text).map(|item| {
                self.providers.insert(stem, Found { item: Arc::new(item), origin, file });
            }),
            _ => ScriptName::parse(&stem)
                .map(|name| {
                    let hash = blake3::hash(text.as_bytes()).to_hex().to_string();
                    let item = Arc::new(Script { name, source: text.to_owned(), hash });
                    self.scripts.insert(stem, Found { item, origin, file });
                })
                .map_err(|bad| Problem { file: shown, line: None, key: None, message: bad.to_string() }),
        };
        if let Err(problem) = result {
            self.problems.push(problem);
        }
    }

    /// By id, or by another word the manifest lists.
    pub fn agent(&self, word: &str) -> Result<&Found<AgentManifest>> {
        let by_word = || self.agents.values().find(|f| f.item.aliases.iter().any(|a| a == word));
        self.agents.get(word).or_else(by_word).ok_or_else(|| {
            let error = Error::not_found(format!("agent {word:?} is not known"));
            let broken = self.broken(word, error);
            near(broken, word, self.agents.keys()).hint("list agents: clown agents list")
        })
    }

    pub fn provider(&self, id: &str) -> Result<&Found<ProviderManifest>> {
        self.providers.get(id).ok_or_else(|| {
            let error = Error::not_found(format!("provider {id:?} is not known"));
            let broken = self.broken(id, error);
            near(broken, id, self.providers.keys()).hint("list providers: clown providers list")
        })
    }

    pub fn script(&self, name: &str) -> Result<&Found<Script>> {
        self.scripts.get(name).ok_or_else(|| {
            let error = Error::not_found(format!("script {name:?} is not known"));
            near(error, name, self.scripts.keys()).hint("list scripts: clown scripts list")
        })
    }

    /// A manifest that exists and does not parse is the likelier cause than a wrong name.
    fn broken(&self, id: &str, error: Error) -> Error {
        match self.problems.iter().find(|p| Path::new(&p.file).file_stem().is_some_and(|s| s == id)) {
            Some(problem) => error.hint(format!("its manifest has a mistake: {problem}")),
            None => error,
        }
    }
}

fn near<'a>(error: Error, word: &str, known: impl Iterator<Item = &'a String>) -> Error {
    match closest(word, known.map(String::as_str)) {
        Some(name) => error.hint(format!("did you mean {name}")),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn every_built_in_manifest_parses_and_names_a_script_that_exists() {
        let dir = tempfile::tempdir().unwrap();
        let snapshot = Manifests::new(&Paths::at(dir.path())).snapshot();
        assert_eq!(snapshot.problems, []);
        for id in ["claude", "codex", "opencode"] {
            let agent = &snapshot.agents[id].item;
            assert!(snapshot.scripts.contains_key(agent.script.as_str()), "{id}");
        }
        for id in ["anthropic", "openai", "openrouter", "minimax", "zai", "deepseek", "moonshot", "self", "offline"] {
            assert!(snapshot.providers.contains_key(id), "{id}");
        }
    }

    #[test]
    fn the_user_layer_wins_over_the_registry_and_a_broken_file_hides_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let paths = Paths::at(dir.path());
        let manifests = Manifests::new(&paths);
        let text = |name: &str| {
            format!(
                "schema = 1\nid = \"zai\"\nname = \"{name}\"\n[[endpoints]]\nformat = \"anthropic\"\nbase_url = \"https://x.example\"\nauth = \"bearer\"\n"
            )
        };
        assert_eq!(manifests.snapshot().providers["zai"].origin, Origin::BuiltIn);
        write(&paths.registry_current().join("providers/zai.toml"), &text("from registry"));
        assert_eq!(manifests.snapshot().providers["zai"].item.name, "from registry");
        write(&paths.providers_dir().join("zai.toml"), &text("mine"));
        let found = manifests.snapshot().providers["zai"].clone();
        assert_eq!((found.item.name.as_str(), found.origin), ("mine", Origin::User));
        write(&paths.providers_dir().join("zai.toml"), "schema = 1\nid = 3\n");
        let snapshot = manifests.snapshot();
        assert_eq!(snapshot.providers["zai"].item.name, "from registry");
        assert_eq!(snapshot.problems.len(), 1);
        assert_eq!((snapshot.problems[0].line, snapshot.problems[0].key.as_deref()), (Some(2), Some("id")));
    }
}
