//! `vsd-mp4`, from reader to writer. It takes any key for all tracks, so the key id is not used.

#![forbid(unsafe_code)]

use std::{
    error::Error,
    fs::File,
    io::{BufReader, BufWriter},
    process::ExitCode,
};

use peers::Job;
use vsd_mp4::decrypt::CencDecrypter;

fn main() -> ExitCode {
    peers::run(env!("CARGO_BIN_NAME"), decrypt)
}

fn decrypt(job: &Job) -> Result<(), Box<dyn Error>> {
    let [(_, key)] = job.keys.as_slice() else { return Err("it takes one key".into()) };
    let mut reader = BufReader::new(File::open(&job.input)?);
    let mut writer = BufWriter::new(File::create(&job.output)?);
    CencDecrypter::new(key)?.decrypt_stream(&mut reader, &mut writer, None)?;
    Ok(())
}
