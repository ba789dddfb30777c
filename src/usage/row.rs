//! What the index knows, one billed request at a time.

use super::record::Record;

/// A request, and where it was found.
#[derive(Clone, Debug)]
pub struct Row<'a> {
    /// The collector's word: `claude`, `codex`, ...
    pub agent: &'a str,
    /// The profile whose home the log is in. `None`: the user's own home.
    pub profile: Option<&'a str>,
    /// The log that owns the request. It may be gone by now.
    pub file: &'a str,
    pub record: Record<'a>,
}

/// Rows that may be other ones than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changes {
    /// Any of them.
    All,
    /// Those of these numbers, which may be new or gone too.
    Rows(Vec<u32>),
}

/// Rows that keep a number each, and tell what changed.
pub trait Numbered: Rows {
    /// Since this was asked last.
    fn changes(&self) -> Changes;
    fn each_numbered(&self, visit: &mut dyn FnMut(u32, Row<'_>));
    /// Those of these numbers that are rows.
    fn some(&self, numbers: &[u32], visit: &mut dyn FnMut(u32, Row<'_>));
}

/// Anything that has rows: the index, and what tests make.
pub trait Rows {
    /// Every request once, in no order to rely on.
    fn each(&self, visit: &mut dyn FnMut(Row<'_>));
}

/// Rows of a test, numbered as they come; any of them may be another one each time.
#[cfg(test)]
pub trait InOrder: Rows {}

#[cfg(test)]
impl<R: InOrder> Numbered for R {
    fn changes(&self) -> Changes {
        Changes::All
    }

    fn each_numbered(&self, visit: &mut dyn FnMut(u32, Row<'_>)) {
        let mut number = 0;
        self.each(&mut |row| {
            visit(number, row);
            number += 1;
        });
    }

    fn some(&self, numbers: &[u32], visit: &mut dyn FnMut(u32, Row<'_>)) {
        self.each_numbered(&mut |number, row| {
            if numbers.contains(&number) {
                visit(number, row);
            }
        });
    }
}
