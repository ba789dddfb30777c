//! The table from call name to function: decode, span, memory of ids, panic wall, encode.
//!
//! Every face goes through here, so equal calls give equal bodies.

use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use serde_json::Value;

mod memory;
mod tally;

use memory::Memory;
pub use tally::Tally;

use crate::{
    app::App,
    base::error::{Error, Result, closest},
    flows::{
        approve, bindings, budgets, change_profile, complete, create_profile, delete_profile, doctor, hooks, launchers, lifecycle, look,
        mcp, metrics, plugins, proxy, registry, run_profile, settings, templates, test_script, trust, usage,
    },
    wire::{
        Call, Done, Effect, PROTOCOL,
        daemon::{Hello, HelloReply, LogLevel, Status, StatusReply, Stop},
        envelope::{Caller, Outcome, Request, Response},
        error::{Code, Failure},
        http::{Link, LoginLink},
    },
};

pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Protocol this daemon speaks. Tests of skew have a daemon claim another through the variable.
pub(crate) static SPOKEN: LazyLock<u32> =
    LazyLock::new(|| std::env::var("CLOWN_TEST_PROTOCOL").ok().and_then(|n| n.parse().ok()).unwrap_or(PROTOCOL));

/// Answered whatever protocol the client speaks, so that it can learn what runs and end it. The form
/// of these calls never changes.
const ANY_PROTOCOL: &[&str] = &[Hello::NAME, Status::NAME, Stop::NAME];

/// Commas and opening brackets in one message. Each may cost a hundred bytes of memory when it is
/// read, and no call needs nearly as many.
const MAX_PARTS: usize = 32 * 1024;

type Handler = Box<dyn Fn(&App, Value, &Caller) -> Result<Value> + Send + Sync>;

struct Bound {
    effect: Effect,
    run: Handler,
}

pub struct Router {
    app: Arc<App>,
    table: HashMap<&'static str, Bound>,
    memory: Memory,
    calls: AtomicU64,
    defects: AtomicU64,
}

impl Router {
    pub fn new(app: Arc<App>) -> Self {
        let mut router =
            Self { app, table: HashMap::new(), memory: Memory::default(), calls: AtomicU64::new(0), defects: AtomicU64::new(0) };
        router.bind(hello);
        router.bind(status);
        router.bind(stop);
        router.bind(log_level);
        router.bind(login_link);
        router.bind(metrics::metrics);
        router.bind(look::events);
        router.bind(look::agents);
        router.bind(look::agent);
        router.bind(look::detect);
        router.bind(look::providers);
        router.bind(look::provider);
        router.bind(approve::approve);
        router.bind(look::profiles);
        router.bind(look::profile);
        router.bind(look::options);
        router.bind(create_profile::create);
        router.bind(change_profile::edit);
        router.bind(change_profile::rename);
        router.bind(change_profile::duplicate);
        router.bind(delete_profile::delete);
        router.bind(run_profile::begin);
        router.bind(run_profile::started);
        router.bind(run_profile::ended);
        router.bind(run_profile::env);
        router.bind(look::sessions);
        router.bind(look::session);
        router.bind(test_script::test);
        router.bind(test_script::list);
        router.bind(trust::review);
        router.bind(trust::approve);
        router.bind(templates::list);
        router.bind(templates::inspect);
        router.bind(settings::list);
        router.bind(settings::set);
        router.bind(proxy::set);
        router.bind(proxy::routing);
        router.bind(proxy::add_route);
        router.bind(proxy::remove_route);
        router.bind(proxy::set_alias);
        router.bind(proxy::remove_alias);
        router.bind(proxy::add_key);
        router.bind(proxy::remove_key);
        router.bind(proxy::start);
        router.bind(proxy::keys);
        router.bind(proxy::stop);
        router.bind(proxy::status);
        router.bind(proxy::config);
        router.bind(proxy::explain);
        router.bind(proxy::requests);
        router.bind(registry::sync);
        router.bind(registry::diff);
        router.bind(registry::inspect);
        router.bind(registry::progress);
        router.bind(registry::pin);
        router.bind(registry::verify);
        router.bind(registry::lint);
        router.bind(usage::summary);
        router.bind(usage::report);
        router.bind(usage::export);
        router.bind(usage::statusline);
        router.bind(usage::rescan);
        router.bind(usage::import);
        router.bind(usage::reconcile);
        router.bind(usage::doctor);
        router.bind(complete::words);
        router.bind(doctor::run);
        router.bind(doctor::fix);
        router.bind(budgets::set);
        router.bind(budgets::list);
        router.bind(budgets::remove);
        router.bind(bindings::which);
        router.bind(bindings::bind);
        router.bind(bindings::unbind);
        router.bind(bindings::trust);
        router.bind(launchers::install);
        router.bind(launchers::uninstall);
        router.bind(launchers::list);
        router.bind(hooks::list);
        router.bind(hooks::add);
        router.bind(hooks::remove);
        router.bind(hooks::import);
        router.bind(hooks::export);
        router.bind(lifecycle::log);
        router.bind(lifecycle::tasks);
        router.bind(lifecycle::set_up);
        router.bind(plugins::list);
        router.bind(plugins::enable);
        router.bind(plugins::disable);
        router.bind(mcp::add);
        router.bind(mcp::list);
        router.bind(mcp::remove);
        router
    }

