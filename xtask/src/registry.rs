//! `registry`: the publisher's side of the registry. It is a program of its own, since it needs the libraries that this one does without.

use crate::outcome::Outcome;
use crate::shell::{cargo, run};

pub(crate) fn task(args: &[&str]) -> Outcome {
    let mut cmd = cargo(&["run", "--quiet", "--package", "publisher", "--locked", "--"]);
    // Paths are meant from where the user stands, as with every other tool.
    if let Ok(here) = std::env::current_dir() {
        cmd.current_dir(here);
    }
    cmd.args(args);
    run(&mut cmd)
}
