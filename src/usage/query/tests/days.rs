use super::*;

fn on(at: &'static str) -> One {
    One { at, ..One::default() }
}

fn dates(ones: &[One], group: Group, timezone: &str) -> Vec<(String, u64)> {
    tokens_by(&lines(ones, group, Select { timezone: timezone.into(), ..Select::default() }), |line| line.date.clone())
}

#[test]
fn a_day_begins_where_the_zone_says() {
    let ones = [on("2026-11-21T22:59:59.999Z"), on("2026-11-21T23:00:00Z"), on("2026-11-22T22:30:00Z")];
    let pair = |date: &str, n: u64| (date.to_owned(), n * 1100);
    assert_eq!(dates(&ones, Group::Daily, ""), [pair("2026-11-21", 2), pair("2026-11-22", 1)]);
    assert_eq!(dates(&ones, Group::Daily, "Europe/Berlin"), [pair("2026-11-21", 1), pair("2026-11-22", 2)]);
    assert_eq!(dates(&ones, Group::Daily, "+01:00"), dates(&ones, Group::Daily, "Europe/Berlin"));
    assert_eq!(dates(&ones, Group::Daily, "CET-1CEST,M3.5.0,M10.5.0/3"), dates(&ones, Group::Daily, "Europe/Berlin"));
    assert_eq!(dates(&ones, Group::Daily, "Asia/Kathmandu"), [pair("2026-11-22", 2), pair("2026-11-23", 1)]);
}

#[test]
fn days_with_a_change_of_clocks_have_23_and_25_hours() {
    // Berlin, 2026-03-29: 23 hours from 23:00Z to 22:00Z.
    let spring = [on("2026-03-28T22:59:00Z"), on("2026-03-28T23:00:00Z"), on("2026-03-29T21:59:00Z"), on("2026-03-29T22:00:00Z")];
    let counts = |ones: &[One], zone: &str| dates(ones, Group::Daily, zone).into_iter().map(|(_, n)| n / 1100).collect::<Vec<_>>();
    assert_eq!(counts(&spring, "Europe/Berlin"), [1, 2, 1]);
    // 2026-10-25: 25 hours from 22:00Z to 23:00Z.
    let autumn = [on("2026-10-24T21:59:00Z"), on("2026-10-24T22:00:00Z"), on("2026-10-25T22:59:00Z"), on("2026-10-25T23:00:00Z")];
    assert_eq!(counts(&autumn, "Europe/Berlin"), [1, 2, 1]);
    // Beirut changes at midnight: 2026-03-29 begins at 01:00, which is 22:00Z.
    let gap = [on("2026-03-28T21:59:00Z"), on("2026-03-28T22:00:00Z")];
    assert_eq!(counts(&gap, "Asia/Beirut"), [1, 1]);
}

#[test]
fn weeks_begin_on_monday_and_months_on_the_first() {
    let ones = [on("2026-10-31T12:00:00Z"), on("2026-11-01T12:00:00Z"), on("2026-11-02T12:00:00Z"), on("2026-11-22T12:00:00Z")];
    let names = |group| dates(&ones, group, "").into_iter().map(|(date, n)| format!("{date} {}", n / 1100)).collect::<Vec<_>>();
    assert_eq!(names(Group::Weekly), ["2026-10-26 2", "2026-11-02 1", "2026-11-16 1"]);
    assert_eq!(names(Group::Monthly), ["2026-10 1", "2026-11 3"]);
}

#[test]
fn periods_count_from_today_in_the_zone_of_the_question() {
    let ones: Vec<One> = [
        "2026-11-22T11:00:00Z",
        "2026-11-22T00:30:00Z",
        "2026-11-21T12:00:00Z",
        "2026-11-16T00:00:00Z",
        "2026-11-15T23:59:59.999Z",
        "2026-11-01T00:00:00Z",
        "2026-10-31T00:00:00Z",
        "2026-10-24T00:00:00Z",
        "2026-10-23T23:59:59Z",
    ]
    .map(on)
    .into();
    let count = |select: Select| lines(&ones, Group::Agents, select).totals.requests;
    let of = |period| count(Select { period: Some(period), ..Select::default() });
    let counted = Period::WORDS.map(|(word, period)| (word, of(period)));
    assert_eq!(counted, [("today", 2), ("yesterday", 1), ("week", 4), ("month", 6), ("7d", 4), ("30d", 8), ("all", 9)]);
    let days = |since: Option<&str>, until: Option<&str>| {
        count(Select { since: since.map(str::to_owned), until: until.map(str::to_owned), ..Select::default() })
    };
    assert_eq!(days(Some("2026-11-16"), None), 4);
    assert_eq!(days(Some("20261116"), Some("2026-11-21")), 2);
    assert_eq!(days(None, Some("2026-11-15")), 5);
    assert_eq!(count(Select { period: Some(Period::Today), timezone: "America/New_York".into(), ..Select::default() }), 1);
}

#[test]
fn what_is_no_day_and_no_zone_is_refused_with_an_example() {
    let refused = |select: Select| {
        let error = Span::of(&select, at(NOW)).unwrap_err();
        crate::wire::error::Failure::from(error)
    };
    for since in ["yesterday", "2026-13-01", "2026-02-30", "22.11.2026"] {
        let failure = refused(Select { since: Some(since.into()), ..Select::default() });
        assert!(failure.message.contains(since) && failure.hints[0].contains("2026-11-22"), "{failure:?}");
    }
    for timezone in ["Mars/Olympus", "+25:00", "+01:07", "CET"].iter().filter(|zone| **zone != "CET") {
        assert!(refused(Select { timezone: (*timezone).into(), ..Select::default() }).hints[0].contains("Europe/Berlin"));
    }
    let backwards = Select { since: Some("2026-11-22".into()), until: Some("2026-11-21".into()), ..Select::default() };
    assert!(refused(backwards).message.contains("no day from"));
}
