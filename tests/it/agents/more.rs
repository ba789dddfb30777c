//! The further agents, each alone on PATH in a clean home, against upstreams that keep a bill.

use serde_json::Value;

use super::{Agent, has_part_of, new_key};
use crate::{
    proxy::{Cast, Format, Served, Usage, WORD},
    support::{Out, TestHome, snapshot},
};

pub struct More {
    pub agent: Agent,
    /// Formats it speaks by itself; the first is the one it prefers.
    pub formats: &'static [Format],
    /// Whether it runs commands for the model.
    tools: bool,
    log: Log,
    /// Requests it makes beside the conversation and writes down nowhere, by words in them.
    aside: &'static [&'static str],
    /// What it keeps in a home when it is used without clown.
    own: &'static [(&'static str, &'static str)],
}

/// What an agent's log tells of a request.
#[derive(Clone, Copy, PartialEq)]
enum Log {
    None,
    /// All that the upstream told.
    Whole,
    /// Not how much of the output was reasoning.
    NoReasoning,
    /// The sums of a turn or a session.
    Sums,
}

/// In files of the real home that agents read as settings or instructions.
const OWN_WORDS: &str = "WORDS-OF-THE-REAL-HOME";
const OWN_KEY: &str = "own-key-of-the-real-home";
const MODEL: &str = "gpt-5.5";

