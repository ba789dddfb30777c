//! The bridge: links in a profile home to everything of the real home that no agent owns, so that
//! git, ssh, npm, shell rc files and the rest keep working under another HOME.
//!
//! An entry the profile has of its own is never replaced. What was linked is written down in
//! `.clown/bridge.json`, so that a link some tool replaced by a file of its own can be told.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::base::{
    error::{Error, Result},
    fsx, os,
};

/// Directories that are made in the profile home and filled child by child, because agents put
/// their own directories beside other programs' ones.
const DESCEND: &[&str] = &[".config", ".local", ".local/share", ".local/state", ".cache"];
const RECORD: &str = ".clown/bridge.json";

/// The real home, with the base directories that may stand elsewhere.
#[derive(Clone, Debug)]
pub struct Real {
    pub home: PathBuf,
    /// `.config`, `.local/share`, ... to where they really are.
    pub moved: Vec<(&'static str, PathBuf)>,
}

#[derive(Default, Serialize, Deserialize)]
struct Record {
    version: u32,
    links: BTreeSet<String>,
}

pub struct Bridge<'a> {
    real: &'a Real,
    home: &'a Path,
    /// Paths relative to a home that are never linked.
    isolated: &'a BTreeSet<String>,
    links: BTreeSet<String>,
}

impl<'a> Bridge<'a> {
    pub fn new(real: &'a Real, home: &'a Path, isolated: &'a BTreeSet<String>) -> Self {
        Self { real, home, isolated, links: BTreeSet::new() }
    }

    /// Brings the links up to date. Returns the entries that were links once and are files now.
    pub fn build(mut self) -> Result<Vec<String>> {
        self.level("", &self.real.home.clone())?;
        self.finish()
    }

    /// Only below these directories, for a profile that keeps the real HOME but moves some base
    /// directories into its own.
    pub fn build_below(mut self, dirs: &[&str]) -> Result<Vec<String>> {
        for dir in dirs {
            let source = self.source(dir, self.real.home.join(dir));
            self.own_dir(dir)?;
            self.level(dir, &source)?;
        }
        self.finish()
    }

    fn finish(self) -> Result<Vec<String>> {
        let before = read_record(self.home);
        for gone in before.links.difference(&self.links) {
            self.drop_stale(gone);
        }
        let replaced = replaced(self.home, &before.links);
        let mut links = self.links;
        // Remembered until moved back, or nobody could tell.
        links.extend(replaced.iter().cloned());
        if links != before.links {
            let text =
                serde_json::to_vec(&Record { version: 1, links }).map_err(|e| Error::io("cannot encode the list of links").cause(e))?;
            fsx::write_atomic(&self.home.join(RECORD), &text, fsx::Mode::Private)?;
        }
        Ok(replaced)
    }

    fn level(&mut self, relative: &str, real_dir: &Path) -> Result<()> {
        let entries = match fs::read_dir(real_dir) {
            Ok(entries) => entries,
            // A home without that directory, or one that is closed to us, has nothing to offer.
            Err(_) => return Ok(()),
        };
        for entry in entries.flatten() {
            let Some(name) = entry.file_name().to_str().map(str::to_owned) else { continue };
            let path = if relative.is_empty() { name.clone() } else { format!("{relative}/{name}") };
            if self.is_isolated(&path, &name, relative) {
                continue;
            }
            if self.has_isolated_inside(&path) || DESCEND.contains(&path.as_str()) {
                let source = self.source(&path, entry.path());
                if source.is_dir() {
                    self.own_dir(&path)?;
                    self.level(&path, &source)?;
                }
                continue;
            }
            // A link to what this home stands in would lead back into it.
            if !self.home.starts_with(entry.path()) {
                self.link(&path, &entry.path())?;
            }
        }
        // Base directories that stand elsewhere need not exist in the real home at all.
        for (below, place) in self.real.moved.clone() {
            let parent = below.rsplit_once('/').map_or("", |(p, _)| p);
            if parent == relative && !real_dir.join(below.rsplit('/').next().unwrap_or(below)).exists() && place.is_dir() {
                self.own_dir(below)?;
                self.level(below, &place)?;
            }
        }
        Ok(())
    }

