//! The sample table of a progressive file: sizes, chunks, and where the chunks lie
//! (ISO/IEC 14496-12, 8.7).

use crate::{
    Error,
    mp4::{
        Stop,
        aux_info::{PIFF_SAMPLES, SizesAndOffsets, is_encryption},
        boxes::Mp4Box,
        builder::Builder,
        groups::{Groups, is_seig},
        input::Input,
        movie::{MovieTrack, discard_if_protection},
        samples::{Run, RunSizes, TrackSamples},
    },
};

/// Plans the samples in the table of a protected track; a fragmented file has none there.
///
/// `trak` may hold `senc` (GPAC puts it there), `stbl` everything.
pub(crate) fn plan(
    trak: &Mp4Box<'_, '_>,
    stbl: &Mp4Box<'_, '_>,
    track: &MovieTrack,
    scope: u32,
    builder: &mut Builder,
    input: &mut Input<'_>,
) -> Result<(), Stop> {
    let (mut senc, mut saiz, mut saio, mut sbgp) = (None, None, None, None);
    for child in stbl.children().chain(trak.children()) {
        let child = child?;
        discard_if_protection(&child, track, scope, builder)?;
        let slot = match &child.kind.0 {
            b"senc" => &mut senc,
            b"uuid" if child.is_uuid(&PIFF_SAMPLES) => &mut senc,
            b"saiz" if is_encryption(&child, &track.scheme_types)? => &mut saiz,
            b"saio" if is_encryption(&child, &track.scheme_types)? => &mut saio,
            b"sbgp" if is_seig(&child)? => &mut sbgp,
            _ => continue,
        };
        if slot.replace(child).is_some() {
            return Err(child.malformed("a second box of this type").into());
        }
    }
    let sizes = Sizes::read(stbl)?;
    if sizes.len() == 0 {
        return Ok(());
    }
    if !input.whole {
        return Err(Stop::Everything);
    }
    let runs = chunks(stbl, &sizes, track)?;
    let samples = TrackSamples {
        track,
        scope,
        owner: stbl,
        runs,
        groups: Groups { local: None, track: track.groups.as_ref() },
        sbgp: sbgp.as_ref(),
        senc: senc.as_ref(),
        sizes: saiz.as_ref().zip(saio.as_ref()).map(|(saiz, saio)| SizesAndOffsets { saiz, saio }),
        aux_base: 0,
    };
    samples.plan(builder, input)
}

/// The number of samples in the table.
pub(crate) fn count(stbl: &Mp4Box<'_, '_>) -> Result<u64, Error> {
    Sizes::read(stbl).map(|sizes| sizes.len())
}

/// The sample sizes of `stsz` or `stz2`.
enum Sizes<'d> {
    Constant {
        size: u32,
        count: u32,
    },
    /// 32 bits each.
    Table(&'d [u8]),
    /// The same, from fields of 4, 8 or 16 bits.
    Widened(Vec<u8>),
}

impl<'d> Sizes<'d> {
    fn read(stbl: &Mp4Box<'d, '_>) -> Result<Self, Error> {
        let Some(stsz) = stbl.child(b"stsz")? else { return Self::compact(&stbl.need(b"stz2")?) };
        let mut fields = stsz.fields();
        fields.version_and_flags()?;
        let size = fields.u32("sample_size")?;
        let count = fields.u32("sample_count")?;
        match size {
            0 => fields.table(count, 4, "entry_size").map(Self::Table),
            size => Ok(Self::Constant { size, count }),
        }
    }

