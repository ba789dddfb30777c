//! Sums that followed real logs, however they changed, are those of a service that sees them for the first time.

use std::{collections::BTreeMap, fs};

use super::*;
use crate::usage::{
    logs::Logs,
    query::tests::deltas::{Random, answers},
};

const HOMES: [&str; 3] = ["own", "work", "play"];

struct World {
    dir: tempfile::TempDir,
    random: Random,
    messages: u64,
}

impl World {
    fn new(seed: u64) -> Self {
        Self { dir: tempfile::tempdir().unwrap(), random: Random(0x9E37_79B9_7F4A_7C15 ^ (seed << 24)), messages: 0 }
    }

    fn log(&self, home: &str, name: usize) -> PathBuf {
        self.dir.path().join(format!("{home}/.claude/projects/-w-app/{name}.jsonl"))
    }

    fn side(&self, home: &str) -> PathBuf {
        self.dir.path().join(home).join("proxy/usage.jsonl")
    }

    fn scope(&self, provider: &str) -> Scope {
        let place = |home: &&str| Place {
            home: self.dir.path().join(home),
            profile: Some((*home).to_owned()).filter(|home| home != "own"),
            env: BTreeMap::new(),
            only: None,
        };
        let side = |home: &str| Log { file: self.side(home), profile: home.to_owned(), agent: "claude".to_owned() };
        Scope {
            places: HOMES.iter().map(place).collect(),
            sides: vec![side("work"), side("play")],
            providers: BTreeMap::from([("work".to_owned(), provider.to_owned())]),
        }
    }

    fn usage(&self, index: &str) -> Usage {
        Usage::new(Box::new(Logs::new(self.dir.path().join(index))), Prices::new(None, &Overrides::default()).unwrap())
    }

    /// A line of Claude Code's; the same message is told more than once, and greater later.
    fn line(&mut self) -> String {
        let id = if self.random.below(3) == 0 { self.random.below(self.messages as usize + 1) as u64 } else { self.messages };
        self.messages = self.messages.max(id + 1);
        let model = if id % 5 == 4 { "nobody-knows" } else { "claude-opus-5-5" };
        let side = id % 7 == 6 && self.random.below(2) == 0;
        let (hour, output) = (8 + id % 4, 1 + self.random.below(500));
        format!(
            r#"{{"isSidechain":{side},"cwd":"/w/{}","sessionId":"s{}","version":"2.1.330","type":"assistant","uuid":"u{id}","timestamp":"2026-11-22T{hour:02}:{:02}:00.000Z","requestId":"req_{id}","message":{{"id":"msg_{id}","type":"message","role":"assistant","model":"{model}","content":[],"stop_reason":"end_turn","usage":{{"input_tokens":{id},"output_tokens":{output},"cache_read_input_tokens":7,"cache_creation_input_tokens":0}}}}}}"#,
            id % 3,
            id % 4,
            id % 60,
        ) + "\n"
    }

    fn append(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut file = fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
        std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
    }

    /// Changes something. Says which file alone it was, where it was there before.
    fn step(&mut self) -> Option<PathBuf> {
        let (from, to) = (self.random.of(&HOMES), self.random.of(&HOMES));
        let (name, other) = (self.random.below(3), self.random.below(4));
        let (log, copy) = (self.log(from, name), self.log(to, other));
        match self.random.below(9) {
            0 => drop(fs::remove_file(&log)),
            1 => {
                fs::create_dir_all(copy.parent().unwrap()).unwrap();
                drop(fs::rename(&log, &copy));
            }
            // Told in another home too, which may be the user's own.
            2 => {
                let text = fs::read_to_string(&log).unwrap_or_default();
                Self::append(&copy, &text);
            }
            3 => {
                let text = self.line();
                fs::create_dir_all(log.parent().unwrap()).unwrap();
                fs::write(&log, text).unwrap();
            }
            4 => {
                let id = self.random.below(self.messages as usize + 5);
                let side = self.side(to);
                let known = side.exists();
                let line = format!(
                    r#"{{"v":1,"id":"p{id}","session":"s","at":1795341600000,"target":"zai/glm","upstream_model":"glm-4.6","input":5,"output":1,"outcome":"ok","reply":"msg_{id}"}}"#
                );
                Self::append(&side, &(line + "\n"));
                return Some(side).filter(|_| known);
            }
            _ => {
                let known = log.exists();
                let text: String = (0..=self.random.below(3)).map(|_| self.line()).collect();
                // Sometimes a line is written in two pieces.
                let cut = if self.random.below(4) == 0 { text.len() - 9 } else { text.len() };
                Self::append(&log, &text[..cut]);
                if cut < text.len() && self.random.below(2) == 0 {
                    Self::append(&log, &text[cut..]);
                }
                return Some(log).filter(|_| known);
            }
        }
        None
    }
}

