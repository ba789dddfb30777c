//! Claude Code's own bill: `cost-state` lines, of which a session's last counts. Sub-agents are in it.

use crate::usage::collect::json::Walk;
use crate::usage::collect::sink::{Bill, ModelBill, Sink};

/// No bill is longer. What is, has the word in its text.
pub(super) const LONGEST: usize = 64 * 1024;

pub(super) fn read(line: &[u8], number: u64, sink: &mut dyn Sink) {
    let mut bill = Bill { rank: number, ..Bill::default() };
    let mut is_bill = false;
    Walk::new(line).object(|key, value| {
        match key {
            b"type" => is_bill = value.raw() == Some(b"cost-state"),
            b"sessionId" => bill.session = value.text().unwrap_or_default().into_owned(),
            b"totalCostUSD" => bill.cost_usd = value.number().unwrap_or(0.0),
            b"hasUnknownModelCost" => bill.partial = value.truth(),
            b"modelUsage" => {
                value.object(|model, value| {
                    bill.models.push(of_model(model, value));
                    true
                });
            }
            _ => {}
        }
        true
    });
    if is_bill && !bill.session.is_empty() {
        bill.models.sort_by(|a, b| a.model.cmp(&b.model));
        sink.bill(bill);
    }
}

fn of_model(model: &[u8], walk: &mut Walk<'_>) -> ModelBill {
    let mut bill = ModelBill { model: String::from_utf8_lossy(model).into_owned(), ..ModelBill::default() };
    let mut written = 0;
    walk.object(|key, value| {
        let tokens = &mut bill.tokens;
        let mut count = |place: &mut u64| *place = value.count().unwrap_or(0);
        match key {
            b"inputTokens" => count(&mut tokens.input),
            b"outputTokens" => count(&mut tokens.output),
            b"thinkingTokens" => count(&mut tokens.reasoning),
            b"cacheReadInputTokens" => count(&mut tokens.cache_read),
            b"cacheCreationInputTokens" => count(&mut written),
            b"cacheCreationEphemeral5mInputTokens" => count(&mut tokens.cache_write_5m),
            b"cacheCreationEphemeral1hInputTokens" => count(&mut tokens.cache_write_1h),
            b"webSearchRequests" => count(&mut bill.web_searches),
            b"costUSD" => bill.cost_usd = value.number().unwrap_or(0.0),
            _ => {}
        }
        true
    });
    bill.tokens.cache_write_other = written.saturating_sub(bill.tokens.cache_write());
    bill
}
