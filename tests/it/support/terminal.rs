//! Commands on a terminal, which the program `script` makes.

use std::process::Command;

use super::TestHome;

impl TestHome {
    /// What a terminal shows when clown runs there and these lines are typed. `None`, with a word about
    /// it, where there is no `script`.
    pub fn on_terminal(&self, line: &str, typed: &str, vars: &[(&str, &str)]) -> Option<String> {
        self.typed(&format!("{} {line}", env!("CARGO_BIN_EXE_clown")), typed, vars)
    }

    /// The same for another program.
    pub fn in_terminal(&self, line: &str, typed: &str) -> Option<String> {
        self.typed(line, typed, &[])
    }

    fn typed(&self, shown: &str, typed: &str, vars: &[(&str, &str)]) -> Option<String> {
        let usable = Command::new("script").arg("--version").output().is_ok_and(|o| o.status.success());
        if !usable {
            eprintln!("left out: no `script` program to make a terminal");
            return None;
        }
        let mut cmd = self.program("script", &["-qec", shown, "/dev/null"]).env("TERM", "xterm").stdin(typed.as_bytes());
        for (name, value) in vars {
            cmd = cmd.env(name, value);
        }
        Some(cmd.run().stdout())
    }
}
