use super::*;
use crate::usage::row::InOrder;

#[derive(Clone, Default)]
struct One {
    agent: &'static str,
    key: &'static str,
    at: i64,
    input: u64,
    read: u64,
    output: u64,
}

struct Known(Vec<One>);

impl Rows for Known {
    fn each(&self, visit: &mut dyn FnMut(Row<'_>)) {
        for one in &self.0 {
            let tokens = Tokens { input: one.input, cache_read: one.read, output: one.output, ..Tokens::default() };
            let bill = Bill { tokens, ts_ms: one.at, ..Bill::default() };
            let record = Record { key: Cow::Borrowed(one.key), model: Cow::Borrowed("as-asked"), bill, ..Record::default() };
            visit(Row { agent: one.agent, profile: Some("work"), file: "", record });
        }
    }
}

/// Rows of a test, numbered as they come.
impl InOrder for Known {}

/// Each row's key, model and written tokens.
fn merged(agent: &str, known: &[One], lines: &str) -> Vec<(String, String, u64)> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("usage.jsonl");
    std::fs::write(&file, lines).unwrap();
    let mut sides = Sides::default();
    let log = Log { file, profile: "work".into(), agent: agent.into() };
    assert!(sides.read(std::slice::from_ref(&log)).unwrap());
    assert!(!sides.read(&[log]).unwrap(), "nothing new");
    let mut rows = Vec::new();
    sides.beside(&Known(known.to_vec())).each(&mut |row| {
        let record = &row.record;
        rows.push((record.key.to_string(), record.model.to_string(), record.bill.tokens.cache_write()));
    });
    rows
}

fn keys(agent: &str, known: &[One], lines: &str) -> Vec<String> {
    merged(agent, known, lines).into_iter().map(|(key, ..)| key).collect()
}

fn named(agent: &'static str, key: &'static str) -> One {
    One { agent, key, ..One::default() }
}

fn line(id: &str, reply: &str) -> String {
    format!(
        r#"{{"v":1,"id":"{id}","session":"s","at":1000000,"total_ms":900.5,"target":"zai/glm","upstream_model":"glm","input":5,"cache_read":7,"cache_write":2,"output":1,"outcome":"ok","reply":"{reply}"}}"#
    ) + "\n"
}

#[test]
fn what_the_agent_wrote_down_too_counts_once() {
    let lines = [line("1", "msg_a"), line("2", "chatcmpl-b"), line("3", "msg_title"), "{half".to_owned()].concat();
    let known = [named("claude", "msg_a"), named("claude", "msg_chatcmpl-b")];
    assert_eq!(keys("claude", &known, &lines), ["msg_a", "msg_chatcmpl-b", "proxy:3"]);
    assert_eq!(keys("codex", &[named("codex", "resp_x")], &line("1", "msg_x")), ["resp_x"], "translated for a Responses client");
}

#[test]
fn without_names_what_was_counted_and_when_tells_which_is_which() {
    // What was written to a cache stands in its input.
    let own = One { agent: "opencode", key: "msg_own", at: 999_000, input: 7, read: 7, output: 1 };
    let two = [line("1", "msg_a"), line("2", "msg_b")].concat();
    let rows = merged("opencode", std::slice::from_ref(&own), &two);
    assert_eq!(rows, [("msg_own".to_owned(), "glm".to_owned(), 2), ("proxy:2".to_owned(), "glm".to_owned(), 2)]);
    let both = [own.clone(), One { key: "msg_again", ..own.clone() }];
    assert_eq!(keys("opencode", &both, &two), ["msg_own", "msg_again"], "two that are alike are two");
    let long_ago = One { at: 1000, ..own };
    assert_eq!(keys("opencode", &[long_ago], &line("1", "msg_a")), ["msg_own", "proxy:1"], "before there was a proxy");
}

#[test]
fn a_run_told_of_in_another_form_is_not_added_to_and_others_are() {
    let sum = One { agent: "opencode", key: "msg_sum", at: 1_000_500, input: 10, read: 14, output: 2 };
    let other = line("9", "msg_c").replace("\"s\"", "\"later\"").replace("1000000", "9000000");
    let lines = [line("1", "msg_a"), line("2", "msg_b"), other].concat();
    assert_eq!(keys("opencode", &[sum], &lines), ["msg_sum", "proxy:9"]);
    let older = One { key: "0199:7", at: 1_000_000, ..named("codex", "") };
    assert_eq!(keys("codex", &[older], &line("1", "resp_a")), ["0199:7"], "an older log of totals only");
}

#[test]
fn what_both_know_has_the_model_and_the_seller_that_the_proxy_chose() {
    let rows = merged("claude", &[named("claude", "msg_a")], &line("1", "msg_a"));
    assert_eq!(rows, [("msg_a".to_owned(), "glm".to_owned(), 0)]);
}

#[test]
fn errors_and_requests_without_tokens_are_no_use() {
    let refused = line("1", "msg_a").replace("\"ok\"", "\"error\"");
    let empty = line("2", "msg_b").replace(":5", ":0").replace(":7", ":0").replace(":2", ":0").replace("\"output\":1", "\"output\":0");
    assert_eq!(keys("claude", &[], &[refused, empty].concat()), [""; 0]);
}

#[test]
fn who_serves_a_profile_is_told_where_the_agent_does_not() {
    let mut sides = Sides::default();
    sides.sold_by(&[("work".to_owned(), "zai".to_owned())].into());
    struct Three;
    impl Rows for Three {
        fn each(&self, visit: &mut dyn FnMut(Row<'_>)) {
            for (profile, word) in [(Some("work"), None), (Some("work"), Some("clown")), (Some("work"), Some("own")), (None, Some("clown"))]
            {
                let record = Record { provider: word.map(Cow::Borrowed), ..Record::default() };
                visit(Row { agent: "codex", profile, file: "", record });
            }
        }
    }
    impl InOrder for Three {}
    let mut told = Vec::new();
    sides.beside(&Three).each(&mut |row| told.push(row.record.provider.map(Cow::into_owned)));
    assert_eq!(told, [Some("zai".to_owned()), Some("zai".to_owned()), Some("own".to_owned()), None]);
}

#[test]
fn a_log_that_grows_in_pieces_or_begins_anew_tells_what_a_whole_one_tells() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("usage.jsonl");
    let log = [Log { file: file.clone(), profile: "work".into(), agent: "claude".into() }];
    let mut sides = Sides::default();
    let mut keys = || {
        sides.read(&log).unwrap();
        let mut keys = Vec::new();
        sides.beside(&Known(Vec::new())).each(&mut |row| keys.push(row.record.key.to_string()));
        keys
    };
    let mut so_far = String::new();
    for piece in [line("1", "msg_a").as_str(), &line("2", "msg_b")[..20], &line("2", "msg_b")[20..], "no line\n"] {
        so_far.push_str(piece);
        std::fs::write(&file, &so_far).unwrap();
        let whole = so_far.matches("outcome").count();
        assert_eq!(keys().len(), whole);
    }
    std::fs::rename(&file, older(&file)).unwrap();
    std::fs::write(&file, line("3", "msg_c")).unwrap();
    assert_eq!(keys(), ["proxy:1", "proxy:2", "proxy:3"]);
    std::fs::remove_file(&file).unwrap();
    assert_eq!(keys(), ["proxy:1", "proxy:2"]);
}
