//! The boxes in a track fragment or sample table that say how its samples are protected.

use crate::{
    Error,
    mp4::{
        aux_info::{PIFF_SAMPLES, SizesAndOffsets, is_encryption},
        boxes::Mp4Box,
        builder::Builder,
        groups::{Descriptions, is_seig},
        movie::MovieTrack,
        samples::range,
    },
};

/// At most one of each. Boxes about other things than encryption are not among them.
#[derive(Default)]
pub(crate) struct ProtectionBoxes<'d, 'a> {
    sgpd: Option<Mp4Box<'d, 'a>>,
    sbgp: Option<Mp4Box<'d, 'a>>,
    /// Or PIFF's sample box.
    senc: Option<Mp4Box<'d, 'a>>,
    saiz: Option<Mp4Box<'d, 'a>>,
    saio: Option<Mp4Box<'d, 'a>>,
}

impl<'d, 'a> ProtectionBoxes<'d, 'a> {
    /// Takes note of `boxed` if it is one of them, and discards it: decryption leaves it without a
    /// purpose. Clear tracks keep what they have.
    pub(crate) fn take(
        &mut self,
        boxed: Mp4Box<'d, 'a>,
        track: &MovieTrack,
        scope: u32,
        builder: &mut Builder,
    ) -> Result<(), Error> {
        let slot = match &boxed.kind.0 {
            b"senc" => &mut self.senc,
            b"uuid" if boxed.is_uuid(&PIFF_SAMPLES) => &mut self.senc,
            b"saiz" if is_encryption(&boxed, &track.scheme_types)? => &mut self.saiz,
            b"saio" if is_encryption(&boxed, &track.scheme_types)? => &mut self.saio,
            b"sgpd" if is_seig(&boxed)? => &mut self.sgpd,
            b"sbgp" if is_seig(&boxed)? => &mut self.sbgp,
            b"csgp" if track.is_protected() && is_seig(&boxed)? => {
                return Err(boxed.unsupported("a compact sample group of type `seig`"));
            }
            _ => return Ok(()),
        };
        if track.is_protected() {
            builder.discard(Some(scope), range(&boxed));
        }
        match slot.replace(boxed) {
            Some(_) => Err(boxed.malformed("a second box of this type")),
            None => Ok(()),
        }
    }

    pub(crate) fn descriptions(&self) -> Result<Option<Descriptions>, Error> {
        self.sgpd.as_ref().map(Descriptions::read).transpose()
    }

    pub(crate) fn sbgp(&self) -> Option<&Mp4Box<'d, 'a>> {
        self.sbgp.as_ref()
    }

    pub(crate) fn senc(&self) -> Option<&Mp4Box<'d, 'a>> {
        self.senc.as_ref()
    }

    pub(crate) fn sizes(&self) -> Option<SizesAndOffsets<'d, '_>> {
        let both = self.saiz.as_ref().zip(self.saio.as_ref());
        both.map(|(saiz, saio)| SizesAndOffsets { saiz, saio })
    }
}
