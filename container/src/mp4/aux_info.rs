//! The auxiliary information of samples, which holds their IVs and subsamples: `senc`, PIFF's
//! sample box, and what `saiz` and `saio` point to (ISO/IEC 23001-7, 7; 14496-12, 8.7.8 and 8.7.9).

use std::ops::Range;

use cenc::{Iv, Scheme, Subsample};

use crate::{
    Error, FourCc, Place,
    mp4::{
        boxes::Mp4Box,
        cursor::{Cursor, big_endian},
        input::Input,
        protection::{Encryption, IvSource},
    },
    stop::Stop,
};

/// PIFF's `senc`.
pub(crate) const PIFF_SAMPLES: [u8; 16] = [
    0xa2, 0x39, 0x4f, 0x52, 0x5a, 0x9b, 0x4f, 0x14, 0xa2, 0x44, 0x6c, 0x42, 0x7c, 0x64, 0x8d, 0xf4,
];

/// Bytes of a subsample: clear u16, protected u32.
const SUBSAMPLE: usize = 6;

/// `senc` flag: the entries have subsamples.
const HAS_SUBSAMPLES: u32 = 2;
/// Flag of PIFF's sample box: it overrides the track's algorithm, IV size and KID.
const OVERRIDES: u32 = 1;

/// What auxiliary information says of one sample.
pub(crate) struct SampleInfo {
    pub(crate) iv: Option<Iv>,
    /// Its subsamples, as a range of the list that they were added to; `None`: no such table.
    pub(crate) subsamples: Option<Range<usize>>,
}

impl SampleInfo {
    const NONE: Self = Self { iv: None, subsamples: None };

    fn read(
        fields: &mut Cursor<'_, '_>,
        iv: IvSource,
        has_subsamples: bool,
        subsamples: &mut Vec<Subsample>,
    ) -> Result<Self, Error> {
        let iv = iv.per_sample().map(|size| read_iv(fields, size)).transpose()?;
        let range = if has_subsamples {
            let count = fields.u16("subsample_count")?;
            let table = fields.table(count.into(), SUBSAMPLE, "clear and protected sizes")?;
            Some(append(table, subsamples))
        } else {
            None
        };
        Ok(Self { iv, subsamples: range })
    }
}

fn read_iv(fields: &mut Cursor<'_, '_>, size: u8) -> Result<Iv, Error> {
    let at = *fields;
    let bytes = fields.bytes(size.into(), "InitializationVector")?;
    Iv::new(bytes).map_err(|reason| Error::Protection { place: at.place(), reason })
}

fn append(table: &[u8], subsamples: &mut Vec<Subsample>) -> Range<usize> {
    let start = subsamples.len();
    let (entries, _) = table.as_chunks::<SUBSAMPLE>();
    subsamples.extend(entries.iter().map(|&[a, b, c, d, e, f]| Subsample {
        clear: u16::from_be_bytes([a, b]),
        protected: u32::from_be_bytes([c, d, e, f]),
    }));
    start..subsamples.len()
}

/// Auxiliary information, sample by sample.
pub(crate) enum AuxReader<'d, 'a> {
    /// There is none: right for clear samples, and for whole samples with a constant IV.
    Absent,
    Senc(Senc<'d, 'a>),
    Sizes(Sizes),
}

impl AuxReader<'_, '_> {
    /// What is said of the next sample, which is protected as `encryption` says.
    pub(crate) fn next(
        &mut self,
        encryption: &Encryption,
        subsamples: &mut Vec<Subsample>,
    ) -> Result<SampleInfo, Error> {
        match self {
            Self::Absent => Ok(SampleInfo::NONE),
            Self::Senc(senc) => senc.next(encryption, subsamples),
            Self::Sizes(sizes) => sizes.next(encryption, subsamples),
        }
    }
}

/// Reads `senc` or PIFF's sample box.
#[derive(Clone, Copy)]
pub(crate) struct Senc<'d, 'a> {
    fields: Cursor<'d, 'a>,
    left: u32,
    has_subsamples: bool,
    /// Whether clear samples have an entry too.
    clear_entries: bool,
}

