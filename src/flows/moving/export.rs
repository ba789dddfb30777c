//! Writes an export. Nothing that may be a key is outside of its sealed part.

use std::{fs::File, io::Read, path::Path};

use serde_json::Value;

use super::{
    BUDGETS, HOMES, LONGEST_TEXT, PREFERENCES, PROFILES, REGISTRY, SECRETS, SERVERS, USER, absolute,
    keys::{Known, Servers, gather},
    some_of,
};
use crate::{
    app::App,
    base::{
        error::{Error, Result},
        fsx,
        redact::holds_key,
    },
    moving::{
        archive::Writer,
        database,
        sealed::{SealedFile, Secrets, seal},
        select::{self, Picked},
    },
    profiles::without_ours,
    wire::{
        envelope::Caller,
        manifest::HomeFiles,
        mcp,
        moving::{Export, Exported, ExportedProfile},
        profiles::{Credential, Profile},
        secret::KeyText,
    },
};

/// Directories of clown's tree with manifests of the user's own.
const USER_DIRS: [&str; 5] = ["agents.d", "providers.d", "scripts", "templates", "models.d"];

struct Out<'a> {
    app: &'a App,
    writer: Writer,
    known: Known,
    /// Whether keys come along.
    sealing: bool,
    secrets: Secrets,
    /// Texts that were left out because they may hold a key.
    held: Vec<String>,
    warnings: Vec<String>,
}

pub fn export(app: &App, ask: Export, caller: &Caller) -> Result<Exported> {
    let target = absolute(&ask.path)?;
    if ask.passphrase.as_ref().is_some_and(|p| p.expose().is_empty()) {
        return Err(Error::invalid("the passphrase is empty").hint("give one of several words; whoever has it and the file has your keys"));
    }
    let (mut profiles, problems) = app.profiles.list()?;
    let mut warnings: Vec<String> = problems.iter().map(|p| format!("a profile is not exported: {p}")).collect();
    for name in &ask.profiles {
        app.profiles.find(name)?;
    }
    profiles.retain(|p| ask.profiles.is_empty() || ask.profiles.iter().any(|name| name == p.alias.as_str()));
    let sealing = ask.passphrase.is_some();
    // As with preferences: what is for all goes with all.
    let servers = if ask.profiles.is_empty() { app.mcp.read()?.servers } else { Servers::default() };
    let (known, keys) = gather(app, caller, (&profiles, &servers), sealing, &mut warnings);
    let count = if sealing { keys.len() } else { 0 };
    let writer = Writer::create(&target, app.now())?;
    let secrets = Secrets { keys: if sealing { keys } else { Default::default() }, ..Default::default() };
    let mut out = Out { app, writer, known, sealing, secrets, held: Vec::new(), warnings };
    let manifests = out.manifests()?;
    let told: Vec<ExportedProfile> = profiles.iter().map(|p| out.profile(p, ask.history)).collect::<Result<_>>()?;
    out.tree(&profiles, ask.profiles.is_empty())?;
    out.servers(servers)?;
    let registry = if ask.registry { out.registry()? } else { None };
    if let Some(passphrase) = ask.passphrase.as_ref().filter(|_| !out.secrets.is_empty()) {
        let bytes = seal(&out.secrets, passphrase)?;
        out.writer.bytes(SECRETS, &bytes, false)?;
    }
    if !out.held.is_empty() {
        out.warnings
            .push(format!("left out, since it may hold a key: {}; with --with-secrets it comes along, encrypted", some_of(&out.held)));
    }
    let Out { writer, warnings, .. } = out;
    let bytes = writer.finish()?;
    Ok(Exported { path: ask.path, bytes, profiles: told, manifests, keys: count, registry, warnings })
}

