//! Whether what decryption makes looks like what the codec writes: with a wrong key it does not.

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{Mutex, MutexGuard, PoisonError},
};

use clearkey::KeyId;
use codec::{Protected, Tally, Verdict};

use crate::{
    ReadyPlan,
    plan::{Plan, Sample},
};

/// Looks at decrypted samples, and tells which keys look wrong. Threads share one.
///
/// Of each track and key it looks at the [`FIRST`](Self::FIRST) samples and later at one of
/// [`EVERY`](Self::EVERY). Which ones these are, the samples' offsets say: it does not depend on the
/// order in which windows are looked at. What is found does: samples are judged by those before them, and
/// [`look`](Self::look) weighs what was seen by then.
#[derive(Debug, Default)]
pub struct Verifier {
    watched: Mutex<BTreeMap<(u32, KeyId), Watched>>,
}

/// What is known of a key of a track.
#[derive(Debug, Default)]
struct Watched {
    /// Samples that are among the first.
    first: usize,
    /// The offset behind the last of them.
    until: u64,
    tally: Tally,
}

/// What was seen of the samples of one track under one key.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Track id.
    pub track: u32,
    /// Key id.
    pub kid: KeyId,
    /// Samples looked at.
    pub checked: u64,
    /// Those of them that are not as the codec demands.
    pub implausible: u64,
    /// What that says of the key.
    pub verdict: Verdict,
}

impl Verifier {
    /// So many samples of each track and key are all looked at.
    pub const FIRST: usize = 256;

    /// One in so many is looked at later.
    pub const EVERY: u64 = 16;

    /// Bits of evidence after which there is no point in going on: 256 to 1. A single rule cannot bring
    /// many more, since some writer may not know it.
    const OVERWHELMING: f64 = 8.0;

    /// Nothing seen yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes notice of a unit's keys, and of which samples are the first ones. Units come in order,
    /// each before it is [looked at](Self::look).
    pub fn begin(&self, ready: &ReadyPlan) {
        let plan = ready.plan();
        let mut watched = self.lock();
        // Where all protections have their first samples, no sample has to be visited.
        let mut wanting = vec![0; plan.protections.len()];
        for (protection, wanting) in (0..).zip(&mut wanting) {
            if ready.key(protection).is_some() {
                let known = watched.entry(name(plan, protection)).or_default();
                *wanting = Self::FIRST.saturating_sub(known.first);
            }
        }
        let mut total: usize = wanting.iter().sum();
        for Sample { at, len, protection, .. } in &plan.samples {
            if total == 0 {
                break;
            }
            let wanting = &mut wanting[*protection as usize];
            if *wanting > 0
                && let Some(known) = watched.get_mut(&name(plan, *protection))
                // Another protection of the unit may have the same key.
                && known.first < Self::FIRST
            {
                known.first += 1;
                known.until = at + u64::from(*len);
                *wanting -= 1;
                total -= 1;
            }
        }
    }

    /// Whether any of a key's first samples lies in a window of the unit.
    #[must_use]
    pub fn has_first(&self, ready: &ReadyPlan, window: &Range<u64>) -> bool {
        let len = usize::try_from(window.end - window.start).unwrap_or(usize::MAX);
        let notes = self.notes(ready);
        let mut samples = ready.samples_in(window.start, len);
        samples.any(|(_, sample, _)| notes[sample.protection as usize].is_first(sample))
    }

    /// Looks at the samples in a window of the unit that have been [decrypted](ReadyPlan::decrypt).
    ///
    /// `true`: what was seen by now is overwhelming evidence against a key of the window.
    #[must_use]
    pub fn look(&self, ready: &ReadyPlan, at: u64, window: &[u8]) -> bool {
        let plan = ready.plan();
        let mut notes = self.notes(ready);
        let mut ranges = Vec::new();
        for (_, sample, _) in ready.samples_in(at, window.len()) {
            let note = &mut notes[sample.protection as usize];
            if !note.is_first(sample) && !is_picked(sample) {
                continue;
            }
            let start = usize::try_from(sample.at - at).unwrap_or(usize::MAX);
            let bytes = start..start.saturating_add(sample.len as usize);
            if let Some(codec) = &plan.protections[sample.protection as usize].codec
                && let Some(bytes) = window.get(bytes)
                && protected(plan, sample, &mut ranges).is_ok()
            {
                codec.check(bytes, &Protected::new(&ranges), &mut note.tally);
            }
        }
        let mut watched = self.lock();
        let mut is_overwhelming = false;
        for (protection, Note { tally, .. }) in (0..).zip(&notes) {
            if tally.checked() > 0 {
                let known = watched.entry(name(plan, protection)).or_default();
                known.tally.join(tally);
                is_overwhelming |= known.tally.evidence() > Self::OVERWHELMING;
            }
        }
        is_overwhelming
    }

    /// Forgets all of it, so that an input can be gone over again.
    pub fn forget(&self) {
        self.lock().clear();
    }

