//! Which keys an input wants.

use std::collections::{BTreeMap, BTreeSet};

use clearkey::KeyId;

use crate::{KeySource, Plan};

/// The key ids that the plans of an input ask for, by track.
#[derive(Clone, Debug, Default)]
pub struct KeyDemand {
    tracks: BTreeMap<u32, Wanted>,
}

#[derive(Clone, Debug, Default)]
struct Wanted {
    /// Of protected samples.
    kids: BTreeSet<KeyId>,
    /// The defaults of sample entries.
    default_kids: BTreeSet<KeyId>,
}

impl KeyDemand {
    /// No key is wanted.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds what a plan wants.
    pub fn add(&mut self, plan: &Plan) {
        for scope in plan.scopes() {
            let wanted = self.tracks.entry(scope.track).or_default();
            wanted.default_kids.extend(scope.default_kids.iter().cloned());
        }
        for protection in plan.protections() {
            let track = plan.scopes()[protection.scope as usize].track;
            let wanted = self.tracks.entry(track).or_default();
            wanted.kids.insert(protection.kid.clone());
        }
    }

    /// The key ids for which `keys` has no key, by track; tracks that miss nothing are not listed.
    ///
    /// What protected samples ask for counts. The defaults of a track count if nothing else is known
    /// of it, as in an init segment: keys that rotate leave them unused.
    #[must_use]
    pub fn missing(&self, keys: &dyn KeySource) -> BTreeMap<u32, BTreeSet<KeyId>> {
        let missing = |(&track, wanted): (&u32, &Wanted)| {
            let asked = if wanted.kids.is_empty() { &wanted.default_kids } else { &wanted.kids };
            let has_no_key = |kid: &&KeyId| keys.key(track, kid).is_none();
            (track, asked.iter().filter(has_no_key).cloned().collect::<BTreeSet<_>>())
        };
        self.tracks.iter().map(missing).filter(|(_, kids)| !kids.is_empty()).collect()
    }
}
