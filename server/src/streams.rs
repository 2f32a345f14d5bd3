//! What there is to play, for the page to choose from.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use serde::Serialize;

use crate::media::{Media, is_hidden, type_of};

/// How many files are listed, and how deep folders are looked into.
const FILES: usize = 1000;
const DEPTH: usize = 8;

/// All streams of a folder.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Streams {
    streams: Vec<Stream>,
}

/// A file that a page could play.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Stream {
    /// Its path below the folder.
    name: String,
    /// Where this server has it.
    url: String,
    /// Its media type; with codecs, if it is no manifest.
    #[serde(rename = "type")]
    media_type: String,
    /// Why `MediaSource` would not take it.
    #[serde(skip_serializing_if = "Option::is_none")]
    unplayable: Option<String>,
}

impl Streams {
    /// Looks for streams, sorted by name. Of a folder that cannot be read, nothing is listed.
    pub(crate) fn find(media: &Media) -> Self {
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
    let url = format!("/media/{}", encoded(&name));
    let plain = type_of(path)?;
    if plain == "application/dash+xml" {
        return Some(Stream { name, url, media_type: plain.to_owned(), unplayable: None });
    }
    let (media_type, unplayable) = match described(path) {
        Ok(found) => found,
        Err(why) => (plain.to_owned(), Some(why)),
    };
    Some(Stream { name, url, media_type, unplayable })
}

/// The media type of a file with its codecs, and why it cannot be played.
fn described(path: &Path) -> Result<(String, Option<String>), String> {
    let _ = File::open(path).map_err(|error| error.to_string())?;
    Err("not described yet".to_owned())
}

/// A path as an address has it (RFC 3986, `pchar`).
fn encoded(name: &str) -> String {
    let mut url = String::with_capacity(name.len());
    for octet in name.bytes() {
        match octet {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                url.push(octet.into());
            }
            other => url += &format!("%{other:02X}"),
        }
    }
    url
}
