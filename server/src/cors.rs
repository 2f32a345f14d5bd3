//! Which pages may ask, as browsers have it (Fetch Standard, "CORS protocol").

use std::{str::FromStr, sync::Arc};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use clearkey::quote;

use crate::{Error, refused::Refused};

/// Where a page comes from: `SCHEME://HOST`, or `SCHEME://HOST:PORT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(HeaderValue);

impl FromStr for Origin {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let is_origin = |uri: &Uri| {
            let parts = (uri.scheme_str(), uri.authority());
            let (Some(scheme), Some(authority)) = parts else { return false };
            text.eq_ignore_ascii_case(&format!("{scheme}://{authority}"))
                && !authority.as_str().contains('@')
        };
        let found = text.parse().ok().filter(is_origin);
        let value = found.and_then(|_| HeaderValue::from_str(&text.to_ascii_lowercase()).ok());
        value.map(Self).ok_or_else(|| Error::Origin { text: quote(text) })
    }
}

/// What all pages may send besides what needs no leave.
const HEADERS: &str = "content-type, range";
/// For how long a browser need not ask again, in seconds; Chromium remembers no longer.
const MAX_AGE: &str = "7200";

/// Answers preflight requests, and gives each other answer, errors too, the headers without which a page
/// would not see it. With a list of origins, requests of other pages are refused. Credentials are never
/// allowed.
pub(crate) async fn cors(
    State(allowed): State<Arc<[Origin]>>,
    request: Request,
    next: Next,
) -> Response {
    let pages = match pages(&allowed, request.headers()) {
        Ok(pages) => pages,
        Err(refused) => return with_vary(refused.into_response(), &allowed),
    };
    let mut response = match preflight(&request) {
        Some(answer) => answer.into_response(),
        None => next.run(request).await,
    };
    if let Some(pages) = pages {
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, pages);
        let shown = HeaderValue::from_static("accept-ranges, content-range, retry-after");
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, shown);
    }
    with_vary(response, &allowed)
}

/// Caches are told if the answer is not the same for all pages.
fn with_vary(mut response: Response, allowed: &[Origin]) -> Response {
    if !allowed.is_empty() {
        response.headers_mut().append(header::VARY, HeaderValue::from_static("origin"));
    }
    response
}

/// Which pages may see the answer to a request with these headers: all; the one that sent it; or none has
/// sent it.
fn pages(allowed: &[Origin], headers: &HeaderMap) -> Result<Option<HeaderValue>, Refused> {
    if allowed.is_empty() {
        return Ok(Some(HeaderValue::from_static("*")));
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(None) };
    let is_allowed = allowed.iter().any(|Origin(allowed)| allowed == origin);
    if is_allowed || is_same(origin, headers) {
        return Ok(Some(origin.clone()));
    }
    Err(Refused::new(StatusCode::FORBIDDEN, "pages of this origin may not ask"))
}

/// Whether a page comes from this server itself: what it calls its origin is what it calls the server.
fn is_same(origin: &HeaderValue, headers: &HeaderMap) -> bool {
    let authority = origin.to_str().ok().and_then(|text| text.split_once("://"));
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    authority.is_some_and(|(_, authority)| Some(authority) == host)
}

/// The answer to a question whether a request may be sent, if it is one.
fn preflight(request: &Request) -> Option<Result<Response, Refused>> {
    if request.method() != Method::OPTIONS {
        return None;
    }
    let methods = if request.uri().path() == "/" { "GET, HEAD, POST" } else { "GET, HEAD" };
    let is_in = |list: &str, wanted: &str, is_same: fn(&str, &str) -> bool| {
        list.split(", ").any(|known| is_same(known, wanted))
    };
    let wanted = |name| request.headers().get(name).map(|value| value.to_str().unwrap_or("?"));
    let forbidden = |what: String| Some(Err(Refused::new(StatusCode::FORBIDDEN, what)));
    let Some(method) = wanted(header::ACCESS_CONTROL_REQUEST_METHOD) else {
        let allow = [(header::ALLOW, HeaderValue::from_static(methods))];
        return Some(Ok((StatusCode::NO_CONTENT, allow).into_response()));
    };
    if !is_in(methods, method, |known, wanted| known == wanted) {
        return forbidden(format!("allowed methods: {methods}"));
    }
    let names = wanted(header::ACCESS_CONTROL_REQUEST_HEADERS).unwrap_or_default();
    let mut names = names.split(',').map(str::trim).filter(|name| !name.is_empty());
    if !names.all(|name| is_in(HEADERS, name, str::eq_ignore_ascii_case)) {
        return forbidden(format!("allowed headers: {HEADERS}"));
    }
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, methods),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS),
        (header::ACCESS_CONTROL_MAX_AGE, MAX_AGE),
    ];
    let headers = headers.map(|(name, value)| (name, HeaderValue::from_static(value)));
    Some(Ok((StatusCode::NO_CONTENT, headers).into_response()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_what_browsers_send() {
        for (text, expected) in [
            ("https://example.com", Some("https://example.com")),
            ("HTTP://LocalHost:8080", Some("http://localhost:8080")),
            ("http://[::1]:80", Some("http://[::1]:80")),
            ("https://example.com/", None),
            ("https://example.com/page", None),
            ("https://me@example.com", None),
            ("example.com", None),
            ("*", None),
            ("null", None),
            ("", None),
        ] {
            let origin = text.parse::<Origin>().ok();
            let value = origin.as_ref().map(|Origin(value)| value.to_str().unwrap());
            assert_eq!(value, expected, "{text}");
        }
    }
}
