//! The server as a whole: settings in, a service that answers requests out.

use std::{any::Any, num::NonZeroU32, path::PathBuf, sync::Arc, time::Duration};

use axum::{
    Extension, Router,
    body::{Bytes, HttpBody},
    extract::{DefaultBodyLimit, FromRequest, Path, Request, State, rejection::PathRejection},
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::get,
};
use clearkey::limits;
use tokio::time::timeout;
use tower_http::{catch_panic::CatchPanicLayer, set_header::SetResponseHeaderLayer};

use crate::{
    Error, KeySources, KeyStore, Origin, Refresh, Refusal,
    cors::cors,
    json::json,
    license::reply,
    media::Media,
    metrics::{self, Metrics},
    observe::{Asked, observe},
    page,
    rate::{Rate, limit},
    refused::Refused,
    streams::Listing,
};

/// A request has this long to be there with all of its body, and to be answered.
const PATIENCE: Duration = Duration::from_secs(10);

/// How a server is set up.
#[derive(Debug, Default)]
pub struct Settings {
    /// Where its keys come from.
    pub keys: KeySources,
    /// The folder whose streams it serves.
    pub media: Option<PathBuf>,
    /// The pages that may ask; empty: all. Those of the server itself always may.
    pub origins: Vec<Origin>,
    /// How many licenses and lists of streams each client may ask for in a second; `None`: any number.
    pub rate: Option<NonZeroU32>,
}

/// A license server. Clones are the same server.
#[derive(Clone)]
pub struct Server {
    keys: Arc<KeyStore>,
    media: Option<Media>,
    streams: Option<Arc<Listing>>,
    origins: Arc<[Origin]>,
    rate: Option<Arc<Rate>>,
    metrics: Arc<Metrics>,
}

impl Server {
    /// Reads its keys, and looks whether the folder is there.
    ///
    /// # Errors
    ///
    /// What [`KeyStore::open`] finds, and [`Error::Media`].
    pub fn new(settings: Settings) -> Result<Self, Error> {
        let Settings { keys, media, origins, rate } = settings;
        let keys = Arc::new(KeyStore::open(keys)?);
        let metrics = Arc::new(Metrics::new());
        metrics.keys(keys.len());
        let media = media.as_deref().map(Media::open).transpose()?;
        Ok(Self {
            keys,
            streams: media.clone().map(Listing::new).map(Arc::new),
            media,
            origins: origins.into(),
            rate: rate.map(Rate::new).map(Arc::new),
            metrics,
        })
    }

    /// The keys that it has now.
    #[must_use]
    pub fn keys(&self) -> &KeyStore {
        &self.keys
    }

    /// What is to be done about once a second, and takes as long as reading the key files: reads them again
    /// if they have changed, and forgets clients that have been quiet.
    pub fn look_after(&self) {
        if let Some(rate) = &self.rate {
            rate.forget();
        }
        match self.keys.refresh() {
            Refresh::Unchanged => {}
            Refresh::Read(keys) => {
                self.metrics.reload(true);
                self.metrics.keys(keys);
                tracing::info!(keys, "key files were read again");
            }
            Refresh::Failed(error) => {
                self.metrics.reload(false);
                let error = error.to_string();
                tracing::warn!(error, "key files cannot be read again: the keys stay as they were");
            }
        }
    }

    /// Counts a connection as long as the result lives.
    #[must_use]
    pub fn connection(&self) -> Connection {
        self.metrics.connections().inc();
        Connection(Arc::clone(&self.metrics))
    }

    /// The service. Requests come to it with their body still to be read, and, if each client is to have its
    /// own account under [`Settings::rate`], with `axum::extract::ConnectInfo<SocketAddr>`.
    pub fn router(&self) -> Router {
        let metrics = Arc::clone(&self.metrics);
        let panicked = move |_: Box<dyn Any + Send>| {
            metrics.panicked();
            Refused::new(StatusCode::INTERNAL_SERVER_ERROR, "a fault of the server").into_response()
        };
        let nosniff = HeaderValue::from_static("nosniff");
        let anywhere = HeaderValue::from_static("cross-origin");
        let resources = HeaderName::from_static("cross-origin-resource-policy");
        self.limited()
            .route("/page/{name}", get(page::part))
            .route("/media/{*path}", get(media))
            .route("/healthz", get(|| async { "ok\n" }))
            .route("/metrics", get(metrics_text))
            .fallback(|| async { Refused::not_found() })
            .method_not_allowed_fallback(|| async {
                Refused::new(StatusCode::METHOD_NOT_ALLOWED, "this method is not for this address")
            })
            .layer(CatchPanicLayer::custom(panicked))
            .layer(from_fn_with_state(Arc::clone(&self.origins), cors))
            .layer(SetResponseHeaderLayer::overriding(header::X_CONTENT_TYPE_OPTIONS, nosniff))
            .layer(SetResponseHeaderLayer::overriding(resources, anywhere))
            .layer(from_fn_with_state(Arc::clone(&self.metrics), observe))
            .with_state(self.clone())
    }

