//! `transmux`, which encrypts with `cbcs`.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use peers::encrypt::{CencScheme, encrypt};

fn main() -> ExitCode {
    peers::run(env!("CARGO_BIN_NAME"), |job| encrypt(job, CencScheme::Cbcs))
}
