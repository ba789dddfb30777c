use super::*;

fn some() -> Vec<One> {
    vec![
        One::default(),
        One { profile: Some("work"), session: "s2", project: "/w/other", ..One::default() },
        One { agent: "codex", session: "s3", model: "gpt-5.5", project: "", at: "2026-11-22T11:00:00Z", ..One::default() },
        One { model: "nobody-knows-1", session: "s1", at: "2026-11-22T10:30:00Z", ..One::default() },
    ]
}

fn requests(change: impl Fn(&mut Select)) -> u64 {
    let mut select = Select::default();
    change(&mut select);
    let page = lines(&some(), Group::Models, select.clone());
    let asked = Export { select, from: 0 };
    let rows = export(&Made(some()), &prices(), |alias| (alias == "work").then_some("zai"), &asked, at(NOW)).unwrap();
    assert_eq!(rows.requests.len() as u64, page.totals.requests, "sums and rows choose alike");
    page.totals.requests
}

#[test]
fn filters_choose_by_whole_names_and_patterns() {
    let list = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(requests(|_| {}), 4);
    assert_eq!(requests(|s| s.profiles = list("work")), 1);
    assert_eq!(requests(|s| s.profiles = list("-")), 3);
    assert_eq!(requests(|s| s.profiles = list("- work")), 4);
    assert_eq!(requests(|s| s.profiles = list("wor")), 0);
    assert_eq!(requests(|s| s.agents = list("codex")), 1);
    assert_eq!(requests(|s| s.providers = list("zai")), 1);
    assert_eq!(requests(|s| s.models = list("claude-*")), 2);
    assert_eq!(requests(|s| s.models = list("claude")), 0);
    assert_eq!(requests(|s| s.projects = list("app")), 2);
    assert_eq!(requests(|s| s.projects = list("/w/*")), 3);
    assert_eq!(requests(|s| (s.models, s.agents) = (list("claude-*"), list("codex"))), 0);
}

#[test]
fn every_grouping_adds_up_to_the_same_totals() {
    let all = lines(&some(), Group::Daily, Select::default()).totals;
    assert_eq!((all.requests, all.total_tokens, all.partial), (4, 4400, true));
    for group in
        [Group::Weekly, Group::Monthly, Group::Sessions, Group::Models, Group::Profiles, Group::Agents, Group::Projects, Group::Blocks]
    {
        let page = report(&ledger(&some()), &Report { breakdown: true, ..ask(group, Select::default()) }, at(NOW)).unwrap();
        assert_eq!(page.totals, all, "{group:?}");
        let sum = |pick: fn(&Line) -> u64| page.lines.iter().map(pick).sum::<u64>();
        assert_eq!(sum(|line| line.figures.total_tokens), 4400, "{group:?}");
        if group != Group::Models {
            let parts = |line: &Line| line.breakdown.iter().map(|part| part.figures.total_tokens).sum::<u64>();
            assert_eq!(sum(parts), 4400, "{group:?}");
        }
    }
}

#[test]
fn lines_name_what_they_are_the_sum_of() {
    let of = |group, name: fn(&Line) -> Option<String>| tokens_by(&lines(&some(), group, Select::default()), name);
    let pair = |name: &str, n: u64| (name.to_owned(), n);
    assert_eq!(of(Group::Profiles, |line| line.profile.clone()), [pair("-", 3300), pair("work", 1100)]);
    assert!(of(Group::Projects, |line| line.project.clone()).contains(&pair("/w/app", 2200)));
    let sessions = lines(&some(), Group::Sessions, Select::default());
    let newest = sessions.lines.last().unwrap();
    assert_eq!((newest.session.as_deref(), newest.agent.as_deref()), (Some("s3"), Some("codex")));
    assert_eq!(newest.project, None);
    let partly = sessions.lines.iter().find(|line| line.session.as_deref() == Some("s1")).unwrap();
    assert_eq!(partly.models, ["claude-opus-5-5", "nobody-knows-1"]);
    assert!(partly.figures.partial && partly.figures.cost_usd.is_some());
    assert_eq!(sessions.unpriced, ["nobody-knows-1"]);
}

#[test]
fn a_model_without_a_price_is_null_and_never_zero() {
    let page = lines(&some(), Group::Models, Select { models: vec!["nobody-*".into()], ..Select::default() });
    let json = serde_json::to_value(&page.lines[0]).unwrap();
    assert_eq!((&json["cost_usd"], &json["partial"]), (&serde_json::Value::Null, &true.into()));
    assert_eq!(json["model"], "nobody-knows-1");
}

#[test]
fn the_last_lines_and_pages_of_them() {
    let ones: Vec<One> =
        (0..600).map(|n| One { session: Box::leak(format!("s{n}").into_boxed_str()), input: n, ..One::default() }).collect();
    let ledger = ledger(&ones);
    let mut ask = ask(Group::Sessions, Select::default());
    let mut got = Vec::new();
    loop {
        let page = report(&ledger, &Report { skip: got.len(), ..ask.clone() }, at(NOW)).unwrap();
        assert_eq!((page.count, page.totals.requests), (600, 600));
        if page.lines.is_empty() {
            break;
        }
        got.extend(page.lines.into_iter().filter_map(|line| line.session));
    }
    assert_eq!(got.len(), 600);
    ask.last = Some(2);
    assert_eq!(report(&ledger, &ask, at(NOW)).unwrap().count, 2);
}

#[test]
fn an_export_goes_on_where_it_stopped() {
    let rows = Made(vec![One::default(); 900]);
    let (mut from, mut count) = (Some(0), 0);
    while let Some(at_row) = from {
        let page = export(&rows, &prices(), |_| None, &Export { from: at_row, ..Export::default() }, at(NOW)).unwrap();
        count += page.requests.len();
        from = page.next;
    }
    assert_eq!(count, 900);
}

#[test]
fn the_card_has_every_day_and_the_line_its_session() {
    let ledger = ledger(&some());
    let card = summary(&ledger, &Summary { select: Select { period: Some(Period::Last7), ..Select::default() } }, at(NOW)).unwrap();
    assert_eq!((card.days.len(), card.today.requests, card.yesterday.requests, card.month.requests), (7, 4, 0, 4));
    assert_eq!(card.days[6].date.as_deref(), Some("2026-11-22"));
    assert_eq!(card.agents.len(), 2);
    let asked = Statusline { agent: "claude".into(), session: Some("s1".into()), ..Statusline::default() };
    let line = statusline(&ledger, &asked, at(NOW)).unwrap();
    assert_eq!((line.session.requests, line.today.requests), (2, 2), "of the real home");
    assert!(line.block.is_some());
}
