//! Takes in an export: looked at as a whole, put in place as one change.

use std::{fs, path::Path, time::Duration};

use super::{
    SECRETS, absolute,
    keys::{Rekey, credentials},
    plan::{Incoming, Plan},
};
use crate::{
    app::App,
    base::{
        error::{Error, Result},
        fsx,
    },
    flows::{create_profile, keys, place, proxy, resolve::resolve},
    moving::{
        archive,
        journal::{Journal, STAGING, remove_tree},
        sealed::{self, Secrets},
    },
    wire::{
        envelope::Caller,
        moving::{Import, ImportAction, Imported},
        profiles::Credential,
    },
};

pub fn import(app: &App, ask: Import, caller: &Caller) -> Result<Imported> {
    let path = absolute(&ask.path)?;
    finish_or_undo(app)?;
    let profiles = app.profiles.lock()?;
    let _budgets = fsx::lock_beside(&app.paths.budgets_file())?;
    let _config = fsx::lock_beside(&app.paths.config_file())?;
    let _servers = fsx::lock_beside(&app.paths.mcp_file())?;
    let registry = app.paths.registry_dir().join("sync.lock");
    let _registry = if registry.exists() {
        let busy = || Error::conflict("a sync of the registry is under way").hint("try again in a minute");
        Some(fsx::begin_lock(&registry)?.within(Duration::from_secs(5)).map_err(Error::writing(&registry))?.ok_or_else(busy)?)
    } else {
        None
    };
    let staging = app.paths.root().join(format!("{STAGING}{}", keys::short_id()));
    let mut journal = Journal::begin(&app.paths.import_journal(), staging.clone())?;
    match run(app, &ask, caller, &path, &staging, &mut journal) {
        Ok((mut imported, incoming, former)) => {
            // Nothing behind this line takes the change back. A new engine may take its time.
            drop(profiles);
            imported.warnings.extend(settle(app, caller, &incoming, &former));
            if let Err(error) = journal.close() {
                imported.warnings.push(format!("leftovers of the import are removed at the next start of the daemon: {error}"));
            }
            Ok(imported)
        }
        Err(Stop::Dry(imported)) => journal.undo().map(|()| *imported),
        Err(Stop::Failed(error)) => Err(match undo(app, &journal, &caller.env) {
            Ok(()) => error,
            Err(left) => error.hint(format!("not all of it could be undone; the next start of the daemon tries again: {left}")),
        }),
    }
}

