//! What frames leave behind for the headers of later ones (7.20, 7.21), and what is found out by it.

use super::sequence::Sequence;
use crate::Error;

/// Slots for reference frames.
pub(super) const NUM_REF_FRAMES: usize = 8;
/// References of an inter frame.
pub(super) const REFS_PER_FRAME: usize = 7;
/// Segments of a frame.
pub(super) const MAX_SEGMENTS: usize = 8;

/// The quantizer offset of each segment, where it has one (FeatureData of SEG_LVL_ALT_Q).
pub(super) type SegmentOffsets = [Option<i32>; MAX_SEGMENTS];

/// What is kept of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    pub(super) is_key: bool,
    pub(super) upscaled_width: u32,
    pub(super) frame_height: u32,
    pub(super) order_hint: u32,
    pub(super) segment_offsets: SegmentOffsets,
}

/// The slots.
#[derive(Clone, Debug, Default)]
pub(super) struct References {
    slots: [Option<Reference>; NUM_REF_FRAMES],
}

impl References {
    /// The frame in a slot.
    pub(super) fn get(&self, slot: usize) -> Result<&Reference, Error> {
        let missing = Error::Missing { what: "a reference frame in slot", value: slot as u64 };
        self.slots.get(slot).and_then(Option::as_ref).ok_or(missing)
    }

    /// The reference frame update process (7.20).
    pub(super) fn refresh(&mut self, refresh_frame_flags: u32, frame: Reference) {
        for (index, slot) in self.slots.iter_mut().enumerate() {
            if refresh_frame_flags >> index & 1 == 1 {
                *slot = Some(frame);
            }
        }
    }

    /// A frame with that ref_order_hint is expected in a slot. If it is not there, it was lost, and
    /// decoders take a grey one for it.
    pub(super) fn expect(&mut self, slot: usize, order_hint: u32, sequence: &Sequence) {
        let Some(slot) = self.slots.get_mut(slot) else { return };
        if slot.is_none_or(|found| found.order_hint != order_hint) {
            *slot = Some(Reference {
                is_key: false,
                upscaled_width: sequence.max_frame_width,
                frame_height: sequence.max_frame_height,
                order_hint,
                segment_offsets: SegmentOffsets::default(),
            });
        }
    }

    /// RefOrderHint of a slot.
    fn order_hint(&self, slot: usize) -> u32 {
        self.slots.get(slot).copied().flatten().map_or(0, |frame| frame.order_hint)
    }

    /// The set frame refs process (7.8): the slots of all references of a frame, of which only those of
    /// LAST_FRAME and GOLDEN_FRAME are coded.
    pub(super) fn set_frame_refs(
        &self,
        sequence: &Sequence,
        order_hint: u32,
        last_frame_idx: usize,
        gold_frame_idx: usize,
    ) -> [usize; REFS_PER_FRAME] {
        let mut search = Search { distances: [0; NUM_REF_FRAMES], used: [false; NUM_REF_FRAMES] };
        for (slot, distance) in search.distances.iter_mut().enumerate() {
            *distance = sequence.relative_dist(self.order_hint(slot), order_hint);
        }
        let mut found = [None; REFS_PER_FRAME];
        found[LAST] = search.take(Some(last_frame_idx));
        found[GOLDEN] = search.take(Some(gold_frame_idx));
        found[ALTREF] = search.take(search.latest(true));
        found[BWDREF] = search.take(search.earliest_backward());
        found[ALTREF2] = search.take(search.earliest_backward());
        for reference in [LAST2, LAST3, BWDREF, ALTREF2, ALTREF] {
            if found[reference].is_none() {
                found[reference] = search.take(search.latest(false));
            }
        }
        // What is left refers to the frame that comes out first.
        let first = (0..NUM_REF_FRAMES).min_by_key(|&slot| search.distances[slot]).unwrap_or(0);
        found.map(|slot| slot.unwrap_or(first))
    }
}

/// References by their place in ref_frame_idx.
const LAST: usize = 0;
const LAST2: usize = 1;
const LAST3: usize = 2;
const GOLDEN: usize = 3;
const BWDREF: usize = 4;
const ALTREF2: usize = 5;
const ALTREF: usize = 6;

/// The slots that are still to be given to a reference.
struct Search {
    /// How much later than the current frame those in the slots come out.
    distances: [i32; NUM_REF_FRAMES],
    used: [bool; NUM_REF_FRAMES],
}

