//! The arguments of `clearkey bench`.

use std::{
    num::NonZero,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context;
use cenc::Kernel;
use clap::ValueHint;

use crate::{
    args::{DecryptJob, KeyArgs, Target, threads},
    sessions::Sessions,
};

/// Measure how fast this machine decrypts
///
/// Samples in memory, for each scheme, sample size and kernel: a kernel is a way to do AES that the CPU
/// has. With a file, also how long it takes from the first byte to the last, and how long to read,
/// decrypt, check and write it.
#[derive(Debug, clap::Args)]
#[command(after_help = BENCH_EXAMPLES)]
pub(crate) struct BenchArgs {
    /// An encrypted file
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) file: Option<PathBuf>,

    #[command(flatten)]
    keys: KeyArgs,

    /// Where the decrypted file is written, and removed again [default: beside FILE]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, requires = "file")]
    work: Option<PathBuf>,

    /// How often the file is decrypted; the median counts
    #[arg(long, value_name = "N", default_value = "5", requires = "file")]
    pub(crate) runs: NonZero<usize>,

    /// Threads for the file [default: one for each core]
    #[arg(long, value_name = "N", requires = "file")]
    threads: Option<NonZero<usize>>,

    /// Do not look at the decrypted samples, as decrypt's option of the same name
    #[arg(long, requires = "file")]
    no_verify: bool,

    /// Only this kernel; may be repeated
    #[arg(long, value_name = "NAME")]
    kernel: Vec<String>,

    /// Encrypt the samples in memory, instead of decrypting them
    #[arg(long)]
    pub(crate) encrypt: bool,

    /// Milliseconds for each figure of samples in memory
    #[arg(long, value_name = "MS", default_value = "25")]
    time: u16,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

const BENCH_EXAMPLES: &str = "\
Examples:
  clearkey bench
  clearkey bench in.mp4 --keys-file keys.txt --work /dev/shm

Exit codes: 0 done; 1 something protected had no key, or its key looks wrong; 2 anything else.";

impl BenchArgs {
    /// The kernels to measure, fastest first.
    pub(crate) fn kernels(&self) -> anyhow::Result<Vec<Kernel>> {
        let all: Vec<_> = Kernel::all().collect();
        if self.kernel.is_empty() {
            return Ok(all);
        }
        let find = |name: &String| {
            let found = all.iter().find(|kernel| kernel.name() == name).copied();
            found.with_context(|| {
                let names: Vec<_> = all.iter().map(|kernel| kernel.name()).collect();
                let name = clearkey::quote(name);
                format!("--kernel: no \"{name}\" on this CPU, which has {}", names.join(", "))
            })
        };
        self.kernel.iter().map(find).collect()
    }

    /// The time for each figure.
    pub(crate) fn time_each(&self) -> Duration {
        Duration::from_millis(self.time.into())
    }

    /// Where the output goes.
    pub(crate) fn folder(&self) -> &Path {
        let beside = self.file.as_deref().and_then(Path::parent);
        let beside = beside.filter(|folder| !folder.as_os_str().is_empty());
        self.work.as_deref().or(beside).unwrap_or(Path::new("."))
    }

    /// The decryption of the file.
    pub(crate) fn to_job(&self, input: &Path, output: &Path) -> anyhow::Result<DecryptJob> {
        let mut sessions = Sessions::open(Vec::new())?;
        sessions.add_keys(&self.keys.read()?)?;
        Ok(DecryptJob {
            input: input.to_owned(),
            target: Target::Output { path: output.to_owned(), compact: false },
            init: None,
            sessions,
            allow_missing_keys: false,
            verify: !self.no_verify,
            threads: threads(self.threads),
            json: false,
            quiet: true,
        })
    }
}