/// Why nothing was changed.
enum Stop {
    Dry(Box<Imported>),
    Failed(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

type Done = (Imported, Vec<Incoming>, Vec<Credential>);

fn run(app: &App, ask: &Import, caller: &Caller, path: &Path, staging: &Path, journal: &mut Journal) -> Result<Done, Stop> {
    let inside = staging.join("in");
    fsx::create_private_dir(&inside)?;
    let mut unpacked = archive::unpack(path, &inside)?;
    let bytes = unpacked.bytes(SECRETS)?;
    let sealed = bytes.is_some();
    let secrets = match (bytes, &ask.passphrase) {
        (Some(bytes), Some(passphrase)) => sealed::open(&bytes, passphrase)?,
        _ => Secrets::default(),
    };
    for (path, file) in &secrets.files {
        unpacked.add(path, file.text.expose().as_bytes(), file.executable)?;
    }
    let store = match secrets.keys.is_empty() {
        true => String::new(),
        false => app.seams.vault.store(&caller.env)?.kind().to_owned(),
    };
    let rekey = Rekey { secrets: &secrets, store, renamed: Default::default(), to_store: Vec::new() };
    let mut plan = Plan {
        app,
        caller,
        unpacked: &unpacked,
        on_conflict: ask.on_conflict,
        journal,
        staging: staging.to_owned(),
        rekey,
        steps: Vec::new(),
        items: Vec::new(),
        warnings: Vec::new(),
        incoming: Vec::new(),
        conflicts: Vec::new(),
        former: Vec::new(),
        registry: None,
    };
    plan.make()?;
    let Plan { rekey, steps, items, mut warnings, incoming, mut former, registry, journal, .. } = plan;
    if sealed && ask.passphrase.is_none() {
        warnings.push("the keys in the export are left in it: its passphrase was not given".into());
    }
    let head = &unpacked.head;
    let imported = Imported { by: head.by.clone(), created: head.created.clone(), items, sealed, warnings, dry_run: ask.dry_run };
    if ask.dry_run {
        return Err(Stop::Dry(Box::new(imported)));
    }
    let replaced = incoming.iter().filter(|i| i.action == ImportAction::Replace);
    former.extend(
        replaced.filter_map(|i| app.profiles.get(&i.profile.alias).ok()).flat_map(|p| credentials(&p).cloned().collect::<Vec<_>>()),
    );
    let keys = rekey.to_store.iter().map(|k| (k.store.clone(), k.name.clone())).collect();
    journal.take(steps, keys, || {
        rekey.to_store.iter().try_for_each(|k| app.seams.vault.store_of_kind(&k.store, &caller.env)?.set(&k.name, &k.key))
    })?;
    if let Some(commit) = registry {
        app.bus.publish("registry/updated", &commit);
    }
    Ok((imported, incoming, former))
}

/// What follows from the change: events, keys nobody needs any more, homes made ready.
fn settle(app: &App, caller: &Caller, incoming: &[Incoming], former: &[Credential]) -> Vec<String> {
    let mut warnings = Vec::new();
    for one in incoming {
        let alias = one.profile.alias.as_str();
        app.bus.publish(if one.action == ImportAction::Replace { "profile/changed" } else { "profile/created" }, alias);
        if let Err(error) = ready(app, caller, one) {
            warnings.push(format!("profile {alias} is here and cannot run yet: {error}"));
        }
        if one.action == ImportAction::Replace {
            warnings.extend(proxy::refresh(app, caller, &one.profile));
        }
    }
    for credential in former {
        if let Err(error) = keys::release(app, caller, credential) {
            warnings.push(format!("a former key could not be removed: {error}"));
        }
    }
    app.usage.changed();
    warnings
}

/// As after a creation: links, directories, the script's files.
fn ready(app: &App, caller: &Caller, one: &Incoming) -> Result<()> {
    let profile = &one.profile;
    let snapshot = app.manifests.snapshot();
    let resolved = resolve(&snapshot, profile)?;
    place::ready(app, &snapshot, caller, profile, &resolved)?;
    let output = create_profile::set_up(app, &snapshot, profile, &resolved)?;
    // A key that is not there yet is told of already.
    let key = create_profile::fill(app, caller, profile, &resolved, None).ok().flatten();
    place::write_files(app, profile, &output, key.as_ref(), false).map(drop)
}

/// For the start of a daemon: an import that was cut off is brought to one of its ends.
pub fn recover(app: &App) -> Result<()> {
    if !finish_or_undo(app)? {
        return Ok(());
    }
    // A key may be in the temporary file of a write that was cut off; nobody else writes there now.
    let keys = app.paths.keys_file();
    for entry in keys.parent().map(fs::read_dir).into_iter().flatten().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with(fsx::TEMP_START) && name.ends_with(fsx::TEMP_END) {
            fsx::remove(&entry.path())?;
        }
    }
    Ok(())
}

/// Whether there was one.
fn finish_or_undo(app: &App) -> Result<bool> {
    let file = app.paths.import_journal();
    let Some(journal) = Journal::read(&file)? else { return Ok(false) };
    if journal.is_done() {
        tracing::info!("cleaning up behind an import");
        return journal.close().map(|()| true);
    }
    tracing::warn!("an import was interrupted: it is undone");
    undo(app, &journal, &Default::default()).map(|()| true)
}

fn undo(app: &App, journal: &Journal, env: &std::collections::BTreeMap<String, String>) -> Result<()> {
    for (store, name) in &journal.keys {
        if let Err(error) = app.seams.vault.store_of_kind(store, env).and_then(|s| s.delete(name)) {
            tracing::warn!(%error, "a key of an import that was undone could not be removed");
        }
    }
    journal.undo()?;
    // Made for the journal, where there was no home of the agent yet.
    for entry in fs::read_dir(app.paths.root()).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(STAGING) {
            remove_tree(&entry.path())?;
        }
    }
    Ok(())
}
