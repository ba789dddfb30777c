//! Profiles through the whole program, without agents.

mod change;
mod nested;
mod prompts;
mod shells;
mod templates;

use crate::support::TestHome;

#[test]
fn a_profile_is_made_shown_changed_renamed_cloned_and_deleted() {
    let home = TestHome::new();
    let made = home.json(&["profiles", "create", "claude", "work", "--provider", "offline"]);
    assert_eq!(made["profile"]["provider"], "offline");
    assert!(home.profile_home("claude", "work").join(".claude/.claude.json").exists());
    home.json(&["profiles", "edit", "work", "--model", "offline-mini", "--env", "A=B", "--arg", "--verbose"]);
    let detail = home.json(&["profiles", "inspect", "work"]);
    assert_eq!((detail["effective_model"].as_str(), detail["profile"]["env"]["A"].as_str()), (Some("offline-mini"), Some("B")));
    home.json(&["profiles", "clone", "work", "twin"]);
    home.json(&["profiles", "rename", "work", "old"]);
    assert!(home.profile_home("claude", "old").exists() && !home.profile_home("claude", "work").exists());
    let listed = home.json(&["profiles", "list", "--agent", "claude"]);
    let names: Vec<&str> = listed["profiles"].as_array().unwrap().iter().map(|p| p["alias"].as_str().unwrap()).collect();
    assert_eq!(names, ["old", "twin"]);
    home.clown(&["profiles", "delete", "twin"]).ok().says("Its home is kept");
    assert!(home.profile_home("claude", "twin").exists());
    home.clown(&["profiles", "delete", "old", "--purge"]).ok();
    assert!(!home.profile_home("claude", "old").exists());
}
