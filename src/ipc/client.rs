//! The client's side of a call.

use std::path::Path;

use crate::{
    base::{
        error::{Error, Result},
        paths::Paths,
    },
    wire::{
        Call, MAX_MESSAGE, PROTOCOL,
        daemon::{Hello, HelloReply},
        envelope::{CALLER_VARS, Caller, Outcome, Request, Response},
        error::Code,
    },
};

use super::endpoint;

/// Why a call got no reply.
#[derive(Debug)]
pub enum Lost {
    /// No daemon took the request: it is safe to start one and send again.
    NotSent(Error),
    /// The request was sent and no answer came; whether it ran is not known.
    Unanswered(Error),
    /// The daemon answered with a failure.
    Failed(Error),
}

impl Lost {
    pub fn into_error(self) -> Error {
        match self {
            Self::NotSent(e) | Self::Unanswered(e) | Self::Failed(e) => e,
        }
    }
}

/// A connection to a daemon that showed the right handshake.
pub struct Client {
    transport: transport::Transport,
    caller: Caller,
    next_id: u32,
    /// Version of the daemon, as its last answer said.
    theirs: Option<String>,
}

impl Client {
    /// Connects to the daemon of this tree. The socket's owner is checked before the first byte.
    pub fn connect(paths: &Paths) -> Result<Self> {
        let mut last = Error::unreachable("no daemon is running").hint("start it: clown daemon start");
        for path in endpoint::candidates(paths) {
            match Self::connect_to(&path) {
                Ok(client) => return Ok(client),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    pub fn connect_to(path: &Path) -> Result<Self> {
        Ok(Self { transport: transport::Transport::open(path)?, caller: this_process(), next_id: std::process::id(), theirs: None })
    }

    pub fn hello(&mut self) -> Result<HelloReply> {
        self.call(&Hello {}).map_err(Lost::into_error)
    }

    pub fn call<C: Call>(&mut self, call: &C) -> Result<C::Reply, Lost> {
        self.call_as(call, &uuid::Uuid::new_v4().to_string())
    }

    /// Our version and the daemon's, when they differ.
    pub fn other_version(&self) -> Option<(String, &str)> {
        let ours = sent_version();
        self.theirs.as_deref().filter(|theirs| *theirs != ours).map(|theirs| (ours, theirs))
    }

    /// With a request id of the caller's, which a daemon runs at most once for `Effect::Once`.
    pub fn call_as<C: Call>(&mut self, call: &C, id: &str) -> Result<C::Reply, Lost> {
        let defect = |e: serde_json::Error| Lost::NotSent(Error::defect(format!("{} cannot be encoded", C::NAME)).cause(e));
        let request = Request {
            protocol: PROTOCOL,
            version: sent_version(),
            id: id.to_owned(),
            call: C::NAME.to_owned(),
            body: serde_json::to_value(call).map_err(defect)?,
            caller: self.caller.clone(),
        };
        let bytes = zeroize::Zeroizing::new(serde_json::to_vec(&request).map_err(defect)?);
        if bytes.len() > MAX_MESSAGE - 64 {
            return Err(Lost::Failed(Error::invalid(format!("the request is larger than {} KiB", MAX_MESSAGE / 1024))));
        }
        self.next_id = self.next_id.wrapping_add(1);
        let reply = zeroize::Zeroizing::new(self.transport.exchange(self.next_id, &bytes, C::LIMIT)?);
        let wrong = |e| Lost::Failed(Error::protocol("the daemon's answer is not understood").cause(e));
        let response: Response = serde_json::from_slice(&reply).map_err(wrong)?;
        self.theirs = Some(response.version);
        match response.outcome {
            Outcome::Reply(value) => serde_json::from_value(value).map_err(wrong),
            Outcome::Error(failure) => Err(Lost::Failed(failure.into())),
        }
    }
}

/// Tests of version skew say another version through this variable.
fn sent_version() -> String {
    std::env::var("CLOWN_TEST_VERSION").unwrap_or_else(|_| env!("CARGO_PKG_VERSION").to_owned())
}

fn this_process() -> Caller {
    Caller {
        pid: std::process::id(),
        cwd: std::env::current_dir().map(|d| d.to_string_lossy().into_owned()).unwrap_or_default(),
        env: CALLER_VARS.iter().filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?))).collect(),
    }
}

/// Whether the daemon and this program cannot talk.
pub fn is_protocol_mismatch(lost: &Lost) -> bool {
    matches!(lost, Lost::Failed(e) if e.code() == Code::Protocol)
}

#[cfg(unix)]
mod transport {
    use std::{
        io::{self, Read},
        os::unix::net::UnixStream,
        path::Path,
        time::Duration,
    };

    use super::{Error, Lost, MAX_MESSAGE, Result};
    use crate::{base::os, ipc::sp};

    /// The front greets at once, so silence means a stopped process.
    const GREETING_LIMIT: Duration = Duration::from_secs(5);

