//! The first macroblock of a slice (7.3.5): no neighbour of it is available for prediction (6.4.9), which
//! leaves few of the modes that could be coded.

use super::{
    cabac::{Context, Decoder},
    slice::{Header, Kind},
};
use crate::{
    Error,
    bits::Bits,
    nal::{Rbsp, up_to},
};

/// Intra prediction by the mean: Intra_4x4_DC, Intra_8x8_DC and Intra_16x16_DC (tables 8-2 to 8-4).
const DC: u8 = 2;

/// Whether the first macroblock of a slice is one that can be there; `None`: it is not looked at.
///
/// # Errors
/// The data end in the macroblock.
pub(super) fn is_legal(rbsp: &Rbsp, header: &Header<'_>) -> Option<Result<bool, Error>> {
    // Of a pair, one may be skipped in ways that depend on the other.
    if header.mbaff {
        return None;
    }
    let mut bits = rbsp.bits("a slice");
    if !header.pps.cabac {
        let legal = match header.kind {
            Kind::I | Kind::P | Kind::B => bits
                .skip(header.bits)
                .and_then(|()| legal_unless_invalid(Vlc { bits, rbsp, header }.macroblock())),
            Kind::Sp | Kind::Si => return None,
        };
        return Some(legal);
    }
    let start = bits.skip(header.bits.next_multiple_of(8));
    let decoder = start.and_then(|()| Decoder::new(bits));
    match header.kind {
        Kind::I => Some(decoder.and_then(|decoder| intra_slice(decoder, header))),
        Kind::P => Some(decoder.and_then(|decoder| predicted_slice(decoder, header))),
        Kind::B | Kind::Sp | Kind::Si => None,
    }
}

/// How often random bytes are no legal macroblock, as measured (see the tests). With CABAC it depends on
/// how probable the slice's SliceQPY makes the modes.
pub(super) fn chance(header: &Header<'_>) -> f64 {
    let has_chroma = matches!(header.sps.chroma_array_type, 1 | 2);
    let references = match header.num_ref_idx[0] {
        2 => 1,
        3..=5 => 2,
        _ => 0,
    };
    if !header.pps.cabac {
        return match header.kind {
            Kind::I if header.pps.transform_8x8 => [0.89, 0.94][usize::from(has_chroma)],
            Kind::I => [0.93, 0.96][usize::from(has_chroma)],
            Kind::P => [0.17, 0.17, 0.38][references],
            _ => 0.03,
        };
    }
    let by_qp = if header.kind == Kind::I {
        INTRA_CHANCES[usize::from(has_chroma)][usize::from(header.pps.transform_8x8)]
    } else {
        PREDICTED_CHANCES[(header.cabac_init_idc as usize).min(2)][references]
    };
    let qp = f64::from(header.qp.clamp(0, 49));
    let step = (header.qp.clamp(0, 49) / 10).unsigned_abs() as usize;
    by_qp[step] + (by_qp[step + 1] - by_qp[step]) * (qp / 10.0 - step as f64)
}

/// By SliceQPY 0, 10, … 50.
type ByQp = [f64; 6];

/// Of I slices: without and with chroma, without and with transform_size_8x8_flag.
const INTRA_CHANCES: [[ByQp; 2]; 2] = [
    [[0.991, 0.986, 0.973, 0.919, 0.809, 0.691], [0.990, 0.977, 0.928, 0.768, 0.615, 0.505]],
    [[0.995, 0.996, 0.991, 0.962, 0.891, 0.792], [0.994, 0.992, 0.976, 0.897, 0.775, 0.659]],
];

/// Of P slices: by cabac_init_idc, with one reference (or so many that any index will do), two, a few.
const PREDICTED_CHANCES: [[ByQp; 3]; 3] = [
    [
        [0.025, 0.025, 0.015, 0.012, 0.007, 0.005],
        [0.156, 0.126, 0.087, 0.040, 0.015, 0.009],
        [0.081, 0.066, 0.050, 0.025, 0.012, 0.007],
    ],
    [
        [0.031, 0.021, 0.017, 0.013, 0.010, 0.005],
        [0.135, 0.111, 0.116, 0.092, 0.052, 0.029],
        [0.085, 0.064, 0.065, 0.052, 0.032, 0.015],
    ],
    [
        [0.257, 0.176, 0.086, 0.036, 0.012, 0.006],
        [0.310, 0.230, 0.139, 0.057, 0.021, 0.008],
        [0.283, 0.200, 0.114, 0.045, 0.018, 0.007],
    ],
];

fn legal_unless_invalid(result: Result<bool, Error>) -> Result<bool, Error> {
    match result {
        Err(Error::Invalid { .. }) => Ok(false),
        result => result,
    }
}

