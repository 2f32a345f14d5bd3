//! Parameter sets: the fields that slice segment headers cannot be read without.

use std::collections::BTreeMap;

use super::{references::ReferenceSet, unit_type};
use crate::{
    Error,
    bits::Bits,
    nal::{Rbsp, up_to},
};

/// The parameter sets of the first layer that have come so far, by their ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sets {
    sps: BTreeMap<u32, Sps>,
    pps: BTreeMap<u32, Pps>,
}

impl Sets {
    /// Takes in a NAL unit, if it is a parameter set that slices need (SPS_NUT and PPS_NUT).
    pub(super) fn update(&mut self, nal: &[u8]) -> Result<(), Error> {
        match unit_type(nal) {
            Some((33, 0)) => {
                let (id, sps) = Rbsp::read(nal, Sps::read)?;
                self.sps.insert(id, sps);
            }
            Some((34, 0)) => {
                let (id, pps) = Rbsp::read(nal, Pps::read)?;
                self.pps.insert(id, pps);
            }
            _ => {}
        }
        Ok(())
    }

    /// The sets of a slice, by its slice_pic_parameter_set_id.
    pub(super) fn of(&self, pps: u32) -> Result<(&Sps, &Pps), Error> {
        let missing = |what, value: u32| Error::Missing { what, value: value.into() };
        let pps = self.pps.get(&pps).ok_or(missing("pps_pic_parameter_set_id", pps))?;
        let sps = self.sps.get(&pps.sps).ok_or(missing("sps_seq_parameter_set_id", pps.sps))?;
        Ok((sps, pps))
    }
}

/// A sequence parameter set (7.3.2.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sps {
    pub(super) separate_colour_plane: bool,
    /// ChromaArrayType is not 0.
    pub(super) has_chroma: bool,
    /// Bits of slice_pic_order_cnt_lsb.
    pub(super) pic_order_cnt_bits: u32,
    /// PicSizeInCtbsY.
    pub(super) ctbs: u32,
    pub(super) sao: bool,
    pub(super) short_term: Vec<ReferenceSet>,
    pub(super) long_term_present: bool,
    /// used_by_curr_pic_lt_sps_flag.
    pub(super) long_term: Vec<bool>,
    pub(super) temporal_mvp: bool,
}

impl Sps {
    fn read(rbsp: &Rbsp) -> Result<(u32, Self), Error> {
        let mut bits = rbsp.bits("a sequence parameter set");
        // NAL unit header, sps_video_parameter_set_id.
        bits.skip(16 + 4)?;
        let sub_layers = bits.u(3)?;
        bits.skip(1)?;
        skip_profile_tier_level(&mut bits, sub_layers)?;
        let id = up_to(&mut bits, "sps_seq_parameter_set_id", 15)?;
        let chroma_format = up_to(&mut bits, "chroma_format_idc", 3)?;
        let separate_colour_plane = chroma_format == 3 && bits.bit()?;
        let (width, height) = (bits.ue()?, bits.ue()?);
        if bits.bit()? {
            // conformance_window.
            skip_numbers(&mut bits, 4)?;
        }
        // bit_depth_luma_minus8, bit_depth_chroma_minus8.
        skip_numbers(&mut bits, 2)?;
        let pic_order_cnt_bits = 4 + up_to(&mut bits, "log2_max_pic_order_cnt_lsb_minus4", 12)?;
        // Buffering, reordering and latency, for all sub-layers or the highest.
        let layers = if bits.bit()? { 1 + sub_layers } else { 1 };
        skip_numbers(&mut bits, 3 * layers)?;
        let min_block = 3 + up_to(&mut bits, "log2_min_luma_coding_block_size_minus3", 3)?;
        let ctb = min_block + up_to(&mut bits, "log2_diff_max_min_luma_coding_block_size", 3)?;
        // Transform block sizes and hierarchy depths.
        skip_numbers(&mut bits, 4)?;
        if bits.bit()? && bits.bit()? {
            skip_scaling_lists(&mut bits)?;
        }
        // amp_enabled_flag.
        bits.skip(1)?;
        let sao = bits.bit()?;
        if bits.bit()? {
            // pcm.
            bits.skip(8)?;
            skip_numbers(&mut bits, 2)?;
            bits.skip(1)?;
        }
        let mut short_term = Vec::new();
        for _ in 0..up_to(&mut bits, "num_short_term_ref_pic_sets", 64)? {
            let set = ReferenceSet::read(&mut bits, &short_term, false)?;
            short_term.push(set);
        }
        let long_term_present = bits.bit()?;
        let mut long_term = Vec::new();
        if long_term_present {
            for _ in 0..up_to(&mut bits, "num_long_term_ref_pics_sps", 32)? {
                bits.skip(pic_order_cnt_bits as usize)?;
                long_term.push(bits.bit()?);
            }
        }
        let temporal_mvp = bits.bit()?;
        let blocks = width.div_ceil(1 << ctb).checked_mul(height.div_ceil(1 << ctb));
        let Some(ctbs) = blocks.filter(|&blocks| blocks > 0) else {
            let value = u64::from(width) * u64::from(height);
            return Err(Error::Invalid { what: "the size of a picture", value });
        };
        let sps = Self {
            separate_colour_plane,
            has_chroma: chroma_format != 0 && !separate_colour_plane,
            pic_order_cnt_bits,
            ctbs,
            sao,
            short_term,
            long_term_present,
            long_term,
            temporal_mvp,
        };
        Ok((id, sps))
    }
}

