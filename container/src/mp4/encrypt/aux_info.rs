//! The auxiliary information of samples that are being encrypted: `senc` or PIFF's sample box, and
//! the `saiz` and `saio` that point into it.

use cenc::{Iv, Subsample};

use super::boxes::{boxed, stated, version_and_flags};
use crate::{
    Change, Edit, Error, Place,
    mp4::{aux_info::PIFF_SAMPLES, boxes::Mp4Box, builder::Builder},
};

/// `senc` flag: the entries have subsamples.
const HAS_SUBSAMPLES: u32 = 2;
/// Flag of PIFF's sample box: it overrides the track's algorithm, IV size and KID.
const OVERRIDES: u32 = 1;

/// The auxiliary information of the samples in one track fragment or sample table.
pub(super) struct AuxInfo {
    /// Bytes of each sample's IV; 0: it is constant.
    iv_size: u8,
    pub(super) has_subsamples: bool,
    data: Vec<u8>,
    /// Bytes of each sample; `None`: one has more than `saiz` can say.
    sizes: Option<Vec<u8>>,
    count: u32,
}

/// Which box holds it.
pub(super) enum Kind {
    Senc,
    /// PIFF's, and what it overrides if it does.
    Piff(Option<Vec<u8>>),
}

impl AuxInfo {
    pub(super) fn new(iv_size: Option<u8>, has_subsamples: bool) -> Self {
        let iv_size = iv_size.unwrap_or(0);
        Self { iv_size, has_subsamples, data: Vec::new(), sizes: Some(Vec::new()), count: 0 }
    }

    /// Adds the next sample. The error is the number of its subsamples, which is too large.
    pub(super) fn push(&mut self, iv: &Iv, subsamples: &[Subsample]) -> Result<(), usize> {
        let start = self.data.len();
        self.data.extend_from_slice(stated(iv, self.iv_size));
        if self.has_subsamples {
            let count = u16::try_from(subsamples.len()).map_err(|_| subsamples.len())?;
            self.data.extend(count.to_be_bytes());
            for Subsample { clear, protected } in subsamples {
                self.data.extend(clear.to_be_bytes());
                self.data.extend(protected.to_be_bytes());
            }
        }
        match (u8::try_from(self.data.len() - start), &mut self.sizes) {
            (Ok(size), Some(sizes)) => sizes.push(size),
            _ => self.sizes = None,
        }
        self.count = self.count.saturating_add(1);
        Ok(())
    }

    /// The boxes behind `groups`. `points`: whether `saiz` and `saio` are wanted, which PIFF has not.
    ///
    /// Where a constant IV and whole samples leave nothing to say, the box is empty but there:
    /// FFmpeg decrypts no fragment without one.
    pub(super) fn boxes(&self, groups: Vec<u8>, kind: &Kind, points: bool, wide: bool) -> AuxBoxes {
        let flags = if self.has_subsamples { HAS_SUBSAMPLES } else { 0 };
        let count = self.count.to_be_bytes();
        let senc = match kind {
            Kind::Senc => boxed(*b"senc", &[&version_and_flags(0, flags), &count, &self.data]),
            Kind::Piff(overrides) => {
                let flags = if overrides.is_some() { flags | OVERRIDES } else { flags };
                let head = version_and_flags(0, flags);
                let overrides = overrides.as_deref().unwrap_or_default();
                boxed(*b"uuid", &[&PIFF_SAMPLES, &head, overrides, &count, &self.data])
            }
        };
        let mut bytes = groups;
        bytes.extend_from_slice(&senc);
        let data_at = bytes.len() - self.data.len();
        let mut offset_at = None;
        if let Some(saiz) = self.saiz().filter(|_| points && matches!(kind, Kind::Senc)) {
            bytes.extend_from_slice(&saiz);
            let head = version_and_flags(wide.into(), 0);
            let width = if wide { 8 } else { 4 };
            bytes.extend(boxed(*b"saio", &[&head, &[0, 0, 0, 1], &vec![0; width]]));
            offset_at = Some((bytes.len() - width, width));
        }
        AuxBoxes { bytes, data_at, offset_at }
    }