/// The prediction modes of an I_NxN macroblock (8.3.1.1, 8.3.2.1) of `wide` × `wide` blocks. `next` reads
/// a block's: `None`, or rem_intra_pred_mode.
fn are_modes_legal(
    wide: usize,
    mut next: impl FnMut() -> Result<Option<u8>, Error>,
) -> Result<bool, Error> {
    let mut modes = [[DC; 4]; 4];
    for block in 0..wide * wide {
        let (x, y) = (block & 1 | block >> 1 & 2, block >> 1 & 1 | block >> 2 & 2);
        let predicted = if x == 0 || y == 0 { DC } else { modes[y][x - 1].min(modes[y - 1][x]) };
        let mode = match next()? {
            None => predicted,
            Some(rem) => rem + u8::from(rem >= predicted),
        };
        // Modes that need samples of the left (1, 8), from above (0, 3, 7), of both (4, 5, 6).
        let is_legal = match (x > 0, y > 0) {
            (false, false) => mode == DC,
            (true, false) => matches!(mode, 1 | DC | 8),
            (false, true) => matches!(mode, 0 | DC | 3 | 7),
            (true, true) => true,
        };
        if !is_legal {
            return Ok(false);
        }
        modes[y][x] = mode;
    }
    Ok(true)
}

/// A slice coded with CAVLC.
struct Vlc<'b> {
    bits: Bits<'b>,
    rbsp: &'b Rbsp,
    header: &'b Header<'b>,
}

impl Vlc<'_> {
    fn macroblock(mut self) -> Result<bool, Error> {
        let (inter_types, skipped) = match self.header.kind {
            Kind::I => (0, 0),
            kind => {
                let skipped = up_to(&mut self.bits, "mb_skip_run", self.header.mbs_left)?;
                if !self.rbsp.has_more(self.bits.position()) {
                    return Ok(true);
                }
                if skipped == self.header.mbs_left {
                    return Ok(false);
                }
                (if kind == Kind::P { 5 } else { 23 }, skipped)
            }
        };
        let mb_type = up_to(&mut self.bits, "mb_type", inter_types + 25)?;
        match mb_type.checked_sub(inter_types) {
            // A skipped macroblock may be a neighbour.
            Some(_) if skipped > 0 => Ok(true),
            Some(intra) => self.intra(intra),
            None if self.header.kind == Kind::P => self.predicted(mb_type),
            None => Ok(true),
        }
    }

    /// mb_type of table 7-11.
    fn intra(&mut self, mb_type: u32) -> Result<bool, Error> {
        let has_chroma = matches!(self.header.sps.chroma_array_type, 1 | 2);
        match mb_type {
            0 => {
                let wide = if self.header.pps.transform_8x8 && self.bits.bit()? { 2 } else { 4 };
                let bits = &mut self.bits;
                let legal = are_modes_legal(wide, || {
                    let rem = if bits.bit()? { None } else { Some(bits.u(3)?) };
                    Ok(rem.and_then(|rem| u8::try_from(rem).ok()))
                })?;
                if !legal || has_chroma && self.bits.ue()? != 0 {
                    return Ok(false);
                }
                self.pattern()?;
            }
            // I_PCM: pcm_alignment_zero_bit.
            25 => {
                let aligned = self.bits.position().next_multiple_of(8) - self.bits.position();
                return Ok(self.bits.u(u32::try_from(aligned).unwrap_or(0))? == 0);
            }
            _ => {
                let mode = (mb_type - 1) % 4;
                if mode != u32::from(DC) || has_chroma && self.bits.ue()? != 0 {
                    return Ok(false);
                }
                let range = 26 + i32::try_from(self.header.sps.extra_luma_bits).unwrap_or(0) * 3;
                return Ok((-range..range).contains(&self.bits.se()?));
            }
        }
        Ok(true)
    }

    /// mb_type of table 7-13.
    fn predicted(&mut self, mb_type: u32) -> Result<bool, Error> {
        let mut vectors = match mb_type {
            0 => 1,
            1 | 2 => 2,
            _ => 0,
        };
        let parts = if mb_type >= 3 { 4 } else { vectors };
        if mb_type >= 3 {
            for _ in 0..4 {
                vectors += [1, 2, 2, 4][up_to(&mut self.bits, "sub_mb_type", 3)? as usize];
            }
        }
        let last = self.header.num_ref_idx[0] - 1;
        if mb_type < 4 && last > 0 {
            for _ in 0..parts {
                // te(v): one bit when there are two.
                if last == 1 {
                    self.bits.skip(1)?;
                } else {
                    up_to(&mut self.bits, "ref_idx_l0", last)?;
                }
            }
        }
        // mvd_l0: vectors reach from -2048 to 2047.75 in quarters.
        for _ in 0..2 * vectors {
            if self.bits.se()?.unsigned_abs() > 4 * 4096 {
                return Ok(false);
            }
        }
        self.pattern()?;
        Ok(true)
    }

    /// coded_block_pattern (table 9-4).
    fn pattern(&mut self) -> Result<(), Error> {
        let last = if matches!(self.header.sps.chroma_array_type, 1 | 2) { 47 } else { 15 };
        up_to(&mut self.bits, "coded_block_pattern", last).map(drop)
    }
}

