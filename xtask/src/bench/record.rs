//! BENCHMARKS.md: each bench owns the text between its two markers and touches nothing else.

use std::fs;

use crate::dirs;
use crate::outcome::{Failure, Outcome};

const TITLE: &str = "# Benchmarks\n\nWritten by `cargo xtask bench` and `cargo xtask trial`. Compare the differences and ratios, not the bare times: both sides of each\nwere measured in turn, in one run, on one machine.\n";

/// Puts a bench's text in its place in BENCHMARKS.md.
pub(crate) fn keep(name: &str, text: &str) -> Outcome {
    let path = dirs::root().join("BENCHMARKS.md");
    let old = fs::read_to_string(&path).unwrap_or_else(|_| TITLE.to_owned());
    let new = replaced(&old, name, text).ok_or_else(|| {
        Failure::new(format!("BENCHMARKS.md has only one of the two markers of {name}")).hint("put the other back, or delete both")
    })?;
    fs::write(&path, new).map_err(|err| Failure::new(format!("cannot write {}: {err}", path.display())))
}

/// `None` if the markers do not come as a pair.
fn replaced(old: &str, name: &str, text: &str) -> Option<String> {
    let (begin, end) = (format!("<!-- bench:{name}:begin -->"), format!("<!-- bench:{name}:end -->"));
    let section = format!("{begin}\n{}\n{end}", text.trim_end());
    match (old.split_once(&begin), old.split_once(&end)) {
        (None, None) => Some(format!("{}\n\n{section}\n", old.trim_end())),
        (Some((before, _)), Some((_, after))) if !before.contains(&end) => Some(format!("{before}{section}{after}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_added_then_replaced() {
        let first = replaced("# B\n", "a", "one\n").unwrap();
        assert_eq!(first, "# B\n\n<!-- bench:a:begin -->\none\n<!-- bench:a:end -->\n");
        let both = replaced(&first, "b", "two").unwrap();
        let again = replaced(&both, "a", "three").unwrap();
        assert_eq!(again, both.replace("one", "three"));
        assert_eq!(replaced(&again, "a", "three").unwrap(), again);
    }

    #[test]
    fn a_lone_marker_is_not_guessed_at() {
        assert_eq!(replaced("<!-- bench:a:begin -->", "a", "x"), None);
        assert_eq!(replaced("<!-- bench:a:end --><!-- bench:a:begin -->", "a", "x"), None);
    }
}
