//! `soak`: tests whose limits count only in an optimised program, run against one.

use crate::outcome::{Failure, Outcome, step};
use crate::shell::{cargo, run};
use crate::{dirs, usage};

/// Between debug and release: optimised, and built soon.
const PROFILE: &str = "quick-release";

pub(crate) fn task(args: &[&str]) -> Outcome {
    match args {
        ["scripts", rest @ ..] => {
            usage::only(rest, &[])?;
            scripts()
        }
        _ => Err(Failure::usage("soak needs one of: scripts")),
    }
}

/// The test's own code stays unoptimised; what it measures is the program.
fn scripts() -> Outcome {
    step("build clown, optimised", || run(&mut cargo(&["build", "--package", "clown", "--locked", "--profile", PROFILE])))?;
    let program = std::path::absolute(dirs::clown(PROFILE)).map_err(|err| Failure::new(format!("no path of the program: {err}")))?;
    step("hostile scripts", || {
        let mut test = cargo(&["test", "--package", "clown", "--test", "it", "--locked", "--", "hostile_scripts", "--nocapture"]);
        run(test.env("CLOWN_TEST_PROGRAM", program))
    })
}
