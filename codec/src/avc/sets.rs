//! Parameter sets: the fields that slices cannot be read without.

use std::collections::BTreeMap;

use crate::{
    Error,
    bits::Bits,
    nal::{Rbsp, up_to},
};

/// The parameter sets that have come so far, by their ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sets {
    sps: BTreeMap<u32, Sps>,
    pps: BTreeMap<u32, Pps>,
}

impl Sets {
    /// Takes in a NAL unit, if it is a parameter set (nal_unit_type 7 and 8).
    pub(super) fn update(&mut self, nal: &[u8]) -> Result<(), Error> {
        match nal.first().map(|header| header & 0x1f) {
            Some(7) => {
                let (id, sps) = Rbsp::read(nal, Sps::read)?;
                self.sps.insert(id, sps);
            }
            Some(8) => {
                let (id, pps) = Rbsp::read(nal, Pps::read)?;
                self.pps.insert(id, pps);
            }
            _ => {}
        }
        Ok(())
    }

    /// The sets of a slice, by its pic_parameter_set_id.
    pub(super) fn of(&self, pps: u32) -> Result<(&Sps, &Pps), Error> {
        let missing = |what, value: u32| Error::Missing { what, value: value.into() };
        let pps = self.pps.get(&pps).ok_or(missing("pic_parameter_set_id", pps))?;
        let sps = self.sps.get(&pps.sps).ok_or(missing("seq_parameter_set_id", pps.sps))?;
        Ok((sps, pps))
    }
}

/// A sequence parameter set (7.3.2.1.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sps {
    /// ChromaArrayType.
    pub(super) chroma_array_type: u32,
    pub(super) separate_colour_plane: bool,
    /// BitDepthY − 8.
    pub(super) extra_luma_bits: u32,
    /// Bits of frame_num.
    pub(super) frame_num_bits: u32,
    pub(super) pic_order_cnt_type: u32,
    /// Bits of pic_order_cnt_lsb.
    pub(super) pic_order_cnt_bits: u32,
    pub(super) delta_pic_order_always_zero: bool,
    /// PicSizeInMapUnits.
    pub(super) map_units: u32,
    pub(super) frame_mbs_only: bool,
    pub(super) mb_adaptive_frame_field: bool,
}

impl Sps {
    fn read(rbsp: &Rbsp) -> Result<(u32, Self), Error> {
        let mut bits = rbsp.bits("a sequence parameter set");
        bits.skip(8)?;
        let profile = bits.u(8)?;
        bits.skip(16)?;
        let id = up_to(&mut bits, "seq_parameter_set_id", 31)?;
        let (mut chroma_format, mut separate_colour_plane, mut extra_luma_bits) = (1, false, 0);
        if matches!(
            profile,
            44 | 83 | 86 | 100 | 110 | 118 | 122 | 128 | 134 | 135 | 138 | 139 | 244
        ) {
            chroma_format = up_to(&mut bits, "chroma_format_idc", 3)?;
            separate_colour_plane = chroma_format == 3 && bits.bit()?;
            extra_luma_bits = up_to(&mut bits, "bit_depth_luma_minus8", 6)?;
            up_to(&mut bits, "bit_depth_chroma_minus8", 6)?;
            // qpprime_y_zero_transform_bypass_flag.
            bits.skip(1)?;
            if bits.bit()? {
                for list in 0..if chroma_format == 3 { 12 } else { 8 } {
                    if bits.bit()? {
                        skip_scaling_list(&mut bits, if list < 6 { 16 } else { 64 })?;
                    }
                }
            }
        }
        let frame_num_bits = 4 + up_to(&mut bits, "log2_max_frame_num_minus4", 12)?;
        let pic_order_cnt_type = up_to(&mut bits, "pic_order_cnt_type", 2)?;
        let (mut pic_order_cnt_bits, mut delta_pic_order_always_zero) = (0, false);
        match pic_order_cnt_type {
            0 => {
                pic_order_cnt_bits = 4 + up_to(&mut bits, "log2_max_pic_order_cnt_lsb_minus4", 12)?;
            }
            1 => {
                delta_pic_order_always_zero = bits.bit()?;
                bits.se()?;
                bits.se()?;
                for _ in 0..up_to(&mut bits, "num_ref_frames_in_pic_order_cnt_cycle", 255)? {
                    bits.se()?;
                }
            }
            _ => {}
        }
        // max_num_ref_frames, gaps_in_frame_num_value_allowed_flag.
        bits.ue()?;
        bits.skip(1)?;
        // Level 6.2 has no side of more than 1055 macroblocks.
        let wide = 1 + up_to(&mut bits, "pic_width_in_mbs_minus1", 4095)?;
        let high = 1 + up_to(&mut bits, "pic_height_in_map_units_minus1", 4095)?;
        let frame_mbs_only = bits.bit()?;
        let mb_adaptive_frame_field = !frame_mbs_only && bits.bit()?;
        let sps = Self {
            chroma_array_type: if separate_colour_plane { 0 } else { chroma_format },
            separate_colour_plane,
            extra_luma_bits,
            frame_num_bits,
            pic_order_cnt_type,
            pic_order_cnt_bits,
            delta_pic_order_always_zero,
            map_units: wide * high,
            frame_mbs_only,
            mb_adaptive_frame_field,
        };
        Ok((id, sps))
    }
}

