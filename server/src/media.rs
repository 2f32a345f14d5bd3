//! A folder of streams: which files of it are shown, and their bytes.

use std::{
    fs, io,
    path::{Component, Path, PathBuf},
};

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderValue, header, header::Entry},
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

/// A folder whose files are shown.
#[derive(Clone, Debug)]
pub(crate) struct Media {
    /// Without links in it.
    root: PathBuf,
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

    /// A file by its name in an address, below the folder, with its length; `None` if it is not shown. A link may lead to any
    /// place within the folder.
    async fn find(&self, name: &str) -> io::Result<Option<(PathBuf, u64)>> {
        let path = Path::new(name);
        let is_plain = path.components().all(|component| match component {
            Component::Normal(name) => name.to_str().is_some_and(|name| !is_hidden(name)),
            _ => false,
        });
        if !is_plain || name.contains('\0') || type_of(path).is_none() {
            return Ok(None);
        }
        let path = tokio::fs::canonicalize(self.root.join(path)).await?;
        // A link may not show under another name what is not shown under its own.
        let is_shown = path.strip_prefix(&self.root).is_ok_and(|below| {
            let mut parts = below.components();
            type_of(below).is_some()
                && parts.all(|part| !is_hidden(&part.as_os_str().to_string_lossy()))
        });
        if !is_shown {
            return Ok(None);
        }
        let file = tokio::fs::metadata(&path).await?;
        Ok(file.is_file().then_some((path, file.len())))
    }

    /// Answers with a file, a range of it, or that it has not changed.
    pub(crate) async fn answer(&self, name: &str, mut request: Request) -> Response {
        let found = self.find(name).await.ok().flatten();
        let found = found.and_then(|(path, len)| type_of(&path).map(|kind| (path, len, kind)));
        let Some((path, len, media_type)) = found else {
            return Refused::not_found().into_response();
        };
        if len == 0 {
            // Of nothing there is no range, and `ServeFile` would name one.
            request.headers_mut().remove(header::RANGE);
        }
        match ServeFile::new(path).try_call(request).await {
            Ok(response) => {
                let mut response = response.map(Body::new);
                if let Entry::Occupied(mut entry) =
                    response.headers_mut().entry(header::CONTENT_TYPE)
                {
                    entry.insert(HeaderValue::from_static(media_type));
                }
                // What it is may change under the same name, and caches are to ask.
                let cache = HeaderValue::from_static("no-cache");
                response.headers_mut().insert(header::CACHE_CONTROL, cache);
                response
            }
            Err(_) => Refused::not_found().into_response(),
        }
    }
}
