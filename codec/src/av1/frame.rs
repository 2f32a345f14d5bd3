//! The frame header (5.9.2).

use super::{
    filters::{cdef_params, loop_filter_params, lr_params},
    grain::film_grain_params,
    motion::global_motion_params,
    quantizer::Quantizer,
    references::{NUM_REF_FRAMES, REFS_PER_FRAME, Reference, References, skip_mode_allowed},
    sequence::Sequence,
    sizes::FrameSize,
    tiles::Tiles,
};
use crate::{Error, bits::Bits};

/// frame_type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FrameType {
    Key,
    Inter,
    IntraOnly,
    Switch,
}

/// The first flags of a frame.
struct Flags {
    frame_type: FrameType,
    show_frame: bool,
    showable_frame: bool,
    error_resilient_mode: bool,
}

/// References and tools of an inter frame.
struct Inter {
    ref_frame_idx: [usize; REFS_PER_FRAME],
    allow_high_precision_mv: bool,
}

/// Reads an `uncompressed_header()` of a frame in that layer (temporal_id, spatial_id), and leaves
/// behind in `references` what later headers need. `None`: it shows a frame that is there already.
pub(super) fn uncompressed_header(
    bits: &mut Bits<'_>,
    sequence: &Sequence,
    layer: (u32, u32),
    references: &mut References,
) -> Result<Option<Tiles>, Error> {
    let Some(flags) = Flags::read(bits, sequence, references)? else { return Ok(None) };
    let Flags { frame_type, error_resilient_mode, .. } = flags;
    let is_intra = flags.is_intra();
    let is_shown_key = frame_type == FrameType::Key && flags.show_frame;
    let disable_cdf_update = bits.bit()?;
    let allow_screen_content_tools = chosen(bits, sequence.force_screen_content_tools)?;
    let force_integer_mv =
        allow_screen_content_tools && chosen(bits, sequence.force_integer_mv)? || is_intra;
    if let Some(ids) = sequence.frame_ids {
        bits.skip(ids.length as usize)?; // current_frame_id
    }
    let frame_size_override =
        frame_type == FrameType::Switch || !sequence.reduced_still_picture_header && bits.bit()?;
    let order_hint = bits.u(sequence.order_hint_bits)?;
    let primary_ref_frame = if is_intra || error_resilient_mode {
        None
    } else {
        // PRIMARY_REF_NONE is 7.
        Some(bits.u(3)? as usize).filter(|&index| index < REFS_PER_FRAME)
    };
    buffer_removal_times(bits, sequence, layer)?;
    let refresh_frame_flags =
        if frame_type == FrameType::Switch || is_shown_key { ALL_FRAMES } else { bits.u(8)? };
    if (!is_intra || refresh_frame_flags != ALL_FRAMES) && error_resilient_mode {
        for slot in 0..if sequence.order_hint_bits > 0 { NUM_REF_FRAMES } else { 0 } {
            let ref_order_hint = bits.u(sequence.order_hint_bits)?;
            references.expect(slot, ref_order_hint, sequence);
        }
    }

    let (size, allow_intrabc, inter);
    if is_intra {
        size = FrameSize::read(bits, sequence, frame_size_override)?;
        allow_intrabc =
            allow_screen_content_tools && size.upscaled_width == size.frame_width && bits.bit()?;
        inter = None;
    } else {
        let ref_frame_idx = frame_refs(bits, sequence, references, order_hint)?;
        size = if frame_size_override && !error_resilient_mode {
            FrameSize::read_with_refs(bits, sequence, references, &ref_frame_idx)?
        } else {
            FrameSize::read(bits, sequence, frame_size_override)?
        };
        allow_intrabc = false;
        let allow_high_precision_mv = !force_integer_mv && bits.bit()?;
        // is_filter_switchable
        if !bits.bit()? {
            bits.skip(2)?; // interpolation_filter
        }
        bits.skip(1)?; // is_motion_mode_switchable
        if !error_resilient_mode && sequence.enable_ref_frame_mvs {
            bits.skip(1)?; // use_ref_frame_mvs
        }
        inter = Some(Inter { ref_frame_idx, allow_high_precision_mv });
    }

    if !sequence.reduced_still_picture_header && !disable_cdf_update {
        bits.skip(1)?; // disable_frame_end_update_cdf
    }
    let tiles = Tiles::read(bits, sequence, &size)?;
    // load_previous()
    let previous = match (primary_ref_frame, &inter) {
        (Some(index), Some(inter)) => {
            Some(references.get(inter.ref_frame_idx[index])?.segment_offsets)
        }
        _ => None,
    };
    let quantizer = Quantizer::read(bits, sequence, previous, allow_intrabc)?;
    let coded_lossless = quantizer.coded_lossless;
    let all_lossless = coded_lossless && size.frame_width == size.upscaled_width;
    if !coded_lossless && !allow_intrabc {
        loop_filter_params(bits, sequence)?;
        if sequence.enable_cdef {
            cdef_params(bits, sequence)?;
        }
    }
    if !all_lossless && !allow_intrabc && sequence.enable_restoration {
        lr_params(bits, sequence)?;
    }
    if !coded_lossless {
        bits.skip(1)?; // tx_mode_select
    }
    if let Some(inter) = &inter {
        let mut hints = [0; REFS_PER_FRAME];
        for (hint, &slot) in hints.iter_mut().zip(&inter.ref_frame_idx) {
            *hint = references.get(slot)?.order_hint;
        }
        // reference_select
        if bits.bit()? && skip_mode_allowed(sequence, order_hint, &hints) {
            bits.skip(1)?; // skip_mode_present
        }
        if !error_resilient_mode && sequence.enable_warped_motion {
            bits.skip(1)?; // allow_warped_motion
        }
    }
    bits.skip(1)?; // reduced_tx_set
    if let Some(inter) = &inter {
        global_motion_params(bits, inter.allow_high_precision_mv)?;
    }
    if sequence.film_grain_params_present && (flags.show_frame || flags.showable_frame) {
        film_grain_params(bits, sequence, frame_type == FrameType::Inter)?;
    }

    references.refresh(
        refresh_frame_flags,
        Reference {
            is_key: frame_type == FrameType::Key,
            upscaled_width: size.upscaled_width,
            frame_height: size.frame_height,
            order_hint,
            segment_offsets: quantizer.segment_offsets,
        },
    );
    Ok(Some(tiles))
}

