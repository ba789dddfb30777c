//! `bench proxy`: the engine beside nginx, LiteLLM and nothing, in one run.
//!
//! `mock` answers, `load` asks, `ways` start what is between them, `cells` say what is asked, `run` in which order, `report` what came out.

mod cells;
mod figures;
mod http;
mod leak;
mod load;
mod mock;
mod poll;
mod process;
mod report;
mod run;
mod ways;
mod wire;

use crate::outcome::{Failure, Outcome, step};
use crate::setup;
use crate::shell::{self, cargo, run as run_program};

use super::{machine, record};

/// Options: `--quick`, `--leak`, `--without-litellm`.
pub(super) fn bench(options: &[&str]) -> Outcome {
    if std::thread::available_parallelism().map_or(1, usize::from) < 2 {
        return Err(Failure::new("the proxy bench needs two cores: one for the proxy, one for both its ends"));
    }
    if cfg!(debug_assertions) {
        return in_release(options);
    }
    let (quick, leak) = (options.contains(&"--quick"), options.contains(&"--leak"));
    step("build tools", || setup::tools(false, false))?;
    step("release build", || run_program(&mut cargo(&["build", "--release", "--package", "clown", "--locked"])))?;
    // Before this thread has but one core.
    let machine = machine::describe() + if quick { "; quick run" } else { "" };
    let upstream = mock::start()?;
    let mut site = step("proxies", || ways::Site::set_up(upstream, !leak && !options.contains(&"--without-litellm")))?;
    let _ahead = poll::Ahead::of_others();
    poll::stay_on(0)?;
    let (name, text) = if leak {
        ("proxy-leak", leak::measure(&site, &machine, quick)?)
    } else {
        let plan = if quick { run::QUICK } else { run::FULL };
        let all = run::measure(&mut site, upstream, &plan)?;
        ("proxy", report::text(&all, &plan, &machine, &site.notes))
    };
    record::keep(name, &text)?;
    println!("\n{text}");
    eprintln!("Written to BENCHMARKS.md.");
    Ok(())
}

/// The load must not be what is slow, so this program builds itself again, optimised, and goes on there.
fn in_release(options: &[&str]) -> Outcome {
    step("release build of the bench", || run_program(&mut cargo(&["build", "--release", "--package", "xtask", "--locked"])))?;
    let mut again = std::process::Command::new(crate::dirs::target().join("release/xtask"));
    again.args(["bench", "proxy"]).args(options);
    let status = again.status().map_err(|err| Failure::new(format!("cannot start `{}`: {err}", shell::show(&again))))?;
    if status.success() { Ok(()) } else { Err(Failure::silent()) }
}
