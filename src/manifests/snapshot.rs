//! Everything known at one moment, and look-up in it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::parse;
use crate::{
    base::error::{Error, Result, closest},
    wire::{
        ids::{AgentId, ScriptName},
        manifest::{AgentManifest, Catalogue, Origin, Problem, ProviderManifest},
        registry::Kind,
        templates::Template,
    },
};

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

/// A template and the text it was read from, which is what its owner agrees to.
#[derive(Clone, Debug)]
pub struct TemplateFile {
    pub template: Template,
    pub source: String,
    /// blake3 of the source, hex.
    pub hash: String,
}

#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    pub agents: BTreeMap<String, Found<AgentManifest>>,
    pub providers: BTreeMap<String, Found<ProviderManifest>>,
    pub scripts: BTreeMap<String, Found<Script>>,
    /// By agent and name.
    pub templates: BTreeMap<(AgentId, String), Found<TemplateFile>>,
    /// Sources that the registry's took the place of, by name; what a first look at those is compared with.
    pub replaced: BTreeMap<String, Arc<Script>>,
    pub problems: Vec<Problem>,
}

/// What one file holds.
pub(super) enum Parsed {
    Agent(Box<AgentManifest>),
    Provider(ProviderManifest),
    Script(ScriptName),
    Template(Template),
    Models(Catalogue),
}

/// `stem` is the file's name without extension, `parent` that of its directory.
pub(super) fn parse(kind: Kind, shown: &str, parent: &str, stem: &str, text: &str) -> Result<Parsed, Problem> {
    match kind {
        Kind::Agent => parse::agent(shown, stem, text).map(|item| Parsed::Agent(Box::new(item))),
        Kind::Provider => parse::provider(shown, stem, text).map(Parsed::Provider),
        Kind::Template => parse::template(shown, parent, stem, text).map(Parsed::Template),
        Kind::Models => parse::models(shown, stem, text).map(Parsed::Models),
        Kind::Script => ScriptName::parse(stem).map(Parsed::Script).map_err(|bad| Problem {
            file: shown.into(),
            line: None,
            key: None,
            message: bad.to_string(),
        }),
    }
}

impl Snapshot {
    pub(super) fn problem(&mut self, path: &Path, message: String) {
        self.problems.push(Problem { file: path.display().to_string(), line: None, key: None, message });
    }

    pub(super) fn add(&mut self, kind: Kind, origin: Origin, path: &Path, bytes: &[u8]) {
        let name = |p: Option<&std::ffi::OsStr>| p.and_then(|s| s.to_str()).unwrap_or_default().to_owned();
        let stem = name(path.file_stem());
        let parent = name(path.parent().and_then(Path::file_name));
        let Ok(text) = std::str::from_utf8(bytes) else {
            return self.problem(path, "is not UTF-8 text".into());
        };
        let file = (origin != Origin::BuiltIn).then(|| path.to_owned());
        match parse(kind, &path.display().to_string(), &parent, &stem, text) {
            Ok(Parsed::Agent(item)) => {
                self.agents.insert(stem, Found { item: Arc::from(item), origin, file });
            }
            Ok(Parsed::Provider(item)) => {
                self.providers.insert(stem, Found { item: Arc::new(item), origin, file });
            }
            Ok(Parsed::Script(name)) => {
                let item = Arc::new(Script { name, source: text.to_owned(), hash: hash(text) });
                if let Some(before) = self.scripts.insert(stem.clone(), Found { item, origin, file })
                    && origin == Origin::Registry
                {
                    self.replaced.insert(stem, before.item);
                }
            }
            Ok(Parsed::Template(template)) => {
                let key = (template.agent.clone(), stem);
                let item = Arc::new(TemplateFile { template, source: text.to_owned(), hash: hash(text) });
                self.templates.insert(key, Found { item, origin, file });
            }
            Ok(Parsed::Models(catalogue)) => self.join(path, catalogue),
            Err(problem) => self.problems.push(problem),
        }
    }

    /// Adds a catalogue's models to its provider.
    fn join(&mut self, path: &Path, catalogue: Catalogue) {
        let Some(found) = self.providers.get_mut(catalogue.provider.as_str()) else {
            return self.problem(path, format!("there is no provider {}", catalogue.provider));
        };
        let mut item = (*found.item).clone();
        for model in catalogue.models {
            match item.models.iter_mut().find(|m| m.id == model.id) {
                Some(before) => *before = model,
                None => item.models.push(model),
            }
        }
        item.tiers.extend(catalogue.tiers);
        item.default_model = catalogue.default_model.or(item.default_model);
        let known = |model: &String| item.any_model || item.models.is_empty() || item.models.iter().any(|m| m.id == *model);
        if let Some(model) = item.tiers.values().chain(&item.default_model).find(|m| !known(m)) {
            let message = format!("provider {} has no model {model:?}", catalogue.provider);
            return self.problem(path, message);
        }
        found.item = Arc::new(item);
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

    pub fn template(&self, agent: &AgentId, name: &str) -> Result<&Found<TemplateFile>> {
        self.templates.get(&(agent.clone(), name.to_owned())).ok_or_else(|| {
            let error = Error::not_found(format!("{agent} has no template {name:?}"));
            let names = self.templates.keys().filter(|(of, _)| of == agent).map(|(_, name)| name);
            near(self.broken(name, error), name, names).hint(format!("list templates: clown templates list --agent {agent}"))
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

fn hash(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().to_string()
}

fn near<'a>(error: Error, word: &str, known: impl Iterator<Item = &'a String>) -> Error {
    match closest(word, known.map(String::as_str)) {
        Some(name) => error.hint(format!("did you mean {name}")),
        None => error,
    }
}
