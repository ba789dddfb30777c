//! Bad input: one clear line, what to do next, exit code 1 or 2, and nothing half-made.

mod files;
mod keys;
mod names;
mod output;
mod places;
mod scripts;

use crate::support::{Cmd, Out, TestHome, Tree};

/// A home with one profile `keep`, watched for changes.
struct Scene {
    home: TestHome,
}

impl Scene {
    fn new() -> Self {
        Self::of(TestHome::new())
    }

    fn of(home: TestHome) -> Self {
        home.json(&["profiles", "create", "claude", "keep", "--provider", "offline"]);
        Self { home }
    }

    /// An agent that takes no keys.
    fn loner(&self) {
        let manifest = include_str!("../../manifests/agents/claude.toml");
        let manifest = manifest.replace("id = \"claude\"", "id = \"loner\"").replace("Claude Code\"", "Loner\"");
        let manifest = manifest.replace("[\"claude-code\"]", "[]").replace("[\"key\", \"self\"]", "[\"self\"]");
        self.home.write(self.home.root().join("agents.d/loner.toml"), &manifest);
    }

    /// Runs a wrong command and requires: this exit code, one `error:` line that holds `message`, at
    /// least one `hint:` line, nothing on stdout, no file touched and no event sent.
    fn refused(&self, code: i32, args: &[&str], message: &str) -> Out {
        self.refuses(code, self.home.clown(args), message)
    }

    fn refuses(&self, code: i32, cmd: Cmd, message: &str) -> Out {
        let (tree, events) = (self.home.tree(), self.home.events());
        let out = cmd.fails(code);
        told(&out, message);
        self.unchanged(&tree, &out);
        assert_eq!(self.home.events(), events, "an event was sent\n{}", out.report());
        out
    }

    fn unchanged(&self, before: &Tree, out: &Out) {
        let changes = before.changes(&self.home.tree());
        assert!(changes.is_empty(), "{changes}{}", out.report());
    }
}

/// One `error:` line with this text, hints behind it, nothing on stdout.
fn told(out: &Out, message: &str) {
    let stderr = out.stderr();
    let errors: Vec<&str> = stderr.lines().filter(|l| l.starts_with("error: ")).collect();
    assert!(errors.len() == 1 && errors[0].contains(message), "one error line with {message:?}\n{}", out.report());
    assert!(!errors[0].ends_with('.'), "no full stop\n{}", out.report());
    let hints = stderr.lines().filter(|l| l.starts_with("hint: ")).count();
    assert!(hints > 0, "it says what to do next\n{}", out.report());
    assert_eq!(errors.len() + hints, stderr.lines().count(), "nothing else\n{}", out.report());
    assert_eq!(out.stdout(), "", "{}", out.report());
}
