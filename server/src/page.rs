//! The player page, as it is compiled in.

use axum::{
    extract::Path,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};

use crate::refused::Refused;

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";

/// What belongs to the page, by name.
const ASSETS: [(&str, &str, &[u8]); 1] = [("page.css", CSS, b"")];
const INDEX: &[u8] = b"<!doctype html>";

/// Nothing comes from elsewhere but streams and licenses, and these by address from wherever the user says.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
media-src 'self' blob:; connect-src 'self' http: https:; base-uri 'none'; form-action 'none'; \
frame-ancestors 'none'";

/// The page itself.
pub(crate) async fn index() -> Response {
    let policy = [(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY))];
    (policy, asset(HTML, INDEX)).into_response()
}

/// A file that it needs.
pub(crate) async fn part(Path(name): Path<String>) -> Response {
    match ASSETS.iter().find(|(known, ..)| *known == name) {
        Some((_, content_type, content)) => asset(content_type, content),
        None => Refused::not_found().into_response(),
    }
}

fn asset(content_type: &'static str, content: &'static [u8]) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (headers, content).into_response()
}
