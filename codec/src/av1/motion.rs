//! Global motion (5.9.24 to 5.9.27). Its parameters are coded as differences from earlier ones, but in
//! as many bits whatever those were.

use super::{descriptors::ns, references::REFS_PER_FRAME};
use crate::{Error, bits::Bits};

/// `global_motion_params()` of an inter frame.
pub(super) fn global_motion_params(
    bits: &mut Bits<'_>,
    allow_high_precision_mv: bool,
) -> Result<(), Error> {
    for _ in 0..REFS_PER_FRAME {
        // is_global
        if !bits.bit()? {
            continue;
        }
        // is_rot_zoom, is_translation
        let (alphas, translation_bits) = if bits.bit()? {
            (2, GM_ABS_TRANS_BITS)
        } else if bits.bit()? {
            (0, GM_ABS_TRANS_ONLY_BITS - u32::from(!allow_high_precision_mv))
        } else {
            (4, GM_ABS_TRANS_BITS)
        };
        for _ in 0..alphas {
            read_global_param(bits, GM_ABS_ALPHA_BITS)?;
        }
        for _ in 0..2 {
            read_global_param(bits, translation_bits)?;
        }
    }
    Ok(())
}

/// `decode_subexp()` of a number from -mx to mx.
fn read_global_param(bits: &mut Bits<'_>, abs_bits: u32) -> Result<(), Error> {
    let symbols = (2 << abs_bits) + 1;
    let mut base = 0;
    let mut width = SUBEXP_K;
    loop {
        if symbols <= base + (3 << width) {
            ns(bits, symbols - base)?; // subexp_final_bits
            return Ok(());
        }
        // subexp_more_bits
        if !bits.bit()? {
            return bits.skip(width); // subexp_bits
        }
        base += 1 << width;
        // 3, 3, 4, 5…
        width = if base == 1 << SUBEXP_K { SUBEXP_K } else { width + 1 };
    }
}

const SUBEXP_K: usize = 3;
const GM_ABS_ALPHA_BITS: u32 = 12;
const GM_ABS_TRANS_ONLY_BITS: u32 = 9;
const GM_ABS_TRANS_BITS: u32 = 12;
