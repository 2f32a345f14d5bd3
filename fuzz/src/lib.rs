//! Counts the inputs that get through, so that a target whose inputs all stop short is seen.

#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// One more input has been run. At every power of two, a line says how many of them got through.
pub fn through(got_through: bool) {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    static THROUGH: AtomicU64 = AtomicU64::new(0);
    let through = THROUGH.fetch_add(got_through.into(), Relaxed) + u64::from(got_through);
    let runs = RUNS.fetch_add(1, Relaxed) + 1;
    if runs.is_power_of_two() {
        eprintln!("through: {through} of {runs}");
    }
}
