//! The codecs, by the names that containers give them.

use crate::{
    Error, Mapper, Protected, Tally, aac, ac3, av1, avc, esds::DecoderConfig, flac, hevc, mp3,
    opus, vorbis, vp8, vp9,
};

/// A codec with the part of its configuration that its samples need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Codec {
    /// ISO/IEC 14496-10 with NAL units behind their lengths (ISO/IEC 14496-15).
    Avc(avc::Config),
    /// ISO/IEC 23008-2, likewise.
    Hevc(hevc::Config),
    /// AV1 in temporal units.
    Av1(av1::Config),
    /// VP9.
    Vp9(vp9::Config),
    /// VP8 (RFC 6386).
    Vp8,
    /// ISO/IEC 14496-3, raw data blocks.
    Aac(aac::Config),
    /// AC-3 and Enhanced AC-3 (ETSI TS 102 366).
    Ac3,
    /// FLAC frames (RFC 9639).
    Flac,
    /// MPEG audio frames (ISO/IEC 11172-3, 13818-3).
    Mp3,
    /// Opus packets (RFC 6716).
    Opus(opus::Config),
    /// Vorbis packets.
    Vorbis(vorbis::Config),
}

/// Where the bytes stay clear that do not fill a block of 16 in a protected range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// Behind it, if the scheme wants whole blocks at all.
    OfScheme,
    /// Behind it, in every scheme: each frame of a VP9 superframe begins with a whole block (VP Codec ISO
    /// Media File Format Binding).
    Back,
    /// In front of it, in every scheme: what is protected of an AV1 tile ends with the tile (AV1 Codec ISO
    /// Media File Format Binding, "Subsample encryption").
    Front,
}

