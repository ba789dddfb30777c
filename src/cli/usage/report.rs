//! Lines as a table.

use super::{
    super::{
        connect::Daemon,
        output::Output,
        table::{Table, terminal_width},
    },
    args, card, draw,
};
use crate::{
    base::error::Result,
    wire::usage::{Figures, Group, Line, Page, Report},
};

const BAR: usize = 12;

pub(super) fn run(output: Output, mut ask: Report) -> Result<i32> {
    let mut daemon = Daemon::needed(output)?;
    let mut page = daemon.call(&ask)?;
    // What is used meanwhile may add a line; the next page begins where this one ended all the same.
    while page.lines.len() < page.count {
        ask.skip = page.lines.len();
        let more = daemon.call(&ask)?;
        if more.lines.is_empty() {
            break;
        }
        page.lines.extend(more.lines);
    }
    let empty = page.lines.is_empty();
    output.data(&page, || if empty { String::new() } else { table(&page, terminal_width().is_some()) });
    if empty {
        args::nothing(output, page.known, args::filters(&ask.select));
    }
    args::unpriced(output, &page.unpriced);
    Ok(0)
}

fn table(page: &Page, terminal: bool) -> String {
    let group = page.group;
    let mut head: Vec<&'static str> = match group {
        Group::Daily => vec!["day"],
        Group::Weekly => vec!["week of"],
        Group::Monthly => vec!["month"],
        Group::Sessions => vec!["session", "agent", "profile"],
        Group::Models => vec!["model"],
        Group::Profiles => vec!["profile"],
        Group::Agents => vec!["agent"],
        Group::Projects => vec!["project"],
        Group::Blocks => vec!["block", "agent", "profile", "state"],
    };
    let names = head.len();
    head.extend(["cost", "tokens", "", "requests", "input", "output", "cache read", "cache write", "models", "project", "last"]);
    let by_cost = page.lines.iter().any(|line| line.figures.cost_usd.is_some_and(|cost| cost > 0.0));
    let most = page.lines.iter().map(|line| draw::weight(&line.figures, by_cost)).fold(0.0, f64::max);
    let mut rows: Vec<Vec<String>> = Vec::new();
    for line in &page.lines {
        let bar = if terminal { draw::bar(draw::weight(&line.figures, by_cost), most, BAR) } else { String::new() };
        let gap = line.block.as_ref().is_some_and(|block| block.gap);
        let models = if group == Group::Models { String::new() } else { line.models.join(", ") };
        let (project, last) = match group {
            Group::Sessions => (line.project.clone().unwrap_or_default(), line.last.clone().unwrap_or_default()),
            _ => Default::default(),
        };
        let mut row = keys(line, group);
        if gap {
            row.extend(vec![String::new(); head.len() - names]);
        } else {
            row.extend(numbers(&line.figures, bar, terminal));
            row.extend([models, project, last]);
        }
        rows.push(row);
        for part in &line.breakdown {
            let mut row = vec![String::new(); names];
            row[0] = format!("  {}", part.model.as_deref().unwrap_or("-"));
            row.extend(numbers(&part.figures, String::new(), terminal));
            row.extend([const { String::new() }; 3]);
            rows.push(row);
        }
    }
    if page.lines.len() > 1 {
        let mut row = vec![String::new(); names];
        "total".clone_into(&mut row[0]);
        row.extend(numbers(&page.totals, String::new(), terminal));
        row.extend([const { String::new() }; 3]);
        rows.push(row);
    }
    for column in [0, 1, 3, 4, 5, 6, 7].map(|column| names + column) {
        let mut cells: Vec<String> = rows.iter().map(|row| row[column].clone()).collect();
        draw::align(&mut cells, head[column].len());
        rows.iter_mut().zip(cells).for_each(|(row, cell)| row[column] = cell);
    }
    let mut table = Table::new(&head);
    rows.into_iter().for_each(|row| table.row(row));
    let mut text = table.render();
    text.extend(page.windows.iter().map(|window| card::window_text(window) + "\n"));
    text
}

fn keys(line: &Line, group: Group) -> Vec<String> {
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    match group {
        Group::Daily | Group::Weekly | Group::Monthly => vec![text(&line.date)],
        Group::Sessions => vec![text(&line.session), text(&line.agent), text(&line.profile)],
        Group::Models => vec![text(&line.model)],
        Group::Profiles => vec![text(&line.profile)],
        Group::Agents => vec![text(&line.agent)],
        Group::Projects => vec![text(&line.project)],
        Group::Blocks => {
            let block = line.block.clone().unwrap_or_default();
            let state = match (&block.burn, block.active, block.gap) {
                (_, _, true) => "nothing used".to_owned(),
                (Some(burn), true, _) => {
                    let cost = burn.projected_cost_usd.map(|cost| format!(", about {}", draw::dollars(cost))).unwrap_or_default();
                    format!("open, {} left{cost}", draw::minutes(burn.minutes_left))
                }
                (None, true, _) => "open".to_owned(),
                _ => "estimated".to_owned(),
            };
            vec![local(&block.start), text(&line.agent), text(&line.profile), state]
        }
    }
}

/// Blocks begin at a moment, not on a day; people read it in their own zone.
fn local(time: &str) -> String {
    let Ok(time) = time.parse::<jiff::Timestamp>() else { return time.to_owned() };
    time.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string()
}

/// As the heads after the names.
fn numbers(figures: &Figures, bar: String, terminal: bool) -> Vec<String> {
    let count = |number| draw::count(number, terminal);
    vec![
        draw::cost(figures),
        count(figures.total_tokens),
        bar,
        count(figures.requests),
        count(figures.input_tokens),
        count(figures.output_tokens),
        count(figures.cache_read_tokens),
        count(figures.cache_write_tokens()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::usage::Slice;

    #[test]
    fn numbers_stand_in_columns_and_bars_only_on_a_terminal() {
        let line = |date: &str, tokens| Line {
            date: Some(date.into()),
            figures: Figures { total_tokens: tokens, input_tokens: tokens, requests: 1, cost_usd: Some(1.5), ..Figures::default() },
            models: vec!["m".into()],
            ..Line::default()
        };
        let page = Page {
            group: Group::Daily,
            slice: Slice::default(),
            lines: vec![line("2026-11-21", 1000), line("2026-11-22", 20)],
            count: 2,
            totals: Figures {
                total_tokens: 1020,
                input_tokens: 1020,
                requests: 2,
                cost_usd: Some(3.0),
                partial: true,
                ..Figures::default()
            },
            unpriced: Vec::new(),
            windows: Vec::new(),
            known: true,
        };
        assert_eq!(
            table(&page, false),
            "DAY         COST    TOKENS  REQUESTS  INPUT  MODELS\n\
             2026-11-21   $1.50    1000         1   1000  m\n\
             2026-11-22   $1.50      20         1     20  m\n\
             total       $3.00+    1020         2   1020\n"
        );
        assert!(table(&page, true).contains("1,000") && table(&page, true).contains('█'));
    }
}
