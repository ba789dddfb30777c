//! Whether the bytes of a registry's entry are what its kind and id say, before they are kept.

use super::{layers::MAX_FILE, snapshot::parse};
use crate::wire::{manifest::Problem, registry::Kind};

/// Reads an entry as a load would. Of a script only name and form are looked at: whether it compiles is
/// the script room's to say.
pub fn check(kind: Kind, id: &str, bytes: &[u8]) -> Result<(), Problem> {
    let shown = kind.path(id);
    let bad = |message: String| Problem { file: shown.clone(), line: None, key: None, message };
    if bytes.len() as u64 > MAX_FILE {
        return Err(bad(format!("is larger than {} KiB", MAX_FILE / 1024)));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| bad("is not UTF-8 text".into()))?;
    let (parent, stem) = match kind {
        Kind::Template => id.split_once('/').ok_or_else(|| bad("a template's id is <agent>/<name>".into()))?,
        _ => ("", id),
    };
    parse(kind, &shown, parent, stem, text).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_what_it_says_or_refused() {
        let agent = include_str!("../../manifests/agents/claude.toml");
        let provider = include_str!("../../manifests/providers/zai.toml");
        let template = include_str!("../../manifests/templates/claude/reviewer.toml");
        let models = "schema = 1\nprovider = \"zai\"\n[[models]]\nid = \"m\"\ncontext = 5\n";
        for (kind, id, text) in [
            (Kind::Agent, "claude", agent),
            (Kind::Provider, "zai", provider),
            (Kind::Script, "x", "#{}"),
            (Kind::Template, "claude/reviewer", template),
            (Kind::Models, "zai", models),
        ] {
            check(kind, id, text.as_bytes()).unwrap();
            if kind != Kind::Script {
                assert!(check(kind, "claude/other", text.as_bytes()).is_err(), "{kind} under another id");
                assert!(check(kind, id, format!("{text}\nextra = 1\n").as_bytes()).is_err(), "{kind} with an unknown key");
            }
            assert!(check(kind, id, &[text.as_bytes(), b"\xff"].concat()).is_err(), "{kind} not UTF-8");
            assert!(check(kind, id, &[text.as_bytes(), &[b'\n'; 300 * 1024]].concat()).is_err(), "{kind} too long");
        }
        for name in ["BASH_ENV", "LD_PRELOAD", "PATH", "NODE_OPTIONS", "XDG_RUNTIME_DIR"] {
            let hijacks = agent.replace("CLAUDE_CONFIG_DIR", name);
            let problem = check(Kind::Agent, "claude", hijacks.as_bytes()).unwrap_err();
            assert!(problem.message.contains(name), "{problem}");
        }
        for (kind, id, text) in [
            (Kind::Provider, "claude", agent),
            (Kind::Agent, "zai", provider),
            (Kind::Models, "zai", provider),
            (Kind::Script, "../x", "#{}"),
            (Kind::Template, "reviewer", template),
            (Kind::Template, "codex/reviewer", template),
        ] {
            assert!(check(kind, id, text.as_bytes()).is_err(), "{kind} {id}");
        }
    }
}
