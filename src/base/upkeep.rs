//! The state of clown's own files on this machine: who may read them, what a crash left, room on the disk, the clock.
//!
//! Here and not in a flow because `clown doctor` looks at them without a daemon as well.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use super::{
    error::{Error, Result},
    fsx, os,
    paths::Paths,
};
use crate::wire::doctor::{Finding, Level, Mended};

/// A temporary file older than this belongs to no writer.
const ABANDONED: Duration = Duration::from_secs(3600);
/// Less than this, and stores begin to fail; less than that, and soon.
const LEAST_SPACE: u64 = 50 << 20;
const LITTLE_SPACE: u64 = 1 << 30;
/// No clown was built before: 2026-01-01 as seconds since 1970.
const FIRST_DAY: u64 = 1_767_225_600;
/// Clocks of machines on one disk differ by less.
const SKEW: Duration = Duration::from_secs(300);

/// Something of clown's own that can be put right without a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Others may read or change it.
    Open { path: PathBuf, mode: u32, wanted: u32 },
    /// Left by a process that is gone.
    Stale { path: PathBuf },
}

/// What could not be looked at is a finding as well.
pub fn failed(id: &str, error: &Error) -> Finding {
    let finding = Finding::new(id, Level::Error, error.to_string());
    match error.hints().first() {
        Some(hint) => finding.fix(hint.as_str()),
        None => finding,
    }
}

/// Looks at the tree and at these homes of profiles. `daemon`: whether one answers, whose files are not stale.
pub fn troubles(paths: &Paths, homes: &[PathBuf], daemon: bool, now: SystemTime) -> Vec<Trouble> {
    let mut found = Vec::new();
    // Settings may be shown to others; changed by them, never.
    found.extend(open(paths.root(), 0o755));
    found.extend(open(&paths.config_file(), 0o644));
    let keys = paths.keys_file();
    found.extend(keys.parent().and_then(|dir| open(dir, 0o700)));
    let private = [keys, paths.endpoint_file(), paths.sessions_file(), paths.log_file()];
    found.extend(private.iter().filter_map(|file| open(file, 0o600)));
    for dir in [paths.profiles_dir(), paths.proxies_dir()] {
        found.extend(files(&dir).into_iter().filter(|file| file.extension().is_some_and(|e| e == "json")).filter_map(|f| open(&f, 0o600)));
    }
    found.extend(homes.iter().filter_map(|home| open(home, 0o700)));
    for dir in places(paths) {
        found.extend(files(&dir).into_iter().filter(|file| is_abandoned(file, now)).map(|path| Trouble::Stale { path }));
    }
    let endpoint = paths.endpoint_file();
    // The lock is held as long as a daemon lives, also one that does not answer.
    if !daemon && endpoint.exists() && lock_is_free(&paths.daemon_lock()) {
        found.push(Trouble::Stale { path: endpoint });
    }
    found
}

fn lock_is_free(path: &Path) -> bool {
    let Ok(file) = fs::File::open(path) else { return true };
    file.try_lock_shared().is_ok()
}

/// Directories in which files are replaced by way of temporary ones.
fn places(paths: &Paths) -> Vec<PathBuf> {
    let parents = [paths.detections_file(), paths.sessions_file(), paths.keys_file()];
    let mut dirs: Vec<PathBuf> = parents.iter().filter_map(|file| file.parent().map(Path::to_owned)).collect();
    dirs.extend([paths.root().to_owned(), paths.profiles_dir(), paths.proxies_dir(), paths.registry_dir(), paths.usage_dir()]);
    dirs
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    files.sort();
    files
}

fn is_abandoned(file: &Path, now: SystemTime) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let old = || {
        fs::symlink_metadata(file).and_then(|meta| meta.modified()).is_ok_and(|t| now.duration_since(t).is_ok_and(|age| age > ABANDONED))
    };
    name.starts_with(fsx::TEMP_START) && name.ends_with(fsx::TEMP_END) && old()
}

/// A link is somebody's own arrangement: its target is left alone.
fn open(path: &Path, most: u32) -> Option<Trouble> {
    let mode = os::mode(path)?;
    (mode & !most & 0o077 != 0).then(|| Trouble::Open { path: path.to_owned(), mode, wanted: mode & most })
}

impl Trouble {
    pub fn finding(&self) -> Finding {
        let finding = match self {
            Self::Open { path, mode, wanted } => {
                let who = if mode & 0o022 & !wanted != 0 { "changed" } else { "read" };
                Finding::new("access", Level::Warning, format!("{} can be {who} by other users (mode {mode:04o})", path.display()))
                    .fix(format!("chmod {wanted:o} {}", path.display()))
            }
            Self::Stale { path } => Finding::new("leftover", Level::Note, format!("{} was left by a process that is gone", path.display()))
                .fix(format!("rm {}", path.display())),
        };
        Finding { safe: true, ..finding }
    }

    fn mend(&self) -> Result<String> {
        match self {
            Self::Open { path, wanted, .. } => {
                os::set_mode(path, *wanted)?;
                Ok(format!("{} is open to you alone as it should be (mode {wanted:04o})", path.display()))
            }
            Self::Stale { path } => {
                fsx::remove(path)?;
                Ok(format!("{} is removed", path.display()))
            }
        }
    }
}

/// Mends what can be; goes on after a failure.
pub fn mend(troubles: &[Trouble]) -> Mended {
    let mut mended = Mended::default();
    for trouble in troubles {
        match trouble.mend() {
            Ok(done) => mended.mended.push(done),
            Err(error) => mended.failed.push(error.to_string()),
        }
    }
    mended
}

