//! The listener that strangers meet: checks who and what, then passes whole frames to the library.
//!
//! Nothing unchecked reaches the messaging library: not a connection that goes away before its
//! handshake (its listener would stop accepting), not a length near 2^64 (it would abort), not
//! another user's byte. Memory grows only with bytes really received.

use std::{io, path::PathBuf, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
    sync::{Notify, Semaphore, watch},
    time::timeout,
};

use super::sp;
use crate::{base::os, wire::MAX_MESSAGE};

const HANDSHAKE_LIMIT: Duration = Duration::from_secs(5);
/// A frame that has begun must go on.
const FRAME_LIMIT: Duration = Duration::from_secs(30);
const INNER_LIMIT: Duration = Duration::from_secs(1);
const MAX_CONNECTIONS: usize = 1024;

/// One outer socket and the library's socket behind it.
pub(super) struct Front {
    /// Protocol of the clients.
    pub client: u16,
    /// Protocol of the library's socket.
    pub server: u16,
    /// Where the library listens now.
    pub inner: watch::Receiver<PathBuf>,
    /// Told when the library does not answer.
    pub sick: Arc<Notify>,
    /// Held by each connection.
    pub guard: Arc<dyn Fn() -> Box<dyn Send> + Send + Sync>,
}

impl Front {
    /// Accepts until `stop`. Connections under way go on in their own tasks.
    pub async fn serve(self: Arc<Self>, listener: UnixListener, mut stop: watch::Receiver<bool>) {
        let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        loop {
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
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
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
        if greeting != sp::handshake(self.client) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "not our protocol"));
        }
        outer.write_all(&sp::handshake(self.server)).await?;
        let inner = match timeout(INNER_LIMIT, self.dial()).await {
            Ok(Ok(inner)) => inner,
            failed => {
                tracing::error!("the messaging library does not answer; opening it again");
                self.sick.notify_one();
                // The client's request is not lost: it is passed on once the library is back.
                let _ = failed;
                timeout(HANDSHAKE_LIMIT, self.dial_healed()).await??
            }
        };
        relay(outer, inner).await
    }

    async fn dial(&self) -> io::Result<UnixStream> {
        let path = self.inner.borrow().clone();
        let mut inner = UnixStream::connect(path).await?;
        inner.write_all(&sp::handshake(self.client)).await?;
        let mut greeting = [0; sp::HANDSHAKE];
        inner.read_exact(&mut greeting).await?;
        if greeting == sp::handshake(self.server) { Ok(inner) } else { Err(io::Error::from(io::ErrorKind::InvalidData)) }
    }

    async fn dial_healed(&self) -> io::Result<UnixStream> {
        let mut inner = self.inner.clone();
        loop {
            inner.changed().await.map_err(io::Error::other)?;
            if let Ok(stream) = self.dial().await {
                return Ok(stream);
            }
        }
    }
}

/// Frames of the client one by one, after their length is checked; bytes of the library as they come.
async fn relay(outer: UnixStream, inner: UnixStream) -> io::Result<()> {
    let (mut outer_read, mut outer_write) = outer.into_split();
    let (mut inner_read, mut inner_write) = inner.into_split();
    let inward = async {
        let mut head = [0; sp::HEAD];
        loop {
            match outer_read.read_exact(&mut head[..1]).await {
                Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
                other => other?,
            };
            timeout(FRAME_LIMIT, async {
                outer_read.read_exact(&mut head[1..]).await?;
                let length = sp::length(&head, MAX_MESSAGE).filter(|l| *l >= sp::REQUEST_ID);
                let length = length.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "a frame of a wrong length"))?;
                let mut frame = head.to_vec();
                (&mut outer_read).take(length as u64).read_to_end(&mut frame).await?;
                if frame.len() != sp::HEAD + length {
                    return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
                }
                inner_write.write_all(&frame).await
            })
            .await??;
        }
    };
    let outward = tokio::io::copy(&mut inner_read, &mut outer_write);
    tokio::select! {
        result = inward => result,
        result = outward => result.map(|_| ()),
    }
}
