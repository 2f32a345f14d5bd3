//! Short-term reference picture sets (7.3.7, 7.4.8).

use crate::{Error, bits::Bits, nal::up_to};

/// The most pictures that a set can have: sps_max_dec_pic_buffering_minus1 is at most 15.
const PICTURES: usize = 16;

/// A reference picture: its distance in picture order count, and whether the current picture uses it.
type Picture = (i32, bool);

/// st_ref_pic_set().
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ReferenceSet {
    /// DeltaPocS0 and UsedByCurrPicS0: pictures before, the nearest first.
    before: Vec<Picture>,
    /// DeltaPocS1 and UsedByCurrPicS1: pictures behind, the nearest first.
    behind: Vec<Picture>,
}

impl ReferenceSet {
    /// Reads the set that follows `sets`: the next of a sequence parameter set, or, in a slice header, one
    /// behind them all.
    pub(super) fn read(
        bits: &mut Bits<'_>,
        sets: &[Self],
        is_in_slice: bool,
    ) -> Result<Self, Error> {
        let set = if !sets.is_empty() && bits.bit()? {
            Self::predicted(bits, sets, is_in_slice)?
        } else {
            let counts = [count(bits, "num_negative_pics")?, count(bits, "num_positive_pics")?];
            let [before, behind] = [(counts[0], -1), (counts[1], 1)];
            Self { before: explicit(bits, before)?, behind: explicit(bits, behind)? }
        };
        match set.before.len() + set.behind.len() {
            0..=PICTURES => Ok(set),
            more => Err(Error::Invalid { what: "NumDeltaPocs", value: more as u64 }),
        }
    }

    /// How many of the pictures the current one uses.
    pub(super) fn used(&self) -> usize {
        self.before.iter().chain(&self.behind).filter(|(_, used)| *used).count()
    }

    /// inter_ref_pic_set_prediction_flag: the pictures of another set and its own, moved by a distance
    /// (equations 7-61 and 7-62).
    fn predicted(bits: &mut Bits<'_>, sets: &[Self], is_in_slice: bool) -> Result<Self, Error> {
        let back = if is_in_slice { bits.ue()? as usize } else { 0 };
        let source = sets.len().checked_sub(1).and_then(|last| sets.get(last.checked_sub(back)?));
        let Some(source) = source else {
            return Err(Error::Invalid { what: "delta_idx_minus1", value: back as u64 });
        };
        let is_negative = bits.bit()?;
        let distance = 1 + i32::try_from(up_to(bits, "abs_delta_rps_minus1", 0x7fff)?).unwrap_or(0);
        let distance = if is_negative { -distance } else { distance };
        // The pictures of the source in the order of their flags, and the source's own place.
        let mut moved = Vec::with_capacity(PICTURES + 1);
        for &(delta, _) in source.before.iter().chain(&source.behind).chain([&(0, false)]) {
            let used = bits.bit()?;
            // use_delta_flag.
            if used || bits.bit()? {
                moved.push((delta.saturating_add(distance), used));
            }
        }
        let mut set = Self::default();
        set.before.extend(moved.iter().filter(|(delta, _)| *delta < 0));
        set.before.sort_by_key(|(delta, _)| -delta);
        set.behind.extend(moved.iter().filter(|(delta, _)| *delta > 0));
        set.behind.sort_by_key(|(delta, _)| *delta);
        Ok(set)
    }
}

fn count(bits: &mut Bits<'_>, what: &'static str) -> Result<usize, Error> {
    Ok(up_to(bits, what, 16)? as usize)
}

/// So many pictures, each farther than the one before by delta_poc_minus1 + 1.
fn explicit(bits: &mut Bits<'_>, (count, sign): (usize, i32)) -> Result<Vec<Picture>, Error> {
    let mut delta = 0;
    let mut pictures = Vec::with_capacity(count);
    for _ in 0..count {
        let step = 1 + i32::try_from(up_to(bits, "delta_poc_minus1", 0x7fff)?).unwrap_or(0);
        delta += sign * step;
        pictures.push((delta, bits.bit()?));
    }
    Ok(pictures)
}
