//! Help and usage errors, word for word. A command without a golden file fails; so does a golden
//! file without a command. After a wanted change: `INSTA_UPDATE=always cargo test help`.

use std::{collections::BTreeSet, path::Path};

use crate::support::TestHome;

const GOLDEN: &str = "../golden/help";

fn golden(name: &str, text: &str) {
    insta::with_settings!({ snapshot_path => GOLDEN, prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, text);
    });
}

/// Names below `Commands:` of a help text.
fn commands(help: &str) -> Vec<String> {
    let list = help.lines().skip_while(|l| *l != "Commands:").skip(1).take_while(|l| !l.is_empty());
    let name = |line: &str| line.strip_prefix("  ").filter(|l| !l.starts_with(' ')).and_then(|l| l.split(' ').next()).map(str::to_owned);
    list.filter_map(name).collect()
}

/// Every command with its help, found by walking down from the top.
fn all(home: &TestHome) -> Vec<(Vec<String>, String)> {
    let mut found = Vec::new();
    let mut todo = vec![Vec::<String>::new()];
    while let Some(path) = todo.pop() {
        let args: Vec<&str> = path.iter().map(String::as_str).chain(["--help"]).collect();
        let out = home.clown(&args).ok();
        assert!(out.stderr.is_empty(), "help is data, on stdout\n{}", out.report());
        todo.extend(commands(&out.stdout()).into_iter().map(|c| [path.clone(), vec![c]].concat()));
        found.push((path, out.stdout()));
    }
    found
}

fn file_name(path: &[String]) -> String {
    [&["clown".to_owned()], path].concat().join("-")
}

#[test]
fn every_command_explains_itself_as_recorded() {
    let home = TestHome::new();
    let all = all(&home);
    assert!(all.len() > 25, "the walk finds the commands: {}", all.len());
    for (path, text) in &all {
        golden(&file_name(path), text);
    }
    let wanted: BTreeSet<String> = all.iter().map(|(path, _)| file_name(path) + ".snap").collect();
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/help");
    let kept = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    let stale: Vec<String> = kept.filter(|name| !wanted.contains(name)).collect();
    assert_eq!(stale, [""; 0], "golden files of commands that are no more");
}

#[test]
fn help_keeps_its_form() {
    let home = TestHome::new();
    for (path, text) in all(&home) {
        let name = file_name(&path);
        let lines: Vec<&str> = text.lines().collect();
        let usage = lines.iter().position(|l| l.is_empty()).unwrap();
        let first = lines[usage + 1];
        assert!(first.starts_with(|c: char| c.is_ascii_uppercase()), "{name}: {first}");
        let verb = first.split(' ').next().unwrap();
        assert!(!verb.ends_with('s') && !verb.ends_with("ing"), "{name} begins with an imperative: {first}");
        let example = lines.iter().position(|l| *l == "Examples:").unwrap_or_else(|| panic!("{name} has no example"));
        let own = [&["clown".to_owned()], path.as_slice()].concat().join(" ");
        // The long form of `clown run` teaches the short one.
        let own = if own == "clown profiles run" { "clown run" } else { own.as_str() };
        assert!(lines[example + 1..].iter().any(|l| l.contains(own)), "{name}: its example shows it");
        let wide = lines[..example].iter().find(|l| l.chars().count() > 80);
        assert_eq!(wide, None, "{name} is wider than a page");
    }
    assert_eq!(home.daemons(), [0; 0], "help starts no daemon");
}

#[test]
fn examples_are_commands_that_exist() {
    let home = TestHome::new();
    let all = all(&home);
    let known: BTreeSet<String> = all.iter().map(|(path, _)| file_name(path).replace('-', " ")).collect();
    for (path, text) in &all {
        for line in text.lines().skip_while(|l| *l != "Examples:").skip(1).take_while(|l| !l.is_empty()) {
            let words: Vec<&str> = line.split_once("clown ").map(|(_, rest)| rest).unwrap().split(' ').collect();
            let names = |n: usize| known.contains(&format!("clown {}", words.iter().take(n).copied().collect::<Vec<_>>().join(" ")));
            assert!(names(2) || names(1), "{path:?}: {line}");
        }
    }
}

