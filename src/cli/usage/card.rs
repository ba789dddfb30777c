//! The summary.

use std::io::IsTerminal;

use anstyle::AnsiColor;

use super::{
    super::output::{paint, printable},
    draw,
};
use crate::wire::{
    budgets,
    usage::{Figures, Line, SummaryReply, Window},
};

const BAR: usize = 20;

/// What a line is a sum of.
type NameOf = fn(&Line) -> Option<&String>;

pub(super) fn text(summary: &SummaryReply) -> String {
    render(summary, std::io::stdout().is_terminal())
}

fn render(summary: &SummaryReply, terminal: bool) -> String {
    let slice = &summary.slice;
    let days = match (&slice.since, &slice.until) {
        (Some(since), Some(until)) if since == until => since.clone(),
        (Some(since), Some(until)) => format!("{since} to {until}"),
        (Some(since), None) => format!("since {since}"),
        (None, Some(until)) => format!("until {until}"),
        (None, None) => "all".to_owned(),
    };
    let head = format!("Usage: {days} ({})", printable(&slice.timezone));
    let mut text = format!("{}\n\n", paint(&head, AnsiColor::Cyan, terminal));
    let lines = [
        ("total", &summary.totals),
        ("today", &summary.today),
        ("yesterday", &summary.yesterday),
        ("this week", &summary.week),
        ("this month", &summary.month),
    ];
    text += &sums(&lines, terminal);
    let by_cost = summary.totals.cost_usd.is_some_and(|cost| cost > 0.0);
    if terminal && summary.days.len() > 1 {
        let values: Vec<f64> = summary.days.iter().map(|day| draw::weight(&day.figures, by_cost)).collect();
        let chart = paint(&draw::sparkline(&values), AnsiColor::Green, terminal);
        text += &format!("\n{chart}  {} days by {}\n", values.len(), if by_cost { "cost" } else { "tokens" });
    }
    let lists: [(&str, &[Line], NameOf); 4] = [
        ("Models", &summary.models, |line| line.model.as_ref()),
        ("Agents", &summary.agents, |line| line.agent.as_ref()),
        ("Profiles", &summary.profiles, |line| line.profile.as_ref()),
        ("Projects", &summary.projects, |line| line.project.as_ref()),
    ];
    for (title, lines, name) in lists {
        // One profile that is none, or one agent of one, says nothing new.
        if lines.len() > 1 || title == "Models" {
            text += &list(title, lines, name, by_cost, terminal);
        }
    }
    text += &limits(summary, terminal);
    text
}

fn sums(lines: &[(&str, &Figures)], terminal: bool) -> String {
    let mut columns: [Vec<String>; 3] = Default::default();
    for (_, figures) in lines {
        columns[0].push(draw::cost(figures));
        columns[1].push(draw::count(figures.total_tokens, terminal));
        columns[2].push(draw::count(figures.requests, terminal));
    }
    columns.iter_mut().for_each(|column| draw::align(column, 1));
    let [costs, tokens, requests] = &columns;
    let rows = lines.iter().zip(costs).zip(tokens).zip(requests);
    rows.map(|((((name, _), cost), tokens), requests)| format!("{name:10}  {cost}  {tokens} tokens  {requests} requests\n")).collect()
}

fn list(title: &str, lines: &[Line], name: NameOf, by_cost: bool, terminal: bool) -> String {
    let label = |line: &Line| {
        let name = printable(name(line).map_or("-", String::as_str));
        let length = name.chars().count();
        // The end of a path tells more than its beginning.
        if length > 40 { format!("…{}", name.chars().skip(length - 39).collect::<String>()) } else { name }
    };
    let width = lines.iter().map(|line| label(line).chars().count()).max().unwrap_or(0);
    let mut costs: Vec<String> = lines.iter().map(|line| draw::cost(&line.figures)).collect();
    draw::align(&mut costs, 1);
    let most = lines.iter().map(|line| draw::weight(&line.figures, by_cost)).fold(0.0, f64::max);
    let row = |(line, cost): (&Line, &String)| {
        let bar = if terminal { draw::bar(draw::weight(&line.figures, by_cost), most, BAR) } else { String::new() };
        let row = format!("  {:width$}  {cost}  {:>7}  {bar}", label(line), draw::short(line.figures.total_tokens));
        row.trim_end().to_owned() + "\n"
    };
    format!("\n{title}\n{}", lines.iter().zip(&costs).map(row).collect::<String>())
}