    fn source(&self, path: &str, usual: PathBuf) -> PathBuf {
        self.real.moved.iter().find(|(below, _)| *below == path).map_or(usual, |(_, place)| place.clone())
    }

    fn is_isolated(&self, path: &str, name: &str, relative: &str) -> bool {
        let profiles = relative.is_empty() && name.starts_with('.') && name.ends_with("-profiles");
        profiles || self.isolated.contains(path)
    }

    fn has_isolated_inside(&self, path: &str) -> bool {
        self.isolated.iter().any(|i| i.strip_prefix(path).is_some_and(|rest| rest.starts_with('/')))
    }

    /// A directory of the profile's own where an older state may have left a link of ours.
    fn own_dir(&self, path: &str) -> Result<()> {
        let place = self.home.join(path);
        match fs::symlink_metadata(&place) {
            Ok(meta) if meta.is_dir() => Ok(()),
            Ok(meta) if meta.is_symlink() => {
                fs::remove_file(&place).map_err(Error::writing(&place))?;
                fsx::create_private_dir(&place)
            }
            Ok(_) => {
                Err(Error::conflict(format!("{} is a file where a directory must be", place.display())).hint("move it away and run again"))
            }
            Err(_) => fsx::create_private_dir(&place),
        }
    }

    fn link(&mut self, path: &str, target: &Path) -> Result<()> {
        let place = self.home.join(path);
        match fs::read_link(&place) {
            Ok(now) if now == target => {}
            // A link of ours to an older place of the real home.
            Ok(_) if fs::metadata(&place).is_err() => {
                fs::remove_file(&place).map_err(Error::writing(&place))?;
                os::symlink(target, &place).map_err(Error::writing(&place))?;
            }
            Ok(_) => return Ok(()),
            Err(_) if fs::symlink_metadata(&place).is_ok() => return Ok(()),
            Err(_) => match os::symlink(target, &place) {
                // Another run of the same profile was faster.
                Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => return Err(Error::writing(&place)(e)),
                _ => {}
            },
        }
        self.links.insert(path.to_owned());
        Ok(())
    }

    /// Removes a link of ours whose target is gone or became an agent's.
    fn drop_stale(&self, path: &str) {
        let place = self.home.join(path);
        if fs::symlink_metadata(&place).is_ok_and(|m| m.is_symlink()) {
            let _ = fs::remove_file(&place);
        }
    }
}

/// Entries that clown linked once and that are files or directories of the profile's own now.
pub fn replaced(home: &Path, links: &BTreeSet<String>) -> Vec<String> {
    links.iter().filter(|path| fs::symlink_metadata(home.join(path)).is_ok_and(|m| !m.is_symlink())).cloned().collect()
}

/// The same, from the record of a home.
pub fn replaced_links(home: &Path) -> Vec<String> {
    replaced(home, &read_record(home).links)
}

