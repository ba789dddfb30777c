//! Sums that followed changes are those that are made anew.

use super::*;
use crate::usage::row::{Changes, Numbered};

/// Rows that change under their numbers.
#[derive(Default)]
struct Changing(Vec<Option<One>>);

impl Rows for Changing {
    fn each(&self, visit: &mut dyn FnMut(Row<'_>)) {
        self.each_numbered(&mut |_, row| visit(row));
    }
}

impl Numbered for Changing {
    fn changes(&self) -> Changes {
        Changes::All
    }

    fn each_numbered(&self, visit: &mut dyn FnMut(u32, Row<'_>)) {
        let all: Vec<u32> = (0..self.0.len() as u32).collect();
        self.some(&all, visit);
    }

    fn some(&self, numbers: &[u32], visit: &mut dyn FnMut(u32, Row<'_>)) {
        for number in numbers {
            if let Some(Some(one)) = self.0.get(*number as usize) {
                Made(vec![one.clone()]).each(&mut |row| visit(*number, row));
            }
        }
    }
}

pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % end
    }

    pub(crate) fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    fn one(&mut self) -> One {
        One {
            agent: self.of(&["claude", "codex"]),
            profile: self.of(&[None, Some("work"), Some("play")]),
            at: self.of(&[
                "2026-11-01T23:59:59Z",
                "2026-11-22T07:00:00Z",
                "2026-11-22T10:00:00Z",
                "2026-11-22T10:01:00Z",
                "2026-11-22T11:59:00Z",
            ]),
            model: self.of(&["claude-opus-5-5", "gpt-5.5", "nobody-knows"]),
            project: self.of(&["", "/w/a", "/w/b"]),
            session: self.of(&["s1", "s2", "s3"]),
            input: self.below(3000) as u64,
            output: self.below(300) as u64,
        }
    }
}

/// All that anybody can ask.
pub(crate) fn answers(ledger: &Ledger) -> Vec<String> {
    let groups =
        [Group::Daily, Group::Weekly, Group::Monthly, Group::Sessions, Group::Models, Group::Profiles, Group::Agents, Group::Projects];
    let selects = [
        Select::default(),
        Select { profiles: vec!["work".into()], timezone: "+05:45".into(), ..Select::default() },
        Select { models: vec!["*opus*".into()], period: Some(Period::Today), ..Select::default() },
        Select { providers: vec!["zai".into()], projects: vec!["a".into()], ..Select::default() },
    ];
    let mut all = Vec::new();
    let mut tell = |answer: serde_json::Result<String>| all.push(answer.unwrap());
    for select in selects {
        for group in groups.into_iter().chain([Group::Blocks]) {
            let asked = Report { breakdown: true, ..ask(group, select.clone()) };
            tell(serde_json::to_string(&report(ledger, &asked, at(NOW)).unwrap()));
        }
        tell(serde_json::to_string(&summary(ledger, &Summary { select }, at(NOW)).unwrap()));
    }
    for (profile, session) in [(None, "s1"), (Some("work"), "s2")] {
        let asked = Statusline {
            agent: "claude".into(),
            profile: profile.map(str::to_owned),
            session: Some(session.into()),
            ..Statusline::default()
        };
        tell(serde_json::to_string(&statusline(ledger, &asked, at(NOW)).unwrap()));
    }
    all
}

#[test]
fn sums_after_any_changes_are_those_made_anew() {
    let prices = prices();
    let terms = Terms { prices: &prices, provider: &|alias| (alias == "work").then_some("zai") };
    for seed in 1..=12 {
        let mut random = Random(0x9E37_79B9_7F4A_7C15 ^ (seed << 20));
        let mut rows = Changing::default();
        let mut ledger = Ledger::of(&rows, &terms);
        for _ in 0..60 {
            let mut changed = Vec::new();
            for _ in 0..=random.below(4) {
                let at = if random.below(2) == 0 { rows.0.len() } else { random.below(rows.0.len() + 1) };
                let row = (random.below(5) > 0).then(|| random.one());
                match rows.0.get_mut(at) {
                    Some(known) => *known = row,
                    None => rows.0.push(row),
                }
                changed.push(at as u32);
            }
            // Told more than once, out of order, and some that are as they were.
            changed.push(random.below(rows.0.len()) as u32);
            ledger.update(&rows, &changed, &terms);
        }
        for (followed, anew) in answers(&ledger).into_iter().zip(answers(&Ledger::of(&rows, &terms))) {
            assert_eq!(followed, anew, "{seed}");
        }
    }
}

#[test]
fn what_is_gone_leaves_nothing_behind() {
    let prices = prices();
    let terms = Terms { prices: &prices, provider: &|_| None };
    let unknown = One { model: "nobody-knows", ..One::default() };
    let mut rows = Changing(vec![Some(unknown); 300]);
    for (n, row) in rows.0.iter_mut().flatten().enumerate() {
        row.session = Box::leak(format!("s{n}").into_boxed_str());
    }
    let mut ledger = Ledger::of(&rows, &terms);
    assert_eq!((ledger.unpriced(), ledger.is_empty()), (vec!["nobody-knows".to_owned()], false));
    rows.0.iter_mut().for_each(|row| *row = None);
    ledger.update(&rows, &(0..300).collect::<Vec<_>>(), &terms);
    assert!(ledger.unpriced().is_empty() && ledger.is_empty());
    assert_eq!(answers(&ledger), answers(&Ledger::default()));
}
