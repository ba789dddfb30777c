//! `clown self update` against a publisher and a server of our own.

mod crash;
mod refused;
mod world;

use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use self::world::World;
use crate::support::{FakeAgent, wait_until};

#[test]
fn an_update_keeps_the_old_program_and_restarts_an_idle_daemon() {
    let world = World::new();
    world.publish("99.0.0");
    let (before, daemon) = (world.bytes(), world.home.daemon_pid().unwrap());
    let found = world.run(&["self", "update", "--check", "--json"]).ok().json();
    assert_eq!((found["latest"].as_str(), found["newer"].as_bool()), (Some("99.0.0"), Some(true)), "{found}");
    assert!((world.bytes(), world.names()) == (before.clone(), vec!["clown".to_owned()]), "--check changes nothing");

    let done = world.run(&["self", "update", "--json"]).ok().json();
    assert_eq!(
        (done["updated"].as_bool(), done["latest"].as_str(), done["daemon"].as_str()),
        (Some(true), Some("99.0.0"), Some("restarted"))
    );
    assert_eq!(done["kept"], world.kept().to_str().unwrap());
    assert_eq!(world.run(&["--version"]).ok().stdout(), "clown 99.0.0\n");
    assert!(std::fs::read(world.kept()).unwrap() == before);
    assert_eq!(world.names(), ["clown", "clown.old"]);
    assert_eq!(std::fs::metadata(&world.program).unwrap().permissions().mode() & 0o777, 0o755);
    let next = world.home.daemon_pid().unwrap();
    assert_ne!(next, daemon);

    for args in [&["self", "update"][..], &["self", "update", "--rollback"]] {
        world.home.program(world.kept().to_str().unwrap(), args).fails(1).says("is the program that was kept");
    }
}

#[test]
fn the_newest_is_left_alone_and_a_rollback_puts_the_kept_one_back() {
    let world = World::new();
    world.publish(env!("CARGO_PKG_VERSION"));
    let before = world.bytes();
    let same = world.run(&["self", "update", "--json"]).ok().json();
    assert_eq!((same["updated"].as_bool(), same.get("kept")), (Some(false), None));
    world.run(&["self", "update", "--check"]).ok().says("This is the newest.");
    assert!(world.bytes() == before);
    world.run(&["self", "update", "--rollback"]).fails(1).says("clown.old is missing");
    world.home.clown(&["daemon", "stop"]).ok();
    world.program_at(&world.kept(), "0.0.9");
    let done = world.run(&["self", "update", "--rollback", "--json"]).ok().json();
    assert_eq!((done["latest"].as_str(), done["daemon"].as_str()), (Some("0.0.9"), Some("none")));
    assert_eq!(world.home.daemons(), [0; 0]);
    assert!(std::fs::read(world.kept()).unwrap() == before, "so that it can be taken forth again");
}

#[test]
fn a_busy_daemon_and_its_session_go_on() {
    let mut world = World::new();
    world.publish("99.0.0");
    FakeAgent::install(&mut world.home, "touch $W/begun; while [ ! -e $W/end ]; do sleep 0.05; done");
    let session = world.home.clown(&["run", "p"]).start();
    wait_until("the session", || world.home.work().join("begun").exists());
    let daemon = world.home.daemon_pid();
    let out = world.run(&["self", "update"]).ok().says("goes on as it is");
    assert!(out.stderr().contains("clown daemon stop"), "{}", out.report());
    assert_eq!(world.home.daemon_pid(), daemon);
    assert_eq!(world.run(&["--version"]).ok().stdout(), "clown 99.0.0\n");
    world.home.write("w/end", "");
    assert_eq!(session.wait().code, Some(0));
}

#[test]
fn a_daemon_of_the_service_is_restarted_by_its_manager() {
    let mut world = World::new();
    world.publish("99.0.0");
    let told = world.home.work().join("told");
    let systemctl = world.home.write("manager/systemctl", &format!("#!/bin/sh\necho \"$@\" >> {}\necho active\n", told.display()));
    std::fs::set_permissions(&systemctl, std::fs::Permissions::from_mode(0o755)).unwrap();
    world.home.set("PATH", &format!("{}:/usr/bin:/bin", systemctl.parent().unwrap().display()));
    world.run(&["service", "install", "--no-start"]).ok();
    std::fs::remove_file(&told).ok();
    let done = world.run(&["self", "update", "--json"]).ok().json();
    assert_eq!(done["daemon"], "restarted");
    let told = std::fs::read_to_string(told).unwrap();
    assert!(told.contains("--user restart clown-"), "{told}");
    assert_eq!(world.home.daemons(), [0; 0], "nobody else starts one");
}

