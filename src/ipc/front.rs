//! The listener that strangers meet: checks who and what, then passes whole frames to the library.
//!
//! Nothing unchecked reaches the messaging library: not a connection that goes away before its
//! handshake (its listener would stop accepting), not a length near 2^64 (it would abort), not
//! another user's byte. Memory grows only with bytes really received, and large requests take turns.

use std::{
    collections::HashMap,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        UnixListener, UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch},
    time::timeout,
};

use super::sp;
use crate::{base::os, wire::MAX_MESSAGE};

const HANDSHAKE_LIMIT: Duration = Duration::from_secs(5);
/// A frame that has begun must go on, in either direction.
const FRAME_LIMIT: Duration = Duration::from_secs(30);
/// The library takes a connection within this, or its listener is taken for dead.
const INNER_LIMIT: Duration = Duration::from_secs(2);
/// A dead listener is opened again within this.
const HEAL_LIMIT: Duration = Duration::from_secs(10);
const MAX_CONNECTIONS: usize = 1024;
/// Requests of one connection that wait for their replies.
const UNANSWERED: usize = 8;
/// A larger frame waits for its turn, and keeps it until its reply: else as many peers as can connect
/// could each make the daemon hold a whole message.
const SMALL: usize = 16 * 1024;
const LARGE_AT_ONCE: usize = 4;

/// One outer socket and the library's socket behind it.
pub(super) struct Front {
    kind: Kind,
    /// Where the library listens now.
    inner: watch::Receiver<PathBuf>,
    /// Gets the place where the library did not take a connection.
    sick: mpsc::UnboundedSender<PathBuf>,
    /// A permit for each connection that the library took up. A dead listener of the library still
    /// shakes hands, so nothing less shows that it lives.
    arrived: Arc<Semaphore>,
    /// Connections to the library are made one by one, so that an arrival tells whose it is.
    dialing: Semaphore,
    /// Connections given up before the library took them. Closed, each would keep its poller busy
    /// for ever; there are as few of them as there are heals.
    parked: Mutex<Vec<UnixStream>>,
    /// Held by each connection.
    guard: super::server::Guard,
    large: Arc<Semaphore>,
}

/// What a front knows of the library's socket behind it; the fields are those of [`Front`].
pub(super) struct Library {
    pub inner: watch::Receiver<PathBuf>,
    pub sick: mpsc::UnboundedSender<PathBuf>,
    pub arrived: Arc<Semaphore>,
}

/// What passes through.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Calls,
    Events,
}

impl Kind {
    /// Protocol of the clients.
    fn client(self) -> u16 {
        if self == Self::Calls { sp::REQ } else { sp::SUB }
    }

    /// Protocol of the library's socket.
    fn server(self) -> u16 {
        if self == Self::Calls { sp::REP } else { sp::PUB }
    }
}

/// A request on its way: dropped when its reply has come.
struct Turn {
    _unanswered: OwnedSemaphorePermit,
    _large: Option<OwnedSemaphorePermit>,
}

/// A connection on its way to the library; parked, not closed, when it is given up.
struct Parking<'f> {
    stream: Option<UnixStream>,
    lot: &'f Mutex<Vec<UnixStream>>,
}

impl Drop for Parking<'_> {
    fn drop(&mut self) {
        if let Some(stream) = self.stream.take() {
            self.lot.lock().unwrap_or_else(PoisonError::into_inner).push(stream);
        }
    }
}

type RequestId = [u8; sp::REQUEST_ID];

impl Front {
    pub fn new(kind: Kind, library: Library, guard: super::server::Guard) -> Self {
        let Library { inner, sick, arrived } = library;
        Self {
            kind,
            inner,
            sick,
            arrived,
            dialing: Semaphore::new(1),
            parked: Mutex::default(),
            guard,
            large: Arc::new(Semaphore::new(LARGE_AT_ONCE)),
        }
    }

