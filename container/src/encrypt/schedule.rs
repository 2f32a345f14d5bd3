//! What a track's samples are encrypted with at which time: a clear lead first, then keys in turns.

use std::time::Duration;

use super::Settings;

/// The schedule of one track.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedule {
    /// Units of time in a second; not 0.
    timescale: u32,
    lead: Duration,
    rotate: Option<Duration>,
    keys: usize,
}

impl Schedule {
    pub(crate) fn new(settings: &Settings, keys: usize, timescale: u32) -> Self {
        let lead = settings.clear_lead.unwrap_or_default();
        Self { timescale, lead, rotate: settings.rotate.filter(|_| keys > 1), keys }
    }

    /// Whether a part of the track stays clear.
    pub(crate) fn has_lead(&self) -> bool {
        !self.lead.is_zero()
    }

    /// Whether there is more than one key.
    pub(crate) fn rotates(&self) -> bool {
        self.rotate.is_some()
    }

    /// Whether what is decoded at `time` stays clear.
    pub(crate) fn is_clear(&self, time: u64) -> bool {
        self.nanos(time) < self.lead.as_nanos() * u128::from(self.timescale)
    }

    /// The index of the key for what is decoded at `time`.
    pub(crate) fn key(&self, time: u64) -> usize {
        let Some(period) = self.rotate else { return 0 };
        let turn = self.nanos(time) / (period.as_nanos().max(1) * u128::from(self.timescale));
        usize::try_from(turn % self.keys as u128).unwrap_or(0)
    }

    /// Nanoseconds, times the time scale.
    fn nanos(&self, time: u64) -> u128 {
        u128::from(time) * 1_000_000_000
    }
}

#[cfg(test)]
mod tests {
    use cenc::Scheme;

    use super::*;

    fn schedule(lead: Option<f64>, rotate: Option<f64>, keys: usize) -> Schedule {
        let settings = Settings {
            scheme: Scheme::Cenc,
            tracks: Vec::new(),
            pssh: Vec::new(),
            piff: false,
            clear_lead: lead.map(Duration::from_secs_f64),
            rotate: rotate.map(Duration::from_secs_f64),
        };
        Schedule::new(&settings, keys, 1000)
    }

    #[test]
    fn what_begins_before_the_lead_ends_is_clear() {
        let lead = schedule(Some(1.5), None, 1);
        let clear: Vec<_> = [0, 1499, 1500, u64::MAX].map(|time| lead.is_clear(time)).into();
        assert_eq!(clear, [true, true, false, false]);
        assert!(lead.has_lead() && !schedule(None, None, 1).has_lead());
        assert!(!schedule(None, None, 1).is_clear(0));
    }

    #[test]
    fn keys_take_turns() {
        let turns = schedule(None, Some(0.5), 3);
        let keys: Vec<_> = [0, 499, 500, 1000, 1499, 1500].map(|time| turns.key(time)).into();
        assert_eq!(keys, [0, 0, 1, 2, 2, 0]);
        assert!(turns.rotates() && !schedule(None, Some(0.5), 1).rotates());
        assert_eq!(schedule(None, None, 3).key(9000), 0);
    }
}