    /// What a client may ask for so many times a second, and has to ask for in time.
    fn limited(&self) -> Router<Self> {
        let routes = Router::new()
            .route("/", get(page::index).post(license))
            .route("/streams", get(streams))
            .layer(DefaultBodyLimit::max(limits::REQUEST))
            .layer(from_fn(in_time));
        match &self.rate {
            Some(rate) => routes.layer(from_fn_with_state(Arc::clone(rate), limit)),
            None => routes,
        }
    }
}

/// Waits for a request and its answer no longer than [`PATIENCE`].
async fn in_time(request: Request, next: Next) -> Response {
    let late = |_| Refused::new(StatusCode::REQUEST_TIMEOUT, "the message has not come in time");
    timeout(PATIENCE, next.run(request)).await.map_err(late).into_response()
}

/// A connection that is open.
#[derive(Debug)]
pub struct Connection(Arc<Metrics>);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.connections().dec();
    }
}

/// Answers a CDM, whatever its player says of the message's type.
async fn license(State(server): State<Server>, request: Request) -> Response {
    let message = match message(request).await {
        Ok(message) => message,
        Err(refused) => return refused.into_response(),
    };
    match reply(&server.keys, &message) {
        Ok(reply) => {
            let asked = Asked { asked: reply.asked, answered: reply.answered };
            // Wiped when it is sent.
            let license = json(StatusCode::OK, Bytes::from_owner(reply.json));
            (Extension(asked), license).into_response()
        }
        Err(refusal) => {
            let (status, asked) = match &refusal {
                Refusal::Malformed(_) => (StatusCode::BAD_REQUEST, 0),
                Refusal::Unknown(kids) => (StatusCode::NOT_FOUND, kids.len()),
            };
            let asked = Asked { asked, answered: 0 };
            (Extension(asked), Refused::new(status, refusal.to_string())).into_response()
        }
    }
}

/// The message in a request. What its head tells too much of is refused before it comes.
async fn message(request: Request) -> Result<Bytes, Refused> {
    if request.headers().contains_key(header::CONTENT_ENCODING) {
        let reason = "a message comes as it is, without content-encoding";
        return Err(Refused::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, reason));
    }
    let too_long = || {
        let reason = format!("a message has at most {} octets", limits::REQUEST);
        Refused::new(StatusCode::PAYLOAD_TOO_LARGE, reason)
    };
    if request.body().size_hint().lower() > limits::REQUEST as u64 {
        return Err(too_long());
    }
    Bytes::from_request(request, &()).await.map_err(|error| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => too_long(),
        status => Refused::new(status, "the message breaks off"),
    })
}

async fn streams(State(server): State<Server>) -> Response {
    let list = match &server.streams {
        Some(listing) => listing.json().await,
        None => Some(Bytes::from_static(b"{\"streams\":[]}")),
    };
    let unlisted =
        || Refused::new(StatusCode::INTERNAL_SERVER_ERROR, "the folder cannot be listed");
    list.map_or_else(|| unlisted().into_response(), |list| json(StatusCode::OK, list))
}

/// A name that is no UTF-8 is the name of nothing.
async fn media(
    State(server): State<Server>,
    name: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    match (&server.media, name) {
        (Some(media), Ok(Path(name))) => media.answer(&name, request).await,
        _ => Refused::not_found().into_response(),
    }
}

async fn metrics_text(State(server): State<Server>) -> Response {
    let content_type = HeaderValue::from_static(metrics::CONTENT_TYPE);
    ([(header::CONTENT_TYPE, content_type)], server.metrics.text()).into_response()
}
