//! Any octets as a connection.

use std::{
    path::Path,
    sync::{LazyLock, Mutex, PoisonError},
};

use axum::http::{Method, StatusCode, header};
use clearkey::{CdmMessage, Jwk, KeyId, License, base64url};
use data_encoding::{HEXLOWER, HEXUPPER};
use tokio::runtime::{Builder, Runtime};

use super::{
    connection::{Asked, Manner, talk},
    wire::{Answer, answers},
};
use crate::{KeySources, Server, Settings};

/// Sends octets as a client would, twice. Each answer is what the request before it asks for, and well-formed;
/// none is a fault of the server, holds a key that was not asked for, or anything from outside the folder; and
/// the second time they are the same. Whether something was answered with success.
///
/// The first octet says how: `1` to a server that only some pages may ask, `2` the client hangs up, `4` it sends
/// a few octets at a time; sums of these are digits, too.
pub fn http(bytes: &[u8]) -> bool {
    let Some((how, sent)) = bytes.split_first() else { return false };
    let stage = STAGE.lock().unwrap_or_else(PoisonError::into_inner);
    let is_closed = how & 1 != 0;
    let server = &stage.servers[usize::from(is_closed)];
    let manner =
        Manner { piece: if how & 4 == 0 { usize::MAX } else { 7 }, hangs_up: how & 2 != 0 };
    let once = || {
        let (asked, received) = stage.runtime.block_on(talk(server.router(), sent, manner));
        no_secret(&stage.hidden, sent, &received);
        let methods: Vec<_> = asked.iter().map(|asked| asked.method.clone()).collect();
        let (answers, is_cut) = answers(&received, &methods);
        // One may be said to what is no request.
        assert!(answers.len() <= asked.len() + 1);
        assert!(manner.hangs_up || !is_cut && answers.len() >= asked.len(), "an answer is missing");
        (asked, answers)
    };
    let (asked, answers) = once();
    for (asked, answer) in asked.iter().zip(&answers) {
        stage.check(is_closed, asked, answer, sent);
    }
    for answer in answers.iter().skip(asked.len()) {
        assert!([400, 408, 414, 431].contains(&answer.status.as_u16()), "{answer:?}");
        assert!(answer.body.is_empty());
    }
    // Who hangs up does not wait for the answers that there may have been.
    if !manner.hangs_up {
        let (again, others) = once();
        for (at, (one, other)) in answers.iter().zip(&others).enumerate() {
            same(asked.get(at), one, other);
        }
        // Whether a connection goes on behind a body that nobody reads, is a matter of time.
        let has_body = |asked: &Asked| {
            let names = [header::CONTENT_LENGTH, header::TRANSFER_ENCODING];
            names.iter().any(|name| asked.headers.contains_key(name))
        };
        assert!(asked.len() == again.len() || asked.iter().any(has_body));
    }
    answers.iter().any(|answer| answer.status.is_success())
}

static STAGE: LazyLock<Mutex<Stage>> = LazyLock::new(|| Mutex::new(Stage::new()));

struct Stage {
    runtime: Runtime,
    /// One that every page may ask, and one that some may.
    servers: [Server; 2],
    /// The files that are shown, by their path.
    shown: Vec<(String, Vec<u8>)>,
    /// What nobody may see.
    hidden: Vec<Vec<u8>>,
}

const ORIGIN: &str = "https://player.example";

/// Key ids of 16 times the octet, and the keys.
const KEYS: [(u8, [u8; 16]); 3] =
    [(1, *b"one-key-nobody-s"), (2, *b"another-key-hid!"), (3, *b"\x90third\xffkey-raw\x00!")];

