//! A server with two keys and a folder, and requests to it.

use std::{fs, path::Path};

use axum::{
    body::Body,
    http::{HeaderMap, Method, Request, StatusCode},
};
use clearkey::{Jwk, KeyId};
use http_body_util::BodyExt;
use server::{KeySources, Server, Settings};
use tempfile::TempDir;
use tokio::runtime;
use tower::ServiceExt;

/// Key ids and keys: 16 octets 1 and of 2, with keys of 0x3a and 0x3b.
pub(crate) const KIDS: [&str; 2] = ["AQEBAQEBAQEBAQEBAQEBAQ", "AgICAgICAgICAgICAgICAg"];

pub(crate) fn sources() -> KeySources {
    let fixed =
        [(1, 0x3a), (2, 0x3b)].map(|(kid, key)| Jwk::new(KeyId::from([kid; 16]), [key; 16]));
    KeySources { fixed: fixed.to_vec(), ..KeySources::default() }
}

pub(crate) fn settings() -> Settings {
    Settings { keys: sources(), ..Settings::default() }
}

pub(crate) fn server() -> Server {
    Server::new(settings()).unwrap()
}

/// A license request.
pub(crate) fn message(kids: &[&str]) -> String {
    format!(r#"{{"kids":["{}"],"type":"temporary"}}"#, kids.join("\",\""))
}

/// A folder that goes when the test ends.
pub(crate) fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).unwrap();
        fs::write(path, content).unwrap();
    }
    folder
}

/// An answer, all of it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// A header, which is there once at most.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next()?.to_str().unwrap();
        assert!(values.next().is_none(), "{name} twice");
        Some(value)
    }

    pub(crate) fn text(&self) -> &str {
        str::from_utf8(&self.body).unwrap()
    }

    /// The reason of a refusal.
    #[track_caller]
    pub(crate) fn reason(&self) -> String {
        assert!(!self.status.is_success(), "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/json"));
        let error: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        error["error"].as_str().unwrap().to_owned()
    }
}

/// Sends a request with these headers.
pub(crate) fn ask(
    server: &Server,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Body>,
) -> Answer {
    let mut request =
        Request::builder().method(Method::from_bytes(method.as_bytes()).unwrap()).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(body.into()).unwrap();
    let runtime = runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let response = server.router().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Answer { status: head.status, headers: head.headers, body }
    })
}

pub(crate) fn get(server: &Server, path: &str) -> Answer {
    ask(server, "GET", path, &[], Body::empty())
}

pub(crate) fn post(server: &Server, message: &str) -> Answer {
    ask(server, "POST", "/", &[], message.to_owned())
}
