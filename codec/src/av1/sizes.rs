//! The size of a frame (5.9.5 to 5.9.9).

use super::{
    references::{REFS_PER_FRAME, References},
    sequence::Sequence,
};
use crate::{Error, bits::Bits};

/// The size of a frame in luma samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FrameSize {
    pub(super) upscaled_width: u32,
    /// What is coded: less than the upscaled width with superres.
    pub(super) frame_width: u32,
    pub(super) frame_height: u32,
}

impl FrameSize {
    /// `frame_size()` and `render_size()`; `explicit` is frame_size_override_flag.
    pub(super) fn read(
        bits: &mut Bits<'_>,
        sequence: &Sequence,
        explicit: bool,
    ) -> Result<Self, Error> {
        let (width, height) = if explicit {
            (bits.u(sequence.size_bits.0)? + 1, bits.u(sequence.size_bits.1)? + 1)
        } else {
            (sequence.max_frame_width, sequence.max_frame_height)
        };
        let size = Self::with_superres(bits, sequence, width, height)?;
        // render_and_frame_size_different
        if bits.bit()? {
            bits.skip(32)?; // render_width_minus_1, render_height_minus_1
        }
        Ok(size)
    }

    /// `frame_size_with_refs()`.
    pub(super) fn read_with_refs(
        bits: &mut Bits<'_>,
        sequence: &Sequence,
        references: &References,
        ref_frame_idx: &[usize; REFS_PER_FRAME],
    ) -> Result<Self, Error> {
        for &slot in ref_frame_idx {
            // found_ref
            if bits.bit()? {
                let found = references.get(slot)?;
                let (width, height) = (found.upscaled_width, found.frame_height);
                return Self::with_superres(bits, sequence, width, height);
            }
        }
        Self::read(bits, sequence, true)
    }

    /// `superres_params()`.
    fn with_superres(
        bits: &mut Bits<'_>,
        sequence: &Sequence,
        upscaled_width: u32,
        frame_height: u32,
    ) -> Result<Self, Error> {
        // use_superres, coded_denom
        let denominator = if sequence.enable_superres && bits.bit()? {
            bits.u(SUPERRES_DENOM_BITS)? + SUPERRES_DENOM_MIN
        } else {
            SUPERRES_NUM
        };
        let frame_width = (upscaled_width * SUPERRES_NUM + denominator / 2) / denominator;
        Ok(Self { upscaled_width, frame_width, frame_height })
    }

    /// MiCols and MiRows: units of 4x4 samples, in pairs.
    pub(super) fn units(&self) -> (u32, u32) {
        (2 * self.frame_width.div_ceil(8), 2 * self.frame_height.div_ceil(8))
    }
}

const SUPERRES_NUM: u32 = 8;
const SUPERRES_DENOM_MIN: u32 = 9;
const SUPERRES_DENOM_BITS: u32 = 3;