    fn bind<C: Call>(&mut self, run: fn(&App, C, &Caller) -> Result<C::Reply>) {
        let run: Handler = Box::new(move |app, body, caller| {
            let call: C = serde_path_to_error::deserialize(&body).map_err(|e| {
                let why = without_texts(e.inner().to_string(), &body);
                Error::invalid(format!("the body of {} is wrong at {}: {why}", C::NAME, e.path()))
            })?;
            let reply = run(app, call, caller)?;
            serde_json::to_value(reply).map_err(|e| Error::defect(format!("the reply of {} cannot be encoded", C::NAME)).cause(e))
        });
        let before = self.table.insert(C::NAME, Bound { effect: C::EFFECT, run });
        assert!(before.is_none(), "{} is bound twice", C::NAME);
    }

    /// Calls answered and handlers that panicked.
    pub fn counts(&self) -> (u64, u64) {
        (self.calls.load(Ordering::Relaxed), self.defects.load(Ordering::Relaxed))
    }

    pub fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// Names of all calls, for documents and tests.
    pub fn names(&self) -> Vec<&'static str> {
        let mut names: Vec<_> = self.table.keys().copied().collect();
        names.sort_unstable();
        names
    }

    /// A message as it came from a socket. May block; never panics; always answers.
    pub fn answer_bytes(&self, bytes: &[u8]) -> Vec<u8> {
        if self.too_many_parts(bytes) {
            return encode(failed(Error::invalid("the message has too many parts")));
        }
        let response = match serde_json::from_slice::<Request>(bytes) {
            Ok(request) => self.answer(request),
            // The body may hold a key, so the text of the message is not quoted.
            Err(e) => failed(Error::invalid(format!("the message is not a request: line {}, column {}", e.line(), e.column()))),
        };
        encode(response)
    }

    /// Whether reading a message would cost more memory than any call needs.
    pub fn too_many_parts(&self, bytes: &[u8]) -> bool {
        bytes.iter().filter(|b| matches!(b, b',' | b'[' | b'{')).count() > MAX_PARTS
    }

    /// The reply alone, as it stands in the envelope that [`Router::answer_bytes`] makes, and no longer than there.
    pub fn reply(&self, request: Request) -> std::result::Result<Vec<u8>, Failure> {
        match self.answer(request).outcome {
            Outcome::Error(failure) => Err(failure),
            Outcome::Reply(reply) => match serde_json::to_vec(&reply) {
                Ok(bytes) if bytes.len() + ENVELOPE <= crate::wire::MAX_MESSAGE => Ok(bytes),
                Ok(_) => Err(too_large()),
                Err(e) => Err(Error::defect("the reply cannot be encoded").cause(e).into()),
            },
        }
    }

    pub fn answer(&self, request: Request) -> Response {
        self.calls.fetch_add(1, Ordering::Relaxed);
        if request.protocol != *SPOKEN && !ANY_PROTOCOL.contains(&request.call.as_str()) {
            return failed(
                Error::protocol(format!(
                    "this daemon ({VERSION}) speaks protocol {}, the client ({}) speaks {}",
                    *SPOKEN, request.version, request.protocol
                ))
                .hint("use one version of clown; stop the old daemon: clown daemon stop"),
            );
        }
        let Some((name, bound)) = self.table.get_key_value(request.call.as_str()) else {
            let error = Error::invalid(format!("there is no call {:?}", request.call));
            return failed(match closest(&request.call, self.table.keys().copied()) {
                Some(near) => error.hint(format!("did you mean {near}")),
                None => error,
            });
        };
        let response = if bound.effect == Effect::Once && !request.id.is_empty() {
            let id = request.id.clone();
            let asked = fingerprint(&request);
            self.memory.once(&id, asked, || self.run(bound, request))
        } else {
            self.run(bound, request)
        };
        let failed = match &response.outcome {
            Outcome::Reply(_) => None,
            Outcome::Error(failure) => Some(failure.code),
        };
        self.app.tally.count(name, failed);
        response
    }

    fn run(&self, bound: &Bound, request: Request) -> Response {
        let span = tracing::debug_span!("call", name = %request.call, id = %request.id);
        let _in = span.enter();
        let start = Instant::now();
        let result = catch_unwind(AssertUnwindSafe(|| (bound.run)(&self.app, request.body, &request.caller)));
        let elapsed = start.elapsed();
        match result {
            Ok(Ok(reply)) => {
                tracing::debug!(?elapsed, "done");
                Response::new(VERSION, Outcome::Reply(reply))
            }
            Ok(Err(error)) => {
                tracing::info!(call = %request.call, code = ?error.code(), %error, "refused");
                failed(error)
            }
            Err(_) => {
                self.defects.fetch_add(1, Ordering::Relaxed);
                tracing::error!(call = %request.call, "the handler panicked; see the lines above");
                failed(
                    Error::defect(format!("a defect in clown stopped {}", request.call)).hint("the log has the details: clown daemon logs"),
                )
            }
        }
    }
}

