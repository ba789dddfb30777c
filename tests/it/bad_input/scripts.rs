//! Set-up scripts that fail or reach too far: the profile is not made.

use super::Scene;
use crate::support::TestHome;

/// What a wrong script says, the message, and the place in it.
const WRONG: &[(&str, &str)] = &[
    ("throw \"no luck today\";", "script claude:1:1: no luck today"),
    ("let x = ;", "script claude:1:9: "),
    ("let a = 1;\nnope(a)", "script claude:2:1: "),
    ("loop {}", "script claude"),
    ("let s = \"x\"; loop { s += s; }", "script claude"),
    ("fn f(n) { f(n + 1) }\nf(0)", "script claude"),
    ("42", "must end with a map"),
    ("#{ env: #{}, args: [], files: [], more: 1 }", "more"),
    ("#{ env: #{ LD_PRELOAD: \"/x.so\" } }", "may not set the variable \"LD_PRELOAD\""),
    ("#{ env: #{ PATH: \"/x\" } }", "may not set the variable \"PATH\""),
    ("#{ args: [\"--key=\" + ctx.key.placeholder] }", "put the key among the arguments"),
    ("#{ files: [#{ path: \"../out.json\", format: \"json\", mode: \"seed\", content: #{} }] }", "may not write \"../out.json\""),
    ("#{ files: [#{ path: \"/tmp/out.json\", format: \"json\", mode: \"seed\", content: #{} }] }", "may not write \"/tmp/out.json\""),
    ("#{ files: [#{ path: \".bashrc\", format: \"text\", mode: \"seed\", content: \"x\" }] }", "may not write \".bashrc\""),
    ("#{ files: [#{ path: \"a.json\", format: \"json\", mode: \"seed\", content: \"text\" }] }", "does not fit its format"),
    ("eval(\"1\")", "script claude:1:1"),
    ("import \"x\" as y;", "script claude:1:1"),
    ("sleep(10)", "sleep"),
    ("print(no_such)", "no_such"),
];

#[test]
fn a_wrong_script_makes_no_profile() {
    let scene = Scene::new();
    scene.home.json(&["config", "set", "secrets.backend", "file"]);
    for (source, message) in WRONG {
        scene.home.write("h/.config/clown/scripts/claude.rhai", source);
        let args = ["profiles", "create", "claude", "new", "--provider", "zai", "--api-key-stdin"];
        let out = scene.refuses(1, scene.home.clown(&args).stdin(b"canary-0123456789"), message);
        assert!(!out.stderr().contains("canary"), "{}", out.report());
        scene.refused(1, &["profiles", "edit", "keep", "--model", "offline-mini"], message);
    }
    assert!(scene.home.files_with(&scene.home.home(), b"canary-0123456789").is_empty(), "a key was left");
    std::fs::remove_file(scene.home.root().join("scripts/claude.rhai")).unwrap();
    scene.home.json(&["profiles", "create", "claude", "new", "--provider", "offline"]);
}

#[test]
fn a_script_can_be_tried_and_its_mistake_has_a_place() {
    let home = TestHome::new();
    home.write("w/good.rhai", "print(\"seen \\u001b[31m\");\n#{ env: #{ A: ctx.model.id }, args: [\"-x\"] }");
    let out = home.clown(&["scripts", "test", "good.rhai", "--agent", "claude", "--provider", "minimax"]).ok().says("print: seen ");
    assert!(out.stdout().contains("MiniMax-M3") && !out.stderr().contains('\x1b'), "{}", out.report());
    home.write("w/bad.rhai", "let a = 1;\nlet b = a.missing;\n#{}");
    home.clown(&["scripts", "test", "bad.rhai"]).fails(1).says("error: script bad.rhai:2:");
    home.clown(&["scripts", "test", "good.rhai", "--agent", "nope"]).fails(1).says("agent \"nope\" is not known");
    // With a proxy between them.
    home.write("w/proxied.rhai", "#{ env: #{ A: ctx.endpoint.base_url + ctx.endpoint.format + ctx.endpoint.auth } }");
    let out = home.clown(&["scripts", "test", "proxied.rhai", "--agent", "codex", "--provider", "anthropic"]).ok();
    assert!(out.stdout().contains("http://127.0.0.1:0/v1openai-responsesbearer"), "{}", out.report());
}

#[test]
fn a_script_that_names_a_file_it_may_not_touch_leaves_that_file() {
    let scene = Scene::new();
    let outside = scene.home.write("h/outside.json", "{}");
    let home = scene.home.profile_home("claude", "new");
    std::fs::create_dir_all(&home).unwrap();
    std::os::unix::fs::symlink(outside.parent().unwrap(), home.join("link")).unwrap();
    let script = "#{ files: [#{ path: \"link/outside.json\", format: \"json\", mode: \"merge\", content: #{ own: 1 } }] }";
    scene.home.write("h/.config/clown/scripts/claude.rhai", script);
    let out = scene.home.clown(&["profiles", "create", "claude", "new", "--provider", "offline"]).fails(1);
    let _ = out.says("is a link; clown writes only inside the profile home");
    assert_eq!(std::fs::read_to_string(outside).unwrap(), "{}");
    assert!(!scene.home.root().join("profiles/new.json").exists() && home.join("link").exists(), "what was there stays");
}