    /// Accepts until `stop`. Connections under way go on in their own tasks.
    pub async fn serve(self: Arc<Self>, listener: UnixListener, mut stop: watch::Receiver<bool>) {
        let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        loop {
            // Who is in the queue already is served before the end.
            let accepted = tokio::select! {
                biased;
                accepted = listener.accept() => accepted,
                _ = stop.wait_for(|s| *s) => return,
            };
            let stream = match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Out of descriptors: those under way must end first.
                    tracing::warn!(%error, "accept failed");
                    tokio::select! {
                        () = tokio::time::sleep(Duration::from_millis(50)) => continue,
                        _ = stop.wait_for(|s| *s) => return,
                    }
                }
            };
            let Ok(slot) = Arc::clone(&slots).try_acquire_owned() else { continue };
            let (front, guard) = (Arc::clone(&self), (self.guard)());
            tokio::spawn(async move {
                if let Err(error) = front.connection(stream).await {
                    tracing::debug!(%error, "connection ended");
                }
                drop((slot, guard));
            });
        }
    }

    async fn connection(&self, mut outer: UnixStream) -> io::Result<()> {
        let peer = outer.peer_cred()?.uid();
        if peer != os::uid() {
            tracing::warn!(peer, "refused a connection of another user");
            return Ok(());
        }
        let mut greeting = [0; sp::HANDSHAKE];
        timeout(HANDSHAKE_LIMIT, outer.read_exact(&mut greeting)).await??;
        if greeting != sp::handshake(self.kind.client()) {
            return Err(wrong("not our protocol"));
        }
        outer.write_all(&sp::handshake(self.kind.server())).await?;
        let inner = timeout(HEAL_LIMIT, self.dial()).await??;
        match self.kind {
            Kind::Calls => self.relay_calls(outer, inner).await,
            Kind::Events => relay_events(outer, inner).await,
        }
    }

    /// Connects to the library, wherever it listens by then: the client's request is not lost when
    /// the listener is found dead.
    async fn dial(&self) -> io::Result<UnixStream> {
        let _turn = self.dialing.acquire().await.map_err(io::Error::other)?;
        let mut inner = self.inner.clone();
        loop {
            let place = inner.borrow_and_update().clone();
            if let Ok(stream) = self.dial_at(&place).await {
                return Ok(stream);
            }
            tracing::error!("the messaging library does not answer; opening it again");
            let _ = self.sick.send(place);
            inner.changed().await.map_err(io::Error::other)?;
        }
    }

    async fn dial_at(&self, place: &Path) -> io::Result<UnixStream> {
        // Of one that was given up before it arrived.
        self.arrived.forget_permits(usize::MAX);
        let mut inner = Parking { stream: Some(UnixStream::connect(place).await?), lot: &self.parked };
        let stream = inner.stream.as_mut().ok_or_else(|| wrong("no stream"))?;
        timeout(INNER_LIMIT, async {
            stream.write_all(&sp::handshake(self.kind.client())).await?;
            let mut greeting = [0; sp::HANDSHAKE];
            stream.read_exact(&mut greeting).await?;
            if greeting != sp::handshake(self.kind.server()) {
                return Err(wrong("not the library"));
            }
            self.arrived.acquire().await.map_err(io::Error::other)?.forget();
            Ok(())
        })
        .await??;
        inner.stream.take().ok_or_else(|| wrong("no stream"))
    }

    /// Requests one by one, after their length is checked; replies as they come.
    async fn relay_calls(&self, outer: UnixStream, inner: UnixStream) -> io::Result<()> {
        let (mut outer_read, mut outer_write) = outer.into_split();
        let (mut inner_read, mut inner_write) = inner.into_split();
        // Guards the map of requests without a reply; never held across a wait.
        let under_way: Mutex<HashMap<RequestId, Turn>> = Mutex::default();
        let unanswered = Arc::new(Semaphore::new(UNANSWERED));
        let inward = async {
            while let Some((head, length)) = next_head(&mut outer_read).await? {
                if !(sp::REQUEST_ID..=MAX_MESSAGE).contains(&length) {
                    return Err(wrong("a frame of a wrong length"));
                }
                let turn = Turn {
                    _unanswered: Arc::clone(&unanswered).acquire_owned().await.map_err(io::Error::other)?,
                    _large: match length {
                        ..=SMALL => None,
                        _ => Some(Arc::clone(&self.large).acquire_owned().await.map_err(io::Error::other)?),
                    },
                };
                let frame = timeout(FRAME_LIMIT, read_frame(&mut outer_read, &head, length)).await??;
                let id: RequestId = frame.get(sp::HEAD..).and_then(|b| b.first_chunk().copied()).ok_or_else(|| wrong("no request id"))?;
                // A route of several stops; the library drops one that is too long without a word.
                if id[0] & 0x80 == 0 {
                    return Err(wrong("no request id"));
                }
                if under_way.lock().unwrap_or_else(PoisonError::into_inner).insert(id, turn).is_some() {
                    return Err(wrong("a request id that waits for its reply"));
                }
                inner_write.write_all(&frame).await?;
            }
            Ok(())
        };
        let outward = async {
            while let Some((head, length)) = next_head(&mut inner_read).await? {
                let mut id: RequestId = Default::default();
                inner_read.read_exact(&mut id).await?;
                timeout(FRAME_LIMIT, async {
                    outer_write.write_all(&[&head[..], &id[..]].concat()).await?;
                    let mut rest = (&mut inner_read).take(length.saturating_sub(sp::REQUEST_ID) as u64);
                    tokio::io::copy(&mut rest, &mut outer_write).await
                })
                .await??;
                under_way.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
            }
            Ok(())
        };
        tokio::select! {
            result = inward => result,
            result = outward => result,
        }
    }
}

/// Events as they come. A subscriber has nothing to say.
async fn relay_events(outer: UnixStream, inner: UnixStream) -> io::Result<()> {
    let (mut outer_read, mut outer_write): (OwnedReadHalf, OwnedWriteHalf) = outer.into_split();
    let (mut inner_read, _inner_write) = inner.into_split();
    let mut byte = [0];
    tokio::select! {
        read = outer_read.read(&mut byte) => if read? == 0 { Ok(()) } else { Err(wrong("a subscriber that sends")) },
        result = tokio::io::copy(&mut inner_read, &mut outer_write) => result.map(|_| ()),
    }
}

/// Type and length of the next frame; `None` at the end. Between frames a peer may rest.
async fn next_head(from: &mut OwnedReadHalf) -> io::Result<Option<([u8; sp::HEAD], usize)>> {
    let mut head = [0; sp::HEAD];
    match from.read_exact(&mut head[..1]).await {
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    };
    timeout(FRAME_LIMIT, from.read_exact(&mut head[1..])).await??;
    // The library's own framing comes on top of a message.
    let length = sp::length(&head, MAX_MESSAGE + sp::REQUEST_ID).ok_or_else(|| wrong("a frame of a wrong length"))?;
    Ok(Some((head, length)))
}

async fn read_frame(from: &mut OwnedReadHalf, head: &[u8], length: usize) -> io::Result<Vec<u8>> {
    let mut frame = head.to_vec();
    from.take(length as u64).read_to_end(&mut frame).await?;
    if frame.len() == head.len() + length { Ok(frame) } else { Err(io::Error::from(io::ErrorKind::UnexpectedEof)) }
}

fn wrong(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}