impl Search {
    fn take(&mut self, slot: Option<usize>) -> Option<usize> {
        if let Some(used) = slot.and_then(|slot| self.used.get_mut(slot)) {
            *used = true;
        }
        slot
    }

    fn unused(&self, backward: bool) -> impl Iterator<Item = usize> {
        let slots = self.distances.iter().zip(&self.used).enumerate();
        slots.filter_map(move |(slot, (&distance, &used))| {
            (!used && (distance >= 0) == backward).then_some(slot)
        })
    }

    /// The last of those that come out latest, of those behind the current frame or of those before it.
    fn latest(&self, backward: bool) -> Option<usize> {
        self.unused(backward).max_by_key(|&slot| self.distances[slot])
    }

    /// The first of those that come out earliest behind the current frame.
    fn earliest_backward(&self) -> Option<usize> {
        self.unused(true).min_by_key(|&slot| self.distances[slot])
    }
}

/// skipModeAllowed of a frame with reference_select (5.9.22): it has a reference on each side, or two
/// before it. `hints` are those of its references.
pub(super) fn skip_mode_allowed(
    sequence: &Sequence,
    order_hint: u32,
    hints: &[u32; REFS_PER_FRAME],
) -> bool {
    let distance = |hint: u32| sequence.relative_dist(hint, order_hint);
    if sequence.order_hint_bits == 0 {
        return false;
    }
    let nearest = hints
        .iter()
        .copied()
        .filter(|&hint| distance(hint) < 0)
        .reduce(|near, hint| if sequence.relative_dist(hint, near) > 0 { hint } else { near });
    nearest.is_some_and(|nearest| {
        hints.iter().any(|&hint| distance(hint) > 0)
            || hints.iter().any(|&hint| sequence.relative_dist(hint, nearest) < 0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::av1::testing;

    /// A sequence of libaom, with seven bits of order hints.
    fn sequence() -> Sequence {
        let streams = testing::streams();
        let stream = streams.iter().find(|stream| stream.name == "av1_aom_show_existing").unwrap();
        let sequence = stream.config.sequence.clone().unwrap();
        assert_eq!(sequence.order_hint_bits, 7);
        sequence
    }

    fn references(sequence: &Sequence, hints: [u32; NUM_REF_FRAMES]) -> References {
        let mut references = References::default();
        for (slot, hint) in hints.into_iter().enumerate() {
            references.expect(slot, hint, sequence);
        }
        references
    }

    #[test]
    fn references_are_found_by_the_order_of_their_frames() {
        let sequence = sequence();
        // Frame 20, with 24, 22 and 28 behind it.
        let slots = references(&sequence, [10, 12, 14, 24, 16, 22, 18, 28]);
        // LAST 18 and GOLDEN 10 are given; LAST2 16 and LAST3 14; BWDREF 22, ALTREF2 24, ALTREF 28.
        assert_eq!(slots.set_frame_refs(&sequence, 20, 6, 0), [6, 4, 2, 0, 5, 3, 7]);
        // Nothing behind: all in turn from the latest.
        let slots = references(&sequence, [10, 12, 14, 15, 16, 17, 18, 19]);
        assert_eq!(slots.set_frame_refs(&sequence, 20, 7, 0), [7, 6, 5, 0, 4, 3, 2]);
        // Two frames only, in all slots: what is left refers to the earlier one.
        let slots = references(&sequence, [8, 8, 8, 8, 4, 24, 24, 24]);
        assert_eq!(slots.set_frame_refs(&sequence, 20, 0, 1), [0, 3, 2, 1, 5, 6, 7]);
    }

    #[test]
    fn order_hints_wrap() {
        let sequence = sequence();
        assert_eq!(sequence.relative_dist(2, 126), 4);
        assert_eq!(sequence.relative_dist(126, 2), -4);
        assert_eq!(sequence.relative_dist(64, 0), -64);
    }

    #[test]
    fn skip_mode_wants_two_frames_apart() {
        let sequence = sequence();
        let allowed = |hints| skip_mode_allowed(&sequence, 20, &hints);
        assert!(allowed([18, 16, 14, 10, 22, 24, 28]));
        assert!(allowed([18, 18, 18, 18, 18, 18, 16]));
        assert!(!allowed([18; 7]));
        assert!(!allowed([22; 7]));
        assert!(!allowed([20, 20, 20, 20, 20, 20, 22]));
    }
}