impl Out<'_> {
    fn may_hold_key(&self, text: &str) -> bool {
        holds_key(text) || self.known.is_in(text.as_bytes())
    }

    /// Into the open part, the sealed one, or into neither.
    fn text(&mut self, path: &str, bytes: &[u8], executable: bool) -> Result<bool> {
        let Ok(text) = std::str::from_utf8(bytes) else {
            if self.known.is_in(bytes) {
                self.held.push(path.to_owned());
                return Ok(false);
            }
            return self.writer.bytes(path, bytes, executable).map(|()| true);
        };
        if !self.may_hold_key(text) {
            return self.writer.bytes(path, bytes, executable).map(|()| true);
        }
        if !self.sealing {
            self.held.push(path.to_owned());
            return Ok(false);
        }
        self.secrets.files.insert(path.to_owned(), SealedFile { text: KeyText::new(text.to_owned()), executable });
        Ok(true)
    }

    fn settings_file(&mut self, path: &str, file: &Picked) -> Result<bool> {
        let handle = File::open(&file.place).map_err(Error::reading(&file.place))?;
        let mut bytes = Vec::new();
        handle.take(LONGEST_TEXT + 1).read_to_end(&mut bytes).map_err(Error::reading(&file.place))?;
        if bytes.len() as u64 > LONGEST_TEXT {
            self.warnings.push(format!("{} is larger than {} MiB and is left out", file.place.display(), LONGEST_TEXT >> 20));
            return Ok(false);
        }
        self.text(path, &bytes, file.executable)
    }

    /// Manifests, scripts and templates of the user's own.
    fn manifests(&mut self) -> Result<Vec<String>> {
        let mut left = Vec::new();
        let files = select::files(self.app.paths.root(), &USER_DIRS.map(str::to_owned), &mut left)?;
        let mut told = Vec::new();
        for file in files.iter().filter(|f| f.path.ends_with(".toml") || f.path.ends_with(".rhai")) {
            if self.settings_file(&format!("{USER}/{}", file.path), file)? {
                told.push(file.path.clone());
            }
        }
        self.left("manifests", &left);
        Ok(told)
    }

    fn left(&mut self, of: &str, left: &[String]) {
        if !left.is_empty() {
            self.warnings.push(format!("left out of {of}, since these are links or no plain files: {}", some_of(left)));
        }
    }

    fn profile(&mut self, profile: &Profile, with_history: bool) -> Result<ExportedProfile> {
        let alias = profile.alias.as_str();
        let snapshot = self.app.manifests.snapshot();
        let spec = match snapshot.agent(profile.agent.as_str()) {
            Ok(found) => found.item.files.clone(),
            Err(error) => {
                self.warnings.push(format!("of profile {alias} no file of its home is exported: {error}"));
                HomeFiles::default()
            }
        };
        let home = Path::new(&profile.home);
        let mut left = Vec::new();
        let mut told = ExportedProfile { alias: alias.to_owned(), agent: profile.agent.to_string(), settings: 0, history: 0 };
        // Hooks that clown put in are in the profile, and are put in again there.
        let plain = without_ours(home)?;
        for file in select::files(home, &spec.settings, &mut left)? {
            if let Some((_, text)) = plain.as_ref().filter(|(name, _)| *name == file.path) {
                told.settings += usize::from(self.text(&format!("{HOMES}/{alias}/settings/{}", file.path), text.as_bytes(), false)?);
                continue;
            }
            told.settings += usize::from(self.settings_file(&format!("{HOMES}/{alias}/settings/{}", file.path), &file)?);
        }
        for (path, names) in &spec.parts {
            if let Some(part) = part_of(&home.join(path), names)? {
                told.settings += usize::from(self.text(&format!("{HOMES}/{alias}/parts/{path}"), part.to_string().as_bytes(), false)?);
            }
        }
        if with_history {
            told.history = self.history(alias, home, &spec, &mut left)?;
        }
        self.left(&format!("profile {alias}"), &left);
        self.stored(profile)?;
        Ok(told)
    }

    fn history(&mut self, alias: &str, home: &Path, spec: &HomeFiles, left: &mut Vec<String>) -> Result<usize> {
        let mut count = 0;
        for file in select::files(home, &spec.history, left)? {
            if self.known.is_in_file(&file.place)? {
                self.held.push(format!("{alias}: {}", file.path));
                continue;
            }
            self.writer.file(&format!("{HOMES}/{alias}/history/{}", file.path), &file.place, file.executable)?;
            count += 1;
        }
        for file in select::files(home, &spec.databases, left)? {
            let dir = tempfile::Builder::new().prefix(fsx::TEMP_START).suffix(fsx::TEMP_END).tempdir_in(self.app.paths.root());
            let dir = dir.map_err(Error::writing(self.app.paths.root()))?;
            let copy = dir.path().join("database");
            database::snapshot(&file.place, &copy)?;
            if self.known.is_in_file(&copy)? {
                self.held.push(format!("{alias}: {}", file.path));
                continue;
            }
            self.writer.file(&format!("{HOMES}/{alias}/history/{}", file.path), &copy, false)?;
            count += 1;
        }
        Ok(count)
    }

    /// The profile itself; without what may be a key, unless keys come along.
    fn stored(&mut self, profile: &Profile) -> Result<()> {
        let encode = |p: &Profile| serde_json::to_value(p).map_err(|e| Error::defect("a profile cannot be encoded").cause(e));
        let whole = encode(profile)?;
        let mut open = profile.clone();
        open.env.retain(|name, value| !self.may_hold_key(&pair(name, value)));
        open.preferences.retain(|name, value| !self.may_hold_key(&pair(name, value)));
        if open.args.iter().any(|arg| self.may_hold_key(arg)) || self.may_hold_key(&open.args.join(" ")) {
            open.args = Vec::new();
        }
        if let Credential::Command { argv } = &open.credential
            && self.may_hold_key(&argv.join(" "))
        {
            open.credential = Credential::None;
        }
        open.mcp.retain(|_, server| !self.server_may_hold_key(server));
        open.hooks.retain(|hook| !self.may_hold_key(&serde_json::to_string(hook).unwrap_or_default()));
        if open != *profile {
            if self.sealing {
                self.secrets.profiles.insert(profile.alias.to_string(), whole);
            } else {
                self.held.push(format!("variables, arguments, servers or hooks of profile {}", profile.alias));
            }
        }
        self.writer.json(&format!("{PROFILES}/{}.json", profile.alias), &open)
    }

    fn server_may_hold_key(&self, server: &mcp::Server) -> bool {
        let plain = server.place.values().iter().filter_map(|(name, value)| match value {
            mcp::Value::Plain(text) => Some(pair(name, text)),
            mcp::Value::Secret(_) => None,
        });
        let told = serde_json::to_string(&server.place).unwrap_or_default();
        plain.chain([told]).any(|text| self.may_hold_key(&text))
    }

    /// MCP servers for all profiles; without what may be a key, unless keys come along.
    fn servers(&mut self, servers: Servers) -> Result<()> {
        let (held, open): (Servers, Servers) = servers.into_iter().partition(|(_, server)| self.server_may_hold_key(server));
        if self.sealing {
            self.secrets.servers = held;
        } else {
            self.held.extend(held.keys().map(|name| format!("MCP server {name}")));
        }
        if open.is_empty() { Ok(()) } else { self.writer.json(SERVERS, &open) }
    }

    /// What belongs to no home: budgets, and preferences for scripts.
    fn tree(&mut self, profiles: &[Profile], all: bool) -> Result<()> {
        let mut budgets = self.app.budgets.list(None)?;
        budgets.retain(|budget| profiles.iter().any(|p| p.alias.as_str() == budget.profile));
        if !budgets.is_empty() {
            self.writer.json(BUDGETS, &budgets)?;
        }
        let mut preferences = self.app.config.preferences()?;
        let before = preferences.len();
        preferences.retain(|name, value| !self.may_hold_key(&pair(name, value)));
        if preferences.len() < before {
            self.held.push("preferences in config.toml".into());
        }
        if all && !preferences.is_empty() {
            self.writer.json(PREFERENCES, &preferences)?;
        }
        Ok(())
    }

    /// Verified commits and the lock with the pin. All of it is public.
    fn registry(&mut self) -> Result<Option<String>> {
        let dir = self.app.paths.registry_dir();
        let current = std::fs::read_link(self.app.paths.registry_current()).ok();
        let commit = current.as_deref().and_then(Path::file_name).and_then(|n| n.to_str()).map(str::to_owned);
        let Some(commit) = commit else {
            self.warnings.push("there is no registry here to export".into());
            return Ok(None);
        };
        let entries = ["registry.lock", "channels", "roots", "litellm-pricing.json", "prices.lock"].map(str::to_owned);
        let entries: Vec<String> = entries.into_iter().chain([format!("commits/{commit}")]).collect();
        let mut left = Vec::new();
        for file in select::files(&dir, &entries, &mut left)? {
            self.writer.file(&format!("{REGISTRY}/{}", file.path), &file.place, false)?;
        }
        self.left("the registry", &left);
        self.writer.bytes(&format!("{REGISTRY}/current"), commit.as_bytes(), false)?;
        Ok(Some(commit))
    }
}

/// As a line that says what its value is for, which may tell that it is a key.
fn pair(name: &str, value: &str) -> String {
    format!("{name} = \"{value}\"")
}

/// Some keys of a JSON file; `None` when it has none of them.
fn part_of(file: &Path, names: &[String]) -> Result<Option<Value>> {
    let Some(bytes) = fsx::read_optional(file)? else { return Ok(None) };
    // A file that is no JSON is the agent's trouble, not ours.
    let Ok(Value::Object(mut whole)) = serde_json::from_slice(&bytes) else { return Ok(None) };
    whole.retain(|name, value| names.contains(name) && value.as_object().is_none_or(|v| !v.is_empty()));
    Ok(if whole.is_empty() { None } else { Some(Value::Object(whole)) })
}