    fn saiz(&self) -> Option<Vec<u8>> {
        let sizes = self.sizes.as_ref().filter(|_| !self.data.is_empty())?;
        let first = sizes.first().copied().unwrap_or(0);
        let same = sizes.iter().all(|&size| size == first);
        let (default, list) = if same { (first, &[][..]) } else { (0, sizes.as_slice()) };
        let head = version_and_flags(0, 0);
        Some(boxed(*b"saiz", &[&head, &[default], &self.count.to_be_bytes(), list]))
    }
}

/// The boxes, before it is known where they will stand.
pub(super) struct AuxBoxes {
    bytes: Vec<u8>,
    /// Where in them the auxiliary information begins.
    data_at: usize,
    /// Where in them the offset of `saio` stands, and how wide it is.
    offset_at: Option<(usize, usize)>,
}

/// Boxes that have been put into a plan, and that have an offset to be filled in.
pub(super) struct Placed {
    /// Index of the edit that puts them in.
    edit: usize,
    data_at: usize,
    offset_at: Option<(usize, usize)>,
    place: Place,
}

/// The end of a box, where others can go in.
pub(super) struct Slot {
    at: u64,
    owner: u64,
    place: Place,
}

impl Slot {
    pub(super) fn end_of(parent: &Mp4Box<'_, '_>) -> Result<Self, Error> {
        Ok(Self { at: parent.children_end(0)?, owner: parent.at, place: parent.place() })
    }
}

impl AuxBoxes {
    /// Puts them in.
    pub(super) fn place(self, slot: Slot, scope: u32, builder: &mut Builder) -> Placed {
        let Self { bytes, data_at, offset_at } = self;
        let edit = builder.plan.edits.len();
        builder.insert(Some(scope), slot.at, slot.owner, bytes);
        Placed { edit, data_at, offset_at, place: slot.place }
    }

    /// Their length with an offset of 64 bits.
    pub(super) fn longest(&self) -> u64 {
        self.bytes.len() as u64 + 4
    }
}

/// Fills in the offsets of `saio` boxes, which count from `base` and are in the order in which they were placed.
/// All edits that move the boxes are among those from the index `first` on, but for `grown` bytes that have come
/// in before.
pub(super) fn point(
    placed: &[Placed],
    base: u64,
    first: usize,
    grown: i64,
    edits: &mut [Edit],
) -> Result<(), Error> {
    let mut grown = grown;
    for index in in_order(edits, first) {
        let edit = &mut edits[index];
        let at = edit.at.saturating_add_signed(grown);
        grown += growth(edit);
        let found = placed.binary_search_by_key(&index, |placed| placed.edit);
        let Some(placed) = found.ok().and_then(|at| placed.get(at)) else { continue };
        let Some((field, width)) = placed.offset_at else { continue };
        let Change::Insert { bytes, .. } = &mut edit.change else { continue };
        let offset = at.saturating_add(placed.data_at as u64).saturating_sub(base);
        if width == 4 && u32::try_from(offset).is_err() {
            return Err(Error::Limit {
                place: placed.place.clone(),
                what: "the offset of auxiliary information",
                value: offset,
                limit: u32::MAX.into(),
            });
        }
        bytes[field..field + width].copy_from_slice(&offset.to_be_bytes()[8 - width..]);
    }
    Ok(())
}

/// The indices of the edits from the index `first` on, in the order in which they will stand.
pub(super) fn in_order(edits: &[Edit], first: usize) -> Vec<usize> {
    let mut order: Vec<_> = (first..edits.len()).collect();
    order.sort_by_key(|&index| (edits[index].at, edits[index].range().end));
    order
}

/// By how much an edit makes the file longer.
pub(super) fn growth(edit: &Edit) -> i64 {
    let len = |len: u64| i64::try_from(len).unwrap_or(i64::MAX);
    match &edit.change {
        Change::Insert { bytes, .. } => len(bytes.len() as u64),
        Change::Discard { len: gone, .. } => -len(*gone),
        _ => 0,
    }
}
