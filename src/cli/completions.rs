//! `clown completions`, and the hidden `clown __complete` that its scripts ask.

use argh::{ArgsInfo, FromArgs};
use serde::Serialize;

mod answer;
mod line;

pub(super) use answer::answer;

use super::output::Output;
use crate::base::error::{Error, Result};

/// The word that the scripts put before the words of a line.
pub(super) const COMMAND: &str = "__complete";

const SCRIPTS: &[(&str, &str)] = &[
    ("bash", include_str!("../../assets/completions/clown.bash")),
    ("zsh", include_str!("../../assets/completions/clown.zsh")),
    ("fish", include_str!("../../assets/completions/clown.fish")),
    ("powershell", include_str!("../../assets/completions/clown.ps1")),
];

#[derive(FromArgs, ArgsInfo)]
/// Print a script that completes commands, options and, while a daemon runs, names in your shell.
#[argh(
    subcommand,
    name = "completions",
    example = "source <(clown completions bash)    # in ~/.bashrc; zsh: in ~/.zshrc, after compinit\nclown completions fish > ~/.config/fish/completions/clown.fish\nclown completions powershell >> $PROFILE"
)]
pub(super) struct Completions {
    /// bash, zsh, fish or powershell
    #[argh(positional)]
    shell: String,
}

#[derive(Serialize)]
struct Document<'a> {
    shell: &'a str,
    script: &'a str,
}

impl Completions {
    pub fn run(self, output: Output) -> Result<i32> {
        let Some((shell, script)) = SCRIPTS.iter().find(|(shell, _)| *shell == self.shell) else {
            let shells: Vec<&str> = SCRIPTS.iter().map(|(shell, _)| *shell).collect();
            return Err(Error::usage(format!("there is no script for the shell {:?}", self.shell))
                .did_you_mean(&self.shell, shells.iter().copied())
                .hint(format!("use one of: {}", shells.join(", "))));
        };
        output.data(&Document { shell, script }, || (*script).to_owned());
        Ok(0)
    }
}
