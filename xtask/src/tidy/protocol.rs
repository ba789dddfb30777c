//! PROTOCOL.md against src/wire.

use std::collections::BTreeMap;

use super::tree::{Source, Tree, Violation};

pub(crate) fn check(text: &str, tree: &Tree) -> Vec<Violation> {
    let wire: Vec<&Source> = tree.sources.iter().filter(|source| source.path.starts_with("src/wire")).collect();
    let calls: Vec<Named> = wire.iter().flat_map(|source| calls(source)).collect();
    if calls.is_empty() {
        let todo = "declare each as `const NAME: &'static str = \"noun.verb\"`";
        return vec![Violation::new("src/wire/mod.rs", 1, "no call found in src/wire", todo)];
    }
    let words: Vec<String> = wire.iter().flat_map(|source| dotted_literals(source)).collect();
    compare(text, &calls, &words)
}

/// A call's name and where it is declared.
struct Named {
    name: String,
    path: String,
    line: usize,
}

/// Lists exactly the calls: each call has a row, and no row names what wire does not know (events have rows too).
fn compare(text: &str, calls: &[Named], words: &[String]) -> Vec<Violation> {
    let mut rows = BTreeMap::new();
    for (at, line) in text.lines().enumerate() {
        let name =
            line.trim_start().strip_prefix('|').and_then(|cell| cell.trim_start().strip_prefix('`')).and_then(|rest| rest.split_once('`'));
        if let Some((name, _)) = name.filter(|(name, _)| is_dotted(name)) {
            rows.entry(name).or_insert(at + 1);
        }
    }
    let unlisted = calls.iter().filter(|call| !rows.contains_key(call.name.as_str()));
    let mut found: Vec<Violation> = unlisted
        .map(|call| {
            Violation::new(
                &call.path,
                call.line,
                format!("call {} has no row in PROTOCOL.md", call.name),
                "add a row | `noun.verb` | ... |",
            )
        })
        .collect();
    let unknown = rows.iter().filter(|(name, _)| !words.iter().any(|word| word == *name));
    found.extend(unknown.map(|(name, line)| {
        Violation::new("PROTOCOL.md", *line, format!("`{name}` is not in src/wire"), "delete the row, or correct the name")
    }));
    found
}

fn calls(source: &Source) -> Vec<Named> {
    let mut found = Vec::new();
    let tests_from = source.tests_from();
    for (at, line) in source.views.literal.lines().enumerate() {
        let after = line.split_once("const NAME: &'static str").or_else(|| line.split_once("const NAME: &str"));
        let literal = after.and_then(|(_, rest)| rest.split('"').nth(1));
        if let Some(name) = literal.filter(|_| at + 1 < tests_from) {
            found.push(Named { name: name.to_owned(), path: source.path.clone(), line: at + 1 });
        }
    }
    found
}

/// Every literal of the shape `x.y`: calls and event kinds.
fn dotted_literals(source: &Source) -> Vec<String> {
    let inside = |line: &str| line.split('"').skip(1).step_by(2).filter(|word| is_dotted(word)).map(str::to_owned).collect::<Vec<_>>();
    source.views.literal.lines().flat_map(inside).collect()
}

fn is_dotted(name: &str) -> bool {
    let part = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-');
    name.contains('.') && name.split('.').all(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocol_lists_exactly_the_calls() {
        let wire = Source::new(
            "src/wire/p.rs",
            "impl Call for A {\n    const NAME: &'static str = \"a.list\";\n}\nconst E: &str = \"a.changed\"; // \"a.old\"\n",
        );
        let (calls, words) = (calls(&wire), dotted_literals(&wire));
        assert!(compare("| `a.list` | x |\n| `a.changed` | y |\n| `word` |", &calls, &words).is_empty());
        let found = compare("| `a.old` | x |\nsee `a.list`", &calls, &words);
        assert_eq!(found.iter().map(|v| (v.path.as_str(), v.line)).collect::<Vec<_>>(), [("src/wire/p.rs", 2), ("PROTOCOL.md", 1)]);
    }
}