/// A picture parameter set (7.3.2.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pps {
    /// pps_seq_parameter_set_id.
    sps: u32,
    pub(super) dependent_slice_segments: bool,
    pub(super) output_flag_present: bool,
    pub(super) extra_slice_header_bits: u32,
    pub(super) cabac_init_present: bool,
    /// num_ref_idx_l0_default_active_minus1 + 1, and that of list 1.
    pub(super) num_ref_idx: [u32; 2],
    /// 26 + init_qp_minus26.
    pub(super) init_qp: i32,
    pub(super) slice_chroma_qp_offsets: bool,
    pub(super) weighted_pred: bool,
    pub(super) weighted_bipred: bool,
    /// Tiles, or rows of their own contexts: slice data are in parts that begin at entry points.
    pub(super) has_entry_points: bool,
    pub(super) loop_filter_across_slices: bool,
    pub(super) deblocking_override: bool,
    pub(super) deblocking_disabled: bool,
    pub(super) lists_modification: bool,
    pub(super) slice_header_extension: bool,
    /// chroma_qp_offset_list_enabled_flag (range extension).
    pub(super) chroma_qp_offset_list: bool,
}

impl Pps {
    fn read(rbsp: &Rbsp) -> Result<(u32, Self), Error> {
        let mut bits = rbsp.bits("a picture parameter set");
        bits.skip(16)?;
        let id = up_to(&mut bits, "pps_pic_parameter_set_id", 63)?;
        let sps = up_to(&mut bits, "pps_seq_parameter_set_id", 15)?;
        let dependent_slice_segments = bits.bit()?;
        let output_flag_present = bits.bit()?;
        let extra_slice_header_bits = bits.u(3)?;
        // sign_data_hiding_enabled_flag.
        bits.skip(1)?;
        let cabac_init_present = bits.bit()?;
        let num_ref_idx = [num_ref_idx(&mut bits)?, num_ref_idx(&mut bits)?];
        let init_qp = 26_i32.saturating_add(bits.se()?);
        // constrained_intra_pred_flag.
        bits.skip(1)?;
        let transform_skip = bits.bit()?;
        if bits.bit()? {
            // diff_cu_qp_delta_depth.
            bits.ue()?;
        }
        // pps_cb_qp_offset, pps_cr_qp_offset.
        skip_numbers(&mut bits, 2)?;
        let slice_chroma_qp_offsets = bits.bit()?;
        let weighted_pred = bits.bit()?;
        let weighted_bipred = bits.bit()?;
        // transquant_bypass_enabled_flag.
        bits.skip(1)?;
        let has_tiles = bits.bit()?;
        let has_entry_points = bits.bit()? || has_tiles;
        if has_tiles {
            skip_tiles(&mut bits)?;
        }
        let loop_filter_across_slices = bits.bit()?;
        let (mut deblocking_override, mut deblocking_disabled) = (false, false);
        if bits.bit()? {
            deblocking_override = bits.bit()?;
            deblocking_disabled = bits.bit()?;
            if !deblocking_disabled {
                skip_numbers(&mut bits, 2)?;
            }
        }
        if bits.bit()? {
            skip_scaling_lists(&mut bits)?;
        }
        let lists_modification = bits.bit()?;
        // log2_parallel_merge_level_minus2.
        bits.ue()?;
        let slice_header_extension = bits.bit()?;
        let mut chroma_qp_offset_list = false;
        if bits.bit()? {
            let range_extension = bits.bit()?;
            // Those of layers and of 3D change nothing for the first layer.
            bits.skip(2)?;
            if bits.bit()? {
                return Err(Error::Invalid { what: "pps_scc_extension_flag", value: 1 });
            }
            bits.skip(4)?;
            if range_extension {
                if transform_skip {
                    bits.ue()?;
                }
                bits.skip(1)?;
                chroma_qp_offset_list = bits.bit()?;
            }
        }
        let pps = Self {
            sps,
            dependent_slice_segments,
            output_flag_present,
            extra_slice_header_bits,
            cabac_init_present,
            num_ref_idx,
            init_qp,
            slice_chroma_qp_offsets,
            weighted_pred,
            weighted_bipred,
            has_entry_points,
            loop_filter_across_slices,
            deblocking_override,
            deblocking_disabled,
            lists_modification,
            slice_header_extension,
            chroma_qp_offset_list,
        };
        Ok((id, pps))
    }
}

