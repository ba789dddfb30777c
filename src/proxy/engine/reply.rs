//! The body of a reply as the server sends it.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

use super::{flow::Flow, log};

/// What the server sends.
pub(super) enum Reply {
    Full(Option<Bytes>),
    Flow(Box<Flow>),
    Logged(Box<Logged>),
}

/// A reply that is also written to the log, as far as it went.
pub(super) struct Logged {
    reply: Reply,
    id: String,
    said: Vec<u8>,
}

impl Drop for Logged {
    fn drop(&mut self) {
        log::content(&self.id, "reply", &self.said);
    }
}

impl Reply {
    pub(super) fn full(bytes: impl Into<Bytes>) -> Self {
        Self::Full(Some(bytes.into()))
    }

    /// `id`: of the request's record.
    pub(super) fn logged(self, id: String) -> Self {
        Self::Logged(Box::new(Logged { reply: self, id, said: Vec::new() }))
    }
}

impl Body for Reply {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match self.get_mut() {
            Self::Full(bytes) => Poll::Ready(bytes.take().filter(|b| !b.is_empty()).map(|b| Ok(Frame::data(b)))),
            Self::Flow(flow) => flow.poll(context).map(|piece| piece.map(|p| p.map(Frame::data))),
            Self::Logged(logged) => {
                let polled = Pin::new(&mut logged.reply).poll_frame(context);
                if let Poll::Ready(Some(Ok(frame))) = &polled
                    && let Some(data) = frame.data_ref()
                    && logged.said.len() < log::MOST
                {
                    logged.said.extend_from_slice(data);
                }
                polled
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Full(bytes) => bytes.as_ref().is_none_or(Bytes::is_empty),
            Self::Flow(flow) => flow.done(),
            Self::Logged(logged) => logged.reply.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Full(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |b| b.len() as u64)),
            Self::Flow(flow) => flow.size_hint(),
            Self::Logged(logged) => logged.reply.size_hint(),
        }
    }
}
