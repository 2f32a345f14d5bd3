//! Streams with known tiles, for tests.

use std::{fs, ops::Range, path::Path};

use data_encoding::HEXLOWER;
use serde_json::Value;

use super::Config;

/// A stream of `fixtures/codec`.
pub(super) struct Stream {
    pub(super) name: String,
    pub(super) config: Config,
    /// Samples, and where another tool finds their tiles.
    pub(super) samples: Vec<(Vec<u8>, Vec<Range<usize>>)>,
}

pub(super) fn streams() -> Vec<Stream> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/codec");
    let mut paths: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.file_name().unwrap().to_str().unwrap().starts_with("av1_"));
    paths.sort();
    paths.iter().map(|path| stream(path)).collect()
}

fn stream(path: &Path) -> Stream {
    let json: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let octets = |value: &Value| HEXLOWER.decode(value.as_str().unwrap().as_bytes()).unwrap();
    let offset = |value: &Value| usize::try_from(value.as_u64().unwrap()).unwrap();
    let tile = |value: &Value| offset(&value[0])..offset(&value[1]);
    let sample = |value: &Value| {
        (octets(&value["data"]), value["tiles"].as_array().unwrap().iter().map(tile).collect())
    };
    Stream {
        name: path.file_stem().unwrap().to_str().unwrap().to_owned(),
        config: Config::read(&octets(&json["config"])).unwrap(),
        samples: json["samples"].as_array().unwrap().iter().map(sample).collect(),
    }
}