impl Stage {
    fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/media"));
        let fixed: Vec<_> =
            KEYS.iter().map(|(kid, key)| Jwk::new(KeyId::from([*kid; 16]), *key)).collect();
        let server = |origins| {
            let keys = KeySources { fixed: fixed.clone(), ..KeySources::default() };
            let media = Some(folder.join("shown"));
            Server::new(Settings { keys, media, origins, rate: None }).unwrap()
        };
        let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
        let shown = ["a.mp4", "again.mp4", "b/c d.webm", "empty.mp4", "v.mpd"];
        let shown = shown.map(|name| (name.to_owned(), read(&format!("shown/{name}")))).to_vec();
        let hidden = ["outside.mp4", "shown/keys.txt", "shown/.hidden.mp4", "shown/.hid/x.mp4"];
        let mut hidden = hidden.map(read).to_vec();
        for (_, key) in KEYS {
            let texts = [base64url::encode(&key), HEXLOWER.encode(&key), HEXUPPER.encode(&key)];
            hidden.extend(texts.map(String::into_bytes));
            hidden.push(key.to_vec());
        }
        let servers = [server(Vec::new()), server(vec![ORIGIN.parse().unwrap()])];
        Self { runtime: runtime.unwrap(), servers, shown, hidden }
    }

    /// Compares an answer with the request.
    fn check(&self, is_closed: bool, asked: &Asked, answer: &Answer, sent: &[u8]) {
        let header = |name: &str| answer.headers.get(name).map(|value| value.as_bytes());
        assert_eq!(header("x-content-type-options"), Some(&b"nosniff"[..]));
        assert_eq!(header("cross-origin-resource-policy"), Some(&b"cross-origin"[..]));
        let page = asked.headers.get(header::ORIGIN);
        let told = header("access-control-allow-origin");
        let is_refused = is_closed && told.is_none() && page.is_some();
        match is_closed {
            false => assert_eq!(told, Some(&b"*"[..])),
            true => assert!(told.is_none() || told == page.map(|page| page.as_bytes())),
        }
        assert!(answer.headers.get_all("access-control-allow-origin").iter().count() <= 1);
        let status = answer.status.as_u16();
        let body = &*answer.body;
        let path = asked.uri.path();
        if is_refused {
            assert_eq!(status, 403);
        } else if asked.method == Method::OPTIONS {
            assert!([204, 403].contains(&status), "{status}");
        } else {
            let is_get = [Method::GET, Method::HEAD].contains(&asked.method);
            let is_known = ["/", "/healthz", "/metrics", "/streams"].contains(&path)
                || path
                    .strip_prefix("/page/")
                    .is_some_and(|name| !name.is_empty() && !name.contains('/'))
                || path.strip_prefix("/media/").is_some_and(|name| !name.is_empty());
            match path {
                "/" if asked.method == Method::POST => self.license(asked, answer),
                _ if is_known && !is_get => {
                    assert_eq!(status, 405);
                    assert!(answer.headers.contains_key(header::ALLOW));
                }
                _ if !is_known => assert_eq!(status, 404, "{path}"),
                "/metrics" | "/" | "/streams" => assert_eq!(status, 200),
                "/healthz" => assert_eq!((status, answer.text_of("ok\n", asked)), (200, "ok\n")),
                _ if path.starts_with("/page/") => assert!([200, 404].contains(&status)),
                _ => self.media(asked, answer),
            }
        }
        if answer.status.is_client_error() && asked.method != Method::HEAD {
            assert_eq!(header("content-type"), Some(&b"application/json"[..]), "{answer:?}");
            let said: serde_json::Value = serde_json::from_slice(body).expect("JSON that says no");
            assert!(said["error"].is_string());
        }
        assert!(answer.headers.len() < 24 && body.len() < (1 << 20) + 2 * sent.len());
    }

    fn license(&self, asked: &Asked, answer: &Answer) {
        let message = CdmMessage::parse(&asked.body);
        let key = |kid: &KeyId| KEYS.iter().find(|(known, _)| *kid == KeyId::from([*known; 16]));
        match (answer.status.as_u16(), message) {
            (200, Ok(CdmMessage::Request(request))) => {
                let license = License::parse(&answer.body).expect("a license");
                assert_eq!(license.license_type, request.session_type());
                let known = request.kids().iter().filter(|kid| key(kid).is_some());
                assert_eq!(license.keys.len(), known.count());
                for jwk in &license.keys {
                    assert!(request.kids().contains(jwk.kid()), "nobody asked for {}", jwk.kid());
                    assert_eq!(Some(jwk.key()), key(jwk.kid()).map(|(_, key)| key));
                }
            }
            (200, Ok(CdmMessage::Release(release))) => {
                assert_eq!(answer.body, release.to_json());
            }
            (404, Ok(CdmMessage::Request(request))) => {
                assert!(!request.kids().iter().any(|kid| key(kid).is_some()));
            }
            (400, Err(_)) | (408 | 413 | 415, _) => {}
            // What came of it may look like a message.
            (400, Ok(_)) => assert!(str::from_utf8(&answer.body).unwrap().contains("breaks off")),
            (status, message) => panic!("{status} to {message:?}"),
        }
    }

    fn media(&self, asked: &Asked, answer: &Answer) {
        let status = answer.status.as_u16();
        assert!([200, 206, 304, 404, 412, 416].contains(&status), "{answer:?}");
        if status != 200 && status != 206 {
            return;
        }
        let name = asked.uri.path().strip_prefix("/media/").unwrap();
        let name = percent_encoding::percent_decode_str(name).decode_utf8().expect("a shown name");
        // What says nothing in a path may stand in it.
        let parts = name.split('/').filter(|part| !part.is_empty() && *part != ".");
        let name = parts.collect::<Vec<_>>().join("/");
        let (_, content) =
            self.shown.iter().find(|(shown, _)| *shown == name).expect("a file that is shown");
        let header = |name| answer.headers.get(name).map(|value| value.to_str().unwrap());
        assert!(header(header::CONTENT_TYPE).is_some());
        let (start, end) = match header(header::CONTENT_RANGE) {
            None => (0, content.len()),
            Some(range) => {
                let range = range.strip_prefix("bytes ").unwrap();
                let (range, len) = range.split_once('/').unwrap();
                let (first, last) = range.split_once('-').unwrap();
                assert_eq!(len, content.len().to_string());
                (first.parse().unwrap(), last.parse::<usize>().unwrap() + 1)
            }
        };
        assert_eq!(status == 206, header(header::CONTENT_RANGE).is_some());
        let expected = &content[start..end];
        assert_eq!(header(header::CONTENT_LENGTH), Some(&*expected.len().to_string()));
        if asked.method == Method::GET {
            assert_eq!(answer.body, expected);
        }
    }
}

