//! The life of a proxy's process: listen, serve, take a new configuration, end without breaking a stream.

use std::{
    net::{SocketAddr, TcpListener as StdListener},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::JoinSet,
};

use super::{log, service, state};
use crate::{
    base::error::{Error, Result},
    base::os,
    proxy::engine::state::Engine,
};

/// A head that comes this slowly is no agent's. Also ends connections that are idle this long.
const HEAD_TIME: Duration = Duration::from_secs(120);
const CONNECTIONS: usize = 1024;
/// What a connection keeps for reading grows no larger. Below the size from which the allocator asks the system for each
/// block anew (`base::child_env::MEMORY_VARS`), which costs more than the reading.
pub(super) const BUFFER: usize = 64 << 10;
/// How long open replies may take when the proxy ends.
const DRAIN: Duration = Duration::from_secs(5);
/// Then streams are told, and have this long to say it.
const FAREWELL: Duration = Duration::from_millis(500);
/// A failed accept (out of file descriptors) does not clear at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Where connections come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listener {
    /// Bound here, as the configuration says.
    Own,
    /// Descriptor 0: bound by whoever started this process, who may keep it open across our end.
    Stdin,
}

/// Reads a configuration and tells its first mistake.
pub fn check(config: &Path) -> Result<()> {
    state::load(config).map(|_| ())
}

/// Serves until SIGTERM or SIGINT. `ready` hears the address once connections are accepted.
pub fn serve(config: &Path, listener: Listener, ready: &dyn Fn(SocketAddr)) -> Result<()> {
    log::start();
    os::private_umask();
    // Keys are in the environment and in memory.
    os::guard_memory();
    let config = std::path::absolute(config).map_err(Error::reading(config))?;
    let loaded = state::load(&config)?;
    let listener = open(&loaded, listener)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|e| Error::io("the proxy cannot start").cause(e))?;
    runtime.block_on(run(config, loaded, listener, ready))
}

fn open(loaded: &state::Loaded, listener: Listener) -> Result<StdListener> {
    let listener = match listener {
        Listener::Stdin => os::stdin_listener().map_err(|e| Error::io("standard input is no listening socket").cause(e))?,
        Listener::Own => {
            let host = if loaded.host == "localhost" { "127.0.0.1" } else { &loaded.host };
            StdListener::bind((host, loaded.port)).map_err(|e| {
                Error::io(format!("cannot listen on {host}:{}", loaded.port)).cause(e).hint("choose another port, or 0 for any free one")
            })?
        }
    };
    let address = listener.local_addr().map_err(|e| Error::io("the listening socket has no address").cause(e))?;
    if !address.ip().is_loopback() {
        return Err(Error::refused(format!("a proxy listens on loopback only, not on {address}")).hint("set server.host to 127.0.0.1"));
    }
    listener.set_nonblocking(true).map_err(|e| Error::io("the listening socket cannot be used").cause(e))?;
    Ok(listener)
}

async fn run(config: PathBuf, loaded: state::Loaded, listener: StdListener, ready: &dyn Fn(SocketAddr)) -> Result<()> {
    let cannot = |e: std::io::Error| Error::io("the proxy cannot listen").cause(e);
    let listener = TcpListener::from_std(listener).map_err(cannot)?;
    let address = listener.local_addr().map_err(cannot)?;
    let usage_log = loaded.table.usage_log.clone().map(PathBuf::from);
    let engine = Arc::new(Engine::new(config, loaded, address.port()));
    let (stop, stopping) = watch::channel(false);
    let writer = usage_log.clone().map(|path| {
        let meter = engine.meter.clone();
        tokio::spawn(async move { meter.write(path).await })
    });
    let mut signals = super::signals::Signals::new().map_err(|e| Error::io("signals cannot be heard").cause(e))?;
    let mut connections = JoinSet::new();
    tracing::info!(%address, "the proxy listens");
    ready(address);
    {
        let accepting = accept(&engine, &listener, &mut connections, &stopping);
        tokio::pin!(accepting);
        loop {
            tokio::select! {
                () = &mut accepting => {}
                signal = signals.next() => match signal {
                    super::signals::Signal::Reload => engine.reload(),
                    super::signals::Signal::End => break,
                },
            }
        }
    }
    drop(listener);
    tracing::info!("the proxy ends");
    stop.send_replace(true);
    let drained = async |connections: &mut JoinSet<()>| while connections.join_next().await.is_some() {};
    if tokio::time::timeout(DRAIN, drained(&mut connections)).await.is_err() {
        engine.stop();
        let _ = tokio::time::timeout(FAREWELL, drained(&mut connections)).await;
    }
    // What was cut is counted too.
    connections.shutdown().await;
    if let (Some(writer), Some(path)) = (writer, usage_log) {
        writer.abort();
        engine.meter.flush(&path);
    }
    Ok(())
}

async fn accept(engine: &Arc<Engine>, listener: &TcpListener, connections: &mut JoinSet<()>, stopping: &watch::Receiver<bool>) {
    let permits = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        // A full house waits in the listen queue.
        let Ok(permit) = permits.clone().acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                while connections.try_join_next().is_some() {}
                let (engine, stopping) = (engine.clone(), stopping.clone());
                connections.spawn(async move {
                    connection(engine, stream, stopping).await;
                    drop(permit);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn connection(engine: Arc<Engine>, stream: TcpStream, mut stopping: watch::Receiver<bool>) {
    // Without this each small piece of a stream waits for the client's delayed acknowledgement.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| service::handle(engine.clone(), request));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(BUFFER)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = told(&mut stopping) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

async fn told(stopping: &mut watch::Receiver<bool>) {
    let _ = stopping.wait_for(|stop| *stop).await;
}
