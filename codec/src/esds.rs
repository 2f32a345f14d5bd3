//! The elementary stream descriptor of an `mp4a` sample entry (ISO/IEC 14496-1, 7.2.6).

use crate::Error;

/// Which codec it is, and its configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DecoderConfig<'b> {
    /// objectTypeIndication (the registration authority's table).
    pub(crate) object_type: u8,
    /// The body of the DecoderSpecificInfo; empty if there is none.
    pub(crate) specific: &'b [u8],
}

impl<'b> DecoderConfig<'b> {
    /// Reads the body of an `esds` box: version, flags, descriptor.
    ///
    /// # Errors
    /// A descriptor is missing, or longer than what it is in.
    pub(crate) fn read(body: &'b [u8]) -> Result<Self, Error> {
        let mut stream = descriptor(cut(&mut { body }, 4)?.1, ES_DESCRIPTOR)?;
        let flags = cut(&mut stream, 3)?.0[2];
        if flags & 0x80 != 0 {
            cut(&mut stream, 2)?;
        }
        if flags & 0x40 != 0 {
            let url = cut(&mut stream, 1)?.0[0];
            cut(&mut stream, url.into())?;
        }
        if flags & 0x20 != 0 {
            cut(&mut stream, 2)?;
        }
        let mut config = descriptor(stream, DECODER_CONFIG)?;
        // objectTypeIndication, stream type, buffer size, bitrates.
        let object_type = cut(&mut config, 13)?.0[0];
        let specific = match config {
            [] => config,
            _ => descriptor(config, DECODER_SPECIFIC_INFO)?,
        };
        Ok(Self { object_type, specific })
    }
}

const ES_DESCRIPTOR: u8 = 3;
const DECODER_CONFIG: u8 = 4;
const DECODER_SPECIFIC_INFO: u8 = 5;

/// The body of the descriptor at the front, which has that tag.
fn descriptor(mut bytes: &[u8], tag: u8) -> Result<&[u8], Error> {
    let found = cut(&mut bytes, 1)?.0[0];
    if found != tag {
        return Err(Error::Missing { what: "descriptor", value: tag.into() });
    }
    let mut len = 0;
    // Seven bits a byte, in at most four bytes.
    for _ in 0..4 {
        let byte = cut(&mut bytes, 1)?.0[0];
        len = len << 7 | usize::from(byte & 0x7f);
        if byte < 0x80 {
            break;
        }
    }
    Ok(cut(&mut bytes, len)?.0)
}

/// Takes bytes off the front: those, and what is left.
fn cut<'b>(bytes: &mut &'b [u8], len: usize) -> Result<(&'b [u8], &'b [u8]), Error> {
    let cut = bytes
        .split_at_checked(len)
        .ok_or(Error::Truncated { what: "an elementary stream descriptor", at: bytes.len() })?;
    *bytes = cut.1;
    Ok(cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As FFmpeg writes it, lengths in four bytes.
    const FFMPEG: &[u8] = b"\0\0\0\0\x03\x80\x80\x80\x25\0\x02\0\x04\x80\x80\x80\x17\x40\x15\0\0\0\
        \0\0\xfa\0\0\0\xfa\0\x05\x80\x80\x80\x05\x11\x90\x56\xe5\0\x06\x80\x80\x80\x01\x02";

    #[test]
    fn the_object_type_and_the_specific_part_are_found() {
        let config = DecoderConfig::read(FFMPEG).unwrap();
        assert_eq!((config.object_type, config.specific), (0x40, &b"\x11\x90\x56\xe5\0"[..]));
        // MP3 has no specific part; here with a dependency, a URL and a clock reference.
        let mp3 =
            b"\0\0\0\0\x03\x19\0\x01\xe0\0\x09\x02ab\0\x01\x04\x0d\x6b\x15\0\0\0\0\0\0\0\0\0\0\0";
        let config = DecoderConfig::read(mp3).unwrap();
        assert_eq!((config.object_type, config.specific), (0x6b, &b""[..]));
    }

    #[test]
    fn descriptors_that_end_early_or_are_others_are_refused() {
        let whole = FFMPEG.len() - 6;
        assert!((0..whole).all(|len| DecoderConfig::read(&FFMPEG[..len]).is_err()));
        let mut other = FFMPEG.to_vec();
        other[4] = 5;
        assert_eq!(
            DecoderConfig::read(&other),
            Err(Error::Missing { what: "descriptor", value: 3 })
        );
    }
}
