//! The one place that writes: a plan, its keys, and a window of the unit's bytes.

use std::{
    collections::{BTreeSet, HashMap},
    ops::Range,
    sync::Arc,
};

use cenc::{BatchError, Key, decrypt_batch, encrypt_batch};
use clearkey::KeyId;

use crate::{
    Error, Place, Relocation,
    edit::{Change, Edit},
    plan::{Plan, Protection, Sample, Scope},
};

/// Where keys come from. Any `Fn(u32, &KeyId) -> Option<Arc<Key>>` is one.
pub trait KeySource {
    /// The key with that id, for that track.
    fn key(&self, track: u32, kid: &KeyId) -> Option<Arc<Key>>;
}

impl<F: Fn(u32, &KeyId) -> Option<Arc<Key>>> KeySource for F {
    fn key(&self, track: u32, kid: &KeyId) -> Option<Arc<Key>> {
        self(track, kid)
    }
}

/// A plan with the keys for it.
#[derive(Debug)]
pub struct ReadyPlan {
    plan: Plan,
    /// One for each protection; none where the scope is left.
    keys: Vec<Option<Arc<Key>>>,
    /// For each scope, whether it stays as it is.
    left: Vec<bool>,
}

impl Plan {
    /// Looks up the keys. Each is asked for once, so that a lock behind `keys` is not held for long.
    ///
    /// The tracks in `leave` stay as they are, encrypted and marked as encrypted, so that they can
    /// be decrypted later. This has to be the same for all plans of an input: see
    /// [`KeyDemand`](crate::KeyDemand).
    ///
    /// # Errors
    /// [`Error::NoKey`], if a key is missing for another track.
    pub fn resolve(self, keys: &dyn KeySource, leave: &BTreeSet<u32>) -> Result<ReadyPlan, Error> {
        let left: Vec<_> = self.scopes.iter().map(|scope| leave.contains(&scope.track)).collect();
        let mut known = HashMap::new();
        let mut find = |Protection { scope, kid, .. }: &Protection| {
            if left[*scope as usize] {
                return Ok(None);
            }
            let track = self.scopes[*scope as usize].track;
            let key = known.entry((track, kid.clone())).or_insert_with(|| keys.key(track, kid));
            let no_key = || Error::NoKey { kid: kid.clone(), track };
            key.clone().ok_or_else(no_key).map(Some)
        };
        let keys = self.protections.iter().map(&mut find).collect::<Result<_, _>>()?;
        Ok(ReadyPlan { plan: self, keys, left })
    }
}

impl ReadyPlan {
    /// The plan.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The key of a protection; `None`: its samples are left.
    pub(crate) fn key(&self, protection: u32) -> Option<&Key> {
        self.keys[protection as usize].as_deref()
    }

    /// The scopes that stay as they are.
    pub fn left(&self) -> impl Iterator<Item = &Scope> {
        let scopes = self.plan.scopes.iter().zip(&self.left);
        scopes.filter_map(|(scope, is_left)| is_left.then_some(scope))
    }

    /// The edits that the keys allow.
    pub fn edits(&self) -> impl Iterator<Item = &Edit> {
        self.edits_from(0)
    }

    /// Those that reach beyond offset `at`.
    fn edits_from(&self, at: u64) -> impl Iterator<Item = &Edit> {
        let anything_left = self.left.contains(&true);
        let mut scopes = self.plan.scopes.iter().zip(&self.left);
        let changes = scopes.any(|(scope, is_left)| !is_left && !scope.default_kids.is_empty());
        let first = self.plan.edits.partition_point(|edit| edit.range().end <= at);
        self.plan.edits[first..].iter().filter(move |edit| match (edit.scope, &edit.change) {
            (Some(scope), _) => !self.left[scope as usize],
            (None, Change::Checksum { .. }) => changes,
            (None, _) => !anything_left,
        })
    }

    /// What lost its purpose and can be cut out, in order.
    pub fn discards(&self) -> impl Iterator<Item = Range<u64>> {
        self.edits().filter_map(|edit| {
            let range = edit.range();
            match &edit.change {
                Change::Discard { .. } | Change::Checksum { .. } => Some(range),
                Change::Shift { filler, .. } => Some(range.end - filler.len() as u64..range.end),
                Change::Overwrite(_) | Change::Insert { .. } => None,
            }
        })
    }

