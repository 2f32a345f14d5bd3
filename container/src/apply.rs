//! The one place that writes: a plan, its keys, and a window of the unit's bytes.

use std::{ops::Range, sync::Arc};

use cenc::{Key, decrypt_sample};
use clearkey::KeyId;

use crate::{
    Error, Place,
    plan::{Change, Edit, Plan, Scope},
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

/// What to do about a protected sample whose key is missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissingKeys {
    /// Refuse the unit.
    #[default]
    Refuse,
    /// Leave its scope as it is, encrypted and marked as encrypted.
    Leave,
}

/// A plan with the keys for it.
#[derive(Debug)]
pub struct ReadyPlan {
    plan: Plan,
    /// One for each protection; none where the scope is left.
    keys: Vec<Option<Arc<Key>>>,
    /// For each scope, the key id for want of which it is left.
    left: Vec<Option<KeyId>>,
}

impl Plan {
    /// Looks up the keys. Each is asked for once, so that a lock behind `keys` is not held for long.
    ///
    /// # Errors
    /// [`Error::NoKey`], if a key is missing and `missing` says to refuse that.
    pub fn resolve(self, keys: &dyn KeySource, missing: MissingKeys) -> Result<ReadyPlan, Error> {
        let mut left = vec![None; self.scopes.len()];
        if missing == MissingKeys::Leave {
            for (scope, left) in self.scopes.iter().zip(&mut left) {
                let no_key = |kid: &&KeyId| keys.key(scope.track, kid).is_none();
                *left = scope.default_kids.iter().find(no_key).cloned();
            }
        }
        let mut found = Vec::with_capacity(self.protections.len());
        for protection in &self.protections {
            let scope = protection.scope as usize;
            let track = self.scopes[scope].track;
            let key = keys.key(track, &protection.kid);
            if key.is_none() {
                let kid = protection.kid.clone();
                match missing {
                    MissingKeys::Refuse => return Err(Error::NoKey { kid, track }),
                    MissingKeys::Leave => left[scope] = Some(kid),
                }
            }
            found.push(key);
        }
        for (key, protection) in found.iter_mut().zip(&self.protections) {
            if left[protection.scope as usize].is_some() {
                *key = None;
            }
        }
        Ok(ReadyPlan { plan: self, keys: found, left })
    }
}

impl ReadyPlan {
    /// The plan.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The scopes that stay encrypted, and the key that each of them wants.
    pub fn left(&self) -> impl Iterator<Item = (&Scope, &KeyId)> {
        let scopes = self.plan.scopes.iter().zip(&self.left);
        scopes.filter_map(|(scope, kid)| kid.as_ref().map(|kid| (scope, kid)))
    }

    /// The edits that the keys allow.
    pub fn edits(&self) -> impl Iterator<Item = &Edit> {
        let nothing_left = self.left.iter().all(Option::is_none);
        self.plan.edits.iter().filter(move |edit| match edit.scope {
            Some(scope) => self.left[scope as usize].is_none(),
            None => nothing_left,
        })
    }

    /// What lost its purpose and can be cut out, in order.
    pub fn discards(&self) -> impl Iterator<Item = Range<u64>> {
        let is_discard = |edit: &&Edit| matches!(edit.change, Change::Discard { .. });
        self.edits().filter(is_discard).map(Edit::range)
    }

    /// Decrypts the samples and makes the edits in a window of the unit.
    ///
    /// `window` starts at offset `at` of the input, and must not end inside of a sample: see
    /// [`Plan::windows`]. Its length stays.
    ///
    /// # Errors
    /// None that planning would not have found.
    pub fn apply(&self, at: u64, window: &mut [u8]) -> Result<(), Error> {
        self.decrypt(at, window)?;
        for edit in self.edits() {
            edit.write(at, window);
        }
        Ok(())
    }

    /// Decrypts the samples in a window of the unit and leaves the rest to a later [`apply`]
    /// without samples.
    ///
    /// [`apply`]: Self::apply
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub fn decrypt(&self, at: u64, window: &mut [u8]) -> Result<(), Error> {
        let samples = &self.plan.samples;
        let first = samples.partition_point(|sample| sample.at < at);
        let window_end = at + window.len() as u64;
        let in_window = samples[first..].iter().take_while(|sample| sample.at < window_end);
        for (index, sample) in (first as u64..).zip(in_window) {
            let Some(key) = &self.keys[sample.protection as usize] else { continue };
            let failed = |source| Error::Sample {
                place: Place { path: "mdat".to_owned(), at: sample.at },
                track: self.track(sample.protection),
                sample: index,
                source,
            };
            let encryption = self.plan.encryption(sample).map_err(failed)?;
            let start = usize::try_from(sample.at - at).unwrap_or(usize::MAX);
            let bytes =
                window.get_mut(start..).and_then(|rest| rest.get_mut(..sample.len as usize));
            let bytes = bytes.ok_or_else(|| Error::SampleOutOfRange {
                place: Place { path: "mdat".to_owned(), at: sample.at },
                what: "a sample".to_owned(),
                range: sample.at..sample.end(),
                why: "does not fit into the window given",
            })?;
            decrypt_sample(key, &encryption, bytes).map_err(failed)?;
        }
        Ok(())
    }

    fn track(&self, protection: u32) -> u32 {
        let scope = self.plan.protections[protection as usize].scope;
        self.plan.scopes[scope as usize].track
    }
}
