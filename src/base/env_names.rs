//! Which variables data may set: names that come from scripts, manifests, templates and profiles.

/// Variables that would let a value become code, or move what clown itself placed.
const REFUSED: &[&str] = &[
    "PATH",
    "HOME",
    "USERPROFILE",
    "TMPDIR",
    "TEMP",
    "TMP",
    "SHELL",
    "IFS",
    "ENV",
    "BASH_ENV",
    "PROMPT_COMMAND",
    "EDITOR",
    "VISUAL",
    "PAGER",
    "BROWSER",
    "NODE_OPTIONS",
    "NODE_PATH",
    "PYTHONPATH",
    "PYTHONSTARTUP",
    "PYTHONHOME",
    "PERL5LIB",
    "PERL5OPT",
    "RUBYOPT",
    "RUBYLIB",
    "JAVA_TOOL_OPTIONS",
    "_JAVA_OPTIONS",
    "CLASSPATH",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_EXEC_PATH",
    "GIT_ASKPASS",
    "SSH_ASKPASS",
    "SSH_AUTH_SOCK",
    "GCONV_PATH",
    "LOCPATH",
    "NLSPATH",
    "SHELLOPTS",
    "PS4",
    "COMSPEC",
    "PATHEXT",
    "SYSTEMROOT",
];
const REFUSED_STARTS: &[&str] =
    &["LD_", "DYLD_", "BASH_FUNC_", "XDG_", "CLOWN_HOME", "CLOWN_DAEMON", "GLIBC_", "MALLOC_", "RUSTC_", "CARGO_"];

/// Whether a script, a profile or a manifest may set this variable.
pub fn env_name_allowed(name: &str) -> bool {
    let well_formed =
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let upper = name.to_ascii_uppercase();
    well_formed && name.len() <= 128 && !REFUSED.contains(&upper.as_str()) && !REFUSED_STARTS.iter().any(|s| upper.starts_with(s))
}

/// The same for what an agent's manifest places inside the profile's home: the XDG directories are its to move.
pub fn place_name_allowed(name: &str) -> bool {
    env_name_allowed(name) || matches!(name, "XDG_CONFIG_HOME" | "XDG_DATA_HOME" | "XDG_STATE_HOME" | "XDG_CACHE_HOME")
}
