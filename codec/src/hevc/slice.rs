//! Slice segment headers (7.3.6).

use super::{
    references::ReferenceSet,
    sets::{Pps, Sets, Sps, num_ref_idx, skip_numbers},
};
use crate::{
    Error,
    bits::Bits,
    nal::{Rbsp, up_to},
};

/// What a slice segment header says of the data behind it.
#[derive(Clone, Debug)]
pub(super) struct Header {
    /// Bits from the beginning of the NAL unit's payload, its header included, to the end of this header's
    /// alignment; a multiple of 8.
    pub(super) bits: usize,
    /// entry_point_offset_minus1 + 1: bytes of each part of the data but the last.
    pub(super) entry_points: Vec<u32>,
}

impl Header {
    /// Reads the header of a slice segment of the first layer.
    pub(super) fn read(rbsp: &Rbsp, sets: &Sets) -> Result<Self, Error> {
        let mut bits = rbsp.bits("a slice segment header");
        bits.skip(1)?;
        let unit_type = bits.u(6)?;
        bits.skip(9)?;
        let is_first = bits.bit()?;
        if matches!(unit_type, 16..=23) {
            // no_output_of_prior_pics_flag.
            bits.skip(1)?;
        }
        let (sps, pps) = sets.of(bits.ue()?)?;
        let mut is_dependent = false;
        if !is_first {
            is_dependent = pps.dependent_slice_segments && bits.bit()?;
            let address = bits.u(index_bits(sps.ctbs))?;
            if address >= sps.ctbs {
                return Err(Error::Invalid {
                    what: "slice_segment_address",
                    value: address.into(),
                });
            }
        }
        if !is_dependent {
            skip_slice(&mut bits, sps, pps, unit_type)?;
        }
        let mut entry_points = Vec::new();
        if pps.has_entry_points {
            let count = bits.ue()?;
            if count > 0 {
                let width = 1 + up_to(&mut bits, "offset_len_minus1", 31)?;
                for _ in 0..count {
                    entry_points.push(bits.u(width)?.saturating_add(1));
                }
            }
        }
        if pps.slice_header_extension {
            let bytes = up_to(&mut bits, "slice_segment_header_extension_length", 256)?;
            bits.skip(bytes as usize * 8)?;
        }
        // byte_alignment().
        if !bits.bit()? {
            return Err(Error::Invalid { what: "alignment_bit_equal_to_one", value: 0 });
        }
        bits.skip(bits.position().next_multiple_of(8) - bits.position())?;
        Ok(Self { bits: bits.position(), entry_points })
    }
}

/// Bits of a number below `count`: Ceil(Log2(count)).
fn index_bits(count: u32) -> u32 {
    u32::BITS - count.saturating_sub(1).leading_zeros()
}

/// What only the first segment of a slice has.
fn skip_slice(bits: &mut Bits<'_>, sps: &Sps, pps: &Pps, unit_type: u32) -> Result<(), Error> {
    bits.skip(pps.extra_slice_header_bits as usize)?;
    // B has two lists of references, P one, I none.
    let lists = 2 - up_to(bits, "slice_type", 2)? as usize;
    if pps.output_flag_present {
        bits.skip(1)?;
    }
    if sps.separate_colour_plane {
        bits.skip(2)?;
    }
    let is_idr = matches!(unit_type, 19 | 20);
    let (mut references, mut temporal_mvp) = (0, false);
    if !is_idr {
        bits.skip(sps.pic_order_cnt_bits as usize)?;
        references = skip_short_term(bits, sps)?;
        if sps.long_term_present {
            references += skip_long_term(bits, sps)?;
        }
        temporal_mvp = sps.temporal_mvp && bits.bit()?;
    }
    let mut is_filtered = false;
    if sps.sao {
        is_filtered = bits.bit()?;
        if sps.has_chroma {
            is_filtered |= bits.bit()?;
        }
    }
    if lists > 0 {
        skip_prediction(bits, sps, pps, lists, references, temporal_mvp)?;
    }
    let qp = pps.init_qp.saturating_add(bits.se()?);
    // QpBdOffset is at most 48.
    if !(-48..=51).contains(&qp) {
        return Err(Error::Invalid { what: "SliceQpY", value: qp.unsigned_abs().into() });
    }
    if pps.slice_chroma_qp_offsets {
        skip_numbers(bits, 2)?;
    }
    if pps.chroma_qp_offset_list {
        bits.skip(1)?;
    }
    let mut deblocking_disabled = pps.deblocking_disabled;
    if pps.deblocking_override && bits.bit()? {
        deblocking_disabled = bits.bit()?;
        if !deblocking_disabled {
            skip_numbers(bits, 2)?;
        }
    }
    if pps.loop_filter_across_slices && (is_filtered || !deblocking_disabled) {
        bits.skip(1)?;
    }
    Ok(())
}

