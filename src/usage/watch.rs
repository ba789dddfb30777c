//! Tells when something changes where logs are.
//!
//! One thread of the system's watcher and one of ours, both asleep until something happens. What happens close together is told
//! once. What the system's queue could not hold is told as a change, too: whoever is told looks at every file's size and time.

use std::{
    collections::HashSet,
    fs::File,
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, PoisonError, mpsc},
    time::{Duration, Instant},
};

use notify::{
    Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher,
    event::{AccessKind, AccessMode, CreateKind, ModifyKind},
};

use crate::base::{
    error::{Error, Result},
    fsx,
};

/// Changes this close together are one.
const QUIET: Duration = Duration::from_millis(15);
/// And told after this long at the latest.
const LATEST: Duration = Duration::from_millis(50);
/// A watcher that has not caught up by then is not waited for.
const PATIENCE: Duration = Duration::from_millis(500);

pub struct Watch {
    inner: Mutex<Inner>,
    roots: Arc<Mutex<HashSet<PathBuf>>>,
    bell: Arc<Bell>,
}

struct Inner {
    watcher: RecommendedWatcher,
    /// What the system watches, and whether with all below.
    places: HashSet<(PathBuf, bool)>,
}

/// What may be other than before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happened<'a> {
    /// The content of this file, which was there before.
    In(&'a Path),
    Anything,
}

/// A directory of ours that is watched too. The system tells what happened in order: when it tells that the directory was opened, it has
/// told all that happened before.
struct Bell {
    dir: PathBuf,
    /// Rung, and not heard yet. Held for a moment only.
    rung: Mutex<bool>,
    heard: Condvar,
    /// Held while somebody waits to hear it.
    turn: Mutex<()>,
}

