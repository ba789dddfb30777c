//! The grammar library's texts in clown's own words: help no wider than a page, errors as one line.

use argh::CommandInfoWithArgs;

use super::pre;
use crate::base::error::Error;

const PAGE: usize = 80;

/// Help with its long paragraphs wrapped, and of each command in a list what its first sentence says; other lists and examples stay
/// as they are.
pub(super) fn help(text: &str) -> String {
    let ours = text.replace("Error codes:", "Exit codes:").replace("display usage information", "show this help");
    brief(&ours)
        .into_iter()
        .flat_map(|line| if line.starts_with(' ') { vec![line.to_owned()] } else { wrap(line) })
        .map(|l| l + "\n")
        .collect()
}

/// The lines without what follows the first sentence about a command, which the command's own help has.
fn brief(text: &str) -> Vec<&str> {
    let (mut listing, mut told) = (false, false);
    let mut lines = Vec::new();
    for line in text.lines() {
        let entry = line.starts_with("  ") && !line.starts_with("   ");
        match line {
            "Commands:" => listing = true,
            "" => listing = false,
            _ if !listing => {}
            _ if told && !entry => continue,
            _ => {
                let end = line.find(". ");
                told = end.is_some() || line.ends_with('.');
                lines.push(end.map_or(line, |end| &line[..=end]));
                continue;
            }
        }
        lines.push(line);
    }
    lines
}

fn wrap(line: &str) -> Vec<String> {
    let indent = if line.starts_with("Usage:") { "    " } else { "" };
    let mut lines = vec![String::new()];
    for word in line.split(' ') {
        let last = lines.last().map_or(0, String::len);
        match lines.last_mut() {
            Some(line) if line.trim().is_empty() => line.push_str(word),
            Some(line) if last + 1 + word.len() <= PAGE => *line = format!("{line} {word}"),
            _ => lines.push(format!("{indent}{word}")),
        }
    }
    lines
}

/// What is wrong with a command line, from what the grammar said about it.
pub(super) fn mistake(words: &[String], top: &CommandInfoWithArgs, said: &str) -> Error {
    // The deepest command that was understood.
    let (mut at, mut path) = (top, "clown".to_owned());
    for word in words {
        if let Some(command) = at.commands.iter().find(|c| c.name == word.as_str()) {
            at = &command.command;
            path = format!("{path} {word}");
        }
    }
    let mut error = Error::usage(message(&path, at, said));
    if let Some(near) = pre::suggest(words, top, said) {
        error = error.hint(format!("did you mean {near}"));
    }
    error.hint(format!("see {path} --help"))
}

fn message(path: &str, at: &CommandInfoWithArgs, said: &str) -> String {
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with("Run ")).collect();
    let (first, rest) = lines.split_first().map_or(("", [].as_slice()), |(first, rest)| (*first, rest));
    if let Some(word) = first.strip_prefix("Unrecognized argument:") {
        let word = word.trim().trim_matches('"');
        return match word {
            _ if word.starts_with('-') => format!("there is no flag {word}"),
            _ if at.commands.is_empty() => format!("{word:?} is one word too many"),
            _ => format!("there is no command {word:?}"),
        };
    }
    if first.starts_with("One of the following subcommands") {
        let commands: Vec<&str> = at.commands.iter().map(|c| c.name).collect();
        return format!("{path} needs a command: {}", commands.join(", "));
    }
    if first.starts_with("Required") {
        let names: Vec<&str> = rest.iter().copied().filter(|l| !l.ends_with(':')).collect();
        return format!("{path} needs {}", names.iter().map(|n| n.to_uppercase()).collect::<Vec<_>>().join(" and "));
    }
    if let Some(option) = first.strip_prefix("No value provided for option '").and_then(|o| o.strip_suffix("'.")) {
        return format!("{option} needs a value");
    }
    let parsed = first.strip_prefix("Error parsing option '").and_then(|rest| rest.split_once("' with value '"));
    if let Some((option, (value, why))) = parsed.and_then(|(option, rest)| Some((option, rest.rsplit_once("': ")?))) {
        return match why {
            "duplicate values provided" => format!("{option} is given twice"),
            _ => format!("{option} cannot be {value:?}: give a whole number from 0"),
        };
    }
    lines.join(" ")
}

#[cfg(test)]
mod tests {
    use argh::{ArgsInfo, FromArgs};

    use super::*;
    use crate::{cli::args::Top, wire::error::Failure};

    fn said(line: &str) -> (String, Vec<String>) {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let refs: Vec<&str> = words.iter().map(String::as_str).collect();
        let text = Top::from_args(&["clown"], &refs).err().expect("a wrong line").output;
        let failure: Failure = mistake(&words, &Top::get_args_info(), &text).into();
        (failure.message, failure.hints)
    }

    #[test]
    fn every_mistake_is_one_plain_line() {
        for (line, message) in [
            ("profles list", "there is no command \"profles\""),
            ("profiles", "clown profiles needs a command: create, list, inspect, edit, rename, clone, delete, env, run"),
            ("profiles rename", "clown profiles rename needs ALIAS and TO"),
            ("profiles rename a b c", "\"c\" is one word too many"),
            ("profiles list --agnt x", "there is no flag --agnt"),
            ("profiles list --agent", "--agent needs a value"),
            ("profiles list --agent a --agent b", "--agent is given twice"),
            ("sessions list --limit x", "--limit cannot be \"x\": give a whole number from 0"),
            ("watch --count -1", "--count cannot be \"-1\": give a whole number from 0"),
        ] {
            assert_eq!(said(line).0, message, "{line}");
        }
        assert_eq!(said("profiles lst").1, ["did you mean list", "see clown profiles --help"]);
    }

    #[test]
    fn paragraphs_are_wrapped_and_lists_are_not() {
        let long = "word ".repeat(30);
        let text = help(&format!("Usage: {long}\n\n{long}\n  {long}"));
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].len() <= PAGE && lines[1].starts_with("    word") && lines[3].is_empty(), "{text}");
        assert!(lines.last().unwrap().len() > PAGE);
    }

    #[test]
    fn a_list_of_commands_has_their_first_sentences() {
        let text = "Commands:\n  one   Do this. And\n        that.\n  two   Do much\n        more, long. Then\n        rest.\n\nExamples:\n  a. b\n";
        assert_eq!(help(text), "Commands:\n  one   Do this.\n  two   Do much\n        more, long.\n\nExamples:\n  a. b\n");
    }
}