impl Flags {
    /// Up to error_resilient_mode. `None`: show_existing_frame, which ends the header.
    fn read(
        bits: &mut Bits<'_>,
        sequence: &Sequence,
        references: &mut References,
    ) -> Result<Option<Self>, Error> {
        if sequence.reduced_still_picture_header {
            return Ok(Some(Self {
                frame_type: FrameType::Key,
                show_frame: true,
                showable_frame: false,
                error_resilient_mode: true,
            }));
        }
        // show_existing_frame
        if bits.bit()? {
            let frame_to_show_map_idx = bits.u(3)? as usize;
            let shown = *references.get(frame_to_show_map_idx)?;
            if shown.is_key {
                // The reference frame loading process (7.21).
                references.refresh(ALL_FRAMES, shown);
            }
            return Ok(None);
        }
        let frame_type = match bits.u(2)? {
            0 => FrameType::Key,
            1 => FrameType::Inter,
            2 => FrameType::IntraOnly,
            _ => FrameType::Switch,
        };
        let show_frame = bits.bit()?;
        if show_frame && !sequence.equal_picture_interval {
            let length = sequence.decoder_model.map_or(0, |m| m.frame_presentation_time_length);
            bits.skip(length as usize)?; // temporal_point_info()
        }
        let showable_frame = if show_frame { frame_type != FrameType::Key } else { bits.bit()? };
        let error_resilient_mode = frame_type == FrameType::Switch
            || frame_type == FrameType::Key && show_frame
            || bits.bit()?;
        Ok(Some(Self { frame_type, show_frame, showable_frame, error_resilient_mode }))
    }

    /// FrameIsIntra.
    fn is_intra(&self) -> bool {
        matches!(self.frame_type, FrameType::Key | FrameType::IntraOnly)
    }
}

/// What the sequence header has chosen, or else what the frame chooses.
fn chosen(bits: &mut Bits<'_>, by_sequence: Option<bool>) -> Result<bool, Error> {
    by_sequence.map_or_else(|| bits.bit(), Ok)
}

/// buffer_removal_time of the operating points that have this layer.
fn buffer_removal_times(
    bits: &mut Bits<'_>,
    sequence: &Sequence,
    layer: (u32, u32),
) -> Result<(), Error> {
    let Some(model) = sequence.decoder_model else { return Ok(()) };
    // buffer_removal_time_present_flag
    if bits.bit()? {
        for point in &sequence.operating_points {
            if point.decoder_model_present && point.has(layer) {
                bits.skip(model.buffer_removal_time_length as usize)?;
            }
        }
    }
    Ok(())
}

/// ref_frame_idx, coded or derived.
fn frame_refs(
    bits: &mut Bits<'_>,
    sequence: &Sequence,
    references: &References,
    order_hint: u32,
) -> Result<[usize; REFS_PER_FRAME], Error> {
    let mut ref_frame_idx = [0; REFS_PER_FRAME];
    // frame_refs_short_signaling
    let short = sequence.order_hint_bits > 0 && bits.bit()?;
    if short {
        let (last, gold) = (bits.u(3)? as usize, bits.u(3)? as usize);
        ref_frame_idx = references.set_frame_refs(sequence, order_hint, last, gold);
    }
    for slot in &mut ref_frame_idx {
        if !short {
            *slot = bits.u(3)? as usize;
        }
        if let Some(ids) = sequence.frame_ids {
            bits.skip(ids.delta_length as usize)?; // delta_frame_id_minus_1
        }
    }
    Ok(ref_frame_idx)
}

/// refresh_frame_flags of a frame that takes every slot.
const ALL_FRAMES: u32 = (1 << NUM_REF_FRAMES) - 1;
