//! A registry that comes with an export: taken only when it is signed by whom this home trusts.

use std::{path::Path, sync::Arc};

use super::{REGISTRY, homes::bring, plan::Plan};
use crate::{
    base::{
        error::{Error, Result},
        fsx, os,
        paths::Paths,
    },
    flows::registry::settings,
    moving::journal::Step,
    registry::Registry,
    wire::moving::ImportAction,
};

pub(super) fn plan(plan: &mut Plan<'_>) -> Result<()> {
    let app = plan.app;
    let Some(commit) = plan.unpacked.bytes(&format!("{REGISTRY}/current"))? else { return Ok(()) };
    let commit = String::from_utf8(commit).ok().filter(|c| (40..=64).contains(&c.len()) && c.bytes().all(|b| b.is_ascii_hexdigit()));
    let commit = commit.ok_or_else(|| Error::corrupt("the export's registry names no commit").hint("nothing was changed; export again"))?;
    let staged = Paths::at(plan.staging.join("registry"));
    let files: Vec<String> = plan.unpacked.below(REGISTRY).map(|(path, _)| path.to_owned()).filter(|path| path != "current").collect();
    for path in &files {
        let to = path.split('/').fold(staged.registry_dir(), |dir, part| dir.join(part));
        bring(&plan.unpacked.place(&format!("{REGISTRY}/{path}")), &to, false)?;
    }
    let link = staged.registry_current();
    os::symlink(&Path::new("commits").join(&commit), &link).map_err(Error::writing(&link))?;
    let mine = settings(app, plan.caller, None)?;
    let registry = Registry::new(&staged, Arc::clone(&app.seams.fetch), Arc::clone(&app.seams.clock), Box::new(|| {}));
    let verified = registry.verify(&mine);
    let problem = match &verified {
        Ok(verified) => verified.problems.first().cloned(),
        Err(error) => Some(error.to_string()),
    };
    if let Some(problem) = problem {
        return Err(Error::refused(format!("the registry in the export is not taken: {problem}"))
            .hint("nothing was changed; set the keys you trust first: clown config set registry.trusted_keys KEY"));
    }
    let coming = registry.state(&mine)?.lock;
    let here = app.registry.state(&mine)?.lock;
    let newer = |a: Option<u64>, b: Option<u64>| a >= b;
    let action = match &here {
        None => ImportAction::Add,
        Some(here) if here.commit == commit => return Ok(()),
        // Never back to an older one, which may be wrong by now.
        Some(here) if plan.replaces("the registry".into()) && newer(coming.as_ref().map(|l| l.version), Some(here.version)) => {
            ImportAction::Replace
        }
        Some(_) => {
            plan.item(REGISTRY, &commit, ImportAction::Keep);
            return Ok(());
        }
    };
    if mine.url.is_none()
        && let Some(lock) = coming.as_ref().filter(|l| !l.url.is_empty())
    {
        plan.warnings.push(format!("no registry is set up here; to follow this one: clown config set registry.url {}", lock.url));
    }
    let to = app.paths.registry_dir();
    fsx::create_private_dir(app.paths.root())?;
    plan.steps.push(Step { from: staged.registry_dir(), to, aside: plan.staging.join("aside").join(REGISTRY) });
    plan.item(REGISTRY, &commit, action);
    plan.registry = Some(commit);
    Ok(())
}
