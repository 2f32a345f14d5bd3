//! What there is to play, for the page to choose from.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use axum::body::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use tokio::{sync::Mutex, task::spawn_blocking};

use crate::media::{Media, is_hidden, type_of};

/// How many files are listed, and how deep folders are looked into.
const FILES: usize = 1000;
const DEPTH: usize = 8;

/// What is escaped in an address (RFC 3986): all but unreserved characters and `/`.
const ESCAPED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'/').remove(b'_').remove(b'~');
/// For how long a list is given out again.
const FRESH: Duration = Duration::from_secs(1);

/// The list of a folder's streams. However many ask, one looks.
#[derive(Debug)]
pub(crate) struct Listing {
    media: Media,
    last: Mutex<Option<(Instant, Bytes)>>,
}

impl Listing {
    pub(crate) fn new(media: Media) -> Self {
        Self { media, last: Mutex::new(None) }
    }

    /// The list as JSON, not older than a second; `None` if there was no thread to look.
    pub(crate) async fn json(&self) -> Option<Bytes> {
        let mut last = self.last.lock().await;
        if let Some((at, json)) = &*last
            && at.elapsed() < FRESH
        {
            return Some(json.clone());
        }
        let media = self.media.clone();
        let look = move || serde_json::to_vec(&Streams::find(&media));
        let json = Bytes::from(spawn_blocking(look).await.ok()?.ok()?);
        Some(last.insert((Instant::now(), json)).1.clone())
    }
}

/// All streams of a folder.
#[derive(Debug, Serialize)]
struct Streams {
    streams: Vec<Stream>,
}

/// A file that a page could play.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Stream {
    /// Its path below the folder.
    name: String,
    /// Where this server has it.
    url: String,
    /// Its media type. Which codecs are in it, the page sees for itself.
    #[serde(rename = "type")]
    media_type: &'static str,
}

impl Streams {
    /// Looks for streams, sorted by name. Of a folder that cannot be read, nothing is listed.
    fn find(media: &Media) -> Self {
        let mut paths = Vec::new();
        walk(media.root(), DEPTH, &mut paths);
        paths.sort();
        Self { streams: paths.iter().filter_map(|path| stream(media.root(), path)).collect() }
    }
}

/// Links are not followed: a folder may lead to itself.
fn walk(folder: &Path, depth: usize, paths: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        if paths.len() == FILES || is_hidden(&entry.file_name().to_string_lossy()) {
            continue;
        }
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && depth > 0 => walk(&entry.path(), depth - 1, paths),
            Ok(kind) if kind.is_file() && is_stream(&entry.path()) => paths.push(entry.path()),
            _ => {}
        }
    }
}

/// Segments, playlists and texts are no streams by themselves.
fn is_stream(path: &Path) -> bool {
    matches!(type_of(path), Some("application/dash+xml" | "audio/mp4" | "video/mp4" | "video/webm"))
}

fn stream(root: &Path, path: &Path) -> Option<Stream> {
    let name = path.strip_prefix(root).ok()?.to_str()?.to_owned();
    let url = format!("/media/{}", utf8_percent_encode(&name, ESCAPED));
    Some(Stream { name, url, media_type: type_of(path)? })
}
