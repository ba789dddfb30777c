//! The only place that computes a path of clown's own.

use std::path::{Path, PathBuf};

use super::{
    error::{Error, Result},
    os,
};
use crate::wire::ids::{AgentId, Alias};

/// Moves clown's whole tree, profile homes included.
pub const HOME_VAR: &str = "CLOWN_HOME";
/// Set for an agent: the home its user has outside of the profile.
pub const REAL_HOME_VAR: &str = "CLOWN_REAL_HOME";
/// Overrides where clients look for the daemon and where it listens: a socket path.
pub const ENDPOINT_VAR: &str = "CLOWN_DAEMON_ENDPOINT";

/// Longest socket path every system takes, without the closing NUL (macOS: 104 bytes in all).
pub const SOCKET_PATH_MAX: usize = 103;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    root: PathBuf,
    /// Whether `CLOWN_HOME` chose the root.
    moved: bool,
}

impl Paths {
    /// From the environment of this process.
    pub fn from_env() -> Result<Self> {
        if let Some(root) = std::env::var_os(HOME_VAR).filter(|v| !v.is_empty()) {
            let root =
                std::path::absolute(PathBuf::from(root)).map_err(|e| Error::io(format!("{HOME_VAR} is not a usable path")).cause(e))?;
            return Ok(Self { root, moved: true });
        }
        let base = base_dirs()?;
        // macOS's own place for settings is not where users of command-line tools look.
        let config = if cfg!(target_os = "macos") { base.home_dir().join(".config") } else { base.config_dir().to_owned() };
        let root = config.join("clown");
        // Inside a profile this is a link to the user's own tree, which must keep its one name.
        Ok(Self { root: std::fs::canonicalize(&root).unwrap_or(root), moved: false })
    }

    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), moved: true }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn config_file(&self) -> PathBuf {
        self.root.join("config.toml")
    }

    pub fn endpoint_file(&self) -> PathBuf {
        self.root.join("daemon-endpoint")
    }

    pub fn daemon_lock(&self) -> PathBuf {
        self.root.join("daemon.lock")
    }

    /// What opens the HTTP interface; 0600.
    pub fn http_token_file(&self) -> PathBuf {
        self.root.join("http-token")
    }

    pub fn startup_lock(&self) -> PathBuf {
        self.root.join("daemon.startup.lock")
    }

    /// Held while the program is replaced.
    pub fn update_lock(&self) -> PathBuf {
        self.root.join("update.lock")
    }

    pub fn log_dir(&self) -> PathBuf {
        self.root.join("logs")
    }

    pub fn log_file(&self) -> PathBuf {
        self.log_dir().join("clownd.log")
    }

    pub fn agents_dir(&self) -> PathBuf {
        self.root.join("agents.d")
    }

    pub fn providers_dir(&self) -> PathBuf {
        self.root.join("providers.d")
    }

    pub fn scripts_dir(&self) -> PathBuf {
        self.root.join("scripts")
    }

    pub fn registry_dir(&self) -> PathBuf {
        self.root.join("registry")
    }

    pub fn templates_dir(&self) -> PathBuf {
        self.root.join("templates")
    }

    pub fn models_dir(&self) -> PathBuf {
        self.root.join("models.d")
    }

    /// The link to the verified registry in force; absent until a first sync.
    pub fn registry_current(&self) -> PathBuf {
        self.registry_dir().join("current")
    }

    /// What of the registry the user agreed to.
    pub fn approvals_file(&self) -> PathBuf {
        self.root.join("approvals.json")
    }

    /// The texts agreed to, by hash.
    pub fn approvals_dir(&self) -> PathBuf {
        self.root.join("approvals")
    }

    /// Commands that ran for manifests and plugins.
    pub fn audit_file(&self) -> PathBuf {
        self.log_dir().join("audit.jsonl")
    }

    pub fn plugins_dir(&self) -> PathBuf {
        self.root.join("plugins.d")
    }

    /// Which plugins the user enabled.
    pub fn plugins_file(&self) -> PathBuf {
        self.root.join("plugins.json")
    }

    /// MCP servers for all profiles.
    pub fn mcp_file(&self) -> PathBuf {
        self.root.join("mcp.json")
    }

    pub fn profiles_dir(&self) -> PathBuf {
        self.root.join("profiles")
    }

    pub fn profile_file(&self, alias: &Alias) -> PathBuf {
        self.profiles_dir().join(format!("{alias}.json"))
    }

    pub fn detections_file(&self) -> PathBuf {
        self.root.join("cache").join("agent-detections.json")
    }

    /// What all profiles of an agent have in common; may be deleted while none runs.
    pub fn shared_dir(&self, agent: &AgentId) -> PathBuf {
        self.root.join("cache").join("agents").join(agent.as_str())
    }

    /// A place inside a profile's home as a manifest writes it: `.` is the home itself.
    pub fn in_home(home: &Path, below: &str) -> PathBuf {
        if below == "." { home.to_owned() } else { home.join(below) }
    }

    pub fn sessions_file(&self) -> PathBuf {
        self.root.join("telemetry").join("sessions.jsonl")
    }

    /// Sums of usage by day; may be deleted.
    pub fn aggregates_file(&self) -> PathBuf {
        self.root.join("telemetry").join("aggregates.json")
    }

    /// What was read of the agents' logs.
    pub fn usage_dir(&self) -> PathBuf {
        self.root.join("telemetry").join("usage")
    }

    pub fn budgets_file(&self) -> PathBuf {
        self.root.join("budgets.json")
    }

    /// How to undo an import that is under way.
    pub fn import_journal(&self) -> PathBuf {
        self.root.join("import.json")
    }

    /// Launchers that were installed.
    pub fn launchers_file(&self) -> PathBuf {
        self.root.join("launchers.json")
    }

    /// The value of `CLOWN_HOME` that leads to this tree; none for the ordinary one.
    pub fn moved_to(&self) -> Option<String> {
        self.moved.then(|| self.root.to_string_lossy().into_owned())
    }

    /// Where and when the prices were taken.
    pub fn prices_lock(&self) -> PathBuf {
        self.registry_dir().join("prices.lock")
    }

    /// Prices of models as the registry brought them; absent until then.
    pub fn prices_file(&self) -> PathBuf {
        self.root.join("registry").join("litellm-pricing.json")
    }

    /// What is known of each profile's proxy process: `<alias>.json`.
    pub fn proxies_dir(&self) -> PathBuf {
        self.root.join("proxies")
    }

    /// The proxy's own directory in a profile home, relative to it.
    pub const PROXY_DIR: &str = ".ultrallm";

    pub fn proxy_config(home: &Path) -> PathBuf {
        home.join(Self::PROXY_DIR).join("config.yaml")
    }

    pub fn proxy_log(home: &Path) -> PathBuf {
        home.join(Self::PROXY_DIR).join("logs").join("proxy.log")
    }

    pub fn proxy_usage(home: &Path) -> PathBuf {
        home.join(Self::PROXY_DIR).join("usage.jsonl")
    }

    /// Where an external proxy engine may be, from this process's environment, best first.
    pub fn engine_dirs() -> Vec<PathBuf> {
        let mut dirs = Vec::new();
        if let Some(base) = directories::BaseDirs::new() {
            let cache = if cfg!(target_os = "macos") { base.home_dir().join(".cache") } else { base.cache_dir().to_owned() };
            dirs.push(cache.join("clown").join("binaries"));
            dirs.push(base.home_dir().join(".local").join("bin"));
        }
        dirs.extend(std::env::var_os("PATH").iter().flat_map(os::path_dirs));
        dirs
    }

    pub fn keys_file(&self) -> PathBuf {
        self.root.join("secrets").join("keys.json")
    }

    /// `~/.<agent>-profiles/<alias>`, or the same below `CLOWN_HOME`.
    pub fn profile_home(&self, user_home: &Path, agent: &AgentId, alias: &Alias) -> PathBuf {
        let base = if self.moved { &self.root } else { user_home };
        base.join(format!(".{agent}-profiles")).join(alias.as_str())
    }

    /// Name and file of the systemd unit that runs the daemon of this tree; another tree has its own.
    pub fn systemd_unit(&self) -> Result<(String, PathBuf)> {
        let name = format!("{}.service", self.service_name('-'));
        let file = base_dirs()?.config_dir().join("systemd").join("user").join(&name);
        Ok((name, file))
    }

    /// Label and file of the launchd agent.
    pub fn launch_agent(&self) -> Result<(String, PathBuf)> {
        let label = format!("{}.daemon", self.service_name('.'));
        let file = base_dirs()?.home_dir().join("Library").join("LaunchAgents").join(format!("{label}.plist"));
        Ok((label, file))
    }

    fn service_name(&self, separator: char) -> String {
        if self.moved { format!("clown{separator}{}", self.tag()) } else { "clown".to_owned() }
    }

    /// Short, stable name of this tree, for places that all trees share.
    pub fn tag(&self) -> String {
        short_hash(self.root.to_string_lossy().as_bytes())
    }

    /// Where the daemon may listen, best first. The well-known name comes first only for the
    /// ordinary tree: another tree must not take it.
    pub fn socket_candidates(&self, runtime: &Path) -> Vec<PathBuf> {
        if let Some(path) = std::env::var_os(ENDPOINT_VAR).filter(|v| !v.is_empty()) {
            let text = path.to_string_lossy();
            return vec![PathBuf::from(text.strip_prefix("ipc://").unwrap_or(&text))];
        }
        let private = runtime.join(format!("{}.sock", self.tag()));
        if self.moved { vec![private] } else { vec![os::well_known_socket(), private] }
    }

    /// Directory for the messaging library's own sockets, inside the runtime directory.
    pub fn inner_socket(&self, runtime: &Path, name: &str) -> PathBuf {
        runtime.join(format!("{}-{}-{name}", self.tag(), std::process::id()))
    }

    /// Removes what a killed daemon of this tree left. Call with the daemon lock held.
    pub fn sweep_inner_sockets(&self, runtime: &Path) {
        let prefix = format!("{}-", self.tag());
        for entry in std::fs::read_dir(runtime).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(&prefix) {
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }

    /// TMPDIR of a profile: short, because agents put sockets in it.
    pub fn profile_tmp(&self, runtime: &Path, agent: &AgentId, alias: &Alias) -> PathBuf {
        let name = short_hash(format!("{}\0{agent}\0{alias}", self.root.display()).as_bytes());
        runtime.join("t").join(name)
    }
}

