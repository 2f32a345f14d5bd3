//! What is told of requests, and that no key is.

use std::{
    cell::RefCell,
    io::{self, Write},
    sync::Once,
};

use axum::body::Body;
use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
use server::{Seed, Server, Settings};
use tracing_subscriber::fmt;

use crate::support::{KIDS, ask, folder, get, message, post, server, sources};

thread_local! {
    /// What was logged on this thread: each test has its own, and asks the server on it.
    static LOG: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Writes to the log of the thread.
struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.with_borrow_mut(|log| log.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Runs something, and gives its log back, as lines of JSON.
fn logged(run: impl FnOnce()) -> String {
    static ONCE: Once = Once::new();
    // For all threads: with one for each, a test without any could switch the events off.
    ONCE.call_once(|| fmt().json().flatten_event(true).with_writer(|| Log).init());
    LOG.take();
    run();
    String::from_utf8(LOG.take()).unwrap()
}

/// How people write keys.
fn spellings(key: &[u8]) -> Vec<String> {
    [HEXLOWER, HEXUPPER, BASE64, BASE64_NOPAD, BASE64URL_NOPAD]
        .map(|form| form.encode(key))
        .to_vec()
}

#[test]
fn a_request_is_a_line_and_a_number() {
    let server = server();
    let log = logged(|| {
        post(&server, &message(&[KIDS[0], "Aw"]));
        get(&server, "/media/x%0ay.mp4?token=hush");
        ask(&server, "BREW", "/hush", &[], Body::empty());
    });
    let lines: Vec<serde_json::Value> =
        log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [license, file, other] = lines.as_slice() else { panic!("{log}") };
    for (line, method, route, status) in [
        (license, "POST", "/", 200),
        (file, "GET", "/media/{*path}", 404),
        (other, "other", "other", 404),
    ] {
        assert_eq!((&line["method"], &line["route"]), (&method.into(), &route.into()), "{line}");
        assert_eq!(line["status"], status);
        assert!(line["micros"].is_u64());
    }
    assert_eq!((&license["asked"], &license["answered"]), (&2.into(), &1.into()));
    assert_eq!(file["file"], "/media/x%0ay.mp4");
    assert!(!log.contains("hush"));

    let metrics = get(&server, "/metrics");
    assert_eq!(
        metrics.header("content-type"),
        Some("application/openmetrics-text; version=1.0.0; charset=utf-8")
    );
    for line in [
        "clearkey_requests_total{route=\"/\",status=\"200\"} 1\n",
        "clearkey_requests_total{route=\"other\",status=\"404\"} 1\n",
        "clearkey_kids_total{known=\"true\"} 1\n",
        "clearkey_kids_total{known=\"false\"} 1\n",
        "clearkey_request_duration_seconds_count{route=\"/\"} 1\n",
        "clearkey_keys 2\n",
        "clearkey_connections 0\n",
    ] {
        assert!(metrics.text().contains(line), "{line}");
    }
    assert!(metrics.text().ends_with("# EOF\n"));
}

#[test]
fn connections_are_counted() {
    let server = server();
    let count = || {
        let metrics = get(&server, "/metrics");
        let line = metrics.text().lines().find(|line| line.starts_with("clearkey_connections "));
        line.unwrap().rsplit(' ').next().unwrap().to_owned()
    };
    let connections = [(); 3].map(|()| server.connection());
    assert_eq!(count(), "3");
    drop(connections);
    assert_eq!(count(), "0");
}

/// Keys of every source, in every place where a client could put one, and none is told but in licenses.
#[test]
fn no_key_is_in_a_log_a_number_or_an_error() {
    let seed = Seed::new(&[7; 30]).unwrap();
    let derived = seed.key(&"Bw".repeat(11)[..22].parse().unwrap()).unwrap();
    let filed = [0x5c; 16];
    let lines = format!("# mine\n{}:{}\n", KIDS[0].replace('A', "B"), HEXLOWER.encode(&filed));
    let folder = folder(&[("keys.txt", lines.as_bytes()), ("media/a.mp4", b"x")]);
    let mut keys = sources();
    let secrets = [[0x3a; 16], [0x3b; 16], filed, *derived.key()];
    keys.files.push(folder.path().join("keys.txt"));
    keys.seed = Some(seed);
    let media = Some(folder.path().join("media"));
    let server = Server::new(Settings { keys, media, ..Settings::default() }).unwrap();

    let (mut told, mut licenses) = (String::new(), String::new());
    let log = logged(|| {
        let kids = [
            KIDS[0],
            KIDS[1],
            &KIDS[0].replace('A', "B"),
            &BASE64URL_NOPAD.encode(derived.kid().as_bytes()),
        ];
        licenses = post(&server, &message(&kids)).text().to_owned();
        for spelling in secrets.iter().flat_map(|key| spellings(key)) {
            let escaped = spelling.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
            // A key within a broken message, as its type, as a member; in an address; as a header.
            for message in [
                format!(r#"{{"kids":["AQ"],"k":"{spelling}""#),
                format!(r#"{{"keys":[{{"k":"{spelling}"}}]}}"#),
                format!(r#"{{"kids":[{{"k":"{spelling}"}}],"type":"temporary"}}"#),
                format!(r#"{{"kids":["AQ"],"type":["{spelling}"]}}"#),
                spelling.clone(),
            ] {
                let answer = post(&server, &message);
                assert!(!answer.status.is_success(), "{answer:?}");
                told += answer.text();
            }
            for path in
                [format!("/?key={escaped}"), format!("/{escaped}"), format!("/page/{escaped}")]
            {
                told += get(&server, &path).text();
            }
            let headers = [("x-key", spelling.as_str()), ("authorization", &spelling)];
            told += ask(&server, "PUT", "/", &headers, Body::empty()).text();
        }
        // Their file breaks.
        for broken in [HEXLOWER.encode(&filed), format!("{}:{}0", KIDS[0], HEXLOWER.encode(&filed))]
        {
            std::fs::write(folder.path().join("keys.txt"), broken).unwrap();
            server.look_after();
            server.look_after();
        }
        told += get(&server, "/streams").text();
        told += get(&server, "/metrics").text();
    });
    assert_eq!(log.matches("key files cannot be read again").count(), 2, "{log}");
    for key in secrets {
        let shown = BASE64URL_NOPAD.encode(&key);
        assert!(licenses.contains(&shown), "it would be found if it was there");
        for spelling in spellings(&key) {
            assert!(!log.contains(&spelling), "a key in the log");
            assert!(!told.contains(&spelling), "a key in an answer");
        }
    }
}
