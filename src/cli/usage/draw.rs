//! Numbers, bars and lines of a chart as text.

use crate::wire::usage::Figures;

const EIGHTHS: [char; 8] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];
const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// `1,234,567` for a person, plain digits for a pipe.
pub(super) fn count(number: u64, terminal: bool) -> String {
    let digits = number.to_string();
    if !terminal {
        return digits;
    }
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `12.3M`
#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
pub(super) fn short(number: u64) -> String {
    let number = number as f64;
    match number {
        ..1e3 => format!("{number:.0}"),
        1e3..1e6 => format!("{:.1}k", number / 1e3),
        1e6..1e9 => format!("{:.1}M", number / 1e6),
        _ => format!("{:.1}B", number / 1e9),
    }
}

/// `$1.23`, `$1.23+` where some is not in it, `unknown` where nothing is.
pub(in crate::cli) fn cost(figures: &Figures) -> String {
    match figures.cost_usd {
        None => "unknown".to_owned(),
        Some(cost) => format!("{}{}", dollars(cost), if figures.partial { "+" } else { "" }),
    }
}

pub(super) fn dollars(cost: f64) -> String {
    // What is small and not nothing must not look like nothing.
    if cost != 0.0 && cost.abs() < 0.005 { format!("${cost:.4}") } else { format!("${cost:.2}") }
}

/// What bars and charts compare: money where there is any, else tokens.
#[expect(clippy::cast_precision_loss, reason = "a bar has a few dozen steps")]
pub(super) fn weight(figures: &Figures, by_cost: bool) -> f64 {
    if by_cost { figures.cost_usd.unwrap_or(0.0) } else { figures.total_tokens as f64 }
}

/// At most `width` columns for `most`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "between 0 and 8 times width")]
pub(super) fn bar(value: f64, most: f64, width: usize) -> String {
    if value <= 0.0 || most <= 0.0 {
        return String::new();
    }
    let eighths = ((value / most).min(1.0) * (width * 8) as f64).ceil() as usize;
    let mut text = "█".repeat(eighths / 8);
    if let Some(part) = (eighths % 8).checked_sub(1).and_then(|part| EIGHTHS.get(part)) {
        text.push(*part);
    }
    text
}

/// One column for each value; nothing is a space.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 8")]
pub(super) fn sparkline(values: &[f64]) -> String {
    let most = values.iter().copied().fold(0.0, f64::max);
    let level = |value: &f64| {
        let step = (value / most * 8.0).ceil() as usize;
        if *value <= 0.0 || most <= 0.0 { ' ' } else { LEVELS.get(step.clamp(1, 8) - 1).copied().unwrap_or(' ') }
    };
    values.iter().map(level).collect()
}

/// Right-aligned below a head of this width. A column of nothing but zeros is empty, so that it is not shown.
pub(super) fn align(cells: &mut [String], head: usize) {
    if cells.iter().all(|cell| cell.is_empty() || cell == "0") {
        cells.iter_mut().for_each(String::clear);
    }
    let width = cells.iter().map(|cell| cell.chars().count()).max().unwrap_or(0);
    if width > 0 {
        let width = width.max(head);
        cells.iter_mut().for_each(|cell| *cell = format!("{cell:>width$}"));
    }
}

/// `2 h 05 min`
pub(super) fn minutes(minutes: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "a few hours")]
    let whole = minutes.max(0.0) as i64;
    if whole < 60 { format!("{whole} min") } else { format!("{} h {:02} min", whole / 60, whole % 60) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_for_people_and_for_pipes() {
        assert_eq!([0, 999, 1000, 1_234_567].map(|n| count(n, true)), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(count(1_234_567, false), "1234567");
        assert_eq!([12, 1200, 3_400_000, 5_000_000_000].map(short), ["12", "1.2k", "3.4M", "5.0B"]);
        assert_eq!([0.0, 0.0001, 1.239, 1000.0].map(dollars), ["$0.00", "$0.0001", "$1.24", "$1000.00"]);
        let some = |cost_usd, partial| cost(&Figures { cost_usd, partial, ..Figures::default() });
        assert_eq!([some(Some(1.0), true), some(None, true), some(Some(0.0), false)], ["$1.00+", "unknown", "$0.00"]);
    }

    #[test]
    fn bars_and_charts_show_something_for_anything_and_nothing_for_nothing() {
        assert_eq!(bar(10.0, 10.0, 4), "████");
        assert_eq!(bar(5.0, 10.0, 4), "██");
        assert_eq!(bar(0.0001, 10.0, 4), "▏");
        assert_eq!((bar(0.0, 10.0, 4), bar(1.0, 0.0, 4)), (String::new(), String::new()));
        assert_eq!(sparkline(&[0.0, 1.0, 8.0, 4.0]), " ▁█▄");
        assert_eq!(sparkline(&[0.0, 0.0]), "  ");
    }
}
