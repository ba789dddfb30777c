//! The user's own tools inside a profile: git, npm and the shell know their settings there.

use super::{Agent, CLAUDE, CODEX, OPENCODE, for_each_agent, new_key, profile_with_key};
use crate::support::{TestHome, Upstream};

for_each_agent!(tools_know_the_users_settings, tools_know_the_users_settings_with_the_config_directory_moved_only);

fn settled_home() -> TestHome {
    let mut home = TestHome::with_agents();
    // Claude makes its tools' shell from this one's start-up file.
    home.set("SHELL", "/bin/bash");
    home.write("h/.gitconfig", "[user]\n\tname = Real Person\n\temail = real@example.org\n");
    home.write("h/.npmrc", "init-author-name=npm-person\n");
    home.write("h/.bashrc", "greet() { echo \"greeting $1\"; }\nalias hello='greet alias'\n");
    home
}

fn tools_know_the_users_settings(agent: &Agent) {
    settings_are_known(agent, "home-wrapper");
}

fn tools_know_the_users_settings_with_the_config_directory_moved_only(agent: &Agent) {
    settings_are_known(agent, "config-dir");
}

fn settings_are_known(agent: &Agent, isolation: &str) {
    let home = settled_home();
    home.clown(&["profiles", "create", agent.id, "p", "--provider", "offline", "--isolation", isolation]).ok();
    let shell = if agent.id == "claude" { "greet function; hello" } else { "true" };
    let out = agent
        .run(&home, "p", &format!("[run: (git config user.name; npm config get init-author-name; {shell}; echo $HOME) > seen 2>&1]"))
        .ok();
    let seen = std::fs::read_to_string(home.work().join("seen")).unwrap_or_else(|_| panic!("no tool ran\n{}", out.report()));
    let mut expected = vec!["Real Person", "npm-person"];
    if agent.id == "claude" {
        expected.extend(["greeting function", "greeting alias"]);
    }
    let profile_home = home.profile_home(agent.id, "p");
    let own = if isolation == "config-dir" { home.home() } else { profile_home };
    expected.push(own.to_str().unwrap());
    assert_eq!(seen.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn a_write_through_a_link_lands_in_the_real_home_and_a_replaced_link_is_told() {
    let home = settled_home();
    home.clown(&["profiles", "create", "codex", "p", "--provider", "offline"]).ok();
    CODEX.run(&home, "p", "[run: git config --global clown.test yes && sed -i s/npm-person/profile-person/ ~/.npmrc]").ok();
    let real = std::fs::read_to_string(home.home().join(".gitconfig")).unwrap();
    assert!(real.contains("test = yes") && real.contains("Real Person"), "{real}");
    let profile_home = home.profile_home("codex", "p");
    assert_eq!(std::fs::read_link(profile_home.join(".gitconfig")).unwrap(), home.home().join(".gitconfig"));
    // sed puts a new file where the link was.
    assert_eq!(std::fs::read_to_string(home.home().join(".npmrc")).unwrap(), "init-author-name=npm-person\n");
    assert_eq!(std::fs::read_to_string(profile_home.join(".npmrc")).unwrap(), "init-author-name=profile-person\n");
    let warnings = home.json(&["profiles", "inspect", "p"])["warnings"].to_string();
    assert!(warnings.contains(".npmrc") && !warnings.contains(".gitconfig"), "{warnings}");
    home.clown(&["run", "p", "--version"]).ok().says(".npmrc in the profile was a link");
    std::fs::remove_file(profile_home.join(".npmrc")).unwrap();
    let out = home.clown(&["run", "p", "--version"]).ok();
    assert!(!out.stderr().contains(".npmrc"), "{}", out.report());
    assert!(home.json(&["profiles", "inspect", "p"])["warnings"].is_null());
}

#[test]
fn a_config_directory_elsewhere_is_bridged_from_there_and_agents_in_it_stay_apart() {
    let mut home = TestHome::with_agents();
    home.write("cfg/git/config", "[user]\n\tname = Person Elsewhere\n");
    home.write("cfg/opencode/AGENTS.md", "WORDS-FROM-ELSEWHERE");
    let place = home.everything().join("cfg");
    home.set("XDG_CONFIG_HOME", place.to_str().unwrap());
    let upstream = Upstream::start();
    for agent in [CLAUDE, OPENCODE] {
        profile_with_key(&home, &agent, agent.id, &upstream, &new_key("cfg"), &[]);
        let seen = home.work().join(format!("{}-seen", agent.id));
        let out = agent.run(&home, agent.id, &format!("[run: git config user.name > {}]", seen.display())).ok();
        let seen = std::fs::read_to_string(seen).unwrap_or_else(|_| panic!("no tool ran\n{}", out.report()));
        assert_eq!(seen.trim(), "Person Elsewhere", "{}", agent.id);
    }
    assert!(!upstream.requests().is_empty() && upstream.requests().iter().all(|r| !r.holds("WORDS-FROM-ELSEWHERE")));
    let left: Vec<_> = std::fs::read_dir(place.join("opencode")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["AGENTS.md"]);
}
