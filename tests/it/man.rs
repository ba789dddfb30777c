//! The manual pages: one for each command, and nothing in them that the tools which show them object to.

use std::{collections::BTreeSet, path::Path};

use crate::support::TestHome;

fn pages(home: &TestHome) -> Vec<std::path::PathBuf> {
    let dir = home.work().join("man");
    let out = home.clown(&["__man", dir.to_str().unwrap()]).ok();
    assert!(out.stdout.is_empty() && out.stderr.is_empty(), "{}", out.report());
    let mut files: Vec<_> = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    files
}

/// The first of these programs that is there.
fn one_of(names: &[&str]) -> String {
    let places = ["/usr/local/bin", "/usr/bin", "/bin"].map(Path::new);
    let found = names.iter().find_map(|name| places.iter().map(|p| p.join(name)).find(|p| p.is_file()));
    let found = found.unwrap_or_else(|| panic!("none of {names:?} is installed: run `cargo xtask setup --tests`"));
    found.display().to_string()
}

#[test]
fn every_command_has_a_page_and_every_option_stands_on_one() {
    let home = TestHome::new();
    let files = pages(&home);
    let stems: BTreeSet<String> = files.iter().map(|f| f.file_name().unwrap().to_str().unwrap().to_owned()).collect();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/help");
    for entry in std::fs::read_dir(golden).unwrap() {
        let path = entry.unwrap().path();
        let help = std::fs::read_to_string(&path).unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap();
        // `clown-profiles-create` stands on the page of `clown-profiles`.
        let page = name.splitn(3, '-').take(2).collect::<Vec<_>>().join("-") + ".1";
        assert!(stems.contains(&page), "{name} has no page {page}");
        let text = std::fs::read_to_string(files[0].with_file_name(&page)).unwrap().replace("\\-", "-");
        let lines = help.lines().skip_while(|l| *l != "Options:").skip(1).take_while(|l| l.starts_with("  "));
        let options = lines.filter_map(|l| l[2..].split(' ').take(2).find(|w| w.starts_with("--")));
        for option in options.filter(|o| *o != "--help,") {
            assert!(text.contains(option), "{option} of {name} is not on {page}");
        }
    }
    assert_eq!(home.daemons(), [0; 0]);
}

#[test]
fn groff_and_mandoc_have_nothing_to_say() {
    let home = TestHome::new();
    let files = pages(&home);
    let names: Vec<&str> = files.iter().map(|f| f.to_str().unwrap()).collect();
    let groff = one_of(&["groff"]);
    let mandoc = one_of(&["mandoc"]);
    // Pages have no date, so that the same source gives the same bytes.
    let expected = ["missing date", "cannot parse date"];
    let objections = |text: String| text.lines().filter(|l| !expected.iter().any(|e| l.contains(e))).map(str::to_owned).collect::<Vec<_>>();
    for name in &names {
        let out = home.program(&groff, &["-man", "-Tutf8", "-ww", "-z", name]).ok();
        assert_eq!(out.stderr(), "", "{name}");
    }
    let out = home.program(&mandoc, &[&["-T", "lint", "-W", "warning"][..], &names].concat()).run();
    assert_eq!(objections(out.stdout()), [""; 0], "{}", out.report());
    // The check is one that can fail.
    let text = std::fs::read_to_string(&files[0]).unwrap();
    let broken = home.write("w/broken.1", &(text + ".RS\n.nosuchmacro\n"));
    let out = home.program(&mandoc, &["-T", "lint", "-W", "warning", broken.to_str().unwrap()]).run();
    assert!(!objections(out.stdout()).is_empty());
}

#[test]
fn a_directory_that_cannot_be_written_is_told() {
    let home = TestHome::new();
    let file = home.write("w/file", "");
    home.clown(&["__man", file.join("x").to_str().unwrap()]).fails(1).says("cannot write");
}
