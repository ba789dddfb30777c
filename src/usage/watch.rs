//! Tells when something changes where logs are.
//!
//! One thread of the system's watcher and one of ours, both asleep until something happens. What happens close together is told
//! once. What the system's queue could not hold is told as a change, too: whoever is told looks at every file's size and time.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, mpsc},
    time::{Duration, Instant},
};

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher, event::AccessKind};

use crate::base::error::{Error, Result};

/// Changes this close together are one.
const QUIET: Duration = Duration::from_millis(15);
/// And told after this long at the latest.
const LATEST: Duration = Duration::from_millis(50);

pub struct Watch {
    inner: Mutex<Inner>,
    roots: Arc<Mutex<HashSet<PathBuf>>>,
}

struct Inner {
    watcher: RecommendedWatcher,
    /// What the system watches, and whether with all below.
    places: HashSet<(PathBuf, bool)>,
}

impl Watch {
    /// `mark` is called at once and must not wait; `tell` a moment later, on a thread of its own, once for what comes close together.
    pub fn open(mark: impl Fn() + Send + 'static, tell: impl Fn() + Send + 'static) -> Result<Self> {
        let failed = |e: notify::Error| Error::io("changes of logs cannot be watched").cause(e);
        let roots = Arc::<Mutex<HashSet<PathBuf>>>::default();
        let (happened, happenings) = mpsc::channel();
        let watcher = notify::recommended_watcher({
            let roots = Arc::clone(&roots);
            move |event: notify::Result<Event>| {
                if counts(&event, &roots.lock().unwrap_or_else(PoisonError::into_inner)) {
                    mark();
                    let _ = happened.send(());
                }
            }
        })
        .map_err(failed)?;
        std::thread::Builder::new()
            .name("usage-watch".into())
            .spawn(move || gather(&happenings, &tell))
            .map_err(|e| Error::io("changes of logs cannot be watched").cause(e))?;
        Ok(Self { inner: Mutex::new(Inner { watcher, places: HashSet::new() }), roots })
    }

    /// Watches these and no others. A root that is not there yet is seen when it is made: the nearest directory above it is watched.
    /// `false` where the system allows no more watches.
    pub fn follow(&self, roots: &[PathBuf]) -> bool {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted: HashSet<(PathBuf, bool)> = roots.iter().filter_map(|root| nearest(root)).collect();
        *self.roots.lock().unwrap_or_else(PoisonError::into_inner) = roots.iter().cloned().collect();
        let gone: Vec<(PathBuf, bool)> = inner.places.difference(&wanted).cloned().collect();
        for place in gone {
            let _ = inner.watcher.unwatch(&place.0);
            inner.places.remove(&place);
        }
        let mut all = true;
        for place in wanted {
            if inner.places.contains(&place) {
                continue;
            }
            let mode = if place.1 { RecursiveMode::Recursive } else { RecursiveMode::NonRecursive };
            match inner.watcher.watch(&place.0, mode) {
                Ok(()) => {
                    inner.places.insert(place);
                }
                Err(error) => {
                    tracing::info!(%error, place = %place.0.display(), "changes there are not seen at once");
                    all = false;
                }
            }
        }
        all
    }
}

fn nearest(root: &Path) -> Option<(PathBuf, bool)> {
    let there = root.ancestors().find(|path| path.is_dir())?;
    Some((there.to_owned(), there == root))
}

/// Whether an event may mean other figures: something below a root, or on the way to one.
fn counts(event: &notify::Result<Event>, roots: &HashSet<PathBuf>) -> bool {
    let Ok(event) = event else { return true };
    if event.need_rescan() {
        return true;
    }
    let read_only = matches!(event.kind, EventKind::Access(kind) if !matches!(kind, AccessKind::Close(notify::event::AccessMode::Write)));
    !read_only && event.paths.iter().any(|path| roots.iter().any(|root| path.starts_with(root) || root.starts_with(path)))
}

fn gather(happenings: &mpsc::Receiver<()>, tell: &dyn Fn()) {
    while happenings.recv().is_ok() {
        let latest = Instant::now() + LATEST;
        while let Some(left) = latest.checked_duration_since(Instant::now()) {
            if happenings.recv_timeout(QUIET.min(left)).is_err() {
                break;
            }
        }
        tell();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(30);

    fn watch(roots: &[PathBuf]) -> (Watch, mpsc::Receiver<()>) {
        let (told, tellings) = mpsc::channel();
        let mark = || {};
        let watch = Watch::open(mark, move || {
            let _ = told.send(());
        })
        .unwrap();
        assert!(watch.follow(roots));
        (watch, tellings)
    }

    #[test]
    fn an_append_deep_below_a_root_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("projects");
        std::fs::create_dir_all(root.join("a")).unwrap();
        let (_watch, told) = watch(std::slice::from_ref(&root));
        std::fs::write(root.join("a/x.jsonl"), "1\n").unwrap();
        told.recv_timeout(LIMIT).unwrap();
    }

    #[test]
    fn a_root_that_is_made_later_is_told_and_then_followed() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join(".agent/projects");
        let (watch, told) = watch(std::slice::from_ref(&root));
        std::fs::create_dir_all(&root).unwrap();
        told.recv_timeout(LIMIT).unwrap();
        watch.follow(std::slice::from_ref(&root));
        while told.try_recv().is_ok() {}
        std::fs::write(root.join("x.jsonl"), "1\n").unwrap();
        told.recv_timeout(LIMIT).unwrap();
    }

    #[test]
    fn what_happens_beside_a_root_is_nobodys_business() {
        let event = |path: &str| Ok(Event::new(EventKind::Any).add_path(path.into()));
        let roots = HashSet::from([PathBuf::from("/h/.agent/projects")]);
        assert!(counts(&event("/h/.agent/projects/x"), &roots) && counts(&event("/h/.agent"), &roots));
        assert!(!counts(&event("/h/.bash_history"), &roots));
        assert!(counts(&Err(notify::Error::generic("lost")), &roots));
        let overflow = Ok(Event::new(EventKind::Other).set_flag(notify::event::Flag::Rescan));
        assert!(counts(&overflow, &roots));
    }
}
