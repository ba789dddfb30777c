//! `bench`: what clown costs, as ratios and differences measured in one run. Each bench has its file; a bench
//! returns its table and `record` keeps it in BENCHMARKS.md.

mod foundation;
#[cfg(target_os = "linux")]
mod http;
pub(crate) mod machine;
mod measure;
#[cfg(target_os = "linux")]
mod proxy;
pub(crate) mod record;
#[cfg(target_os = "linux")]
mod registry;
#[cfg(target_os = "linux")]
mod usage;

use crate::outcome::{Failure, Outcome};
use crate::usage as said;

pub(crate) fn task(args: &[&str]) -> Outcome {
    let (names, options): (Vec<&str>, Vec<&str>) = args.iter().partition(|arg| !arg.starts_with('-'));
    let quick = options.contains(&"--quick");
    match names.as_slice() {
        ["proxy"] => {
            said::only(&options, &["--quick", "--leak", "--without-litellm"])?;
            proxy(&options)
        }
        ["usage"] => {
            said::only(&options, &["--quick"])?;
            of_usage(quick)
        }
        ["registry"] => {
            said::only(&options, &["--quick"])?;
            of_registry(quick)
        }
        ["http"] => {
            said::only(&options, &["--quick"])?;
            http(quick)
        }
        [] | ["foundation"] => {
            said::only(&options, &["--quick"])?;
            foundation::bench(quick)
        }
        [name, ..] => Err(Failure::usage(format!("there is no bench \"{name}\"; there are: foundation, http, proxy, registry, usage"))),
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

#[cfg(target_os = "linux")]
fn of_usage(quick: bool) -> Outcome {
    usage::bench(quick)
}

#[cfg(not(target_os = "linux"))]
fn of_usage(_: bool) -> Outcome {
    Err(Failure::new("the usage bench needs Linux: it reads /proc"))
}

#[cfg(target_os = "linux")]
fn of_registry(quick: bool) -> Outcome {
    registry::bench(quick)
}

#[cfg(not(target_os = "linux"))]
fn of_registry(_: bool) -> Outcome {
    Err(Failure::new("the registry bench needs Linux: it reads /proc"))
}
