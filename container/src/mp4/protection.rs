//! How samples are protected: `tenc`, `seig` and PIFF's track box (ISO/IEC 23001-7, 8.2 and 6).

use cenc::{Iv, Pattern, Scheme};
use clearkey::KeyId;

use crate::{
    Error, FourCc,
    mp4::{boxes::Mp4Box, cursor::Cursor},
};

/// PIFF's `tenc`.
pub(crate) const PIFF_TRACK: [u8; 16] = [
    0x89, 0x74, 0xdb, 0xce, 0x7b, 0xe7, 0x4c, 0x51, 0x84, 0xf9, 0x71, 0x48, 0xf9, 0x88, 0x25, 0x54,
];

/// Where the IV of a sample comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IvSource {
    /// Nowhere: the samples are clear.
    None,
    /// Each sample has its own, of 8 or 16 bytes, in its auxiliary information.
    PerSample(u8),
    /// All samples share one.
    Constant(Iv),
}

impl IvSource {
    /// Bytes of the IV in the auxiliary information of a sample, if it has one there.
    pub(crate) fn per_sample(self) -> Option<u8> {
        match self {
            Self::PerSample(size) => Some(size),
            Self::None | Self::Constant(_) => None,
        }
    }
}

/// What holds for a group of samples, or by default for all of a track.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Encryption {
    pub(crate) protected: bool,
    pub(crate) kid: KeyId,
    pub(crate) pattern: Pattern,
    pub(crate) iv: IvSource,
}

impl Encryption {
    /// Reads a `tenc` box (8.2.1).
    ///
    /// ```text
    /// version 1 | flags 3 | 0 | v0: 0, v1: crypt 4 bits, skip 4 bits | isProtected | IV size | KID 16
    ///   | constant IV size, constant IV (if protected and the IV size is 0)
    /// ```
    pub(crate) fn tenc(tenc: &Mp4Box<'_, '_>) -> Result<Self, Error> {
        let mut fields = tenc.fields();
        let (version, _) = fields.version_and_flags()?;
        Self::fields(&mut fields, version > 0)
    }

    /// Reads a `seig` sample group entry (6), which repeats `tenc` without its version.
    pub(crate) fn seig(fields: &mut Cursor<'_, '_>) -> Result<Self, Error> {
        Self::fields(fields, true)
    }

    fn fields(fields: &mut Cursor<'_, '_>, has_pattern: bool) -> Result<Self, Error> {
        fields.u8("reserved")?;
        let at = *fields;
        let pattern = fields.u8("pattern")?;
        // Version 0 has no pattern: its octet is reserved.
        let pattern = if has_pattern { pattern } else { 0 };
        let pattern = Pattern::new(pattern >> 4, pattern & 0xf)
            .map_err(|source| Error::Protection { place: at.place(), source })?;
        let protected = match fields.u8("isProtected")? {
            0 => false,
            1 => true,
            other => return Err(at.malformed(format!("isProtected is {other}, a reserved value"))),
        };
        let at = *fields;
        let iv_size = fields.u8("Per_Sample_IV_Size")?;
        let kid = KeyId::from(fields.array::<16>("KID")?);
        let iv = match (protected, iv_size) {
            (false, 0) => IvSource::None,
            (true, 0) => {
                let size = fields.u8("constant_IV_size")?;
                let at = *fields;
                let iv = fields.bytes(size.into(), "constant_IV")?;
                let invalid = |source| Error::Protection { place: at.place(), source };
                IvSource::Constant(Iv::new(iv).map_err(invalid)?)
            }
            (true, 8 | 16) => IvSource::PerSample(iv_size),
            (true, other) => {
                return Err(at.malformed(format!("an IV size of {other}, neither 0, 8 nor 16")));
            }
            (false, other) => {
                return Err(at.malformed(format!("an IV size of {other} for clear samples")));
            }
        };
        Ok(Self { protected, kid, pattern, iv })
    }

    /// Reads AlgorithmID, IV size and KID as PIFF 1.1 writes them in its track and sample boxes.
    pub(crate) fn piff(fields: &mut Cursor<'_, '_>) -> Result<(Scheme, Self), Error> {
        let at = *fields;
        let algorithm = fields.u24("AlgorithmID")?;
        let iv_size = fields.u8("IV_size")?;
        let kid = KeyId::from(fields.array::<16>("KID")?);
        let scheme = match algorithm {
            0 | 1 => Scheme::Cenc,
            2 => Scheme::Cbc1,
            other => return Err(at.malformed(format!("AlgorithmID is {other}, not 0, 1 or 2"))),
        };
        let (protected, iv) = match (algorithm, iv_size) {
            (0, _) => (false, IvSource::None),
            (_, 8 | 16) => (true, IvSource::PerSample(iv_size)),
            (_, other) => {
                return Err(at.malformed(format!("an IV size of {other}, neither 8 nor 16")));
            }
        };
        Ok((scheme, Self { protected, kid, pattern: Pattern::NONE, iv }))
    }
}

/// The protection of a sample entry.
#[derive(Clone, Debug)]
pub(crate) struct Protection {
    pub(crate) scheme: Scheme,
    /// Its scheme type as the file says it: `piff` stands for `cenc` or `cbc1`.
    pub(crate) scheme_type: FourCc,
    pub(crate) defaults: Encryption,
}

impl Protection {
    /// Reads a `sinf` box; `Ok(None)` if its scheme is none of ours.
    pub(crate) fn sinf(sinf: &Mp4Box<'_, '_>) -> Result<Option<Self>, Error> {
        let scheme_type = scheme_type(sinf)?;
        let Some(scheme) = Scheme::from_fourcc(scheme_type.0) else {
            return if scheme_type == *b"piff" { Self::piff(sinf, scheme_type) } else { Ok(None) };
        };
        let schi = sinf.need(b"schi")?;
        let tenc = schi.need(b"tenc")?;
        let defaults = Encryption::tenc(&tenc)?;
        check_pattern(&tenc, scheme, &defaults)?;
        Ok(Some(Self { scheme, scheme_type, defaults }))
    }

    fn piff(sinf: &Mp4Box<'_, '_>, scheme_type: FourCc) -> Result<Option<Self>, Error> {
        let schi = sinf.need(b"schi")?;
        for child in schi.children() {
            let child = child?;
            if child.is_uuid(&PIFF_TRACK) {
                let mut fields = child.fields();
                fields.version_and_flags()?;
                let (scheme, defaults) = Encryption::piff(&mut fields)?;
                return Ok(Some(Self { scheme, scheme_type, defaults }));
            }
        }
        Err(schi.malformed("has no PIFF track encryption box"))
    }
}

/// The scheme type in a `sinf` box.
pub(crate) fn scheme_type(sinf: &Mp4Box<'_, '_>) -> Result<FourCc, Error> {
    let schm = sinf.need(b"schm")?;
    let mut fields = schm.fields();
    fields.version_and_flags()?;
    fields.array("scheme_type").map(FourCc)
}

/// Refuses a pattern that contradicts the scheme: silently wrong output would be worse.
pub(crate) fn check_pattern(
    from: &Mp4Box<'_, '_>,
    scheme: Scheme,
    encryption: &Encryption,
) -> Result<(), Error> {
    let pattern = encryption.pattern;
    if pattern == Pattern::NONE || scheme.takes_pattern() {
        return Ok(());
    }
    let source = cenc::Error::UnexpectedPattern { scheme, pattern };
    Err(Error::Protection { place: from.place(), source })
}
