//! Which sums take part.

use super::{ledger::Ledger, names::Name, span::Span, sums::Bucket};
use crate::{
    base::glob,
    usage::row::{Row, Rows},
    wire::usage::Select,
};

/// What stands for the real home in filters and lines.
pub(super) const OUTSIDE: &str = "-";

/// A question's filters.
pub(crate) struct Chosen<'a> {
    select: &'a Select,
    from: i64,
    to: i64,
}

/// The same, with an answer for each name of a ledger.
pub(super) struct Masks {
    from: i64,
    to: i64,
    profile: Option<Vec<bool>>,
    agent: Option<Vec<bool>>,
    provider: Option<Vec<bool>>,
    model: Option<Vec<bool>>,
    project: Option<Vec<bool>>,
}

impl<'a> Chosen<'a> {
    pub(crate) fn new(select: &'a Select, span: &Span) -> Self {
        let (from, to) = span.bounds();
        Self { select, from, to }
    }

    pub(crate) fn has(&self, row: &Row<'_>, provider: Option<&str>) -> bool {
        let (select, record) = (self.select, &row.record);
        let provider = record.provider.as_deref().or(provider).unwrap_or_default();
        (self.from..self.to).contains(&record.bill.ts_ms)
            && (select.profiles.is_empty() || is_profile(&select.profiles, row.profile.unwrap_or_default()))
            && (select.agents.is_empty() || is_one(&select.agents, row.agent))
            && (select.providers.is_empty() || is_one(&select.providers, provider))
            && (select.models.is_empty() || is_like(&select.models, &record.model))
            && (select.projects.is_empty() || is_project(&select.projects, record.project.as_deref().unwrap_or_default()))
    }

    pub(super) fn masks(&self, ledger: &Ledger) -> Masks {
        let select = self.select;
        let mask =
            |list: &[String], fits: fn(&[String], &str) -> bool| (!list.is_empty()).then(|| ledger.names.mask(|text| fits(list, text)));
        Masks {
            from: self.from,
            to: self.to,
            profile: mask(&select.profiles, is_profile),
            agent: mask(&select.agents, is_one),
            provider: mask(&select.providers, is_one),
            model: mask(&select.models, is_like),
            project: mask(&select.projects, is_project),
        }
    }
}

impl Masks {
    pub(super) fn has(&self, bucket: &Bucket) -> bool {
        let key = &bucket.key;
        let start = key.slot.start_ms();
        start >= self.from && start < self.to && self.has_whenever(bucket)
    }

    /// Without a look at the days.
    pub(super) fn has_whenever(&self, bucket: &Bucket) -> bool {
        let key = &bucket.key;
        let passes = |mask: &Option<Vec<bool>>, name: Name| match mask {
            None => true,
            Some(mask) => mask.get(name.index()).is_some_and(|passes| *passes),
        };
        passes(&self.profile, key.profile)
            && passes(&self.agent, key.agent)
            && passes(&self.provider, key.provider)
            && passes(&self.model, key.model)
            && passes(&self.project, key.project)
    }
}

/// Whether a row is selected; for walks over rows that need more than sums.
pub(crate) fn chosen(select: &Select, span: &Span, row: &Row<'_>, provider: Option<&str>) -> bool {
    Chosen::new(select, span).has(row, provider)
}

/// Rows of one profile.
pub(crate) fn chosen_rows(rows: &dyn Rows, profile: &str, visit: &mut dyn FnMut(&Row<'_>)) {
    rows.each(&mut |row| {
        if row.profile == Some(profile) {
            visit(&row);
        }
    });
}

fn is_one(list: &[String], text: &str) -> bool {
    list.iter().any(|wanted| wanted == text)
}

fn is_profile(list: &[String], text: &str) -> bool {
    is_one(list, if text.is_empty() { OUTSIDE } else { text })
}

fn is_like(list: &[String], text: &str) -> bool {
    list.iter().any(|wanted| glob::matches(wanted, text))
}

fn is_project(list: &[String], text: &str) -> bool {
    let last = text.trim_end_matches(['/', '\\']).rsplit(['/', '\\']).next().unwrap_or(text);
    list.iter().any(|wanted| {
        let wanted = if wanted.len() > 1 { wanted.trim_end_matches('/') } else { wanted };
        glob::matches(wanted, text) || (!wanted.contains('/') && glob::matches(wanted, last))
    })
}
