//! What is to be done to one unit of an input: a pure function of its bytes.
//!
//! A plan names no box and no element, so that every container format can be described by one.

use std::{ops::Range, sync::Arc};

use cenc::{Iv, Pattern, SampleEncryption, Scheme, Subsample};
use clearkey::{InitDataType, KeyId};
use codec::Codec;

use crate::FourCc;

/// How one unit (an init segment, a fragment, a whole progressive file) is decrypted.
///
/// All offsets count from the start of the input, in bytes. Samples and edits lie inside of
/// [`range`](Self::range), are sorted by offset, and do not overlap; but what a [`Change::Shift`] moves may
/// be a sample.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    pub(crate) range: Range<u64>,
    pub(crate) tracks: Vec<Track>,
    pub(crate) init_data: Vec<InitData>,
    pub(crate) scopes: Vec<Scope>,
    pub(crate) protections: Vec<Protection>,
    pub(crate) samples: Vec<Sample>,
    pub(crate) ivs: Vec<Iv>,
    pub(crate) subsamples: Vec<Subsample>,
    pub(crate) edits: Vec<Edit>,
}

impl Plan {
    /// Where the unit lies in the input.
    #[must_use]
    pub fn range(&self) -> Range<u64> {
        self.range.clone()
    }

    /// The tracks that the unit declares; empty unless it holds a movie header.
    #[must_use]
    pub fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    /// The initialization data of the unit, as EME would be given them.
    #[must_use]
    pub fn init_data(&self) -> &[InitData] {
        &self.init_data
    }

    /// What is decrypted together or left together: one scope per track and unit.
    #[must_use]
    pub fn scopes(&self) -> &[Scope] {
        &self.scopes
    }

    /// The different ways in which samples of the unit are protected.
    #[must_use]
    pub fn protections(&self) -> &[Protection] {
        &self.protections
    }

    /// The protected samples.
    #[must_use]
    pub fn samples(&self) -> &[Sample] {
        &self.samples
    }

    /// The IV of a sample of this plan, zero-extended to 16 bytes.
    ///
    /// # Panics
    /// If the sample is one of another plan.
    #[must_use]
    pub fn iv(&self, sample: &Sample) -> Iv {
        self.ivs[sample.iv as usize]
    }

    /// The subsamples of a sample of this plan; `None` if all of it is protected.
    ///
    /// # Panics
    /// If the sample is one of another plan.
    #[must_use]
    pub fn subsamples(&self, sample: &Sample) -> Option<&[Subsample]> {
        let range = sample.subsamples.as_ref()?;
        Some(&self.subsamples[range.start as usize..range.end as usize])
    }

    /// The changes outside of samples.
    #[must_use]
    pub fn edits(&self) -> &[Edit] {
        &self.edits
    }

    /// Whether the unit stays as it is, with whatever keys.
    #[must_use]
    pub fn is_verbatim(&self) -> bool {
        self.samples.is_empty() && self.edits.is_empty()
    }

    /// Cuts the unit into windows of about `size` bytes, none of which ends inside of a sample or of what is
    /// shifted.
    pub fn windows(&self, size: u64) -> impl Iterator<Item = Range<u64>> + '_ {
        let mut at = self.range.start;
        std::iter::from_fn(move || {
            let start = at;
            (start < self.range.end).then(|| {
                let cut = start.saturating_add(size.max(1)).min(self.range.end);
                at = match self.held(cut) {
                    Some(held) if held.start > start => held.start,
                    Some(held) => held.end,
                    None => cut,
                };
                start..at
            })
        })
    }

    /// What a cut at `cut` would go through, and must not.
    fn held(&self, cut: u64) -> Option<Range<u64>> {
        let edits = self.edits.partition_point(|edit| edit.at < cut);
        let shift = edits.checked_sub(1).map(|last| &self.edits[last]);
        let shift = shift.filter(|edit| edit.is_shift()).map(Edit::range);
        let samples = self.samples.partition_point(|sample| sample.at < cut);
        let sample = samples.checked_sub(1).map(|last| &self.samples[last]);
        let sample = sample.map(|sample| sample.at..sample.end());
        // A sample may be a part of a shift, which is the longer of the two then.
        [shift, sample].into_iter().flatten().find(|held| held.end > cut)
    }

    /// How a sample of this plan is encrypted, as `cenc` wants to be told.
    pub(crate) fn encryption(&self, sample: &Sample) -> Result<SampleEncryption<'_>, cenc::Error> {
        let protection = &self.protections[sample.protection as usize];
        let subsamples = self.subsamples(sample);
        SampleEncryption::new(protection.scheme, self.iv(sample), protection.pattern, subsamples)
    }
}