impl<'d, 'a> Senc<'d, 'a> {
    /// The reader, and what a PIFF box overrides for its fragment.
    pub(crate) fn open(
        senc: &'a Mp4Box<'d, 'a>,
    ) -> Result<(Self, Option<(Scheme, Encryption)>), Error> {
        let mut fields = senc.fields();
        let (version, flags) = fields.version_and_flags()?;
        if version > 0 {
            return Err(senc.unsupported(format!("version {version}")));
        }
        let is_piff = senc.is_uuid(&PIFF_SAMPLES);
        let overrides = if is_piff && flags & OVERRIDES != 0 {
            Some(Encryption::piff(&mut fields)?)
        } else {
            None
        };
        let left = fields.u32("sample_count")?;
        let has_subsamples = flags & HAS_SUBSAMPLES != 0;
        Ok((Self { fields, left, has_subsamples, clear_entries: true }, overrides))
    }

    /// Some writers give entries to protected samples only.
    pub(crate) fn without_clear_entries(self) -> Self {
        Self { clear_entries: false, ..self }
    }

    fn next(
        &mut self,
        encryption: &Encryption,
        subsamples: &mut Vec<Subsample>,
    ) -> Result<SampleInfo, Error> {
        if !encryption.protected && !self.clear_entries {
            return Ok(SampleInfo::NONE);
        }
        let too_few = || self.fields.malformed("fewer entries than there are samples");
        self.left = self.left.checked_sub(1).ok_or_else(too_few)?;
        SampleInfo::read(&mut self.fields, encryption.iv, self.has_subsamples, subsamples)
    }
}

/// Reads what `saiz` and `saio` describe.
pub(crate) struct Sizes {
    /// The sizes of `saiz`, from the next sample on.
    sizes: std::vec::IntoIter<u8>,
    /// The size of all samples, where `saiz` has no list, and for how many.
    default: Option<(u8, u32)>,
    place: Place,
    /// What the offsets of `saio` point to, one after the other.
    data: Vec<u8>,
    read: usize,
}

/// `saiz` and `saio` of the same kind of auxiliary information.
pub(crate) struct SizesAndOffsets<'d, 'a> {
    pub(crate) saiz: &'a Mp4Box<'d, 'a>,
    pub(crate) saio: &'a Mp4Box<'d, 'a>,
}

impl SizesAndOffsets<'_, '_> {
    /// Reads the bytes that the two boxes describe.
    ///
    /// `base`: what the offsets count from. `runs`: samples of each `trun` or chunk, in order.
    /// Returns the reader and where the bytes lie.
    pub(crate) fn open(
        &self,
        base: u64,
        runs: &[u64],
        input: &mut Input<'_>,
    ) -> Result<(Sizes, Vec<Range<u64>>), Stop> {
        let mut sizes = self.sizes()?;
        let samples: u64 = runs.iter().sum();
        let stated = sizes.default.map_or(sizes.sizes.len() as u64, |(_, count)| count.into());
        if stated < samples {
            let what = format!("sample_count is {stated}, but there are {samples} samples");
            return Err(self.saiz.malformed(what).into());
        }
        let offsets = self.offsets()?;
        let runs = match offsets.len() {
            0 if samples == 0 => &[],
            1 => &[samples][..],
            count if count == runs.len() => runs,
            count => {
                let what = format!("{count} offsets for {} runs of samples", runs.len());
                return Err(self.saio.malformed(what).into());
            }
        };
        let mut ranges = Vec::new();
        let mut listed = sizes.sizes.as_slice();
        for (&samples, offset) in runs.iter().zip(offsets) {
            let len = match sizes.default {
                Some((size, _)) => samples.checked_mul(size.into()),
                None => {
                    let samples = usize::try_from(samples).unwrap_or(usize::MAX);
                    let (run, rest) = listed.split_at(samples.min(listed.len()));
                    listed = rest;
                    Some(run.iter().map(|&size| u64::from(size)).sum())
                }
            };
            let start = base.checked_add(offset);
            let end = start.zip(len).and_then(|(start, len)| start.checked_add(len));
            let range = start.unwrap_or(u64::MAX)..end.unwrap_or(u64::MAX);
            input.read(range.clone(), self.saio, &mut sizes.data)?;
            ranges.push(range);
        }
        Ok((sizes, ranges))
    }

