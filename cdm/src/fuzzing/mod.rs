//! What the fuzzers of `fuzz/` run, which the tests here run on seeds. No release has it.
//!
//! Each body asserts what holds for any bytes, and tells whether they got through to the end.

#![expect(clippy::unwrap_used, reason = "a panic is what they tell with")]
#![expect(clippy::must_use_candidate, reason = "who wants no answer wants the panic")]

mod call;
mod configurations;
mod model;
mod records;
mod sessions;
mod stage;

pub use configurations::configurations;
pub use records::records;
pub use sessions::sessions;

/// The seeds of a target, by name.
#[cfg(test)]
fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = format!("{}/../fuzz/seeds/{target}", env!("CARGO_MANIFEST_DIR"));
    let mut seeds: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.display().to_string(), std::fs::read(path).unwrap()))
        .collect();
    seeds.sort();
    assert!(!seeds.is_empty(), "{folder}");
    seeds
}
