//! One life of the daemon, from lock to lock.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use tokio::sync::watch;

use super::{
    activity::Activity,
    host::{Process, Rest},
    lock::{self, Taken},
    log, notify, otel,
    web::{self, Web},
};
use crate::{
    app::{App, Ground, Host},
    base::{
        error::{Error, Result},
        fsx, os,
        paths::Paths,
        seams::rfc3339,
    },
    http::offline::Gate,
    ipc::{
        client::Client,
        endpoint,
        server::{Answer, Bound, Guard, Server},
    },
    router::Router,
    wire::{
        daemon::{EndpointFile, StartReport},
        error::Code,
        sessions::Session,
    },
};

pub struct Options {
    pub stay_alive: bool,
    /// Overrides `daemon.idle_timeout`.
    pub idle_timeout: Option<u64>,
}

/// Calls under way at the end get this long.
const LAST_CALLS: Duration = Duration::from_secs(5);

/// Runs until told to stop or idle. `report` gets the outcome of the start exactly once.
pub fn run(options: &Options, report: impl FnOnce(&StartReport)) -> Result<()> {
    os::name_process(c"clownd");
    os::private_umask();
    os::guard_memory();
    os::allow_many_files();
    let (lock, paths) = match Paths::from_env().and_then(|paths| lock::take(&paths).map(|taken| (taken, paths))) {
        Ok((Taken::Ours(lock), paths)) => (lock, paths),
        Ok((Taken::Theirs(pid), _)) => {
            report(&StartReport::AlreadyRunning { pid: Some(pid) });
            return Ok(());
        }
        Err(error) => return fail(error, report),
    };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).thread_keep_alive(Duration::from_secs(2)).enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(e) => return fail(Error::io("the runtime cannot be started").cause(e), report),
    };
    let result = runtime.block_on(life(options, paths, report));
    runtime.shutdown_timeout(Duration::from_secs(1));
    drop(lock);
    result
}

fn fail(error: Error, report: impl FnOnce(&StartReport)) -> Result<()> {
    let failure: crate::wire::error::Failure = error.into();
    report(&StartReport::Failed { failure: failure.clone() });
    Err(failure.into())
}

async fn life(options: &Options, paths: Paths, report: impl FnOnce(&StartReport)) -> Result<()> {
    let up = match Up::start(options, &paths) {
        Ok(up) => up,
        Err(error) => return fail(error, report),
    };
    tracing::info!(pid = std::process::id(), version = crate::router::VERSION, endpoint = %up.endpoint.ipc, "ready");
    report(&StartReport::Ready { pid: std::process::id(), endpoint: up.endpoint.ipc.clone() });
    notify::ready(&up.endpoint.ipc);
    up.until_end().await;
    notify::ending();
    up.end().await;
    tracing::info!("ended");
    Ok(())
}

/// Everything that is up while the daemon runs.
struct Up {
    paths: Paths,
    app: Arc<App>,
    process: Arc<Process>,
    server: Server,
    web: Arc<Web>,
    /// Sends figures, the last ones at the end.
    exporting: Mutex<Option<tokio::task::JoinHandle<()>>>,
    endpoint: EndpointFile,
    sockets: [PathBuf; 2],
    identity: [Option<(u64, u64)>; 2],
    // Held for the server's answers.
    _router: Arc<Router>,
}

