//! The daemon's sockets: opening, answering, healing, closing.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use nng::{
    Listener, ListenerBuilder, Message, Protocol, Socket,
    options::{Options, RecvMaxSize, transport::ipc::Permissions},
};
use tokio::sync::{Notify, broadcast, watch};

use super::{bridge::Replier, publish};
use crate::{
    base::{
        error::{Error, Result},
        paths::Paths,
    },
    wire::{MAX_MESSAGE, event::Event},
};

/// Answers one message; may block.
pub type Answer = Arc<dyn Fn(&[u8]) -> Vec<u8> + Send + Sync>;
/// Makes a guard that is held while a connection lives.
pub type Guard = Arc<dyn Fn() -> Box<dyn Send> + Send + Sync>;

/// Receivers waiting for a request at any time; one more is made when fewer are left.
const SPARE: usize = 4;
const MOST: usize = 1024;

pub struct Server {
    calls: Arc<Calls>,
    events: Socket,
    places: Places,
    stop: watch::Sender<bool>,
    heals: Arc<AtomicU64>,
}

/// Socket files of this process.
struct Places {
    calls: PathBuf,
    events: PathBuf,
    runtime: PathBuf,
    paths: Paths,
}

struct Calls {
    socket: Socket,
    answer: Answer,
    idle: AtomicUsize,
    total: AtomicUsize,
}

impl Server {
    /// Opens both sockets at `calls_path` and beside it. Call with the daemon lock held.
    pub fn open(
        paths: &Paths,
        runtime: &Path,
        calls_path: &Path,
        answer: Answer,
        events: broadcast::Receiver<Event>,
        guards: [Guard; 2],
    ) -> Result<Self> {
        let failed = |what: &str| {
            let what = format!("cannot open the daemon's socket: {what}");
            move |e: nng::Error| Error::io(what).cause(e)
        };
        let socket = Socket::new(Protocol::Rep0).map_err(failed("rep"))?;
        let publisher = publish::socket().map_err(failed("pub"))?;
        let calls = Arc::new(Calls { socket, answer, idle: AtomicUsize::new(0), total: AtomicUsize::new(0) });
        let places = Places {
            calls: calls_path.to_owned(),
            events: super::endpoint::events_path(calls_path),
            runtime: runtime.to_owned(),
            paths: paths.clone(),
        };
        let server = Self { calls, events: publisher, places, stop: watch::Sender::new(false), heals: Arc::default() };
        for _ in 0..SPARE {
            Arc::clone(&server.calls).spawn();
        }
        tokio::spawn(publish::forward(server.events.clone(), events));
        server.listen(guards)?;
        Ok(server)
    }

    pub fn heals(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.heals)
    }

    #[cfg(unix)]
    fn listen(&self, [call_guard, event_guard]: [Guard; 2]) -> Result<()> {
        use super::{front::Front, sp};
        for (name, outer, socket, client, server, guard) in [
            ("req", &self.places.calls, &self.calls.socket, sp::REQ, sp::REP, call_guard),
            ("pub", &self.places.events, &self.events, sp::SUB, sp::PUB, event_guard),
        ] {
            let first = self.places.paths.inner_socket(&self.places.runtime, name);
            let listener = inner_listener(socket, &first).map_err(|e| Error::io("cannot open the messaging library's socket").cause(e))?;
            let (place, inner) = watch::channel(first);
            let sick = Arc::new(Notify::new());
            let front = Arc::new(Front { client, server, inner, sick: Arc::clone(&sick), guard });
            let outer_listener = bind_private(outer, &self.places.runtime)?;
            tokio::spawn(front.serve(outer_listener, self.stop.subscribe()));
            tokio::spawn(heal(socket.clone(), listener, place, sick, Arc::clone(&self.heals)));
        }
        Ok(())
    }

    #[cfg(windows)]
    fn listen(&self, _guards: [Guard; 2]) -> Result<()> {
        for (outer, socket) in [(&self.places.calls, &self.calls.socket), (&self.places.events, &self.events)] {
            let listener = inner_listener(socket, outer).map_err(|e| Error::io("cannot open the daemon's pipe").cause(e))?;
            // The socket keeps it open.
            std::mem::forget(listener);
        }
        Ok(())
    }

    /// Takes no more connections and removes the socket files that are still ours.
    pub fn close(&self) {
        let _ = self.stop.send(true);
        self.calls.socket.close();
        self.events.close();
    }
}

