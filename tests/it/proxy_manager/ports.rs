//! Which port a proxy gets.

use std::net::TcpListener;

use super::stage::{Stage, health};

#[test]
fn a_port_of_somebody_else_is_skipped_and_never_spoken_to() {
    let stage = Stage::new();
    let foreign = TcpListener::bind("127.0.0.1:0").unwrap();
    foreign.set_nonblocking(true).unwrap();
    let taken = foreign.local_addr().unwrap().port();
    stage.range(taken, taken.saturating_add(40));
    stage.profile("p", "chatty", &[]);
    let (port, pid) = stage.start("p");
    assert!(port > taken, "{port} {taken}");
    assert_eq!(health(port).unwrap()["pid"], pid);
    assert!(foreign.accept().is_err(), "somebody asked the stranger");
}

#[test]
fn no_free_port_is_an_error_that_names_the_way_out() {
    let stage = Stage::new();
    let foreign = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = foreign.local_addr().unwrap().port();
    stage.range(taken, taken);
    stage.profile("p", "chatty", &[]);
    for args in [&["proxy", "start", "p"][..], &["run", "p", "x"]] {
        let out = stage.home.clown(args).fails(1).says("are in use").says(&taken.to_string());
        out.says("clown config set proxy.last_port N, then proxy.first_port");
    }
    assert!(stage.home.json(&["sessions", "list", "--live"])["sessions"].as_array().unwrap().is_empty());
    assert_eq!(stage.state("p"), "stopped");
    drop(foreign);
    assert_eq!(stage.start("p").0, taken, "free again");
}

#[test]
fn a_stolen_port_is_left_to_the_thief_and_another_one_taken() {
    let stage = Stage::new();
    stage.profile("p", "chatty", &[]);
    let (before, _) = stage.start("p");
    stage.home.clown(&["proxy", "stop", "p"]).ok();
    let thief = TcpListener::bind(("127.0.0.1", before)).unwrap();
    let (after, pid) = stage.start("p");
    assert_ne!(after, before);
    assert_eq!(health(after).unwrap()["pid"], pid);
    // Known as the profile's port from now on.
    stage.home.clown(&["proxy", "restart", "p"]).ok();
    drop(thief);
    assert_eq!(stage.start("p").0, after);
    stage.home.clown(&["daemon", "stop"]).ok();
    assert_eq!(stage.start("p").0, after, "also for another daemon");
}

#[test]
fn wrong_settings_of_ports_are_named() {
    let stage = Stage::new();
    stage.profile("p", "chatty", &[]);
    stage.range(stage.first + 5, stage.first);
    stage.home.clown(&["proxy", "start", "p"]).fails(1).says("is above proxy.last_port");
    stage.range(70_000_u32 as u16, stage.first);
    stage.set("proxy.last_port", "70000");
    stage.home.clown(&["proxy", "start", "p"]).fails(1).says("proxy.last_port cannot be 70000");
}
