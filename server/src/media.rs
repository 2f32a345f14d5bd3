//! A folder of streams: which files of it are shown, and their bytes.

use std::{
    fs,
    path::{Component, Path, PathBuf},
};

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use tower_http::services::ServeFile;

use crate::{Error, refused::Refused};

/// What is shown, by how its name ends, and its type. Nothing else is: a list of keys may well lie beside the
/// streams that it is for.
const TYPES: [(&str, &str); 12] = [
    ("aac", "audio/aac"),
    ("m3u8", "application/vnd.apple.mpegurl"),
    ("m4a", "audio/mp4"),
    ("m4s", "video/iso.segment"),
    ("m4v", "video/mp4"),
    ("mkv", "video/matroska"),
    ("mp4", "video/mp4"),
    ("mpd", "application/dash+xml"),
    ("ogg", "audio/ogg"),
    ("opus", "audio/ogg"),
    ("vtt", "text/vtt"),
    ("webm", "video/webm"),
];

/// The type of a file that is shown.
pub(crate) fn type_of(path: &Path) -> Option<&'static str> {
    let extension = path.extension()?.to_str()?;
    let found = TYPES.iter().find(|(known, _)| known.eq_ignore_ascii_case(extension));
    found.map(|(_, media_type)| *media_type)
}

/// Whether a file or a folder of that name is never shown.
pub(crate) fn is_hidden(name: &str) -> bool {
    name.starts_with('.')
}

/// The type of a file by its path below the folder; `None`: it is not shown.
fn shown(path: &Path) -> Option<&'static str> {
    let is_shown = path.components().all(|component| match component {
        Component::Normal(name) => name.to_str().is_some_and(|name| !is_hidden(name)),
        _ => false,
    });
    type_of(path).filter(|_| is_shown)
}

/// A folder whose files are shown.
#[derive(Clone, Debug)]
pub(crate) struct Media {
    /// Without links in it.
    root: PathBuf,
}

/// A file that is shown.
struct Found {
    path: PathBuf,
    len: u64,
    media_type: &'static str,
}

impl Media {
    pub(crate) fn open(folder: &Path) -> Result<Self, Error> {
        let open = || {
            let root = fs::canonicalize(folder)?;
            // That it is a folder, and may be read.
            fs::read_dir(&root)?;
            Ok(Self { root })
        };
        open().map_err(|reason| Error::Media { path: folder.display().to_string(), reason })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A file by its name in an address. A link may lead to any place within the folder, but may not show
    /// under another name what is not shown under its own.
    async fn find(&self, name: &str) -> Option<Found> {
        shown(Path::new(name))?;
        let path = tokio::fs::canonicalize(self.root.join(name)).await.ok()?;
        let media_type = shown(path.strip_prefix(&self.root).ok()?)?;
        let file = tokio::fs::metadata(&path).await.ok()?;
        file.is_file().then_some(Found { len: file.len(), path, media_type })
    }

    /// Answers with a file, a range of it, or that it has not changed.
    pub(crate) async fn answer(&self, name: &str, mut request: Request) -> Response {
        let Some(Found { path, len, media_type }) = self.find(name).await else {
            return Refused::not_found().into_response();
        };
        if len == 0 {
            // Of nothing there is no range, and `ServeFile` would name one.
            request.headers_mut().remove(header::RANGE);
        }
        let Ok(response) = ServeFile::new(path).try_call(request).await else {
            return Refused::not_found().into_response();
        };
        if response.status().is_client_error() {
            return refused(response.status(), response.headers()).into_response();
        }
        let mut response = response.map(Body::new);
        let headers = response.headers_mut();
        if headers.contains_key(header::CONTENT_TYPE) {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        }
        // What it is may change under the same name, and caches are to ask.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        response
    }
}

/// Says no as all other answers do. Of a range that there is not, what there is stays told.
fn refused(status: StatusCode, headers: &HeaderMap) -> impl IntoResponse + use<> {
    let reason = match status {
        StatusCode::PRECONDITION_FAILED => "the file is not as the request wants it",
        StatusCode::RANGE_NOT_SATISFIABLE => "the file has no such range",
        _ => "not found",
    };
    let range = headers.get(header::CONTENT_RANGE).cloned();
    let range: HeaderMap = range.into_iter().map(|range| (header::CONTENT_RANGE, range)).collect();
    (range, Refused::new(status, reason))
}
