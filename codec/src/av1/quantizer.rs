//! Quantizer and segments (5.9.12 to 5.9.18): what is lossless has no filters.

use super::{
    descriptors::su,
    references::{MAX_SEGMENTS, SegmentOffsets},
    sequence::Sequence,
};
use crate::{Error, bits::Bits};

/// What the quantizer means for the rest of the header and for later frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Quantizer {
    /// CodedLossless: nothing is lost in any segment.
    pub(super) coded_lossless: bool,
    pub(super) segment_offsets: SegmentOffsets,
}

impl Quantizer {
    /// `quantization_params()` to `delta_lf_params()`. `previous` is what the primary reference frame
    /// left behind, if there is one.
    pub(super) fn read(
        bits: &mut Bits<'_>,
        sequence: &Sequence,
        previous: Option<SegmentOffsets>,
        allow_intrabc: bool,
    ) -> Result<Self, Error> {
        let base_q_idx = bits.u(8)?;
        let has_deltas = quantization_deltas(bits, sequence)?;
        let segment_offsets = segmentation_params(bits, previous)?;
        // delta_q_present
        if base_q_idx > 0 && bits.bit()? {
            bits.skip(2)?; // delta_q_res
            // delta_lf_present
            if !allow_intrabc && bits.bit()? {
                bits.skip(3)?; // delta_lf_res, delta_lf_multi
            }
        }
        let is_zero = |offset: &Option<i32>| base_q_idx.cast_signed() + offset.unwrap_or(0) <= 0;
        let coded_lossless = !has_deltas && segment_offsets.iter().all(is_zero);
        Ok(Self { coded_lossless, segment_offsets })
    }
}

/// The rest of `quantization_params()`: whether DeltaQYDc or any other is not 0.
fn quantization_deltas(bits: &mut Bits<'_>, sequence: &Sequence) -> Result<bool, Error> {
    let mut any = read_delta_q(bits)?;
    let separate_uv = sequence.color.separate_uv_delta_q;
    if !sequence.color.mono_chrome {
        let diff_uv_delta = separate_uv && bits.bit()?;
        for _ in 0..if diff_uv_delta { 4 } else { 2 } {
            any |= read_delta_q(bits)?;
        }
    }
    // using_qmatrix
    if bits.bit()? {
        bits.skip(if separate_uv { 12 } else { 8 })?; // qm_y, qm_u, qm_v
    }
    Ok(any)
}

fn read_delta_q(bits: &mut Bits<'_>) -> Result<bool, Error> {
    // delta_coded, delta_q
    Ok(bits.bit()? && su(bits, 7)? != 0)
}

/// `segmentation_params()`: the quantizer offset of each segment.
fn segmentation_params(
    bits: &mut Bits<'_>,
    previous: Option<SegmentOffsets>,
) -> Result<SegmentOffsets, Error> {
    // segmentation_enabled
    if !bits.bit()? {
        return Ok(SegmentOffsets::default());
    }
    if let Some(previous) = previous {
        // segmentation_update_map
        if bits.bit()? {
            bits.skip(1)?; // segmentation_temporal_update
        }
        // segmentation_update_data
        if !bits.bit()? {
            return Ok(previous);
        }
    }
    let mut offsets = SegmentOffsets::default();
    for offset in offsets.iter_mut().take(MAX_SEGMENTS) {
        // feature_enabled, feature_value: SEG_LVL_ALT_Q, then those that no header depends on.
        if bits.bit()? {
            *offset = Some(su(bits, 9)?.clamp(-255, 255));
        }
        for width in OTHER_FEATURES {
            if bits.bit()? {
                bits.skip(width)?;
            }
        }
    }
    Ok(offsets)
}

/// Bits of feature_value from SEG_LVL_ALT_LF_Y_V on, with their signs.
const OTHER_FEATURES: [usize; 7] = [7, 7, 7, 7, 3, 0, 0];
