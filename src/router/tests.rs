use super::*;
use crate::{
    app::{Ground, Host},
    base::paths::Paths,
    wire::sessions::Session,
};

struct NoHost;

impl Host for NoHost {
    fn offline_port(&self) -> Result<u16> {
        Err(Error::unsupported("no host"))
    }
    fn watch(&self, _session: &Session) {}
    fn status(&self) -> StatusReply {
        panic!("the status of no host")
    }
    fn login_link(&self) -> Result<Link> {
        Err(Error::unsupported("no host"))
    }
    fn stop(&self) {}
    fn runtime(&self) -> Result<tokio::runtime::Handle> {
        Err(Error::unsupported("no host"))
    }
    fn guard(&self, _what: String) -> Box<dyn Send + Sync> {
        Box::new(())
    }
    fn later(&self, job: Box<dyn FnOnce() + Send>) {
        job();
    }
    fn set_log_level(&self, _level: &str) -> Result<()> {
        Ok(())
    }
}

fn router(dir: &std::path::Path) -> Router {
    let paths = Paths::at(dir.join("c"));
    let ground = Ground::system(&paths);
    Router::new(Arc::new(App::new(paths, dir.join("r"), ground, Arc::new(NoHost))))
}

fn ask(router: &Router, protocol: u32, call: &str) -> Value {
    let request = serde_json::json!({ "protocol": protocol, "version": "9", "id": "", "call": call, "body": {} });
    serde_json::from_slice(&router.answer_bytes(request.to_string().as_bytes())).unwrap()
}

#[test]
fn a_handler_that_panics_fails_alone() {
    let dir = tempfile::tempdir().unwrap();
    let router = router(dir.path());
    let answer = ask(&router, PROTOCOL, "daemon.status");
    assert_eq!(answer["error"]["code"], "defect", "{answer}");
    assert!(answer["error"]["hints"][0].as_str().unwrap().contains("clown daemon logs"));
    assert!(ask(&router, PROTOCOL, "daemon.hello")["reply"]["pid"].is_u64());
    assert_eq!(router.counts(), (2, 1));
}

#[test]
fn another_protocol_may_only_ask_what_runs_and_end_it() {
    let dir = tempfile::tempdir().unwrap();
    let router = router(dir.path());
    for call in router.names() {
        let code = ask(&router, PROTOCOL + 1, call)["error"]["code"].clone();
        assert_eq!(code == "protocol", !["daemon.hello", "daemon.status", "daemon.stop"].contains(&call), "{call}: {code}");
    }
}
