//! What `clown run` hands to the agent and gives back.

use std::os::unix::process::ExitStatusExt;

use serde_json::json;

use crate::support::{FakeAgent, Kept, TestHome, kill, wait_until};

fn last(home: &TestHome) -> serde_json::Value {
    home.json(&["sessions", "list"])["sessions"][0].clone()
}

#[test]
fn the_exit_code_is_the_agents_own() {
    let mut home = TestHome::new();
    FakeAgent::install(&mut home, "echo out; echo err >&2; exit $1");
    for code in [0, 1, 2, 3, 7, 127, 255] {
        let out = home.clown(&["run", "p", &code.to_string()]).run();
        assert_eq!((out.code, out.stdout().as_str(), out.stderr().as_str()), (Some(code), "out\n", "err\n"), "{}", out.report());
        let record = last(&home);
        assert_eq!((&record["state"], &record["exit"]), (&json!("ended"), &json!({ "code": code })), "{record}");
        assert!(record["process"]["pid"].is_u64() && record["ended"].is_string());
    }
}

#[test]
fn a_death_by_signal_is_passed_on() {
    let mut home = TestHome::new();
    FakeAgent::install(&mut home, "kill -$1 $$; sleep 100");
    for (name, number) in [("KILL", 9), ("SEGV", 11), ("TERM", 15), ("INT", 2), ("HUP", 1), ("PIPE", 13), ("ABRT", 6)] {
        let out = home.clown(&["run", "p", name]).run();
        assert_eq!((out.code, out.signal), (None, Some(number)), "{}", out.report());
        assert_eq!(last(&home)["exit"], json!({ "signal": number }));
    }
}

#[test]
fn a_signal_to_clown_reaches_the_agent() {
    let mut home = TestHome::new();
    FakeAgent::install(&mut home, "trap 'echo got it; exit 9' TERM; touch $W/up; while :; do sleep 0.02; done");
    let clown = home.clown(&["run", "p"]).spawn();
    wait_until("the agent", || home.work().join("up").exists());
    kill(clown.id(), "TERM");
    let out = clown.wait_with_output().unwrap();
    assert_eq!((out.status.code(), String::from_utf8_lossy(&out.stdout).as_ref()), (Some(9), "got it\n"));
}

/// State letter of a process, from /proc.
fn state(pid: u32) -> char {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next()).unwrap_or('X')
}

#[test]
fn an_agent_that_stops_itself_stops_clown_and_both_go_on() {
    let mut home = TestHome::new();
    FakeAgent::install(&mut home, "echo $$ > $W/pid; kill -STOP $$; echo once more; kill -STOP $$; exit 6");
    let clown = home.clown(&["run", "p"]).spawn();
    let stopped = |what: &str| {
        wait_until(what, || {
            let agent = std::fs::read_to_string(home.work().join("pid")).ok().and_then(|t| t.trim().parse().ok());
            state(clown.id()) == 'T' && agent.is_some_and(|pid| state(pid) == 'T')
        });
    };
    stopped("the first stop");
    // A stopped session is a live one.
    assert_eq!(last(&home)["state"], "running");
    kill(clown.id(), "CONT");
    let agent: u32 = std::fs::read_to_string(home.work().join("pid")).unwrap().trim().parse().unwrap();
    wait_until("the second stop", || state(clown.id()) == 'T' && state(agent) == 'T');
    kill(clown.id(), "CONT");
    // The first CONT may have been used up by the stop that was under way.
    wait_until("the end", || {
        if state(clown.id()) == 'T' && state(agent) == 'T' {
            kill(clown.id(), "CONT");
        }
        matches!(state(clown.id()), 'Z' | 'X')
    });
    let out = clown.wait_with_output().unwrap();
    assert_eq!((out.status.code(), out.status.signal()), (Some(6), None));
    assert_eq!(String::from_utf8_lossy(&out.stdout), "once more\n");
}

#[test]
fn arguments_arrive_as_they_were_given() {
    let mut home = TestHome::new();
    FakeAgent::install(&mut home, "printf '%s\\0' \"$@\"");
    let given = ["-p", "two words", "a\"b'c", "line\nbreak", "grüße 日本", "", "--json", "--model=x", "$HOME `id` *", "\\", "--", "-"];
    let mut words = vec!["run", "p"];
    words.extend(given);
    let out = home.clown(&words).ok();
    let got: Vec<String> = out.stdout().split_terminator('\0').map(str::to_owned).collect();
    assert_eq!(got, given);
    // The profile's own come first.
    home.clown(&["profiles", "edit", "p", "--arg", "--always", "--arg", "a b"]).ok();
    assert_eq!(home.clown(&["run", "p", "x"]).ok().stdout(), "--always\0a b\0x\0");
}

#[test]
fn standard_input_and_large_output_pass_through() {
    let mut home = TestHome::new();
    FakeAgent::install(&mut home, "cat; head -c 3000000 /dev/zero");
    let input: Vec<u8> = (0..=255).cycle().take(500_000).collect();
    let out = home.clown(&["run", "p"]).stdin(&input).ok();
    assert_eq!(out.stdout.len(), input.len() + 3_000_000);
    assert_eq!(&out.stdout[..input.len()], &input);
}

