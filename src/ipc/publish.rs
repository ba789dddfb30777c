//! Events on the pub/sub socket.

use nng::{
    Message, Protocol, Socket,
    options::{Options, SendBufferSize},
};
use tokio::sync::broadcast::{Receiver, error::RecvError};

use crate::wire::event::{self, Event};

/// As many as the library allows; a subscriber that falls behind more than this misses some and
/// sees the gap in the sequence numbers.
const BUFFER: i32 = 1024;

pub(super) fn socket() -> nng::Result<Socket> {
    let socket = Socket::new(Protocol::Pub0)?;
    socket.set_opt::<SendBufferSize>(BUFFER)?;
    Ok(socket)
}

/// Sends events until the bus is gone. Publishing never waits for a reader.
pub(super) async fn forward(socket: Socket, mut events: Receiver<Event>) {
    loop {
        match events.recv().await {
            Ok(event) => {
                let message = Message::from(event::frame(&event).as_slice());
                if let Err((_, error)) = socket.send(message) {
                    tracing::warn!(%error, "an event was not sent");
                }
            }
            Err(RecvError::Lagged(missed)) => tracing::warn!(missed, "events were faster than the socket"),
            Err(RecvError::Closed) => return,
        }
    }
}
