//! The other agents, by files their current releases wrote. Each prompt was 1,111 tokens with 444 cached, each answer 222 with 55 of
//! reasoning, unless the test says otherwise.

use super::{Logs, Seen, fixture, sum};
use crate::usage::record::Tokens;

fn told(path: &str, text: impl AsRef<[u8]>) -> Vec<Seen> {
    let logs = Logs::new();
    logs.write(path, text);
    logs.rows()
}

fn each(count: u64) -> Tokens {
    Tokens { input: 667 * count, output: 222 * count, reasoning: 55 * count, cache_read: 444 * count, ..Tokens::default() }
}

#[test]
fn gemini_counts_each_message_once_with_cached_input_apart() {
    let rows = told(".gemini/tmp/p/chats/session-1.jsonl", fixture("gemini-0.61-chat.jsonl"));
    assert_eq!(sum(&rows), (2, each(2)));
    assert_eq!((&*rows[0].record.model, &*rows[0].record.session), ("gemini-2.5-pro", "dc3eb19e-daed-400c-9adf-1af3cbdbd4fe"));
}

#[test]
fn gemini_s_last_telling_of_a_message_counts_and_thoughts_beside_the_output_are_added() {
    let line = |output: u64, total: u64| {
        format!(
            "{{\"id\":\"g\",\"timestamp\":\"2026-11-22T10:00:00Z\",\"type\":\"gemini\",\"model\":\"m\",\"tokens\":{{\"input\":1111,\"output\":{output},\"cached\":444,\"thoughts\":55,\"tool\":0,\"total\":{total}}}}}\n"
        )
    };
    let rows = told(".gemini/tmp/p/chats/session-1.jsonl", [line(999, 2165), line(167, 1333)].concat());
    assert_eq!(sum(&rows), (1, each(1)));
    let old = format!(r#"{{"sessionId":"s","messages":[{}]}}"#, line(167, 1333));
    assert_eq!(sum(&told(".gemini/tmp/p/chats/session-0.json", old)), (1, each(1)));
}

#[test]
fn qwen_s_cached_input_counts_once() {
    let line = |total: u64, output: u64| {
        format!(
            r#"{{"uuid":"u","sessionId":"s","type":"assistant","model":"qm","timestamp":"2026-11-22T10:00:00Z","cwd":"/w","usageMetadata":{{"promptTokenCount":1111,"candidatesTokenCount":{output},"thoughtsTokenCount":55,"totalTokenCount":{total},"cachedContentTokenCount":444}}}}"#
        )
    };
    for line in [line(1333, 222), line(1333, 167)] {
        assert_eq!(sum(&told(".qwen/projects/p/chats/s.jsonl", line)), (1, each(1)));
    }
}

#[test]
fn qwen_s_requests_beside_its_chats_count_and_those_of_chats_do_not_twice() {
    let path = ".qwen/usage/token-usage-2026-11.jsonl";
    let rows = told(path, fixture("qwen-0.24-token-usage.jsonl"));
    assert_eq!(sum(&rows), (1, each(1)));
    let row = &rows[0].record;
    assert_eq!((&*row.key, &*row.model), ("56d3b4b1-7f18-4795-b6c6-806dc3834f0f", "qm"));
    assert_eq!(&*row.session, "562e89a1-0311-4c35-b1c0-73f9570f3924");
    // Of a later form nobody knows what it means.
    let logs = Logs::new();
    logs.write(path, fixture("qwen-0.24-token-usage.jsonl").replace("\"schemaVersion\":1", "\"schemaVersion\":2"));
    let (index, _) = logs.look();
    let met: Vec<_> = index.troubles().map(|trouble| (trouble.problem, trouble.count)).collect();
    assert_eq!((super::rows(&index).len(), met), (0, vec![(crate::usage::collect::Problem::Version, 2)]));
}

#[test]
fn copilot_s_records_count_and_its_sums_at_the_end_do_not() {
    let rows = told(".copilot/session-state/s/events.jsonl", fixture("copilot-1.0.102-usage.jsonl"));
    let (_, tokens) = sum(&rows);
    assert_eq!(tokens.cache_write_other % 444, 0);
    assert_eq!(
        rows[0].record.bill.tokens,
        Tokens { input: 1111, output: 222, cache_read: 3333, cache_write_other: 444, ..Tokens::default() }
    );
    assert_eq!(rows.len(), fixture("copilot-1.0.102-usage.jsonl").matches("session.usage_record").count());
}

#[test]
fn copilot_s_older_files_have_nothing_but_sums() {
    let end = |input: u64| {
        format!(
            "{{\"type\":\"session.shutdown\",\"timestamp\":\"2026-11-22T10:00:00Z\",\"data\":{{\"modelMetrics\":{{\"m\":{{\"usage\":{{\"inputTokens\":{input},\"outputTokens\":5}}}}}}}}}}\n"
        )
    };
    assert_eq!(sum(&told(".copilot/session-state/s/events.jsonl", [end(10), end(30)].concat())).1.input, 30);
}

#[test]
fn droid_s_session_is_as_large_as_its_last_sums() {
    let logs = Logs::new();
    let sums = |input: u64| {
        format!(
            r#"{{"model":"custom:m","tokenUsage":{{"inputTokens":{input},"outputTokens":222,"cacheReadTokens":444,"cacheCreationTokens":0,"thinkingTokens":55}},"inclusiveTokenUsage":{{"inputTokens":99999}}}}"#
        )
    };
    logs.write(".factory/sessions/-w/s.settings.json", sums(600));
    assert_eq!(logs.sum().1.input, 600);
    logs.write(".factory/sessions/-w/s.settings.json", sums(667));
    assert_eq!(logs.sum(), (1, each(1)));
    assert_eq!(logs.rows()[0].record.model, "m", "the mark of the user's own settings is no part of its name");
}

#[test]
fn kimi_s_records_are_disjoint_already() {
    let (count, tokens) = sum(&told(".kimi-code/sessions/w/s/agents/main/wire.jsonl", fixture("kimi-2.1-usage.jsonl")));
    assert_eq!((count, tokens), (3, Tokens { reasoning: 0, ..each(3) }));
}

#[test]
fn kimi_s_requests_name_the_model_that_its_records_have_an_alias_of() {
    let request = r#"{"type":"llm.request","agentId":"main","kind":"loop","provider":"openai","model":"kimi-k3","modelAlias":"clown"}"#;
    let text = format!("{request}\n{}", fixture("kimi-2.1-usage.jsonl"));
    let rows = told(".kimi-code/sessions/w/s/agents/main/wire.jsonl", text);
    assert!(rows.len() == 3 && rows.iter().all(|row| row.record.model == "kimi-k3"));
}

#[test]
fn kimi_s_older_command_line_is_read_too() {
    let line = r#"{"timestamp":1795377219.695,"message":{"type":"StatusUpdate","payload":{"token_usage":{"input_other":667,"output":222,"input_cache_read":444,"input_cache_creation":0},"message_id":"m1"}}}"#;
    let rows = told(".kimi/sessions/w/s/wire.jsonl", line);
    assert_eq!(rows[0].record.bill.tokens, Tokens { reasoning: 0, ..each(1) });
    assert_eq!((&*rows[0].record.key, rows[0].record.bill.ts_ms), ("m1", 1_795_377_219_695));
}

#[test]
fn pi_s_branches_copy_answers_and_a_cost_of_0_is_unknown() {
    let logs = Logs::new();
    let text = fixture("pi-0.74-session.jsonl");
    logs.write(".pi/agent/sessions/--w--/2026_a.jsonl", &text).write(".pi/agent/sessions/--w--/2026_b.jsonl", &text);
    assert_eq!(logs.sum(), (2, Tokens { reasoning: 0, ..each(2) }));
    assert_eq!(logs.rows()[0].record.source_cost, None);
}

#[test]
fn grok_s_turns_are_billed_for_each_model_and_not_for_their_alias() {
    let logs = Logs::new();
    let dir = ".grok/sessions/%2Fw/s";
    let update = r#"{"params":{"sessionId":"s","update":{"sessionUpdate":"turn_completed","usage":{"inputTokens":2222,"outputTokens":444,"modelUsage":{"gkm":{"inputTokens":2222,"outputTokens":444,"cachedReadTokens":888,"reasoningTokens":110}}},"_meta":{"totalTokens":77777}}}}"#;
    logs.write(&format!("{dir}/updates.jsonl"), update);
    assert_eq!(logs.sum(), (1, each(2)));
    logs.write(&format!("{dir}/usage.json"), fixture("grok-1.0-usage.json"));
    assert_eq!(logs.sum(), (1, each(2)));
    assert_eq!(logs.rows()[0].record.project.as_deref(), Some("/w"));
}

#[test]
fn amp_s_ledger_is_the_bill_and_its_messages_tell_of_the_cache() {
    let message = r#"{"messageId":4,"usage":{"model":"m","timestamp":"2026-11-22T10:00:00Z","inputTokens":667,"outputTokens":222,"cacheReadInputTokens":444,"cacheCreationInputTokens":3}}"#;
    let event =
        r#"{"id":"e1","timestamp":"2026-11-22T10:00:00Z","model":"m","credits":1.5,"tokens":{"input":667,"output":222},"toMessageId":4}"#;
    let both = format!(r#"{{"id":"T-1","messages":[{message}],"usageLedger":{{"events":[{event}]}}}}"#);
    for text in [both, format!(r#"{{"id":"T-1","messages":[{message}]}}"#)] {
        let expected = Tokens { reasoning: 0, cache_write_other: 3, ..each(1) };
        assert_eq!(sum(&told(".local/share/amp/threads/T-1.json", text)), (1, expected));
    }
}

fn opencode(logs: &Logs) -> rusqlite::Connection {
    std::fs::create_dir_all(logs.path(".local/share/opencode")).unwrap();
    let db = rusqlite::Connection::open(logs.path(".local/share/opencode/opencode.db")).unwrap();
    db.pragma_update(None, "journal_mode", "wal").unwrap();
    db.execute_batch("CREATE TABLE session (id text PRIMARY KEY, parent_id text); CREATE TABLE message (id text PRIMARY KEY, session_id text, time_created integer, time_updated integer, data text)").unwrap();
    let all: serde_json::Value = serde_json::from_str(&fixture("opencode-1.18-db.json")).unwrap();
    for row in all["message"].as_array().unwrap() {
        let text = |name: &str| row[name].as_str().unwrap();
        let values = (text("id"), text("session_id"), row["time_created"].as_i64(), row["time_updated"].as_i64(), text("data"));
        db.execute("INSERT INTO message VALUES (?1, ?2, ?3, ?4, ?5)", values).unwrap();
    }
    db
}

#[test]
fn opencode_s_database_is_read_with_its_write_ahead_log_and_without() {
    let logs = Logs::new();
    let db = opencode(&logs);
    assert!(std::fs::metadata(logs.path(".local/share/opencode/opencode.db-wal")).unwrap().len() > 0);
    assert_eq!(logs.sum(), (2, each(2)));
    let later = r#"{"role":"assistant","modelID":"m","providerID":"p","time":{"created":1},"tokens":{"input":1,"output":1,"cache":{}}}"#;
    db.execute("INSERT INTO message VALUES ('m9', 's', 1, 1895376608123, ?1)", [later]).unwrap();
    assert_eq!(logs.sum().0, 3);
    drop(db);
    assert_eq!(logs.sum().0, 3);
    assert!(!logs.path(".local/share/opencode/opencode.db-wal").exists());
    assert_eq!(logs.look().1.files_read, 0);
}

#[test]
fn opencode_s_older_files_of_the_same_messages_add_nothing() {
    let logs = Logs::new();
    let all: serde_json::Value = serde_json::from_str(&fixture("opencode-1.18-db.json")).unwrap();
    let message = &all["message"][1];
    let path = format!(".local/share/opencode/storage/message/ses_1/{}.json", message["id"].as_str().unwrap());
    logs.write(&path, message["data"].as_str().unwrap());
    assert_eq!(logs.sum(), (1, each(1)));
    drop(opencode(&logs));
    assert_eq!(logs.sum(), (2, each(2)));
}

#[test]
fn a_database_that_is_none_is_told_of() {
    let logs = Logs::new();
    logs.write(".local/share/opencode/opencode.db", "garbage");
    assert_eq!(logs.look().1.troubles.len(), 1);
}
