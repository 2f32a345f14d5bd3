//! Samples in memory: each scheme, each size, each kernel.

use std::time::{Duration, Instant};

use anyhow::ensure;
use cenc::{
    BatchError, Iv, Kernel, Key, Pattern, Sample, SampleEncryption, Scheme, decrypt_batch,
    encrypt_batch,
};
use serde::Serialize;

use super::BenchArgs;

/// What is measured of one kind of sample.
#[derive(Serialize)]
pub(super) struct Speed {
    pub(super) scheme: String,
    pub(super) pattern: String,
    pub(super) kernel: &'static str,
    pub(super) sample_bytes: usize,
    /// All bytes of the samples count, those that a pattern skips, too.
    pub(super) bytes_per_second: f64,
}

/// Sizes of samples in bytes: from a quiet audio frame to a large picture.
pub(super) const SIZES: [usize; 7] =
    [256, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20];

pub(super) fn size_name(size: usize) -> String {
    match size {
        0..0x400 => format!("{size} B"),
        0x400..0x10_0000 => format!("{} KiB", size >> 10),
        _ => format!("{} MiB", size >> 20),
    }
}

/// The schemes, and the patterns that streams have.
const SCHEMES: [(Scheme, u8, u8); 5] = [
    (Scheme::Cenc, 0, 0),
    (Scheme::Cens, 1, 9),
    (Scheme::Cbc1, 0, 0),
    (Scheme::Cbcs, 0, 0),
    (Scheme::Cbcs, 1, 9),
];

/// Bytes of all samples that are worked on together, if one has less: they stay in a core's cache.
const TOGETHER: usize = 128 << 10;

/// Measures all of it, sizes innermost. What a kernel makes is compared before it is timed.
pub(super) fn measure(kernels: &[Kernel], args: &BenchArgs) -> anyhow::Result<Vec<Speed>> {
    let mut speeds = Vec::new();
    for (scheme, crypt, skip) in SCHEMES {
        let pattern = Pattern::new(crypt, skip)?;
        for &kernel in kernels {
            for sample_bytes in SIZES {
                let samples = Samples::new(scheme, pattern, sample_bytes)?;
                let bytes_per_second = samples.measure(kernel, args)?;
                speeds.push(Speed {
                    scheme: scheme.to_string(),
                    pattern: pattern.to_string(),
                    kernel: kernel.name(),
                    sample_bytes,
                    bytes_per_second,
                });
            }
        }
    }
    Ok(speeds)
}

/// Samples of one size, each with an IV of its own.
struct Samples {
    size: usize,
    encryptions: Vec<SampleEncryption<'static>>,
}

impl Samples {
    fn new(scheme: Scheme, pattern: Pattern, size: usize) -> Result<Self, cenc::Error> {
        let numbers = 0..(TOGETHER / size).max(1) as u64;
        let encryption = |number: u64| {
            let iv = Iv::new(&number.to_be_bytes())?;
            SampleEncryption::new(scheme, iv, pattern, None)
        };
        Ok(Self { size, encryptions: numbers.map(encryption).collect::<Result<_, _>>()? })
    }

    fn measure(&self, kernel: Kernel, args: &BenchArgs) -> anyhow::Result<f64> {
        let len = self.size * self.encryptions.len();
        let clear: Vec<u8> = (0..251).cycle().take(len).collect();
        let oracle = Kernel::all().last().unwrap_or(kernel);
        let [mut bytes, mut expected] = [clear.clone(), clear];
        self.work(args.encrypt, &Key::on(oracle, &KEY), &mut expected)?;
        let key = Key::on(kernel, &KEY);
        self.work(args.encrypt, &key, &mut bytes)?;
        ensure!(bytes == expected, "{kernel} and {oracle} do not make the same of samples");
        let time = median(args.time_each(), || self.work(args.encrypt, &key, &mut bytes))?;
        Ok(len as f64 / time.as_secs_f64())
    }

    fn work(&self, encrypt: bool, key: &Key, bytes: &mut [u8]) -> Result<(), BatchError> {
        let samples = bytes.chunks_exact_mut(self.size).zip(&self.encryptions);
        let samples =
            samples.map(|(data, encryption)| Sample { key, encryption: *encryption, data });
        if encrypt { encrypt_batch(samples) } else { decrypt_batch(samples) }
    }
}

/// The median time of some work, which is done again and again for so long.
fn median(
    budget: Duration,
    mut work: impl FnMut() -> Result<(), BatchError>,
) -> anyhow::Result<Duration> {
    let start = Instant::now();
    let mut times = Vec::new();
    while times.is_empty() || start.elapsed() < budget {
        let turn = Instant::now();
        work()?;
        times.push(turn.elapsed());
    }
    times.sort_unstable();
    Ok(times[times.len() / 2])
}

/// A key for nothing.
const KEY: [u8; 16] = *b"clearkey's bench";
