//! Looks up, probes, remembers.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};

use crate::{
    base::{
        error::Result,
        fsx,
        launcher::is_launcher,
        os,
        seams::{Spawn, SpawnSpec},
    },
    wire::{agents::Detection, manifest::AgentManifest},
};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    size: u64,
    mtime_ns: u64,
    args: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

#[derive(Default, Serialize, Deserialize)]
struct Stored {
    version: u32,
    /// By resolved path.
    programs: BTreeMap<String, Known>,
}

const STORED_VERSION: u32 = 1;

pub struct Detector {
    file: PathBuf,
    spawn: Arc<dyn Spawn>,
    /// Answers of the cache file, loaded at first use.
    known: Mutex<Option<BTreeMap<String, Known>>>,
}

/// Whether a cached answer may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    WhenChanged,
    Always,
}

impl Detector {
    pub fn new(file: PathBuf, spawn: Arc<dyn Spawn>) -> Self {
        Self { file, spawn, known: Mutex::new(None) }
    }

    /// What is installed of each agent, by id; probes run side by side.
    /// The second value tells whether anything was learnt that the cache did not hold.
    pub fn detect(&self, agents: &[Arc<AgentManifest>], path: &str, ask: Ask) -> Result<(BTreeMap<String, Detection>, bool)> {
        let found: Vec<(&AgentManifest, PathBuf)> = agents.iter().filter_map(|a| Some((&**a, find_program(&a.binaries, path)?))).collect();
        let mut known = self.load();
        let mut learnt = Vec::new();
        std::thread::scope(|scope| {
            let probes: Vec<_> = found
                .iter()
                .filter_map(|(agent, program)| {
                    let (size, mtime_ns) = look(program)?;
                    let cached = known.get(&*program.to_string_lossy());
                    let fresh = cached.is_some_and(|k| (k.size, k.mtime_ns) == (size, mtime_ns) && k.args == agent.version.args);
                    if fresh && ask == Ask::WhenChanged {
                        return None;
                    }
                    let probe = scope.spawn(move || {
                        let (version, problem) = match self.probe(agent, program, path) {
                            Ok(version) => (Some(version), None),
                            Err(problem) => (None, Some(problem)),
                        };
                        Known { size, mtime_ns, args: agent.version.args.clone(), version, problem }
                    });
                    Some((program.to_string_lossy().into_owned(), probe))
                })
                .collect();
            for (program, probe) in probes {
                if let Ok(answer) = probe.join() {
                    learnt.push((program, answer));
                }
            }
        });
        let news = !learnt.is_empty();
        if news {
            known.extend(learnt);
            self.save(&known)?;
        }
        let detections = found.into_iter().map(|(agent, program)| {
            let path = program.to_string_lossy().into_owned();
            let answer = known.get(&path);
            let detection =
                Detection { version: answer.and_then(|k| k.version.clone()), problem: answer.and_then(|k| k.problem.clone()), path };
            (agent.id.to_string(), detection)
        });
        Ok((detections.collect(), news))
    }

    /// Version of a program as the cache has it, without running anything.
    pub fn cached_version(&self, program: &Path) -> Option<String> {
        let (size, mtime_ns) = look(program)?;
        let known = self.load();
        let answer = known.get(&*program.to_string_lossy())?;
        ((answer.size, answer.mtime_ns) == (size, mtime_ns)).then(|| answer.version.clone()).flatten()
    }

    fn load(&self) -> BTreeMap<String, Known> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known
            .get_or_insert_with(|| {
                // A cache that cannot be read is made again.
                let stored: Option<Stored> = fs::read(&self.file).ok().and_then(|b| serde_json::from_slice(&b).ok());
                stored.filter(|s| s.version == STORED_VERSION).map(|s| s.programs).unwrap_or_default()
            })
            .clone()
    }

    fn save(&self, programs: &BTreeMap<String, Known>) -> Result<()> {
        let kept: BTreeMap<_, _> = programs.iter().filter(|(p, _)| Path::new(p).exists()).map(|(p, k)| (p.clone(), k.clone())).collect();
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept.clone());
        let text = serde_json::to_vec_pretty(&Stored { version: STORED_VERSION, programs: kept }).unwrap_or_default();
        fsx::write_atomic(&self.file, &text, fsx::Mode::Private)
    }

    fn probe(&self, agent: &AgentManifest, program: &Path, path: &str) -> Result<String, String> {
        let scratch = tempfile::Builder::new().prefix("clown-probe-").tempdir().map_err(|e| format!("no scratch directory: {e}"))?;
        let mut env = BTreeMap::from([("PATH".into(), path.into()), ("NO_COLOR".into(), "1".into())]);
        for (name, below) in [
            ("HOME", ""),
            ("USERPROFILE", ""),
            ("TMPDIR", "tmp"),
            ("XDG_CONFIG_HOME", ".config"),
            ("XDG_DATA_HOME", ".local/share"),
            ("XDG_STATE_HOME", ".local/state"),
            ("XDG_CACHE_HOME", ".cache"),
        ] {
            let dir = scratch.path().join(below);
            fs::create_dir_all(&dir).map_err(|e| format!("no scratch directory: {e}"))?;
            env.insert(name.into(), dir.into_os_string());
        }
        let limit = Duration::from_millis(agent.version.timeout_ms.clamp(100, 60_000));
        let spec = SpawnSpec {
            program: program.to_owned(),
            args: agent.version.args.clone(),
            env,
            cwd: Some(scratch.path().to_owned()),
            stdin: Vec::new(),
            timeout: limit,
            max_output: 64 * 1024,
        };
        let ran = self.spawn.run(&spec).map_err(|e| format!("cannot be run: {e}"))?;
        if ran.timed_out {
            return Err(format!("gave no version within {} s", limit.as_secs_f32()));
        }
        // Some print it on stderr, and some warn there before they print it on stdout.
        let streams = [&ran.stdout[..], &ran.stderr[..]];
        streams.into_iter().find_map(|s| version_in(&String::from_utf8_lossy(s))).ok_or_else(|| match ran.code {
            Some(0) => "printed no version".to_owned(),
            Some(code) => format!("its version probe failed with exit code {code}"),
            None => "its version probe was ended by a signal".to_owned(),
        })
    }
}

