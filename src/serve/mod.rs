//! `clearkey serve`: the server of `server`, bound to an address.

mod args;
mod door;
mod tls;

use std::{
    io::{self, IsTerminal, Write},
    net::{SocketAddr, TcpListener},
    thread,
    time::Duration,
};

use anyhow::Context;
use axum_server::Handle;
use server::Server;
use tokio::{
    runtime,
    signal::unix::{SignalKind, signal},
    task,
};
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};

pub(crate) use self::args::ServeArgs;
use self::{args::LogFormat, door::Door, tls::Tls};
use crate::Outcome;

/// A request's head has this long to come, from the connection's begin or the last answer on.
const HEAD: Duration = Duration::from_secs(10);
/// The most octets of a head.
const HEAD_SIZE: usize = 32 << 10;
/// How often files are looked at.
const LOOK: Duration = Duration::from_millis(500);
/// Lines of the log that wait to be written.
const LINES: usize = 4096;
/// Threads that read files. Each keeps some memory that it has freed.
const READERS: usize = 8;
/// What is being answered at the end has this long.
const GRACE: Duration = Duration::from_secs(10);

pub(crate) fn run(args: ServeArgs) -> anyhow::Result<Outcome> {
    let server = Server::new(args.settings()?)?;
    let listener =
        TcpListener::bind(&args.bind).with_context(|| format!("--bind {}", args.bind))?;
    let runtime =
        runtime::Builder::new_multi_thread().enable_all().max_blocking_threads(READERS).build()?;
    let _written_at_the_end = log_to_stderr(args.log, args.quiet);
    runtime.block_on(serve(args, server, listener))?;
    Ok(Outcome::Done)
}

async fn serve(args: ServeArgs, server: Server, listener: TcpListener) -> anyhow::Result<()> {
    let tls =
        args.tls_cert.zip(args.tls_key).map(|(cert, key)| Tls::read(cert, key)).transpose()?;
    let handle = Handle::new();
    task::spawn(stop_on_signal(handle.clone())?);
    announce(listener.local_addr()?, tls.is_some(), server.keys().len())?;

    let door = Door::new(server.clone(), args.max_connections);
    let service = server.router().into_make_service_with_connect_info::<SocketAddr>();
    let mut http = axum_server::from_tcp(listener)?.handle(handle).first_request_timeout(HEAD);
    http = http.http1_only();
    http.http_builder().http1().header_read_timeout(HEAD).max_buf_size(HEAD_SIZE);
    match tls {
        None => {
            look_after(server, None)?;
            http.acceptor(door).serve(service).await?;
        }
        Some(tls) => {
            let acceptor = tls.acceptor(door);
            look_after(server, Some(tls))?;
            http.acceptor(acceptor).serve(service).await?;
        }
    }
    tracing::info!("stopped");
    Ok(())
}

/// Reads files again when they change, as long as the process lives. A thread of its own: tasks that come twice
/// a second would keep all threads busy that ever read a file for a request, and none of them would end.
fn look_after(server: Server, mut tls: Option<Tls>) -> io::Result<()> {
    let look = move || loop {
        thread::sleep(LOOK);
        server.look_after();
        tls.iter_mut().for_each(Tls::refresh);
    };
    thread::Builder::new().name("look-after".to_owned()).spawn(look)?;
    Ok(())
}

/// Says where the server is: one line on stdout, for who started it.
fn announce(address: SocketAddr, is_https: bool, keys: usize) -> anyhow::Result<()> {
    let scheme = if is_https { "https" } else { "http" };
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{scheme}://{address}/").and_then(|()| stdout.flush()).context("stdout")?;
    tracing::info!(%address, keys, "serving");
    if !address.ip().is_loopback() {
        tracing::warn!("who reaches this address gets the keys");
    }
    Ok(())
}

/// Lets what is being answered be answered; a second signal does not wait for it.
fn stop_on_signal(handle: Handle<SocketAddr>) -> anyhow::Result<impl Future<Output = ()>> {
    let [mut interrupt, mut terminate] =
        [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?];
    Ok(async move {
        let mut next = async || {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        };
        next().await;
        tracing::info!("stopping");
        handle.graceful_shutdown(Some(GRACE));
        next().await;
        handle.shutdown();
    })
}

/// Lines that nobody takes from stderr are lost, and requests do not wait for them. What is still to be written
/// is written when the result goes.
fn log_to_stderr(format: LogFormat, quiet: bool) -> WorkerGuard {
    let level = if quiet { tracing::Level::WARN } else { tracing::Level::INFO };
    let lines = NonBlockingBuilder::default().buffered_lines_limit(LINES);
    let (stderr, guard) = lines.finish(io::stderr());
    let log = tracing_subscriber::fmt()
        .with_writer(stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_max_level(level)
        .with_target(false);
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
    guard
}
