//! Names as the registry may write them: none of them can be a path of more than it says, on any platform.

use crate::wire::registry::Kind;

/// Longest part of an id, in bytes.
const LONGEST: usize = 64;

/// Whether it may name a set: 40 to 64 lower-case hex digits.
pub(super) fn is_commit(text: &str) -> bool {
    (40..=64).contains(&text.len()) && is_hex(text)
}

/// Whether it is a hash of 32 bytes.
pub(super) fn is_hash(text: &str) -> bool {
    text.len() == 64 && is_hex(text)
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// What is wrong with an id of this kind.
pub(super) fn check_id(kind: Kind, id: &str) -> Result<(), String> {
    let wanted = if kind == Kind::Template { 2 } else { 1 };
    let parts: Vec<&str> = id.split('/').collect();
    if parts.len() != wanted {
        return Err(match kind {
            Kind::Template => format!("{id:?} is not of the form agent/name"),
            _ => format!("{id:?} has a slash"),
        });
    }
    parts.into_iter().try_for_each(check_part)
}

fn check_part(part: &str) -> Result<(), String> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    if part.is_empty() {
        return Err("a name is empty".into());
    }
    if part.len() > LONGEST {
        return Err(format!("a name is {} bytes long, more than {LONGEST}", part.len()));
    }
    if !part.bytes().all(|b| plain(b) || b"._-".contains(&b)) {
        return Err(format!("{part:?} has characters other than a-z, 0-9, '.', '_' and '-'"));
    }
    if !part.bytes().next().is_some_and(plain) {
        return Err(format!("{part:?} does not start with a letter or digit"));
    }
    // Windows drops a dot at the end of a directory's name.
    if part.ends_with('.') {
        return Err(format!("{part:?} ends with a dot"));
    }
    if is_device(part) {
        return Err(format!("{part:?} is the name of a device on Windows"));
    }
    Ok(())
}

/// Windows takes these for devices in any directory, with any extension.
fn is_device(part: &str) -> bool {
    let stem = part.split('.').next().unwrap_or(part);
    let numbered = |name: &str| stem.strip_prefix(name).is_some_and(|n| n.len() == 1 && n.bytes().all(|b| b.is_ascii_digit()));
    matches!(stem, "con" | "prn" | "aux" | "nul") || numbered("com") || numbered("lpt")
}

/// Kind and id of a path below a registry's tree, if it is one that an entry may have.
pub(super) fn of_path(path: &str) -> Option<(Kind, &str)> {
    let (dir, rest) = path.split_once('/')?;
    let (kind, end) = match dir {
        "agents" => (Kind::Agent, ".toml"),
        "providers" => (Kind::Provider, ".toml"),
        "scripts" => (Kind::Script, ".rhai"),
        "templates" => (Kind::Template, ".toml"),
        "models" => (Kind::Models, ".toml"),
        _ => return None,
    };
    Some((kind, rest.strip_suffix(end)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attack_16_hostile_names_are_refused() {
        let long = "a".repeat(300);
        for id in [
            "../x",
            "/abs",
            "a/../../b",
            "C:\\x",
            "c:x",
            "con",
            "con.toml",
            "nul",
            "com1",
            "lpt9.x",
            "aux.a.b",
            "a\0b",
            &long,
            "cafe\u{301}",
            "café",
            "A",
            "",
            ".",
            "..",
            ".x",
            "-x",
            "a.",
            "a b",
            "a\n",
            "a%2f",
            "~",
            "a\\b",
        ] {
            assert!(check_id(Kind::Agent, id).is_err(), "{id:?}");
            assert!(check_id(Kind::Template, &format!("claude/{id}")).is_err(), "{id:?}");
        }
        for id in ["claude", "gpt-5.1", "a_b", "0x", "console", "com10", "common", &"a".repeat(64)] {
            assert!(check_id(Kind::Script, id).is_ok(), "{id:?}");
        }
        assert!(check_id(Kind::Template, "claude/web").is_ok());
        assert!(check_id(Kind::Template, "claude").is_err() && check_id(Kind::Template, "a/b/c").is_err());
        assert!(check_id(Kind::Agent, "a/b").is_err());
    }

    #[test]
    fn attack_17_hostile_commit_ids_are_refused() {
        let good = "0123456789abcdef0123456789abcdef01234567";
        assert!(is_commit(good) && is_commit(&"a".repeat(64)));
        for bad in ["../../profiles", "", &good[1..], &"a".repeat(65), &good.to_uppercase(), &format!("{}/", &good[1..]), &"g".repeat(40)] {
            assert!(!is_commit(bad), "{bad:?}");
        }
    }

    #[test]
    fn a_path_gives_back_what_made_it() {
        for (kind, id) in [
            (Kind::Agent, "claude"),
            (Kind::Provider, "z.ai"),
            (Kind::Script, "a"),
            (Kind::Template, "claude/web"),
            (Kind::Models, "openai"),
        ] {
            assert_eq!(of_path(&kind.path(id)), Some((kind, id)));
        }
        assert_eq!(of_path("agents/claude.rhai"), None);
        assert_eq!(of_path("README.md"), None);
    }
}