impl Up {
    fn start(options: &Options, paths: &Paths) -> Result<Self> {
        fsx::create_private_dir(paths.root())?;
        let config = crate::config::ConfigFile::new(paths.config_file());
        // A mistake in the settings must not keep the daemon, and so every command, from working.
        let level = config.text("daemon.log_level").unwrap_or_else(|_| "info".into());
        let level = log::start(&paths.log_file(), &level)?;
        let idle_timeout = options.idle_timeout.or_else(|| config.number("daemon.idle_timeout").ok()).unwrap_or(600);
        let runtime = os::runtime_dir()?;
        let ground = Ground::system(paths);
        let process = Arc::new(Process {
            runtime: tokio::runtime::Handle::current(),
            activity: Activity::new(),
            stop: watch::Sender::new(false),
            level,
            started: rfc3339(&*ground.seams.clock),
            stay_alive: options.stay_alive,
            idle_timeout,
            gate: Arc::new(TokenGate(Arc::clone(&ground.tokens))),
            offline: Mutex::new(None),
            rest: OnceLock::new(),
        });
        let app = Arc::new(App::new(paths.clone(), runtime.clone(), ground, Arc::clone(&process) as Arc<dyn Host>));
        if let Err(error) = app.recover() {
            tracing::error!(%error, "an import that was interrupted could not be undone");
        }
        let router = Arc::new(Router::new(Arc::clone(&app)));
        let bound = bind(paths, &runtime)?;
        let sockets = [bound.calls.clone(), bound.events.clone()];
        let identity = sockets.clone().map(|s| os::file_identity(&s));
        let answer: Answer = {
            let (router, activity) = (Arc::clone(&router), process.activity.clone());
            Arc::new(move |bytes| {
                let _guard = activity.guard("request");
                router.answer_bytes(bytes)
            })
        };
        let guard = |what: &'static str| -> Guard {
            let activity = process.activity.clone();
            Arc::new(move || Box::new(activity.guard(what)))
        };
        let events = app.bus.subscribe();
        let server = Server::open(paths, &runtime, bound, answer, events, [guard("connection"), guard("event subscriber")])?;
        let web = Arc::new(web::open(paths, &config, &process, &router));
        let endpoint = EndpointFile {
            version: endpoint::STORED_VERSION,
            ipc: endpoint::address_of(&sockets[0]),
            events: endpoint::address_of(&sockets[1]),
            pid: std::process::id(),
            http: web.url(),
        };
        let rest = Rest {
            app: Arc::downgrade(&app),
            router: Arc::downgrade(&router),
            endpoint: endpoint.clone(),
            web: Arc::clone(&web),
            heals: server.heals(),
            followed: Mutex::default(),
        };
        let _ = process.rest.set(rest);
        let exporting = tokio::spawn(otel::run(Arc::clone(&app), process.stop.subscribe()));
        adopt(&app);
        // Asks tasks on this runtime and waits for them, so not on one of its threads.
        let settled = std::thread::spawn({
            let app = Arc::clone(&app);
            move || app.settle()
        });
        if settled.join().is_err() {
            tracing::error!("proxies of an earlier daemon were not taken over");
        }
        endpoint::write(paths, &endpoint)?;
        Ok(Self {
            paths: paths.clone(),
            app,
            process,
            server,
            web,
            exporting: Mutex::new(Some(exporting)),
            endpoint,
            sockets,
            identity,
            _router: router,
        })
    }

    /// Returns when it is time to end: a call, a signal, or nothing to do for long enough.
    async fn until_end(&self) {
        let mut stop = self.process.stop.subscribe();
        let idle = async {
            if self.process.stay_alive || self.process.idle_timeout == 0 {
                std::future::pending::<()>().await;
            }
            self.process.activity.idle_for(Duration::from_secs(self.process.idle_timeout)).await;
            tracing::info!("nothing to do");
        };
        tokio::select! {
            _ = stop.wait_for(|s| *s) => {}
            () = idle => {}
            () = notify::alive(self.sockets[0].clone()) => {}
            () = signal() => tracing::info!("told to end by a signal"),
        }
    }

    /// A client whose connection falls into these steps gets no handshake and starts a new daemon.
    async fn end(&self) {
        endpoint::forget(&self.paths, &self.endpoint);
        for (path, identity) in self.sockets.iter().zip(self.identity) {
            // A successor may stand there already.
            if identity.is_some() && os::file_identity(path) == identity {
                let _ = fsx::remove(path);
            }
        }
        let _ = self.process.stop.send(true);
        // The reply to the call that told us to stop is among those under way.
        let quiet = async {
            self.server.refuse().await;
            self.web.refuse().await;
            while self.process.activity.held().iter().any(|g| g.starts_with("request") || g.starts_with("connection")) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let _ = tokio::time::timeout(LAST_CALLS, quiet).await;
        self.app.proxies.shutdown().await;
        let exporting = self.exporting.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = exporting {
            let _ = tokio::time::timeout(LAST_CALLS, task).await;
        }
        self.server.close();
        tracing::debug!(events = %self.app.bus.epoch(), "closed");
    }
}

/// Sessions that were live when the last daemon ended: watched again, or closed.
fn adopt(app: &App) {
    match app.sessions.live() {
        Ok(sessions) => sessions.iter().for_each(|session: &Session| app.host.watch(session)),
        Err(error) => tracing::error!(%error, "the session records cannot be read"),
    }
}

/// Binds at the first place that is free, or a leftover of our own.
fn bind(paths: &Paths, runtime: &std::path::Path) -> Result<Bound> {
    let mut last = Error::io("there is no place for the daemon's socket");
    for path in paths.socket_candidates(runtime) {
        endpoint::check_place(&path)?;
        match usable(&path).and_then(|()| Bound::at(&path)) {
            Ok(bound) => return Ok(bound),
            Err(error) => {
                tracing::info!(%error, "another place for the socket is used");
                last = error;
            }
        }
    }
    Err(last)
}

/// Whether a socket may be put there. What lives there is never replaced.
fn usable(path: &std::path::Path) -> Result<()> {
    if cfg!(windows) || !os::own_socket(path)? {
        return Ok(());
    }
    match Client::connect_to(path).and_then(|mut c| c.hello()) {
        // Ours by name, but of a daemon of another tree.
        Ok(hello) => Err(Error::conflict(format!("the daemon {} of another tree listens at {}", hello.pid, path.display()))),
        Err(error) if error.code() != Code::Unreachable => Err(error),
        Err(error) if os::listens(path) => {
            Err(Error::conflict(format!("another program listens at {}", path.display())).cause(error).hint("choose another path"))
        }
        Err(_) => Ok(()),
    }
}

struct TokenGate(Arc<crate::app::Tokens>);

impl Gate for TokenGate {
    fn admits(&self, token: &str) -> bool {
        self.0.admits(token)
    }
}

#[cfg(unix)]
async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut term), Ok(mut int)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
}

#[cfg(windows)]
async fn signal() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
