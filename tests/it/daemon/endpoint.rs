//! Where it listens, and who may stand there.

use std::{
    io::Read,
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        net::UnixListener,
    },
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use clown::ipc::sp;

use crate::support::{Endpoint, Kept, TestHome, kill, raw, root_for, wait_until};

const NOBODY: u32 = 65534;

/// A command as another user, with the environment of the home.
fn as_nobody(home: &TestHome, words: &[&str]) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).args(words);
    command.env_clear().envs(home.env()).current_dir("/");
    command
}

fn own(path: &Path, uid: u32) {
    std::os::unix::fs::chown(path, Some(uid), Some(uid)).unwrap();
}

#[test]
fn the_endpoint_file_names_the_sockets_and_goes_with_them() {
    let home = TestHome::new();
    home.json(&["agents", "list"]);
    let file = home.root().join("daemon-endpoint");
    let endpoint = Endpoint::of(&home);
    assert_eq!(Some(endpoint.pid), home.daemon_pid());
    assert!(endpoint.calls.starts_with(home.runtime()) && endpoint.calls.exists() && endpoint.events.exists());
    assert_eq!(std::fs::metadata(&file).unwrap().mode() & 0o7777, 0o600);
    // Written by rename: a link someone put there is followed, never a file half written; a reader
    // that holds the old file keeps its whole content.
    let mut held = std::fs::File::open(&file).unwrap();
    kill(endpoint.pid, "KILL");
    wait_until("its end", || home.daemons().is_empty());
    home.json(&["agents", "list"]);
    let mut old = String::new();
    held.read_to_string(&mut old).unwrap();
    assert!(old.contains(&format!("\"pid\": {}", endpoint.pid)), "{old}");
    assert_ne!(held.metadata().unwrap().ino(), std::fs::metadata(&file).unwrap().ino());
    home.clown(&["daemon", "stop"]).ok();
    assert!(!file.exists());
}

#[test]
fn a_predecessor_does_not_remove_what_its_successor_wrote() {
    let home = TestHome::new();
    home.json(&["agents", "list"]);
    let endpoint = Endpoint::of(&home);
    let file = home.root().join("daemon-endpoint");
    // What a successor leaves: another endpoint file, and another socket at the same path.
    let mut other: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    other["pid"] = 1.into();
    std::fs::write(&file, other.to_string()).unwrap();
    std::fs::remove_file(&endpoint.calls).unwrap();
    let successor = UnixListener::bind(&endpoint.calls).unwrap();
    kill(endpoint.pid, "TERM");
    wait_until("its end", || home.daemons().is_empty());
    assert!(file.exists() && endpoint.calls.exists(), "the successor's are left alone");
    assert!(!endpoint.events.exists(), "its own is removed");
    drop(successor);
}

#[test]
fn a_place_may_be_chosen_on_any_file_system() {
    let mut home = TestHome::new();
    let elsewhere = tempfile::Builder::new().prefix("ct-").tempdir_in("/dev/shm").unwrap();
    let other_device = std::fs::metadata(elsewhere.path()).unwrap().dev() != std::fs::metadata(home.runtime()).unwrap().dev();
    assert!(other_device, "/dev/shm must be another file system than /tmp for this test to show anything");
    let socket = elsewhere.path().join("s");
    for value in [socket.display().to_string(), format!("ipc://{}", socket.display())] {
        home.set("CLOWN_DAEMON_ENDPOINT", &value);
        home.json(&["agents", "list"]);
        assert_eq!(Endpoint::of(&home).calls, socket);
        assert_eq!(std::fs::metadata(&socket).unwrap().mode() & 0o777, 0o600);
        home.clown(&["daemon", "stop"]).ok();
        assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    }
}

#[test]
fn a_place_that_cannot_be_is_refused_with_the_reason() {
    let mut home = TestHome::new();
    let file = home.write("w/file", "precious");
    let long = format!("/tmp/{}/s", "x".repeat(100));
    let missing = home.work().join("none/s");
    let listener = home.work().join("other.sock");
    let _other = UnixListener::bind(&listener).unwrap();
    for (place, why) in [
        (file.to_str().unwrap(), "is not a socket"),
        (&long, "is too long"),
        ("relative.sock", "is not absolute"),
        (missing.to_str().unwrap(), "cannot listen at"),
    ] {
        home.set("CLOWN_DAEMON_ENDPOINT", place);
        home.clown(&["agents", "list"]).run().code_is(1).says(why);
        assert!(home.daemons().is_empty());
    }
    assert_eq!(std::fs::read(&file).unwrap(), b"precious");
    home.unset("CLOWN_DAEMON_ENDPOINT");
    home.json(&["agents", "list"]);
}

#[test]
fn a_socket_that_another_program_serves_is_not_taken() {
    let mut home = TestHome::new();
    let place = home.work().join("other.sock");
    let listener = UnixListener::bind(&place).unwrap();
    let inode = std::fs::metadata(&place).unwrap().ino();
    // One that greets, and one that hangs up at once.
    let polite = Arc::new(AtomicBool::new(true));
    let greets = Arc::clone(&polite);
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            if greets.load(Ordering::SeqCst) {
                let _ = std::io::Write::write_all(&mut stream, b"220 mail.example ESMTP\r\n");
                let _ = stream.read(&mut [0; 64]);
            }
        }
    });
    home.set("CLOWN_DAEMON_ENDPOINT", place.to_str().unwrap());
    for greets in [true, false] {
        polite.store(greets, Ordering::SeqCst);
        let why = if greets { "is no clown daemon" } else { "another program listens" };
        home.clown(&["daemon", "--stay-alive"]).run().code_is(1).says(why);
        let out = home.clown(&["agents", "list"]).run();
        assert!(matches!(out.code, Some(1 | 3)), "{}", out.report());
        assert_eq!(std::fs::metadata(&place).unwrap().ino(), inode, "the socket is still the other program's");
        assert!(home.daemons().is_empty());
    }
}

