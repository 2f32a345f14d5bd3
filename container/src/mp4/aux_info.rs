//! The auxiliary information of samples, which holds their IVs and subsamples: `senc`, PIFF's
//! sample box, and what `saiz` and `saio` point to (ISO/IEC 23001-7, 7; 14496-12, 8.7.8 and 8.7.9).

use std::ops::Range;

use cenc::{Iv, Scheme, Subsample};

use crate::{
    Error, FourCc, Place,
    mp4::{
        Stop,
        boxes::Mp4Box,
        cursor::Cursor,
        input::Input,
        protection::{Encryption, IvSource},
    },
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
    Iv::new(bytes).map_err(|source| Error::Protection { place: at.place(), source })
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
        let value =
            |bytes: &[u8]| bytes.iter().fold(0, |value, &byte| value << 8 | u64::from(byte));
        Ok(table.chunks_exact(width).map(value))
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
                    .map_err(|source| Error::Protection { place: self.place.clone(), source })?,
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
