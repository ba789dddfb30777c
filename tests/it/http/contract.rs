//! The OpenAPI document is true: schemathesis sends what it allows and what it forbids, and checks every answer.

use std::process::Command;

use super::web::Web;
use crate::support::python;

#[test]
fn schemathesis_finds_nothing_that_the_document_does_not_say() {
    let web = Web::new();
    // Some of what it asks about is there.
    for (alias, provider) in [("work", "offline"), ("0", "offline")] {
        let made = serde_json::json!({ "agent": "claude", "alias": alias, "provider": provider });
        assert_eq!(web.ask("POST", "/api/v1/profiles", Some(&made)).status, 200);
    }
    let out = Command::new(python().with_file_name("schemathesis"))
        .args(["run", &format!("http://{}/api/v1/openapi.json", web.host())])
        .args(["--header", &format!("Authorization: {}", web.bearer())])
        // These end the daemon, or never end.
        .args(["--exclude-path", "/api/v1/daemon/stop", "--exclude-path", "/api/v1/events"])
        // It asks vendors.
        .args(["--exclude-path", "/api/v1/providers/{id}/probe"])
        // What is well formed may still be wrong: an alias that is taken, a file that is not there.
        .args(["--exclude-checks", "positive_data_acceptance"])
        .args([
            "--phases",
            "examples,coverage,fuzzing",
            "--max-examples",
            "5",
            "--seed",
            "1",
            "--generation-database",
            ":memory:",
            "--no-color",
        ])
        .env_clear()
        .envs(web.home.env())
        .current_dir(web.home.work())
        .output()
        .unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(out.status.success(), "{stdout}\n{stderr}\n-- daemon log\n{}", std::fs::read_to_string(web.home.log()).unwrap_or_default());
    // All but the three that are left out above.
    let operations = stdout.lines().find_map(|line| line.split_once("Operations:")).map(|(_, rest)| rest).unwrap_or_default();
    let numbers: Vec<usize> = operations.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let [selected, total] = numbers[..] else { panic!("no count of operations\n{stdout}") };
    assert!(selected + 3 == total && stdout.contains(&format!("Tested: {selected}")), "it has asked about all addresses\n{stdout}");
    assert_eq!(web.ask("GET", "/api/v1/daemon", None).json()["defects"], 0);
}
