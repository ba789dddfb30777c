//! `bench`: what clown costs, as ratios and differences measured in one run. Each bench has its file; a bench
//! returns its table and `record` keeps it in BENCHMARKS.md.

mod foundation;
#[cfg(target_os = "linux")]
mod http;
mod machine;
mod measure;
#[cfg(target_os = "linux")]
mod proxy;
mod record;

use crate::outcome::{Failure, Outcome};
use crate::usage;

pub(crate) fn task(args: &[&str]) -> Outcome {
    let (names, options): (Vec<&str>, Vec<&str>) = args.iter().partition(|arg| !arg.starts_with('-'));
    let quick = options.contains(&"--quick");
    match names.as_slice() {
        ["proxy"] => {
            usage::only(&options, &["--quick", "--leak", "--without-litellm"])?;
            proxy(&options)
        }
        ["http"] => {
            usage::only(&options, &["--quick"])?;
            http(quick)
        }
        [] | ["foundation"] => {
            usage::only(&options, &["--quick"])?;
            foundation::bench(quick)
        }
        [name, ..] => Err(Failure::usage(format!("there is no bench \"{name}\"; there are: foundation, http, proxy"))),
    }
}

#[cfg(target_os = "linux")]
fn http(quick: bool) -> Outcome {
    http::bench(quick)
}

#[cfg(not(target_os = "linux"))]
fn http(_: bool) -> Outcome {
    Err(Failure::new("the HTTP bench needs Linux: it reads /proc"))
}

#[cfg(target_os = "linux")]
fn proxy(options: &[&str]) -> Outcome {
    proxy::bench(options)
}

#[cfg(not(target_os = "linux"))]
fn proxy(_: &[&str]) -> Outcome {
    Err(Failure::new("the proxy bench needs Linux: it reads /proc and gives each side a core of its own"))
}
