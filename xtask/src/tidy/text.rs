//! Rules about the text of one file: length, words that must not stay, room headers.

use super::layout::is_room;
use super::tree::{Source, Violation};

const MAX_LINES: usize = 400;
const MAX_HEADER: usize = 20;

/// Never anywhere; the second says what to do.
const NEVER: &[(&str, &str)] = &[
    ("todo!(", "write it, or leave it out and say so"),
    ("unimplemented!(", "write it, or return an error that names the way out"),
    ("dbg!(", "take it out, or trace it"),
    ("#[ignore", "make the test run, or delete it"),
];

/// Never in the program itself, tests aside.
const NEVER_IN_PROGRAM: &[(&str, &str)] =
    &[(".unwrap()", "return an error, or expect(\"why this holds\")"), ("panic!(", "return an error")];

const NEVER_IN_COMMENTS: &[(&str, &str)] = &[("FIXME", "fix it, or open an issue and name it")];

pub(crate) fn check(source: &Source) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut say = |line: usize, rule: String, todo: &str| {
        found.push(Violation::new(&source.path, line, rule, todo));
    };
    let lines = source.raw.lines().count();
    if lines > MAX_LINES {
        say(lines, format!("{lines} lines, more than {MAX_LINES}"), "split it by concern");
    }
    let tests_from = source.tests_from();
    for (at, line) in source.views.code.lines().enumerate() {
        let in_program = source.is_ours() && at + 1 < tests_from;
        for (word, todo) in NEVER.iter().chain(NEVER_IN_PROGRAM.iter().filter(|_| in_program)) {
            if contains(line, word) {
                say(at + 1, format!("`{word}` in code"), todo);
            }
        }
    }
    for (at, line) in source.views.comments.lines().enumerate() {
        for (word, todo) in NEVER_IN_COMMENTS.iter().filter(|(word, _)| contains(line, word)) {
            say(at + 1, format!("`{word}` in a comment"), todo);
        }
    }
    if let Some((rule, todo)) = header_fault(source) {
        say(1, rule, todo);
    }
    found
}

/// Whether the word is there as a whole: `my_panic!(` is not `panic!(`.
fn contains(line: &str, word: &str) -> bool {
    let glued = |at: usize| word.starts_with(char::is_alphabetic) && line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
    line.match_indices(word).any(|(at, _)| !glued(at))
}

/// A room says at its door what it owns, sends and never does.
fn header_fault(source: &Source) -> Option<(String, &'static str)> {
    let room = match source.path.strip_prefix("src/")?.split_once('/') {
        Some((room, "mod.rs")) => room,
        None => source.path.strip_prefix("src/")?.strip_suffix(".rs")?,
        Some(_) => return None,
    };
    let header = source.raw.lines().take_while(|line| line.starts_with("//!")).count();
    match header {
        _ if !is_room(room) => None,
        0 => Some(("a room without a `//!` header".into(), "say what it owns on disk, which events it sends, what it must never do")),
        1..=MAX_HEADER => None,
        _ => Some((format!("a header of {header} lines, more than {MAX_HEADER}"), "shorten it")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(path: &str, raw: &str) -> Vec<String> {
        check(&Source::new(path, raw)).into_iter().map(|violation| format!("{}: {}", violation.line, violation.rule)).collect()
    }

    #[test]
    fn words() {
        assert_eq!(rules("src/a.rs", "fn f() {\n x.unwrap();\n panic!(\"no\")\n}"), ["2: `.unwrap()` in code", "3: `panic!(` in code"]);
        assert!(rules("src/a.rs", "#[cfg(test)]\nmod tests { fn f() { x.unwrap(); panic!() } }").is_empty());
        assert!(rules("tests/it/main.rs", "fn f() { x.unwrap() }").is_empty());
        assert_eq!(rules("tests/it/main.rs", "fn f() { todo!() }"), ["1: `todo!(` in code"]);
        assert_eq!(rules("src/a.rs", "// FIXME later"), ["1: `FIXME` in a comment"]);
        assert!(rules("src/a.rs", "let x = \"FIXME todo!(\"; my_panic!(x); x.unwrap_or(y)").is_empty());
        assert_eq!(rules("src/a.rs", "#[cfg(test)]\n#[ignore = \"x\"]\nfn f() {}"), ["2: `#[ignore` in code"]);
    }

    #[test]
    fn lengths_and_headers() {
        assert_eq!(rules("src/a.rs", &"x\n".repeat(401)), ["401: 401 lines, more than 400"]);
        assert!(rules("src/a.rs", &"x\n".repeat(400)).is_empty());
        assert_eq!(rules("src/profiles/mod.rs", "mod a;").len(), 1);
        assert_eq!(rules("src/profiles/mod.rs", &"//! x\n".repeat(21)).len(), 1);
        assert!(rules("src/profiles/mod.rs", "//! Owns profiles.\nmod a;").is_empty());
        assert!(rules("src/profiles/a.rs", "mod a;").is_empty());
    }
}
