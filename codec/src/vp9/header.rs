//! The uncompressed header of a frame (VP9 Bitstream, 6.2 and 7.2), just as far as it must be understood
//! to find its end and to read what follows.

use crate::{Error, bits::Bits};

/// What an uncompressed header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// Bytes of the header itself.
    pub(super) len: usize,
    /// Bytes of the compressed header; 0 if an existing frame is shown.
    pub(super) compressed: usize,
    /// Pixels from left to right; 0 if an existing frame is shown.
    pub(super) width: u32,
    /// Where the width comes from.
    pub(super) from_reference: bool,
    /// The reference slots that this frame replaces, a bit for each.
    pub(super) refresh: u8,
    pub(super) is_intra: bool,
    pub(super) is_lossless: bool,
    pub(super) is_filter_switchable: bool,
    pub(super) may_be_compound: bool,
    pub(super) has_precise_vectors: bool,
    /// Columns times rows.
    pub(super) tiles: usize,
}

/// The widths of the frames in the reference slots.
pub(super) type Widths = [u32; 8];

impl Header {
    /// # Errors
    /// The header ends early, has a value that is forbidden, or leaves no place for what follows it.
    pub(super) fn read(frame: &[u8], references: &Widths) -> Result<Self, Error> {
        let mut bits = Bits::new(frame, WHAT);
        let profile = profile(&mut bits)?;
        let mut header = Self::default();
        if bits.bit()? {
            bits.skip(3)?;
            header.len = bits.position().div_ceil(8);
            return match frame.iter().skip(header.len).all(|&byte| byte == 0) {
                true => Ok(header),
                false => Err(Error::Invalid { what: "padding_bit", value: 1 }),
            };
        }
        let is_key = !bits.bit()?;
        let is_shown = bits.bit()?;
        let is_resilient = bits.bit()?;
        if is_key {
            header.refresh = 0xff;
            header.is_intra = true;
            (header.width, _) = Picture::read(&mut bits, profile)?.size;
            render_size(&mut bits)?;
        } else {
            header.is_intra = !is_shown && bits.bit()?;
            bits.skip(if is_resilient { 0 } else { 2 })?;
            if header.is_intra {
                sync_code(&mut bits)?;
                if profile > 0 {
                    Color::read(&mut bits, profile)?;
                }
                header.refresh = byte(&mut bits)?;
                (header.width, _) = frame_size(&mut bits)?;
                render_size(&mut bits)?;
            } else {
                header.references(&mut bits, references)?;
            }
        }
        bits.skip(if is_resilient { 0 } else { 2 } + 2)?;
        loop_filter(&mut bits)?;
        header.is_lossless = quantization(&mut bits)?;
        segmentation(&mut bits)?;
        header.tiles = 1 << tile_info(&mut bits, header.width)?;
        let compressed = bits.u(16)?;
        header.compressed = compressed as usize;
        header.len = bits.position().div_ceil(8);
        // A tile at least comes behind.
        if compressed == 0 || header.len + header.compressed >= frame.len() {
            return Err(Error::Invalid { what: "header_size_in_bytes", value: compressed.into() });
        }
        Ok(header)
    }

    /// What only frames have that refer to others.
    fn references(&mut self, bits: &mut Bits<'_>, widths: &Widths) -> Result<(), Error> {
        self.refresh = byte(bits)?;
        let (mut widths_here, mut biases) = ([0; 3], [false; 3]);
        for (width, bias) in widths_here.iter_mut().zip(&mut biases) {
            *width = widths[bits.u(3)? as usize];
            *bias = bits.bit()?;
        }
        self.may_be_compound = biases.iter().any(|&bias| bias != biases[0]);
        for width in widths_here {
            self.from_reference = bits.bit()?;
            if self.from_reference {
                self.width = width;
                break;
            }
        }
        if !self.from_reference {
            (self.width, _) = frame_size(bits)?;
        }
        render_size(bits)?;
        self.has_precise_vectors = bits.bit()?;
        self.is_filter_switchable = bits.bit()?;
        bits.skip(if self.is_filter_switchable { 0 } else { 2 })
    }
}

impl Default for Header {
    /// An existing frame is shown.
    fn default() -> Self {
        Self {
            len: 0,
            compressed: 0,
            width: 0,
            from_reference: false,
            refresh: 0,
            is_intra: false,
            is_lossless: false,
            is_filter_switchable: false,
            may_be_compound: false,
            has_precise_vectors: false,
            tiles: 0,
        }
    }
}

/// What a key frame says of its picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Picture {
    pub(super) profile: u32,
    pub(super) color: Color,
    /// Width and height in pixels.
    pub(super) size: (u32, u32),
}

impl Picture {
    /// Reads it from the start of a frame; the rest of the frame need not be there. `Ok(None)`: it is no key
    /// frame.
    ///
    /// # Errors
    /// The frame ends early, or has a value that is forbidden.
    pub(super) fn of_key(frame: &[u8]) -> Result<Option<Self>, Error> {
        let mut bits = Bits::new(frame, WHAT);
        let profile = profile(&mut bits)?;
        // An existing frame is shown, or it is no key frame.
        if bits.bit()? || bits.bit()? {
            return Ok(None);
        }
        bits.skip(2)?; // show_frame, error_resilient_mode
        Self::read(&mut bits, profile).map(Some)
    }

