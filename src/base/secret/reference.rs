//! Keys that clown does not keep: read from a variable or printed by a command at each run.

use std::{ffi::OsString, process::Stdio, time::Duration};

use super::{Secret, clean_key};
use crate::{
    base::error::{Error, Result},
    wire::{
        runs::{EnvChange, KeySource},
        secret::KeyText,
    },
};

/// Password managers may ask the user to unlock.
const PATIENCE: Duration = Duration::from_secs(60);

/// Fetches the key in the process that has the user's environment and terminal.
pub fn fetch(source: &KeySource, env: impl Fn(&str) -> Option<OsString>) -> Result<Secret> {
    match source {
        KeySource::Env { var } => {
            let text = env(var).ok_or_else(|| {
                Error::secrets(format!("the variable {var} is not set, and a key of the profile is read from it"))
                    .hint(format!("set it: export {var}=..."))
            })?;
            let text = text.into_string().map_err(|_| Error::invalid(format!("the variable {var} is not valid UTF-8")))?;
            clean_key(&text)
        }
        KeySource::Command { argv } => run(argv),
    }
}

/// Fetches what a change leaves to the client. What cannot be fetched stays unset; returns why, once for each.
pub fn fill(change: &mut EnvChange, env: impl Fn(&str) -> Option<OsString>) -> Vec<String> {
    let mut missing = Vec::new();
    for (name, source) in std::mem::take(&mut change.fetch) {
        match fetch(&source, &env) {
            Ok(key) => drop(change.set.insert(name, KeyText::new(key.expose().to_owned()))),
            Err(why) => missing.push(format!("an MCP server of this run goes without one of its keys: {why}")),
        }
    }
    missing
}

fn run(argv: &[String]) -> Result<Secret> {
    let (program, args) = argv.split_first().ok_or_else(|| Error::invalid("the key command is empty"))?;
    let shown = argv.join(" ");
    let mut child = std::process::Command::new(program)
        .args(args)
        .stdin(Stdio::inherit())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .map_err(|e| Error::secrets(format!("cannot run the key command `{shown}`")).cause(e))?;
    let stdout = child.stdout.take();
    let reader = std::thread::spawn(move || {
        let mut text = zeroize::Zeroizing::new(Vec::new());
        if let Some(out) = stdout {
            let _ = std::io::Read::read_to_end(&mut std::io::Read::take(out, 64 * 1024), &mut text);
        }
        text
    });
    let status = crate::base::os::wait_timeout(&mut child, PATIENCE)
        .map_err(|e| Error::secrets(format!("cannot wait for the key command `{shown}`")).cause(e))?;
    let Some(status) = status else {
        let _ = child.kill();
        let _ = child.wait();
        return Err(Error::secrets(format!("the key command `{shown}` did not end within {} s", PATIENCE.as_secs())));
    };
    if !status.success() {
        return Err(Error::secrets(format!("the key command `{shown}` failed: {status}")));
    }
    let bytes = reader.join().map_err(|_| Error::secrets("the key command's output could not be read"))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| Error::invalid(format!("`{shown}` printed no valid UTF-8")))?;
    clean_key(text.lines().next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_and_a_command_give_a_key() {
        let var = KeySource::Env { var: "K".into() };
        assert_eq!(fetch(&var, |_| Some("abc".into())).unwrap().expose(), "abc");
        assert!(fetch(&var, |_| None).is_err_and(|e| e.to_string().contains("not set")));
        let ok = KeySource::Command { argv: vec!["sh".into(), "-c".into(), "echo k1; echo rest".into()] };
        assert_eq!(fetch(&ok, |_| None).unwrap().expose(), "k1");
        let bad = KeySource::Command { argv: vec!["sh".into(), "-c".into(), "echo secret; exit 3".into()] };
        let error = fetch(&bad, |_| None).err().unwrap().to_string();
        assert!(error.contains("failed") && !error.contains("secret\n"), "{error}");
    }
}
