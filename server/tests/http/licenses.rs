//! The exchange of a message for a license.

use std::{convert::Infallible, num::NonZeroU32, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::StatusCode,
};
use clearkey::{KeyId, License, LicenseRelease, LicenseRequest, SessionType, limits};
use http_body_util::BodyExt;
use proptest::prelude::*;
use server::{Seed, Server, Settings};
use tokio::runtime;
use tower::ServiceExt;

use crate::support::{KIDS, ask, folder, get, message, post, server, settings, sources};

#[test]
fn a_license_holds_the_keys_that_are_asked_for_and_known() {
    let unknown = "AwMDAwMDAwMDAwMDAwMDAw";
    let answer = post(&server(), &message(&[KIDS[1], unknown, KIDS[0]]));
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let license = License::parse(&answer.body).unwrap();
    let keys: Vec<_> =
        license.keys.iter().map(|jwk| (jwk.kid().as_bytes()[0], *jwk.key())).collect();
    assert_eq!(keys, [(2, [0x3b; 16]), (1, [0x3a; 16])]);
    assert_eq!(license.license_type, SessionType::Temporary);
}

#[test]
fn the_content_type_says_nothing() {
    let server = server();
    for content_type in
        [None, Some("application/octet-stream"), Some("text/plain"), Some("nonsense")]
    {
        let headers: Vec<_> =
            content_type.map(|value| ("content-type", value)).into_iter().collect();
        let answer = ask(&server, "POST", "/", &headers, message(&KIDS));
        assert_eq!(answer.status, StatusCode::OK, "{content_type:?}");
    }
    let zipped = ask(&server, "POST", "/", &[("content-encoding", "gzip")], message(&KIDS));
    assert_eq!(zipped.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(zipped.reason(), "a message comes as it is, without content-encoding");
}

#[test]
fn a_release_is_acknowledged() {
    let answer = post(&server(), r#"{"kids":["AQEBAQEBAQEBAQEBAQEBAQ"]}"#);
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(LicenseRelease::parse(&answer.body).unwrap().kids().len(), 1);
}

#[test]
fn a_refusal_says_why() {
    let server = server();
    for (message, status, reason) in [
        ("", 400, "message of 0 octets, 1 to 131072 allowed"),
        ("{", 400, "no JSON: EOF while parsing an object at line 1 column 1"),
        (r#"{"type":"temporary"}"#, 400, "kids: missing"),
        (r#"{"kids":["A="],"type":"temporary"}"#, 400, "kids[0]: no base64url from character 1 on"),
        (r#"{"kids":["Aw"],"type":"temporary"}"#, 404, "no key for KID 03"),
    ] {
        let answer = post(&server, message);
        assert_eq!((answer.status.as_u16(), answer.reason()), (status, reason.to_owned()));
    }
}

#[test]
fn a_message_has_a_length() {
    let server = server();
    let blank = |len: usize| message(&KIDS) + &" ".repeat(len - message(&KIDS).len());
    assert_eq!(post(&server, &blank(limits::REQUEST)).status, StatusCode::OK);
    let refused = post(&server, &blank(limits::REQUEST + 1));
    assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(refused.reason(), "a message has at most 131072 octets");
}

#[test]
fn a_message_that_does_not_end_is_waited_for_so_long() {
    let runtime = runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(async {
        let begun = tokio::time::Instant::now();
        let body = Body::from_stream(Endless);
        let request = axum::http::Request::post("/").body(body).unwrap();
        let answer = server().router().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), StatusCode::REQUEST_TIMEOUT);
        assert_eq!(answer.headers()["access-control-allow-origin"], "*");
        let said = answer.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(&*said, br#"{"error":"the message has not come in time"}"#);
        assert_eq!(begun.elapsed().as_secs(), 10);
    });
}

/// A body of which one octet comes in a while.
struct Endless;

impl futures_core::Stream for Endless {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(
        self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        let waker = context.waker().clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(100)).await;
            waker.wake();
        });
        std::task::Poll::Pending
    }
}

#[test]
fn other_methods_and_addresses_are_refused() {
    let server = server();
    for (method, path, status) in [
        ("PUT", "/", 405),
        ("DELETE", "/", 405),
        ("BREW", "/", 405),
        ("POST", "/healthz", 405),
        ("GET", "/license", 404),
        ("POST", "/license", 404),
        ("GET", "//", 404),
        ("GET", "/media", 404),
        ("GET", "/media/", 404),
        ("GET", "/media/a.mp4", 404),
        ("GET", "/page/none.js", 404),
    ] {
        let answer = ask(&server, method, path, &[], Body::empty());
        assert_eq!(answer.status.as_u16(), status, "{method} {path}");
        assert!(!answer.reason().is_empty());
    }
    assert_eq!(get(&server, "/healthz").text(), "ok\n");
}

#[test]
fn a_seed_has_a_key_for_every_key_id() {
    let mut keys = sources();
    keys.seed = Some(Seed::new(&[7; 30]).unwrap());
    let server = Server::new(Settings { keys, ..Settings::default() }).unwrap();
    let license = post(&server, &message(&["AwMDAwMDAwMDAwMDAwMDAw", KIDS[0]]));
    let license = License::parse(&license.body).unwrap();
    assert_eq!(license.keys.len(), 2);
    assert_eq!(license.keys[1].key(), &[0x3a; 16]);
}

#[test]
fn who_asks_too_often_has_to_wait() {
    let settings = Settings { rate: NonZeroU32::new(2), ..settings() };
    let server = Server::new(settings).unwrap();
    let statuses = [(); 3].map(|()| post(&server, &message(&KIDS)).status.as_u16());
    assert_eq!(statuses, [200, 200, 429]);
    let refused = post(&server, &message(&KIDS));
    assert_eq!(
        (refused.reason().as_str(), refused.header("retry-after")),
        ("too many requests", Some("1"))
    );
    assert_eq!(refused.header("access-control-allow-origin"), Some("*"));
    assert_eq!(get(&server, "/streams").status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(get(&server, "/healthz").status, StatusCode::OK);
}

#[test]
fn keys_change_while_it_serves() {
    let line = |kid: &str| format!("{kid}:OjoaGhoaGhoaGhoaGhoaGg\n");
    let folder = folder(&[("keys.txt", line(KIDS[0]).as_bytes())]);
    let path = folder.path().join("keys.txt");
    let mut settings = Settings::default();
    settings.keys.files.push(path.clone());
    let server = Server::new(settings).unwrap();
    let statuses = || KIDS.map(|kid| post(&server, &message(&[kid])).status.as_u16());
    assert_eq!(statuses(), [200, 404]);
    std::fs::write(&path, line(KIDS[0]) + &line(KIDS[1])).unwrap();
    server.look_after();
    assert_eq!(statuses(), [200, 404]);
    server.look_after();
    assert_eq!(statuses(), [200, 200]);
    std::fs::write(&path, "{}").unwrap();
    server.look_after();
    server.look_after();
    assert_eq!(statuses(), [200, 200]);
    let metrics = get(&server, "/metrics");
    for line in [
        "clearkey_keys 2\n",
        "clearkey_key_reloads_total{result=\"done\"} 1\n",
        "clearkey_key_reloads_total{result=\"failed\"} 1\n",
    ] {
        assert!(metrics.text().contains(line), "{line}");
    }
}

proptest! {
    /// Whatever comes, something is said, and it is JSON.
    #[test]
    fn any_message_has_an_answer(message in prop::collection::vec(any::<u8>(), 0..300)) {
        let answer = ask(&server(), "POST", "/", &[], message);
        prop_assert!(matches!(answer.status.as_u16(), 200 | 400 | 404), "{:?}", answer);
        serde_json::from_slice::<serde_json::Value>(&answer.body).unwrap();
    }

    /// The license has the keys that are known, in the order of the request, each once.
    #[test]
    fn a_request_is_answered_with_the_keys_that_are_known(
        asked in prop::collection::vec(0_u8..5, 1..12),
        session_type in prop::sample::select(vec![SessionType::Temporary, SessionType::PersistentLicense]),
    ) {
        let kids: Vec<_> = asked.iter().map(|octet| KeyId::from([*octet; 16])).collect();
        let request = LicenseRequest::new(kids, session_type).unwrap();
        let mut expected: Vec<_> = request.kids().iter().map(|kid| kid.as_bytes()[0]).collect();
        expected.retain(|octet| [1, 2].contains(octet));
        let answer = ask(&server(), "POST", "/", &[], request.to_json());
        if expected.is_empty() {
            prop_assert_eq!(answer.status, StatusCode::NOT_FOUND);
        } else {
            let license = License::parse(&answer.body).unwrap();
            let keys = license.keys.iter().map(|jwk| (jwk.kid().as_bytes()[0], *jwk.key()));
            let expected = expected.iter().map(|octet| (*octet, [0x39 + octet; 16]));
            prop_assert!(keys.eq(expected));
            prop_assert_eq!(license.license_type, session_type);
        }
    }

    /// The same of what looks like messages.
    #[test]
    fn any_list_of_key_ids_has_an_answer(
        kids in prop::collection::vec("[A-Za-z0-9_=-]{0,30}", 0..140),
        kind in prop::option::of(prop::sample::select(vec!["temporary", "persistent-license", "x"])),
    ) {
        let mut message = serde_json::json!({ "kids": kids });
        if let Some(kind) = kind {
            message["type"] = kind.into();
        }
        let answer = post(&server(), &message.to_string());
        prop_assert!(matches!(answer.status.as_u16(), 200 | 400 | 404), "{:?}", answer);
        serde_json::from_slice::<serde_json::Value>(&answer.body).unwrap();
    }
}