    fn read(bits: &mut Bits<'_>, profile: u32) -> Result<Self, Error> {
        sync_code(bits)?;
        let color = Color::read(bits, profile)?;
        Ok(Self { profile, color, size: frame_size(bits)? })
    }
}

/// How a picture is colored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Color {
    /// Bits of a value.
    pub(super) depth: u32,
    /// `color_space`.
    pub(super) space: u32,
    /// Whether values take the full range.
    pub(super) is_full_range: bool,
    /// `subsampling_x` and `subsampling_y`.
    pub(super) subsampling: (bool, bool),
}

impl Color {
    pub(super) const RGB: u32 = 7;

    fn read(bits: &mut Bits<'_>, profile: u32) -> Result<Self, Error> {
        let depth = match profile >= 2 {
            true => 10 + 2 * bits.u(1)?,
            false => 8,
        };
        let space = bits.u(3)?;
        let (is_full_range, subsampling) = match (space, profile & 1 == 1) {
            (Self::RGB, false) => {
                return Err(Error::Invalid { what: "color_space", value: space.into() });
            }
            (Self::RGB, true) => (true, (false, false)),
            (_, false) => (bits.bit()?, (true, true)),
            (_, true) => (bits.bit()?, (bits.bit()?, bits.bit()?)),
        };
        if profile & 1 == 1 {
            expect(bits, 1, 0, "reserved_zero")?;
        }
        Ok(Self { depth, space, is_full_range, subsampling })
    }
}

/// What is read, for errors.
const WHAT: &str = "a VP9 frame header";

fn expect(bits: &mut Bits<'_>, len: u32, value: u32, what: &'static str) -> Result<(), Error> {
    match bits.u(len)? {
        found if found == value => Ok(()),
        found => Err(Error::Invalid { what, value: found.into() }),
    }
}

fn byte(bits: &mut Bits<'_>) -> Result<u8, Error> {
    Ok((bits.u(8)? & 0xff) as u8)
}

fn sync_code(bits: &mut Bits<'_>) -> Result<(), Error> {
    expect(bits, 24, 0x49_8342, "frame_sync_code")
}

/// The marker of a frame, and its profile.
fn profile(bits: &mut Bits<'_>) -> Result<u32, Error> {
    expect(bits, 2, 2, "frame_marker")?;
    let profile = bits.u(1)? | bits.u(1)? << 1;
    if profile == 3 {
        expect(bits, 1, 0, "reserved_zero")?;
    }
    Ok(profile)
}

/// Width and height.
fn frame_size(bits: &mut Bits<'_>) -> Result<(u32, u32), Error> {
    Ok((bits.u(16)? + 1, bits.u(16)? + 1))
}

fn render_size(bits: &mut Bits<'_>) -> Result<(), Error> {
    let differs = bits.bit()?;
    bits.skip(if differs { 32 } else { 0 })
}

fn loop_filter(bits: &mut Bits<'_>) -> Result<(), Error> {
    bits.skip(6 + 3)?;
    // Deltas of four references and two modes, if there are any and they change.
    if bits.bit()? && bits.bit()? {
        for _ in 0..4 + 2 {
            skip_if_set(bits, 7)?;
        }
    }
    Ok(())
}

/// Whether nothing is lost.
fn quantization(bits: &mut Bits<'_>) -> Result<bool, Error> {
    let mut is_lossless = bits.u(8)? == 0;
    for _ in 0..3 {
        is_lossless &= !(bits.bit()? && bits.u(5)? >> 1 != 0);
    }
    Ok(is_lossless)
}

fn segmentation(bits: &mut Bits<'_>) -> Result<(), Error> {
    /// Bits of a feature's value, with its sign.
    const FEATURES: [usize; 4] = [8 + 1, 6 + 1, 2, 0];
    if !bits.bit()? {
        return Ok(());
    }
    if bits.bit()? {
        for _ in 0..7 {
            skip_if_set(bits, 8)?;
        }
        if bits.bit()? {
            for _ in 0..3 {
                skip_if_set(bits, 8)?;
            }
        }
    }
    if bits.bit()? {
        bits.skip(1)?;
        for _ in 0..8 {
            for feature in FEATURES {
                skip_if_set(bits, feature)?;
            }
        }
    }
    Ok(())
}

fn skip_if_set(bits: &mut Bits<'_>, len: usize) -> Result<(), Error> {
    let is_set = bits.bit()?;
    bits.skip(if is_set { len } else { 0 })
}

/// The logarithm of the number of tiles.
fn tile_info(bits: &mut Bits<'_>, width: u32) -> Result<u32, Error> {
    let blocks = width.div_ceil(64);
    // A tile is at most 64 superblocks wide, and at least 4 unless it is the only one.
    let least = (0..7).find(|log| 64 << log >= blocks).unwrap_or(7);
    let most = (1..7).find(|log| blocks >> log < 4).unwrap_or(7) - 1;
    let mut columns = least;
    while columns < most && bits.bit()? {
        columns += 1;
    }
    let rows = if bits.bit()? { 1 + bits.u(1)? } else { 0 };
    Ok(columns + rows)
}
