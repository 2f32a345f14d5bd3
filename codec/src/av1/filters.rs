//! The filters behind the decoder (5.9.11, 5.9.19, 5.9.20): nothing depends on them but where they end.

use super::sequence::Sequence;
use crate::{Error, bits::Bits};

/// `loop_filter_params()` of a frame that has one.
pub(super) fn loop_filter_params(bits: &mut Bits<'_>, sequence: &Sequence) -> Result<(), Error> {
    // loop_filter_level[ 0 ] and [ 1 ], then [ 2 ] and [ 3 ]
    if bits.u(12)? != 0 && !sequence.color.mono_chrome {
        bits.skip(12)?;
    }
    bits.skip(3)?; // loop_filter_sharpness
    // loop_filter_delta_enabled, loop_filter_delta_update
    if bits.bit()? && bits.bit()? {
        // update_ref_delta of TOTAL_REFS_PER_FRAME, update_mode_delta
        for _ in 0..8 + 2 {
            if bits.bit()? {
                bits.skip(7)?;
            }
        }
    }
    Ok(())
}

/// `cdef_params()` of a frame that has them.
pub(super) fn cdef_params(bits: &mut Bits<'_>, sequence: &Sequence) -> Result<(), Error> {
    bits.skip(2)?; // cdef_damping_minus_3
    let cdef_bits = bits.u(2)?;
    // Primary and secondary strength, of luma and of chroma.
    let strengths = if sequence.color.mono_chrome { 6 } else { 12 };
    bits.skip(strengths << cdef_bits)
}

/// `lr_params()` of a frame that has them.
pub(super) fn lr_params(bits: &mut Bits<'_>, sequence: &Sequence) -> Result<(), Error> {
    let (mut uses_lr, mut uses_chroma_lr) = (false, false);
    for plane in 0..sequence.planes() {
        // lr_type: RESTORE_NONE is 0
        if bits.u(2)? != 0 {
            uses_lr = true;
            uses_chroma_lr |= plane > 0;
        }
    }
    if uses_lr {
        // lr_unit_shift, lr_unit_extra_shift
        if bits.bit()? && !sequence.use_128x128_superblock {
            bits.skip(1)?;
        }
        if uses_chroma_lr && sequence.color.subsampling == (true, true) {
            bits.skip(1)?; // lr_uv_shift
        }
    }
    Ok(())
}