    pub struct Transport(UnixStream);

    impl Transport {
        pub fn open(path: &Path) -> Result<Self> {
            let unreachable = |why: String| Error::unreachable(why);
            if !os::own_socket(path)? {
                return Err(unreachable("no daemon is running".into()).hint("start it: clown daemon start"));
            }
            let silent = |pid: Option<u32>| {
                let name = pid.map(|pid| format!(" (process {pid})")).unwrap_or_default();
                let kill = pid.map_or_else(|| "end it".to_owned(), |pid| format!("end it: kill -KILL {pid}"));
                Error::conflict(format!("the daemon{name} at {} does not answer", path.display()))
                    .hint(format!("it may be stopped or stuck; {kill}"))
                    .hint("then try again: the next command starts a new one")
            };
            let mut stream = os::connect_within(path, GREETING_LIMIT).map_err(|e| match e.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => silent(None).cause(e),
                _ => unreachable("no daemon is running".into()).cause(e).hint("start it: clown daemon start"),
            })?;
            let peer = os::peer(&stream).ok().flatten();
            if let Some((uid, _)) = peer
                && uid != os::uid()
            {
                return Err(Error::refused(format!("the daemon at {} belongs to another user (uid {uid})", path.display())));
            }
            let set = |limit| stream.set_read_timeout(Some(limit)).and_then(|()| stream.set_write_timeout(Some(limit)));
            set(GREETING_LIMIT).map_err(|e| unreachable("the daemon's socket cannot be used".into()).cause(e))?;
            match sp::greet(&mut stream, sp::REQ, sp::REP) {
                Ok(()) => {}
                Err(e) if matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                    return Err(silent(peer.map(|(_, pid)| pid)));
                }
                Err(e) if e.kind() == io::ErrorKind::InvalidData => {
                    return Err(Error::conflict(format!("what listens at {} is no clown daemon", path.display())).cause(e));
                }
                Err(e) => return Err(unreachable("the daemon went away".into()).cause(e)),
            }
            Ok(Self(stream))
        }

        pub fn exchange(&mut self, id: u32, body: &[u8], limit: Duration) -> Result<Vec<u8>, Lost> {
            let id = (id | 1 << 31).to_be_bytes();
            let unanswered = |e: io::Error| {
                let why = if e.kind() == io::ErrorKind::WouldBlock {
                    "the daemon did not answer in time"
                } else {
                    "the daemon went away before it answered"
                };
                Lost::Unanswered(Error::unreachable(why).cause(e))
            };
            sp::write_message(&mut self.0, &[&id, body]).map_err(unanswered)?;
            self.0.set_read_timeout(Some(limit)).map_err(unanswered)?;
            loop {
                let mut message = sp::read_message(&mut self.0.by_ref(), MAX_MESSAGE + 64).map_err(unanswered)?;
                // An answer to an earlier request that was given up.
                if message.get(..sp::REQUEST_ID) == Some(&id) {
                    return Ok(message.split_off(sp::REQUEST_ID));
                }
            }
        }
    }
}

#[cfg(windows)]
mod transport {
    use std::{path::Path, time::Duration};

    use nng::{
        DialerBuilder, Message, Protocol, Socket,
        options::{Options, RecvMaxSize, RecvTimeout, SendTimeout, protocol::reqrep::ResendTime},
    };

    use super::{Error, Lost, MAX_MESSAGE, Result};

    pub struct Transport(Socket);

    impl Transport {
        pub fn open(path: &Path) -> Result<Self> {
            let failed = |e: nng::Error| Error::unreachable("no daemon is running").cause(e).hint("start it: clown daemon start");
            let socket = Socket::new(Protocol::Req0).map_err(failed)?;
            // The library would send a request again by itself, and it would run twice.
            socket.set_opt::<ResendTime>(None).map_err(failed)?;
            socket.set_opt::<SendTimeout>(Some(Duration::from_secs(5))).map_err(failed)?;
            let dialer = DialerBuilder::new(&socket, &crate::ipc::endpoint::address_of(path)).map_err(failed)?;
            dialer.set_opt::<RecvMaxSize>(MAX_MESSAGE + 64).map_err(failed)?;
            // The socket keeps it open; the handle is only a number.
            dialer.start(false).map_err(|(_, e)| failed(e))?;
            Ok(Self(socket))
        }

        pub fn exchange(&mut self, _id: u32, body: &[u8], limit: Duration) -> Result<Vec<u8>, Lost> {
            let unanswered = |e: nng::Error| Lost::Unanswered(Error::unreachable("the daemon did not answer").cause(e));
            self.0.set_opt::<RecvTimeout>(Some(limit)).map_err(unanswered)?;
            self.0.send(Message::from(body)).map_err(|(_, e)| unanswered(e))?;
            self.0.recv().map(|m| m.to_vec()).map_err(unanswered)
        }
    }
}