    fn compact(stz2: &Mp4Box<'d, '_>) -> Result<Self, Error> {
        let mut fields = stz2.fields();
        fields.version_and_flags()?;
        fields.u24("reserved")?;
        let at = fields;
        let bits = fields.u8("field_size")?;
        let count = fields.u32("sample_count")?;
        let widen = |value: u16| u32::from(value).to_be_bytes();
        let widened: Vec<u8> = match bits {
            4 => {
                let table = fields.table(count.div_ceil(2), 1, "entry_size")?;
                let nibbles = table.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
                let count = usize::try_from(count).unwrap_or(usize::MAX);
                nibbles.take(count).flat_map(|size| widen(size.into())).collect()
            }
            8 => {
                let table = fields.table(count, 1, "entry_size")?;
                table.iter().flat_map(|&size| widen(size.into())).collect()
            }
            16 => {
                let (table, _) = fields.table(count, 2, "entry_size")?.as_chunks();
                table.iter().flat_map(|&size| widen(u16::from_be_bytes(size))).collect()
            }
            other => return Err(at.malformed(format!("field_size is {other}, not 4, 8 or 16"))),
        };
        Ok(Self::Widened(widened))
    }

    fn len(&self) -> u64 {
        match self {
            Self::Constant { count, .. } => (*count).into(),
            Self::Table(table) => table.len() as u64 / 4,
            Self::Widened(table) => table.len() as u64 / 4,
        }
    }

    /// The sizes of `count` samples from `first` on, or of as many as there are.
    fn slice(&self, first: u64, count: u32) -> RunSizes<'_> {
        let table = match self {
            Self::Constant { size, count: all } => {
                let left = u64::from(*all).saturating_sub(first);
                let count = u32::try_from(left).unwrap_or(u32::MAX).min(count);
                return RunSizes::Constant { size: *size, count };
            }
            Self::Table(table) => table,
            Self::Widened(table) => table.as_slice(),
        };
        let byte = |sample: u64| {
            let offset = usize::try_from(sample.saturating_mul(4)).unwrap_or(usize::MAX);
            offset.min(table.len())
        };
        let records = &table[byte(first)..byte(first.saturating_add(count.into()))];
        RunSizes::Table { records, stride: 4, offset: 0 }
    }
}

/// Lays the samples out in chunks: one run for each.
fn chunks<'a>(
    stbl: &Mp4Box<'_, '_>,
    sizes: &'a Sizes<'_>,
    track: &MovieTrack,
) -> Result<Vec<Run<'a>>, Error> {
    let stsc = stbl.need(b"stsc")?;
    let mut fields = stsc.fields();
    fields.version_and_flags()?;
    let count = fields.u32("entry_count")?;
    let (mut entries, _) = fields.table(count, 12, "sample_to_chunk")?.as_chunks::<12>();

    let (mut runs, mut sample) = (Vec::new(), 0);
    let (mut per_chunk, mut entry) = (0, 0);
    for (chunk, at) in (1..).zip(chunk_offsets(stbl)?) {
        while let Some((next, rest)) = entries.split_first() {
            let (next, _) = next.as_chunks::<4>();
            let [first_chunk, samples, description] =
                [0, 1, 2].map(|i| u32::from_be_bytes(next[i]));
            if first_chunk > chunk {
                break;
            }
            per_chunk = samples;
            entry = usize::try_from(description.wrapping_sub(1)).unwrap_or(usize::MAX);
            if entry >= track.entries.len() {
                let what = format!("sample_description_index {description} has no sample entry");
                return Err(stsc.malformed(what));
            }
            entries = rest;
        }
        let sizes = sizes.slice(sample, per_chunk);
        sample += sizes.count();
        if sizes.count() > 0 {
            runs.push(Run { at, entry, sizes });
        }
    }
    match sizes.len() {
        all if all == sample => Ok(runs),
        all => {
            let what = format!("the chunks hold {sample} samples, but there are {all}");
            Err(stbl.malformed(what))
        }
    }
}

fn chunk_offsets<'d>(stbl: &Mp4Box<'d, '_>) -> Result<impl Iterator<Item = u64> + 'd, Error> {
    let (offsets, width) = match stbl.child(b"stco")? {
        Some(stco) => (stco, 4),
        None => (stbl.need(b"co64")?, 8),
    };
    let mut fields = offsets.fields();
    fields.version_and_flags()?;
    let count = fields.u32("entry_count")?;
    let table = fields.table(count, width, "chunk_offset")?;
    let value = |bytes: &[u8]| bytes.iter().fold(0, |value, &byte| value << 8 | u64::from(byte));
    Ok(table.chunks_exact(width).map(value))
}