#[test]
fn sums_that_followed_are_those_of_a_first_look() {
    for seed in 1..=6 {
        let mut world = World::new(seed);
        let usage = world.usage("index");
        usage.watched(true);
        let mut provider = "zai";
        for step in 0..40 {
            if step % 13 == 12 {
                provider = if provider == "zai" { "openrouter" } else { "zai" };
                usage.changed();
            }
            for _ in 0..=world.random.below(2) {
                match world.step() {
                    Some(file) => usage.changed_in(&file),
                    None => usage.changed(),
                }
            }
            let followed = usage.known(|| Ok(world.scope(provider))).unwrap();
            // The index has it all: another reader of the same tells the same, whatever logs are gone.
            let first = {
                let state = usage.state.lock().unwrap();
                let terms = Terms { prices: &usage.prices(), provider: &|alias| (alias == "work").then_some(provider) };
                let mut sides = Sides::default();
                sides.read(&world.scope(provider).sides).unwrap();
                sides.sold_by(&world.scope(provider).providers);
                let together = sides.beside(&*usage.source);
                let mut ledger = Ledger::of(&together, &terms);
                ledger.set_sides(&together.alone(), &terms);
                assert!(state.ledger.is_some());
                ledger
            };
            for (followed, first) in answers(&followed.ledger).into_iter().zip(answers(&first)) {
                assert_eq!(followed, first, "{seed}, step {step}");
            }
        }
        let count = usage.count();
        assert!(count > 10, "{count}");
        // Nothing was overlooked: what a look at all finds was known.
        let before = usage.known(|| Ok(world.scope(provider))).unwrap();
        let (after, _) = usage.rescan(world.scope(provider)).unwrap();
        assert_eq!(answers(&before.ledger), answers(&after.ledger), "{seed}");
    }
}

#[test]
fn other_prices_give_what_a_first_look_at_them_gives() {
    let mut world = World::new(99);
    let usage = world.usage("index");
    for _ in 0..20 {
        world.step();
        usage.known(|| Ok(world.scope("zai"))).unwrap();
    }
    let own: Overrides = toml::from_str("[nobody-knows]\ninput = 1.0\noutput = 2.0").unwrap();
    let before = answers(&usage.known(|| Ok(world.scope("zai"))).unwrap().ledger);
    usage.set_prices(Prices::new(None, &own).unwrap());
    let after = usage.known(|| Ok(world.scope("zai"))).unwrap();
    let first = {
        let prices = Prices::new(None, &own).unwrap();
        let terms = Terms { prices: &prices, provider: &|alias| (alias == "work").then_some("zai") };
        let state = usage.state.lock().unwrap();
        let together = state.sides.beside(&*usage.source);
        let mut ledger = Ledger::of(&together, &terms);
        ledger.set_sides(&together.alone(), &terms);
        ledger
    };
    assert_ne!(answers(&after.ledger), before);
    assert_eq!(answers(&after.ledger), answers(&first));
    assert!(after.ledger.unpriced().is_empty());
}
