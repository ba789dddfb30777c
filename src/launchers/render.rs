//! The text of a launcher.

use crate::{
    base::launcher::MARK,
    wire::launchers::{Launcher, Target},
};

/// For which system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    Unix,
    Windows,
}

pub const HERE: System = if cfg!(windows) { System::Windows } else { System::Unix };

impl System {
    pub fn file_name(self, name: &str) -> String {
        match self {
            Self::Unix => name.to_owned(),
            Self::Windows => format!("{name}.cmd"),
        }
    }
}

/// `tree`: the value of `CLOWN_HOME` when it chose the tree.
pub fn render(system: System, launcher: &Launcher, tree: Option<&str>) -> String {
    let Launcher { name, path, program, target } = launcher;
    match system {
        System::Unix => {
            let tree = tree.map(|tree| format!("CLOWN_HOME={}\nexport CLOWN_HOME\n", sh(tree))).unwrap_or_default();
            let words = match target {
                Target::Profile { alias } => format!("run {alias} --"),
                Target::Agent { id } => format!("aliases exec --launcher {} {id} --", sh(path)),
            };
            let program = sh(program);
            let gone = sh(&format!("{name}: the clown this launcher starts is gone; remove it: rm {path}"));
            format!(
                "#!/bin/sh\n# {MARK}; to remove it: clown aliases uninstall {name}\n{tree}[ -x {program} ] || {{ echo {gone} >&2; exit 127; }}\n\
                 exec {program} {words} \"$@\"\n"
            )
        }
        System::Windows => {
            let tree = tree.map(|tree| format!("set \"CLOWN_HOME={}\"\r\n", cmd(tree))).unwrap_or_default();
            let words = match target {
                Target::Profile { alias } => format!("run {alias} --"),
                Target::Agent { id } => format!("aliases exec --launcher \"{}\" {id} --", cmd(path)),
            };
            format!(
                "@echo off\r\nrem {MARK}; to remove it: clown aliases uninstall {name}\r\nsetlocal\r\n{tree}\"{}\" {words} %*\r\n\
                 exit /b %ERRORLEVEL%\r\n",
                cmd(program)
            )
        }
    }
}

fn sh(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// A path holds no quotation mark on Windows; what is left to escape is the percent sign.
fn cmd(text: &str) -> String {
    text.replace('%', "%%")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn launcher(target: Target) -> Launcher {
        Launcher { name: "claude-work".into(), path: "/b in/claude-work".into(), program: "/o'p/clown".into(), target }
    }

    #[test]
    fn paths_are_quoted_and_the_mark_is_in_the_head() {
        let text = render(System::Unix, &launcher(Target::Profile { alias: "work".into() }), Some("/t ree"));
        assert!(text.contains("exec '/o'\\''p/clown' run work -- \"$@\"\n") && text.contains("CLOWN_HOME='/t ree'\n"), "{text}");
        let agent = render(System::Unix, &launcher(Target::Agent { id: "claude".into() }), None);
        assert!(
            agent.contains(" aliases exec --launcher '/b in/claude-work' claude -- \"$@\"") && !agent.contains("CLOWN_HOME"),
            "{agent}"
        );
        let windows = render(System::Windows, &launcher(Target::Agent { id: "claude".into() }), Some("C:\\100%\\t"));
        assert!(windows.contains("set \"CLOWN_HOME=C:\\100%%\\t\"\r\n") && windows.contains("claude -- %*\r\n"), "{windows}");
        for text in [text, agent, windows] {
            assert!(text.find(MARK).is_some_and(|at| at < 100), "{text}");
        }
    }
}
