//! The hidden `clown __man DIR`: manual pages, from the same grammar and texts as `--help`.
//!
//! One page for the program and one for each command; what a command has below it stands on its page.

use std::path::Path;

use argh::{CommandInfoWithArgs, FlagInfoKind, FromArgs, Optionality};
use roff::{Inline, Roff, bold, italic, roman};

use super::{args::Top, words};
use crate::base::{error::Result, fsx};

pub(super) const COMMAND: &str = "__man";

/// Writes every page into the directory, as `NAME.1`.
pub(super) fn write(dir: &Path, top: &CommandInfoWithArgs) -> Result<()> {
    for (name, text) in pages(top) {
        fsx::write_atomic(&dir.join(format!("{name}.1")), text.as_bytes(), fsx::Mode::Shared)?;
    }
    Ok(())
}

/// Name and roff of each page.
fn pages(top: &CommandInfoWithArgs) -> Vec<(String, String)> {
    let mut all = vec![("clown".to_owned(), program(top).to_roff())];
    all.extend(top.commands.iter().map(|command| {
        let name = format!("clown-{}", command.name);
        let page = noun(&name, &format!("clown {}", command.name), &command.command);
        (name, page.to_roff())
    }));
    all
}

/// The page of the program names the pages of its commands.
fn program(top: &CommandInfoWithArgs) -> Roff {
    let mut out = begun("clown", "clown", top);
    entry(&mut out, vec![bold("--help")], "show the help of the program or, behind a command, of that");
    out.control("SH", ["COMMANDS"]);
    for command in &top.commands {
        entry(&mut out, vec![bold(format!("clown-{}", command.name)), roman("(1)")], command.command.description);
    }
    if !top.error_codes.is_empty() {
        out.control("SH", ["EXIT STATUS"]);
        for code in top.error_codes {
            entry(&mut out, vec![bold(code.code.to_string())], code.description);
        }
    }
    examples(&mut out, "SH", top);
    out
}

/// The page of a command, with every command below it.
fn noun(name: &str, line: &str, at: &CommandInfoWithArgs) -> Roff {
    let mut out = begun(name, line, at);
    if !at.commands.is_empty() {
        out.control("SH", ["COMMANDS"]);
        sections(&mut out, line, at);
    }
    examples(&mut out, "SH", at);
    out.control("SH", ["SEE ALSO"]);
    out.text([bold("clown"), roman("(1)")]);
    out
}

/// A page as far as what the command itself takes.
fn begun(name: &str, line: &str, at: &CommandInfoWithArgs) -> Roff {
    let mut out = Roff::new();
    let version = concat!("clown ", env!("CARGO_PKG_VERSION"));
    // No date: the same source gives the same pages.
    out.control("TH", [name.to_uppercase().as_str(), "1", " ", version, "clown"]);
    out.control("SH", ["NAME"]);
    out.text([roman(format!("{name} - {}", summary(at.description)))]);
    out.control("SH", ["SYNOPSIS"]);
    out.text(synopsis(line));
    out.control("SH", ["DESCRIPTION"]);
    paragraphs(&mut out, at.description);
    takes(&mut out, at, "SH");
    out
}

fn sections(out: &mut Roff, line: &str, at: &CommandInfoWithArgs) {
    for command in &at.commands {
        let line = format!("{line} {}", command.name);
        out.control("SS", [line.as_str()]);
        out.text(synopsis(&line));
        out.control("PP", []);
        paragraphs(out, command.command.description);
        takes(out, &command.command, "");
        examples(out, "", &command.command);
        sections(out, &line, &command.command);
    }
}

