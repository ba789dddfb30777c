mod cases;
mod checking;
mod matching;
mod miscounts;
mod rules;

use super::{Cost, Overrides, Prices, Table, entry};
use crate::usage::record::{Bill, Geo, Record, ServiceTier, Speed, Tokens};

fn built_in() -> Prices {
    Prices::new(None, &Overrides::new()).unwrap()
}

fn cost(prices: &Prices, model: &str, bill: Bill) -> Option<Cost> {
    prices.cost(&Record { model: model.into(), bill, ..Record::default() })
}

/// In USD, of a model whose entry is these fields.
fn usd(fields: &str, bill: Bill) -> f64 {
    let json = format!("{{\"m\": {{{fields}}}}}");
    let table = Table::of_litellm(json.as_bytes()).unwrap();
    entry::read("m", table.get("m").unwrap()).unwrap().cost(&bill).total().usd()
}

fn tokens(tokens: Tokens) -> Bill {
    Bill { tokens, ..Bill::default() }
}

fn input(input: u64) -> Bill {
    tokens(Tokens { input, ..Tokens::default() })
}

fn near(one: f64, two: f64) -> bool {
    (one - two).abs() <= 1e-12 * one.abs().max(two.abs())
}