    /// Decrypts the samples and makes the edits in a window of the unit: [`decrypt`](Self::decrypt), then
    /// [`edit`](Self::edit).
    ///
    /// `window` starts at offset `at` of the input, and must not begin or end inside of a sample or of what is
    /// shifted: see [`Plan::windows`]. Its length stays.
    ///
    /// # Errors
    /// None that planning would not have found.
    pub fn apply(&self, at: u64, window: &mut [u8]) -> Result<(), Error> {
        self.decrypt(at, window)?;
        self.edit(at, window);
        Ok(())
    }

    /// Makes the edits in a window of the unit, whose samples have been decrypted and are now moved.
    pub fn edit(&self, at: u64, window: &mut [u8]) {
        self.edits_in(at, window.len()).for_each(|edit| edit.write(at, window));
    }

    /// Makes only those edits that move samples: for who writes samples first and all else later.
    pub fn shift(&self, at: u64, window: &mut [u8]) {
        let shifts = self.edits_in(at, window.len()).filter(|edit| edit.is_shift());
        shifts.for_each(|edit| edit.write(at, window));
    }

    fn edits_in(&self, at: u64, len: usize) -> impl Iterator<Item = &Edit> {
        let end = at + len as u64;
        self.edits_from(at).take_while(move |edit| edit.at < end)
    }

    /// Decrypts the samples in a window of the unit, where they are, and leaves the rest to
    /// [`edit`](Self::edit).
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub fn decrypt(&self, at: u64, window: &mut [u8]) -> Result<(), Error> {
        self.each_sample(at, window, |samples| decrypt_batch(samples))
    }

    /// Encrypts the samples in a window of the unit: the plan is one that an
    /// [`Encryptor`](crate::encrypt::Encryptor) has made. All else is as in [`decrypt`](Self::decrypt).
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub fn encrypt(&self, at: u64, window: &mut [u8]) -> Result<(), Error> {
        self.each_sample(at, window, |samples| encrypt_batch(samples))
    }

    fn each_sample(
        &self,
        at: u64,
        window: &mut [u8],
        run: impl FnOnce(&mut dyn Iterator<Item = cenc::Sample<'_>>) -> Result<(), BatchError>,
    ) -> Result<(), Error> {
        let samples = self.samples_in(at, window.len());
        let mut rest = Rest { at, bytes: window };
        let mut broken = Ok(());
        let mut batch = samples.clone().map_while(|(index, sample, key)| {
            let taken = rest.take(sample).and_then(|data| {
                let encryption = self.plan.encryption(sample);
                let encryption = encryption.map_err(|reason| self.failed(index, sample, reason))?;
                Ok(cenc::Sample { key, encryption, data })
            });
            taken.map_err(|error| broken = Err(error)).ok()
        });
        let done = run(&mut batch);
        if let Err(BatchError { index, error }) = done
            && let Some((index, sample, _)) = samples.clone().nth(index)
        {
            return Err(self.failed(index, sample, error));
        }
        broken
    }

    /// What becomes of a window of the unit once its edits have been added to `relocation`: what stays
    /// of it and what goes in, in order, each with its new offset. They lie one behind the other.
    ///
    /// What goes in at the start of the window comes with the window before.
    pub fn pieces<'a>(
        &'a self,
        relocation: &Relocation,
        at: u64,
        window: &'a [u8],
    ) -> impl Iterator<Item = (u64, &'a [u8])> {
        let end = at + window.len() as u64;
        let inserts = self.edits_from(at).take_while(move |edit| edit.at <= end);
        let inserts = inserts.filter_map(|edit| match &edit.change {
            Change::Insert { bytes, .. } => Some((edit.at, bytes.as_slice())),
            _ => None,
        });
        let mut inserts = inserts.peekable();
        let mut pieces = Vec::new();
        for kept in relocation.kept(at..end) {
            let mut from = kept.start;
            while let Some((cut, bytes)) = inserts.next_if(|(cut, _)| *cut <= kept.end) {
                pieces.extend([slice(at, window, from..cut.max(from)), bytes]);
                from = cut.max(from);
            }
            pieces.push(slice(at, window, from..kept.end));
        }
        pieces.extend(inserts.map(|(_, bytes)| bytes));
        pieces.retain(|piece| !piece.is_empty());
        let mut new = relocation.moved(at);
        pieces.into_iter().map(move |piece| {
            let start = new;
            new += piece.len() as u64;
            (start, piece)
        })
    }

