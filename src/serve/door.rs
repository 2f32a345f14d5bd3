//! Who may come in, and how long one may stand in the door: connections before there is a request.

use std::{
    future::{Ready, ready},
    io,
    num::NonZeroU32,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::http::Request;
use axum_server::accept::Accept;
use server::{Connection, Server};
use tokio::{
    net::TcpStream,
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_io_timeout::TimeoutStream;
use tower_service::Service;

/// Who reads nothing of an answer for so long is gone.
const WRITE: Duration = Duration::from_secs(30);

/// Takes connections in, as many as there is room for.
#[derive(Clone)]
pub(super) struct Door {
    server: Server,
    room: Arc<Semaphore>,
}

impl Door {
    pub(super) fn new(server: Server, room: NonZeroU32) -> Self {
        let room = usize::try_from(room.get()).unwrap_or(Semaphore::MAX_PERMITS);
        Self { server, room: Arc::new(Semaphore::new(room)) }
    }
}

impl<S> Accept<TcpStream, S> for Door {
    type Stream = Pin<Box<TimeoutStream<TcpStream>>>;
    type Service = Guest<S>;
    type Future = Ready<io::Result<(Self::Stream, Self::Service)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let Ok(permit) = Arc::clone(&self.room).try_acquire_owned() else {
            return ready(Err(io::Error::other("no room for more connections")));
        };
        // An answer is written in one go, and nothing is gained by waiting.
        let stream = stream.set_nodelay(true).map(|()| {
            let mut stream = TimeoutStream::new(stream);
            stream.set_write_timeout(Some(WRITE));
            let stay = Arc::new((permit, self.server.connection()));
            (Box::pin(stream), Guest { service, _stay: stay })
        });
        ready(stream)
    }
}

/// The service of one connection, which makes room when it goes.
#[derive(Clone)]
pub(super) struct Guest<S> {
    service: S,
    _stay: Arc<(OwnedSemaphorePermit, Connection)>,
}

impl<S: Service<Request<B>>, B> Service<Request<B>> for Guest<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> S::Future {
        self.service.call(request)
    }
}
