//! Timing in turns, so that what else the machine does hits all means alike.

use std::time::{Duration, Instant};

use crate::cases::Case;
use crate::{Bound, Run};

/// How fast each means was at a case.
#[derive(Clone, Debug)]
pub struct Timed {
    /// What was done.
    pub case: Case,
    /// By whom.
    names: Vec<String>,
    /// Bytes per second: a list for each means, with an entry for each turn.
    rates: Vec<Vec<f64>>,
}

impl Timed {
    /// The name of the [`Bound`].
    pub const BOUND: &'static str = "bound";

    /// Times all means of a case, and the bound if the case is one run of bytes. All work on the
    /// same memory.
    #[must_use]
    pub fn new(case: Case) -> Self {
        let (bytes, mut data) = (case.stream.bytes(), case.buffer());
        let mut runs: Vec<(String, usize, Run<'_>)> =
            case.means().map(|means| (means.to_string(), bytes, case.run(means))).collect();
        if let Some(bound) = Bound::widest().filter(|_| case.stream.is_one_run()) {
            let run = bound.run(case.direction, BOUND_BYTES);
            runs.push((Self::BOUND.to_owned(), BOUND_BYTES, run));
        }
        let repeats: Vec<u32> =
            runs.iter_mut().map(|(_, _, run)| repeats(run, &mut data)).collect();
        let mut rates = vec![Vec::with_capacity(TURNS); runs.len()];
        for turn in 0..TURNS {
            for at in 0..runs.len() {
                // Nobody always comes behind the same other.
                let at = (at + turn) % runs.len();
                let (_, bytes, run) = &mut runs[at];
                run(&mut data);
                let start = Instant::now();
                (0..repeats[at]).for_each(|_| run(&mut data));
                let seconds = start.elapsed().as_secs_f64() / f64::from(repeats[at]);
                rates[at].push(*bytes as f64 / seconds);
            }
        }
        let names = runs.into_iter().map(|(name, ..)| name).collect();
        Self { case, names, rates }
    }

    /// Bytes per second: the median of all turns. `None` if these means were not timed.
    #[must_use]
    pub fn rate(&self, name: &str) -> Option<f64> {
        Some(median(self.rates(name)?.iter().copied()))
    }

    /// How many times faster than `peer`: the median over all turns.
    #[must_use]
    pub fn ratio(&self, name: &str, peer: &str) -> Option<f64> {
        let pairs = self.rates(name)?.iter().zip(self.rates(peer)?);
        Some(median(pairs.map(|(rate, peer)| rate / peer)))
    }

    fn rates(&self, name: &str) -> Option<&[f64]> {
        let at = self.names.iter().position(|known| known == name)?;
        Some(&self.rates[at])
    }
}

/// How often a run fits into its part of a turn, but once at least.
fn repeats(run: &mut Run<'_>, data: &mut [u8]) -> u32 {
    let (mut repeats, start) = (0, Instant::now());
    while start.elapsed() < SPAN {
        run(data);
        repeats += 1;
    }
    repeats
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Turns that everyone has.
const TURNS: usize = 101;
/// How long one of them takes.
const SPAN: Duration = Duration::from_millis(1);
/// The bound does not depend on them.
const BOUND_BYTES: usize = 64 << 10;
