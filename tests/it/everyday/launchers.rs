//! `clown aliases`: launchers on PATH.

use std::{fs, path::PathBuf};

use crate::support::TestHome;

/// With the profile `work`, and a bin directory that comes first on PATH.
fn with_bin() -> (TestHome, PathBuf) {
    let mut home = TestHome::with_fake("echo \"${CLOWN_PROFILE:-none} $*\"; exit 7");
    let bin = home.home().join(".local/bin");
    let path = format!("{}:{}", bin.display(), home.env()[std::ffi::OsStr::new("PATH")].to_str().unwrap());
    home.set("PATH", &path);
    home.json(&["profiles", "create", "fake", "work", "--provider", "offline"]);
    (home, bin)
}

#[test]
fn a_launcher_of_a_profile_runs_it_and_goes_and_moves_with_it() {
    let (home, bin) = with_bin();
    home.clown(&["aliases", "list"]).ok().says("Install one: clown aliases install ALIAS");
    let installed = home.json(&["aliases", "install", "work"]);
    assert_eq!((installed["found"].as_bool(), installed["launcher"]["name"].as_str()), (Some(true), Some("fake-work")));
    let run = |name: &str| home.program("sh", &["-c", &format!("{name} -p 'a b' --json")]).run();
    let out = run("fake-work").code_is(7);
    assert_eq!(out.stdout(), "work -p a b --json\n", "{}", out.report());
    home.clown(&["profiles", "rename", "work", "job"]).ok().says("Its launcher is called fake-job now.");
    assert!(!bin.join("fake-work").exists());
    assert_eq!(run("fake-job").code_is(7).stdout(), "job -p a b --json\n");
    assert_eq!(home.json(&["aliases", "list"])["launchers"][0]["state"], "ready");
    home.clown(&["profiles", "delete", "job", "--yes"]).ok().says("its launcher was removed");
    assert_eq!(fs::read_dir(&bin).unwrap().count(), 0);
    assert_eq!(home.json(&["aliases", "list"])["launchers"], serde_json::json!([]));
}

#[test]
fn a_foreign_file_is_never_replaced_or_removed() {
    let (home, bin) = with_bin();
    fs::create_dir_all(&bin).unwrap();
    let place = bin.join("fake-work");
    let refused = |what: &str| {
        home.clown(&["aliases", "install", "work"]).fails(1).says("is not clown's").says("--name");
        assert_eq!(home.json(&["aliases", "list"])["launchers"], serde_json::json!([]), "{what}");
    };
    fs::write(&place, "mine").unwrap();
    refused("a file");
    assert_eq!(fs::read_to_string(&place).unwrap(), "mine");
    fs::remove_file(&place).unwrap();
    std::os::unix::fs::symlink(home.work().join("nowhere"), &place).unwrap();
    refused("a link");
    assert!(!home.work().join("nowhere").exists(), "nothing is written through a link");
    fs::remove_file(&place).unwrap();
    for _ in 0..2 {
        home.clown(&["aliases", "install", "work"]).ok();
    }
    fs::write(&place, "mine").unwrap();
    assert_eq!(home.json(&["aliases", "list"])["launchers"][0]["state"], "foreign");
    home.clown(&["aliases", "uninstall", "fake-work"]).fails(1).says("is not clown's any more");
    assert_eq!(fs::read_to_string(&place).unwrap(), "mine");
    home.clown(&["aliases", "uninstall", "fake-work"]).fails(1).says("no launcher is called");
    home.clown(&["aliases", "install", "work", "--name", "../x"]).fails(1).says("is not valid");
    let open = home.work().join("open");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    home.clown(&["aliases", "install", "work", "--bin-dir", open.to_str().unwrap()]).fails(1).says("others may change");
    assert_eq!(fs::read_dir(&open).unwrap().count(), 0);
}

#[test]
fn a_launcher_in_the_agents_own_name_follows_the_directory_and_never_calls_itself() {
    let (home, bin) = with_bin();
    home.clown(&["aliases", "install", "--agent", "fake"]).ok().says("fake-agent");
    let bound = home.home().join("bound");
    fs::create_dir_all(&bound).unwrap();
    home.clown(&["bind", "work"]).cwd(&bound).ok();
    let agent = |args: &[&str]| home.program(bin.join("fake-agent").to_str().unwrap(), args);
    assert_eq!(agent(&["-p", "a b"]).cwd(&bound).run().code_is(7).stdout(), "work -p a b\n");
    assert_eq!(agent(&["-p", "a b"]).run().code_is(7).stdout(), "none -p a b\n", "the agent itself");
    let listed = home.json(&["agents", "inspect", "fake"]);
    assert!(listed["installed"]["path"].as_str().unwrap().ends_with("/bin/fake-agent"), "{listed}");
    assert!(!listed["installed"]["path"].as_str().unwrap().contains(".local"), "a launcher is not taken for the agent");
    fs::copy(bin.join("fake-agent"), home.everything().join("bin/fake-agent")).unwrap();
    agent(&[]).fails(1).says("nothing but the launcher is on PATH");
    agent(&[]).cwd(&bound).fails(1).says("is not installed");
    fs::write(bound.join(".clown.toml"), "profile = 1").unwrap();
    agent(&[]).cwd(&bound).fails(1).says("is not understood");
}
