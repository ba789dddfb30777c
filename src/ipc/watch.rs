//! The client's side of events.

use crate::{
    base::{error::Result, paths::Paths},
    wire::event::Event,
};

/// Events as they come, until the daemon goes away. Only those whose topic begins with `topic`.
pub struct Watch {
    source: source::Source,
    topic: String,
}

impl Watch {
    pub fn open(paths: &Paths, topic: &str) -> Result<Self> {
        Ok(Self { source: source::Source::open(paths)?, topic: topic.to_owned() })
    }
}

impl Iterator for Watch {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        loop {
            let event = crate::wire::event::parse_frame(&self.source.next()?);
            if let Some(event) = event.filter(|e| e.topic.starts_with(&self.topic)) {
                return Some(event);
            }
        }
    }
}

#[cfg(unix)]
mod source {
    use std::os::unix::net::UnixStream;

    use crate::{
        base::{
            error::{Error, Result},
            os,
            paths::Paths,
        },
        ipc::{endpoint, sp},
        wire::MAX_MESSAGE,
    };

    pub struct Source(UnixStream);

    impl Source {
        pub fn open(paths: &Paths) -> Result<Self> {
            let gone = || Error::unreachable("no daemon publishes events").hint("start it: clown daemon start");
            let path = endpoint::read(paths).and_then(|e| endpoint::path_of(&e.events)).ok_or_else(gone)?;
            if !os::own_socket(&path)? {
                return Err(gone());
            }
            let mut stream = UnixStream::connect(&path).map_err(|e| gone().cause(e))?;
            sp::greet(&mut stream, sp::SUB, sp::PUB).map_err(|e| gone().cause(e))?;
            Ok(Self(stream))
        }

        pub fn next(&mut self) -> Option<Vec<u8>> {
            sp::read_message(&mut self.0, MAX_MESSAGE).ok()
        }
    }
}

#[cfg(windows)]
mod source {
    use nng::{
        Protocol, Socket,
        options::{Options, RecvBufferSize, protocol::pubsub::Subscribe},
    };

    use crate::{
        base::{
            error::{Error, Result},
            paths::Paths,
        },
        ipc::endpoint,
    };

    pub struct Source(Socket);

    impl Source {
        pub fn open(paths: &Paths) -> Result<Self> {
            let gone = || Error::unreachable("no daemon publishes events").hint("start it: clown daemon start");
            let address = endpoint::read(paths).map(|e| e.events).ok_or_else(gone)?;
            let open = || -> nng::Result<Socket> {
                let socket = Socket::new(Protocol::Sub0)?;
                socket.set_opt::<RecvBufferSize>(1024)?;
                socket.set_opt::<Subscribe>(Vec::new())?;
                socket.dial(&address)?;
                Ok(socket)
            };
            open().map(Self).map_err(|e| gone().cause(e))
        }

        pub fn next(&mut self) -> Option<Vec<u8>> {
            self.0.recv().ok().map(|m| m.to_vec())
        }
    }
}