/// The short-term pictures; how many the current picture uses.
fn skip_short_term(bits: &mut Bits<'_>, sps: &Sps) -> Result<usize, Error> {
    let sets = &sps.short_term;
    // short_term_ref_pic_set_sps_flag.
    if !bits.bit()? {
        return Ok(ReferenceSet::read(bits, sets, true)?.used());
    }
    let index = bits.u(index_bits(u32::try_from(sets.len()).unwrap_or(0)))?;
    let missing = Error::Missing { what: "short_term_ref_pic_set_idx", value: index.into() };
    sets.get(index as usize).map(ReferenceSet::used).ok_or(missing)
}

/// The long-term pictures; how many the current picture uses.
fn skip_long_term(bits: &mut Bits<'_>, sps: &Sps) -> Result<usize, Error> {
    let known = u32::try_from(sps.long_term.len()).unwrap_or(0);
    let from_sps = if known > 0 { up_to(bits, "num_long_term_sps", 32)? } else { 0 };
    let own = up_to(bits, "num_long_term_pics", 32)?;
    let mut used = 0;
    for picture in 0..from_sps + own {
        let is_used = if picture < from_sps {
            let index = bits.u(index_bits(known))?;
            let missing = Error::Missing { what: "lt_idx_sps", value: index.into() };
            *sps.long_term.get(index as usize).ok_or(missing)?
        } else {
            bits.skip(sps.pic_order_cnt_bits as usize)?;
            bits.bit()?
        };
        used += usize::from(is_used);
        if bits.bit()? {
            // delta_poc_msb_cycle_lt.
            bits.ue()?;
        }
    }
    Ok(used)
}

/// What P and B slices say of their references, of which `references` can be used.
fn skip_prediction(
    bits: &mut Bits<'_>,
    sps: &Sps,
    pps: &Pps,
    lists: usize,
    references: usize,
    temporal_mvp: bool,
) -> Result<(), Error> {
    let mut counts = pps.num_ref_idx;
    if bits.bit()? {
        for count in counts.iter_mut().take(lists) {
            *count = num_ref_idx(bits)?;
        }
    }
    if pps.lists_modification && references > 1 {
        let entry = index_bits(u32::try_from(references).unwrap_or(0));
        for &count in counts.iter().take(lists) {
            if bits.bit()? {
                bits.skip((count * entry) as usize)?;
            }
        }
    }
    if lists == 2 {
        // mvd_l1_zero_flag.
        bits.skip(1)?;
    }
    if pps.cabac_init_present {
        bits.skip(1)?;
    }
    if temporal_mvp {
        let list = usize::from(lists == 2 && !bits.bit()?);
        if counts[list] > 1 {
            up_to(bits, "collocated_ref_idx", counts[list] - 1)?;
        }
    }
    let is_weighted = if lists == 2 { pps.weighted_bipred } else { pps.weighted_pred };
    if is_weighted {
        skip_weights(bits, sps.has_chroma, counts.iter().take(lists))?;
    }
    up_to(bits, "five_minus_max_num_merge_cand", 4)?;
    Ok(())
}

/// pred_weight_table() (7.3.6.3), for lists of these lengths.
fn skip_weights<'c>(
    bits: &mut Bits<'_>,
    has_chroma: bool,
    counts: impl Iterator<Item = &'c u32>,
) -> Result<(), Error> {
    up_to(bits, "luma_log2_weight_denom", 7)?;
    if has_chroma {
        bits.se()?;
    }
    for &count in counts {
        let luma = bits.u(count)?.count_ones();
        let chroma = if has_chroma { bits.u(count)?.count_ones() } else { 0 };
        // A weight and an offset of each; the numbers stand in another order than they are counted.
        skip_numbers(bits, 2 * luma + 4 * chroma)?;
    }
    Ok(())
}