/// Initialization data of a unit, for a license request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InitData {
    /// Where they lie in the input.
    pub at: u64,
    /// Their type, by which EME knows the format of the bytes.
    pub init_data_type: InitDataType,
    /// `cenc`: adjacent `pssh` boxes, one after the other; `webm`: a key id.
    pub bytes: Vec<u8>,
}

/// Samples of one track in one unit, which are decrypted together or left together.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// Track id.
    pub track: u32,
    /// The default key ids of the track's protected sample entries, without the all-zero one that
    /// stands for "see the sample groups".
    pub default_kids: Vec<KeyId>,
    /// Number of protected samples.
    pub protected: u64,
    /// Number of clear samples.
    pub clear: u64,
    /// Where the auxiliary information of its samples was found.
    pub aux_info: AuxInfo,
}

/// Where IVs and subsamples come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AuxInfo {
    /// Nowhere: nothing is protected, or the IV is constant and samples are protected whole.
    #[default]
    None,
    /// A `senc` box.
    Senc,
    /// The sample encryption box of PIFF 1.1.
    Piff,
    /// What `saio` points to, inside of a header box (`moov` or `moof`).
    Saio,
    /// What `saio` points to, beside the sample data.
    SaioInData,
    /// In front of each frame, in its WebM block.
    Block,
}

/// One way of protecting samples: all of `tenc` or `seig` but the IV.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protection {
    /// Index of the scope that it belongs to.
    pub scope: u32,
    /// Scheme.
    pub scheme: Scheme,
    /// Pattern; 0:0 for the schemes without one.
    pub pattern: Pattern,
    /// Key id.
    pub kid: KeyId,
    /// Size of the IV in the file: 8 or 16 bytes for each sample, or `None` for a constant one.
    pub iv_size: Option<u8>,
    /// What the samples are once they are clear, where it is known.
    pub codec: Option<Arc<Codec>>,
}

/// A protected sample. There can be one for each byte of a file, so it is kept small.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Where it starts.
    pub at: u64,
    /// Its length in bytes; not 0.
    pub len: u32,
    /// Index of its protection.
    pub protection: u32,
    /// Its IV, as an index into the plan's list: a constant one is there once.
    pub(crate) iv: u32,
    /// Its subsamples, as a range of the plan's list; `None`: protected whole.
    pub(crate) subsamples: Option<Range<u32>>,
}

impl Sample {
    /// Offset of the first byte behind it.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.at + u64::from(self.len)
    }
}

/// A change outside of samples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// Offset of the first byte changed.
    pub at: u64,
    /// What changes.
    pub change: Change,
    /// The scope it goes with: none is for what may only go if nothing of the unit is left encrypted.
    pub scope: Option<u32>,
}

