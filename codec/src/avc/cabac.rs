//! The arithmetic decoder of CABAC (9.3.1.2, 9.3.3.2).

use crate::{Error, bits::Bits};

/// A context variable: how probable a bin is, and the value it likely has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context {
    /// pStateIdx.
    state: u8,
    /// valMPS.
    likely: bool,
}

impl Context {
    /// At the start of a slice with that SliceQPY (9.3.1.1).
    pub(super) fn new((m, n): (i32, i32), qp: i32) -> Self {
        let state = (((m * qp.clamp(0, 51)) >> 4) + n).clamp(1, 126);
        let likely = state > 63;
        let state = u8::try_from(if likely { state - 64 } else { 63 - state }).unwrap_or(0);
        Self { state, likely }
    }
}

/// Decodes bins out of slice data.
#[derive(Clone, Debug)]
pub(super) struct Decoder<'b> {
    bits: Bits<'b>,
    /// codIRange.
    range: u32,
    /// codIOffset.
    offset: u32,
}

impl<'b> Decoder<'b> {
    /// `bits` stands at the first bit behind the alignment bits.
    pub(super) fn new(mut bits: Bits<'b>) -> Result<Self, Error> {
        let offset = bits.u(9)?;
        Ok(Self { bits, range: 510, offset })
    }

    /// DecodeDecision.
    pub(super) fn bin(&mut self, context: &mut Context) -> Result<bool, Error> {
        let state = usize::from(context.state);
        let least = u32::from(RANGE_LPS[state][self.range as usize >> 6 & 3]);
        self.range -= least;
        let bin = if self.offset >= self.range {
            self.offset -= self.range;
            self.range = least;
            let bin = !context.likely;
            if state == 0 {
                context.likely = bin;
            }
            context.state = NEXT_LPS[state];
            bin
        } else {
            context.state = (context.state + 1).min(62);
            context.likely
        };
        self.renormalize()?;
        Ok(bin)
    }

    /// DecodeTerminate.
    pub(super) fn terminate(&mut self) -> Result<bool, Error> {
        self.range -= 2;
        if self.offset >= self.range {
            return Ok(true);
        }
        self.renormalize()?;
        Ok(false)
    }

    fn renormalize(&mut self) -> Result<(), Error> {
        let shift = self.range.leading_zeros().saturating_sub(23);
        self.range <<= shift;
        self.offset = self.offset << shift | self.bits.u(shift)?;
        Ok(())
    }
}

/// rangeTabLPS (table 9-44).
const RANGE_LPS: [[u8; 4]; 64] = [
    [128, 176, 208, 240],
    [128, 167, 197, 227],
    [128, 158, 187, 216],
    [123, 150, 178, 205],
    [116, 142, 169, 195],
    [111, 135, 160, 185],
    [105, 128, 152, 175],
    [100, 122, 144, 166],
    [95, 116, 137, 158],
    [90, 110, 130, 150],
    [85, 104, 123, 142],
    [81, 99, 117, 135],
    [77, 94, 111, 128],
    [73, 89, 105, 122],
    [69, 85, 100, 116],
    [66, 80, 95, 110],
    [62, 76, 90, 104],
    [59, 72, 86, 99],
    [56, 69, 81, 94],
    [53, 65, 77, 89],
    [51, 62, 73, 85],
    [48, 59, 69, 80],
    [46, 56, 66, 76],
    [43, 53, 63, 72],
    [41, 50, 59, 69],
    [39, 48, 56, 65],
    [37, 45, 54, 62],
    [35, 43, 51, 59],
    [33, 41, 48, 56],
    [32, 39, 46, 53],
    [30, 37, 43, 50],
    [29, 35, 41, 48],
    [27, 33, 39, 45],
    [26, 31, 37, 43],
    [24, 30, 35, 41],
    [23, 28, 33, 39],
    [22, 27, 32, 37],
    [21, 26, 30, 35],
    [20, 24, 29, 33],
    [19, 23, 27, 31],
    [18, 22, 26, 30],
    [17, 21, 25, 28],
    [16, 20, 23, 27],
    [15, 19, 22, 25],
    [14, 18, 21, 24],
    [14, 17, 20, 23],
    [13, 16, 19, 22],
    [12, 15, 18, 21],
    [12, 14, 17, 20],
    [11, 14, 16, 19],
    [11, 13, 15, 18],
    [10, 12, 15, 17],
    [10, 12, 14, 16],
    [9, 11, 13, 15],
    [9, 11, 12, 14],
    [8, 10, 12, 14],
    [8, 9, 11, 13],
    [7, 9, 11, 12],
    [7, 9, 10, 12],
    [7, 8, 10, 11],
    [6, 8, 9, 11],
    [6, 7, 9, 10],
    [6, 7, 8, 9],
    [2, 2, 2, 2],
];

/// transIdxLPS (table 9-45).
const NEXT_LPS: [u8; 64] = [
    0, 0, 1, 2, 2, 4, 4, 5, 6, 7, 8, 9, 9, 11, 11, 12, 13, 13, 15, 15, 16, 16, 18, 18, 19, 19, 21,
    21, 22, 22, 23, 24, 24, 25, 26, 26, 27, 27, 28, 29, 29, 30, 30, 30, 31, 32, 32, 33, 33, 33, 34,
    34, 35, 35, 35, 36, 36, 36, 37, 37, 37, 38, 38, 63,
];