impl Watch {
    /// `own` is a directory that hardly anybody else opens. `mark` is called at once and must not wait; `tell` a moment later, on a thread of
    /// its own, once for what comes close together.
    pub fn open(own: &Path, mark: impl Fn(Happened<'_>) + Send + Sync + 'static, tell: impl Fn() + Send + 'static) -> Result<Self> {
        let failed = |e: notify::Error| Error::io("changes of logs cannot be watched").cause(e);
        fsx::create_private_dir(own)?;
        let roots = Arc::<Mutex<HashSet<PathBuf>>>::default();
        let bell = Arc::new(Bell { dir: own.to_owned(), rung: Mutex::new(false), heard: Condvar::new(), turn: Mutex::new(()) });
        let mark = Arc::new(mark);
        let (happened, happenings) = mpsc::channel();
        let mut watcher = notify::recommended_watcher({
            let (roots, bell, mark) = (Arc::clone(&roots), Arc::clone(&bell), Arc::clone(&mark));
            move |event: notify::Result<Event>| {
                if event.as_ref().is_ok_and(|event| bell.is(event)) {
                    bell.hear();
                } else if counts(&event, &roots.lock().unwrap_or_else(PoisonError::into_inner)) {
                    mark(what(&event));
                    let _ = happened.send(begins(&event));
                }
            }
        })
        .map_err(failed)?;
        watcher.watch(own, RecursiveMode::NonRecursive).map_err(failed)?;
        std::thread::Builder::new()
            .name("usage-watch".into())
            .spawn(move || gather(&happenings, &*mark, &tell))
            .map_err(|e| Error::io("changes of logs cannot be watched").cause(e))?;
        Ok(Self { inner: Mutex::new(Inner { watcher, places: HashSet::new() }), roots, bell })
    }

    /// Waits until all that happened before is marked, which takes a fraction of a millisecond. `false` where that is not known: the system
    /// does not tell in order, or is late.
    pub fn settle(&self) -> bool {
        cfg!(target_os = "linux") && self.bell.ring()
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

impl Bell {
    fn ring(&self) -> bool {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        {
            let mut rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
            if *rung {
                // An earlier one was not heard in time. What would be heard now may be that one.
                return false;
            }
            *rung = true;
        }
        if File::open(&self.dir).is_err() {
            return false;
        }
        let rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.heard.wait_timeout_while(rung, PATIENCE, |rung| *rung);
        !*waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn is(&self, event: &Event) -> bool {
        matches!(event.kind, EventKind::Access(AccessKind::Open(_))) && event.paths.contains(&self.dir)
    }

    fn hear(&self) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) = false;
        self.heard.notify_all();
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
    let read_only = matches!(event.kind, EventKind::Access(kind) if !matches!(kind, AccessKind::Close(AccessMode::Write)));
    !read_only && event.paths.iter().any(|path| roots.iter().any(|root| path.starts_with(root) || root.starts_with(path)))
}

fn what(event: &notify::Result<Event>) -> Happened<'_> {
    let Ok(event) = event else { return Happened::Anything };
    let inside = matches!(
        event.kind,
        EventKind::Modify(ModifyKind::Data(_) | ModifyKind::Any) | EventKind::Access(AccessKind::Close(AccessMode::Write))
    );
    match event.paths.as_slice() {
        [file] if inside && !event.need_rescan() => Happened::In(file),
        _ => Happened::Anything,
    }
}

/// Whether a directory may be new. It is watched a moment after that is told, so what happens in it meanwhile is not told.
fn begins(event: &notify::Result<Event>) -> bool {
    let kind = event.as_ref().map_or(EventKind::Any, |event| event.kind);
    !matches!(
        kind,
        EventKind::Create(CreateKind::File) | EventKind::Access(_) | EventKind::Remove(_) | EventKind::Modify(ModifyKind::Data(_))
    )
}

fn gather(happenings: &mpsc::Receiver<bool>, mark: &dyn Fn(Happened<'_>), tell: &dyn Fn()) {
    while let Ok(mut begins) = happenings.recv() {
        let latest = Instant::now() + LATEST;
        while let Some(left) = latest.checked_duration_since(Instant::now()) {
            match happenings.recv_timeout(QUIET.min(left)) {
                Ok(more) => begins |= more,
                Err(_) => break,
            }
        }
        if begins {
            mark(Happened::Anything);
        }
        tell();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(30);

    fn watch(dir: &Path, roots: &[PathBuf]) -> (Watch, mpsc::Receiver<()>) {
        let (told, tellings) = mpsc::channel();
        let watch = Watch::open(
            &dir.join("own"),
            |_| {},
            move || {
                let _ = told.send(());
            },
        )
        .unwrap();
        assert!(watch.follow(roots));
        (watch, tellings)
    }

    #[test]
    fn an_append_deep_below_a_root_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("projects");
        std::fs::create_dir_all(root.join("a")).unwrap();
        let (_watch, told) = watch(dir.path(), std::slice::from_ref(&root));
        std::fs::write(root.join("a/x.jsonl"), "1\n").unwrap();
        told.recv_timeout(LIMIT).unwrap();
    }

    #[test]
    fn a_root_that_is_made_later_is_told_and_then_followed() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join(".agent/projects");
        let (watch, told) = watch(dir.path(), std::slice::from_ref(&root));
        std::fs::create_dir_all(&root).unwrap();
        told.recv_timeout(LIMIT).unwrap();
        watch.follow(std::slice::from_ref(&root));
        while told.try_recv().is_ok() {}
        std::fs::write(root.join("x.jsonl"), "1\n").unwrap();
        told.recv_timeout(LIMIT).unwrap();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_was_written_before_a_settling_is_marked_after_it() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("projects");
        std::fs::create_dir_all(&root).unwrap();
        let file = root.join("x.jsonl");
        std::fs::write(&file, "").unwrap();
        let marked = Arc::<Mutex<Vec<PathBuf>>>::default();
        let watch = Watch::open(
            &dir.path().join("own"),
            {
                let marked = Arc::clone(&marked);
                move |what| {
                    if let Happened::In(file) = what {
                        marked.lock().unwrap().push(file.to_owned());
                    }
                }
            },
            || {},
        )
        .unwrap();
        assert!(watch.follow(&[root]));
        let deadline = Instant::now() + LIMIT;
        let mut settled = 0;
        while settled < 50 {
            assert!(Instant::now() < deadline, "the watcher never catches up");
            marked.lock().unwrap().clear();
            std::fs::write(&file, "1\n").unwrap();
            // A machine that is busy may be late, and then says so.
            if watch.settle() {
                settled += 1;
                assert!(marked.lock().unwrap().contains(&file));
            }
        }
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
