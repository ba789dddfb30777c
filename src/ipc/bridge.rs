//! nng's asynchronous operations as futures.

use std::sync::{Arc, Mutex, PoisonError};

use nng::{Aio, AioResult, Context, Error, Message, Socket};
use tokio::sync::oneshot;

type Done = (Aio, AioResult);

/// Where the callback of an operation leaves its result.
#[derive(Clone, Default)]
struct Slot(Arc<Mutex<Option<oneshot::Sender<Done>>>>);

impl Slot {
    fn arm(&self) -> oneshot::Receiver<Done> {
        let (tx, rx) = oneshot::channel();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(tx);
        rx
    }

    /// Runs on a thread of the library. The handle given to the callback must not be the last one
    /// dropped here: dropping it waits for this very callback, for ever, and takes one of the
    /// library's threads with it. So the handle travels with the result.
    fn fire(&self, aio: Aio, result: AioResult) {
        let tx = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let back = match tx {
            Some(tx) => tx.send((aio, result)).err(),
            None => Some((aio, result)),
        };
        if let Some(unwanted) = back {
            std::thread::spawn(move || drop(unwanted));
        }
    }
}

fn new_aio(slot: &Slot) -> nng::Result<Aio> {
    let slot = slot.clone();
    Aio::new(move |aio, result| slot.fire(aio, result))
}

/// One REP context: receives a request, sends its reply, and again.
pub(super) struct Replier {
    context: Context,
    aio: Aio,
    slot: Slot,
    /// The operation under way. Kept here so that a dropped future leaves it armed for the next.
    pending: Option<oneshot::Receiver<Done>>,
}

impl Replier {
    pub fn new(socket: &Socket) -> nng::Result<Self> {
        let slot = Slot::default();
        Ok(Self { context: Context::new(socket)?, aio: new_aio(&slot)?, slot, pending: None })
    }

    pub async fn receive(&mut self) -> nng::Result<Message> {
        let pending = match &mut self.pending {
            Some(pending) => pending,
            none => {
                let rx = self.slot.arm();
                self.context.recv(&self.aio)?;
                none.insert(rx)
            }
        };
        let done = pending.await;
        self.pending = None;
        match done {
            Ok((_aio, AioResult::Recv(result))) => result,
            _ => Err(Error::Canceled),
        }
    }

    pub async fn send(&mut self, message: Message) -> nng::Result<()> {
        let rx = self.slot.arm();
        self.context.send(&self.aio, message).map_err(|(_, e)| e)?;
        match self.pending.insert(rx).await {
            Ok((_aio, AioResult::Send(result))) => {
                self.pending = None;
                result.map_err(|(_, e)| e)
            }
            _ => {
                self.pending = None;
                Err(Error::Canceled)
            }
        }
    }
}
