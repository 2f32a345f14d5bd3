//! The sequence header (5.5): what of it frame headers depend on.

use crate::{Error, bits::Bits};

/// A `sequence_header_obu()`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sequence {
    pub(super) reduced_still_picture_header: bool,
    pub(super) decoder_model: Option<DecoderModel>,
    pub(super) equal_picture_interval: bool,
    /// 32 at most.
    pub(super) operating_points: Vec<OperatingPoint>,
    /// Bits of a frame's width and height.
    pub(super) size_bits: (u32, u32),
    pub(super) max_frame_width: u32,
    pub(super) max_frame_height: u32,
    /// Only with frame_id_numbers_present_flag.
    pub(super) frame_ids: Option<FrameIds>,
    pub(super) use_128x128_superblock: bool,
    pub(super) enable_warped_motion: bool,
    pub(super) enable_ref_frame_mvs: bool,
    /// 0 without enable_order_hint.
    pub(super) order_hint_bits: u32,
    /// `None`: each frame selects.
    pub(super) force_screen_content_tools: Option<bool>,
    /// `None`: each frame selects.
    pub(super) force_integer_mv: Option<bool>,
    pub(super) enable_superres: bool,
    pub(super) enable_cdef: bool,
    pub(super) enable_restoration: bool,
    pub(super) color: Color,
    pub(super) film_grain_params_present: bool,
}

/// `decoder_model_info()`: bits of its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DecoderModel {
    buffer_delay_length: u32,
    pub(super) buffer_removal_time_length: u32,
    pub(super) frame_presentation_time_length: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OperatingPoint {
    /// The layers it has; 0: all.
    idc: u32,
    pub(super) decoder_model_present: bool,
}

impl OperatingPoint {
    pub(super) fn has(&self, (temporal_id, spatial_id): (u32, u32)) -> bool {
        self.idc == 0 || self.idc >> temporal_id & self.idc >> (spatial_id + 8) & 1 == 1
    }
}

/// Bits of frame ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FrameIds {
    pub(super) delta_length: u32,
    pub(super) length: u32,
}

/// `color_config()`: which planes there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Color {
    pub(super) mono_chrome: bool,
    /// subsampling_x and subsampling_y.
    pub(super) subsampling: (bool, bool),
    pub(super) separate_uv_delta_q: bool,
}

impl Sequence {
    pub(super) fn read(payload: &[u8]) -> Result<Self, Error> {
        let bits = &mut Bits::new(payload, "a sequence header");
        let seq_profile = bits.u(3)?;
        if seq_profile > 2 {
            return Err(Error::Invalid { what: "seq_profile", value: seq_profile.into() });
        }
        bits.skip(1)?; // still_picture
        let reduced = bits.bit()?;
        let (mut decoder_model, mut equal_picture_interval) = (None, false);
        let mut operating_points = Vec::new();
        if reduced {
            bits.skip(5)?; // seq_level_idx[ 0 ]
        } else {
            // timing_info_present_flag
            if bits.bit()? {
                equal_picture_interval = timing_info(bits)?;
                decoder_model = bits.bit()?.then(|| decoder_model_info(bits)).transpose()?;
            }
            operating_points = read_operating_points(bits, decoder_model)?;
        }
        let size_bits = (bits.u(4)? + 1, bits.u(4)? + 1);
        let (max_frame_width, max_frame_height) =
            (bits.u(size_bits.0)? + 1, bits.u(size_bits.1)? + 1);
        let frame_ids = if !reduced && bits.bit()? {
            let delta_length = bits.u(4)? + 2;
            Some(FrameIds { delta_length, length: bits.u(3)? + delta_length + 1 })
        } else {
            None
        };
        let use_128x128_superblock = bits.bit()?;
        bits.skip(2)?; // enable_filter_intra, enable_intra_edge_filter
        let tools = if reduced { InterTools::default() } else { InterTools::read(bits)? };
        Ok(Self {
            reduced_still_picture_header: reduced,
            decoder_model,
            equal_picture_interval,
            operating_points,
            size_bits,
            max_frame_width,
            max_frame_height,
            frame_ids,
            use_128x128_superblock,
            enable_warped_motion: tools.enable_warped_motion,
            enable_ref_frame_mvs: tools.enable_ref_frame_mvs,
            order_hint_bits: tools.order_hint_bits,
            force_screen_content_tools: tools.force_screen_content_tools,
            force_integer_mv: tools.force_integer_mv,
            enable_superres: bits.bit()?,
            enable_cdef: bits.bit()?,
            enable_restoration: bits.bit()?,
            color: Color::read(bits, seq_profile)?,
            film_grain_params_present: bits.bit()?,
        })
    }

    /// `get_relative_dist()`: how much later `a` comes out than `b` (5.9.3).
    pub(super) fn relative_dist(&self, a: u32, b: u32) -> i32 {
        let Some(sign) = self.order_hint_bits.checked_sub(1).map(|bits| 1_u32 << bits) else {
            return 0;
        };
        let difference = a.wrapping_sub(b);
        (difference & (sign - 1)).cast_signed() - (difference & sign).cast_signed()
    }

