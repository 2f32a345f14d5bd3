//! Film grain (5.9.30): nothing depends on it but where it ends.

use super::sequence::Sequence;
use crate::{Error, bits::Bits};

/// `film_grain_params()` of a frame that is shown, now or later. `is_inter`: it is an INTER_FRAME.
pub(super) fn film_grain_params(
    bits: &mut Bits<'_>,
    sequence: &Sequence,
    is_inter: bool,
) -> Result<(), Error> {
    // apply_grain
    if !bits.bit()? {
        return Ok(());
    }
    bits.skip(16)?; // grain_seed
    // update_grain
    if is_inter && !bits.bit()? {
        return bits.skip(3); // film_grain_params_ref_idx
    }
    let luma = points(bits)?;
    let mono_chrome = sequence.color.mono_chrome;
    let chroma_scaling_from_luma = !mono_chrome && bits.bit()?;
    let no_chroma = mono_chrome
        || chroma_scaling_from_luma
        || sequence.color.subsampling == (true, true) && !luma;
    let (cb, cr) = if no_chroma { (false, false) } else { (points(bits)?, points(bits)?) };
    bits.skip(2)?; // grain_scaling_minus_8
    let ar_coeff_lag = bits.u(2)? as usize;
    let positions = 2 * ar_coeff_lag * (ar_coeff_lag + 1);
    if luma {
        bits.skip(8 * positions)?; // ar_coeffs_y_plus_128
    }
    for chroma in [cb, cr] {
        if chroma_scaling_from_luma || chroma {
            // ar_coeffs_cb_plus_128, ar_coeffs_cr_plus_128
            bits.skip(8 * (positions + usize::from(luma)))?;
        }
    }
    bits.skip(4)?; // ar_coeff_shift_minus_6, grain_scale_shift
    for chroma in [cb, cr] {
        if chroma {
            bits.skip(8 + 8 + 9)?; // cb_mult, cb_luma_mult, cb_offset and those of cr
        }
    }
    bits.skip(2) // overlap_flag, clip_to_restricted_range
}

/// The points of a scaling function: whether there are any.
fn points(bits: &mut Bits<'_>) -> Result<bool, Error> {
    let count = bits.u(4)? as usize;
    bits.skip(16 * count)?;
    Ok(count > 0)
}
