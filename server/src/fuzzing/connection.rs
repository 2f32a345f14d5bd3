//! A connection without a network: octets in, octets out, and an account of the requests in between.

use std::{
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes, HttpBody},
    extract::{ConnectInfo, Request},
    http::{HeaderMap, Method, Uri},
    response::Response,
};
use hyper::{
    body::{Frame, Incoming, SizeHint},
    server::conn::http1,
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tower_service::Service;

/// As `clearkey serve` has them.
const HEAD: Duration = Duration::from_secs(10);
const HEAD_SIZE: usize = 32 << 10;

/// A request that has come to the server.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    /// What the server has read of its body.
    pub(crate) body: Vec<u8>,
}

/// How a client sends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    /// So many octets at a time.
    pub(crate) piece: usize,
    /// Nothing more comes, and the server is told so at once. Else it waits until it loses patience.
    pub(crate) hangs_up: bool,
}

/// Sends octets to a server, and receives until it closes. Time passes when nothing else happens.
pub(crate) async fn talk(router: Router, sent: &[u8], manner: Manner) -> (Vec<Asked>, Vec<u8>) {
    let log = Arc::new(Mutex::new(Vec::new()));
    let service = TowerToHyperService::new(Recorder { router, log: Arc::clone(&log) });
    let (client, server) = tokio::io::duplex(1 << 16);
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(HEAD_SIZE);
    let serving = tokio::spawn(builder.serve_connection(TokioIo::new(server), service));
    let (mut answers, mut requests) = tokio::io::split(client);
    let receiving = tokio::spawn(async move {
        let mut received = Vec::new();
        // A connection that breaks off has been received to its end.
        let _ = answers.read_to_end(&mut received).await;
        received
    });
    for piece in sent.chunks(manner.piece) {
        if requests.write_all(piece).await.is_err() {
            break;
        }
        tokio::task::yield_now().await;
    }
    if manner.hangs_up {
        let _ = requests.shutdown().await;
    }
    let received = receiving.await.expect("the client panicked");
    // What is wrong with a connection is the client's fault.
    let _ = serving.await.expect("the connection panicked");
    let log = Arc::into_inner(log).expect("no request is left");
    (log.into_inner().expect("nobody panicked"), received)
}

type Log = Arc<Mutex<Vec<Asked>>>;

/// Writes down what comes, and passes it on.
#[derive(Clone)]
struct Recorder {
    router: Router,
    log: Log,
}

impl Service<Request<Incoming>> for Recorder {
    type Response = Response;
    type Error = <Router as Service<Request<Body>>>::Error;
    type Future = <Router as Service<Request<Body>>>::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Service::<Request<Body>>::poll_ready(&mut self.router, context)
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        let (mut head, body) = request.into_parts();
        let (method, uri, headers) = (head.method.clone(), head.uri.clone(), head.headers.clone());
        let mut log = self.log.lock().unwrap();
        log.push(Asked { method, uri, headers, body: Vec::new() });
        let body = Body::new(Tee { body, at: log.len() - 1, log: Arc::clone(&self.log) });
        head.extensions.insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 1))));
        self.router.call(Request::from_parts(head, body))
    }
}

/// Writes down what is read of a body.
struct Tee {
    body: Incoming,
    at: usize,
    log: Log,
}

impl HttpBody for Tee {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = std::task::ready!(Pin::new(&mut self.body).poll_frame(context));
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
        {
            self.log.lock().unwrap()[self.at].body.extend_from_slice(data);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