/// The kinds of change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// These bytes replace as many.
    Overwrite(Vec<u8>),
    /// A piece that has lost its purpose. Its first bytes become `filler`, which makes it padding,
    /// and the rest zero; or all of it is cut out, where lengths may change.
    Discard {
        /// Its length in bytes.
        len: u64,
        /// What makes it padding: the header of a `free` box of that length.
        filler: Vec<u8>,
    },
    /// These bytes go in before what stands at the edit's offset. Only a [`Relocation`] makes room for
    /// them.
    ///
    /// [`Relocation`]: crate::Relocation
    Insert {
        /// What goes in.
        bytes: Vec<u8>,
        /// Where the innermost box or element begins that they are a part of.
        owner: u64,
    },
    /// A sample moves to the left over what protection has put in front of it: these bytes, then the
    /// sample, and behind it what makes the gap padding, or is cut out where lengths may change.
    Shift {
        /// What stands before the sample.
        head: Vec<u8>,
        /// Length of the sample, which is the end of what changes before it moves.
        len: u64,
        /// A whole `Void` element.
        filler: Vec<u8>,
    },
    /// A checksum over what changes, in any scope: it becomes padding.
    Checksum {
        /// A whole `Void` element.
        filler: Vec<u8>,
    },
}

impl Edit {
    /// The bytes it touches: none, where some go in between.
    #[must_use]
    pub fn range(&self) -> Range<u64> {
        let len = match &self.change {
            Change::Overwrite(bytes) => bytes.len() as u64,
            Change::Discard { len, .. } => *len,
            Change::Insert { .. } => 0,
            Change::Shift { head, len, filler } => (head.len() + filler.len()) as u64 + len,
            Change::Checksum { filler } => filler.len() as u64,
        };
        self.at..self.at + len
    }

    /// Whether it moves a sample.
    #[must_use]
    pub fn is_shift(&self) -> bool {
        matches!(self.change, Change::Shift { .. })
    }

    /// Writes the part of this change that falls into `window`, whose first byte is at `from`. What goes
    /// in between bytes is not in any window, and what moves is in one as a whole or not at all.
    pub fn write(&self, from: u64, window: &mut [u8]) {
        let range = self.range();
        let new = match &self.change {
            Change::Overwrite(bytes) => bytes,
            Change::Discard { filler, .. } | Change::Checksum { filler } => filler,
            Change::Insert { .. } => return,
            Change::Shift { head, len, filler } => {
                let inside = range.start.checked_sub(from).map(index);
                let whole = inside.and_then(|start| {
                    window.get_mut(start..start + index(range.end - range.start))
                });
                return whole.map_or((), |whole| shift(whole, head, index(*len), filler));
            }
        };
        let start = range.start.max(from);
        let end = range.end.min(from + window.len() as u64);
        if start >= end {
            return;
        }
        let [start, end] = [start - from, end - from].map(index);
        let touched = &mut window[start..end];
        let skipped = index(from.saturating_sub(range.start));
        let new = new.get(skipped..).unwrap_or_default();
        let (written, zeroed) = touched.split_at_mut(new.len().min(touched.len()));
        written.copy_from_slice(&new[..written.len()]);
        zeroed.fill(0);
    }
}

/// Moves the last `len` bytes of what changes to behind the new head, and fills the rest.
fn shift(bytes: &mut [u8], head: &[u8], len: usize, filler: &[u8]) {
    let end = bytes.len();
    bytes.copy_within(end - len.., head.len());
    bytes[..head.len()].copy_from_slice(head);
    bytes[end - filler.len()..].copy_from_slice(filler);
}

/// A distance inside of a slice.
fn index(distance: u64) -> usize {
    usize::try_from(distance).unwrap_or(usize::MAX)
}

/// A track, as a header declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Track {
    /// Track id.
    pub id: u32,
    /// Handler type of ISO/IEC 14496-12: `vide`, `soun`, `text`…
    pub handler: FourCc,
    /// Its sample entries. A clear lead has one of its own.
    pub entries: Vec<EntrySummary>,
}

/// What a header says of a track's sample entry. A WebM track has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntrySummary {
    /// What the samples are once they are clear, such as `avc1` or `V_VP9`.
    pub format: String,
    /// How they are protected by default; `None`: clear.
    pub protection: Option<EntryProtection>,
}