    /// What was seen, by track and key. A key that no sample of a known codec was decrypted with is
    /// there with no samples.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        let watched = self.lock();
        let findings = watched.iter().map(|((track, kid), Watched { tally, .. })| Finding {
            track: *track,
            kid: kid.clone(),
            checked: tally.checked(),
            implausible: tally.implausible(),
            verdict: tally.verdict(),
        });
        findings.collect()
    }

    /// A note for each protection of a plan.
    fn notes(&self, ready: &ReadyPlan) -> Vec<Note> {
        let watched = self.lock();
        let plan = ready.plan();
        let note = |protection| match watched.get(&name(plan, protection)) {
            Some(known) => Note { until: known.until, tally: known.tally.follower() },
            None => Note::default(),
        };
        (0..).take(plan.protections.len()).map(note).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(u32, KeyId), Watched>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a window shows of a protection.
#[derive(Default)]
struct Note {
    /// The offset behind the first samples of its key.
    until: u64,
    tally: Tally,
}

impl Note {
    fn is_first(&self, sample: &Sample) -> bool {
        sample.at < self.until
    }
}

/// Whether a sample is the one of [`Verifier::EVERY`]: a hash of its offset says so, since every
/// n-th sample could be the audio every time.
fn is_picked(sample: &Sample) -> bool {
    // 2^64 divided by the golden ratio, which spreads neighbours far apart.
    let hash = sample.at.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    hash < u64::MAX / Verifier::EVERY
}

/// The track and the key id of a protection.
fn name(plan: &Plan, protection: u32) -> (u32, KeyId) {
    let protection = &plan.protections[protection as usize];
    (plan.scopes[protection.scope as usize].track, protection.kid.clone())
}

/// Finds the bytes of a sample that a cipher has changed.
fn protected(
    plan: &Plan,
    sample: &Sample,
    ranges: &mut Vec<Range<usize>>,
) -> Result<(), cenc::Error> {
    ranges.clear();
    for run in plan.encryption(sample)?.protected(sample.len as usize)? {
        match ranges.last_mut() {
            Some(last) if last.end == run.start => last.end = run.end,
            _ => ranges.push(run),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, sync::Arc};

    use cenc::{Iv, Key, Pattern, Scheme, Subsample};
    use codec::Codec;

    use super::*;
    use crate::plan::{Protection, Scope};

    fn plan(samples: u64, octets: &[u8]) -> Plan {
        let protection = |&octet: &u8| Protection {
            scope: 0,
            scheme: Scheme::Cenc,
            pattern: Pattern::NONE,
            kid: KeyId::from([octet; 16]),
            iv_size: Some(8),
            codec: Some(Arc::new(Codec::Vp8)),
        };
        let kinds = octets.len() as u64;
        let sample = |number: u64| Sample {
            at: number * 8,
            len: 8,
            protection: u32::try_from(number % kinds).unwrap(),
            iv: 0,
            subsamples: None,
        };
        Plan {
            range: 0..samples * 8,
            scopes: vec![Scope { track: 1, ..Scope::default() }],
            protections: octets.iter().map(protection).collect(),
            samples: (0..samples).map(sample).collect(),
            ivs: vec![Iv::new(&[5; 8]).unwrap()],
            ..Plan::default()
        }
    }

    fn ready(plan: Plan) -> ReadyPlan {
        plan.resolve(&|_, _: &_| Some(Arc::new(Key::new(&[1; 16]))), &BTreeSet::new()).unwrap()
    }

    #[test]
    fn the_first_samples_and_some_of_the_others_are_looked_at() {
        let (samples, verifier) = (100_000, Verifier::new());
        let ready = ready(plan(samples, &[1, 2]));
        verifier.begin(&ready);
        assert!(verifier.has_first(&ready, &(0..8)));
        assert!(verifier.has_first(&ready, &(511 * 8..512 * 8)));
        assert!(!verifier.has_first(&ready, &(512 * 8..ready.plan().range().end)));
        let window = vec![0; usize::try_from(samples * 8).unwrap()];
        let _ = verifier.look(&ready, 0, &window);
        for finding in verifier.findings() {
            let later = finding.checked - Verifier::FIRST as u64;
            let expected = (samples / 2 - 256) / Verifier::EVERY;
            assert!(later.abs_diff(expected) < expected / 20, "{finding:?}, not {expected}");
        }
        assert_eq!(verifier.findings().len(), 2);
    }

    #[test]
    fn a_key_that_comes_late_has_first_samples_too() {
        let verifier = Verifier::new();
        verifier.begin(&ready(plan(1000, &[1])));
        let late = ready(plan(1000, &[1, 2]));
        verifier.begin(&late);
        assert!(verifier.has_first(&late, &(511 * 8..512 * 8)));
        assert!(!verifier.has_first(&late, &(512 * 8..8000)));
    }

    #[test]
    fn tracks_that_are_left_are_not_looked_at() {
        let verifier = Verifier::new();
        let left = plan(10, &[1]).resolve(&|_, _: &_| None, &BTreeSet::from([1])).unwrap();
        verifier.begin(&left);
        assert!(!verifier.has_first(&left, &(0..80)));
        assert!(!verifier.look(&left, 0, &[0; 80]));
        assert_eq!(verifier.findings(), []);
    }

    #[test]
    fn ranges_that_touch_are_one() {
        let mut plan = plan(1, &[1]);
        plan.subsamples = vec![Subsample::new(1, 2), Subsample::new(0, 3), Subsample::new(1, 1)];
        plan.samples[0].subsamples = Some(0..3);
        let mut ranges = vec![3..4, 9..12];
        protected(&plan, &plan.samples[0], &mut ranges).unwrap();
        assert_eq!(ranges, [1..6, 7..8]);
    }
}
