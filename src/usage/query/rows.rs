//! Requests one by one.

use jiff::Timestamp;

use super::{
    line::figures,
    select::Chosen,
    span::{Span, rfc3339},
};
use crate::{
    base::error::Result,
    usage::{
        pricing::Prices,
        record::Totals,
        row::{Row, Rows},
    },
    wire::usage::{Export, Exported, Request},
};

/// A page of them. `provider` as for [`super::Ledger::of`].
pub fn export<'p>(
    rows: &dyn Rows,
    prices: &Prices,
    provider: impl Fn(&str) -> Option<&'p str>,
    ask: &Export,
    now: Timestamp,
) -> Result<Exported> {
    let span = Span::of(&ask.select, now)?;
    let chosen = Chosen::new(&ask.select, &span);
    let (mut at, mut next) = (0_u64, None);
    let mut requests = Vec::new();
    rows.each(&mut |row| {
        at += 1;
        if at <= ask.from || next.is_some() {
            return;
        }
        let provider = row.profile.and_then(&provider);
        if chosen.has(&row, provider) {
            requests.push(request(&row, provider, prices));
            if requests.len() == Exported::MOST {
                next = Some(at);
            }
        }
    });
    Ok(Exported { requests, next: next.filter(|next| *next < at), known: at > 0 })
}

fn request(row: &Row<'_>, provider: Option<&str>, prices: &Prices) -> Request {
    let record = &row.record;
    let mut totals = Totals::default();
    totals.add(&record.bill, prices.total(record), record.sub_request);
    Request {
        time: rfc3339(record.bill.ts_ms),
        agent: row.agent.to_owned(),
        profile: row.profile.map(str::to_owned),
        provider: record.provider.as_deref().or(provider).map(str::to_owned),
        model: record.model.to_string(),
        project: record.project.as_deref().map(str::to_owned),
        session: record.session.to_string(),
        key: record.key.to_string(),
        figures: figures(&totals),
        web_searches: record.bill.web_searches,
        sidechain: record.sidechain,
        aborted: record.aborted,
        source_cost_usd: record.source_cost,
    }
}
