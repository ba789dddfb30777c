//! What wins, what is refused, and that nobody sees half a registry.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use super::*;
use crate::wire::ids::AgentId;

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Directory of the commit whose name is this digit, forty times.
fn commit(paths: &Paths, digit: &str) -> PathBuf {
    paths.registry_current().with_file_name("commits").join(format!("{}{digit}", "0".repeat(40 - digit.len())))
}

/// Points `current` at a commit, as a sync does.
fn swap(paths: &Paths, digit: &str) {
    link(paths, &format!("commits/{}{digit}", "0".repeat(40 - digit.len())));
}

fn link(paths: &Paths, target: &str) {
    let current = paths.registry_current();
    let new = current.with_file_name(".new");
    crate::base::os::symlink(Path::new(target), &new).unwrap();
    fs::rename(&new, &current).unwrap();
}

#[test]
fn every_built_in_manifest_parses_and_names_a_script_that_exists() {
    let dir = tempfile::tempdir().unwrap();
    let snapshot = Manifests::new(&Paths::at(dir.path())).snapshot();
    assert_eq!(snapshot.problems, []);
    assert!(snapshot.agents.len() > 20 && snapshot.providers.len() > 40);
    for (id, agent) in &snapshot.agents {
        assert!(snapshot.scripts.contains_key(agent.item.script.as_str()), "{id}");
    }
}

#[test]
fn the_user_layer_wins_over_the_registry_and_a_broken_file_hides_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let paths = Paths::at(dir.path());
    let manifests = Manifests::new(&paths);
    let text = |name: &str| {
        format!(
            "schema = 1\nid = \"zai\"\nname = \"{name}\"\n[[endpoints]]\nformat = \"anthropic\"\nbase_url = \"https://x.example\"\nauth = \"bearer\"\n"
        )
    };
    assert_eq!(manifests.snapshot().providers["zai"].origin, Origin::BuiltIn);
    write(&commit(&paths, "a").join("providers/zai.toml"), &text("from registry"));
    assert_eq!(manifests.snapshot().providers["zai"].origin, Origin::BuiltIn, "nothing links to it");
    swap(&paths, "a");
    assert_eq!(manifests.snapshot().providers["zai"].item.name, "from registry");
    write(&paths.providers_dir().join("zai.toml"), &text("mine"));
    let found = manifests.snapshot().providers["zai"].clone();
    assert_eq!((found.item.name.as_str(), found.origin), ("mine", Origin::User));
    write(&paths.providers_dir().join("zai.toml"), "schema = 1\nid = 3\n");
    let snapshot = manifests.snapshot();
    assert_eq!(snapshot.providers["zai"].item.name, "from registry");
    assert_eq!(snapshot.problems.len(), 1);
    assert_eq!((snapshot.problems[0].line, snapshot.problems[0].key.as_deref()), (Some(2), Some("id")));
}

const PROVIDER: &str = "schema = 1\nid = \"x\"\nname = \"NAME\"\ndefault_model = \"old\"\n[[endpoints]]\nformat = \"anthropic\"\nbase_url = \"https://x.example\"\nauth = \"bearer\"\n[[models]]\nid = \"old\"\ncontext = 1\n";

fn provider(id: &str, name: &str) -> String {
    PROVIDER.replace("\"x\"", &format!("{id:?}")).replace("NAME", name)
}

#[test]
fn a_catalogue_adds_models_to_its_own_layer_and_those_below() {
    let dir = tempfile::tempdir().unwrap();
    let paths = Paths::at(dir.path());
    let manifests = Manifests::new(&paths);
    let models = |snapshot: &Snapshot| {
        let item = &snapshot.providers["x"].item;
        let rows: Vec<_> = item.models.iter().map(|m| (m.id.clone(), m.context)).collect();
        (item.default_model.clone().unwrap(), item.tiers.get("opus").cloned(), rows)
    };
    let row = |id: &str, context| (id.to_owned(), Some(context));
    let at = commit(&paths, "a");
    write(&at.join("providers/x.toml"), &provider("x", "X"));
    write(
        &at.join("models/x.toml"),
        "schema = 1\nprovider = \"x\"\ndefault_model = \"new\"\n[tiers]\nopus = \"new\"\n[[models]]\nid = \"new\"\ncontext = 2\n[[models]]\nid = \"old\"\ncontext = 3\n",
    );
    swap(&paths, "a");
    let snapshot = manifests.snapshot();
    assert_eq!(snapshot.problems, []);
    assert_eq!(models(&snapshot), ("new".into(), Some("new".into()), vec![row("old", 3), row("new", 2)]));

    write(&paths.models_dir().join("x.toml"), "schema = 1\nprovider = \"x\"\n[[models]]\nid = \"mine\"\ncontext = 9\n");
    assert_eq!(models(&manifests.snapshot()).2.len(), 3);
    write(&paths.providers_dir().join("x.toml"), &provider("x", "Mine"));
    assert_eq!(models(&manifests.snapshot()), ("old".into(), None, vec![row("old", 1), row("mine", 9)]), "the registry's is hidden");

    for bad in ["base_url = \"https://evil.example\"\n", "key_env = \"HOME\"\n", "tiers = { opus = \"none\" }\n"] {
        write(&paths.models_dir().join("x.toml"), &format!("schema = 1\nprovider = \"x\"\n{bad}"));
        let snapshot = manifests.snapshot();
        assert_eq!(snapshot.problems.len(), 1, "{bad}");
        assert_eq!(models(&snapshot).2, [row("old", 1)], "{bad}");
    }
}