impl Codec {
    /// The codec of an MP4 sample entry of that (clear) format: `avc1`, `mp4a`…
    ///
    /// `find` answers with the body of the first box of a type in the entry: `avcC`, `hvcC`, `av1C`,
    /// `vpcC`, `esds`… `width` and `height` are those of the entry, 0 for audio. `Ok(None)`: none that is
    /// known here.
    ///
    /// # Errors
    /// What is wrong with the configuration.
    pub fn from_mp4<'b>(
        format: [u8; 4],
        find: &dyn Fn(&[u8; 4]) -> Option<&'b [u8]>,
        (width, height): (u16, u16),
    ) -> Result<Option<Self>, Error> {
        let size = (u32::from(width), u32::from(height));
        let need = |kind: &'static str, tag: &[u8; 4]| {
            find(tag).ok_or(Error::Missing { what: kind, value: 0 })
        };
        Ok(Some(match &format {
            b"avc1" | b"avc2" | b"avc3" | b"avc4" | b"dva1" | b"dvav" => {
                Self::Avc(avc::Config::read(need("avcC", b"avcC")?)?)
            }
            b"hvc1" | b"hev1" | b"hvc2" | b"hev2" | b"dvh1" | b"dvhe" => {
                Self::Hevc(hevc::Config::read(need("hvcC", b"hvcC")?)?)
            }
            b"av01" => Self::Av1(av1::Config::read(need("av1C", b"av1C")?)?),
            b"vp09" => Self::Vp9(vp9::Config { size }),
            b"vp08" => Self::Vp8,
            b"mp4a" => match find(b"esds").map(Self::from_esds).transpose()?.flatten() {
                Some(codec) => codec,
                None => return Ok(None),
            },
            b".mp3" => Self::Mp3,
            b"ac-3" | b"ec-3" => Self::Ac3,
            b"fLaC" => Self::Flac,
            b"Opus" => Self::Opus(opus::Config::read(need("dOps", b"dOps")?)),
            _ => return Ok(None),
        }))
    }

    /// The codec of a WebM track with that CodecID and CodecPrivate (empty: none); `size` is PixelWidth
    /// and PixelHeight, 0 for audio. `Ok(None)`: none that is known here.
    ///
    /// # Errors
    /// What is wrong with the configuration.
    pub fn from_webm(
        codec_id: &str,
        codec_private: &[u8],
        size: (u32, u32),
    ) -> Result<Option<Self>, Error> {
        Ok(Some(match codec_id {
            "V_VP8" => Self::Vp8,
            "V_VP9" => Self::Vp9(vp9::Config { size }),
            "V_AV1" => Self::Av1(av1::Config::read(codec_private)?),
            "V_MPEG4/ISO/AVC" => Self::Avc(avc::Config::read(codec_private)?),
            "V_MPEGH/ISO/HEVC" => Self::Hevc(hevc::Config::read(codec_private)?),
            "A_OPUS" => Self::Opus(opus::Config::read(codec_private)),
            "A_VORBIS" => Self::Vorbis(vorbis::Config::read(codec_private)?),
            "A_FLAC" => Self::Flac,
            "A_MPEG/L3" => Self::Mp3,
            "A_AC3" | "A_EAC3" => Self::Ac3,
            "A_AAC" => match aac::Config::read(codec_private)? {
                Some(config) => Self::Aac(config),
                None => return Ok(None),
            },
            _ => return Ok(None),
        }))
    }

    /// AAC (MPEG-4, or MPEG-2 in its three profiles) or MPEG audio (MPEG-2 or MPEG-1).
    fn from_esds(body: &[u8]) -> Result<Option<Self>, Error> {
        let config = DecoderConfig::read(body)?;
        Ok(match config.object_type {
            0x40 | 0x66..=0x68 => aac::Config::read(config.specific)?.map(Self::Aac),
            0x69 | 0x6b => Some(Self::Mp3),
            _ => None,
        })
    }

    /// A name for people.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Avc(_) => "AVC",
            Self::Hevc(_) => "HEVC",
            Self::Av1(_) => "AV1",
            Self::Vp9(_) => "VP9",
            Self::Vp8 => "VP8",
            Self::Aac(_) => "AAC",
            Self::Ac3 => "AC-3",
            Self::Flac => "FLAC",
            Self::Mp3 => "MP3",
            Self::Opus(_) => "Opus",
            Self::Vorbis(_) => "Vorbis",
        }
    }

    /// Whether samples are protected in parts; `false`: whole.
    #[must_use]
    pub fn has_subsamples(&self) -> bool {
        matches!(self, Self::Avc(_) | Self::Hevc(_) | Self::Av1(_) | Self::Vp9(_))
    }

    /// What is done about protected ranges that are no multiples of 16 bytes.
    #[must_use]
    pub fn rounding(&self) -> Rounding {
        match self {
            Self::Av1(_) => Rounding::Front,
            Self::Vp9(_) => Rounding::Back,
            _ => Rounding::OfScheme,
        }
    }

    /// Something that finds out, sample by sample in decoding order, what may be protected.
    #[must_use]
    pub fn mapper(&self) -> Mapper {
        Mapper::new(self)
    }

    /// Looks at a decrypted sample, and notes in `tally` what its protected bytes show. Nothing of the
    /// samples before is needed; samples may come in any order.
    pub fn check(&self, sample: &[u8], protected: &Protected<'_>, tally: &mut Tally) {
        if !protected.is_empty() {
            match self {
                Self::Avc(config) => avc::check(config, sample, protected, tally),
                Self::Hevc(config) => hevc::check(config, sample, protected, tally),
                Self::Av1(config) => av1::check(config, sample, protected, tally),
                Self::Vp9(config) => vp9::check(config, sample, protected, tally),
                Self::Vp8 => vp8::check(sample, protected, tally),
                Self::Aac(config) => aac::check(config, sample, protected, tally),
                Self::Ac3 => ac3::check(sample, protected, tally),
                Self::Flac => flac::check(sample, protected, tally),
                Self::Mp3 => mp3::check(sample, protected, tally),
                Self::Opus(config) => opus::check(config, sample, protected, tally),
                Self::Vorbis(config) => vorbis::check(config, sample, protected, tally),
            }
        }
        tally.sample_done();
    }
}