    /// The samples with a key in a window, with their place in the plan and their keys.
    pub(crate) fn samples_in(
        &self,
        at: u64,
        len: usize,
    ) -> impl Iterator<Item = (u64, &Sample, &Key)> + Clone {
        let samples = &self.plan.samples;
        let first = samples.partition_point(|sample| sample.at < at);
        let end = at + len as u64;
        let in_window = samples[first..].iter().take_while(move |sample| sample.at < end);
        (first as u64..).zip(in_window).filter_map(|(index, sample)| {
            let key = self.key(sample.protection)?;
            Some((index, sample, key))
        })
    }

    fn failed(&self, index: u64, sample: &Sample, reason: cenc::Error) -> Error {
        let place = Place { path: "sample data".to_owned(), at: sample.at };
        Error::Sample { place, track: self.track(sample.protection), sample: index, reason }
    }

    fn track(&self, protection: u32) -> u32 {
        let scope = self.plan.protections[protection as usize].scope;
        self.plan.scopes[scope as usize].track
    }
}

/// What is left of a window: `bytes` from offset `at` on.
struct Rest<'w> {
    at: u64,
    bytes: &'w mut [u8],
}

impl<'w> Rest<'w> {
    /// Takes the bytes of a sample out, and leaves what is behind them.
    fn take(&mut self, sample: &Sample) -> Result<&'w mut [u8], Error> {
        let start = usize::try_from(sample.at - self.at).unwrap_or(usize::MAX);
        let end = start.saturating_add(sample.len as usize);
        let bytes = std::mem::take(&mut self.bytes);
        let Some((taken, rest)) = bytes.split_at_mut_checked(end) else {
            return Err(Error::SampleOutOfRange {
                place: Place { path: "sample data".to_owned(), at: sample.at },
                what: "a sample".to_owned(),
                range: sample.at..sample.end(),
                why: "does not fit into the window given",
            });
        };
        *self = Self { at: sample.end(), bytes: rest };
        Ok(&mut taken[start..])
    }
}

