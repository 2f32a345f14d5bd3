//! What is to be done to one unit of an input: a pure function of its bytes.
//!
//! A plan names no box and no element, so that every container format can be described by one.

use std::ops::Range;

use cenc::{Iv, Pattern, SampleEncryption, Scheme, Subsample};
use clearkey::KeyId;

use crate::{FourCc, mp4::Track};

/// How one unit (an init segment, a fragment, a whole progressive file) is decrypted.
///
/// All offsets count from the start of the input, in bytes. Samples and edits lie inside of
/// [`range`](Self::range), are sorted by offset, and do not overlap.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    pub(crate) range: Range<u64>,
    pub(crate) tracks: Vec<Track>,
    pub(crate) init_data: Vec<InitData>,
    pub(crate) scopes: Vec<Scope>,
    pub(crate) protections: Vec<Protection>,
    pub(crate) samples: Vec<Sample>,
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

    /// Cuts the unit into windows of about `size` bytes, none of which ends inside of a sample.
    pub fn windows(&self, size: u64) -> impl Iterator<Item = Range<u64>> + '_ {
        let mut at = self.range.start;
        std::iter::from_fn(move || {
            let start = at;
            (start < self.range.end).then(|| {
                let cut = start.saturating_add(size.max(1)).min(self.range.end);
                let behind = self.samples.partition_point(|sample| sample.at < cut);
                let last = behind.checked_sub(1).and_then(|last| self.samples.get(last));
                at = match last {
                    Some(sample) if sample.end() > cut && sample.at > start => sample.at,
                    Some(sample) if sample.end() > cut => sample.end(),
                    _ => cut,
                };
                start..at
            })
        })
    }

    /// How a sample of this plan is encrypted, as `cenc` wants to be told.
    pub(crate) fn encryption(&self, sample: &Sample) -> Result<SampleEncryption<'_>, cenc::Error> {
        let protection = &self.protections[sample.protection as usize];
        let subsamples = sample
            .subsamples
            .as_ref()
            .map(|range| &self.subsamples[range.start as usize..range.end as usize]);
        SampleEncryption::new(protection.scheme, sample.iv, protection.pattern, subsamples)
    }
}

/// Initialization data of a unit, for a license request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InitData {
    /// Where they lie in the input.
    pub at: u64,
    /// Adjacent `pssh` boxes, one after the other: the `cenc` format of the EME registry.
    pub bytes: Vec<u8>,
}

/// Samples of one track in one unit. Either all keys of a scope are there and it is decrypted, or
/// nothing in it is touched, so that it can be decrypted later.
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
}

/// A protected sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Where it starts.
    pub at: u64,
    /// Its length in bytes; not 0.
    pub len: u32,
    /// Index of its protection.
    pub protection: u32,
    /// Its IV, zero-extended to 16 bytes.
    pub iv: Iv,
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
}

impl Edit {
    /// The bytes it touches.
    #[must_use]
    pub fn range(&self) -> Range<u64> {
        let len = match &self.change {
            Change::Overwrite(bytes) => bytes.len() as u64,
            Change::Discard { len, .. } => *len,
        };
        self.at..self.at + len
    }

    /// Writes the part of this change that falls into `window`, whose first byte is at `from`.
    pub fn write(&self, from: u64, window: &mut [u8]) {
        let range = self.range();
        let new = match &self.change {
            Change::Overwrite(bytes) => bytes,
            Change::Discard { filler, .. } => filler,
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

/// A distance inside of a slice.
fn index(distance: u64) -> usize {
    usize::try_from(distance).unwrap_or(usize::MAX)
}

/// What a movie header says of a track's sample entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntrySummary {
    /// What the samples are once they are clear, such as `avc1`.
    pub format: FourCc,
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
