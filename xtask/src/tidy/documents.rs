//! Documents against code: dependencies say what they are for, README, PROTOCOL and ARCHITECTURE stay true.

use super::protocol;
use super::tree::{Tree, Violation};

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    with(tree, &mut found, "Cargo.toml", dependencies);
    with(tree, &mut found, "README.md", readme);
    with(tree, &mut found, "ARCHITECTURE.md", |text| architecture(text, &tree.parts()));
    with(tree, &mut found, "PROTOCOL.md", |text| protocol::check(text, tree));
    found
}

fn with(tree: &Tree, found: &mut Vec<Violation>, name: &str, rule: impl FnOnce(&str) -> Vec<Violation>) {
    match tree.document(name) {
        Some(text) => found.extend(rule(&text)),
        None => found.push(Violation::new(name, 1, "the file is missing", "write it")),
    }
}

/// Every dependency has a trailing comment: what it is for.
fn dependencies(text: &str) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut inside = false;
    let mut open = 0_i32;
    let mut start = (0, String::new());
    let mut explained = false;
    for (at, line) in text.lines().enumerate() {
        if open == 0 && line.starts_with('[') {
            let section = line.split(']').next().unwrap_or_default().trim_start_matches('[');
            inside = section.ends_with("dependencies");
            if section.contains("dependencies.") {
                found.push(Violation::new("Cargo.toml", at + 1, "a dependency as a section", "write it on one line, with a comment"));
            }
            continue;
        }
        let (entry, comment) = split_comment(line);
        if !inside || (open == 0 && entry.trim().is_empty()) {
            continue;
        }
        if open == 0 {
            start = (at + 1, entry.split(['=', '.']).next().unwrap_or_default().trim().to_owned());
            explained = false;
        }
        open += entry
            .chars()
            .map(|c| match c {
                '{' | '[' => 1,
                '}' | ']' => -1,
                _ => 0,
            })
            .sum::<i32>();
        explained |= !comment.trim_matches(['#', ' ']).is_empty();
        if open == 0 && !explained {
            found.push(Violation::new(
                "Cargo.toml",
                start.0,
                format!("dependency {} has no comment", start.1),
                "say at its end what it is for",
            ));
        }
    }
    found
}

/// A TOML line's content and its comment; a `#` in quotes is content.
fn split_comment(line: &str) -> (&str, &str) {
    let mut quoted = false;
    for (at, c) in line.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '#' if !quoted => return line.split_at(at),
            _ => {}
        }
    }
    (line, "")
}

fn readme(text: &str) -> Vec<Violation> {
    let missing = ["cargo xtask demo", "cargo xtask ci"].into_iter().filter(|command| !text.contains(command));
    missing.map(|command| Violation::new("README.md", 1, format!("`{command}` is not named"), "name it")).collect()
}

fn architecture(text: &str, parts: &[String]) -> Vec<Violation> {
    let named = |part: &String| {
        let starts_word = |at: usize| !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '-');
        text.match_indices(&format!("{part}/")).any(|(at, _)| starts_word(at))
    };
    let missing = parts.iter().filter(|part| !named(part));
    missing
        .map(|part| Violation::new("ARCHITECTURE.md", 1, format!("src/{part}/ is not on the map"), "add it, with what it owns"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(found: &[Violation]) -> Vec<usize> {
        found.iter().map(|violation| violation.line).collect()
    }

    #[test]
    fn dependencies_say_what_they_are_for() {
        let text = "[package]\nname = \"x\"\n[dependencies]\na = \"1\" # for a\nb = \"1\"\n# alone\nc = { git = \"x#y\" }\nd = { features = [\n \"x\",\n] } # for d\n[target.'cfg(unix)'.dev-dependencies]\ne = \"1\"\n[profile.dev]\ndebug = 1\n";
        assert_eq!(lines(&dependencies(text)), [5, 7, 12]);
        assert_eq!(lines(&dependencies("[dependencies.a]\nversion = \"1\"")), [1]);
    }

    #[test]
    fn architecture_and_readme() {
        let parts = ["wire".to_owned(), "ipc".to_owned()];
        assert!(architecture("src/wire/ and `ipc/`", &parts).is_empty());
        assert_eq!(architecture("`hardwire/` and ipc", &parts).len(), 2);
        assert_eq!(readme("run cargo xtask demo").len(), 1);
    }
}
