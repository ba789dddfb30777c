//! `logs/audit.jsonl`: one line for each command that ran.

use std::path::PathBuf;

use crate::{
    base::{
        error::{Error, Result},
        fsx,
    },
    wire::audit::Line,
};

/// Bytes of the file before its older half goes.
const LARGE: u64 = 1 << 20;

pub struct Audit {
    file: PathBuf,
}

impl Audit {
    pub fn new(file: PathBuf) -> Self {
        Self { file }
    }

    pub fn add(&self, line: &Line) -> Result<()> {
        if let Some(dir) = self.file.parent() {
            fsx::create_private_dir(dir)?;
        }
        let text = serde_json::to_string(line).map_err(|e| Error::io("a line of the audit log cannot be encoded").cause(e))?;
        let size = fsx::append_line(&self.file, &text)?.metadata().map_or(0, |meta| meta.len());
        if size > LARGE { self.halve() } else { Ok(()) }
    }

    fn halve(&self) -> Result<()> {
        let _lock = fsx::lock_beside(&self.file)?;
        let bytes = fsx::read_optional(&self.file)?.unwrap_or_default();
        let half = bytes.len() / 2;
        let from = bytes.iter().skip(half).position(|b| *b == b'\n').map_or(0, |at| half + at + 1);
        fsx::write_atomic(&self.file, bytes.get(from..).unwrap_or_default(), fsx::Mode::Private)
    }

    /// Newest first. Lines that cannot be read are left out.
    pub fn read(&self, limit: usize, wanted: impl Fn(&Line) -> bool) -> Result<Vec<Line>> {
        let bytes = fsx::read_optional(&self.file)?.unwrap_or_default();
        let lines = bytes.rsplit(|b| *b == b'\n').filter_map(|line| serde_json::from_slice(line).ok());
        Ok(lines.filter(|line| wanted(line)).take(limit).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::audit::{Kind, Outcome};

    #[test]
    fn it_does_not_grow_without_end_and_keeps_the_newest() {
        let dir = tempfile::tempdir().unwrap();
        let audit = Audit::new(dir.path().join("logs/audit.jsonl"));
        let line = |n: usize| Line {
            time: n.to_string(),
            kind: Kind::Plugin,
            event: "e".into(),
            name: "n".into(),
            profile: None,
            outcome: Outcome::Ok,
            code: Some(0),
            ms: 1,
            message: "x".repeat(20_000),
        };
        for n in 0..120 {
            audit.add(&line(n)).unwrap();
        }
        assert!(std::fs::metadata(dir.path().join("logs/audit.jsonl")).unwrap().len() <= LARGE + 30_000);
        let times: Vec<String> = audit.read(3, |_| true).unwrap().into_iter().map(|line| line.time).collect();
        assert_eq!(times, ["119", "118", "117"]);
    }
}