fn limits(summary: &SummaryReply, terminal: bool) -> String {
    let mut text = String::new();
    for line in &summary.active {
        let Some(block) = &line.block else { continue };
        let whose = whose(line.agent.as_deref(), line.profile.as_deref());
        let mut parts = vec![draw::cost(&line.figures), format!("{} tokens", draw::count(line.figures.total_tokens, terminal))];
        if let Some(burn) = &block.burn {
            parts.push(format!("{} left", draw::minutes(burn.minutes_left)));
            parts.extend(burn.cost_usd_per_hour.map(|cost| format!("{} an hour", draw::dollars(cost))));
            parts.extend(burn.projected_cost_usd.map(|cost| format!("about {} by its end", draw::dollars(cost))));
        }
        text += &format!("\nOpen block of {whose} (estimated): {}\n", parts.join(", "));
    }
    for window in &summary.windows {
        text += &format!("\n{}\n", window_text(window));
    }
    for budget in &summary.budgets {
        let color = match budget.level {
            100 => AnsiColor::Red,
            80 | 95 => AnsiColor::Yellow,
            _ => AnsiColor::Green,
        };
        let share = paint(&format!("{:.0} %", budget.percent), color, terminal);
        text += &format!(
            "\nBudget of {}, {}: {share} used, new at {}\n",
            printable(&budget.budget.profile),
            amount(&budget.budget),
            budget.resets_at
        );
    }
    text
}

pub(in crate::cli) fn amount(budget: &budgets::Budget) -> String {
    let every = match budget.every {
        budgets::Every::Day => "a day",
        budgets::Every::Month => "a month",
    };
    let limits = [budget.usd.map(draw::dollars), budget.tokens.map(|tokens| format!("{} tokens", draw::short(tokens)))];
    format!("{} {every}", limits.into_iter().flatten().collect::<Vec<_>>().join(" and "))
}

pub(super) fn whose(agent: Option<&str>, profile: Option<&str>) -> String {
    let agent = printable(agent.unwrap_or("-"));
    match profile.filter(|profile| *profile != "-") {
        Some(profile) => format!("{agent} in {}", printable(profile)),
        None => agent,
    }
}

pub(super) fn window_text(window: &Window) -> String {
    let length = match window.minutes {
        minutes if minutes.is_multiple_of(1440) => format!("{} days", minutes / 1440),
        minutes if minutes.is_multiple_of(60) => format!("{} hours", minutes / 60),
        minutes => format!("{minutes} minutes"),
    };
    let resets = window.resets_at.as_ref().map(|at| format!(", new at {at}")).unwrap_or_default();
    let whose = whose(Some(&window.agent), window.profile.as_deref());
    format!("Limit of {whose} for {length}: {:.1} % used{resets} (told by the vendor at {})", window.used_percent, window.seen_at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::usage::Slice;

    fn made() -> SummaryReply {
        let figures = Figures { total_tokens: 1_234_567, requests: 12, cost_usd: Some(3.5), ..Figures::default() };
        let line = |model: &str| Line { model: Some(model.into()), figures, ..Line::default() };
        SummaryReply {
            slice: Slice { since: Some("2026-11-01".into()), until: Some("2026-11-22".into()), timezone: "Europe/Berlin".into() },
            totals: figures,
            today: Figures { cost_usd: Some(0.0), ..Figures::default() },
            yesterday: Figures { cost_usd: None, partial: true, ..Figures::default() },
            week: figures,
            month: figures,
            days: vec![line("x"), line("x")],
            agents: vec![line("x")],
            profiles: Vec::new(),
            models: vec![line("claude-opus-5-5"), line("evil\x1b[31m")],
            projects: Vec::new(),
            active: Vec::new(),
            windows: Vec::new(),
            unpriced: Vec::new(),
            budgets: Vec::new(),
            prices: String::new(),
            known: true,
        }
    }

    #[test]
    fn a_pipe_gets_no_chart_no_bar_no_colour_and_no_control_character() {
        let text = render(&made(), false);
        assert!(
            text.starts_with("Usage: 2026-11-01 to 2026-11-22 (Europe/Berlin)\n\ntotal         $3.50  1234567 tokens  12 requests\n"),
            "{text}"
        );
        assert!(!text.contains(['█', '▁', '\x1b']) && text.contains("evil\u{fffd}"), "{text}");
        assert!(text.contains("yesterday   unknown"), "{text}");
    }

    #[test]
    fn a_terminal_gets_charts() {
        let text = render(&made(), true);
        assert!(text.contains("██") && text.contains("1,234,567") && text.contains("2 days by cost"), "{text}");
    }
}
