//! What the fuzzers of `fuzz/` run, which the tests here run on seeds. No release has it.
//!
//! Each body asserts what holds for any bytes, and tells whether they got through to the end.

#![expect(
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    reason = "a panic is what they tell with"
)]

mod abi;
mod account;
mod sample;
mod script;

pub use abi::abi;