/// A picture parameter set (7.3.2.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pps {
    /// seq_parameter_set_id.
    sps: u32,
    /// entropy_coding_mode_flag: CABAC, not CAVLC.
    pub(super) cabac: bool,
    pub(super) bottom_field_pic_order: bool,
    /// SliceGroupChangeRate, with slice_group_map_type 3, 4 and 5.
    pub(super) slice_group_change_rate: Option<u32>,
    /// num_ref_idx_l0_default_active_minus1 + 1, and that of list 1.
    pub(super) num_ref_idx: [u32; 2],
    pub(super) weighted_pred: bool,
    pub(super) weighted_bipred_idc: u32,
    /// 26 + pic_init_qp_minus26.
    pub(super) init_qp: i32,
    pub(super) deblocking_control: bool,
    pub(super) redundant_pic_cnt: bool,
    pub(super) transform_8x8: bool,
}

impl Pps {
    fn read(rbsp: &Rbsp) -> Result<(u32, Self), Error> {
        let mut bits = rbsp.bits("a picture parameter set");
        bits.skip(8)?;
        let id = up_to(&mut bits, "pic_parameter_set_id", 255)?;
        let sps = up_to(&mut bits, "seq_parameter_set_id", 31)?;
        let cabac = bits.bit()?;
        let bottom_field_pic_order = bits.bit()?;
        let groups = 1 + up_to(&mut bits, "num_slice_groups_minus1", 7)?;
        let slice_group_change_rate =
            if groups > 1 { skip_slice_groups(&mut bits, groups)? } else { None };
        let num_ref_idx = [num_ref_idx(&mut bits)?, num_ref_idx(&mut bits)?];
        let weighted_pred = bits.bit()?;
        let weighted_bipred_idc = bits.u(2)?;
        let init_qp = 26_i32.saturating_add(bits.se()?);
        // pic_init_qs_minus26, chroma_qp_index_offset.
        bits.se()?;
        bits.se()?;
        let deblocking_control = bits.bit()?;
        // constrained_intra_pred_flag.
        bits.skip(1)?;
        let redundant_pic_cnt = bits.bit()?;
        let transform_8x8 = rbsp.has_more(bits.position()) && bits.bit()?;
        let pps = Self {
            sps,
            cabac,
            bottom_field_pic_order,
            slice_group_change_rate,
            num_ref_idx,
            weighted_pred,
            weighted_bipred_idc,
            init_qp,
            deblocking_control,
            redundant_pic_cnt,
            transform_8x8,
        };
        Ok((id, pps))
    }
}

/// num_ref_idx_lX_active_minus1 (or its default) + 1.
pub(super) fn num_ref_idx(bits: &mut Bits<'_>) -> Result<u32, Error> {
    Ok(1 + up_to(bits, "num_ref_idx_active_minus1", 31)?)
}

/// scaling_list() (7.3.2.1.1.1).
fn skip_scaling_list(bits: &mut Bits<'_>, size: usize) -> Result<(), Error> {
    let mut last = 8_i32;
    for _ in 0..size {
        let next = last.wrapping_add(bits.se()?) & 0xff;
        if next == 0 {
            break;
        }
        last = next;
    }
    Ok(())
}

/// The slice groups of a picture parameter set; SliceGroupChangeRate, if there is one.
fn skip_slice_groups(bits: &mut Bits<'_>, groups: u32) -> Result<Option<u32>, Error> {
    match up_to(bits, "slice_group_map_type", 6)? {
        0 => {
            for _ in 0..groups {
                bits.ue()?;
            }
        }
        2 => {
            for _ in 1..groups {
                bits.ue()?;
                bits.ue()?;
            }
        }
        3..=5 => {
            bits.skip(1)?;
            return Ok(Some(bits.ue()?.saturating_add(1)));
        }
        6 => {
            let ids = 1 + bits.ue()? as usize;
            let each = groups.next_power_of_two().trailing_zeros() as usize;
            bits.skip(ids.saturating_mul(each))?;
        }
        _ => {}
    }
    Ok(None)
}

#[cfg(test)]
impl Pps {
    /// Of a slice with that entropy coding.
    pub(super) fn for_tests(cabac: bool, transform_8x8: bool) -> Self {
        Self {
            sps: 0,
            cabac,
            bottom_field_pic_order: false,
            slice_group_change_rate: None,
            num_ref_idx: [1, 1],
            weighted_pred: false,
            weighted_bipred_idc: 0,
            init_qp: 26,
            deblocking_control: false,
            redundant_pic_cnt: false,
            transform_8x8,
        }
    }
}

#[cfg(test)]
impl Sps {
    /// Of 3600 macroblocks in frames.
    pub(super) fn for_tests(chroma_array_type: u32) -> Self {
        Self {
            chroma_array_type,
            separate_colour_plane: false,
            extra_luma_bits: 0,
            frame_num_bits: 4,
            pic_order_cnt_type: 2,
            pic_order_cnt_bits: 0,
            delta_pic_order_always_zero: false,
            map_units: 3600,
            frame_mbs_only: true,
            mb_adaptive_frame_field: false,
        }
    }
}
