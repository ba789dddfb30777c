//! `bench usage`: a gigabyte of logs, read for the first time beside ccusage, then asked about, appended to, and left alone.
//!
//! `site` is the home with the logs and what the kernel says of the daemon there; `first` the first reading; `warm` what comes
//! after it; `kept` asks over one connection; `big` a single file of two gigabytes; `report` what came out.

mod big;
mod first;
mod kept;
mod report;
mod site;
mod warm;

use std::time::Duration;

use super::{machine, record};
use crate::outcome::{Outcome, step};
use crate::setup;
use crate::shell::{cargo, run};

/// How much to measure.
struct Plan {
    scans: usize,
    calls: usize,
    questions: usize,
    appends: usize,
    idle: Duration,
}

const FULL: Plan = Plan { scans: 7, calls: 200, questions: 2000, appends: 30, idle: Duration::from_secs(20) };
const QUICK: Plan = Plan { scans: 3, calls: 40, questions: 200, appends: 8, idle: Duration::from_secs(5) };

pub(super) fn bench(quick: bool) -> Outcome {
    let plan = if quick { QUICK } else { FULL };
    step("build tools", || setup::tools(false, true))?;
    step("release build", || run(&mut cargo(&["build", "--release", "--package", "clown", "--locked"])))?;
    // The build's own load is not what the figures stand in.
    let begin = machine::describe();
    let site = step("logs and ccusage", site::Site::set_up)?;

    let mut table = report::Table::default();
    step("the first reading, beside ccusage", || first::measure(&site, &plan, &mut table))?;
    step("answers", || warm::answers(&site, &plan, &mut table))?;
    step("questions over one connection", || kept::measure(&site, &plan, &mut table))?;
    step("appends", || warm::appends(&site, &plan, &mut table))?;
    step("the idle daemon", || warm::idle(&site, &plan, &mut table))?;
    step("a start with an index", || first::again(&site, &plan, &mut table))?;
    step("one file of two gigabytes", || big::measure(&site, &mut table))?;

    let end = machine::load();
    let text = table.text(&site, &plan, &format!("{begin}, load {end} at the end{}", if quick { "; quick run" } else { "" }));
    record::keep("usage", &text)?;
    println!("\n{text}");
    eprintln!("Written to BENCHMARKS.md.");
    Ok(())
}
