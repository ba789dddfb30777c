//! A script's result is data from a stranger: every name and path is checked before use.

use crate::{
    base::{
        env_names::env_name_allowed,
        error::{Error, Result},
    },
    wire::{
        runs::KEY_PLACEHOLDER,
        scripts::{FileFormat, Output},
    },
};

const MAX_ENV: usize = 200;
const MAX_ARGS: usize = 200;
const MAX_FILES: usize = 50;
const MAX_TEXT: usize = 128 * 1024;

/// Refuses a result that could reach outside the profile home or hijack a process.
pub fn check(output: &Output) -> Result<()> {
    let bad = |message: String| Err(Error::script(message).hint("the script's result was not used"));
    if output.env.len() > MAX_ENV || output.args.len() > MAX_ARGS || output.files.len() > MAX_FILES {
        return bad(format!("the script gave more than {MAX_ENV} variables, {MAX_ARGS} arguments or {MAX_FILES} files"));
    }
    for (name, value) in &output.env {
        if !env_name_allowed(name) {
            return bad(format!("the script may not set the variable {name:?}"));
        }
        if value.contains('\0') || value.len() > MAX_TEXT {
            return bad(format!("the script's value for {name} is too long or holds NUL"));
        }
    }
    for arg in &output.args {
        if arg.contains('\0') || arg.len() > MAX_TEXT {
            return bad("an argument of the script is too long or holds NUL".into());
        }
        // Everybody can read the arguments of a process.
        if arg.contains(KEY_PLACEHOLDER) {
            return bad("the script put the key among the arguments".into());
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    for file in &output.files {
        if let Err(why) = check_path(&file.path) {
            return bad(format!("the script may not write {:?}: {why}", file.path.chars().take(100).collect::<String>()));
        }
        if !seen.insert(file.path.to_lowercase()) {
            return bad(format!("the script writes {:?} twice", file.path));
        }
        let right_kind = match file.format {
            FileFormat::Json | FileFormat::Toml => file.content.is_object(),
            FileFormat::Text => file.content.is_string(),
        };
        if !right_kind {
            return bad(format!("the content of {:?} does not fit its format", file.path));
        }
        if serde_json::to_string(&file.content).map_or(usize::MAX, |t| t.len()) > MAX_TEXT {
            return bad(format!("the content of {:?} is too long", file.path));
        }
    }
    Ok(())
}

/// Files that a shell or another program would run.
const REFUSED_FILES: &[&str] = &[
    ".bashrc",
    ".bash_profile",
    ".bash_login",
    ".bash_logout",
    ".profile",
    ".zshrc",
    ".zshenv",
    ".zprofile",
    ".zlogin",
    ".ssh",
    ".gnupg",
    ".gitconfig",
    ".npmrc",
    ".netrc",
    ".pythonrc",
    ".vimrc",
    ".inputrc",
    ".xprofile",
    ".xsession",
    ".xinitrc",
    ".clown",
];

fn check_path(path: &str) -> Result<(), &'static str> {
    if path.is_empty() || path.len() > 200 {
        return Err("its path is empty or longer than 200 bytes");
    }
    if path.chars().any(|c| c.is_control() || matches!(c, '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|')) {
        return Err("its path holds a character that some system reads specially");
    }
    let parts: Vec<&str> = path.split('/').collect();
    if parts.iter().any(|p| matches!(*p, "" | "." | "..")) {
        return Err("its path must be relative, without dots and empty parts");
    }
    let device = |p: &str| {
        let stem = p.split('.').next().unwrap_or(p).to_ascii_lowercase();
        matches!(stem.as_str(), "con" | "prn" | "aux" | "nul")
            || (stem.len() == 4 && (stem.starts_with("com") || stem.starts_with("lpt")) && stem.ends_with(|c: char| c.is_ascii_digit()))
    };
    if parts.iter().any(|p| device(p) || p.ends_with('.') || p.ends_with(' ')) {
        return Err("its path holds a name that some system reads specially");
    }
    let first = parts.first().copied().unwrap_or_default().to_ascii_lowercase();
    let third = parts.get(..2).map(|p| p.join("/").to_ascii_lowercase());
    if REFUSED_FILES.contains(&first.as_str())
        || third.is_some_and(|p| {
            matches!(p.as_str(), ".config/git" | ".config/autostart" | ".config/systemd" | ".config/fish" | ".config/environment.d")
        })
    {
        return Err("another program would act on that file");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::scripts::{File, FileMode};

    fn file(path: &str) -> Output {
        let file = File { path: path.into(), format: FileFormat::Json, content: serde_json::json!({}), mode: FileMode::Seed };
        Output { files: vec![file], ..Output::default() }
    }

    #[test]
    fn paths_that_leave_the_home_or_are_run_by_others_are_refused() {
        for path in [
            "../x",
            "/etc/x",
            "a/../../b",
            "C:\\x",
            "c:x",
            "a//b",
            "./x",
            "con",
            "aux.json",
            "com1",
            "a\0b",
            "a\nb",
            ".bashrc",
            ".ssh/config",
            ".BASHRC",
            ".gitconfig",
            ".config/git/config",
            ".config/systemd/user/x.service",
            "x/",
            "",
            &"a".repeat(201),
            "a. ",
            ".clown/bridge.json",
        ] {
            assert!(check(&file(path)).is_err(), "{path:?}");
        }
        for path in [".claude/settings.json", ".codex/config.toml", ".config/opencode/opencode.json"] {
            assert!(check(&file(path)).is_ok(), "{path:?}");
        }
    }

    #[test]
    fn variables_that_hijack_a_process_are_refused() {
        for name in [
            "LD_PRELOAD",
            "ld_preload",
            "PATH",
            "NODE_OPTIONS",
            "BASH_ENV",
            "HOME",
            "TMPDIR",
            "DYLD_INSERT_LIBRARIES",
            "A=B",
            "",
            "1A",
            "XDG_CONFIG_HOME",
            "GIT_SSH_COMMAND",
        ] {
            let output = Output { env: [(name.to_owned(), String::new())].into(), ..Output::default() };
            assert!(check(&output).is_err(), "{name}");
        }
        assert!(env_name_allowed("ANTHROPIC_BASE_URL"));
    }

    #[test]
    fn the_key_may_not_be_an_argument() {
        let output = Output { args: vec!["--key=${API_KEY}".into()], ..Output::default() };
        assert!(check(&output).is_err());
    }

    #[test]
    fn two_files_of_one_name_are_refused() {
        let mut output = file("a/B.json");
        output.files.push(file("A/b.json").files.remove(0));
        assert!(check(&output).is_err());
    }
}