/// Opens the listener again, under another name, when the front found it dead.
#[cfg(unix)]
async fn heal(socket: Socket, first: Listener, place: watch::Sender<PathBuf>, sick: Arc<Notify>, heals: Arc<AtomicU64>) {
    let mut listener = first;
    let base = place.borrow().clone();
    loop {
        sick.notified().await;
        let count = heals.fetch_add(1, Ordering::Relaxed) + 1;
        let path = base.with_extension(format!("h{count}"));
        match inner_listener(&socket, &path) {
            Ok(fresh) => {
                std::mem::replace(&mut listener, fresh).close();
                let _ = place.send(path);
            }
            Err(error) => tracing::error!(%error, "the messaging library cannot be opened again"),
        }
    }
}

fn inner_listener(socket: &Socket, path: &Path) -> nng::Result<Listener> {
    let builder = ListenerBuilder::new(socket, &super::endpoint::address_of(path))?;
    // Windows pipes carry no mode.
    if cfg!(unix) {
        builder.set_opt::<Permissions>(0o600)?;
    }
    builder.set_opt::<RecvMaxSize>(MAX_MESSAGE)?;
    builder.start().map_err(|(_, e)| e)
}

/// Binds under a private name, sets the mode, then renames into place: the socket is never visible
/// with other rights, and a leftover is replaced in one step.
#[cfg(unix)]
fn bind_private(path: &Path, runtime: &Path) -> Result<tokio::net::UnixListener> {
    use std::os::unix::fs::PermissionsExt;
    let failed = |e: std::io::Error| Error::io(format!("cannot listen at {}", path.display())).cause(e);
    let temporary = runtime.join(format!("b{}", std::process::id()));
    let _ = std::fs::remove_file(&temporary);
    let listener = std::os::unix::net::UnixListener::bind(&temporary).map_err(failed)?;
    std::fs::set_permissions(&temporary, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
    if let Err(error) = std::fs::rename(&temporary, path) {
        let _ = std::fs::remove_file(&temporary);
        return Err(failed(error));
    }
    listener.set_nonblocking(true).map_err(failed)?;
    tokio::net::UnixListener::from_std(listener).map_err(failed)
}

impl Calls {
    /// One receiver. It makes another when too few are left waiting, and ends when too many are.
    fn spawn(self: Arc<Self>) {
        let Ok(mut replier) = Replier::new(&self.socket) else { return };
        self.total.fetch_add(1, Ordering::SeqCst);
        self.idle.fetch_add(1, Ordering::SeqCst);
        tokio::spawn(async move {
            loop {
                let received = replier.receive().await;
                let left = self.idle.fetch_sub(1, Ordering::SeqCst) - 1;
                let message = match received {
                    Ok(message) => message,
                    Err(nng::Error::Closed) => break,
                    Err(error) => {
                        tracing::warn!(%error, "a request was not received");
                        self.idle.fetch_add(1, Ordering::SeqCst);
                        continue;
                    }
                };
                if left < SPARE && self.total.load(Ordering::SeqCst) < MOST {
                    Arc::clone(&self).spawn();
                }
                let answer = Arc::clone(&self.answer);
                let reply = tokio::task::spawn_blocking(move || answer(&message)).await.unwrap_or_default();
                if let Err(error) = replier.send(Message::from(reply.as_slice())).await {
                    tracing::debug!(%error, "the client went away before its reply");
                }
                if self.idle.load(Ordering::SeqCst) >= SPARE * 2 {
                    break;
                }
                self.idle.fetch_add(1, Ordering::SeqCst);
            }
            self.total.fetch_sub(1, Ordering::SeqCst);
        });
    }
}
