//! The seeds of `fuzz/seeds`, for the tests of each crate whose fuzzers have some there.

use std::fs;

/// The seeds of a target, by name.
pub(crate) fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = format!("{}/../fuzz/seeds/{target}", env!("CARGO_MANIFEST_DIR"));
    let mut seeds: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.display().to_string(), fs::read(path).unwrap()))
        .collect();
    seeds.sort();
    assert!(!seeds.is_empty(), "{folder}");
    seeds
}
