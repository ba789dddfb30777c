//! From the words of a line to what its last word may be. Knows the grammar, and no names.

use argh::{CommandInfoWithArgs, FlagInfo, FlagInfoKind, Optionality};

use crate::wire::complete::Kind;

/// What the last word may be.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Words of the grammar that begin like the last one, and their help.
    pub words: Vec<(String, String)>,
    pub names: Option<Kind>,
    pub files: Option<Files>,
    /// Stands before the value in the last word: `--provider=`.
    pub before: String,
    /// The value as far as it is written.
    pub begins: String,
    /// What the line says already.
    pub agent: Option<String>,
    pub provider: Option<String>,
    pub profile: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Files {
    Any,
    Dirs,
}

/// What a value may be.
enum Value {
    Names(Kind),
    Words(&'static [&'static str]),
    Files(Files),
    Free,
}

/// By the name of the option.
fn option_value(long: &str) -> Value {
    match long {
        "--profile" | "--reuse-key" => Value::Names(Kind::Profiles),
        "--agent" => Value::Names(Kind::Agents),
        "--provider" => Value::Names(Kind::Providers),
        "--model" => Value::Names(Kind::Models),
        "--template" => Value::Names(Kind::Templates),
        "--isolation" => Value::Words(&["home-wrapper", "config-dir"]),
        "--channel" => Value::Words(&["stable", "beta", "nightly"]),
        "--level" => Value::Words(&["error", "warn", "info", "debug", "trace"]),
        "--config" | "--request" | "--bundle" => Value::Files(Files::Any),
        "--dir" | "--claude-dir" => Value::Files(Files::Dirs),
        _ => Value::Free,
    }
}

/// By the name of the command, of the word, and its place among the words.
fn word_value(command: &str, name: &str, at: usize) -> Value {
    match (command, name) {
        (_, "alias" | "profile") => Value::Names(Kind::Profiles),
        (_, "agent") => Value::Names(Kind::Agents),
        ("create", "agent alias") if at == 0 => Value::Names(Kind::Agents),
        (_, "provider") => Value::Names(Kind::Providers),
        (_, "key") => Value::Names(Kind::Settings),
        (_, "id") => Value::Names(Kind::Sessions),
        ("review" | "approve", "name") => Value::Names(Kind::Scripts),
        ("inspect", "name") => Value::Names(Kind::Templates),
        (_, "shell") => Value::Words(&["bash", "zsh", "fish", "powershell"]),
        (_, "file") => Value::Files(Files::Any),
        (_, "dir") => Value::Files(Files::Dirs),
        _ => Value::Free,
    }
}

/// `words`: those behind `clown`; the last one is being written and may be empty.
pub(super) fn wanted(words: &[String], top: &CommandInfoWithArgs) -> Wanted {
    let mut wanted = Wanted::default();
    let Some((last, before)) = words.split_last() else { return wanted };
    let mut at = top;
    let mut places = 0;
    // The option whose value comes next.
    let mut pending: Option<&FlagInfo> = None;
    let mut fenced = false;
    let mut used: Vec<&str> = Vec::new();
    for word in before {
        if is_agents(at, places) {
            break;
        }
        if let Some(flag) = pending.take() {
            wanted.note(flag.long, word);
        } else if fenced || !word.starts_with('-') || word.len() == 1 {
            match at.commands.iter().find(|c| c.name == word.as_str()).filter(|_| !fenced && places == 0) {
                Some(command) => at = &command.command,
                None => {
                    wanted.note_place(at, places, word);
                    places += 1;
                }
            }
        } else if word == "--" {
            fenced = true;
        } else {
            let (name, value) = word.split_once('=').map_or((word.as_str(), None), |(name, value)| (name, Some(value)));
            let flag = at.flags.iter().find(|f| f.long == name || f.short.is_some_and(|c| name == format!("-{c}")));
            if let Some(flag) = flag {
                used.push(flag.long);
                match value {
                    Some(value) => wanted.note(flag.long, value),
                    None => pending = Some(flag).filter(|f| matches!(f.kind, FlagInfoKind::Option { .. })),
                }
            }
        }
    }
    if is_agents(at, places) {
        // Arguments of the agent, which clown does not know.
        wanted.files = Some(Files::Any);
    } else if let Some(flag) = pending {
        wanted.value(&option_value(flag.long), "", last);
    } else if let Some((name, value)) = last.split_once('=').filter(|(name, _)| !fenced && name.starts_with("--")) {
        wanted.value(&option_value(name), &format!("{name}="), value);
    } else if last.starts_with('-') && !fenced {
        wanted.flags(at, last, &used);
    } else {
        let commands = at.commands.iter().filter(|c| places == 0 && !fenced && c.name.starts_with(last.as_str()));
        wanted.words.extend(commands.map(|c| (c.name.to_owned(), first_line(c.command.description))));
        if let Some(place) = place(at, places) {
            wanted.value(&word_value(at.name, place, places), "", last);
        }
    }
    wanted
}

/// Whether what comes now belongs to the agent that is run.
fn is_agents(at: &CommandInfoWithArgs, places: usize) -> bool {
    places > 0 && at.positionals.iter().any(|p| matches!(p.optionality, Optionality::Greedy))
}

/// Name of the word at this place; the last one may repeat.
fn place(at: &CommandInfoWithArgs, places: usize) -> Option<&str> {
    let repeats = |p: &&argh::PositionalInfo| matches!(p.optionality, Optionality::Repeating);
    at.positionals.get(places).or_else(|| at.positionals.last().filter(repeats)).map(|p| p.name)
}

