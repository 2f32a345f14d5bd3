//! What the fuzzers of `fuzz/` run, which the tests here run on seeds. No release has it.
//!
//! Each body asserts what holds for any bytes, and tells whether they got through to the end.

#![expect(clippy::unwrap_used, reason = "a panic is what they tell with")]
#![expect(clippy::must_use_candidate, reason = "who wants no answer wants the panic")]

mod call;
mod configurations;
mod made;
mod model;
mod records;
mod sessions;
mod stage;

#[cfg(test)]
#[path = "../../../fuzz/seeds.rs"]
mod seeds;

pub use configurations::configurations;
pub use records::records;
pub use sessions::sessions;