/// An I slice coded with CABAC.
fn intra_slice(mut decoder: Decoder<'_>, header: &Header<'_>) -> Result<bool, Error> {
    let context = |values| Context::new(values, header.qp);
    // ctxIdx 3 and 6 to 10: ctxIdxInc is 0 without neighbours.
    let mut first = context((20, -15));
    if !decoder.bin(&mut first)? {
        return intra_nxn(decoder, header, (31, 21));
    }
    let [mut luma, mut chroma, mut more_chroma, mut high, mut low] =
        [(-28, 127), (-23, 104), (-6, 53), (-1, 54), (7, 51)].map(context);
    if decoder.terminate()? {
        return Ok(true);
    }
    decoder.bin(&mut luma)?;
    if decoder.bin(&mut chroma)? {
        decoder.bin(&mut more_chroma)?;
    }
    let mode = (decoder.bin(&mut high)?, decoder.bin(&mut low)?);
    Ok(mode == (true, false) && is_chroma_legal(&mut decoder, header)?)
}

/// A P slice coded with CABAC.
fn predicted_slice(mut decoder: Decoder<'_>, header: &Header<'_>) -> Result<bool, Error> {
    let tables = &PREDICTED[(header.cabac_init_idc as usize).min(2)];
    let context = |values| Context::new(values, header.qp);
    if decoder.bin(&mut context(tables.skip))? {
        return Ok(true);
    }
    // ctxIdx 14 to 20.
    let mut types = tables.mb_type.map(context);
    if decoder.bin(&mut types[0])? {
        if !decoder.bin(&mut types[3])? {
            return intra_nxn(decoder, header, tables.transform_8x8);
        }
        if decoder.terminate()? {
            return Ok(true);
        }
        decoder.bin(&mut types[4])?;
        if decoder.bin(&mut types[5])? {
            decoder.bin(&mut types[5])?;
        }
        let mode = (decoder.bin(&mut types[6])?, decoder.bin(&mut types[6])?);
        return Ok(mode == (true, false) && is_chroma_legal(&mut decoder, header)?);
    }
    // 000: one vector; 001: blocks of their own types; 010 and 011: two halves.
    let is_halved = decoder.bin(&mut types[1])?;
    let last_bin = decoder.bin(&mut types[if is_halved { 3 } else { 2 }])?;
    let parts = match (is_halved, last_bin) {
        (false, false) => 1,
        (false, true) => return Ok(true),
        // 011 are two rows, 010 are two columns.
        (true, _) => 2,
    };
    if header.num_ref_idx[0] == 1 {
        return Ok(true);
    }
    // ctxIdx 54 to 59. The first half is above or left of the second.
    let mut contexts = tables.ref_idx.map(context);
    let mut increment = 0;
    for _ in 0..parts {
        let mut ref_idx = 0;
        let mut at = increment;
        while decoder.bin(&mut contexts[at])? {
            ref_idx += 1;
            if ref_idx >= header.num_ref_idx[0] {
                return Ok(false);
            }
            at = if at < 4 { 4 } else { 5 };
        }
        increment = match (ref_idx > 0, last_bin) {
            (false, _) => 0,
            (true, false) => 1,
            (true, true) => 2,
        };
    }
    Ok(true)
}

/// The rest of an I_NxN macroblock, up to its chroma mode.
fn intra_nxn(
    mut decoder: Decoder<'_>,
    header: &Header<'_>,
    transform_8x8: (i32, i32),
) -> Result<bool, Error> {
    let context = |values| Context::new(values, header.qp);
    let is_8x8 = header.pps.transform_8x8 && decoder.bin(&mut context(transform_8x8))?;
    // ctxIdx 68 and 69.
    let (mut prev, mut rem) = (context((13, 41)), context((3, 62)));
    let legal = are_modes_legal(if is_8x8 { 2 } else { 4 }, || {
        if decoder.bin(&mut prev)? {
            return Ok(None);
        }
        let mut mode = 0;
        for bit in 0..3 {
            mode |= u8::from(decoder.bin(&mut rem)?) << bit;
        }
        Ok(Some(mode))
    })?;
    Ok(legal && is_chroma_legal(&mut decoder, header)?)
}

/// intra_chroma_pred_mode (ctxIdx 64), where there is one: DC.
fn is_chroma_legal(decoder: &mut Decoder<'_>, header: &Header<'_>) -> Result<bool, Error> {
    Ok(!matches!(header.sps.chroma_array_type, 1 | 2)
        || !decoder.bin(&mut Context::new((-9, 83), header.qp))?)
}