/// The first sentence's line: shells show no more.
fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim().to_owned()
}

impl Wanted {
    fn note(&mut self, long: &str, value: &str) {
        let field = match long {
            "--agent" => &mut self.agent,
            "--provider" => &mut self.provider,
            "--profile" => &mut self.profile,
            _ => return,
        };
        *field = Some(value.to_owned());
    }

    fn note_place(&mut self, at: &CommandInfoWithArgs, places: usize, word: &str) {
        let Some(name) = place(at, places) else { return };
        match word_value(at.name, name, places) {
            Value::Names(Kind::Agents) => self.agent = Some(word.to_owned()),
            Value::Names(Kind::Providers) => self.provider = Some(word.to_owned()),
            Value::Names(Kind::Profiles) => self.profile = Some(word.to_owned()),
            _ => {}
        }
    }

    fn value(&mut self, value: &Value, before: &str, begins: &str) {
        (self.before, self.begins) = (before.to_owned(), begins.to_owned());
        match value {
            Value::Names(kind) => self.names = Some(*kind),
            Value::Files(files) => self.files = Some(*files),
            Value::Words(words) => {
                let fitting = words.iter().filter(|word| word.starts_with(begins));
                self.words.extend(fitting.map(|word| (format!("{before}{word}"), String::new())));
            }
            Value::Free => {}
        }
    }

    fn flags(&mut self, at: &CommandInfoWithArgs, last: &str, used: &[&str]) {
        let again = |f: &&FlagInfo| matches!(f.optionality, Optionality::Repeating) || !used.contains(&f.long);
        let flags = at.flags.iter().filter(|f| !f.hidden).filter(again).map(|f| (f.long, f.description));
        let global = [("--json", "print one JSON document"), ("--quiet", "print data, warnings and errors only"), ("--help", "show help")];
        for (long, help) in flags.chain(global).filter(|(long, _)| long.starts_with(last)) {
            if self.words.iter().all(|(word, _)| word != long) {
                self.words.push((long.to_owned(), first_line(help)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use argh::ArgsInfo;

    use super::*;
    use crate::cli::args::Top;

    fn at(line: &str) -> Wanted {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        wanted(&words, &Top::get_args_info())
    }

    fn words(line: &str) -> Vec<String> {
        at(line).words.into_iter().map(|(word, _)| word).collect()
    }

    #[test]
    fn commands_and_flags_come_from_the_grammar() {
        assert_eq!(words("prof"), ["profiles"]);
        assert!(words("").len() > 10 && words("").contains(&"run".to_owned()));
        assert_eq!(words("profiles cl"), ["clone"]);
        assert_eq!(words("profiles list --ag"), ["--agent"]);
        assert_eq!(words("profiles list --agent claude --ag"), [""; 0], "given once");
        assert_eq!(words("profiles edit x --env A=B --en"), ["--endpoint", "--env"], "may be given again");
        assert!(words("daemon --").iter().all(|w| w != "--ready"), "hidden ones stay hidden");
        assert_eq!(words("--js"), ["--json"]);
        assert_eq!(words("profiles list --js"), ["--json"]);
    }

    #[test]
    fn values_are_known_by_option_and_by_place() {
        for (line, kind) in [
            ("run ", Kind::Profiles),
            ("profiles inspect w", Kind::Profiles),
            ("profiles create ", Kind::Agents),
            ("profiles create claude x --provider ", Kind::Providers),
            ("profiles create claude x --provider=z", Kind::Providers),
            ("usage daily --profile ", Kind::Profiles),
            ("config set ", Kind::Settings),
            ("sessions inspect ", Kind::Sessions),
            ("templates inspect claude ", Kind::Templates),
            ("agents inspect ", Kind::Agents),
        ] {
            assert_eq!(at(line).names, Some(kind), "{line}");
        }
        let model = at("profiles create claude x --provider zai --model=glm");
        assert_eq!((model.agent.as_deref(), model.provider.as_deref()), (Some("claude"), Some("zai")));
        assert_eq!((model.before.as_str(), model.begins.as_str()), ("--model=", "glm"));
        assert_eq!(at("profiles edit work --model ").profile.as_deref(), Some("work"));
        assert_eq!(words("profiles create claude x --isolation=c"), ["--isolation=config-dir"]);
        assert_eq!(words("completions z"), ["zsh"]);
        assert_eq!(at("profiles create claude "), Wanted { agent: Some("claude".into()), ..Wanted::default() }, "a new name is free");
        assert_eq!(at("profiles rename work ").names, None);
    }

    #[test]
    fn what_belongs_to_the_agent_is_a_file() {
        for line in ["run work ", "run work --mod", "run work -- x", "profiles run work -p"] {
            let wanted = at(line);
            assert_eq!((wanted.files, wanted.words.len()), (Some(Files::Any), 0), "{line}");
        }
        assert_eq!(at("registry lint ").files, Some(Files::Dirs));
    }

    #[test]
    fn any_line_is_survived() {
        for line in ["", "-", "--", "-- x", "=", "--=", "--provider=", "nonsense more ", "run --", "--json --json ", "profiles -x --y=z é"]
        {
            at(line);
        }
        assert_eq!(wanted(&[], &Top::get_args_info()), Wanted::default());
    }
}
