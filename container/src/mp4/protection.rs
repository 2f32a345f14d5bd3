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
            .map_err(|reason| Error::Protection { place: at.place(), reason })?;
        let at = *fields;
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
                let invalid = |reason| Error::Protection { place: at.place(), reason };
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
    let reason = cenc::Error::UnexpectedPattern { scheme, pattern };
    Err(Error::Protection { place: from.place(), reason })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mp4::testing::{
        KID, Written, full, opened, plain, sinf, tenc, tenc_constant, told, uuid,
    };

    fn read(tenc: &Written) -> Result<Encryption, Error> {
        Encryption::tenc(&opened(tenc))
    }

    #[test]
    fn iv_sizes_are_those_of_the_standard() {
        for size in 0..=u8::MAX {
            let protected =
                read(&full(b"tenc", 0, 0).put([0, 0, 1, size]).put(KID).u8(16).put([7; 16]));
            let clear = read(&full(b"tenc", 0, 0).put([0, 0, 0, size]).put(KID));
            let place = "`tenc` at byte 1015";
            match size {
                0 => assert_eq!(
                    protected.unwrap().iv,
                    IvSource::Constant(Iv::new(&[7; 16]).unwrap())
                ),
                8 | 16 => assert_eq!(protected.unwrap().iv, IvSource::PerSample(size)),
                _ => assert_eq!(
                    told(protected),
                    format!("{place}: an IV size of {size}, neither 0, 8 nor 16")
                ),
            }
            match size {
                0 => assert_eq!(clear.unwrap().iv, IvSource::None),
                _ => assert_eq!(
                    told(clear),
                    format!("{place}: an IV size of {size} for clear samples")
                ),
            }
        }
    }

    #[test]
    fn a_constant_iv_has_8_or_16_bytes() {
        for size in [8, 16] {
            let iv: Vec<u8> = (0..size).collect();
            let tenc = full(b"tenc", 1, 0).put([0, 0x19, 1, 0]).put(KID).u8(size).put(&iv);
            assert_eq!(read(&tenc).unwrap().iv, IvSource::Constant(Iv::new(&iv).unwrap()));
        }
        for size in [0, 1, 7, 9, 15, 17, 255] {
            let tenc = full(b"tenc", 1, 0).put([0, 0x19, 1, 0]).put(KID).u8(size).zeros(255);
            let message = format!("`tenc` at byte 1033: iv of {size} octets, must be 8 or 16");
            assert_eq!(told(read(&tenc)), message);
        }
    }

    #[test]
    fn only_0_and_1_say_whether_samples_are_protected() {
        for value in 2..=u8::MAX {
            let tenc = full(b"tenc", 0, 0).put([0, 0, value, 8]).put(KID);
            let message = format!("`tenc` at byte 1014: isProtected is {value}, a reserved value");
            assert_eq!(told(read(&tenc)), message);
        }
        assert!(read(&tenc(8)).unwrap().protected);
        assert!(!read(&full(b"tenc", 0, 0).zeros(4).put(KID)).unwrap().protected);
    }

    #[test]
    fn a_pattern_is_read_from_version_1_on() {
        for pattern in 0..=u8::MAX {
            let read = |version| {
                read(&full(b"tenc", version, 0).put([0xff, pattern, 1, 8]).put(KID)).unwrap()
            };
            let expected = Pattern::new(pattern / 16, pattern % 16).unwrap();
            assert_eq!(read(0).pattern, Pattern::NONE);
            assert_eq!(read(1).pattern, expected);
            assert_eq!(read(2).pattern, expected);
        }
    }

    #[test]
    fn no_part_of_a_tenc_box_is_one_and_more_than_one_is() {
        for whole in [tenc(8), tenc_constant(0x19)] {
            let body = &whole.as_ref()[8..];
            for end in 0..body.len() {
                let message = told(read(&plain(b"tenc").put(&body[..end])));
                assert!(message.contains("the box ends inside its field"), "{message}");
            }
            let trailed = plain(b"tenc").put(body).put([1, 2, 3]);
            assert_eq!(read(&trailed).unwrap(), read(&whole).unwrap());
            assert_eq!(read(&whole).unwrap().kid.as_bytes(), KID);
        }
    }

    #[test]
    fn a_seig_entry_is_tenc_without_its_version() {
        let tenc = tenc_constant(0x37);
        let entry = plain(b"seig").put(&tenc.as_ref()[12..]).put([1, 2, 3]);
        let entry = opened(&entry);
        let mut fields = entry.fields();
        assert_eq!(Encryption::seig(&mut fields).unwrap(), read(&tenc).unwrap());
        assert_eq!(fields.rest(), [1, 2, 3]);
    }

    fn piff(algorithm: u32, iv_size: u8) -> Written {
        uuid(PIFF_TRACK, 0).put(&algorithm.to_be_bytes()[1..]).u8(iv_size).put(KID)
    }

    #[test]
    fn piff_has_two_algorithms() {
        let read = |algorithm, iv_size| {
            let sinf = sinf(b"piff", &piff(algorithm, iv_size));
            Protection::sinf(&opened(&sinf)).map(Option::unwrap)
        };
        let found = |algorithm, iv_size| {
            let Protection { scheme, scheme_type, defaults } = read(algorithm, iv_size).unwrap();
            assert_eq!(scheme_type, FourCc(*b"piff"));
            assert_eq!((defaults.kid, defaults.pattern), (KID.into(), Pattern::NONE));
            (scheme, defaults.protected, defaults.iv)
        };
        assert_eq!(found(0, 0), (Scheme::Cenc, false, IvSource::None));
        assert_eq!(found(0, 8), (Scheme::Cenc, false, IvSource::None));
        assert_eq!(found(1, 8), (Scheme::Cenc, true, IvSource::PerSample(8)));
        assert_eq!(found(2, 16), (Scheme::Cbc1, true, IvSource::PerSample(16)));
        let at = "`sinf/schi/uuid` at byte 1076";
        assert_eq!(told(read(3, 8)), format!("{at}: AlgorithmID is 3, not 0, 1 or 2"));
        assert_eq!(told(read(1, 0)), format!("{at}: an IV size of 0, neither 8 nor 16"));
        assert_eq!(told(read(2, 12)), format!("{at}: an IV size of 12, neither 8 nor 16"));
    }

    #[test]
    fn a_scheme_is_ours_or_it_is_not_guessed() {
        let read = |scheme, tenc: &Written| Protection::sinf(&opened(&sinf(scheme, tenc)));
        for (scheme, expected) in [
            (b"cenc", Scheme::Cenc),
            (b"cens", Scheme::Cens),
            (b"cbc1", Scheme::Cbc1),
            (b"cbcs", Scheme::Cbcs),
        ] {
            let found = read(scheme, &tenc(8)).unwrap().unwrap();
            assert_eq!((found.scheme, found.scheme_type), (expected, FourCc(*scheme)));
        }
        assert!(read(b"CENC", &tenc(8)).unwrap().is_none());
        assert!(read(b"sdtv", &plain(b"free")).unwrap().is_none());
    }

    #[test]
    fn sinf_holds_what_its_scheme_needs() {
        let read = |sinf: &Written| told(Protection::sinf(&opened(sinf)));
        let schm = full(b"schm", 0, 0).put(b"cenc").u32(0x1_0000);
        let cases = [
            (plain(b"sinf"), "`sinf` at byte 1000: has no `schm` box"),
            (
                plain(b"sinf").put(full(b"schm", 0, 0).put(b"cen")),
                "`sinf/schm` at byte 1020: the box ends inside its field scheme_type",
            ),
            (plain(b"sinf").put(&schm), "`sinf` at byte 1000: has no `schi` box"),
            (
                plain(b"sinf").put(&schm).put(plain(b"schi")),
                "`sinf/schi` at byte 1028: has no `tenc` box",
            ),
            (sinf(b"piff", &tenc(8)), "`sinf/schi` at byte 1040: has no PIFF track encryption box"),
            (
                sinf(b"cenc", &tenc_constant(0x19)),
                "`sinf/schi/tenc` at byte 1048: pattern 1:9 with scheme cenc, which takes none",
            ),
            (
                sinf(b"cbc1", &tenc_constant(0x10)),
                "`sinf/schi/tenc` at byte 1048: pattern 1:0 with scheme cbc1, which takes none",
            ),
        ];
        for (sinf, message) in cases {
            assert_eq!(read(&sinf), message);
        }
        assert!(Protection::sinf(&opened(&sinf(b"cbc1", &tenc_constant(0)))).unwrap().is_some());
    }
}
