//! Tables for people: no empty column, no wider than the terminal.

use std::io::IsTerminal;

use tabled::{
    builder::Builder,
    settings::{Modify, Padding, Style, Width, object::Rows, peaker::Priority, width::MinWidth},
};

use super::output::printable;

pub(super) struct Table {
    head: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new(head: &[&'static str]) -> Self {
        Self { head: head.to_vec(), rows: Vec::new() }
    }

    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().map(|c| printable(&c)).collect());
    }

    pub fn render(self) -> String {
        self.fit(terminal_width())
    }

    /// The most telling columns come first: what does not fit is left out from the right.
    fn fit(self, width: Option<usize>) -> String {
        let mut kept: Vec<usize> =
            (0..self.head.len()).filter(|i| self.rows.iter().any(|r| r.get(*i).is_some_and(|c| !c.is_empty()))).collect();
        // Better fewer columns than all of them cut to stumps; inspect and --json have them all.
        while kept.len() > 3 && width.is_some_and(|width| self.least(&kept) > width) {
            kept.pop();
        }
        let mut builder = Builder::default();
        builder.push_record(kept.iter().map(|i| self.head[*i].to_uppercase()));
        for row in &self.rows {
            builder.push_record(kept.iter().map(|i| row.get(*i).cloned().unwrap_or_default()));
        }
        let mut table = builder.build();
        table.with(Style::blank()).with(Padding::new(0, 1, 0, 0));
        table.with(Modify::new(Rows::first()).with(MinWidth::new(1)));
        if let Some(width) = width {
            table.with(Width::truncate(width).suffix("…").priority(Priority::max(true)));
        }
        let text = table.to_string();
        text.lines().map(|l| l.trim_end().to_owned() + "\n").collect()
    }

    /// Width at which these columns still tell something.
    fn least(&self, columns: &[usize]) -> usize {
        const STUMP: usize = 14;
        let longest = |i: usize| self.rows.iter().filter_map(|r| r.get(i)).map(|c| c.chars().count()).max().unwrap_or(0);
        columns.iter().map(|i| longest(*i).max(self.head[*i].len()).min(STUMP) + 2).sum()
    }
}

/// Columns of the terminal stdout is; `None` for a pipe.
pub(super) fn terminal_width() -> Option<usize> {
    if !std::io::stdout().is_terminal() {
        return None;
    }
    #[cfg(unix)]
    {
        rustix::termios::tcgetwinsize(std::io::stdout()).ok().map(|s| usize::from(s.ws_col)).filter(|w| *w >= 20)
    }
    #[cfg(not(unix))]
    {
        None
    }
}

/// Aligned `name  value` lines; empty values are left out.
pub(super) fn fields(pairs: &[(&str, String)]) -> String {
    let width = pairs.iter().filter(|(_, v)| !v.is_empty()).map(|(k, _)| k.len()).max().unwrap_or(0);
    pairs
        .iter()
        .filter(|(_, v)| !v.is_empty())
        .map(|(name, value)| format!("{name:width$}  {}\n", printable(value).replace('\n', &format!("\n{:width$}  ", ""))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_columns_are_not_shown_and_control_characters_do_not_pass() {
        let mut table = Table::new(&["name", "empty", "x"]);
        table.row(["a\x1b[31m".into(), String::new(), "1".into()]);
        table.row(["bb".into(), String::new(), String::new()]);
        assert_eq!(table.fit(None), "NAME    X\na\u{fffd}[31m  1\nbb\n");
    }

    #[test]
    fn a_narrow_terminal_gets_fewer_columns_and_no_line_is_wider() {
        let table = || {
            let mut table = Table::new(&["alias", "name", "formats", "model", "origin"]);
            table.row(
                ["openrouter", "OpenRouter", "anthropic, openai-responses", "anthropic/claude-sonnet-5", "built in"].map(str::to_owned),
            );
            table
        };
        for width in [200, 80, 60, 40] {
            let text = table().fit(Some(width));
            assert!(text.lines().all(|l| l.chars().count() <= width) && text.contains("openrouter"), "{width}\n{text}");
        }
        assert!(table().fit(Some(120)).contains("anthropic/claude-sonnet-5"));
        assert!(!table().fit(Some(50)).contains("MODEL") && table().fit(Some(50)).contains("FORMATS"));
    }
}
