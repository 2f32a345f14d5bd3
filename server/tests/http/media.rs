//! The folder of streams.

use std::{fs, os::unix::fs::symlink};

use axum::{body::Body, http::StatusCode};
use server::{Server, Settings};
use tempfile::TempDir;

use crate::support::{Answer, ask, folder, get, settings};

const FILES: [(&str, &[u8]); 8] = [
    ("a.mp4", b"0123456789"),
    ("b/c d#é.webm", b"webm"),
    ("b/v.MPD", b"<MPD/>"),
    ("empty.mp4", b""),
    ("keys.txt", b"secret"),
    ("license.json", b"secret"),
    (".hidden.mp4", b"secret"),
    (".git/x.mp4", b"secret"),
];

/// A server of a folder within a folder that holds a secret.
fn server() -> (Server, TempDir) {
    let outer = folder(&[("secret.mp4", b"secret")]);
    let inner = outer.path().join("media");
    for (name, content) in FILES {
        let path = inner.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let media = Some(inner);
    (Server::new(Settings { media, ..settings() }).unwrap(), outer)
}

fn range(server: &Server, path: &str, range: &str) -> Answer {
    ask(server, "GET", path, &[("range", range)], Body::empty())
}

#[test]
fn files_have_their_types() {
    let (server, _folder) = server();
    for (path, media_type, content) in [
        ("/media/a.mp4", "video/mp4", &b"0123456789"[..]),
        ("/media/b/c%20d%23%C3%A9.webm", "video/webm", b"webm"),
        ("/media/b/v.MPD", "application/dash+xml", b"<MPD/>"),
        ("/media/empty.mp4", "video/mp4", b""),
        ("/media/a.mp4?token=1", "video/mp4", b"0123456789"),
    ] {
        let answer = get(&server, path);
        assert_eq!((answer.status, answer.body.as_slice()), (StatusCode::OK, content), "{path}");
        assert_eq!(answer.header("content-type"), Some(media_type));
        assert_eq!(answer.header("accept-ranges"), Some("bytes"));
        assert_eq!(answer.header("cache-control"), Some("no-cache"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    }
}

#[test]
fn nothing_else_is_shown() {
    let (server, outer) = server();
    let inner = outer.path().join("media");
    symlink("../secret.mp4", inner.join("out.mp4")).unwrap();
    symlink("keys.txt", inner.join("keys.mp4")).unwrap();
    symlink(".hidden.mp4", inner.join("shown.mp4")).unwrap();
    symlink("a.mp4", inner.join("a.txt")).unwrap();
    symlink("..", inner.join("up")).unwrap();
    let absolute = format!("/media/{}", outer.path().join("secret.mp4").display());
    let long = format!("/media/{}.mp4", "a".repeat(5000));
    for path in [
        "/media/keys.txt",
        "/media/license.json",
        "/media/.hidden.mp4",
        "/media/.git/x.mp4",
        "/media/out.mp4",
        "/media/keys.mp4",
        "/media/shown.mp4",
        "/media/a.txt",
        "/media/up/secret.mp4",
        "/media/b",
        "/media/b/",
        "/media/../secret.mp4",
        "/media/b/../../secret.mp4",
        "/media/b/../a.mp4",
        "/media/./a.mp4",
        "/media/%2e%2e/secret.mp4",
        "/media/..%2fsecret.mp4",
        "/media/%252e%252e/secret.mp4",
        "/media/..%5csecret.mp4",
        "/media//a.mp4",
        "/media/%2Fetc/passwd.mp4",
        "/media/a.mp4%00",
        "/media/a%00.mp4",
        "/media/%ff.mp4",
        &absolute,
        &long,
    ] {
        let answer = get(&server, path);
        assert_eq!(
            (answer.status, &*answer.reason()),
            (StatusCode::NOT_FOUND, "not found"),
            "{path}"
        );
    }
    // A link within the folder is as good as a file.
    symlink("a.mp4", inner.join("same.mp4")).unwrap();
    assert_eq!(get(&server, "/media/same.mp4").body, b"0123456789");
    // And that what is refused above is there at all.
    assert_eq!(fs::read(inner.join("up/secret.mp4")).unwrap(), b"secret");
}

#[test]
fn a_range_is_a_part() {
    let (server, _folder) = server();
    for (wanted, part, told) in [
        ("bytes=0-3", "0123", "bytes 0-3/10"),
        ("bytes=8-", "89", "bytes 8-9/10"),
        ("bytes=-3", "789", "bytes 7-9/10"),
        ("bytes=5-1000", "56789", "bytes 5-9/10"),
        ("bytes=9-9", "9", "bytes 9-9/10"),
    ] {
        let answer = range(&server, "/media/a.mp4", wanted);
        assert_eq!((answer.status, answer.text()), (StatusCode::PARTIAL_CONTENT, part), "{wanted}");
        assert_eq!(answer.header("content-range"), Some(told));
        assert_eq!(answer.header("content-length"), Some(part.len().to_string().as_str()));
    }
    let head = ask(&server, "HEAD", "/media/a.mp4", &[], Body::empty());
    assert_eq!((head.header("content-length"), head.body.len()), (Some("10"), 0));
}

#[test]
fn a_range_that_is_none_is_refused() {
    let (server, _folder) = server();
    let many = format!("bytes={}", ["0-0"; 1000].join(","));
    for wanted in [
        "bytes=10-",
        "bytes=10-20",
        "bytes=5-4",
        "bytes=0-1,3-4",
        "bytes=0-,0-,0-",
        "bytes=99999999999999999999-",
        "bytes=a-b",
        "bytes=-",
        "chunks=0-1",
        &many,
    ] {
        let answer = range(&server, "/media/a.mp4", wanted);
        assert_eq!(answer.status, StatusCode::RANGE_NOT_SATISFIABLE, "{wanted}");
        assert_eq!(answer.header("content-range"), Some("bytes */10"), "{wanted}");
        assert_eq!(answer.reason(), "the file has no such range");
    }
    let empty = range(&server, "/media/empty.mp4", "bytes=0-");
    assert_eq!((empty.status, empty.header("content-range")), (StatusCode::OK, None));
}

#[test]
fn what_has_not_changed_is_not_sent_again() {
    let (server, _folder) = server();
    let first = get(&server, "/media/a.mp4");
    let tag = first.header("etag").unwrap();
    let again = ask(&server, "GET", "/media/a.mp4", &[("if-none-match", tag)], Body::empty());
    assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0));
    let other = ask(&server, "GET", "/media/a.mp4", &[("if-none-match", "\"x\"")], Body::empty());
    assert_eq!(other.status, StatusCode::OK);
    let before = [("if-unmodified-since", "Thu, 01 Jan 1970 00:00:00 GMT")];
    let refused = ask(&server, "GET", "/media/a.mp4", &before, Body::empty());
    assert_eq!(refused.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(refused.reason(), "the file is not as the request wants it");
}

#[test]
fn streams_are_listed_and_served_where_the_list_says() {
    let (server, _folder) = server();
    let answer = get(&server, "/streams");
    let list: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    let list = list["streams"].as_array().unwrap();
    let names: Vec<_> = list.iter().map(|stream| stream["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["a.mp4", "b/c d#é.webm", "b/v.MPD", "empty.mp4"]);
    for stream in list {
        assert_eq!(get(&server, stream["url"].as_str().unwrap()).status, StatusCode::OK);
    }
    assert_eq!(get(&crate::support::server(), "/streams").text(), r#"{"streams":[]}"#);
}

#[test]
fn a_folder_that_is_none_is_refused() {
    let folder = folder(&[("file", b"")]);
    for name in ["none", "file"] {
        let media = Some(folder.path().join(name));
        let refused = Server::new(Settings { media, ..settings() }).err().unwrap().to_string();
        assert!(refused.starts_with(&*folder.path().join(name).to_string_lossy()), "{refused}");
    }
}