/// Of what is asked, so that an id used again for something else is noticed.
fn fingerprint(request: &Request) -> blake3::Hash {
    let body = zeroize::Zeroizing::new(serde_json::to_vec(&(&request.call, &request.body)).unwrap_or_default());
    blake3::hash(&body)
}

/// The parser quotes the text it did not expect, and that may be a key in the wrong place.
fn without_texts(why: String, body: &Value) -> String {
    match body {
        Value::String(text) => why.replace(&format!("{text:?}"), "\"...\"").replace(&format!("`{text}`"), "`...`"),
        Value::Array(items) => items.iter().fold(why, without_texts),
        Value::Object(fields) => fields.values().fold(why, without_texts),
        _ => why,
    }
}

fn failed(error: Error) -> Response {
    Response::new(VERSION, Outcome::Error(error.into()))
}

/// `{"protocol":1,"version":"0.1.0","reply":}`
const ENVELOPE: usize = r#"{"protocol":1,"version":"","reply":}"#.len() + VERSION.len();

fn too_large() -> Failure {
    Failure::new(Code::InvalidInput, "the answer is larger than one message").hint("ask for less at once")
}

fn encode(response: Response) -> Vec<u8> {
    match serde_json::to_vec(&response) {
        Ok(bytes) if bytes.len() <= crate::wire::MAX_MESSAGE => bytes,
        Ok(_) => serde_json::to_vec(&Response::new(VERSION, Outcome::Error(too_large()))).unwrap_or_default(),
        Err(_) => Vec::new(),
    }
}

fn hello(app: &App, _ask: Hello, _caller: &Caller) -> Result<HelloReply> {
    Ok(HelloReply { pid: std::process::id(), version: VERSION.into(), protocol: *SPOKEN, epoch: app.bus.epoch().to_owned() })
}

fn status(app: &App, _ask: Status, _caller: &Caller) -> Result<StatusReply> {
    Ok(app.host.status())
}

fn stop(app: &App, ask: Stop, _caller: &Caller) -> Result<Done> {
    if ask.only_if_idle {
        let live = app.sessions.live()?;
        if !live.is_empty() {
            let names: Vec<&str> = live.iter().map(|s| s.profile.as_str()).collect();
            return Err(Error::conflict(format!("the daemon is busy: sessions of {} are running", names.join(", ")))
                .hint("end them first, or stop it anyway: clown daemon stop"));
        }
    }
    app.host.stop();
    Ok(Done {})
}

fn login_link(app: &App, _ask: LoginLink, _caller: &Caller) -> Result<Link> {
    app.host.login_link()
}

fn log_level(app: &App, ask: LogLevel, _caller: &Caller) -> Result<Done> {
    app.host.set_log_level(&ask.level)?;
    Ok(Done {})
}

#[cfg(test)]
mod tests;