/// Size and modification time in nanoseconds.
fn look(program: &Path) -> Option<(u64, u64)> {
    let meta = fs::metadata(program).ok()?;
    let age = meta.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some((meta.len(), u64::try_from(age.as_nanos()).ok()?))
}

/// First program of these names on a PATH, as an absolute path with links resolved.
pub fn find_program(names: &[String], path: &str) -> Option<PathBuf> {
    names.iter().flat_map(|n| os::program_names(n)).find_map(|name| {
        std::env::split_paths(OsStr::new(path))
            .filter(|dir| dir.is_absolute())
            .map(|dir| dir.join(&name))
            // A launcher runs a profile of the agent, which would look for the agent again.
            .find(|p| os::is_executable(p) && !is_launcher(p))
            .and_then(|p| fs::canonicalize(p).ok())
    })
}

/// First word of the form `1.2.3...`.
fn version_in(text: &str) -> Option<String> {
    let words = text.split(|c: char| c.is_whitespace() || "()\"'`,".contains(c));
    words.map(|w| w.trim_start_matches('v').trim_end_matches(['.', ';', ':'])).find(|w| looks_like_version(w)).map(str::to_owned)
}

fn looks_like_version(word: &str) -> bool {
    let mut parts = word.splitn(3, '.');
    let number = |p: Option<&str>| p.is_some_and(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()));
    number(parts.next()) && number(parts.next()) && parts.next().is_some_and(|p| p.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::seams::SystemSpawn;

    #[test]
    fn versions_as_real_agents_print_them() {
        for (text, version) in [
            ("2.1.330 (Claude Code)", Some("2.1.330")),
            ("codex-cli 0.169.0", Some("0.169.0")),
            ("GitHub Copilot CLI 1.0.102.\nRun 'copilot update' to check", Some("1.0.102")),
            ("grok 1.0.41 (4220f3b224a6)", Some("1.0.41")),
            ("0.0.1790142911-g7618fb (released 2026-09-23T05:55:11.000Z, 2mo ago)", Some("0.0.1790142911-g7618fb")),
            ("v1.2.3-beta.1\n", Some("1.2.3-beta.1")),
            ("WARNING: no PATH aliases in /tmp/x.y.z", None),
        ] {
            assert_eq!(version_in(text).as_deref(), version, "{text}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_changed_program_is_noticed_and_an_unchanged_one_is_not_run_again() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let bin = dir.path().join("bin");
        fs::create_dir(&bin).unwrap();
        let program = bin.join("fake");
        let install = |version: &str| {
            let text = format!("#!/bin/sh\necho run >> {}/runs\nmkdir -p \"$HOME/.fake\"\necho {version} >&2\n", dir.path().display());
            fs::write(&program, text).unwrap();
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        };
        let runs = || fs::read_to_string(dir.path().join("runs")).unwrap_or_default().lines().count();
        let manifest: AgentManifest = toml::from_str(
            "schema = 1\nid = \"fake\"\nname = \"Fake\"\nbinaries = [\"fake\"]\nformats = [\"anthropic\"]\nauth = [\"key\"]\nscript = \"fake\"\n\
             [isolation]\ndefault = \"home-wrapper\"\nmodes = [\"home-wrapper\"]\nconfig_dir = \".fake\"\nisolated = [\".fake\"]\n",
        )
        .unwrap();
        let agents = [Arc::new(manifest)];
        let path = format!("{}:/usr/bin:/bin", bin.display());
        let detector = || Detector::new(dir.path().join("cache/d.json"), Arc::new(SystemSpawn));

        install("1.0.0");
        let (found, news) = detector().detect(&agents, &path, Ask::WhenChanged).unwrap();
        assert_eq!((found["fake"].version.as_deref(), news, runs()), (Some("1.0.0"), true, 1));
        let (_, news) = detector().detect(&agents, &path, Ask::WhenChanged).unwrap();
        assert_eq!((news, runs()), (false, 1));
        install("1.0.10");
        let (found, _) = detector().detect(&agents, &path, Ask::WhenChanged).unwrap();
        assert_eq!((found["fake"].version.as_deref(), runs()), (Some("1.0.10"), 2));
        detector().detect(&agents, &path, Ask::Always).unwrap();
        assert_eq!(runs(), 3);
        let (found, _) = detector().detect(&agents, "/nowhere", Ask::WhenChanged).unwrap();
        assert!(found.is_empty());
    }
}