    /// NumPlanes.
    pub(super) fn planes(&self) -> usize {
        if self.color.mono_chrome { 1 } else { 3 }
    }
}

/// What the reduced header of a still picture is without.
#[derive(Default)]
struct InterTools {
    enable_warped_motion: bool,
    enable_ref_frame_mvs: bool,
    order_hint_bits: u32,
    force_screen_content_tools: Option<bool>,
    force_integer_mv: Option<bool>,
}

impl InterTools {
    fn read(bits: &mut Bits<'_>) -> Result<Self, Error> {
        bits.skip(2)?; // enable_interintra_compound, enable_masked_compound
        let enable_warped_motion = bits.bit()?;
        bits.skip(1)?; // enable_dual_filter
        let enable_order_hint = bits.bit()?;
        let mut enable_ref_frame_mvs = false;
        if enable_order_hint {
            bits.skip(1)?; // enable_jnt_comp
            enable_ref_frame_mvs = bits.bit()?;
        }
        // seq_choose_screen_content_tools, seq_choose_integer_mv
        let force_screen_content_tools = choice(bits)?;
        let force_integer_mv =
            if force_screen_content_tools == Some(false) { None } else { choice(bits)? };
        let order_hint_bits = if enable_order_hint { bits.u(3)? + 1 } else { 0 };
        Ok(Self {
            enable_warped_motion,
            enable_ref_frame_mvs,
            order_hint_bits,
            force_screen_content_tools,
            force_integer_mv,
        })
    }
}

/// `None`: frames choose. Otherwise what is chosen for all.
fn choice(bits: &mut Bits<'_>) -> Result<Option<bool>, Error> {
    if bits.bit()? { Ok(None) } else { bits.bit().map(Some) }
}

/// `timing_info()`: equal_picture_interval.
fn timing_info(bits: &mut Bits<'_>) -> Result<bool, Error> {
    bits.skip(64)?; // num_units_in_display_tick, time_scale
    let equal_picture_interval = bits.bit()?;
    if equal_picture_interval {
        // num_ticks_per_picture_minus_1: uvlc(), which is ue(v) but for values that are not allowed.
        bits.ue()?;
    }
    Ok(equal_picture_interval)
}

fn decoder_model_info(bits: &mut Bits<'_>) -> Result<DecoderModel, Error> {
    let buffer_delay_length = bits.u(5)? + 1;
    bits.skip(32)?; // num_units_in_decoding_tick
    Ok(DecoderModel {
        buffer_delay_length,
        buffer_removal_time_length: bits.u(5)? + 1,
        frame_presentation_time_length: bits.u(5)? + 1,
    })
}

fn read_operating_points(
    bits: &mut Bits<'_>,
    decoder_model: Option<DecoderModel>,
) -> Result<Vec<OperatingPoint>, Error> {
    let initial_display_delay_present = bits.bit()?;
    let count = bits.u(5)? + 1;
    let mut points = Vec::new();
    for _ in 0..count {
        let idc = bits.u(12)?;
        let seq_level_idx = bits.u(5)?;
        if seq_level_idx > 7 {
            bits.skip(1)?; // seq_tier
        }
        let mut decoder_model_present = false;
        if let Some(model) = decoder_model {
            decoder_model_present = bits.bit()?;
            if decoder_model_present {
                // decoder_buffer_delay, encoder_buffer_delay, low_delay_mode_flag
                bits.skip(2 * model.buffer_delay_length as usize + 1)?;
            }
        }
        if initial_display_delay_present && bits.bit()? {
            bits.skip(4)?; // initial_display_delay_minus_1
        }
        points.push(OperatingPoint { idc, decoder_model_present });
    }
    Ok(points)
}

impl Color {
    fn read(bits: &mut Bits<'_>, seq_profile: u32) -> Result<Self, Error> {
        let high_bitdepth = bits.bit()?;
        let twelve_bit = seq_profile == 2 && high_bitdepth && bits.bit()?;
        let mono_chrome = seq_profile != 1 && bits.bit()?;
        // color_description_present_flag
        let description = if bits.bit()? { bits.u(24)? } else { UNSPECIFIED };
        if mono_chrome {
            bits.skip(1)?; // color_range
            let subsampling = (true, true);
            return Ok(Self { mono_chrome, subsampling, separate_uv_delta_q: false });
        }
        let subsampling = if description == SRGB {
            (false, false)
        } else {
            bits.skip(1)?; // color_range
            match seq_profile {
                0 => (true, true),
                1 => (false, false),
                _ if twelve_bit => {
                    let x = bits.bit()?;
                    (x, x && bits.bit()?)
                }
                _ => (true, false),
            }
        };
        if subsampling == (true, true) {
            bits.skip(2)?; // chroma_sample_position
        }
        Ok(Self { mono_chrome, subsampling, separate_uv_delta_q: bits.bit()? })
    }
}

/// color_primaries, transfer_characteristics and matrix_coefficients, all of them unspecified.
const UNSPECIFIED: u32 = 0x02_0202;
/// CP_BT_709, TC_SRGB, MC_IDENTITY.
const SRGB: u32 = 0x01_0d00;
