//! What the fuzzers of `fuzz/` run, which the tests here run on seeds. No release has it.
//!
//! Each body asserts what holds for any bytes, and tells whether they got through to the end.

mod describing;
mod encrypting;
mod laws;
mod planning;
mod rewriting;

#[cfg(test)]
mod tests;

/// Reads bytes as a file, plans and decrypts it, and describes it. Whether it can be planned.
///
/// What is MP4 and what WebM shows in the bytes; there are two fuzzers, with seeds of either.
#[must_use]
pub fn media(bytes: &[u8]) -> bool {
    describing::describe(bytes);
    planning::is_planned(bytes)
}

/// Encrypts a file with settings that come before it, and decrypts it again. Whether it can be encrypted.
#[must_use]
pub fn encrypt(bytes: &[u8]) -> bool {
    encrypting::encrypt(bytes)
}
