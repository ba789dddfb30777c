//! What agents used: where to look, what is known, and who is told of changes.

mod compare;
mod look;
pub(crate) mod moved;
mod record;
mod scope;
mod upkeep;

pub use compare::reconcile;
pub use look::{export, report, statusline, summary};
pub(crate) use record::close;
pub(crate) use scope::scope;
pub use upkeep::{doctor, import, rescan};

use std::sync::{Arc, Weak};

use crate::{
    app::App,
    base::error::Result,
    usage::{
        service::{Known, Scope},
        watch::{Happened, Watch},
    },
};

/// The sums as of now.
pub(crate) fn known(app: &App) -> Result<Known> {
    app.look_for_prices();
    if let Some(Some(watch)) = app.watch.get()
        && !watch.settle()
    {
        app.usage.changed();
    }
    app.usage.known(|| {
        let scope = scope(app)?;
        // Before reading, so that what happens meanwhile is told.
        follow(app, &scope);
        Ok(scope)
    })
}

/// Has changes told from the first question on. Only a daemon lives long enough for that.
pub(super) fn follow(app: &App, scope: &Scope) {
    let Some(me) = app.me.get() else { return };
    let watch = app.watch.get_or_init(|| {
        let (marked, told) = (Weak::clone(me), Weak::clone(me));
        let mark = move |what: Happened<'_>| match (marked.upgrade(), what) {
            (Some(app), Happened::In(file)) => app.usage.changed_in(file),
            (Some(app), Happened::Anything) => app.usage.changed(),
            (None, _) => {}
        };
        let opened = Watch::open(&app.paths.usage_dir(), mark, move || {
            if let Some(app) = told.upgrade() {
                happened(&app);
            }
        });
        opened.inspect_err(|error| tracing::warn!(%error, "changes of usage are seen when asked only")).ok()
    });
    let Some(watch) = watch else { return };
    let mut roots: Vec<_> = app.usage.source().roots(&scope.places).into_iter().map(|(_, _, root)| root).collect();
    roots.extend(scope.sides.iter().filter_map(|log| log.file.parent().map(std::path::Path::to_owned)));
    app.usage.watched(watch.follow(&roots));
}

/// Something changed where logs are.
fn happened(app: &Arc<App>) {
    let _guard = app.host.guard("reading usage".into());
    if let Err(error) = tell(app) {
        tracing::warn!(%error, "usage could not be read");
    }
}

/// Reads, and tells when the sums are other ones than those last told.
pub(super) fn tell(app: &App) -> Result<Known> {
    let known = known(app)?;
    let before = app.told.swap(known.version, std::sync::atomic::Ordering::SeqCst);
    if before != known.version {
        app.bus.publish("usage/updated", "all");
        super::budgets::notice(app, &known)?;
    }
    Ok(known)
}