#[test]
fn what_a_package_manager_installed_is_its_own_to_renew() {
    let world = World::new();
    world.publish("99.0.0");
    for (place, command) in
        [("lib/node_modules/clown-linux-x64/bin", "npm install -g clown@latest"), ("homebrew/Cellar/clown/0.1.0/bin", "brew upgrade clown")]
    {
        let program = world.copy(place);
        let program = program.to_str().unwrap();
        let out = world.home.program(program, &["self", "update"]).fails(1);
        assert!(out.stderr().contains(command), "{}", out.report());
        world.home.program(program, &["self", "update", "--rollback"]).fails(1).says(command);
        let found = world.home.program(program, &["self", "update", "--check", "--json"]).ok().json();
        assert_eq!((found["newer"].as_bool(), found["managed_by"].is_string()), (Some(true), true));
        world.home.program(program, &["self", "update", "--check"]).ok().says(command);
    }
}

#[test]
fn without_a_publisher_the_way_to_name_one_is_told() {
    let home = crate::support::TestHome::new();
    home.clown(&["self", "update", "--check"]).fails(1).says("clown config set update.trusted_keys");
    home.clown(&["config", "set", "update.trusted_keys", &world::key().pk.to_base64()]).ok();
    home.clown(&["self", "update", "--check"]).fails(1).says("clown config set update.url");
    home.clown(&["self", "update", "--check"]).env("CLOWN_UPDATE_URL", "http://192.0.2.1/x").fails(1).says("use https");
    home.clown(&["self", "update", "--check"]).env("CLOWN_UPDATE_URL", "http://127.0.0.1:9").fails(1).says("nothing was changed");
    home.clown(&["self", "update", "--check", "--rollback"]).fails(2).says("two things");
}

#[test]
fn a_link_to_the_program_stays_a_link() {
    let world = World::new();
    world.publish("99.0.0");
    let link = world.home.work().join("link");
    std::os::unix::fs::symlink(&world.program, &link).unwrap();
    let done = world.home.program(link.to_str().unwrap(), &["self", "update", "--json"]).ok().json();
    assert_eq!(done["program"], json!(world.program));
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(world.run(&["--version"]).ok().stdout(), "clown 99.0.0\n");
}

#[test]
fn what_the_installer_put_beside_it_is_renewed_too() {
    let world = World::new();
    world.publish("99.0.0");
    let prefix = world.program.parent().unwrap().parent().unwrap().to_owned();
    let (man, bash) = (prefix.join("share/man/man1"), prefix.join("share/bash-completion/completions/clown"));
    let (page, gone) = (man.join("clown-run.1"), man.join("clown-gone.1"));
    for old in [&page, &gone, &man.join("other.1"), &bash] {
        world.home.write(old, "old");
    }
    let note = prefix.join("share/clown/installed");
    let places = ["bin/clown", "share/bash-completion/completions/clown", "share/man/man1/clown-gone.1", "share/man/man1/clown-run.1"];
    world.home.write(&note, &(places.join("\n") + "\nshare/man/man1/\n"));
    world.run(&["self", "update"]).ok();
    let read = |path: &std::path::Path| std::fs::read_to_string(path).unwrap();
    assert!(read(&page).contains(".TH") && read(&bash).contains("clown"), "{}", read(&page));
    assert_eq!((gone.exists(), read(&man.join("other.1"))), (false, "old".to_owned()), "only what is ours");
    assert!(!prefix.join("share/fish").exists(), "what was not installed is not now");
    let noted = read(&note);
    let pages = std::fs::read_dir(&man).unwrap().count() - 1;
    assert_eq!(noted.lines().filter(|line| line.ends_with(".1")).count(), pages, "{noted}");
    assert!(noted.contains("share/man/man1/clown.1\n") && noted.contains("bin/clown\n") && !noted.contains("gone"), "{noted}");
}
