//! A file from its first byte to the last, as `clearkey decrypt` does it.

use std::{fmt, fs, time::Instant};

use anyhow::Context;
use serde::Serialize;

use super::BenchArgs;
use crate::{decrypt, report::DecryptReport, stages::Stages};

/// The median of the runs.
#[derive(Serialize)]
pub(super) struct Speed {
    file_bytes: u64,
    threads: usize,
    runs: usize,
    seconds: f64,
    bytes_per_second: f64,
    /// Seconds of all threads together.
    read_seconds: f64,
    decrypt_seconds: f64,
    /// None: what was decrypted was not looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    check_seconds: Option<f64>,
    write_seconds: f64,
}

/// Decrypts the file several times, into a file that is removed again.
pub(super) fn measure(args: &BenchArgs) -> anyhow::Result<Option<Speed>> {
    let Some(path) = &args.file else { return Ok(None) };
    let file_bytes = fs::metadata(path).with_context(|| path.display().to_string())?.len();
    let folder = tempfile::tempdir_in(args.folder()).context("a folder for the output")?;
    let output = folder.path().join("clear");
    let job = args.to_job(path, &output)?;
    let mut speeds = Vec::new();
    for _ in 0..args.runs.get() {
        let stages = Stages::default();
        let start = Instant::now();
        let mut report = DecryptReport::default();
        decrypt::decrypt(&job, &stages, &mut report).with_context(|| path.display().to_string())?;
        let seconds = start.elapsed().as_secs_f64();
        let [read_seconds, decrypt_seconds, check_seconds, write_seconds] = stages.seconds();
        speeds.push(Speed {
            file_bytes,
            threads: job.threads.get(),
            runs: args.runs.get(),
            seconds,
            bytes_per_second: file_bytes as f64 / seconds,
            read_seconds,
            decrypt_seconds,
            check_seconds: job.verify.then_some(check_seconds),
            write_seconds,
        });
        fs::remove_file(&output)?;
    }
    speeds.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
    let middle = speeds.len() / 2;
    Ok(speeds.into_iter().nth(middle))
}

impl fmt::Display for Speed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file_bytes, threads, runs, seconds, bytes_per_second, .. } = self;
        let megabytes = *file_bytes as f64 / 1e6;
        writeln!(
            f,
            "file: {megabytes:.1} MB in {seconds:.3} s, {:.0} MB/s (threads: {threads}; median of {runs} runs)",
            bytes_per_second / 1e6
        )?;
        let stages = [
            ("read", Some(self.read_seconds)),
            ("decrypt", Some(self.decrypt_seconds)),
            ("check", self.check_seconds),
            ("write", Some(self.write_seconds)),
        ];
        for (stage, seconds) in stages {
            let Some(seconds) = seconds else { continue };
            let speed = megabytes / seconds;
            writeln!(f, "  {stage:<8}{seconds:>7.3} s of all threads, {speed:.0} MB/s each")?;
        }
        Ok(())
    }
}
