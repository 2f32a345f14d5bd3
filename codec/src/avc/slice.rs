//! Slice headers (7.3.3).

use super::sets::{Pps, Sets, Sps, num_ref_idx};
use crate::{
    Error,
    bits::Bits,
    nal::{Rbsp, up_to},
};

/// slice_type modulo 5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    P,
    B,
    I,
    Sp,
    Si,
}

/// What a slice header says of the data behind it.
#[derive(Clone, Debug)]
pub(super) struct Header<'s> {
    /// Bits from the beginning of the NAL unit's payload, its header included, to the end of this header.
    pub(super) bits: usize,
    pub(super) sps: &'s Sps,
    pub(super) pps: &'s Pps,
    pub(super) kind: Kind,
    /// Macroblocks from the slice's first to the end of the picture; of an MbaffFrame, pairs.
    pub(super) mbs_left: u32,
    /// A frame whose macroblocks come in pairs (MbaffFrameFlag).
    pub(super) mbaff: bool,
    /// num_ref_idx_l0_active_minus1 + 1, and that of list 1.
    pub(super) num_ref_idx: [u32; 2],
    pub(super) cabac_init_idc: u32,
    /// SliceQPY.
    pub(super) qp: i32,
}

impl<'s> Header<'s> {
    /// Reads the header of a slice with nal_unit_type 1 or 5.
    pub(super) fn read(rbsp: &Rbsp, sets: &'s Sets) -> Result<Self, Error> {
        let mut bits = rbsp.bits("a slice header");
        let nal_header = bits.u(8)?;
        let (is_reference, is_idr) = (nal_header & 0x60 != 0, nal_header & 0x1f == 5);
        let first_mb = bits.ue()?;
        let kind = match up_to(&mut bits, "slice_type", 9)? % 5 {
            0 => Kind::P,
            1 => Kind::B,
            2 => Kind::I,
            3 => Kind::Sp,
            _ => Kind::Si,
        };
        let (sps, pps) = sets.of(bits.ue()?)?;
        if sps.separate_colour_plane {
            bits.skip(2)?;
        }
        bits.skip(sps.frame_num_bits as usize)?;
        let is_field = !sps.frame_mbs_only && bits.bit()?;
        if is_field {
            bits.skip(1)?;
        }
        // A map unit is two macroblocks of a frame that may have fields.
        let mbaff = sps.mb_adaptive_frame_field && !is_field;
        let pair = !sps.frame_mbs_only && !is_field && !mbaff;
        let mbs = sps.map_units << u32::from(pair);
        let Some(mbs_left) = mbs.checked_sub(first_mb).filter(|&left| left > 0) else {
            return Err(Error::Invalid { what: "first_mb_in_slice", value: first_mb.into() });
        };
        if is_idr {
            up_to(&mut bits, "idr_pic_id", 65535)?;
        }
        skip_order_count(&mut bits, sps, pps, is_field)?;
        if pps.redundant_pic_cnt {
            up_to(&mut bits, "redundant_pic_cnt", 127)?;
        }
        if kind == Kind::B {
            // direct_spatial_mv_pred_flag.
            bits.skip(1)?;
        }
        let lists = match kind {
            Kind::P | Kind::Sp => 1,
            Kind::B => 2,
            Kind::I | Kind::Si => 0,
        };
        let mut counts = pps.num_ref_idx;
        if lists > 0 && bits.bit()? {
            for count in counts.iter_mut().take(lists) {
                *count = num_ref_idx(&mut bits)?;
            }
        }
        for _ in 0..lists {
            skip_list_modification(&mut bits)?;
        }
        let is_weighted = match kind {
            Kind::P | Kind::Sp => pps.weighted_pred,
            Kind::B => pps.weighted_bipred_idc == 1,
            Kind::I | Kind::Si => false,
        };
        if is_weighted {
            skip_weights(&mut bits, sps, counts.iter().take(lists))?;
        }
        if is_reference {
            skip_reference_marking(&mut bits, is_idr)?;
        }
        let cabac_init_idc =
            if pps.cabac && lists > 0 { up_to(&mut bits, "cabac_init_idc", 2)? } else { 0 };
        let qp = pps.init_qp.saturating_add(bits.se()?);
        let lowest = -6 * i32::try_from(sps.extra_luma_bits).unwrap_or(0);
        if !(lowest..=51).contains(&qp) {
            return Err(Error::Invalid { what: "SliceQPY", value: qp.unsigned_abs().into() });
        }
        if matches!(kind, Kind::Sp | Kind::Si) {
            if kind == Kind::Sp {
                bits.skip(1)?;
            }
            bits.se()?;
        }
        if pps.deblocking_control && up_to(&mut bits, "disable_deblocking_filter_idc", 2)? != 1 {
            for _ in 0..2 {
                let offset = bits.se()?;
                if !(-6..=6).contains(&offset) {
                    let value = offset.unsigned_abs().into();
                    return Err(Error::Invalid { what: "a deblocking filter offset", value });
                }
            }
        }
        if let Some(rate) = pps.slice_group_change_rate {
            bits.skip(cycle_bits(sps.map_units, rate))?;
        }
        Ok(Self {
            bits: bits.position(),
            sps,
            pps,
            kind,
            mbs_left,
            mbaff,
            num_ref_idx: counts,
            cabac_init_idc,
            qp,
        })
    }
}

