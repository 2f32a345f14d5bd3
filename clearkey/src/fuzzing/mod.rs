//! What the fuzzers of `fuzz/` run, which the tests here run on seeds. No release has it.
//!
//! Each body asserts what holds for any bytes, and tells whether they got through to the end.

mod license;

pub use license::license;