impl Answer {
    /// The body as text; of an answer that has none, what it would be.
    fn text_of<'t>(&'t self, expected: &'t str, asked: &Asked) -> &'t str {
        if asked.method == Method::HEAD { expected } else { str::from_utf8(&self.body).unwrap() }
    }
}

/// Nothing that is hidden comes back, unless it was sent, or is a license: there, it is looked at.
fn no_secret(hidden: &[Vec<u8>], sent: &[u8], received: &[u8]) {
    let is_in = |text: &[u8], part: &[u8]| text.windows(part.len()).any(|window| window == part);
    let is_license = is_in(received, br#"{"keys":[{"#);
    for secret in hidden {
        if is_in(received, secret) && !is_in(sent, secret) {
            let is_key = KEYS.iter().any(|(_, key)| base64url::encode(key).as_bytes() == secret);
            assert!(is_key && is_license, "{} came back", String::from_utf8_lossy(secret));
        }
    }
}

/// Compares two answers to the same request, but for what changes with time and with requests.
fn same(asked: Option<&Asked>, one: &Answer, other: &Answer) {
    assert_eq!(one.status, other.status, "{asked:?}");
    assert_ne!(one.status, StatusCode::INTERNAL_SERVER_ERROR);
    if asked.is_some_and(|asked| asked.uri.path() == "/metrics") {
        return;
    }
    let headers = |answer: &Answer| {
        let mut headers = answer.headers.clone();
        headers.remove(header::DATE);
        headers.remove(header::CONNECTION);
        headers
    };
    assert_eq!(headers(one), headers(other));
    assert_eq!(one.body, other.body);
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::fuzzing::seeds::seeds;

    #[test]
    fn every_seed_is_answered() {
        let stop_short = |(_, seed): &(_, Vec<u8>)| !http(seed);
        let short: Vec<_> = seeds("http").into_iter().filter(stop_short).collect();
        assert!(short.is_empty(), "{short:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_octets_are_requests_or_refused(bytes in vec(any::<u8>(), 0..80)) {
            http(&bytes);
        }
    }
}
