//! What an import would do: every name looked at, every file checked, nothing touched outside of the import's own directories.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use super::{
    BUDGETS, PREFERENCES, PROFILES, SERVERS, USER, homes,
    keys::{Rekey, Servers},
    registry,
};
use crate::{
    app::App,
    base::paths::Paths,
    base::{
        env_names::env_name_allowed,
        error::{Error, Result},
        fsx,
    },
    flows::{
        mcp::{check_server, secrets_of},
        place,
        trust::check_entry,
    },
    manifests::{Manifests, Snapshot},
    mcp::encode as encode_servers,
    moving::{
        archive::Unpacked,
        journal::{Journal, Step},
    },
    profiles,
    wire::{
        budgets::Budget,
        envelope::Caller,
        ids::Alias,
        manifest::HomeFiles,
        moving::{ImportAction, ImportedItem, OnConflict},
        profiles::{Credential, Profile, STORED_VERSION},
        registry::Kind,
    },
};

/// A profile that comes in.
pub(super) struct Incoming {
    pub profile: Profile,
    pub action: ImportAction,
}

pub(super) struct Plan<'a> {
    pub app: &'a App,
    pub caller: &'a Caller,
    pub unpacked: &'a Unpacked,
    pub on_conflict: OnConflict,
    pub journal: &'a mut Journal,
    /// Of clown's tree; homes have their own.
    pub staging: PathBuf,
    pub rekey: Rekey<'a>,
    pub steps: Vec<Step>,
    pub items: Vec<ImportedItem>,
    pub warnings: Vec<String>,
    pub incoming: Vec<Incoming>,
    /// Names that are taken.
    pub conflicts: Vec<String>,
    /// Keys of what gave way.
    pub former: Vec<Credential>,
    /// Whether the registry in force becomes another one.
    pub registry: Option<String>,
}