#[test]
fn the_ways_to_ask_for_help_are_the_same() {
    let home = TestHome::new();
    let help = home.clown(&["--help"]).ok().stdout();
    for words in [&["help"], &["-h"]] {
        assert_eq!(home.clown(words).ok().stdout(), help, "{words:?}");
    }
    assert_eq!(home.clown(&["profiles", "-h"]).ok().stdout(), home.clown(&["profiles", "help"]).ok().stdout());
}

#[test]
fn the_version_in_both_forms() {
    let home = TestHome::new();
    for words in [["--version"], ["-V"]] {
        assert_eq!(home.clown(&words).ok().stdout(), format!("clown {}\n", env!("CARGO_PKG_VERSION")));
    }
    let version = home.json(&["--version"]);
    assert_eq!((version["name"].as_str(), version["version"].as_str()), (Some("clown"), Some(env!("CARGO_PKG_VERSION"))));
    assert!(version["protocol"].is_u64());
}

#[test]
fn a_wrong_line_is_told_in_one_line_with_the_way_out() {
    let home = TestHome::new();
    let mut told = String::new();
    for line in [
        "profles list",
        "profiles",
        "profiles lst",
        "profiles list --agnt claude",
        "profiles list --agent",
        "profiles list --agent a --agent b",
        "profiles inspect",
        "profiles inspect a b",
        "profiles rename a",
        "profiles create",
        "profiles create claude",
        "profiles create claude x",
        "profiles create claude x y",
        "profiles create claude x --isolation box",
        "profiles create claude x --env A",
        "profiles create claude x --pref A",
        "profiles create claude x --key-ref what",
        "profiles create claude x --api-key-stdin --reuse-key y",
        "profiles edit x",
        "profiles env x --shell tcsh",
        "sessions list --limit many",
        "daemon --idle-timeout -1",
        "daemon logs -n x",
        "watch --count x",
        "config set a",
        "usage dayly",
        "usage daily --perod today",
        "usage daily --limit x",
        "usage --period today daily",
        "usage daily --period mounth",
        "usage export --format xml",
        "budget set --profile x",
        "budget set --profile x --daily much",
        "budget set --profile x --daily 5usd --action route",
        "--josn agents list",
        "aliases install",
        "aliases install p --agent claude",
        "bind",
        "init --alias x --api-key-stdin --api-key-env Y",
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        let out = home.clown(&words).fails(2);
        assert_eq!(out.stdout(), "", "{line}");
        assert_eq!(out.stderr().lines().filter(|l| l.starts_with("error: ")).count(), 1, "{}", out.report());
        assert!(out.stderr().lines().skip(1).all(|l| l.starts_with("hint: ")), "{}", out.report());
        told += &format!("$ clown {line}\n{}\n", out.stderr());
    }
    insta::with_settings!({ snapshot_path => "../golden", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("usage-errors", told);
    });
    assert_eq!(home.daemons(), [0; 0], "a wrong line starts no daemon");
}

#[test]
fn what_the_readme_shows_exists() {
    let home = TestHome::new();
    let readme = include_str!("../../README.md");
    let helps: Vec<(String, String)> = all(&home).into_iter().map(|(path, text)| (file_name(&path).replace('-', " "), text)).collect();
    let shown: Vec<&str> = readme.split('`').chain(readme.lines()).filter_map(|t| t.trim().strip_prefix("clown ")).collect();
    assert!(shown.len() > 25, "the README shows commands");
    for line in shown {
        let line = line.split('#').next().unwrap();
        let words: Vec<&str> = line.split(' ').filter(|w| !w.is_empty()).map(|w| w.trim_end_matches(',')).collect();
        let named = |n: usize| helps.iter().find(|(name, _)| words.len() >= n && *name == format!("clown {}", words[..n].join(" ")));
        let Some((name, help)) = named(3).or_else(|| named(2)).or_else(|| named(1)) else { panic!("the README names `clown {line}`") };
        for flag in words.iter().filter(|w| w.starts_with("--") && name != "clown run") {
            assert!(help.contains(flag), "the README names {flag} of {name}");
        }
    }
}
