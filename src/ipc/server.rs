//! The daemon's sockets: opening, answering, healing, closing.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use nng::{
    Listener, ListenerBuilder, Message, Protocol, Socket,
    options::{Options, RecvMaxSize},
};
use tokio::{
    sync::{broadcast, watch},
    task::JoinHandle,
};

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
/// Dead listeners of the library that are kept open for the clients connected through them.
#[cfg(unix)]
const DEAD_KEPT: usize = 8;

pub struct Server {
    calls: Arc<Calls>,
    events: Socket,
    stop: watch::Sender<bool>,
    /// Tasks that accept. Guards the list only.
    accepting: Mutex<Vec<JoinHandle<()>>>,
    heals: Arc<AtomicU64>,
}

/// The two sockets that clients see, bound and not served yet.
pub struct Bound {
    pub calls: PathBuf,
    pub events: PathBuf,
    #[cfg(unix)]
    listeners: [std::os::unix::net::UnixListener; 2],
}

impl Bound {
    /// Binds at `calls` and beside it. Call with the daemon lock held, for a place that is free or a
    /// leftover of this user.
    pub fn at(calls: &Path) -> Result<Self> {
        let events = super::endpoint::events_path(calls);
        Ok(Self {
            #[cfg(unix)]
            listeners: [bind_private(calls)?, bind_private(&events)?],
            calls: calls.to_owned(),
            events,
        })
    }
}

struct Calls {
    socket: Socket,
    answer: Answer,
    idle: AtomicUsize,
    total: AtomicUsize,
}

impl Server {
    /// Answers on both sockets. Call with the daemon lock held.
    pub fn open(
        paths: &Paths,
        runtime: &Path,
        bound: Bound,
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
        let server = Self { calls, events: publisher, stop: watch::Sender::new(false), accepting: Mutex::default(), heals: Arc::default() };
        for _ in 0..SPARE {
            Arc::clone(&server.calls).spawn();
        }
        tokio::spawn(publish::forward(server.events.clone(), events));
        server.listen(paths, runtime, bound, guards)?;
        Ok(server)
    }

    pub fn heals(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.heals)
    }

    #[cfg(unix)]
    fn listen(&self, paths: &Paths, runtime: &Path, bound: Bound, [call_guard, event_guard]: [Guard; 2]) -> Result<()> {
        use super::front::{Front, Kind, Library};
        paths.sweep_inner_sockets(runtime);
        let [calls, events] = bound.listeners;
        for (name, kind, outer, socket, guard) in
            [("req", Kind::Calls, calls, &self.calls.socket, call_guard), ("pub", Kind::Events, events, &self.events, event_guard)]
        {
            let first = paths.inner_socket(runtime, name);
            let arrived = Arc::new(tokio::sync::Semaphore::new(0));
            let arrival = Arc::clone(&arrived);
            let notify = socket.pipe_notify(move |_, event| {
                if event == nng::PipeEvent::AddPost {
                    arrival.add_permits(1);
                }
            });
            notify.map_err(|e| Error::io("cannot watch the messaging library's socket").cause(e))?;
            let listener = inner_listener(socket, &first).map_err(|e| Error::io("cannot open the messaging library's socket").cause(e))?;
            let (place, inner) = watch::channel(first);
            let (sick, reports) = tokio::sync::mpsc::unbounded_channel();
            let front = Arc::new(Front::new(kind, Library { inner, sick, arrived }, guard));
            let outer = outer.set_nonblocking(true).and_then(|()| tokio::net::UnixListener::from_std(outer));
            let outer = outer.map_err(|e| Error::io("cannot serve the daemon's socket").cause(e))?;
            let accepting = tokio::spawn(front.serve(outer, self.stop.subscribe()));
            self.accepting.lock().unwrap_or_else(PoisonError::into_inner).push(accepting);
            tokio::spawn(heal(socket.clone(), listener, place, reports, Arc::clone(&self.heals)));
        }
        Ok(())
    }

    #[cfg(windows)]
    fn listen(&self, _paths: &Paths, _runtime: &Path, bound: Bound, _guards: [Guard; 2]) -> Result<()> {
        for (outer, socket) in [(&bound.calls, &self.calls.socket), (&bound.events, &self.events)] {
            // The socket keeps it open; the handle is only a number.
            inner_listener(socket, outer).map_err(|e| Error::io("cannot open the daemon's pipe").cause(e))?;
        }
        Ok(())
    }

    /// Takes no more connections. When it returns, every one that was let in holds its guard.
    pub async fn refuse(&self) {
        let _ = self.stop.send(true);
        let accepting = std::mem::take(&mut *self.accepting.lock().unwrap_or_else(PoisonError::into_inner));
        for task in accepting {
            let _ = task.await;
        }
    }

    /// Cuts whatever is still connected.
    pub fn close(&self) {
        self.calls.socket.close();
        self.events.close();
    }
}

/// Opens the listener again, under another name, when the front found it dead.
#[cfg(unix)]
async fn heal(
    socket: Socket,
    first: Listener,
    place: watch::Sender<PathBuf>,
    mut reports: tokio::sync::mpsc::UnboundedReceiver<PathBuf>,
    heals: Arc<AtomicU64>,
) {
    let base = place.borrow().clone();
    // Closing a listener cuts the clients that came through it, so the dead ones stay for a while.
    let mut listeners = std::collections::VecDeque::from([first]);
    while let Some(sick) = reports.recv().await {
        // Many clients report one death.
        if *place.borrow() != sick {
            continue;
        }
        let count = heals.fetch_add(1, Ordering::Relaxed) + 1;
        let path = base.with_extension(format!("h{count}"));
        match inner_listener(&socket, &path) {
            Ok(fresh) => {
                listeners.push_back(fresh);
                let _ = place.send(path);
            }
            Err(error) => tracing::error!(%error, "the messaging library cannot be opened again"),
        }
        if listeners.len() > DEAD_KEPT
            && let Some(oldest) = listeners.pop_front()
        {
            oldest.close();
        }
    }
}

fn inner_listener(socket: &Socket, path: &Path) -> nng::Result<Listener> {
    let builder = ListenerBuilder::new(socket, &super::endpoint::address_of(path))?;
    // Windows pipes carry no mode.
    #[cfg(unix)]
    builder.set_opt::<nng::options::transport::ipc::Permissions>(0o600)?;
    builder.set_opt::<RecvMaxSize>(MAX_MESSAGE)?;
    builder.start().map_err(|(_, e)| e)
}

/// Binds under another name beside it, sets the mode, then renames into place: the socket is never
/// visible with other rights, and a leftover is replaced in one step.
#[cfg(unix)]
fn bind_private(path: &Path) -> Result<std::os::unix::net::UnixListener> {
    use std::os::unix::fs::PermissionsExt;
    let failed = |e: std::io::Error| Error::io(format!("cannot listen at {}", path.display())).cause(e);
    // In the same directory, since a rename stays within one file system, and no longer than the
    // events socket's name, whose length was checked.
    let temporary = path.with_file_name(format!(".{:06x}", std::process::id() & 0xff_ffff));
    if crate::base::os::own_socket(&temporary)? {
        std::fs::remove_file(&temporary).map_err(failed)?;
    }
    let listener = std::os::unix::net::UnixListener::bind(&temporary).map_err(failed)?;
    let placed =
        std::fs::set_permissions(&temporary, std::fs::Permissions::from_mode(0o600)).and_then(|()| std::fs::rename(&temporary, path));
    if let Err(error) = placed {
        let _ = std::fs::remove_file(&temporary);
        return Err(failed(error));
    }
    Ok(listener)
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
