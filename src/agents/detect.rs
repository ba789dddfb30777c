//! Looks up, probes, remembers.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};

use crate::{
    base::{
        error::Result,
        fsx, glob,
        launcher::is_launcher,
        os,
        paths::Paths,
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
    /// First line it printed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    said: Option<String>,
}

#[derive(Default, Serialize, Deserialize)]
struct Stored {
    version: u32,
    /// By resolved path.
    programs: BTreeMap<String, Known>,
}

const STORED_VERSION: u32 = 2;
/// Of a printed line, in characters.
const MAX_SAID: usize = 200;

pub struct Detector {
    paths: Paths,
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
    pub fn new(paths: Paths, spawn: Arc<dyn Spawn>) -> Self {
        Self { paths, spawn, known: Mutex::new(None) }
    }

    /// What is installed of each agent, by id; probes run side by side.
    /// The second value tells whether anything was learnt that the cache did not hold.
    pub fn detect(&self, agents: &[Arc<AgentManifest>], path: &str, ask: Ask) -> Result<(BTreeMap<String, Detection>, bool)> {
        let found: Vec<(&AgentManifest, Vec<PathBuf>)> = agents.iter().map(|a| (&**a, candidates(a, path))).collect();
        // Several agents may have a program in common, by its name.
        let programs: BTreeMap<&Path, &AgentManifest> = found.iter().flat_map(|(a, all)| all.iter().map(|p| (p.as_path(), *a))).collect();
        let mut known = self.load();
        let mut learnt = Vec::new();
        std::thread::scope(|scope| {
            let probes: Vec<_> = programs
                .into_iter()
                .filter_map(|(program, agent)| {
                    let (size, mtime_ns) = look(program)?;
                    let cached = known.get(&*program.to_string_lossy());
                    let fresh = cached.is_some_and(|k| (k.size, k.mtime_ns) == (size, mtime_ns) && k.args == agent.version.args);
                    if fresh && ask == Ask::WhenChanged {
                        return None;
                    }
                    let probe = scope.spawn(move || {
                        let (version, said, problem) = match self.probe(agent, program, path) {
                            Ok((version, said)) => (Some(version), Some(said), None),
                            Err(problem) => (None, None, Some(problem)),
                        };
                        Known { size, mtime_ns, args: agent.version.args.clone(), version, problem, said }
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
        let detections = found.into_iter().filter_map(|(agent, programs)| {
            let path = programs.into_iter().find(|p| may_be(agent, &known, p))?.to_string_lossy().into_owned();
            let answer = known.get(&path);
            let detection =
                Detection { version: answer.and_then(|k| k.version.clone()), problem: answer.and_then(|k| k.problem.clone()), path };
            Some((agent.id.to_string(), detection))
        });
        Ok((detections.collect(), news))
    }

    /// The program a run of the agent starts. Nothing is run, unless its name alone does not tell whose it is and nobody asked yet.
    pub fn find(&self, agent: &Arc<AgentManifest>, path: &str) -> Result<Option<PathBuf>> {
        if agent.version.says.is_empty() {
            return Ok(find_program(&agent.binaries, path));
        }
        let (mut found, _) = self.detect(std::slice::from_ref(agent), path, Ask::WhenChanged)?;
        Ok(found.remove(agent.id.as_str()).map(|detection| PathBuf::from(detection.path)))
    }

    /// The same by what is known, without running anything.
    pub fn find_known(&self, agent: &AgentManifest, path: &str) -> Option<PathBuf> {
        let known = self.load();
        candidates(agent, path).into_iter().find(|program| may_be(agent, &known, program))
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
                let stored: Option<Stored> = fs::read(self.paths.detections_file()).ok().and_then(|b| serde_json::from_slice(&b).ok());
                stored.filter(|s| s.version == STORED_VERSION).map(|s| s.programs).unwrap_or_default()
            })
            .clone()
    }

    fn save(&self, programs: &BTreeMap<String, Known>) -> Result<()> {
        let kept: BTreeMap<_, _> = programs.iter().filter(|(p, _)| Path::new(p).exists()).map(|(p, k)| (p.clone(), k.clone())).collect();
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept.clone());
        let text = serde_json::to_vec_pretty(&Stored { version: STORED_VERSION, programs: kept }).unwrap_or_default();
        fsx::write_atomic(&self.paths.detections_file(), &text, fsx::Mode::Private)
    }

    /// Version and first line.
    fn probe(&self, agent: &AgentManifest, program: &Path, path: &str) -> Result<(String, String), String> {
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
        // What it unpacks now its first run finds there.
        for (name, below) in &agent.isolation.shared {
            let dir = self.paths.shared_dir(&agent.id).join(below);
            fsx::create_private_dir(&dir).map_err(|e| e.to_string())?;
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
        let read = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes);
            let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
            Some((version_in(&text)?, line.chars().take(MAX_SAID).collect()))
        };
        streams.into_iter().find_map(read).ok_or_else(|| match ran.code {
            Some(0) => "printed no version".to_owned(),
            Some(code) => format!("its version probe failed with exit code {code}"),
            None => "its version probe was ended by a signal".to_owned(),
        })
    }
}

/// Programs of the agent's names, the one that counts first. More than one only where they must be told apart.
fn candidates(agent: &AgentManifest, path: &str) -> Vec<PathBuf> {
    let limit = if agent.version.says.is_empty() { 1 } else { usize::MAX };
    let mut seen = BTreeSet::new();
    programs(&agent.binaries, path).filter(|program| seen.insert(program.clone())).take(limit).collect()
}

/// Whether a program can be the agent's, by what it printed.
fn may_be(agent: &AgentManifest, known: &BTreeMap<String, Known>, program: &Path) -> bool {
    let says = &agent.version.says;
    let answer = known.get(&*program.to_string_lossy());
    says.is_empty() || answer.is_none_or(|k| k.said.as_ref().is_some_and(|said| says.iter().any(|pattern| glob::matches(pattern, said))))
}

/// Size and modification time in nanoseconds.
fn look(program: &Path) -> Option<(u64, u64)> {
    let meta = fs::metadata(program).ok()?;
    let age = meta.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some((meta.len(), u64::try_from(age.as_nanos()).ok()?))
}

/// First program of these names on a PATH, as an absolute path with links resolved.
pub fn find_program(names: &[String], path: &str) -> Option<PathBuf> {
    programs(names, path).next()
}

fn programs(names: &[String], path: &str) -> impl Iterator<Item = PathBuf> {
    names.iter().flat_map(|n| os::program_names(n)).flat_map(move |name| {
        os::path_dirs(path)
            .into_iter()
            .map(move |dir| dir.join(&name))
            // A launcher runs a profile of the agent, which would look for the agent again.
            .filter(|p| os::is_executable(p) && !is_launcher(p))
            .filter_map(|p| fs::canonicalize(p).ok())
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
    fn agents_of_one_name_are_told_apart_by_what_they_print() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let place = |name: &str, says: &str| {
            let bin = dir.path().join(name);
            fs::create_dir(&bin).unwrap();
            fs::write(bin.join("same"), format!("#!/bin/sh\necho '{says}'\necho unpacked > \"$SHARED/it\"\n")).unwrap();
            fs::set_permissions(bin.join("same"), fs::Permissions::from_mode(0o755)).unwrap();
            bin.display().to_string()
        };
        let (one, two) = (place("one", "same 1.0.41 (abc)"), place("two", "0.9.2"));
        let agent = |id: &str, says: &str| {
            let text = format!(
                "schema = 1\nid = \"{id}\"\nname = \"{id}\"\nbinaries = [\"same\"]\nformats = []\nauth = [\"self\"]\nscript = \"x\"\n\
                 [version]\nargs = []\ntimeout_ms = 5000\nsays = {says}\n[isolation]\ndefault = \"home-wrapper\"\nmodes = [\"home-wrapper\"]\n\
                 config_dir = \".x\"\nisolated = [\".x\"]\nshared = {{ SHARED = \"things\" }}\n"
            );
            Arc::new(toml::from_str::<AgentManifest>(&text).unwrap())
        };
        let (first, second, none) = (agent("a", "[\"same *\"]"), agent("b", "[\"0.*\", \"1.*\"]"), agent("c", "[\"other\"]"));
        let detector = Detector::new(Paths::at(dir.path().to_owned()), Arc::new(SystemSpawn));
        for path in [format!("{one}:{two}"), format!("{two}:{one}")] {
            let found = |agent| detector.find(agent, &path).unwrap().map(|p| p.parent().unwrap().file_name().unwrap().to_owned());
            assert_eq!((found(&first).unwrap(), found(&second).unwrap(), found(&none)), ("one".into(), "two".into(), None));
            assert_eq!(detector.find_known(&none, &path), None);
        }
        assert_eq!(detector.find(&second, &one).unwrap(), None, "the other vendor's is not taken for it");
        assert!(dir.path().join("cache/agents/a/things/it").exists(), "what a probe unpacks is kept for the first run");
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
        let detector = || Detector::new(Paths::at(dir.path().to_owned()), Arc::new(SystemSpawn));

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
