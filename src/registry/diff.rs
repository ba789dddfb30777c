//! What a sync would change, before it does.

use similar::TextDiff;

use crate::{
    base::error::Result,
    wire::registry::{Change, ChangeKind, Differences, Entry, Index},
};

use super::{
    client::{Check, Registry, Settings},
    content::{self, Content},
    incoming::place,
    index,
    roots::Trust,
};

/// Longest text of one change, in bytes.
const LONGEST: usize = 32 << 10;

impl Registry {
    /// What a sync would change, checked as a sync would. Writes nothing. Errors: as [`Registry::sync`].
    pub fn differences(&self, settings: &Settings, check: Check<'_>) -> Result<Differences> {
        let visit = self.visit(settings)?;
        self.store.check_layout()?;
        let mut trust = Trust::load(settings, &self.store)?;
        let commit = self.store.current()?;
        let old = commit.as_deref().map(|c| self.held(&trust, c)).transpose()?.flatten().map(|s| s.index);
        if let Some(pinned) = self.store.lock(None)?.and_then(|l| l.pinned)
            && let Some(old) = old.as_ref().filter(|o| o.commit == pinned)
        {
            return Ok(Differences { channel: old.channel, commit, next: pinned, changes: Vec::new(), bytes: 0 });
        }
        let incoming = self.ask(&visit, &mut trust, settings.channel, None, None)?;
        let Some(new) = incoming.map(|i| i.signed.index) else {
            return Ok(Differences {
                channel: settings.channel,
                next: commit.clone().unwrap_or_default(),
                commit,
                changes: Vec::new(),
                bytes: 0,
            });
        };
        let contents = self.gather(&trust, &new, Some((&visit, &place(settings.channel, None))), &|_, _| {})?;
        content::judge(&new, &contents, check, &|_, _| {})?;
        let changes = self.changes(old.as_ref(), &new, &contents)?;
        Ok(Differences { channel: settings.channel, commit, next: new.commit.clone(), changes, bytes: visit.bytes() })
    }

    fn changes(&self, old: Option<&Index>, new: &Index, contents: &[Content]) -> Result<Vec<Change>> {
        let before = |e: &Entry| -> Result<Vec<u8>> {
            let commit = old.map(|o| o.commit.as_str()).unwrap_or_default();
            Ok(self.store.read_in(commit, &e.path, e.length)?.unwrap_or_default())
        };
        let mut changes = Vec::new();
        for (entry, Content { bytes, .. }) in new.entries.iter().zip(contents) {
            match old.and_then(|o| index::find(o, entry.kind, &entry.id)) {
                None => changes.push(change(ChangeKind::Added, entry, b"", bytes)),
                Some(was) if was.blake3 != entry.blake3 => changes.push(change(ChangeKind::Changed, entry, &before(was)?, bytes)),
                Some(_) => {}
            }
        }
        for was in old.iter().flat_map(|o| &o.entries).filter(|e| index::find(new, e.kind, &e.id).is_none()) {
            changes.push(change(ChangeKind::Removed, was, &before(was)?, b""));
        }
        Ok(changes)
    }
}

fn change(change: ChangeKind, entry: &Entry, before: &[u8], after: &[u8]) -> Change {
    Change { change, kind: entry.kind, id: entry.id.clone(), text: lines(before, after) }
}

/// The changed lines with three around them. What a terminal would obey is shown, not sent.
pub(super) fn lines(before: &[u8], after: &[u8]) -> String {
    let (before, after) = (tame(before), tame(after));
    let mut text =
        TextDiff::from_lines(before.as_str(), after.as_str()).unified_diff().context_radius(3).missing_newline_hint(false).to_string();
    if text.len() > LONGEST {
        let end = text
            .get(..LONGEST)
            .and_then(|t| t.rfind('\n'))
            .or_else(|| text.char_indices().map(|(i, _)| i).take_while(|i| *i < LONGEST).last());
        text.truncate(end.unwrap_or_default());
        text += "\n... (cut)\n";
    }
    text
}

fn tame(bytes: &[u8]) -> String {
    let invisible = |c: char| {
        (c.is_control() && !matches!(c, '\n' | '\t'))
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut text = String::with_capacity(bytes.len());
    for c in String::from_utf8_lossy(bytes).chars() {
        if invisible(c) { text.extend(c.escape_unicode()) } else { text.push(c) }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_shown_with_its_lines_and_nothing_a_terminal_obeys() {
        let text = lines(b"a\nb\nc\n", b"a\nB\x1b[2J\nc\n");
        assert!(text.contains("-b\n+B\\u{1b}[2J\n c\n"), "{text}");
        assert!(lines(b"", "\u{202e}x\n".as_bytes()).contains("+\\u{202e}x"));
    }

    #[test]
    fn a_long_change_is_cut_at_a_line() {
        let text = lines(b"", "é123456789\n".repeat(10_000).as_bytes());
        assert!(text.len() < LONGEST + 100 && text.ends_with("\n... (cut)\n"));
        assert!(lines(b"", "é".repeat(100_000).as_bytes()).len() < LONGEST + 100);
    }
}