#[test]
fn directory_and_environment_are_the_callers_with_the_profiles_on_top() {
    let mut home = TestHome::new();
    FakeAgent::install(&mut home, "pwd; env -0");
    home.clown(&["profiles", "edit", "p", "--env", "OWN=of the profile"]).ok();
    let deep = home.work().join("a dir");
    std::fs::create_dir(&deep).unwrap();
    let run = |home: &TestHome| {
        let mut run = home.clown(&["run", "p"]).cwd(&deep);
        for (name, value) in [
            ("CALLER", "line\nbreak"),
            ("FAKE_OLD", "x"),
            ("FAKE_HOME", "elsewhere"),
            ("LEAK", "x"),
            ("LEAKY", "kept"),
            ("OWN", "of the caller"),
        ] {
            run = run.env(name, value);
        }
        run.ok().stdout()
    };
    let out = run(&home);
    let (cwd, rest) = out.split_once('\n').unwrap();
    assert_eq!(cwd, deep.to_str().unwrap());
    let env: std::collections::BTreeMap<&str, &str> = rest.split_terminator('\0').filter_map(|v| v.split_once('=')).collect();
    let profile = home.profile_home("fake", "p");
    let inside = |below: &str| profile.join(below).to_str().unwrap().to_owned();
    assert_eq!((env["CALLER"], env["LEAKY"], env["OWN"]), ("line\nbreak", "kept", "of the profile"));
    assert!(!env.contains_key("FAKE_OLD") && !env.contains_key("LEAK"), "strip_env");
    assert_eq!(env["FAKE_HOME"], inside(".fake"));
    assert_eq!(env["HOME"], profile.to_str().unwrap());
    assert_eq!((env["XDG_CONFIG_HOME"], env["XDG_DATA_HOME"]), (inside(".config").as_str(), inside(".local/share").as_str()));
    assert_eq!(env["CLOWN_REAL_HOME"], home.home().to_str().unwrap());
    assert_eq!(env["CLOWN_PROFILE"], "p");
    assert!(!env["FAKE_KEY"].is_empty() && !env["FAKE_KEY"].contains("API_KEY"), "the local model's token is filled in");
    let tmp = std::path::Path::new(env["TMPDIR"]);
    assert_ne!(env["TMPDIR"], home.env()[std::ffi::OsStr::new("TMPDIR")].to_str().unwrap());
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(tmp).unwrap().permissions()) & 0o777, 0o700);
    home.clown(&["profiles", "clone", "p", "q"]).ok();
    let other = home.clown(&["run", "q"]).ok().stdout();
    assert!(!other.contains(&format!("TMPDIR={}\0", tmp.display())), "each profile has its own");

    // The daemon was started by another caller: nothing of its environment may show.
    home.clown(&["daemon", "stop"]).ok();
    home.clown(&["agents", "list"]).env("DAEMONS", "x").env("LC_ALL", "POSIX").ok();
    let out = run(&home);
    assert!(!out.contains("DAEMONS=") && out.contains("LC_ALL=C.UTF-8\0"));
}

#[test]
fn no_descriptor_of_clown_reaches_the_agent() {
    let mut home = TestHome::new();
    FakeAgent::install(&mut home, "exec ls /proc/self/fd");
    let agent = home.work().parent().unwrap().join("bin/fake-agent");
    let own = home.program(agent.to_str().unwrap(), &[]).ok().stdout();
    // Whatever the test itself was started with passes through both ways.
    assert_eq!(home.clown(&["run", "p"]).ok().stdout(), own);
}

#[test]
fn a_missing_agent_leaves_no_session() {
    let mut home = TestHome::new();
    FakeAgent::install(&mut home, "exit 0");
    std::fs::remove_file(home.work().parent().unwrap().join("bin/fake-agent")).unwrap();
    home.clown(&["run", "p"]).run().code_is(1).says("no fake-agent on PATH").says("fetch it from the fair");
    home.clown(&["run", "nobody"]).run().code_is(1).says("not found");
    // Found, and cannot be executed: planned, then closed as never started.
    let broken = FakeAgent::program(&home, "");
    std::fs::write(&broken, "#!/nowhere/interpreter\n").unwrap();
    home.clown(&["run", "p"]).run().code_is(1).says("cannot run");
    assert_eq!(home.json(&["sessions", "list", "--live"])["sessions"], json!([]));
    let listed = home.json(&["sessions", "list"])["sessions"].clone();
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["exit"]), (1, &json!("not_started")), "{listed}");
}

#[test]
fn the_end_is_reported_while_the_agents_child_lives_on() {
    let mut home = TestHome::new();
    FakeAgent::install(&mut home, "(while [ ! -e $W/go ]; do sleep 0.05; done) >/dev/null 2>&1 & exit 0");
    home.clown(&["run", "p"]).ok();
    assert_eq!(last(&home)["exit"], json!({ "code": 0 }));
    home.write("w/go", "");
    drop(Kept(home.clown(&["agents", "list"]).spawn()));
}
