//! The Python packages that the tests run, the vendors' SDKs, the price oracle and others: exact versions from `tests/sdk/requirements.txt`, under `target/sdk`.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::dirs;
use crate::outcome::{Failure, Outcome};
use crate::shell::{run, which, works};

/// The oldest Python they take.
pub(crate) const PYTHON: &[&str] = &["python3", "python3.14", "python3.13", "python3.12", "python3.11"];
const CHECK: &str = "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))";

/// Where they are.
pub(crate) fn dir() -> PathBuf {
    dirs::target().join("sdk")
}

/// A Python that is new enough and can make environments of its own.
pub(crate) fn python() -> Option<PathBuf> {
    PYTHON.iter().filter_map(|name| which(name)).find(|python| works(Command::new(python).args(["-c", CHECK])))
}

/// Installs what is lacking. `installed.txt` is the list of what was installed *and* seen to load.
pub(crate) fn ensure() -> Outcome {
    let dir = dirs::under_target("sdk")?;
    let _alone = dirs::lock(&dir)?;
    let (list, stamp, venv) = (dirs::root().join("tests/sdk/requirements.txt"), dir.join("installed.txt"), dir.join("venv"));
    let cannot = |what: &str, err: std::io::Error| Failure::new(format!("cannot {what}: {err}"));
    let wanted = fs::read_to_string(&list).map_err(|err| cannot("read tests/sdk/requirements.txt", err))?;
    let own = venv.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    // Without the variable litellm would fetch its prices.
    let imports =
        "import anthropic, openai, google.genai, litellm.cost_calculator, schemathesis, opentelemetry.proto.metrics.v1.metrics_pb2";
    let loads = || works(Command::new(&own).args(["-c", imports]).env("LITELLM_LOCAL_MODEL_COST_MAP", "True"));
    // Any change of the list installs anew.
    if fs::read_to_string(&stamp).is_ok_and(|noted| noted == wanted) && works(Command::new(&own).arg("--version")) {
        eprintln!("    already installed: {}", wanted.lines().filter(|line| is_sdk(line)).collect::<Vec<_>>().join(" "));
        return Ok(());
    }
    let python = python().ok_or_else(|| Failure::new("no Python from 3.11 on that can make environments"))?;
    let gone =
        |result: std::io::Result<()>| result.or_else(|err| if err.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(err) });
    gone(fs::remove_file(&stamp)).and_then(|()| gone(fs::remove_dir_all(&venv))).map_err(|err| cannot("empty target/sdk", err))?;
    run(Command::new(python).args(["-m", "venv"]).arg(&venv))?;
    let mut pip = Command::new(&own);
    // The list is whole: nothing is resolved, and no version depends on the day.
    pip.args(["-m", "pip", "install", "--quiet", "--no-deps", "--no-input", "--disable-pip-version-check", "--requirement"]).arg(&list);
    run(&mut pip).map_err(|failure| failure.hint("they come from pip's configured index: is it reachable? then run the task again"))?;
    if !loads() {
        return Err(Failure::new("the Python packages are installed but do not load").hint("delete target/sdk and run the task again"));
    }
    fs::write(&stamp, wanted).map_err(|err| cannot("write target/sdk/installed.txt", err))
}

fn is_sdk(line: &str) -> bool {
    ["anthropic==", "openai==", "google-genai==", "litellm==", "schemathesis==", "opentelemetry-proto=="]
        .iter()
        .any(|name| line.starts_with(name))
}
