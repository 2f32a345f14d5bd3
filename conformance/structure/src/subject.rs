//! What is changed: the files of the fixtures, with what is needed to read them.

use std::{fs, path::Path};

use serde::Deserialize;

use crate::library::Keys;

/// A fixture.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    /// Folder and name.
    pub(crate) name: String,
    /// What is changed.
    pub(crate) file: Vec<u8>,
    /// What belongs to it, and stays as it is.
    other: Option<Other>,
    pub(crate) key_texts: Vec<String>,
    pub(crate) keys: Keys,
    /// It is to be encrypted, too.
    pub(crate) is_clear: bool,
}

#[derive(Clone, Debug)]
enum Other {
    /// The init segment of a media segment.
    Init(Vec<u8>),
    /// A media segment of an init segment.
    Media(Vec<u8>),
}

impl Subject {
    /// An input as the command gets it: the init segment, if there is one, and the media.
    pub(crate) fn parts<'p>(&'p self, input: &'p [u8]) -> (Option<&'p [u8]>, &'p [u8]) {
        match &self.other {
            None => (None, input),
            Some(Other::Init(init)) => (Some(init), input),
            Some(Other::Media(media)) => (Some(input), media),
        }
    }
}

#[derive(Deserialize)]
struct Entry {
    file: String,
    keys: Vec<String>,
}

/// The pair that most fixtures were encrypted with, first; and clear ones are.
const KEYS: [&str; 2] = [
    "10000000100010001000100000000001:3a2a1b68dd2bd9b2eeb25e84c4776668",
    "10000000100010001000100000000002:550727de4c96ef1ecff874905493580f",
];

/// All files of `media`, its segments, `clear` and `indexed`.
pub(crate) fn all(fixtures: &Path) -> Result<Vec<Subject>, String> {
    let manifest = read(&fixtures.join("media/manifest.json"))?;
    let manifest: Vec<Entry> =
        serde_json::from_slice(&manifest).map_err(|error| format!("manifest.json: {error}"))?;
    let init = read(&fixtures.join("media/segments/a_init.mp4"))?;
    let segment = read(&fixtures.join("media/segments/a_1.m4s"))?;
    let pair: Vec<_> = KEYS.map(str::to_owned).to_vec();
    let mut subjects = Vec::new();
    for path in ["media", "media/segments", "clear", "indexed"] {
        let folder = fixtures.join(path);
        let entries = fs::read_dir(&folder).map_err(|error| format!("{path}: {error}"))?;
        let mut names: Vec<_> = entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| [".mp4", ".m4s", ".webm"].iter().any(|end| name.ends_with(end)))
            .collect();
        names.sort();
        for name in names {
            let is_clear = !path.starts_with("media");
            let entry = manifest.iter().find(|entry| entry.file == name && path == "media");
            let key_texts = entry.map_or_else(|| pair.clone(), |entry| entry.keys.clone());
            let keys = Keys::read(&key_texts).ok_or_else(|| format!("{name}: no keys"))?;
            let file = read(&folder.join(&name))?;
            let other = name.ends_with(".m4s").then(|| Other::Init(init.clone()));
            let name = format!("{path}/{name}");
            subjects.push(Subject { name, file, other, key_texts, keys, is_clear });
        }
    }
    let key_texts = pair;
    let keys = Keys::read(&key_texts).ok_or("no keys")?;
    subjects.push(Subject {
        name: "media/segments/a_init.mp4, with a segment".to_owned(),
        file: init,
        other: Some(Other::Media(segment)),
        key_texts,
        keys,
        is_clear: false,
    });
    Ok(subjects)
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}