    fn sizes(&self) -> Result<Sizes, Error> {
        let mut fields = aux_type_skipped(self.saiz)?;
        let default = fields.u8("default_sample_info_size")?;
        let count = fields.u32("sample_count")?;
        let place = self.saiz.place();
        let (sizes, default) = match default {
            0 => (fields.table(count, 1, "sample_info_size")?.to_vec(), None),
            size => (Vec::new(), Some((size, count))),
        };
        Ok(Sizes { sizes: sizes.into_iter(), default, place, data: Vec::new(), read: 0 })
    }

    fn offsets(&self) -> Result<impl ExactSizeIterator<Item = u64>, Error> {
        let mut fields = aux_type_skipped(self.saio)?;
        let wide = self.saio.body.first() == Some(&1);
        let count = fields.u32("entry_count")?;
        let width = if wide { 8 } else { 4 };
        let table = fields.table(count, width, "offset")?;
        Ok(table.chunks_exact(width).map(big_endian))
    }
}

impl Sizes {
    fn next(
        &mut self,
        encryption: &Encryption,
        subsamples: &mut Vec<Subsample>,
    ) -> Result<SampleInfo, Error> {
        // `open` has checked that there are as many sizes as samples, and has read all bytes.
        let size = match self.default {
            Some((size, _)) => size,
            None => self.sizes.next().unwrap_or(0),
        };
        let start = self.read;
        self.read += usize::from(size);
        let info = self.data.get(start..self.read).unwrap_or_default();
        let iv_size = encryption.iv.per_sample().unwrap_or(0);
        let Some((iv, table)) = info.split_at_checked(iv_size.into()) else {
            if info.is_empty() {
                return Ok(SampleInfo::NONE);
            }
            return Err(self.malformed(size, iv_size));
        };
        let iv = match iv {
            [] => None,
            iv => Some(
                Iv::new(iv)
                    .map_err(|reason| Error::Protection { place: self.place.clone(), reason })?,
            ),
        };
        let subsamples = match table.split_first_chunk::<2>() {
            None if table.is_empty() => None,
            Some((count, table))
                if table.len() == SUBSAMPLE * usize::from(u16::from_be_bytes(*count)) =>
            {
                Some(append(table, subsamples))
            }
            _ => return Err(self.malformed(size, iv_size)),
        };
        Ok(SampleInfo { iv, subsamples })
    }

    fn malformed(&self, size: u8, iv_size: u8) -> Error {
        let what = format!(
            "{size} bytes of auxiliary information, which an IV of {iv_size} bytes and its \
             subsamples do not fill"
        );
        Error::MalformedBox { place: self.place.clone(), what }
    }
}

/// The fields of `saiz` or `saio` behind the type of the auxiliary information.
fn aux_type_skipped<'d, 'a>(boxed: &'a Mp4Box<'d, 'a>) -> Result<Cursor<'d, 'a>, Error> {
    let mut fields = boxed.fields();
    let (_, flags) = fields.version_and_flags()?;
    if flags & 1 != 0 {
        fields.u32("aux_info_type")?;
        fields.u32("aux_info_type_parameter")?;
    }
    Ok(fields)
}