/// Words and options. Without a `heading` they follow what is above them.
fn takes(out: &mut Roff, at: &CommandInfoWithArgs, heading: &str) {
    // As in the help, what is passed on to an agent is named by the synopsis alone.
    let words: Vec<_> = at.positionals.iter().filter(|p| !p.hidden && !matches!(p.optionality, Optionality::Greedy)).collect();
    // `--help` is everybody's: the page of the program names it.
    let flags: Vec<_> = at.flags.iter().filter(|f| !f.hidden && f.long != "--help").collect();
    let any = !words.is_empty() || !flags.is_empty();
    if any && !heading.is_empty() {
        out.control(heading, ["OPTIONS"]);
    }
    for word in words {
        entry(out, vec![italic(word.name)], word.description);
    }
    for flag in flags {
        let mut term = Vec::new();
        if let Some(short) = flag.short {
            term.extend([bold(format!("-{short}")), roman(", ")]);
        }
        term.push(bold(flag.long));
        if let FlagInfoKind::Option { arg_name } = flag.kind {
            term.extend([roman(" "), italic(arg_name)]);
        }
        entry(out, term, flag.description);
    }
}

fn entry(out: &mut Roff, term: Vec<Inline>, description: &str) {
    out.control("TP", []);
    out.text(term);
    out.text(marked(&one_line(description)));
}

fn examples(out: &mut Roff, heading: &str, at: &CommandInfoWithArgs) {
    if at.examples.is_empty() {
        return;
    }
    match heading {
        "" => out.control("PP", []).text([roman("Examples:")]).control("PP", []),
        _ => out.control(heading, ["EXAMPLES"]),
    };
    out.control("RS", ["4"]).control("nf", []);
    for line in at.examples.iter().flat_map(|e| e.lines()) {
        out.text([roman(line)]);
    }
    out.control("fi", []).control("RE", []);
}

/// The usage line of the help, so that the two never differ.
fn synopsis(line: &str) -> Vec<Inline> {
    let path: Vec<&str> = line.split(' ').skip(1).chain(["--help"]).collect();
    let help = Top::from_args(&["clown"], &path).err().map(|exit| words::help(&exit.output)).unwrap_or_default();
    let usage = one_line(help.split("\n\n").next().unwrap_or_default());
    let usage = usage.strip_prefix("Usage: ").unwrap_or(&usage);
    match usage.strip_prefix(line) {
        Some(rest) => vec![bold(line), roman(rest)],
        None => vec![roman(usage)],
    }
}

fn paragraphs(out: &mut Roff, text: &str) {
    for (at, paragraph) in text.split("\n\n").enumerate() {
        if at > 0 {
            out.control("PP", []);
        }
        out.text(marked(&one_line(paragraph)));
    }
}

/// What stands between backquotes is shown as it is typed.
fn marked(text: &str) -> Vec<Inline> {
    text.split('`').enumerate().map(|(at, part)| if at % 2 == 0 { roman(part) } else { bold(part) }).collect()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The first sentence, as a list of pages shows it.
fn summary(description: &str) -> String {
    let line = one_line(description).replace('`', "");
    let end = line.match_indices(['.', ':']).find(|(at, _)| line[at + 1..].starts_with(' ') || at + 1 == line.len());
    let line = end.map_or(line.as_str(), |(at, _)| &line[..at]);
    let mut chars = line.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use argh::ArgsInfo;

    use super::*;

    #[test]
    fn a_page_for_each_command_and_every_option_on_one() {
        let top = Top::get_args_info();
        let pages = pages(&top);
        assert_eq!(pages.len(), top.commands.len() + 1);
        let page = |name: &str| &pages.iter().find(|(n, _)| n == name).expect("a page").1;
        assert!(page("clown").contains("\\fBclown\\-profiles\\fR(1)"), "{}", page("clown"));
        let profiles = page("clown-profiles");
        for text in [".SS \"clown profiles create\"", "\\fB\\-\\-api\\-key\\-env\\fR", "NAME=VALUE; may be repeated"] {
            assert!(profiles.contains(text), "{text} is not in:\n{profiles}");
        }
        assert!(!page("clown-daemon").contains("\\-\\-ready"), "hidden ones stay hidden");
    }

    #[test]
    fn a_summary_is_one_sentence_in_lower_case() {
        assert_eq!(summary("Make a profile. On a terminal it asks."), "make a profile");
        assert_eq!(summary("Run any agent: its own home.\n\nMore."), "run any agent");
        assert_eq!(summary("Put .clown.toml there"), "put .clown.toml there");
    }
}