/// m and n of the contexts of a P slice, by cabac_init_idc (tables 9-13, 9-16, 9-23).
struct Predicted {
    /// ctxIdx 11.
    skip: (i32, i32),
    /// ctxIdx 14 to 20.
    mb_type: [(i32, i32); 7],
    /// ctxIdx 54 to 59.
    ref_idx: [(i32, i32); 6],
    /// ctxIdx 399.
    transform_8x8: (i32, i32),
}

const PREDICTED: [Predicted; 3] = [
    Predicted {
        skip: (23, 33),
        mb_type: [(1, 9), (0, 49), (-37, 118), (5, 57), (-13, 78), (-11, 65), (1, 62)],
        ref_idx: [(-7, 67), (-5, 74), (-4, 74), (-5, 80), (-7, 72), (1, 58)],
        transform_8x8: (12, 40),
    },
    Predicted {
        skip: (22, 25),
        mb_type: [(-2, 9), (4, 41), (-29, 118), (2, 65), (-6, 71), (-13, 79), (5, 52)],
        ref_idx: [(-1, 66), (-1, 77), (1, 70), (-2, 86), (-5, 72), (0, 61)],
        transform_8x8: (25, 32),
    },
    Predicted {
        skip: (29, 16),
        mb_type: [(-10, 51), (-3, 62), (-27, 99), (26, 16), (-4, 85), (-24, 102), (5, 57)],
        ref_idx: [(3, 55), (-4, 79), (-2, 75), (-12, 97), (-7, 50), (1, 60)],
        transform_8x8: (21, 33),
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::avc::sets::{Pps, Sps};

    /// How often slices of random bytes begin with no legal macroblock.
    fn measured(header: &Header<'_>) -> f64 {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let illegal = (0..2000).filter(|_| {
            let mut bytes = [0; 128];
            bytes.fill_with(|| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (state >> 56) as u8
            });
            matches!(is_legal(&Rbsp::new(&bytes, 128), header), Some(Ok(false)))
        });
        illegal.count() as f64 / 2000.0
    }

    #[test]
    fn random_bytes_are_illegal_as_often_as_the_tables_say() {
        let headers = |cabac: bool| {
            let qps = if cabac { vec![5, 20, 27, 35, 45] } else { vec![26] };
            let inits = if cabac { 0..3 } else { 0..1 };
            inits.flat_map(move |idc| qps.clone().into_iter().map(move |qp| (cabac, idc, qp)))
        };
        for (cabac, cabac_init_idc, qp) in headers(true).chain(headers(false)) {
            for (chroma_array_type, transform_8x8) in [(0, false), (0, true), (1, false), (2, true)]
            {
                let sps = Sps::for_tests(chroma_array_type);
                let pps = Pps::for_tests(cabac, transform_8x8);
                for (kind, references) in
                    [(Kind::I, 1), (Kind::P, 1), (Kind::P, 2), (Kind::P, 3), (Kind::B, 1)]
                {
                    let header = Header {
                        bits: 0,
                        sps: &sps,
                        pps: &pps,
                        kind,
                        mbs_left: 3600,
                        mbaff: false,
                        num_ref_idx: [references, 1],
                        cabac_init_idc,
                        qp,
                    };
                    if cabac && kind == Kind::B {
                        assert!(is_legal(&Rbsp::new(&[], 0), &header).is_none());
                        continue;
                    }
                    let (measured, chance) = (measured(&header), chance(&header));
                    assert!(
                        (measured - chance).abs() < 0.045,
                        "{header:?}: {measured}, not {chance}"
                    );
                }
            }
        }
    }

    #[test]
    fn modes_without_a_neighbour_are_few() {
        let legal = |modes: &[Option<u8>]| {
            let mut modes = modes.iter().copied().chain(std::iter::repeat(None));
            are_modes_legal(4, || Ok(modes.next().flatten()))
        };
        assert_eq!(legal(&[]), Ok(true));
        // The first block has no neighbour: even a mode below DC cannot be.
        assert_eq!([0, 1, 2].map(|rem| legal(&[Some(rem)])), [Ok(false), Ok(false), Ok(false)]);
        // The second has one on the left: horizontal (1), not vertical (0) nor 3.
        assert_eq!(
            [0, 1, 2].map(|rem| legal(&[None, Some(rem)])),
            [Ok(false), Ok(true), Ok(false)]
        );
        // The third has one above: vertical, 3 and 7, not horizontal.
        assert_eq!(
            [0, 1, 2, 6].map(|rem| legal(&[None, None, Some(rem)])),
            [Ok(true), Ok(false), Ok(true), Ok(true)]
        );
    }
}
