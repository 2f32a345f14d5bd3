//! What is said of each request: a line in the log, and numbers.
//!
//! Neither holds a key, nor anything of a body: key ids are counted, since one who mixes the two up sends a
//! key as its id. Of an address, the path of a stream is told, and no query.

use std::{sync::Arc, time::Instant};

use axum::{
    extract::{MatchedPath, Request, State},
    http::Method,
    middleware::Next,
    response::Response,
};
use clearkey::quote;

use crate::{metrics::Metrics, rate::peer};

/// What a license request came to, for the log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub(crate) asked: usize,
    pub(crate) answered: usize,
}

/// Logs and counts a request.
pub(crate) async fn observe(
    State(metrics): State<Arc<Metrics>>,
    request: Request,
    next: Next,
) -> Response {
    let begun = Instant::now();
    let route = route(request.extensions().get::<MatchedPath>());
    let method = method(request.method());
    let client = peer(&request);
    let file = (route == MEDIA).then(|| quote(request.uri().path()));

    let response = next.run(request).await;

    let taken = begun.elapsed();
    let status = response.status().as_u16();
    metrics.request(route, status, taken.as_secs_f64());
    let asked = response.extensions().get::<Asked>();
    if let Some(Asked { asked, answered }) = asked {
        metrics.kids(*answered, asked - answered);
    }
    tracing::info!(
        client = client.map(tracing::field::display),
        method,
        route,
        file,
        status,
        asked = asked.map(|asked| asked.asked),
        answered = asked.map(|asked| asked.answered),
        micros = u64::try_from(taken.as_micros()).unwrap_or(u64::MAX),
        "request"
    );
    response
}

const MEDIA: &str = "/media/{*path}";

/// The addresses there are; everything else is `other`.
fn route(matched: Option<&MatchedPath>) -> &'static str {
    let known = ["/", "/healthz", MEDIA, "/metrics", "/page/{name}", "/streams"];
    let matched = matched.map(MatchedPath::as_str);
    known.into_iter().find(|known| Some(*known) == matched).unwrap_or("other")
}

fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        Method::POST => "POST",
        _ => "other",
    }
}