#[test]
fn templates_are_found_by_agent_and_name_in_three_layers() {
    let dir = tempfile::tempdir().unwrap();
    let paths = Paths::at(dir.path());
    let manifests = Manifests::new(&paths);
    let agent = AgentId::parse("claude").unwrap();
    let found = |name: &str| manifests.snapshot().template(&agent, name).map(|f| (f.origin, f.item.template.description.clone()));
    let text = |name: &str, words: &str| format!("schema = 1\nagent = \"claude\"\nname = {name:?}\ndescription = {words:?}\n");
    assert_eq!(found("reviewer").unwrap().0, Origin::BuiltIn);
    write(&commit(&paths, "a").join("templates/claude/reviewer.toml"), &text("reviewer", "registry's"));
    swap(&paths, "a");
    assert_eq!(found("reviewer").unwrap(), (Origin::Registry, "registry's".into()));
    write(&paths.templates_dir().join("claude/reviewer.toml"), &text("reviewer", "mine"));
    assert_eq!(found("reviewer").unwrap(), (Origin::User, "mine".into()));
    assert!(found("reviwer").unwrap_err().to_string().contains("no template"));

    for (bad, why) in [
        ("[[prompts]]\nfile = \"../x.md\"\ntext = \"\"\n", "leaves the home"),
        ("[[prompts]]\nfile = \"settings.json\"\ntext = \"\"\n", "a setting"),
        ("[[prompts]]\nfile = \"/x.md\"\ntext = \"\"\n", "absolute"),
        ("[[prompts]]\nfile = \"a.md\"\ntext = \"${API_KEY:last20}\"\n", "the key"),
        ("[[hooks]]\nevent = \"a b\"\ncommand = \"x\"\n", "no event"),
        ("shell = \"x\"\n", "unknown"),
    ] {
        write(&paths.templates_dir().join("claude/reviewer.toml"), &(text("reviewer", "mine") + bad));
        assert_eq!(found("reviewer").unwrap().0, Origin::Registry, "{why}");
        assert_eq!(manifests.snapshot().problems.len(), 1, "{why}");
    }
}

#[test]
fn what_is_no_link_to_a_commit_is_named_and_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    let paths = Paths::at(dir.path().join("root"));
    let outside = dir.path().join("outside");
    for place in [&outside, &commit(&paths, "a"), &paths.registry_current().with_file_name("commits").join("name")] {
        write(&place.join("providers/zai.toml"), &provider("zai", "registry's"));
    }
    let name = || {
        let snapshot = Manifests::new(&paths).snapshot();
        (snapshot.providers["zai"].item.name.clone(), snapshot.problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    };
    let absolute = commit(&paths, "a");
    for target in [outside.to_str().unwrap(), "../../outside", "commits/name", "commits/../../outside", absolute.to_str().unwrap()] {
        link(&paths, target);
        let (name, problems) = name();
        assert_ne!(name, "registry's", "{target}");
        assert!(problems.contains("registry/current") && problems.contains("not a link to commits/"), "{target}: {problems}");
    }
    swap(&paths, "b");
    assert!(name().1.contains("not there"), "{:?}", name());
    swap(&paths, "a");
    assert_eq!(name(), ("registry's".into(), String::new()));
    fs::remove_file(paths.registry_current()).unwrap();
    write(&paths.registry_current().join("providers/zai.toml"), &provider("zai", "registry's"));
    let (name, problems) = name();
    assert!(name != "registry's" && problems.contains("a file or a directory"), "{problems}");
}

#[test]
fn a_reader_sees_one_commit_while_the_link_is_swapped_and_old_commits_go() {
    let dir = tempfile::tempdir().unwrap();
    let paths = Paths::at(dir.path());
    let ids: Vec<String> = (0..8).map(|n| format!("p{n}")).collect();
    let make = |digit: &str| {
        for id in &ids {
            write(&commit(&paths, digit).join(format!("providers/{id}.toml")), &provider(id, digit));
        }
    };
    make("a");
    swap(&paths, "a");
    let manifests = Manifests::new(&paths);
    let (done, loads, swaps) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
    let mut names = std::collections::BTreeSet::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // A name stands for one content, for ever; four of them are there at a time.
            let name = |n: usize| format!("{n:04x}");
            for n in 1.. {
                // One swap to four for each load, whatever the machine is busy with.
                while n > 4 * (loads.load(SeqCst) + 1) && !done.load(SeqCst) {
                    std::thread::yield_now();
                }
                if done.load(SeqCst) {
                    return;
                }
                make(&name(n));
                swap(&paths, &name(n));
                swaps.store(n, SeqCst);
                if let Some(old) = n.checked_sub(3) {
                    let old = if old == 0 { "a".to_owned() } else { name(old) };
                    fs::remove_dir_all(commit(&paths, &old)).unwrap();
                }
            }
        });
        for load in 0..60 {
            while swaps.load(SeqCst) <= load {
                std::thread::yield_now();
            }
            let snapshot = manifests.snapshot();
            assert_eq!(snapshot.problems, []);
            let seen: std::collections::BTreeSet<_> = ids.iter().map(|id| snapshot.providers[id].item.name.clone()).collect();
            assert_eq!(seen.len(), 1, "a mix of commits");
            names.extend(seen);
            loads.fetch_add(1, SeqCst);
        }
        done.store(true, SeqCst);
    });
    assert!(names.len() > 1, "{names:?}");
}