/// Whether a `saiz` or `saio` box is about encryption: it has no type, or `cenc`, or the scheme.
pub(crate) fn is_encryption(
    boxed: &Mp4Box<'_, '_>,
    scheme_types: &[FourCc],
) -> Result<bool, Error> {
    let mut fields = boxed.fields();
    let (_, flags) = fields.version_and_flags()?;
    if flags & 1 == 0 {
        return Ok(true);
    }
    let aux_type = FourCc(fields.array("aux_info_type")?);
    Ok(aux_type == *b"cenc" || scheme_types.contains(&aux_type))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Window,
        mp4::testing::{AT, KID, Written, encryption, full, opened, plain, told, uuid},
    };

    const CLEAR: IvSource = IvSource::None;
    const EIGHT: IvSource = IvSource::PerSample(8);

    /// What is said of a sample: the first octet of its IV, and its subsamples.
    type Said = (Option<u8>, Option<Vec<(u16, u32)>>);

    fn next(reader: &mut AuxReader<'_, '_>, iv: IvSource) -> Result<Said, Error> {
        let mut list = vec![Subsample::new(0xffff, 0xffff)];
        let protected = iv != CLEAR;
        let info = reader.next(&Encryption { protected, ..encryption(iv) }, &mut list)?;
        let table = |range: Range<usize>| {
            list[range].iter().map(|subsample| (subsample.clear, subsample.protected)).collect()
        };
        Ok((info.iv.map(|iv| iv.as_bytes()[0]), info.subsamples.map(table)))
    }

    fn reader<'d, 'a>(senc: &'a Mp4Box<'d, 'a>) -> AuxReader<'d, 'a> {
        AuxReader::Senc(Senc::open(senc).unwrap().0)
    }

    #[test]
    fn no_auxiliary_information_says_nothing() {
        assert_eq!(next(&mut AuxReader::Absent, EIGHT).unwrap(), (None, None));
    }

    #[test]
    fn the_iv_size_of_a_sample_is_that_of_its_group() {
        let senc = full(b"senc", 0, 0).u32(3).put([1; 8]).put([2; 16]).put([3; 8]);
        let senc = opened(&senc);
        let mut reader = reader(&senc);
        assert_eq!(next(&mut reader, EIGHT).unwrap(), (Some(1), None));
        assert_eq!(next(&mut reader, IvSource::PerSample(16)).unwrap(), (Some(2), None));
        assert_eq!(next(&mut reader, EIGHT).unwrap(), (Some(3), None));
        let message = "`senc` at byte 1048: fewer entries than there are samples";
        assert_eq!(told(next(&mut reader, EIGHT)), message);
        assert_eq!(told(next(&mut reader, CLEAR)), message);
    }

    #[test]
    fn entries_of_senc_may_have_subsamples() {
        let senc = full(b"senc", 0, 2)
            .u32(5)
            .put([1; 8])
            .put([0, 2, 0, 5, 0, 0, 0, 16, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])
            .u16(0)
            .put([0, 1, 0, 1, 0, 0, 0, 2])
            .put([4; 8])
            .u16(1)
            .put([0; 5]);
        let senc = opened(&senc);
        let mut reader = reader(&senc);
        let table = vec![(5, 16), (0xffff, 0xffff_ffff)];
        assert_eq!(next(&mut reader, EIGHT).unwrap(), (Some(1), Some(table)));
        assert_eq!(next(&mut reader, CLEAR).unwrap(), (None, Some(vec![])));
        let constant = IvSource::Constant(Iv::new(&[9; 8]).unwrap());
        assert_eq!(next(&mut reader, constant).unwrap(), (None, Some(vec![(1, 2)])));
        assert_eq!(
            told(next(&mut reader, EIGHT)),
            "`senc` at byte 1058: 1 entries of clear and protected sizes, 6 bytes each, in 5 bytes"
        );
    }

    #[test]
    fn some_writers_give_entries_to_protected_samples_only() {
        let senc = full(b"senc", 0, 0).u32(2).put([1; 8]).put([2; 8]);
        let senc = opened(&senc);
        let mut reader = AuxReader::Senc(Senc::open(&senc).unwrap().0.without_clear_entries());
        let said = [CLEAR, EIGHT, CLEAR, EIGHT, CLEAR].map(|iv| next(&mut reader, iv).unwrap().0);
        assert_eq!(said, [None, Some(1), None, Some(2), None]);
        assert!(next(&mut reader, EIGHT).is_err());
    }

    #[test]
    fn no_part_of_senc_serves_all_samples() {
        let senc =
            full(b"senc", 0, 2).u32(2).put([1; 8]).u16(0).put([2; 8]).put([0, 1, 0, 1, 0, 0, 0, 2]);
        let both = |body: &[u8]| {
            let senc = plain(b"senc").put(body);
            let senc = opened(&senc);
            let mut reader = AuxReader::Senc(Senc::open(&senc)?.0);
            next(&mut reader, EIGHT).and_then(|_| next(&mut reader, EIGHT))
        };
        let body = &senc.as_ref()[8..];
        assert_eq!(both(body).unwrap(), (Some(2), Some(vec![(1, 2)])));
        for end in 0..body.len() {
            assert!(matches!(both(&body[..end]), Err(Error::MalformedBox { .. })), "{end}");
        }
        // More entries than samples, or more bytes than entries, do no harm.
        assert!(both(&[body, &[3; 40]].concat()).is_ok());
    }

    #[test]
    fn only_a_piff_box_overrides_its_track() {
        let triple = [&[0, 0, 2, 16], KID.as_slice()].concat();
        let piff = uuid(PIFF_SAMPLES, 1).put(&triple).u32(1).put([5; 16]);
        let piff = opened(&piff);
        let (senc, overrides) = Senc::open(&piff).unwrap();
        let (scheme, encryption) = overrides.unwrap();
        assert_eq!((scheme, encryption.iv), (Scheme::Cbc1, IvSource::PerSample(16)));
        assert_eq!(next(&mut AuxReader::Senc(senc), encryption.iv).unwrap(), (Some(5), None));

        let without = uuid(PIFF_SAMPLES, 0).u32(1).put([6; 8]);
        assert!(Senc::open(&opened(&without)).unwrap().1.is_none());
        let other = full(b"senc", 0, 1).u32(1).put([6; 8]);
        let other = opened(&other);
        assert!(Senc::open(&other).unwrap().1.is_none());
        assert_eq!(next(&mut reader(&other), EIGHT).unwrap(), (Some(6), None));

        let unknown = uuid(PIFF_SAMPLES, 1).put([0, 0, 7, 8]).put(KID).u32(0);
        let message = "`uuid` at byte 1028: AlgorithmID is 7, not 0, 1 or 2";
        assert_eq!(told(Senc::open(&opened(&unknown)).map(drop)), message);
        let newer = full(b"senc", 1, 0).u32(0);
        let message = "`senc` at byte 1000: version 1 is not supported";
        assert_eq!(told(Senc::open(&opened(&newer)).map(drop)), message);
    }

    /// The input of the tests below: the byte at each offset is its offset.
    fn input() -> Vec<u8> {
        (0..=255).collect()
    }

    /// A `saiz` box without a list.
    fn all_of(size: u8, count: u32) -> Written {
        full(b"saiz", 0, 0).u8(size).u32(count)
    }

    fn saiz(sizes: &[u8]) -> Written {
        full(b"saiz", 0, 0).u8(0).u32(u32::try_from(sizes.len()).unwrap()).put(sizes)
    }

    fn saio(offsets: &[u32]) -> Written {
        let start = full(b"saio", 0, 0).u32(u32::try_from(offsets.len()).unwrap());
        offsets.iter().fold(start, |saio, &offset| saio.u32(offset))
    }

    /// Opens the two boxes over [`input`], of which a unit begins at 10; offsets count from 20.
    fn open(
        saiz: &Written,
        saio: &Written,
        runs: &[u64],
        whole: bool,
    ) -> Result<(AuxReader<'static, 'static>, Vec<Range<u64>>), Stop> {
        let (input, saiz, saio) = (input(), opened(saiz), opened(saio));
        let window = Window::new(0, &input);
        let boxes = SizesAndOffsets { saiz: &saiz, saio: &saio };
        let (sizes, ranges) = boxes.open(20, runs, &mut Input::new(&window, whole, 10))?;
        Ok((AuxReader::Sizes(sizes), ranges))
    }

    fn failed<T>(result: Result<T, Stop>) -> String {
        match result {
            Err(Stop::Failed(error)) => error.to_string(),
            Err(stop) => panic!("{stop:?}"),
            Ok(_) => panic!("no error"),
        }
    }

    #[test]
    fn sizes_and_offsets_lead_to_ivs() {
        let wide = full(b"saio", 1, 1).put(b"cenc").u32(0).u32(1).u64(100);
        let typed = full(b"saiz", 0, 1).put(b"cenc").u32(0).u8(8).u32(3);
        for (saiz, saio) in [
            (saiz(&[8, 8, 8]), saio(&[100])),
            (all_of(8, 3), saio(&[100])),
            (all_of(8, 3), wide),
            (typed, saio(&[100])),
            // One more than there are samples.
            (saiz(&[8, 8, 8, 8]), saio(&[100])),
        ] {
            let (mut reader, ranges) = open(&saiz, &saio, &[1, 2], true).unwrap();
            let range = 120..144;
            assert_eq!(ranges, [range]);
            for iv in [120, 128, 136] {
                assert_eq!(next(&mut reader, EIGHT).unwrap(), (Some(iv), None));
            }
        }
    }

    #[test]
    fn each_run_may_have_its_own_offset() {
        for saiz in [saiz(&[8, 0, 16, 8]), saiz(&[8, 0, 16, 8, 8])] {
            let (mut reader, ranges) = open(&saiz, &saio(&[100, 30]), &[3, 1], true).unwrap();
            assert_eq!(ranges, [120..144, 50..58]);
            assert_eq!(next(&mut reader, EIGHT).unwrap().0, Some(120));
            assert_eq!(next(&mut reader, CLEAR).unwrap(), (None, None));
            assert_eq!(next(&mut reader, IvSource::PerSample(16)).unwrap().0, Some(128));
            assert_eq!(next(&mut reader, EIGHT).unwrap().0, Some(50));
        }
        let (_, ranges) = open(&all_of(16, 9), &saio(&[0, 200, 100]), &[2, 0, 3], true).unwrap();
        assert_eq!(ranges, [20..52, 220..220, 120..168]);
        assert_eq!(open(&saiz(&[]), &saio(&[]), &[], true).unwrap().1, []);
        assert_eq!(open(&saiz(&[]), &saio(&[]), &[0, 0], true).unwrap().1, []);
    }

    #[test]
    fn sizes_and_offsets_fit_the_samples() {
        let cases = [
            (
                saiz(&[8]),
                saio(&[1]),
                "`saiz` at byte 1000: sample_count is 1, but there are 2 samples",
            ),
            (
                all_of(8, 1),
                saio(&[1]),
                "`saiz` at byte 1000: sample_count is 1, but there are 2 samples",
            ),
            (all_of(8, 2), saio(&[]), "`saio` at byte 1000: 0 offsets for 2 runs of samples"),
            (
                all_of(8, 2),
                saio(&[1, 2, 3]),
                "`saio` at byte 1000: 3 offsets for 2 runs of samples",
            ),
            (
                full(b"saiz", 0, 0).u8(0).u32(u32::MAX).zeros(7),
                saio(&[1]),
                "`saiz` at byte 1017: 4294967295 entries of sample_info_size, 1 bytes each, in 7 bytes",
            ),
            (
                all_of(8, 2),
                full(b"saio", 1, 0).u32(1).u32(9),
                "`saio` at byte 1016: 1 entries of offset, 8 bytes each, in 4 bytes",
            ),
            (
                full(b"saiz", 0, 1).put(b"cenc"),
                saio(&[1]),
                "`saiz` at byte 1016: the box ends inside its field aux_info_type_parameter",
            ),
        ];
        for (saiz, saio, message) in cases {
            assert_eq!(failed(open(&saiz, &saio, &[1, 1], true)), message);
        }
    }

    #[test]
    fn offsets_lead_into_the_unit() {
        let wide = |offset: u64| full(b"saio", 1, 0).u32(1).u64(offset);
        let saiz = all_of(8, 2);
        let beyond = "`saio` at byte 1000: auxiliary information at bytes";
        let cases = [(221, "241..257"), (0xffff_ffff, "4294967315..4294967331")];
        for (offset, range) in cases {
            let message = format!("{beyond} {range} lies beyond the end of the input");
            assert_eq!(failed(open(&saiz, &saio(&[offset]), &[2], true)), message);
        }
        for offset in [u64::MAX - 20, u64::MAX] {
            let message = failed(open(&saiz, &wide(offset), &[2], true));
            assert!(message.starts_with(beyond), "{message}");
        }
        assert!(open(&saiz, &saio(&[220]), &[2], true).is_ok());
        assert!(matches!(open(&saiz, &saio(&[221]), &[2], false), Err(Stop::More(257))));

        let (saiz, saio, input) = (opened(&saiz), saio(&[3]), input());
        let (saio, window) = (opened(&saio), Window::new(0, &input));
        let boxes = SizesAndOffsets { saiz: &saiz, saio: &saio };
        let before = boxes.open(6, &[2], &mut Input::new(&window, true, 10));
        let message = format!("{beyond} 9..25 lies before its fragment");
        assert_eq!(failed(before), message);
    }

    #[test]
    fn the_input_is_not_read_again_and_again() {
        let saiz = all_of(128, 5);
        let open = |offsets: &[u32]| {
            let runs = vec![1; offsets.len()];
            open(&saiz, &saio(offsets), &runs, true)
        };
        assert!(open(&[0, 0, 0, 0]).is_ok());
        assert_eq!(
            failed(open(&[0, 0, 0, 0, 0])),
            "`saio` at byte 1000: auxiliary information at bytes 20..148 was read too often"
        );
    }

    #[test]
    fn the_size_of_a_sample_is_that_of_its_iv_and_its_table() {
        let said = |iv, bytes: &[u8]| {
            let mut file = vec![0; 300];
            file[20..20 + bytes.len()].copy_from_slice(bytes);
            let (saiz, saio) = (saiz(&[u8::try_from(bytes.len()).unwrap()]), saio(&[20]));
            let (saiz, saio, window) = (opened(&saiz), opened(&saio), Window::new(0, &file));
            let boxes = SizesAndOffsets { saiz: &saiz, saio: &saio };
            let opened = boxes.open(0, &[1], &mut Input::new(&window, true, 0));
            next(&mut AuxReader::Sizes(opened.unwrap().0), iv)
        };
        let table = [0, 2, 0, 5, 0, 0, 0, 16, 0, 6, 0, 0, 0, 17];
        let entry = [[9; 8].as_slice(), &table].concat();
        let pairs = vec![(5, 16), (6, 17)];
        assert_eq!(said(EIGHT, &entry).unwrap(), (Some(9), Some(pairs.clone())));
        assert_eq!(said(CLEAR, &table).unwrap(), (None, Some(pairs)));
        assert_eq!(said(CLEAR, &[0, 0]).unwrap(), (None, Some(vec![])));
        assert_eq!(said(EIGHT, &entry[..8]).unwrap(), (Some(9), None));
        assert_eq!(said(EIGHT, &[]).unwrap(), (None, None));
        for len in (1..entry.len()).filter(|&len| len != 8) {
            let what = format!(
                "{len} bytes of auxiliary information, which an IV of 8 bytes and its subsamples do not fill"
            );
            assert_eq!(told(said(EIGHT, &entry[..len])), format!("`saiz` at byte {AT}: {what}"));
        }
        let what = "15 bytes of auxiliary information, which an IV of 0 bytes and its subsamples do not fill";
        assert_eq!(told(said(CLEAR, &[0; 15])), format!("`saiz` at byte {AT}: {what}"));
    }

    #[test]
    fn other_auxiliary_information_is_left_alone() {
        let typed = |kind: &[u8; 4]| full(b"saiz", 0, 1).put(kind).u32(0);
        let asked = |saiz: &Written| is_encryption(&opened(saiz), &[FourCc(*b"cbcs")]);
        assert!(asked(&all_of(8, 1)).unwrap());
        assert!(asked(&typed(b"cenc")).unwrap() && asked(&typed(b"cbcs")).unwrap());
        assert!(!asked(&typed(b"cens")).unwrap() && !asked(&typed(b"abcd")).unwrap());
        assert_eq!(
            told(asked(&full(b"saiz", 0, 1).put(b"cbc"))),
            "`saiz` at byte 1012: the box ends inside its field aux_info_type"
        );
    }
}