fn read_record(home: &Path) -> Record {
    fs::read(home.join(RECORD)).ok().and_then(|b| serde_json::from_slice(&b).ok()).unwrap_or_default()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    struct Homes {
        _dir: tempfile::TempDir,
        real: Real,
        home: PathBuf,
        isolated: BTreeSet<String>,
    }

    fn homes() -> Homes {
        let dir = tempfile::tempdir().unwrap();
        let real = dir.path().join("real");
        for path in [
            ".gitconfig",
            ".claude.json",
            ".claude/x",
            ".ssh/config",
            ".config/gh/hosts.yml",
            ".config/opencode/a",
            ".local/bin/tool",
            ".local/share/fonts/f",
            ".local/share/opencode/db",
            ".codex-profiles/p/x",
        ] {
            let path = real.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "real").unwrap();
        }
        let home = real.join(".claude-profiles/work");
        super::super::home::prepare(&home, &[".claude".into()]).unwrap();
        let isolated = [".claude", ".claude.json", ".config/opencode", ".local/share/opencode"].map(str::to_owned).into();
        Homes { _dir: dir, real: Real { home: real, moved: Vec::new() }, home, isolated }
    }

    impl Homes {
        fn build(&self) -> Vec<String> {
            Bridge::new(&self.real, &self.home, &self.isolated).build().unwrap()
        }
        fn is_link(&self, path: &str) -> bool {
            fs::symlink_metadata(self.home.join(path)).is_ok_and(|m| m.is_symlink())
        }
    }

    #[test]
    fn everything_is_reachable_except_what_agents_own() {
        let h = homes();
        assert_eq!(h.build(), [""; 0]);
        for link in [".gitconfig", ".ssh", ".config/gh", ".local/bin", ".local/share/fonts"] {
            assert!(h.is_link(link), "{link}");
        }
        assert_eq!(fs::read_to_string(h.home.join(".config/gh/hosts.yml")).unwrap(), "real");
        for own in [".claude.json", ".claude/x", ".config/opencode", ".local/share/opencode", ".codex-profiles", ".claude-profiles"] {
            assert!(!h.home.join(own).exists(), "{own}");
        }
        assert!(!h.is_link(".config") && !h.is_link(".claude"));
    }

    #[test]
    fn what_the_agent_wrote_stays_and_a_replaced_link_is_told() {
        let h = homes();
        fs::write(h.home.join(".npmrc"), "own").unwrap();
        fs::write(h.real.home.join(".npmrc"), "real").unwrap();
        h.build();
        assert_eq!(fs::read_to_string(h.home.join(".npmrc")).unwrap(), "own");
        fs::remove_file(h.home.join(".gitconfig")).unwrap();
        fs::write(h.home.join(".gitconfig"), "tool").unwrap();
        assert_eq!(h.build(), [".gitconfig"]);
        assert_eq!(h.build(), [".gitconfig"], "still told on the next run");
        assert_eq!(fs::read_to_string(h.home.join(".gitconfig")).unwrap(), "tool");
        assert_eq!(replaced_links(&h.home), [".gitconfig"]);
    }

    #[test]
    fn a_home_inside_the_config_directory_is_bridged_around_its_own_tree() {
        let h = homes();
        let home = h.real.home.join(".config/clown/.claude-profiles/work");
        super::super::home::prepare(&home, &[".claude".into()]).unwrap();
        Bridge::new(&h.real, &home, &h.isolated).build().unwrap();
        assert_eq!(fs::read_link(home.join(".config/gh")).unwrap(), h.real.home.join(".config/gh"));
        assert!(fs::symlink_metadata(home.join(".config/clown")).is_err());
    }

    #[test]
    fn links_follow_the_real_home() {
        let mut h = homes();
        h.build();
        fs::remove_file(h.real.home.join(".gitconfig")).unwrap();
        fs::write(h.real.home.join(".newrc"), "x").unwrap();
        h.isolated.insert(".config/gh".into());
        h.build();
        assert!(!h.is_link(".gitconfig") && h.is_link(".newrc") && !h.is_link(".config/gh"));
    }

    #[test]
    fn a_config_directory_that_stands_elsewhere_is_bridged_from_there() {
        let mut h = homes();
        let elsewhere = h.real.home.parent().unwrap().join("cfg");
        fs::create_dir_all(elsewhere.join("tool")).unwrap();
        h.real.moved = vec![(".config", elsewhere.clone())];
        h.build();
        assert_eq!(fs::read_link(h.home.join(".config/tool")).unwrap(), elsewhere.join("tool"));
        assert!(!h.home.join(".config/gh").exists());
        fs::remove_dir_all(h.real.home.join(".config")).unwrap();
        h.build();
        assert!(h.is_link(".config/tool"));
    }
}
