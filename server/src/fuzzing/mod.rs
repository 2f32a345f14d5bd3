//! What the fuzzers of `fuzz/` run, which the tests here run on seeds. No release has it.
//!
//! Each body asserts what holds for any bytes, and tells whether they got through to the end.

#![expect(clippy::unwrap_used, reason = "a panic is what they tell with")]
#![expect(clippy::must_use_candidate, reason = "who wants no answer wants the panic")]

mod connection;
mod http;
mod key_files;
mod wire;

#[cfg(test)]
#[path = "../../../fuzz/seeds.rs"]
mod seeds;

pub use http::http;
pub use key_files::key_files;
