//! What is to be done to one unit of an input: a pure function of its bytes.
//!
//! A plan names no box and no element, so that every container format can be described by one.

use std::{ops::Range, sync::Arc};

use cenc::{Iv, Pattern, SampleEncryption, Scheme, Subsample};
use clearkey::{InitDataType, KeyId};
use codec::Codec;

use crate::{FourCc, edit::Edit};

/// How one unit (an init segment, a fragment, a whole progressive file) is decrypted.
///
/// All offsets count from the start of the input, in bytes. Samples and edits lie inside of
/// [`range`](Self::range), are sorted by offset, and do not overlap; but what a
/// [`Change::Shift`](crate::Change::Shift) moves may be a sample.
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

    /// Whether it is passed on, and that is all.
    pub(crate) fn says_nothing(&self) -> bool {
        let Self { tracks, init_data, scopes, .. } = self;
        self.is_verbatim() && tracks.is_empty() && init_data.is_empty() && scopes.is_empty()
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
    /// stands for "see the sample groups". All scopes of a track share one list.
    pub default_kids: Arc<[KeyId]>,
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
    use crate::Change;

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

    }

    #[test]
    fn no_window_ends_inside_of_a_shift() {
        let mut plan = plan_of(&[(15, 5), (30, 5)], 5);
        let shift = Change::Shift { head: vec![1, 2], len: 5, filler: vec![0xEC, 0x81, 0] };
        plan.edits = vec![
            Edit { at: 1001, change: Change::Overwrite(vec![0; 4]), scope: None },
            Edit { at: 1010, change: shift, scope: None },
            Edit { at: 1025, change: Change::Overwrite(vec![0; 10]), scope: None },
        ];
        assert_eq!(
            windows(&plan, 12),
            [1000..1010, 1010..1022, 1022..1034, 1034..1046, 1046..1058, 1058..1060]
        );
        assert_eq!(windows(&plan, 3)[3..5], [1009..1010, 1010..1020]);
    }

    #[test]
    fn a_plan_is_verbatim_without_samples_and_edits() {
        assert!(plan_of(&[], 100).is_verbatim());
        assert!(!plan_of(&[(0, 1)], 100).is_verbatim());
        let edit = Edit { at: 1000, change: Change::Overwrite(vec![1]), scope: None };
        assert!(!Plan { edits: vec![edit], ..plan_of(&[], 100) }.is_verbatim());
    }
}
