//! `clearkey bench`: how fast this machine decrypts.

mod args;
mod file;
mod samples;

use std::{fmt::Write, num::NonZero, thread};

use cenc::Kernel;
use serde::Serialize;

pub(crate) use self::args::BenchArgs;
use crate::{Outcome, print};

/// All that was measured.
#[derive(Serialize)]
struct Report {
    cores: usize,
    kernels: Vec<&'static str>,
    default_kernel: &'static str,
    direction: &'static str,
    samples: Vec<samples::Speed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<file::Speed>,
}

pub(crate) fn run(args: BenchArgs) -> anyhow::Result<Outcome> {
    let kernels = args.kernels()?;
    let report = Report {
        cores: thread::available_parallelism().map_or(1, NonZero::get),
        kernels: kernels.iter().map(|kernel| kernel.name()).collect(),
        default_kernel: Kernel::chosen().name(),
        direction: if args.encrypt { "encrypt" } else { "decrypt" },
        samples: samples::measure(&kernels, &args)?,
        file: file::measure(&args)?,
    };
    let text = match args.json {
        true => serde_json::to_string_pretty(&report)? + "\n",
        false => report.to_text()?,
    };
    print(text.as_bytes())
}

impl Report {
    fn to_text(&self) -> anyhow::Result<String> {
        let mut text = String::new();
        let Self { cores, kernels, default_kernel, direction, .. } = self;
        writeln!(text, "kernels: {}; by default {default_kernel}", kernels.join(", "))?;
        writeln!(text, "cores: {cores}, of which one works here\n")?;
        write!(text, "{:<20}", format!("{direction}, GB/s"))?;
        for size in samples::SIZES {
            write!(text, "{:>9}", samples::size_name(size))?;
        }
        for row in self.samples.chunks(samples::SIZES.len()) {
            let samples::Speed { scheme, pattern, kernel, .. } = &row[0];
            write!(text, "\n{scheme} {pattern:<5}{kernel:<10}")?;
            for speed in row {
                write!(text, "{:>9.2}", speed.bytes_per_second / 1e9)?;
            }
        }
        text.push('\n');
        if let Some(file) = &self.file {
            write!(text, "\n{file}")?;
        }
        Ok(text)
    }
}