/// Room on the disk and the clock.
pub fn machine(paths: &Paths, now: SystemTime) -> Vec<Finding> {
    disk(paths.root()).into_iter().chain([clock(paths, now)]).collect()
}

fn disk(root: &Path) -> Option<Finding> {
    // The tree may not be there yet; its disk is that of the nearest directory above.
    let there = root.ancestors().find(|dir| dir.exists())?;
    let Some(free) = os::free_space(there) else {
        return Some(Finding::new("disk", Level::Note, format!("how much room there is at {} is not known", there.display())));
    };
    let what = format!("{} MB are free at {}", free >> 20, there.display());
    Some(match free {
        ..LEAST_SPACE => Finding::new("disk", Level::Error, what).fix("free some space: nothing can be stored without it"),
        LEAST_SPACE..LITTLE_SPACE => Finding::new("disk", Level::Warning, what).fix("free some space: agents write long logs"),
        _ => Finding::new("disk", Level::Ok, what),
    })
}

fn clock(paths: &Paths, now: SystemTime) -> Finding {
    let shown =
        |time: SystemTime| jiff::Timestamp::try_from(time).map(|t| t.strftime("%Y-%m-%d %H:%M UTC").to_string()).unwrap_or_default();
    let set = "set the clock, best by NTP: certificates and signatures are judged by it";
    if now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |t| t.as_secs()) < FIRST_DAY {
        return Finding::new("clock", Level::Error, format!("the clock says {}, which is long past", shown(now))).fix(set);
    }
    let written = [paths.log_file(), paths.sessions_file(), paths.endpoint_file(), paths.config_file()];
    let newest = written.iter().filter_map(|file| fs::metadata(file).ok()?.modified().ok()).max();
    match newest.filter(|newest| newest.duration_since(now).is_ok_and(|ahead| ahead > SKEW)) {
        Some(newest) => {
            let what = format!("the clock says {}, and clown wrote files at {}", shown(now), shown(newest));
            Finding::new("clock", Level::Warning, what).fix(set)
        }
        None => Finding::new("clock", Level::Ok, format!("the clock says {}", shown(now))),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn tree() -> (tempfile::TempDir, Paths) {
        let dir = tempfile::tempdir().unwrap();
        let paths = Paths::at(dir.path().join("clown"));
        fsx::write_atomic(&paths.keys_file(), b"{}", fsx::Mode::Private).unwrap();
        fsx::write_atomic(&paths.config_file(), b"", fsx::Mode::Private).unwrap();
        (dir, paths)
    }

    fn chmod(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn what_others_may_read_is_found_and_mended_and_a_closed_tree_is_left_alone() {
        let (_dir, paths) = tree();
        let now = SystemTime::now();
        assert_eq!(troubles(&paths, &[], false, now), []);
        chmod(&paths.keys_file(), 0o644);
        chmod(paths.root(), 0o775);
        let found = troubles(&paths, &[], false, now);
        let modes: Vec<_> = found.iter().map(|t| matches!(t, Trouble::Open { wanted: 0o755 | 0o600, .. })).collect();
        assert_eq!(modes, [true, true], "{found:?}");
        assert!(found.iter().all(|t| t.finding().safe && t.finding().level == Level::Warning));
        assert_eq!(mend(&found).failed, [""; 0]);
        assert_eq!(troubles(&paths, &[], false, now), []);
        assert_eq!(os::mode(&paths.keys_file()), Some(0o600));
    }

    #[test]
    fn a_link_and_a_setting_others_may_only_read_are_no_trouble() {
        let (dir, paths) = tree();
        let dotfiles = dir.path().join("config.toml");
        fs::rename(paths.config_file(), &dotfiles).unwrap();
        chmod(&dotfiles, 0o644);
        std::os::unix::fs::symlink(&dotfiles, paths.config_file()).unwrap();
        chmod(paths.root(), 0o755);
        assert_eq!(troubles(&paths, &[], false, SystemTime::now()), []);
    }

    #[test]
    fn only_an_old_temporary_file_and_an_endpoint_without_daemon_are_leftovers() {
        let (_dir, paths) = tree();
        let temp = paths.root().join(".clown-abc.tmp");
        fs::write(&temp, "").unwrap();
        chmod(&temp, 0o600);
        let now = SystemTime::now();
        assert_eq!(troubles(&paths, &[], false, now), []);
        let later = now + ABANDONED + SKEW;
        assert_eq!(troubles(&paths, &[], false, later), [Trouble::Stale { path: temp.clone() }]);
        fs::write(paths.endpoint_file(), "").unwrap();
        chmod(&paths.endpoint_file(), 0o600);
        assert_eq!(troubles(&paths, &[], true, now), []);
        let held = fsx::open_lock(&paths.daemon_lock()).unwrap();
        held.lock().unwrap();
        assert_eq!(troubles(&paths, &[], false, now), [], "a daemon that does not answer still lives");
        drop(held);
        assert_eq!(troubles(&paths, &[], false, now), [Trouble::Stale { path: paths.endpoint_file() }]);
        assert_eq!(mend(&troubles(&paths, &[], false, later)).mended.len(), 2);
        assert!(!temp.exists() && !paths.endpoint_file().exists());
    }

    #[test]
    fn a_clock_that_was_set_back_is_told() {
        let (_dir, paths) = tree();
        let now = SystemTime::now();
        assert_eq!(clock(&paths, now).level, Level::Ok);
        assert_eq!(clock(&paths, now - Duration::from_secs(7200)).level, Level::Warning);
        assert_eq!(clock(&paths, SystemTime::UNIX_EPOCH).level, Level::Error);
        assert_eq!(disk(paths.root()).map(|f| f.id).as_deref(), Some("disk"));
    }
}
