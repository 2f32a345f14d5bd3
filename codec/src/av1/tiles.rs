//! How a frame is cut into tiles (5.9.15).

use super::{descriptors::ns, sequence::Sequence, sizes::FrameSize};
use crate::{Error, bits::Bits};

/// The tiles of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tiles {
    /// NumTiles: TileCols times TileRows.
    pub(super) count: u32,
    /// Bits of a tile's number: TileColsLog2 and TileRowsLog2 together.
    pub(super) number_bits: u32,
    /// TileSizeBytes; 0 if there is only one tile.
    pub(super) size_bytes: usize,
}

impl Tiles {
    /// `tile_info()`.
    pub(super) fn read(
        bits: &mut Bits<'_>,
        sequence: &Sequence,
        size: &FrameSize,
    ) -> Result<Self, Error> {
        let (mi_cols, mi_rows) = size.units();
        let sb_log2 = if sequence.use_128x128_superblock { 7 } else { 6 };
        let units_per_sb = 1 << (sb_log2 - 2);
        let (sb_cols, sb_rows) = (mi_cols.div_ceil(units_per_sb), mi_rows.div_ceil(units_per_sb));
        let max_width = MAX_TILE_WIDTH >> sb_log2;
        let max_area = MAX_TILE_AREA >> (2 * sb_log2);
        let min_cols_log2 = tile_log2(max_width, sb_cols);
        let min_log2 = min_cols_log2.max(tile_log2(max_area, sb_rows * sb_cols));
        let ((cols, cols_log2), (rows, rows_log2));
        // uniform_tile_spacing_flag
        if bits.bit()? {
            let max_log2 = |sbs: u32, most: u32| tile_log2(1, sbs.min(most));
            (cols, cols_log2) =
                uniform(bits, sb_cols, min_cols_log2, max_log2(sb_cols, MAX_TILE_COLS))?;
            let min_rows_log2 = min_log2.saturating_sub(cols_log2);
            (rows, rows_log2) =
                uniform(bits, sb_rows, min_rows_log2, max_log2(sb_rows, MAX_TILE_ROWS))?;
        } else {
            let widest;
            (cols, widest) = explicit(bits, sb_cols, max_width)?;
            let area = sb_rows * sb_cols;
            let max_area = if min_log2 > 0 { area >> (min_log2 + 1) } else { area };
            (rows, _) = explicit(bits, sb_rows, (max_area / widest).max(1))?;
            (cols_log2, rows_log2) = (tile_log2(1, cols), tile_log2(1, rows));
        }
        if cols > MAX_TILE_COLS || rows > MAX_TILE_ROWS {
            return Err(Error::Invalid {
                what: "TileCols or TileRows",
                value: cols.max(rows).into(),
            });
        }
        let number_bits = cols_log2 + rows_log2;
        let mut size_bytes = 0;
        if number_bits > 0 {
            bits.u(number_bits)?; // context_update_tile_id
            size_bytes = bits.u(2)? as usize + 1;
        }
        Ok(Self { count: cols * rows, number_bits, size_bytes })
    }
}

/// How many tiles of the same size there are along `sbs` superblocks, and the logarithm that says so.
fn uniform(bits: &mut Bits<'_>, sbs: u32, min: u32, max: u32) -> Result<(u32, u32), Error> {
    let mut log2 = min;
    // increment_tile_cols_log2, increment_tile_rows_log2
    while log2 < max && bits.bit()? {
        log2 += 1;
    }
    let each = sbs.div_ceil(1 << log2);
    Ok((sbs.div_ceil(each.max(1)), log2))
}

/// How many tiles of coded sizes there are along `sbs` superblocks, and the largest size.
fn explicit(bits: &mut Bits<'_>, sbs: u32, max: u32) -> Result<(u32, u32), Error> {
    let (mut count, mut largest, mut start) = (0, 1, 0);
    while start < sbs {
        // width_in_sbs_minus_1, height_in_sbs_minus_1
        let each = ns(bits, (sbs - start).min(max))? + 1;
        start += each;
        largest = largest.max(each);
        count += 1;
    }
    Ok((count, largest))
}

/// The smallest `k` for which `block << k` is not less than `target`.
fn tile_log2(block: u32, target: u32) -> u32 {
    (0..u32::BITS).find(|&k| u64::from(block) << k >= u64::from(target)).unwrap_or(0)
}

const MAX_TILE_WIDTH: u32 = 4096;
const MAX_TILE_AREA: u32 = 4096 * 2304;
const MAX_TILE_COLS: u32 = 64;
const MAX_TILE_ROWS: u32 = 64;
