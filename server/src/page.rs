//! The player page, as it is compiled in.

use axum::{
    extract::{Path, rejection::PathRejection},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};

use crate::refused::Refused;

macro_rules! asset {
    ($name:literal, $content_type:expr) => {
        ($name, $content_type, include_bytes!(concat!("../page/", $name)))
    };
}

/// A file of the page: its name, its type, its content.
type Asset = (&'static str, &'static str, &'static [u8]);

const INDEX: Asset = asset!("index.html", "text/html; charset=utf-8");

/// What belongs to the page.
const PARTS: [Asset; 18] = [
    asset!("page.css", "text/css; charset=utf-8"),
    asset!("codecs.js", JS),
    asset!("eme.js", JS),
    asset!("init_data.js", JS),
    asset!("license.js", JS),
    asset!("log.js", JS),
    asset!("media_source.js", JS),
    asset!("mp4.js", JS),
    asset!("mpd.js", JS),
    asset!("octets.js", JS),
    asset!("page.js", JS),
    asset!("playback.js", JS),
    asset!("ranges.js", JS),
    asset!("session_table.js", JS),
    asset!("stream.js", JS),
    asset!("stream_list.js", JS),
    asset!("track.js", JS),
    asset!("webm.js", JS),
];

const JS: &str = "text/javascript; charset=utf-8";

/// Nothing comes from elsewhere but streams and licenses, and these by address from wherever the user says.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
media-src 'self' blob:; connect-src 'self' http: https:; base-uri 'none'; form-action 'none'; \
frame-ancestors 'none'";

/// The page itself.
pub(crate) async fn index() -> Response {
    let policy = [(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY))];
    (policy, answer(INDEX)).into_response()
}

/// A file that it needs. A name that is no UTF-8 is the name of nothing.
pub(crate) async fn part(name: Result<Path<String>, PathRejection>) -> Response {
    let found = name.ok().and_then(|Path(name)| PARTS.into_iter().find(|part| part.0 == name));
    found.map_or_else(|| Refused::not_found().into_response(), answer)
}

fn answer((_, content_type, content): Asset) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (headers, content).into_response()
}