fn base_dirs() -> Result<directories::BaseDirs> {
    directories::BaseDirs::new().ok_or_else(|| {
        Error::io("no home directory is known for this user").hint(format!("set HOME, or {HOME_VAR} to a directory for clown"))
    })
}

fn short_hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().chars().take(10).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moved_tree_keeps_homes_inside_and_never_takes_the_well_known_socket() {
        let paths = Paths::at("/t/clown");
        let alias = Alias::parse("work").unwrap();
        let agent = AgentId::parse("claude").unwrap();
        assert_eq!(paths.profile_home(Path::new("/home/u"), &agent, &alias), Path::new("/t/clown/.claude-profiles/work"));
        let sockets = paths.socket_candidates(Path::new("/run/u"));
        assert!(sockets.iter().all(|s| s.starts_with("/run/u")), "{sockets:?}");
    }

    #[test]
    fn trees_and_profiles_do_not_share_names() {
        let (a, b) = (Paths::at("/a"), Paths::at("/b"));
        assert_ne!(a.tag(), b.tag());
        let (agent, alias) = (AgentId::parse("x").unwrap(), Alias::parse("y").unwrap());
        assert_ne!(a.profile_tmp(Path::new("/r"), &agent, &alias), b.profile_tmp(Path::new("/r"), &agent, &alias));
    }
}
