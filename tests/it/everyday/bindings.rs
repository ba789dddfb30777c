//! `.clown.toml` chooses the profile of a directory.

use std::{fs, os::unix::fs::PermissionsExt};

use crate::support::TestHome;

fn with_two() -> TestHome {
    let home = TestHome::with_fake("echo \"$CLOWN_PROFILE $EXTRA $*\"");
    for alias in ["one", "two"] {
        home.json(&["profiles", "create", "fake", alias, "--provider", "offline"]);
    }
    home
}

#[test]
fn the_nearest_binding_runs_and_which_explains_it() {
    let home = with_two();
    let project = home.home().join("project");
    let deep = project.join("a/b");
    fs::create_dir_all(&deep).unwrap();
    let run = |args: &[&str]| home.clown(args).cwd(&deep);
    run(&["run"]).fails(1).says("no .clown.toml chooses one").says("hint: name one: clown run ALIAS");
    run(&["which"]).ok().says("No profile is chosen here");
    home.clown(&["bind", "one"]).cwd(&project).ok().says("Bound.");
    assert_eq!(fs::read_to_string(project.join(".clown.toml")).unwrap(), "profile = \"one\"\n");
    assert_eq!(run(&["run", "--", "-p", "hi", "--json"]).ok().stdout(), "one  -p hi --json\n");
    home.clown(&["bind", "two", "--dir", "."]).cwd(&deep).ok();
    assert_eq!(run(&["run"]).ok().stdout(), "two  \n");
    assert_eq!(run(&["run", "one"]).ok().stdout(), "one  \n", "a name wins");
    let which = run(&["which", "--json"]).ok().json();
    assert_eq!((which["profile"].as_str(), which["agent"].as_str()), (Some("two"), Some("fake")));
    assert_eq!(which["file"].as_str().unwrap(), deep.join(".clown.toml").to_str().unwrap());
    run(&["unbind"]).ok();
    assert!(!deep.join(".clown.toml").exists());
    run(&["unbind"]).fails(1).says("is not bound").says(&format!("clown unbind --dir {}", project.display()));
    run(&["bind", "no-such"]).fails(1).says("not found");
    home.clown(&["profiles", "delete", "one", "--yes"]).ok();
    run(&["run"]).fails(1).says("there is none of that name");
}

#[test]
fn settings_beyond_the_profile_wait_for_an_agreement_to_their_text() {
    let home = with_two();
    let file = home.write("h/p/.clown.toml", "# mine\nprofile = \"one\"\nargs = [\"--fast\"]\n[env]\nEXTRA = \"e\"\n");
    let dir = file.parent().unwrap().to_owned();
    let run = |args: &[&str]| home.clown(args).cwd(&dir);
    run(&["run"]).fails(1).says("you have not agreed to it").says("hint: after reading it: clown trust --dir");
    assert_eq!(home.sessions().len(), 0, "nothing ran");
    run(&["trust"]).fails(1).says("you have not agreed");
    assert!(run(&["trust", "--yes"]).ok().stdout().contains("agreed"));
    assert_eq!(run(&["run", "--", "x"]).ok().stdout(), "one e --fast x\n");
    run(&["bind", "two"]).ok();
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("# mine") && text.contains("profile = \"two\""), "{text}");
    assert_eq!(run(&["run"]).ok().stdout(), "two e --fast\n", "another profile by command keeps the agreement");
    fs::write(&file, text.replace("--fast", "--evil")).unwrap();
    run(&["run"]).fails(1).says("you have not agreed");
    let Some(shown) = home.on_terminal(&format!("trust --dir {}", dir.display()), "no\n", &[]) else { return };
    assert!(shown.contains("--evil") && shown.contains("you did not agree"), "{shown}");
    home.on_terminal(&format!("trust --dir {}", dir.display()), "yes\n", &[]);
    assert_eq!(run(&["run"]).ok().stdout(), "two e --evil\n");
}

#[test]
fn a_file_that_is_wrong_or_anybodys_chooses_nothing() {
    let home = with_two();
    let file = home.write("h/p/.clown.toml", "profile = \"one\"\n");
    let dir = file.parent().unwrap().to_owned();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
    home.clown(&["run"]).cwd(&dir).fails(1).says("may be written by anybody").says("chmod o-w");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    for (text, says) in [
        ("profile = \"../x\"\n", "is not understood"),
        ("provider = \"one\"\n", "is not understood"),
        ("profile = \"one\"\n[env]\nLD_PRELOAD = \"x\"\n", "LD_PRELOAD may not be set"),
        ("profile = \"one\"\n[env]\nCLOWN_HOME = \"x\"\n", "CLOWN_HOME may not be set"),
    ] {
        fs::write(&file, text).unwrap();
        home.clown(&["run"]).cwd(&dir).fails(1).says(says);
        home.clown(&["bind", "two"]).cwd(&dir).fails(1).says(says);
        assert_eq!(fs::read_to_string(&file).unwrap(), text, "left as it is");
    }
    fs::remove_file(&file).unwrap();
    fs::write(home.everything().join(".clown.toml"), "profile = \"one\"\n").unwrap();
    let which = home.clown(&["which", "--json"]).cwd(&dir).ok().json();
    assert!(which["profile"].is_null() && which["stopped"].as_str().unwrap().contains("is your home"), "{which}");
}