/// Bytes of a window that begins at `at`.
fn slice(at: u64, window: &[u8], range: Range<u64>) -> &[u8] {
    let place = |offset: u64| usize::try_from(offset - at).unwrap_or(usize::MAX);
    window.get(place(range.start)..place(range.end)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use cenc::{Iv, Pattern, SampleEncryption, Scheme, Subsample, encrypt_sample};

    use super::*;

    fn kid(octet: u8) -> KeyId {
        KeyId::from([octet; 16])
    }

    fn key(kid: &KeyId) -> Arc<Key> {
        Arc::new(Key::new(kid.as_bytes().try_into().unwrap()))
    }

    /// Track 1 has default key 1 and samples with keys 1 and 2, track 2 default key 3 and samples
    /// with key 4. Bytes 100 to 164 are samples of 16 bytes, each under the next key of 1, 2, 4, 1.
    fn plan() -> Plan {
        let scope = |track, kids: &[u8]| Scope {
            track,
            default_kids: kids.iter().copied().map(kid).collect(),
            ..Scope::default()
        };
        let protection = |scope, octet| Protection {
            scope,
            scheme: Scheme::Cenc,
            pattern: Pattern::NONE,
            kid: kid(octet),
            iv_size: Some(8),
            codec: None,
        };
        let sample =
            |(at, protection)| Sample { at, len: 16, protection, iv: 0, subsamples: Some(0..1) };
        let edit = |at, scope| Edit { at, change: Change::Overwrite(vec![0xed]), scope };
        Plan {
            range: 80..180,
            scopes: vec![scope(1, &[1]), scope(2, &[3])],
            protections: vec![protection(0, 1), protection(0, 2), protection(1, 4)],
            samples: [(100, 0), (116, 1), (132, 2), (148, 0)].map(sample).to_vec(),
            ivs: vec![Iv::new(&[5; 8]).unwrap()],
            subsamples: vec![Subsample::new(4, 12)],
            edits: vec![
                edit(80, Some(0)),
                edit(85, Some(1)),
                edit(90, None),
                Edit {
                    at: 170,
                    change: Change::Discard { len: 8, filler: b"filler".to_vec() },
                    scope: Some(1),
                },
            ],
            ..Plan::default()
        }
    }

    /// All keys but these.
    fn without(missing: &[u8]) -> impl Fn(u32, &KeyId) -> Option<Arc<Key>> {
        let missing: Vec<_> = missing.iter().copied().map(kid).collect();
        move |_, kid| (!missing.contains(kid)).then(|| key(kid))
    }

    /// Bytes 80 to 180 with 0x11 everywhere, the samples encrypted.
    fn encrypted() -> Vec<u8> {
        let (plan, mut bytes) = (plan(), vec![0x11; 100]);
        for sample in &plan.samples {
            let start = usize::try_from(sample.at - 80).unwrap();
            let encryption = plan.encryption(sample).unwrap();
            let kid = &plan.protections[sample.protection as usize].kid;
            encrypt_sample(&key(kid), &encryption, &mut bytes[start..start + 16]).unwrap();
        }
        bytes
    }

    /// Which samples are clear now, and where edits have been made.
    fn outcome(ready: &ReadyPlan) -> ([bool; 4], Vec<usize>) {
        let mut bytes = encrypted();
        ready.apply(80, &mut bytes).unwrap();
        let clear = [20, 36, 52, 68].map(|start| {
            assert!(
                bytes[start..start + 16] == [0x11; 16]
                    || bytes[start..start + 16] == encrypted()[start..start + 16]
            );
            bytes[start..start + 16] == [0x11; 16]
        });
        let edits = [0, 5, 10, 90].into_iter().filter(|&at| bytes[at] != 0x11);
        (clear, edits.collect())
    }

    fn left(ready: &ReadyPlan) -> Vec<u32> {
        ready.left().map(|scope| scope.track).collect()
    }

    #[test]
    fn with_all_keys_everything_is_done() {
        let ready = plan().resolve(&without(&[]), &BTreeSet::new()).unwrap();
        assert_eq!(outcome(&ready), ([true; 4], vec![0, 5, 10, 90]));
        assert!(left(&ready).is_empty());
        let discard = 170..178;
        assert_eq!(ready.discards().collect::<Vec<_>>(), [discard]);
        assert_eq!(ready.plan().range(), 80..180);
    }

    #[test]
    fn a_missing_key_is_refused() {
        for (missing, message) in [
            (1, "no key for KID 01010101010101010101010101010101 (track 1)"),
            (2, "no key for KID 02020202020202020202020202020202 (track 1)"),
            (4, "no key for KID 04040404040404040404040404040404 (track 2)"),
        ] {
            let refused = plan().resolve(&without(&[missing]), &BTreeSet::new());
            assert_eq!(refused.unwrap_err().to_string(), message);
        }
        // No sample asks for the default key of track 2.
        let ready = plan().resolve(&without(&[3]), &BTreeSet::new()).unwrap();
        assert_eq!(outcome(&ready), ([true; 4], vec![0, 5, 10, 90]));
    }

    #[test]
    fn a_track_is_decrypted_whole_or_left_whole() {
        for (leave, clear, edits) in [
            (vec![1], [false, false, true, false], vec![5, 90]),
            (vec![2], [true, true, false, true], vec![0]),
            (vec![1, 2], [false; 4], vec![]),
        ] {
            let tracks = leave.iter().copied().collect();
            let ready = plan().resolve(&without(&[]), &tracks).unwrap();
            assert_eq!(outcome(&ready), (clear, edits), "{leave:?}");
            assert_eq!(left(&ready), leave);
        }
    }

    #[test]
    fn what_serves_the_whole_unit_goes_when_nothing_is_left() {
        let unit_edit = |leave: &[u32]| {
            let leave = leave.iter().copied().collect();
            let ready = plan().resolve(&without(&[]), &leave).unwrap();
            ready.edits().any(|edit| edit.scope.is_none())
        };
        assert!(unit_edit(&[]) && !unit_edit(&[1]) && !unit_edit(&[2]));
    }

    #[test]
    fn a_key_may_be_for_one_track_only() {
        let source = |track, kid: &KeyId| (track == 1).then(|| key(kid));
        let ready = plan().resolve(&source, &BTreeSet::from([2])).unwrap();
        assert_eq!(left(&ready), [2]);
        let refused = plan().resolve(&source, &BTreeSet::new()).unwrap_err();
        assert!(matches!(refused, Error::NoKey { track: 2, kid: wanted } if wanted == kid(4)));
    }

    #[test]
    fn each_key_is_asked_for_once() {
        let asked = RefCell::new(Vec::new());
        let source = |track, kid: &KeyId| {
            asked.borrow_mut().push((track, kid.as_bytes()[0]));
            Some(key(kid))
        };
        let mut plan = plan();
        // Two groups of samples with the same key.
        plan.protections.push(plan.protections[0].clone());
        plan.resolve(&source, &BTreeSet::new()).unwrap();
        assert_eq!(asked.into_inner(), [(1, 1), (1, 2), (2, 4)]);
    }

    #[test]
    fn window_by_window_is_all_at_once() {
        let ready = plan().resolve(&without(&[]), &BTreeSet::new()).unwrap();
        let mut whole = encrypted();
        ready.apply(80, &mut whole).unwrap();
        for size in 1..110 {
            let mut bytes = encrypted();
            for window in ready.plan().windows(size) {
                let range = usize::try_from(window.start - 80).unwrap()
                    ..usize::try_from(window.end - 80).unwrap();
                ready.apply(window.start, &mut bytes[range]).unwrap();
            }
            assert_eq!(bytes, whole, "{size}");
        }
    }

    #[test]
    fn decrypting_leaves_the_edits_to_others() {
        let ready = plan().resolve(&without(&[]), &BTreeSet::new()).unwrap();
        let (mut bytes, mut whole) = (encrypted(), encrypted());
        ready.decrypt(80, &mut bytes).unwrap();
        assert_eq!(bytes, vec![0x11; 100]);
        ready.edit(80, &mut bytes);
        ready.apply(80, &mut whole).unwrap();
        assert_eq!(bytes, whole);
    }

    #[test]
    fn a_window_that_ends_inside_of_a_sample_is_refused() {
        let ready = plan().resolve(&without(&[]), &BTreeSet::new()).unwrap();
        let mut window = encrypted();
        let error = ready.apply(80, &mut window[..60]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`sample data` at byte 132: a sample at bytes 132..148 does not fit into the window given"
        );
    }

    #[test]
    fn an_error_tells_which_sample_it_is() {
        let broken = Plan { subsamples: vec![Subsample::new(4, 13)], ..plan() };
        let ready = broken.resolve(&without(&[]), &BTreeSet::new()).unwrap();
        let error = ready.decrypt(132, &mut [0; 48]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`sample data` at byte 132: sample 2 of track 2: subsamples cover 17 bytes of a 16-byte sample"
        );
    }

    #[test]
    fn a_sample_is_told_to_cenc_as_it_is() {
        let plan = plan();
        let table = [Subsample::new(4, 12)];
        let iv = Iv::new(&[5; 8]).unwrap();
        let expected = SampleEncryption::new(Scheme::Cenc, iv, Pattern::NONE, Some(&table));
        assert_eq!(plan.encryption(&plan.samples[0]), expected);
        let whole = Sample { subsamples: None, ..plan.samples[0].clone() };
        let expected = SampleEncryption::new(Scheme::Cenc, iv, Pattern::NONE, None);
        assert_eq!(plan.encryption(&whole), expected);
    }
}
