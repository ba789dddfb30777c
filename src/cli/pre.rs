//! One walk over the arguments before the grammar sees them.
//!
//! Global flags are lifted out wherever they stand, `--key=value` is split, `-h` means `--help`, and
//! everything behind the profile of `run` belongs to the agent.

use argh::{CommandInfoWithArgs, FlagInfoKind, Optionality};

use crate::base::error::closest;

/// In the place of a profile's name in `clown run -- ARGS`, which names none. No profile is called so.
pub(super) const UNNAMED: &str = "--";

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Globals {
    pub json: bool,
    pub quiet: bool,
    pub version: bool,
}

/// Splits global flags from the arguments of the grammar.
pub(super) fn lift(argv: &[String], top: &CommandInfoWithArgs) -> (Globals, Vec<String>) {
    let mut globals = Globals::default();
    let mut rest = Vec::with_capacity(argv.len());
    let mut at = top;
    let mut positionals = 0;
    let mut words = argv.iter();
    while let Some(word) = words.next() {
        let greedy = at.positionals.iter().any(|p| matches!(p.optionality, Optionality::Greedy));
        if greedy && positionals > 0 {
            // One `--` is the user's own fence; any other belongs to the agent.
            rest.push("--".to_owned());
            rest.extend((word != "--").then(|| word.clone()));
            rest.extend(words.cloned());
            break;
        }
        if word == "--" {
            rest.push(word.clone());
            // A command that takes a name and then anything was given none.
            rest.extend((greedy && at.name == "run").then(|| UNNAMED.to_owned()));
            rest.extend(words.cloned());
            break;
        }
        let (name, value) = match word.split_once('=') {
            Some((name, value)) if word.starts_with("--") => (name, Some(value)),
            _ => (word.as_str(), None),
        };
        match name {
            "--json" => globals.json = true,
            "--quiet" | "-q" => globals.quiet = true,
            "--version" | "-V" if positionals == 0 && std::ptr::eq(at, top) => globals.version = true,
            "-h" => rest.push("--help".to_owned()),
            _ if name.starts_with('-') && name.len() > 1 => {
                let flag = at.flags.iter().find(|f| f.long == name || f.short.is_some_and(|c| name == format!("-{c}")));
                rest.push(name.to_owned());
                match value {
                    Some(value) => rest.push(value.to_owned()),
                    // The value of an option is not a flag, whatever it looks like.
                    None if flag.is_some_and(|f| matches!(f.kind, FlagInfoKind::Option { .. })) => rest.extend(words.next().cloned()),
                    None => {}
                }
            }
            _ => {
                match at.commands.iter().find(|c| c.name == word.as_str()) {
                    Some(command) => at = &command.command,
                    None => positionals += 1,
                }
                rest.push(word.clone());
            }
        }
    }
    let fenced = rest.iter().any(|word| matches!(word.as_str(), "--" | "--help"));
    if at.name == "run" && positionals == 0 && !fenced {
        rest.extend(["--", UNNAMED].map(str::to_owned));
    }
    (globals, rest)
}

/// "did you mean" for the word an error message is about.
pub(super) fn suggest(argv: &[String], top: &CommandInfoWithArgs, message: &str) -> Option<String> {
    let bad = message.lines().find_map(|l| l.strip_prefix("Unrecognized argument: "))?.trim();
    let mut at = top;
    for word in argv.iter().take_while(|w| *w != bad) {
        if let Some(command) = at.commands.iter().find(|c| c.name == word.as_str()) {
            at = &command.command;
        }
    }
    let near = if bad.starts_with('-') {
        closest(bad, at.flags.iter().map(|f| f.long).chain(["--json", "--quiet", "--help"]))
    } else {
        closest(bad, at.commands.iter().map(|c| c.name))
    };
    near.map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use argh::{ArgsInfo, FromArgs};

    use super::*;
    use crate::cli::args::Top;

    fn lifted(line: &str) -> (Globals, Vec<String>) {
        let argv: Vec<String> = line.split(' ').map(str::to_owned).collect();
        lift(&argv, &Top::get_args_info())
    }

    #[test]
    fn global_flags_stand_anywhere() {
        for line in ["--json agents list", "agents --json list", "agents list --json"] {
            let (globals, rest) = lifted(line);
            assert!(globals.json, "{line}");
            assert_eq!(rest, ["agents", "list"]);
        }
        assert!(lifted("-V").0.version);
        assert!(lifted("agents list -q").0.quiet);
    }

    #[test]
    fn everything_behind_the_profile_of_run_is_the_agents() {
        for (line, args) in [
            ("run p --model x --json", vec!["--model", "x", "--json"]),
            ("run p -- --json", vec!["--json"]),
            ("run p --help", vec!["--help"]),
            ("run p -p=hello", vec!["-p=hello"]),
            ("run p a -- b", vec!["a", "--", "b"]),
            ("profiles run p --version", vec!["--version"]),
            ("run -- -p hi", vec![UNNAMED, "-p", "hi"]),
            ("run -- p", vec![UNNAMED, "p"]),
            ("run", vec![UNNAMED]),
            ("run --json", vec![UNNAMED]),
        ] {
            let (globals, rest) = lifted(line);
            assert_eq!(globals, Globals { json: line == "run --json", ..Globals::default() }, "{line}");
            let refs: Vec<&str> = rest.iter().map(String::as_str).collect();
            assert!(Top::from_args(&["clown"], &refs).is_ok(), "{line}");
            let fence = refs.iter().position(|w| *w == "--").unwrap();
            assert_eq!(refs[fence + 1..], args, "{line}");
        }
        assert!(lifted("run --json p x").0.json);
    }

    #[test]
    fn a_value_may_look_like_a_flag_or_hold_an_equals_sign() {
        assert_eq!(lifted("profiles edit p --env=A=B").1, ["profiles", "edit", "p", "--env", "A=B"]);
        let (globals, rest) = lifted("profiles create claude p --arg --json");
        assert!(!globals.json);
        assert_eq!(rest.last().unwrap(), "--json");
    }

    #[test]
    fn a_wrong_word_gets_a_suggestion() {
        let top = Top::get_args_info();
        let argv = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(suggest(&argv("profles list"), &top, "Unrecognized argument: profles\n").as_deref(), Some("profiles"));
        assert_eq!(suggest(&argv("profiles lst"), &top, "Unrecognized argument: lst").as_deref(), Some("list"));
        assert_eq!(suggest(&argv("profiles list --agnt x"), &top, "Unrecognized argument: --agnt").as_deref(), Some("--agent"));
        assert_eq!(suggest(&argv("qqqqqqqqqq"), &top, "Unrecognized argument: qqqqqqqqqq"), None);
    }
}
