//! `mp4decrypt`, from file to file.

#![forbid(unsafe_code)]

use std::{error::Error, process::ExitCode};

use mp4decrypt::Ap4CencDecryptingProcessor;
use peers::Job;

fn main() -> ExitCode {
    peers::run(env!("CARGO_BIN_NAME"), decrypt)
}

fn decrypt(job: &Job) -> Result<(), Box<dyn Error>> {
    let mut builder = Ap4CencDecryptingProcessor::new();
    for (kid, key) in &job.keys {
        builder = builder.key(kid, key)?;
    }
    let processor = builder.build()?;
    processor.decrypt_file(&job.input, &job.output, None)?;
    Ok(())
}
