//! Which keys an input wants.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

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
        let mut known = BTreeMap::new();
        for scope in plan.scopes() {
            let kids = &scope.default_kids;
            // Most scopes of a track share their list.
            if known.insert(scope.track, kids).is_none_or(|known| !Arc::ptr_eq(known, kids)) {
                let wanted = self.tracks.entry(scope.track).or_default();
                wanted.default_kids.extend(kids.iter().cloned());
            }
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

#[cfg(test)]
mod tests {
    use cenc::{Key, Pattern, Scheme};

    use super::*;
    use crate::plan::{Protection, Scope};

    fn kid(octet: u8) -> KeyId {
        KeyId::from([octet; 16])
    }

    /// A unit of tracks, each with the default key ids of its entries and those of its samples.
    fn unit(tracks: &[(u32, &[u8], &[u8])]) -> Plan {
        let mut plan = Plan::default();
        for ((track, default_kids, kids), scope) in tracks.iter().zip(0..) {
            let default_kids = default_kids.iter().copied().map(kid).collect();
            plan.scopes.push(Scope { track: *track, default_kids, ..Scope::default() });
            plan.protections.extend(kids.iter().map(|octet| Protection {
                scope,
                scheme: Scheme::Cenc,
                pattern: Pattern::NONE,
                kid: kid(*octet),
                iv_size: Some(8),
                codec: None,
            }));
        }
        plan
    }

    /// The missing key ids of each track, by their first octet.
    fn missing(units: &[Plan], keys: &[u8]) -> Vec<(u32, Vec<u8>)> {
        let mut demand = KeyDemand::new();
        units.iter().for_each(|unit| demand.add(unit));
        let source = |_, wanted: &KeyId| {
            keys.iter().any(|octet| kid(*octet) == *wanted).then(|| Arc::new(Key::new(&[0; 16])))
        };
        let missing = demand.missing(&source).into_iter();
        missing
            .map(|(track, kids)| (track, kids.iter().map(|kid| kid.as_bytes()[0]).collect()))
            .collect()
    }

    #[test]
    fn all_units_of_a_track_are_asked() {
        let units = [
            unit(&[(1, &[0xa], &[]), (2, &[0xb], &[])]),
            unit(&[(1, &[0xa], &[0xa])]),
            unit(&[(2, &[0xb], &[0xb]), (1, &[0xa], &[0xd, 0xc])]),
        ];
        assert_eq!(missing(&units, &[0xa, 0xb, 0xc, 0xd]), []);
        assert_eq!(missing(&units, &[0xa, 0xb]), [(1, vec![0xc, 0xd])]);
        assert_eq!(missing(&units, &[0xa, 0xc, 0xd]), [(2, vec![0xb])]);
        assert_eq!(missing(&units, &[]), [(1, vec![0xa, 0xc, 0xd]), (2, vec![0xb])]);
    }

    #[test]
    fn default_keys_count_where_no_sample_says_more() {
        let init = unit(&[(1, &[0xa, 0xb], &[])]);
        assert_eq!(missing(std::slice::from_ref(&init), &[0xb]), [(1, vec![0xa])]);
        // Keys that rotate leave the default unused.
        let rotated = unit(&[(1, &[0xa, 0xb], &[0xc])]);
        assert_eq!(missing(&[init.clone(), rotated.clone()], &[0xc]), []);
        assert_eq!(missing(&[rotated, init], &[0xa, 0xb]), [(1, vec![0xc])]);
    }

    #[test]
    fn clear_tracks_want_nothing() {
        assert_eq!(missing(&[unit(&[(1, &[], &[]), (2, &[0xa], &[0xa])])], &[0xa]), []);
        assert_eq!(missing(&[], &[]), []);
    }

    #[test]
    fn a_key_may_be_for_one_track_only() {
        let mut demand = KeyDemand::new();
        demand.add(&unit(&[(1, &[], &[0xa]), (2, &[], &[0xa])]));
        let source = |track, _: &KeyId| (track == 1).then(|| Arc::new(Key::new(&[0; 16])));
        assert_eq!(demand.missing(&source).into_keys().collect::<Vec<_>>(), [2]);
    }
}