/// Bits of slice_group_change_cycle: Ceil(Log2(PicSizeInMapUnits ÷ SliceGroupChangeRate + 1)).
fn cycle_bits(map_units: u32, rate: u32) -> usize {
    let cycles = map_units.div_ceil(rate);
    (u32::BITS - cycles.leading_zeros()) as usize
}

fn skip_order_count(
    bits: &mut Bits<'_>,
    sps: &Sps,
    pps: &Pps,
    is_field: bool,
) -> Result<(), Error> {
    let both = pps.bottom_field_pic_order && !is_field;
    match sps.pic_order_cnt_type {
        0 => {
            bits.skip(sps.pic_order_cnt_bits as usize)?;
            if both {
                bits.se()?;
            }
        }
        1 if !sps.delta_pic_order_always_zero => {
            bits.se()?;
            if both {
                bits.se()?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// A list of ref_pic_list_modification() (7.3.3.1).
fn skip_list_modification(bits: &mut Bits<'_>) -> Result<(), Error> {
    if bits.bit()? {
        while up_to(bits, "modification_of_pic_nums_idc", 3)? != 3 {
            bits.ue()?;
        }
    }
    Ok(())
}

/// pred_weight_table() (7.3.3.2), for lists of these lengths.
fn skip_weights<'c>(
    bits: &mut Bits<'_>,
    sps: &Sps,
    counts: impl Iterator<Item = &'c u32>,
) -> Result<(), Error> {
    let has_chroma = sps.chroma_array_type != 0;
    up_to(bits, "luma_log2_weight_denom", 7)?;
    if has_chroma {
        up_to(bits, "chroma_log2_weight_denom", 7)?;
    }
    for &count in counts {
        for _ in 0..count {
            for numbers in [2, 4].into_iter().take(1 + usize::from(has_chroma)) {
                if bits.bit()? {
                    for _ in 0..numbers {
                        bits.se()?;
                    }
                }
            }
        }
    }
    Ok(())
}

/// dec_ref_pic_marking() (7.3.3.3).
fn skip_reference_marking(bits: &mut Bits<'_>, is_idr: bool) -> Result<(), Error> {
    if is_idr {
        return bits.skip(2);
    }
    if bits.bit()? {
        loop {
            let numbers = match up_to(bits, "memory_management_control_operation", 6)? {
                0 => break,
                3 => 2,
                5 => 0,
                _ => 1,
            };
            for _ in 0..numbers {
                bits.ue()?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::cycle_bits;

    #[test]
    fn slice_group_change_cycle_is_as_wide_as_its_largest_value() {
        // 99 ÷ 10 + 1 = 10.9: four bits; 99 ÷ 33 + 1 = 4: two; 99 ÷ 32 + 1 = 4.1: three.
        assert_eq!(
            [(99, 10), (99, 33), (99, 32), (1, 1), (1, 9)].map(|(a, b)| cycle_bits(a, b)),
            [4, 2, 3, 1, 1]
        );
    }
}
