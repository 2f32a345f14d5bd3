//! How long each stage of a decryption takes, all threads together.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// The time that threads spend in each stage.
#[derive(Debug, Default)]
pub(crate) struct Stages {
    pub(crate) read: Stage,
    pub(crate) decrypt: Stage,
    /// Looking at what decryption has made.
    pub(crate) check: Stage,
    pub(crate) write: Stage,
}

/// A sum of times, in nanoseconds.
#[derive(Debug, Default)]
pub(crate) struct Stage(AtomicU64);

impl Stage {
    /// Does some work of this stage.
    pub(crate) fn time<T>(&self, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let done = work();
        let nanoseconds = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.0.fetch_add(nanoseconds, Ordering::Relaxed);
        done
    }
}

impl Stages {
    /// Seconds of reading, decrypting, checking and writing.
    pub(crate) fn seconds(&self) -> [f64; 4] {
        [&self.read, &self.decrypt, &self.check, &self.write]
            .map(|stage| Duration::from_nanos(stage.0.load(Ordering::Relaxed)).as_secs_f64())
    }
}