/// num_ref_idx_lX_active_minus1 (or its default) + 1.
pub(super) fn num_ref_idx(bits: &mut Bits<'_>) -> Result<u32, Error> {
    Ok(1 + up_to(bits, "num_ref_idx_active_minus1", 14)?)
}

/// So many Exp-Golomb numbers, with signs or without.
pub(super) fn skip_numbers(bits: &mut Bits<'_>, count: u32) -> Result<(), Error> {
    for _ in 0..count {
        bits.ue()?;
    }
    Ok(())
}

/// profile_tier_level(1, sps_max_sub_layers_minus1) (7.3.3).
fn skip_profile_tier_level(bits: &mut Bits<'_>, sub_layers: u32) -> Result<(), Error> {
    bits.skip(3)?;
    let profile = bits.u(5)?;
    // Screen content coding has slice header fields that depend on extensions not read here.
    if profile == 9 || profile == 11 {
        return Err(Error::Invalid { what: "general_profile_idc", value: profile.into() });
    }
    bits.skip(80 + 8)?;
    if sub_layers > 0 {
        let mut size = 0;
        for layer in 0..8 {
            let (has_profile, has_level) = (bits.bit()?, bits.bit()?);
            if layer < sub_layers {
                size += 88 * usize::from(has_profile) + 8 * usize::from(has_level);
            }
        }
        bits.skip(size)?;
    }
    Ok(())
}

/// scaling_list_data() (7.3.4).
fn skip_scaling_lists(bits: &mut Bits<'_>) -> Result<(), Error> {
    for (size, matrices, coefficients) in [(0, 6, 16), (1, 6, 64), (2, 6, 64), (3, 2, 64)] {
        for _ in 0..matrices {
            // Copied from another matrix, or coded: with a DC coefficient, if large.
            let numbers = match bits.bit()? {
                false => 1,
                true => coefficients + u32::from(size > 1),
            };
            skip_numbers(bits, numbers)?;
        }
    }
    Ok(())
}

fn skip_tiles(bits: &mut Bits<'_>) -> Result<(), Error> {
    let boundaries = [bits.ue()?, bits.ue()?];
    let is_uniform = bits.bit()?;
    if !is_uniform {
        for count in boundaries {
            skip_numbers(bits, count)?;
        }
    }
    // loop_filter_across_tiles_enabled_flag.
    bits.skip(1)
}
