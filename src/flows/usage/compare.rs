//! Our sums against the bills that agents wrote down themselves.

use std::{
    borrow::Cow,
    collections::{BTreeSet, HashMap},
};

use super::scope;
use crate::{
    app::App,
    base::error::Result,
    usage::{
        query::{self, Span, figures},
        record::Totals,
        row::Row,
        side::OURS,
        source::Billed,
    },
    wire::{
        envelope::Caller,
        usage::{Bill, Figures, Reconcile, Reconciled},
    },
};

/// Bills in one reply.
const MOST_BILLS: usize = 500;

/// Agent and session.
pub(super) type Session = (String, String);

/// Sessions that have a bill.
pub(super) struct Bills {
    theirs: Vec<Billed>,
    sessions: BTreeSet<Session>,
}

/// What we counted for them.
#[derive(Default)]
struct Ours {
    /// Agent, session, model.
    sums: HashMap<(String, String, String), Totals>,
    profiles: HashMap<Session, Option<String>>,
}

/// A session may be copied into several homes; a bill counts for the session wherever it is.
pub fn reconcile(app: &App, ask: Reconcile, _caller: &Caller) -> Result<Reconciled> {
    let known = super::known(app)?;
    let span = Span::of(&ask.select, app.seams.clock.now())?;
    let scope = scope(app)?;
    let provider = |alias: &str| scope.providers.get(alias).map(String::as_str);
    let theirs = Bills::of(app);
    let mut ours = theirs.ours(app, |row, _| query::chosen(&ask.select, &span, row, row.profile.and_then(provider)));
    let mut bills = Vec::new();
    for bill in &theirs.theirs {
        let Some(profile) = ours.profiles.get(&(bill.agent.clone(), bill.session.clone())) else { continue };
        let mine = ours.sums.remove(&(bill.agent.clone(), bill.session.clone(), bill.model.clone())).unwrap_or_default();
        bills.push(compared(bill, profile.clone(), &mine));
    }
    // A model the bill does not know of.
    for ((agent, session, model), mine) in ours.sums.into_iter().filter(|(_, mine)| mine.tokens.total() > 0) {
        let profile = ours.profiles.get(&(agent.clone(), session.clone())).cloned().flatten();
        bills.push(compared(&Billed { agent, session, model, ..Billed::default() }, profile, &mine));
    }
    let differs = |bill: &Bill| bill.difference_tokens != 0 || bill.difference_usd.is_some_and(|usd| usd.abs() > 1e-9);
    let (compared, equal) = (bills.len(), bills.iter().filter(|bill| !differs(bill)).count());
    bills.sort_by_key(|bill| {
        (std::cmp::Reverse((differs(bill), bill.difference_tokens.unsigned_abs())), bill.session.clone(), bill.model.clone())
    });
    bills.truncate(MOST_BILLS);
    Ok(Reconciled { slice: span.slice(), bills, compared, equal, known: !known.ledger.is_empty() })
}

impl Bills {
    pub(super) fn of(app: &App) -> Self {
        let theirs = app.usage.source().bills();
        let sessions = theirs.iter().map(|bill| (bill.agent.clone(), bill.session.clone())).collect();
        Self { theirs, sessions }
    }

    /// The session on whose bill a request stands: a sub-agent's on its parent's.
    pub(super) fn session(&self, row: &Row<'_>) -> Option<Session> {
        let of = |session: &str| Some((row.agent.to_owned(), session.to_owned())).filter(|named| self.sessions.contains(named));
        row.record.parent_session.as_deref().and_then(of).or_else(|| of(&row.record.session))
    }

    /// Of what agents wrote down: no bill knows what only a proxy saw.
    fn ours(&self, app: &App, wanted: impl Fn(&Row<'_>, &Session) -> bool) -> Ours {
        let mut ours = Ours::default();
        if self.sessions.is_empty() {
            return ours;
        }
        let sellers = scope(app).map(|scope| scope.providers).unwrap_or_default();
        app.usage.source().each(&mut |row| {
            let mut row: Row<'_> = row;
            let Some(session) = self.session(&row).filter(|session| wanted(&row, session)) else { return };
            ours.profiles.entry(session.clone()).or_insert_with(|| row.profile.map(str::to_owned));
            if row.record.provider.as_deref().is_none_or(|word| word == OURS) {
                let seller = row.profile.and_then(|profile| sellers.get(profile));
                row.record.provider = seller.map(|seller| Cow::Borrowed(seller.as_str()));
            }
            let cost = app.usage.prices().total(&row.record);
            let key = (session.0, session.1, row.record.model.to_string());
            ours.sums.entry(key).or_default().add(&row.record.bill, cost, row.record.sub_request);
        });
        ours
    }

    /// How much more we count for these sessions than their agents do. `None` where there is no bill, or not all of it has a price.
    pub(super) fn difference(&self, app: &App, sessions: &BTreeSet<Session>) -> Option<f64> {
        let theirs = self.theirs.iter().filter(|bill| sessions.contains(&(bill.agent.clone(), bill.session.clone())));
        let mut billed = 0.0;
        for bill in theirs {
            if bill.partial {
                return None;
            }
            billed += bill.cost_usd;
        }
        let mut mine = Totals::default();
        self.ours(app, |_, session| sessions.contains(session)).sums.values().for_each(|sum| mine.merge(sum));
        (!sessions.is_empty() && !mine.partial()).then(|| mine.cost.usd() - billed)
    }
}

fn compared(bill: &Billed, profile: Option<String>, mine: &Totals) -> Bill {
    let ours = figures(mine);
    let mut told = Totals { tokens: bill.tokens, ..Totals::default() };
    told.requests = mine.requests;
    let theirs = Figures { cost_usd: (!bill.partial).then_some(bill.cost_usd), partial: bill.partial, ..figures(&told) };
    let tokens = |figures: &Figures| i64::try_from(figures.total_tokens).unwrap_or(i64::MAX);
    Bill {
        agent: bill.agent.clone(),
        profile,
        session: bill.session.clone(),
        model: bill.model.clone(),
        difference_tokens: tokens(&ours) - tokens(&theirs),
        difference_usd: ours.cost_usd.zip(theirs.cost_usd).map(|(ours, theirs)| ours - theirs),
        ours,
        theirs,
    }
}