impl Plan<'_> {
    /// Everything; refuses what cannot be.
    pub(super) fn make(&mut self) -> Result<()> {
        self.manifests()?;
        let here = self.app.manifests.snapshot();
        let brought = Manifests::new(&Paths::at(self.unpacked.place(USER))).snapshot();
        let mut aliases = BTreeMap::new();
        let names: Vec<String> = self.unpacked.below(PROFILES).map(|(name, _)| name.to_owned()).collect();
        for name in names {
            self.profile(&name, &here, &brought, &mut aliases)?;
        }
        self.budgets(&aliases)?;
        self.preferences()?;
        self.servers()?;
        registry::plan(self)?;
        if self.on_conflict == OnConflict::Fail && !self.conflicts.is_empty() {
            return Err(Error::exists(format!("already here: {}", self.conflicts.join(", ")))
                .hint("nothing was changed; say what to do about it: --on-conflict skip, rename or replace")
                .hint("see what each would do: add --dry-run"));
        }
        Ok(())
    }

    /// New content for a file of clown's tree.
    pub(super) fn put(&mut self, to: PathBuf, bytes: &[u8]) -> Result<()> {
        // A link of the user's stays, as with every other write.
        let to = if std::fs::symlink_metadata(&to).is_ok_and(|m| m.is_symlink()) {
            std::fs::canonicalize(&to).map_err(Error::writing(&to))?
        } else {
            to
        };
        let number = self.steps.len();
        let from = self.staging.join("out").join(number.to_string());
        fsx::write_atomic(&from, bytes, fsx::Mode::Private)?;
        self.steps.push(Step { from, to, aside: self.staging.join("aside").join(number.to_string()) });
        Ok(())
    }

    pub(super) fn item(&mut self, kind: &str, name: &str, action: ImportAction) {
        self.items.push(ImportedItem { kind: kind.into(), name: name.into(), action, to: None, files: 0 });
    }

    /// Whether a thing whose name is taken gives way to the one that comes.
    pub(super) fn replaces(&mut self, what: String) -> bool {
        self.conflicts.push(what);
        self.on_conflict == OnConflict::Replace
    }

    fn manifests(&mut self) -> Result<()> {
        let paths: Vec<String> = self.unpacked.below(USER).map(|(path, _)| path.to_owned()).collect();
        for path in paths {
            let Some((kind, id)) = manifest_of(&path) else {
                self.warnings.push(format!("{path:?} is no place of a manifest and is left out"));
                continue;
            };
            let bytes = self.unpacked.bytes(&format!("{USER}/{path}"))?.unwrap_or_default();
            check_entry(self.app, kind, &id, &bytes).map_err(|problem| {
                Error::invalid(format!("the export holds a manifest that cannot be used: {problem}"))
                    .hint("nothing was changed; mend it where it comes from")
            })?;
            let to = path.split('/').fold(self.app.paths.root().to_owned(), |dir, part| dir.join(part));
            let action = match fsx::read_optional(&to)? {
                Some(now) if now == bytes => continue,
                Some(_) if self.replaces(format!("manifest {path}")) => ImportAction::Replace,
                Some(_) => {
                    self.item("manifest", &path, ImportAction::Keep);
                    continue;
                }
                None => ImportAction::Add,
            };
            self.put(to, &bytes)?;
            self.item("manifest", &path, action);
        }
        Ok(())
    }

    fn profile(&mut self, file: &str, here: &Snapshot, brought: &Snapshot, aliases: &mut BTreeMap<String, Alias>) -> Result<()> {
        let stem = file.strip_suffix(".json").unwrap_or(file);
        let mut profile = self.stored(stem)?;
        let was = profile.clone();
        let user_home = place::user_home(self.caller)?;
        let home_of = |alias: &Alias| self.app.paths.profile_home(&user_home, &was.agent, alias);
        let taken = |alias: &Alias| self.app.profiles.exists(alias) || std::fs::symlink_metadata(home_of(alias)).is_ok();
        let mut action = ImportAction::Add;
        let mut former = None;
        if taken(&was.alias) {
            match self.on_conflict {
                OnConflict::Fail => {}
                OnConflict::Skip => {
                    self.conflicts.push(format!("profile {stem}"));
                    self.item("profile", stem, ImportAction::Keep);
                    return Ok(());
                }
                OnConflict::Rename => {
                    let names: BTreeSet<&str> = aliases.values().map(Alias::as_str).collect();
                    let free = |alias: &Alias| !taken(alias) && !names.contains(alias.as_str());
                    let found = (2..1000).filter_map(|n| Alias::parse(&format!("{stem}-{n}")).ok()).find(free);
                    profile.alias = found.ok_or_else(|| Error::exists(format!("no other name for profile {stem} is free")))?;
                    action = ImportAction::Rename;
                }
                OnConflict::Replace => {
                    action = ImportAction::Replace;
                    if self.app.profiles.exists(&was.alias) {
                        place::require_idle(self.app, stem, "replaced")?;
                        former = Some(self.app.profiles.get(&was.alias)?);
                    }
                }
            }
            self.conflicts.push(format!("profile {stem}"));
        }
        let home = home_of(&profile.alias);
        home.to_str().ok_or_else(|| Error::invalid("the home directory's path is not valid UTF-8"))?.clone_into(&mut profile.home);
        if let Some(former) = former.as_ref().filter(|f| f.home != profile.home) {
            self.warnings.push(format!("the former home of profile {stem} stays at {}", former.home));
        }
        self.warnings.extend(self.rekey.profile(&mut profile, former.as_ref()));
        let agent = profile.agent.as_str();
        let spec = match here.agents.get(agent).or_else(|| brought.agents.get(agent)) {
            Some(found) => found.item.files.clone(),
            None => {
                self.warnings.push(format!("profile {} needs agent {agent}, which is not known here", profile.alias));
                HomeFiles::default()
            }
        };
        let provider = profile.provider.as_str();
        if !here.providers.contains_key(provider) && !brought.providers.contains_key(provider) {
            self.warnings.push(format!("profile {} needs provider {provider}, which is not known here", profile.alias));
        }
        let files = homes::plan(self, stem, &was.home, Path::new(&profile.home), &spec)?;
        let text = profiles::encode(&profile)?;
        self.put(self.app.paths.profile_file(&profile.alias), &text)?;
        aliases.insert(stem.to_owned(), profile.alias.clone());
        self.items.push(ImportedItem {
            kind: "profile".into(),
            name: stem.to_owned(),
            action,
            to: (profile.alias.as_str() != stem).then(|| profile.alias.to_string()),
            files,
        });
        self.incoming.push(Incoming { profile, action });
        Ok(())
    }

    /// As the export has it; from the sealed part where that has more.
    fn stored(&self, stem: &str) -> Result<Profile> {
        let wrong = |why: String| {
            Error::corrupt(format!("profile {stem:?} of the export cannot be used: {why}")).hint("nothing was changed; export again")
        };
        let open = self.unpacked.json::<serde_json::Value>(&format!("{PROFILES}/{stem}.json"))?;
        let value = self.rekey.secrets.profiles.get(stem).cloned().or(open).unwrap_or_default();
        let version = value["version"].as_u64().unwrap_or_default();
        if version > u64::from(STORED_VERSION) {
            return Err(wrong(format!("it has version {version}, this build reads up to {STORED_VERSION}")).hint("update clown"));
        }
        let profile: Profile = serde_json::from_value(value).map_err(|e| wrong(e.to_string()))?;
        if profile.alias.as_str() != stem {
            return Err(wrong(format!("it says its alias is {}", profile.alias)));
        }
        if let Some(name) = profile.env.keys().find(|name| !env_name_allowed(name)) {
            return Err(wrong(format!("it sets the variable {name:?}, which no profile may")));
        }
        for (name, server) in &profile.mcp {
            check_server(name, server, true).map_err(|e| wrong(e.to_string()))?;
        }
        if profile.args.iter().chain(profile.env.values()).any(|text| text.contains('\0')) {
            return Err(wrong("a text in it holds a NUL character".into()));
        }
        Ok(profile)
    }

    fn budgets(&mut self, aliases: &BTreeMap<String, Alias>) -> Result<()> {
        let Some(all) = self.unpacked.json::<Vec<Budget>>(BUDGETS)? else { return Ok(()) };
        let mut new = Vec::new();
        for mut budget in all {
            // Those of a profile that is left are left with it.
            let Some(alias) = aliases.get(&budget.profile) else { continue };
            budget.profile = alias.to_string();
            let same = self.app.budgets.list(Some(alias.as_str()))?.iter().any(|b| b.every == budget.every);
            self.item("budget", alias.as_str(), if same { ImportAction::Replace } else { ImportAction::Add });
            new.push(budget);
        }
        if new.is_empty() {
            return Ok(());
        }
        let text = self.app.budgets.with(&new)?;
        self.put(self.app.paths.budgets_file(), &text)
    }

    fn preferences(&mut self) -> Result<()> {
        let Some(mut new) = self.unpacked.json::<BTreeMap<String, String>>(PREFERENCES)? else { return Ok(()) };
        let here = self.app.config.preferences()?;
        new.retain(|name, value| here.get(name) != Some(value));
        let names: Vec<String> = new.keys().cloned().collect();
        for name in names {
            let action = if !here.contains_key(&name) {
                ImportAction::Add
            } else if self.replaces(format!("preference {name}")) {
                ImportAction::Replace
            } else {
                new.remove(&name);
                ImportAction::Keep
            };
            self.item("preference", &name, action);
        }
        if new.is_empty() {
            return Ok(());
        }
        let text = self.app.config.with_preferences(&new)?;
        self.put(self.app.paths.config_file(), text.as_bytes())
    }

    /// MCP servers for all profiles.
    fn servers(&mut self) -> Result<()> {
        let mut new = self.unpacked.json::<Servers>(SERVERS)?.unwrap_or_default();
        new.extend(self.rekey.secrets.servers.clone());
        let mut stored = self.app.mcp.read()?;
        let mut changed = false;
        for (name, mut server) in new {
            if stored.servers.get(&name) == Some(&server) {
                continue;
            }
            check_server(&name, &server, true).map_err(|e| e.hint("it is in the export; nothing was changed"))?;
            let action = match stored.servers.get(&name) {
                None => ImportAction::Add,
                Some(_) if self.replaces(format!("MCP server {name}")) => ImportAction::Replace,
                Some(_) => {
                    self.item("mcp", name.as_str(), ImportAction::Keep);
                    continue;
                }
            };
            if !self.rekey.server("all", &mut server) {
                self.warnings.push(format!("MCP server {name} has no key and is left out; add it: clown mcp add"));
                continue;
            }
            self.item("mcp", name.as_str(), action);
            let former = stored.servers.insert(name, server);
            self.former.extend(former.iter().flat_map(secrets_of).cloned());
            changed = true;
        }
        if !changed {
            return Ok(());
        }
        let text = encode_servers(&stored)?;
        self.put(self.app.paths.mcp_file(), &text)
    }
}

/// Kind and id by the path below the tree.
fn manifest_of(path: &str) -> Option<(Kind, String)> {
    let (dir, name) = path.split_once('/')?;
    let plain = |stem: &str| (!stem.contains('/')).then(|| stem.to_owned());
    let kind = match dir {
        "agents.d" => Kind::Agent,
        "providers.d" => Kind::Provider,
        "models.d" => Kind::Models,
        "scripts" => return Some((Kind::Script, plain(name.strip_suffix(".rhai")?)?)),
        "templates" => {
            let stem = name.strip_suffix(".toml")?;
            return (stem.matches('/').count() == 1).then(|| (Kind::Template, stem.to_owned()));
        }
        _ => return None,
    };
    Some((kind, plain(name.strip_suffix(".toml")?)?))
}