/// The default protection of a sample entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryProtection {
    /// Scheme type as the file says it: `cenc`, `cens`, `cbc1`, `cbcs` or `piff`.
    pub scheme_type: FourCc,
    /// Scheme.
    pub scheme: Scheme,
    /// Whether samples outside of any sample group are protected.
    pub is_protected: bool,
    /// Default key id.
    pub kid: KeyId,
    /// Pattern.
    pub pattern: Pattern,
    /// Size of each sample's IV in bytes; `None`: a constant IV, or none for clear samples.
    pub iv_size: Option<u8>,
    /// The constant IV.
    pub constant_iv: Option<Iv>,
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    /// A plan of a unit that begins at 1000: gaps and sample lengths, one after the other.
    fn plan_of(layout: &[(u64, u32)], rest: u64) -> Plan {
        let mut plan = Plan::default();
        let mut at = 1000;
        for &(gap, len) in layout {
            at += gap;
            plan.samples.push(Sample { at, len, protection: 0, iv: 0, subsamples: None });
            at += u64::from(len);
        }
        plan.range = 1000..at + rest;
        plan
    }

    fn windows(plan: &Plan, size: u64) -> Vec<Range<u64>> {
        plan.windows(size).collect()
    }

    #[test]
    fn a_window_ends_before_a_sample_that_it_cannot_hold() {
        let plan = plan_of(&[(5, 10), (0, 10), (5, 30)], 5);
        assert_eq!(windows(&plan, 20), [1000..1015, 1015..1030, 1030..1060, 1060..1065]);
        assert_eq!(windows(&plan, 15), [1000..1015, 1015..1030, 1030..1060, 1060..1065]);
        assert_eq!(windows(&plan, 25), [1000..1025, 1025..1030, 1030..1060, 1060..1065]);
        assert_eq!(windows(&plan, 65), [plan.range()]);
        assert_eq!(windows(&plan, u64::MAX), [plan.range()]);
        // Windows as small as samples allow.
        assert_eq!(windows(&plan, 0), windows(&plan, 1));
        assert_eq!(windows(&plan, 1)[4..7], [1004..1005, 1005..1015, 1015..1025]);
        assert_eq!(windows(&plan_of(&[], 0), 7), []);
        assert_eq!(windows(&plan_of(&[], 10), 7), [1000..1007, 1007..1010]);
    }

    proptest! {
        #[test]
        fn windows_tile_the_unit_and_cut_no_sample(
            layout in vec((0_u64..40, 1_u32..60), 0..20),
            rest in 0_u64..50,
            size in 0_u64..100,
        ) {
            let plan = plan_of(&layout, rest);
            let windows = windows(&plan, size);
            let mut at = plan.range.start;
            for window in &windows {
                prop_assert_eq!(window.start, at);
                prop_assert!(window.end > window.start);
                at = window.end;
                let cut = plan.samples.iter().find(|s| s.at < window.end && window.end < s.end());
                prop_assert_eq!(cut, None);
                // Only a single sample may be larger than what was asked for.
                let is_one = || plan.samples.iter().any(|s| (s.at, s.end()) == (window.start, window.end));
                prop_assert!(window.end - window.start <= size.max(1) || is_one());
            }
            prop_assert_eq!(at, plan.range.end);
        }

        #[test]
        fn an_edit_in_pieces_is_the_edit_at_once(
            edit in any_edit(),
            cuts in vec(0_u64..80, 0..6),
        ) {
            let from = 990;
            let mut whole = vec![0xaa; 80];
            edit.write(from, &mut whole);

            let mut cuts = [cuts, vec![0, 80]].concat();
            cuts.sort_unstable();
            let mut pieces = vec![0xaa; 80];
            for cut in cuts.windows(2) {
                let piece = &mut pieces[usize::try_from(cut[0]).unwrap()..usize::try_from(cut[1]).unwrap()];
                edit.write(from + cut[0], piece);
            }
            prop_assert_eq!(&pieces, &whole);

            let range = edit.range();
            for (at, byte) in (from..).zip(&whole) {
                if !range.contains(&at) {
                    prop_assert_eq!(*byte, 0xaa, "byte {}", at);
                }
            }
            let start = usize::try_from(range.start - from).unwrap();
            let (written, zeroed) = match &edit.change {
                Change::Overwrite(bytes) => (bytes, 0),
                Change::Discard { len, filler } => (filler, usize::try_from(*len).unwrap() - filler.len()),
                Change::Insert { .. } | Change::Shift { .. } | Change::Checksum { .. } => {
                    unreachable!("not one of these")
                }
            };
            let (new, rest) = whole[start..].split_at(written.len());
            prop_assert_eq!(new, written.as_slice());
            prop_assert_eq!(&rest[..zeroed], vec![0; zeroed]);
        }
    }

    /// An edit within bytes 990 to 1070.
    fn any_edit() -> impl Strategy<Value = Edit> {
        let overwrite = vec(any::<u8>(), 0..20).prop_map(Change::Overwrite);
        let discard = (vec(any::<u8>(), 0..20), 0_u64..20)
            .prop_map(|(filler, more)| Change::Discard { len: filler.len() as u64 + more, filler });
        (990_u64..1030, prop_oneof![overwrite, discard]).prop_map(|(at, change)| Edit {
            at,
            change,
            scope: None,
        })
    }

    /// A sample of five bytes that ends at 1020 and moves from 1015 to 1012.
    fn shift() -> Edit {
        let change = Change::Shift { head: vec![1, 2], len: 5, filler: vec![0xEC, 0x81, 0] };
        Edit { at: 1010, change, scope: None }
    }

    #[test]
    fn a_shift_moves_a_sample_to_behind_the_new_head() {
        let edit = shift();
        assert_eq!(edit.range(), 1010..1020);
        let mut window: Vec<u8> = (0..14).collect();
        edit.write(1008, &mut window);
        assert_eq!(window, [0, 1, 1, 2, 7, 8, 9, 10, 11, 0xEC, 0x81, 0, 12, 13]);
        // Whole or not at all.
        for (from, len) in [(1011, 20), (1008, 11), (900, 50), (1020, 5)] {
            let mut window = vec![7; len];
            edit.write(from, &mut window);
            assert_eq!(window, vec![7; len]);
        }
    }

    #[test]
    fn no_window_ends_inside_of_a_shift() {
        let mut plan = plan_of(&[(15, 5), (30, 5)], 5);
        plan.edits = vec![
            Edit { at: 1001, change: Change::Overwrite(vec![0; 4]), scope: None },
            shift(),
            Edit { at: 1025, change: Change::Overwrite(vec![0; 10]), scope: None },
        ];
        assert_eq!(
            windows(&plan, 12),
            [1000..1010, 1010..1022, 1022..1034, 1034..1046, 1046..1058, 1058..1060]
        );
        assert_eq!(windows(&plan, 3)[3..5], [1009..1010, 1010..1020]);
    }

    #[test]
    fn an_edit_elsewhere_changes_nothing() {
        let edit = Edit { at: 100, change: Change::Overwrite(vec![1, 2, 3]), scope: None };
        assert_eq!(edit.range(), 100..103);
        for from in [0, 95, 103, 104, u64::MAX - 5] {
            let mut window = [0xaa; 5];
            edit.write(from, &mut window);
            assert_eq!(window, [0xaa; 5], "{from}");
        }
        let mut window = [0xaa; 5];
        edit.write(99, &mut window);
        assert_eq!(window, [0xaa, 1, 2, 3, 0xaa]);
        edit.write(102, &mut window);
        assert_eq!(window, [3, 1, 2, 3, 0xaa]);
    }

    #[test]
    fn a_plan_is_verbatim_without_samples_and_edits() {
        assert!(plan_of(&[], 100).is_verbatim());
        assert!(!plan_of(&[(0, 1)], 100).is_verbatim());
        let edit = Edit { at: 1000, change: Change::Overwrite(vec![1]), scope: None };
        assert!(!Plan { edits: vec![edit], ..plan_of(&[], 100) }.is_verbatim());
    }
}