/// An impostor that says what a daemon would say and writes down every byte it gets.
fn impostor(home: &TestHome, socket: &Path) -> (Kept, PathBuf) {
    let record = socket.with_extension("got");
    let script = "import os,socket,sys\n\
        s=socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); os.chmod(sys.argv[1],0o777); s.listen(64)\n\
        open(sys.argv[2],'wb').close()\n\
        while True:\n\
        \x20c,_=s.accept()\n\
        \x20c.settimeout(3)\n\
        \x20c.sendall(b'\\0SP\\0\\0\\x31\\0\\0')\n\
        \x20try: d=c.recv(65536)\n\
        \x20except Exception: d=b''\n\
        \x20open(sys.argv[2],'ab').write(d); c.close()\n";
    let child = as_nobody(home, &["python3", "-c", script, socket.to_str().unwrap(), record.to_str().unwrap()]).spawn().unwrap();
    wait_until("the impostor", || record.exists());
    (Kept(child), record)
}

#[test]
fn a_daemon_of_another_user_gets_no_byte() {
    if !root_for("a listener of uid 65534 at the endpoint") {
        return;
    }
    let mut home = TestHome::new();
    let open = home.work().join("open");
    std::fs::create_dir(&open).unwrap();
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o777)).unwrap();
    let (_impostor, record) = impostor(&home, &open.join("s"));

    home.set("CLOWN_DAEMON_ENDPOINT", open.join("s").to_str().unwrap());
    for words in [&["profiles", "list"][..], &["daemon", "status"], &["daemon", "stop"], &["daemon", "start"]] {
        home.clown(words).run().code_is(1).says("belongs to another user (uid 65534)");
    }
    // A leftover endpoint file that leads there, as after a restart of the machine, stops nobody.
    home.unset("CLOWN_DAEMON_ENDPOINT");
    let address = format!("ipc://{}", open.join("s").display());
    let stale = serde_json::json!({ "version": 1, "ipc": address, "events": format!("{address}.events"), "pid": 1 });
    home.write("h/.config/clown/daemon-endpoint", &stale.to_string());
    home.json(&["profiles", "list"]);
    assert_ne!(Endpoint::of(&home).calls, open.join("s"));
    assert_eq!(std::fs::read(&record).unwrap(), b"", "bytes reached the impostor");
}

#[test]
fn a_socket_of_another_user_that_root_would_own_is_told_by_its_process() {
    if !root_for("a socket file given away by its owner") {
        return;
    }
    let mut home = TestHome::new();
    let open = home.work().join("open");
    std::fs::create_dir(&open).unwrap();
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o777)).unwrap();
    let (_impostor, record) = impostor(&home, &open.join("s"));
    // The file looks like ours; the process behind it is not.
    own(&open.join("s"), 0);
    home.set("CLOWN_DAEMON_ENDPOINT", open.join("s").to_str().unwrap());
    home.clown(&["daemon", "status"]).run().code_is(1).says("belongs to another user (uid 65534)");
    assert_eq!(std::fs::read(&record).unwrap(), b"");
}

#[test]
fn another_user_gets_no_byte_from_the_daemon() {
    if !root_for("a client of another user") {
        return;
    }
    // Root passes every file mode, so the daemon is nobody's and the client is root.
    let home = TestHome::new();
    let program = home.work().join("clown");
    std::fs::copy(env!("CARGO_BIN_EXE_clown"), &program).unwrap();
    for dir in [home.home(), home.runtime(), home.work(), home.work().parent().unwrap().join("t")] {
        own(&dir, NOBODY);
    }
    own(home.work().parent().unwrap(), NOBODY);
    let mut daemon = Kept(as_nobody(&home, &[program.to_str().unwrap(), "daemon", "--stay-alive"]).spawn().unwrap());
    wait_until("the daemon", || home.root().join("daemon-endpoint").exists());
    let endpoint = Endpoint::of(&home);
    for socket in [&endpoint.calls, &endpoint.events] {
        for greeting in [sp::handshake(sp::REQ), sp::handshake(sp::SUB)] {
            let mut stream = raw(socket);
            crate::support::push(&mut stream, &greeting);
            let mut got = Vec::new();
            let _ = stream.read_to_end(&mut got);
            assert!(got.is_empty(), "{got:?}");
        }
    }
    assert!(as_nobody(&home, &[program.to_str().unwrap(), "agents", "list"]).output().unwrap().status.success(), "its own user is served");
    kill(daemon.0.id(), "TERM");
    assert!(daemon.0.wait().unwrap().success());
}

#[test]
fn a_runtime_directory_that_is_not_ours_is_refused() {
    let home = TestHome::new();
    let place = home.runtime().join("clown");
    let target = home.work().join("target");
    std::fs::create_dir(&target).unwrap();
    std::os::unix::fs::symlink(&target, &place).unwrap();
    home.clown(&["agents", "list"]).run().code_is(1).says("is not a directory");
    std::fs::remove_file(&place).unwrap();
    if root_for("a runtime directory of another user") {
        std::fs::create_dir(&place).unwrap();
        std::fs::set_permissions(&place, std::fs::Permissions::from_mode(0o700)).unwrap();
        own(&place, NOBODY);
        home.clown(&["agents", "list"]).run().code_is(1).says("belongs to another user");
        own(&place, 0);
        home.json(&["agents", "list"]);
    }
    assert_eq!(std::fs::read_dir(&target).unwrap().count(), 0);
}