pub const GEMINI: More = More {
    agent: Agent { id: "gemini", ask: &["--skip-trust", "-y", "-o", "text", "-p"] },
    formats: &[Format::Gemini],
    tools: true,
    log: Log::Whole,
    aside: &[],
    own: &[
        (".gemini/settings.json", r#"{"model":{"name":"own-model"},"security":{"auth":{"selectedType":"oauth-personal"}}}"#),
        (".gemini/.env", "GEMINI_API_KEY=own-key-of-the-real-home\nGOOGLE_GEMINI_BASE_URL=http://127.0.0.1:9\n"),
        (".gemini/GEMINI.md", OWN_WORDS),
    ],
};

pub const QWEN: More = More {
    agent: Agent { id: "qwen", ask: &["--approval-mode", "yolo", "-p"] },
    formats: &[Format::Chat],
    tools: true,
    log: Log::Whole,
    aside: &[],
    own: &[
        (
            ".qwen/settings.json",
            r#"{"model":{"name":"own-model"},"security":{"auth":{"selectedType":"openai","apiKey":"own-key-of-the-real-home"}}}"#,
        ),
        (".qwen/.env", "OPENAI_API_KEY=own-key-of-the-real-home\nOPENAI_BASE_URL=http://127.0.0.1:9\n"),
        (".qwen/QWEN.md", OWN_WORDS),
    ],
};

pub const COPILOT: More = More {
    agent: Agent { id: "copilot", ask: &["--allow-all-tools", "-p"] },
    formats: &[Format::Anthropic, Format::Responses, Format::Chat],
    tools: true,
    log: Log::Whole,
    aside: &[],
    own: &[(".copilot/config.json", r#"{"model":"own-model"}"#), (".copilot/copilot-instructions.md", OWN_WORDS)],
};

pub const GROK: More = More {
    agent: Agent { id: "grok", ask: &["--always-approve", "-p"] },
    formats: &[Format::Responses, Format::Chat],
    tools: true,
    log: Log::Sums,
    aside: &["session_title"],
    own: &[
        (".grok/config.toml", "[models]\ndefault = \"own-model\"\n"),
        (".grok/auth.json", r#"{"api_key":"own-key-of-the-real-home"}"#),
        (".grok/AGENTS.md", OWN_WORDS),
        (".cursor/rules/own.md", OWN_WORDS),
    ],
};

pub const GROK_CLI: More = More {
    agent: Agent { id: "grok-cli", ask: &["-p"] },
    formats: &[Format::Chat],
    tools: true,
    log: Log::None,
    aside: &[],
    own: &[(
        ".grok/user-settings.json",
        r#"{"apiKey":"own-key-of-the-real-home","baseURL":"http://127.0.0.1:9","defaultModel":"own-model"}"#,
    )],
};

pub const PI: More = More {
    agent: Agent { id: "pi", ask: &["-p"] },
    formats: &[Format::Anthropic, Format::Responses, Format::Chat, Format::Gemini],
    tools: true,
    log: Log::NoReasoning,
    aside: &[],
    own: &[
        (".pi/agent/settings.json", r#"{"defaultProvider":"own","defaultModel":"own-model"}"#),
        (".pi/agent/auth.json", r#"{"anthropic":{"type":"api_key","key":"own-key-of-the-real-home"}}"#),
        (".pi/agent/AGENTS.md", OWN_WORDS),
    ],
};

pub const KIMI: More = More {
    agent: Agent { id: "kimi", ask: &["-p"] },
    formats: &[Format::Anthropic, Format::Chat],
    tools: true,
    log: Log::NoReasoning,
    aside: &[],
    own: &[
        (
            ".kimi-code/config.toml",
            "default_model = \"own\"\n[providers.own]\ntype = \"openai\"\nbase_url = \"http://127.0.0.1:9\"\napi_key = \"own-key-of-the-real-home\"\n\
             [models.own]\nprovider = \"own\"\nmodel = \"own-model\"\nmax_context_size = 1000\n",
        ),
        (".kimi-code/AGENTS.md", OWN_WORDS),
    ],
};

pub const DROID: More = More {
    agent: Agent { id: "droid", ask: &["exec", "--skip-permissions-unsafe"] },
    formats: &[Format::Anthropic, Format::Responses, Format::Chat],
    tools: true,
    log: Log::Sums,
    aside: &[],
    own: &[
        (
            ".factory/settings.json",
            r#"{"customModels":[{"model":"own-model","baseUrl":"http://127.0.0.1:9","apiKey":"own-key-of-the-real-home","provider":"anthropic"}]}"#,
        ),
        (".factory/AGENTS.md", OWN_WORDS),
    ],
};

pub const AIDER: More = More {
    agent: Agent { id: "aider", ask: &["--no-git", "-m"] },
    formats: &[Format::Chat],
    tools: false,
    log: Log::None,
    aside: &[],
    own: &[
        (".aider.conf.yml", "model: own-model\nopenai-api-key: own-key-of-the-real-home\n"),
        (".env", "OPENAI_API_KEY=own-key-of-the-real-home\nOPENAI_BASE_URL=http://127.0.0.1:9\n"),
    ],
};

/// One module for each agent, so that a run of the tests can be one agent's.
macro_rules! tests {
    ($($name:ident: $of:ident),+ $(,)?) => {$(
        mod $name {
            #[test]
            fn two_profiles_at_once_and_the_users_own_files_stay_apart() {
                super::two_profiles_at_once(&super::$of);
            }
            #[test]
            fn speaks_each_of_its_formats_and_is_billed_as_the_upstream_says() {
                super::each_format(&super::$of);
            }
            #[test]
            fn through_a_proxy_no_key_is_in_reach_and_no_request_is_lost() {
                super::through_a_proxy(&super::$of);
            }
        }
    )+};
}

tests! {
    gemini: GEMINI, qwen: QWEN, copilot: COPILOT, grok: GROK, grok_cli: GROK_CLI, pi: PI, kimi: KIMI, droid: DROID, aider: AIDER,
}

/// What one request is on either side: model, input, read, written, output, reasoning.
type One = (String, u64, u64, u64, u64, u64);

impl More {
    pub fn home(&self) -> TestHome {
        let home = TestHome::with_agent(self.agent.id);
        home.clown(&["config", "set", "secrets.backend", "file"]).ok();
        home
    }

    /// Qwen Code loses the output of a command now and then on a busy machine (0.24.4), so it may try again.
    fn ask(&self, home: &TestHome, alias: &str, prompt: &str, key: &str) -> Out {
        let ask = || {
            let run = self.agent.run(home, alias, prompt);
            if alias == "two" { run.env("KEY_OF_TWO", key) } else { run }.ok()
        };
        let lost = |out: &Out| self.agent.id == "qwen" && out.stdout().contains("words were lost");
        (0..2).map(|_| ask()).find(|out| !lost(out)).unwrap_or_else(ask)
    }

    /// What the model says last.
    fn answer(&self) -> &'static str {
        if self.tools { WORD } else { "No tool here." }
    }

    fn billed(&self, cast: &Cast, aside: bool) -> Vec<One> {
        let all = cast.bill().into_iter();
        sorted(all.filter(|one| aside || !self.aside.iter().any(|word| one.asked.holds(word))).map(of_bill).collect())
    }
}

/// A provider of this id that speaks one format and leads to the upstream.
pub fn add_provider(home: &TestHome, id: &str, cast: &Cast, format: Format) {
    let endpoint =
        format!("[[endpoints]]\nformat = \"{}\"\nbase_url = \"{}\"\nauth = \"{}\"\n", format.id(), cast.url(format), format.auth());
    let manifest = format!("schema = 1\nid = \"{id}\"\nname = \"{id}\"\nany_model = true\ndefault_model = \"{MODEL}\"\n{endpoint}");
    home.write(home.root().join(format!("providers.d/{id}.toml")), &manifest);
}

/// As the vendor of the format wants it.
pub fn header(format: Format, key: &str) -> (&'static str, String) {
    match format.auth() {
        "bearer" => ("authorization", format!("Bearer {key}")),
        other => (other, key.to_owned()),
    }
}

/// The requests, and the end of what each said.
pub fn asked(cast: &Cast) -> String {
    let line = |one: &crate::support::Recorded| {
        let text = String::from_utf8_lossy(&one.body);
        let end: String = text.chars().skip(text.chars().count().saturating_sub(600)).collect();
        format!("{} {} ...{end}\n", one.method, one.path)
    };
    cast.requests().iter().map(line).collect()
}

fn of_bill(served: Served) -> One {
    let Usage { input, cache_read, cache_write, output, reasoning } = served.usage;
    (served.model, input, cache_read, cache_write, output, reasoning)
}

fn sorted(mut all: Vec<One>) -> Vec<One> {
    all.sort();
    all
}

fn counted(home: &TestHome, alias: &str) -> Vec<One> {
    let rows = home.json(&["usage", "export", "--profile", alias]);
    let of = |request: &Value| {
        let [input, read, five, hour, other, output, reasoning] =
            ["input", "cache_read", "cache_write_5m", "cache_write_1h", "cache_write_other", "output", "reasoning"]
                .map(|name| request[format!("{name}_tokens")].as_u64().unwrap_or(0));
        (request["model"].as_str().unwrap().to_owned(), input, read, five + hour + other, output, reasoning)
    };
    sorted(rows.as_array().unwrap().iter().map(of).collect())
}

/// The upstream's bill as the agent's log can have it: most know nothing of writes to a cache, nor of reasoning.
fn agree(told: &[One], billed: &[One], log: Log, what: &str) {
    let prompt = |ones: &[One]| ones.iter().map(|(_, input, read, write, ..)| input + read + write).sum::<u64>();
    let output = |ones: &[One]| ones.iter().map(|(.., output, _)| output).sum::<u64>();
    let read = |ones: &[One]| ones.iter().map(|(_, _, read, ..)| read).sum::<u64>();
    match log {
        Log::None => assert!(told.is_empty(), "{what}: {told:?}"),
        Log::Sums => {
            assert_eq!(told.len(), 1, "{what}: {told:?}");
            assert_eq!(
                (prompt(told), read(told), output(told)),
                (prompt(billed), read(billed), output(billed)),
                "{what}: {told:?} {billed:?}"
            );
        }
        Log::Whole | Log::NoReasoning => {
            assert_eq!(told.len(), billed.len(), "{what}: {told:?} {billed:?}");
            for (ours, theirs) in told.iter().zip(billed) {
                let (ours, theirs) = (std::slice::from_ref(ours), std::slice::from_ref(theirs));
                assert_eq!(
                    (prompt(ours), read(ours), output(ours)),
                    (prompt(theirs), read(theirs), output(theirs)),
                    "{what}: {told:?} {billed:?}"
                );
                if log == Log::Whole && theirs[0].5 > 0 && ours[0].5 > 0 {
                    assert_eq!(ours[0].5, theirs[0].5, "{what}: reasoning");
                }
            }
        }
    }
    assert!(told.iter().all(|(model, ..)| model == MODEL), "{what}: {told:?}");
}

fn two_profiles_at_once(of: &More) {
    let (home, format) = (of.home(), of.formats[0]);
    for (path, text) in of.own {
        home.write(home.home().join(path), text);
    }
    let casts = [Cast::metered(), Cast::metered()];
    let keys = [new_key("one"), new_key("two")];
    add_provider(&home, "one", &casts[0], format);
    add_provider(&home, "two", &casts[1], format);
    let id = of.agent.id;
    home.clown(&["profiles", "create", id, "one", "--provider", "one", "--api-key-stdin"]).stdin(keys[0].as_bytes()).ok();
    let detail = home.json(&["agents", "inspect", id]);
    // The second one in the real home, where the agent has a variable for its directory.
    let modes = detail["manifest"]["isolation"]["modes"].as_array().unwrap();
    let mode = modes.last().unwrap().as_str().unwrap();
    home.clown(&["profiles", "create", id, "two", "--provider", "two", "--key-ref", "env:KEY_OF_TWO", "--isolation", mode]).ok();
    assert_eq!(detail["installed"]["version"], detail["manifest"]["tested"], "{}", detail["installed"]);
    let headless = detail["manifest"]["headless"].as_array().unwrap();
    assert!(!headless.is_empty() && headless.iter().all(|word| of.agent.ask.contains(&word.as_str().unwrap())), "{headless:?}");
    let before = snapshot(&home.home(), &home.root());
    assert!(before.len() > of.own.len());

    let outs = std::thread::scope(|scope| {
        let start = |alias: &'static str| {
            let (home, key) = (&home, keys[1].as_str());
            scope.spawn(move || of.ask(home, alias, &format!("run it (said-by-{alias})"), key))
        };
        [start("one"), start("two")].map(|thread| thread.join().unwrap())
    });

    for (mine, alias) in ["one", "two"].iter().enumerate() {
        let (out, cast) = (&outs[mine], &casts[mine]);
        assert!(out.stdout().contains(of.answer()), "{}\n{}", out.report(), asked(cast));
        let bill = cast.bill();
        let (name, value) = header(format, &keys[mine]);
        assert!(bill.iter().any(|one| one.asked.holds(&format!("run it (said-by-{alias})"))), "{bill:?}");
        assert!(bill.iter().all(|one| one.model == MODEL && one.asked.header(name) == Some(&value)), "{bill:?}");
        for request in cast.requests() {
            let whole = format!("{request:?} {}", String::from_utf8_lossy(&request.body));
            assert!(!has_part_of(&keys[1 - mine], whole.as_bytes()), "the other profile's key came along: {whole}");
            for foreign in [OWN_WORDS, OWN_KEY, "own-model", &format!("said-by-{}", ["two", "one"][mine])] {
                assert!(!whole.contains(foreign), "{foreign} came along: {whole}");
            }
        }
    }
    let after = snapshot(&home.home(), &home.root());
    let changed: Vec<_> = before.iter().filter(|(path, what)| after.get(*path) != Some(what)).map(|(path, _)| path).collect();
    let added: Vec<_> = after.keys().filter(|path| !before.contains_key(*path)).collect();
    assert!(changed.is_empty() && added.is_empty(), "in the real home changed {changed:?}, added {added:?}");
    for (cast, alias) in casts.iter().zip(["one", "two"]) {
        agree(&counted(&home, alias), &of.billed(cast, false), of.log, alias);
    }
}

fn each_format(of: &More) {
    let home = of.home();
    for format in of.formats {
        let (cast, key, word) = (Cast::metered(), new_key("formats"), format.word());
        add_provider(&home, word, &cast, *format);
        home.clown(&["profiles", "create", of.agent.id, word, "--provider", word, "--api-key-stdin"]).stdin(key.as_bytes()).ok();
        let out = of.ask(&home, word, "run it", "");
        let (bill, what) = (cast.bill(), format!("{} with {word}", of.agent.id));
        assert!(out.stdout().contains(of.answer()), "{what}: {}\n{}", out.report(), asked(&cast));
        let (name, value) = header(*format, &key);
        assert!(bill.iter().all(|one| one.format == *format && one.asked.header(name) == Some(&value)), "{what}: {bill:?}");
        agree(&counted(&home, word), &of.billed(&cast, false), of.log, &what);
        let exits: Vec<_> = home.sessions().iter().map(|s| s["exit"]["code"].as_i64()).collect();
        assert!(exits.iter().all(|code| *code == Some(0)), "{what}: {exits:?}");
    }
}

fn through_a_proxy(of: &More) {
    let home = of.home();
    // One that it does not speak, if there is one.
    let foreign = Format::ALL.into_iter().find(|format| !of.formats.contains(format)).unwrap_or(Format::Chat);
    let (cast, key) = (Cast::metered(), new_key("proxied"));
    add_provider(&home, "up", &cast, foreign);
    let create = ["profiles", "create", of.agent.id, "p", "--provider", "up", "--api-key-stdin", "--proxy"];
    home.clown(&create).stdin(key.as_bytes()).ok();
    let out = of.ask(&home, "p", "run it", "");
    assert!(out.stdout().contains(of.answer()), "{}\n{}", out.report(), asked(&cast));
    let (name, value) = header(foreign, &key);
    let bill = cast.bill();
    assert!(!bill.is_empty() && bill.iter().all(|one| one.model == MODEL && one.asked.header(name) == Some(&value)), "{bill:?}");
    if of.tools {
        assert!(!has_part_of(&key, &std::fs::read(home.work().join("seen")).unwrap()), "its tools have the key");
    }
    let kept = home.files_with(home.everything(), key.as_bytes());
    assert_eq!(kept, [home.root().join("secrets/keys.json")]);
    // Sums of sessions cannot be told from what the proxy saw.
    if of.log != Log::Sums {
        agree(&counted(&home, "p"), &of.billed(&cast, true), if of.log == Log::None { Log::NoReasoning } else { of.log }, "by the proxy");
    }
}
