//! The sandbox from inside: what works, what is refused, and where errors point.

use super::*;

fn context() -> Context {
    crate::scripting::run::example_context()
}

fn error(source: &str) -> (Option<usize>, Option<usize>, String) {
    match evaluate(source, &context(), false) {
        Verdict::Failed { line, column, message } => (line, column, message),
        Verdict::Output { .. } => panic!("accepted: {source}"),
    }
}

#[test]
fn a_script_gives_environment_arguments_and_files() {
    let source = r#"
        let env = #{ URL: ctx.endpoint.base_url, KEY: ctx.key.placeholder };
        print("made " + ctx.profile.alias);
        #{ env: env, args: ["-c", toml::encode(#{ a: 1 })],
           files: [#{ path: "a/b.json", format: "json", mode: "merge", content: #{ x: [1, 2.5, true, ()] } }] }
    "#;
    let Verdict::Output { output, log } = evaluate(source, &context(), false) else { panic!() };
    assert_eq!(output.env["KEY"], "${API_KEY}");
    assert_eq!(output.args, ["-c", "a = 1\n"]);
    assert_eq!(output.files[0].content, serde_json::json!({"x": [1, 2.5, true, null]}));
    assert_eq!(log, ["made example"]);
}

#[test]
fn yaml_round_trips() {
    let source = r#"let t = yaml::encode(#{ a: [1, "no"] }); #{ args: [t, json::encode(yaml::decode(t))] }"#;
    let Verdict::Output { output, .. } = evaluate(source, &context(), false) else { panic!("{:?}", error(source)) };
    assert_eq!(output.args[1], r#"{"a":[1,"no"]}"#);
}

#[test]
fn errors_name_line_and_column() {
    assert_eq!(error("let a = 1;\nlet b = ;").0, Some(2));
    let (line, column, message) = error("\n\n  throw \"needs a base_url\"");
    assert_eq!((line, column, message.as_str()), (Some(3), Some(3), "needs a base_url"));
    let (line, _, message) = error("\nlet x = foo + 1;");
    assert_eq!(line, Some(2));
    assert!(message.contains("foo"), "{message}");
    let (line, _, message) = error("\n json::decode(\"{bad\")");
    assert_eq!(line, Some(2));
    assert!(message.contains("json::decode"), "{message}");
    assert!(!message.contains("line 2"), "{message}");
}

#[test]
fn a_wrong_result_names_the_place() {
    let (_, _, message) = error(r#"#{ files: [#{ path: "x", format: "json", content: 1, mode: "sometimes" }] }"#);
    assert!(message.contains("files[0].mode"), "{message}");
    assert!(error("42").2.contains("must end with a map"));
    assert!(error("#{ enw: #{} }").2.contains("enw"));
}

#[test]
fn hostile_scripts_end_with_an_error() {
    for source in [
        "loop { }",
        "sleep(100)",
        "sleep(1.5)",
        "eval(\"1\")",
        "import \"/etc/passwd\" as p;",
        "let s = \"aaaaaaaaaa\"; loop { s += s; }",
        "fn f(n) { f(n + 1) } f(0)",
        "let a = []; loop { a.push(1) }",
        "blob(100000000)",
        "let s = \"\"; s.pad(100000000, \"x\"); s",
        "let a = [1]; a.pad(100000000, 1); a",
        "9223372036854775807 + 1",
        "const k = #{ a: 1 }; k.a = 2",
        "ctx.profile = 1",
        "timestamp()",
        "open_file(\"/etc/passwd\")",
        "let m = #{}; for i in 0..1000000 { m[i.to_string()] = \"x\"; }",
    ] {
        error(source);
    }
}

#[test]
fn terminal_escapes_do_not_get_out() {
    let Verdict::Output { log, .. } = evaluate("print(\"\\x1b[2J\\x07hi\"); #{}", &context(), false) else { panic!() };
    assert_eq!(log, ["[2Jhi"]);
    assert_eq!(error("throw \"\\x1b[31mred\"").2, "[31mred");
}
