//! What pages of other origins may do.

use axum::{body::Body, http::StatusCode};
use server::{Server, Settings};

use crate::support::{Answer, KIDS, ask, get, message, server, settings};

/// A server that pages of one origin may ask.
fn choosy() -> Server {
    let origins = vec!["https://good.example".parse().unwrap()];
    Server::new(Settings { origins, ..settings() }).unwrap()
}

fn license(server: &Server, headers: &[(&str, &str)]) -> Answer {
    ask(server, "POST", "/", headers, message(&KIDS))
}

fn preflight(
    server: &Server,
    path: &str,
    method: &str,
    headers: Option<&str>,
    origin: &str,
) -> Answer {
    let mut sent = vec![("origin", origin), ("access-control-request-method", method)];
    sent.extend(headers.map(|headers| ("access-control-request-headers", headers)));
    ask(server, "OPTIONS", path, &sent, Body::empty())
}

#[test]
fn every_answer_may_be_read_by_all_pages() {
    let server = server();
    for (method, path, body) in [
        ("POST", "/", message(&KIDS)),
        ("POST", "/", "{}".to_owned()),
        ("POST", "/", " ".repeat(200_000)),
        ("PUT", "/", String::new()),
        ("GET", "/", String::new()),
        ("GET", "/streams", String::new()),
        ("GET", "/media/none.mp4", String::new()),
        ("GET", "/none", String::new()),
    ] {
        let answer = ask(&server, method, path, &[("origin", "https://a.example")], body);
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{method} {path}");
        assert_eq!(answer.header("access-control-allow-credentials"), None);
        assert_eq!(answer.header("vary"), None);
    }
}

#[test]
fn preflights_of_players_are_granted() {
    for headers in [None, Some("content-type"), Some("Content-Type"), Some("range,content-type")] {
        let answer = preflight(&server(), "/", "POST", headers, "https://a.example");
        assert_eq!((answer.status, answer.body.len()), (StatusCode::NO_CONTENT, 0), "{headers:?}");
        for (name, value) in [
            ("access-control-allow-origin", Some("*")),
            ("access-control-allow-methods", Some("GET, HEAD, POST")),
            ("access-control-allow-headers", Some("content-type, range")),
            ("access-control-allow-credentials", None),
            ("access-control-allow-private-network", None),
        ] {
            assert_eq!(answer.header(name), value);
        }
    }
    let media = preflight(&server(), "/media/a.mp4", "GET", Some("range"), "null");
    assert_eq!(media.status, StatusCode::NO_CONTENT);
    let bare = ask(&server(), "OPTIONS", "/", &[], Body::empty());
    assert_eq!(bare.status, StatusCode::NO_CONTENT);
}

#[test]
fn preflights_for_more_are_refused() {
    for (path, method, headers, reason) in [
        ("/", "PUT", None, "allowed methods: GET, HEAD, POST"),
        ("/", "post", None, "allowed methods: GET, HEAD, POST"),
        ("/media/a.mp4", "POST", None, "allowed methods: GET, HEAD"),
        ("/", "POST", Some("content-type, x-token"), "allowed headers: content-type, range"),
        ("/", "POST", Some("authorization"), "allowed headers: content-type, range"),
    ] {
        let answer = preflight(&server(), path, method, headers, "https://a.example");
        assert_eq!((answer.status, answer.reason().as_str()), (StatusCode::FORBIDDEN, reason));
        assert_eq!(answer.header("access-control-allow-methods"), None);
    }
}

#[test]
fn with_a_list_other_pages_are_refused() {
    let server = choosy();
    let good = license(&server, &[("origin", "https://good.example")]);
    assert_eq!(good.status, StatusCode::OK);
    assert_eq!(good.header("access-control-allow-origin"), Some("https://good.example"));
    assert_eq!(good.header("vary"), Some("origin"));
    for origin in [
        "http://good.example",
        "https://good.example:8443",
        "https://good.example.evil.example",
        "https://evil-good.example",
        "https://Good.example",
        "https://good.example/",
        "null",
        "",
    ] {
        let answer = license(&server, &[("origin", origin)]);
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{origin}");
        assert_eq!(answer.reason(), "pages of this origin may not ask");
        assert_eq!(answer.header("access-control-allow-origin"), None);
        assert_eq!(answer.header("vary"), Some("origin"));
        let asked = preflight(&server, "/", "POST", None, origin);
        assert_eq!(asked.status, StatusCode::FORBIDDEN, "{origin}");
    }
}

#[test]
fn with_a_list_its_own_page_and_what_is_no_page_may_ask() {
    let server = choosy();
    let headers = [("origin", "http://127.0.0.1:8080"), ("host", "127.0.0.1:8080")];
    assert_eq!(license(&server, &headers).status, StatusCode::OK);
    let headers = [("origin", "http://127.0.0.1:8080"), ("host", "127.0.0.1:8081")];
    assert_eq!(license(&server, &headers).status, StatusCode::FORBIDDEN);
    let bare = license(&server, &[]);
    assert_eq!((bare.status, bare.header("access-control-allow-origin")), (StatusCode::OK, None));
    assert_eq!(get(&server, "/healthz").header("vary"), Some("origin"));
}
