//! What the fuzzers of `fuzz/` run, which the tests here run on seeds. No release has it.
//!
//! Each body asserts what holds for any bytes, and tells whether they got through to the end.

mod init_data;
mod license;
mod text;

pub use init_data::init_data;
pub use license::license;
pub use text::text;
