//! Real agents through `clown run`, without a terminal. What each agent does by itself was measured
//! on the pinned versions; here it must come out of `clown run` unchanged.

mod headless;
mod home;
mod hostile;
mod isolation;
mod more;
mod more_hostile;
mod proxied;
mod signals;

use crate::support::{Cmd, TestHome, Upstream};

/// How an agent is asked one thing without a terminal; the prompt goes behind, or on stdin.
pub struct Agent {
    pub id: &'static str,
    pub ask: &'static [&'static str],
}

pub const CLAUDE: Agent = Agent { id: "claude", ask: &["--allowedTools", "Bash", "-p"] };
/// Without the sandbox, which not every machine that tests has; it is Codex's own business.
pub const CODEX: Agent = Agent { id: "codex", ask: &["exec", "--skip-git-repo-check", "-s", "danger-full-access"] };
pub const OPENCODE: Agent = Agent { id: "opencode", ask: &["run"] };

impl Agent {
    /// The command line of a run of a profile.
    pub fn run(&self, home: &TestHome, alias: &str, prompt: &str) -> Cmd {
        let mut args = vec!["run", alias];
        args.extend(self.ask);
        args.push(prompt);
        home.clown(&args)
    }

    /// A home with profile `p` of this agent on the offline model.
    pub fn offline(&self) -> TestHome {
        let home = TestHome::with_agents();
        home.clown(&["profiles", "create", self.id, "p", "--provider", "offline"]).ok();
        home
    }
}

/// A key that is nowhere else, of the length real ones have.
pub fn new_key(tag: &str) -> String {
    format!("sk-{tag}-{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple())
}

/// Whether any part of a key that is long enough to matter is in there.
pub fn has_part_of(key: &str, bytes: &[u8]) -> bool {
    let secret = key.rsplit('-').next().unwrap().as_bytes();
    secret.windows(12).any(|part| crate::support::contains(bytes, part))
}

/// A profile whose key clown keeps, on a provider of its own.
pub fn profile_with_key(home: &TestHome, agent: &Agent, alias: &str, upstream: &Upstream, key: &str, more: &[&str]) {
    home.add_provider(alias, upstream);
    let mut args = vec!["profiles", "create", agent.id, alias, "--provider", alias, "--api-key-stdin"];
    args.extend(more);
    home.clown(&args).stdin(key.as_bytes()).ok();
}

/// One test of each name in each agent's own module, calling the function of that name.
macro_rules! for_each_agent {
    ($($check:ident),+) => {
        mod claude { $(#[test] fn $check() { super::$check(&crate::agents::CLAUDE); })+ }
        mod codex { $(#[test] fn $check() { super::$check(&crate::agents::CODEX); })+ }
        mod opencode { $(#[test] fn $check() { super::$check(&crate::agents::OPENCODE); })+ }
    };
}
pub(crate) use for_each_agent;
