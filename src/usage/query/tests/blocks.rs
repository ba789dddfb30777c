use super::*;

fn on(at: &'static str) -> One {
    One { at, ..One::default() }
}

/// `start requests`, a gap as `start gap`.
fn told(ones: &[One]) -> Vec<String> {
    let page = lines(ones, Group::Blocks, Select::default());
    let told = |line: &Line| {
        let block = line.block.as_ref().unwrap();
        assert!(block.estimated);
        let what = if block.gap { "gap".to_owned() } else { line.figures.requests.to_string() };
        format!("{} {what}", &block.start[5..16])
    };
    page.lines.iter().map(told).collect()
}

#[test]
fn a_block_begins_with_the_full_hour_and_holds_five() {
    let ones = [on("2026-11-20T10:40:00Z"), on("2026-11-20T14:59:59Z"), on("2026-11-20T15:00:00Z"), on("2026-11-20T15:00:00.001Z")];
    assert_eq!(told(&ones), ["11-20T10:00 3", "11-20T15:00 1"], "the last millisecond is still in");
}

#[test]
fn five_hours_of_silence_end_a_block_and_leave_a_gap() {
    assert_eq!(told(&[on("2026-11-20T10:40:00Z"), on("2026-11-20T18:10:00Z")]), ["11-20T10:00 1", "11-20T15:40 gap", "11-20T18:00 1"]);
}

#[test]
fn order_does_not_matter_and_accounts_are_apart() {
    let mut ones = vec![on("2026-11-20T12:07:00Z"), on("2026-11-20T12:01:00Z"), on("2026-11-20T07:03:00Z"), on("2026-11-20T12:14:59Z")];
    let before = told(&ones);
    assert_eq!(before, ["11-20T07:00 1", "11-20T12:00 3"]);
    ones.reverse();
    assert_eq!(told(&ones), before);
    ones.push(One { profile: Some("work"), ..on("2026-11-20T12:30:00Z") });
    assert_eq!(told(&ones).len(), 3);
}

#[test]
fn the_open_block_says_how_fast_and_where_that_leads() {
    let ones = [on("2026-11-22T10:00:00Z"), on("2026-11-22T11:00:00Z")];
    let page = lines(&ones, Group::Blocks, Select::default());
    let block = page.lines[0].block.as_ref().unwrap();
    let burn = block.burn.unwrap();
    assert!(block.active);
    assert_eq!(burn.minutes_left, 180.0);
    assert!((burn.tokens_per_minute - 2200.0 / 60.0).abs() < 1e-9);
    assert_eq!(burn.projected_tokens, 2200 + 6600);
    let cost = page.lines[0].figures.cost_usd.unwrap();
    assert!((burn.projected_cost_usd.unwrap() - cost * 4.0).abs() < 1e-12);
}

#[test]
fn a_block_counts_for_the_day_it_begins_on() {
    let ones = [on("2026-11-21T22:00:00Z"), on("2026-11-22T01:00:00Z")];
    let today = Select { period: Some(Period::Today), ..Select::default() };
    assert_eq!(lines(&ones, Group::Blocks, today).lines.len(), 0);
}
