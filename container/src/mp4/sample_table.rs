//! The sample table of a progressive file: sizes, chunks, and where the chunks lie
//! (ISO/IEC 14496-12, 8.7).

use crate::{
    Error,
    mp4::{
        boxes::Mp4Box,
        builder::Builder,
        cursor::big_endian,
        groups::Groups,
        input::Input,
        movie::MovieTrack,
        protection_boxes::ProtectionBoxes,
        samples::{Run, RunSizes, TrackSamples},
    },
    stop::Stop,
};

/// Plans the samples in the table of a protected track; a fragmented file has none there.
pub(crate) fn plan(
    stbl: &Mp4Box<'_, '_>,
    boxes: &ProtectionBoxes<'_, '_>,
    track: &MovieTrack,
    scope: u32,
    builder: &mut Builder,
    input: &mut Input<'_>,
) -> Result<(), Stop> {
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
        sbgp: boxes.sbgp(),
        senc: boxes.senc(),
        sizes: boxes.sizes(),
        aux_base: 0,
    };
    samples.plan(builder, input)
}

/// The number of samples in the table.
pub(crate) fn count(stbl: &Mp4Box<'_, '_>) -> Result<u64, Error> {
    Sizes::read(stbl).map(|sizes| sizes.len())
}

/// The sample sizes of `stsz` or `stz2`.
pub(crate) enum Sizes<'d> {
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
    pub(crate) fn read(stbl: &Mp4Box<'d, '_>) -> Result<Self, Error> {
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

    pub(crate) fn len(&self) -> u64 {
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
pub(crate) fn chunks<'a>(
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

pub(crate) fn chunk_offsets<'d>(
    stbl: &Mp4Box<'d, '_>,
) -> Result<impl Iterator<Item = u64> + 'd, Error> {
    let (offsets, width) = match stbl.child(b"stco")? {
        Some(stco) => (stco, 4),
        None => (stbl.need(b"co64")?, 8),
    };
    let mut fields = offsets.fields();
    fields.version_and_flags()?;
    let count = fields.u32("entry_count")?;
    let table = fields.table(count, width, "chunk_offset")?;
    Ok(table.chunks_exact(width).map(big_endian))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Plan, Step, Window,
        mp4::{
            Planner,
            testing::{
                Written, avc1, encv, file, full, plain, plans, stsd, tenc, tenc_constant, told,
                trak,
            },
        },
    };

    /// The data of the `mdat` in front, at bytes 8 to 108, then the movie.
    fn progressive(table: &Written) -> Vec<u8> {
        file(&[plain(b"mdat").zeros(100), plain(b"moov").put(trak(1, table))])
    }

    fn protected() -> Written {
        stsd(&[encv(b"cbcs", &tenc_constant(0x19))])
    }

    fn table(boxes: &[&Written]) -> Written {
        boxes.iter().fold(plain(b"stbl").put(protected()), |table, boxed| table.put(boxed))
    }

    fn stsz(sizes: &[u32]) -> Written {
        let start = full(b"stsz", 0, 0).u32(0).u32(u32::try_from(sizes.len()).unwrap());
        sizes.iter().fold(start, |stsz, &size| stsz.u32(size))
    }

    /// Runs of chunks: first chunk, samples in each, sample description.
    fn stsc(entries: &[[u32; 3]]) -> Written {
        let start = full(b"stsc", 0, 0).u32(u32::try_from(entries.len()).unwrap());
        entries.concat().iter().fold(start, |stsc, &field| stsc.u32(field))
    }

    fn stco(offsets: &[u32]) -> Written {
        let start = full(b"stco", 0, 0).u32(u32::try_from(offsets.len()).unwrap());
        offsets.iter().fold(start, |stco, &offset| stco.u32(offset))
    }

    fn plan_of(table: &Written) -> Result<Plan, Error> {
        plans(&progressive(table)).map(|mut plans| plans.remove(0))
    }

    /// Where the protected samples lie, and how long they are.
    fn samples(table: &Written) -> Vec<(u64, u32)> {
        let plan = plan_of(table).unwrap();
        plan.samples().iter().map(|sample| (sample.at, sample.len)).collect()
    }

    #[test]
    fn samples_follow_each_other_in_chunks() {
        let sizes = stsz(&[1, 2, 3, 4, 5, 6]);
        let chunks = stsc(&[[1, 2, 1], [3, 1, 1]]);
        let expected = [(8, 1), (9, 2), (20, 5), (40, 3), (43, 4), (60, 6)];
        assert_eq!(samples(&table(&[&sizes, &chunks, &stco(&[8, 40, 20, 60])])), expected);
        let co64 =
            [8, 40, 20, 60].iter().fold(full(b"co64", 0, 0).u32(4), |co64, &at| co64.u64(at));
        assert_eq!(samples(&table(&[&sizes, &chunks, &co64])), expected);
    }

    #[test]
    fn sizes_may_be_constant_or_compact() {
        let stz2 =
            |bits, count: u32, sizes: &[u8]| full(b"stz2", 0, 0).u32(bits).u32(count).put(sizes);
        for (sizes, expected) in [
            (full(b"stsz", 0, 0).u32(7).u32(3), [7, 7, 7]),
            (stsz(&[9, 1, 15]), [9, 1, 15]),
            (stz2(4, 3, &[0x91, 0xf0]), [9, 1, 15]),
            (stz2(8, 3, &[9, 1, 0x20]), [9, 1, 0x20]),
            (stz2(16, 3, &[0, 9, 0, 1, 0, 0x20]), [9, 1, 0x20]),
        ] {
            let found = samples(&table(&[&sizes, &stsc(&[[1, 3, 1]]), &stco(&[8])]));
            assert_eq!(found.iter().map(|&(_, len)| len).collect::<Vec<_>>(), expected);
            assert_eq!(found[2].0, u64::from(8 + expected[0] + expected[1]));
        }
        // Cut into chunks, of which the last is not full.
        let constant = full(b"stsz", 0, 0).u32(7).u32(3);
        let cut = table(&[&constant, &stsc(&[[1, 2, 1]]), &stco(&[8, 50])]);
        assert_eq!(samples(&cut), [(8, 7), (15, 7), (50, 7)]);
        for bits in [0, 1, 5, 32, 255] {
            let table = table(&[&stz2(bits, 1, &[1; 4]), &stsc(&[]), &stco(&[])]);
            let message = told(plan_of(&table));
            assert!(message.starts_with("`moov/trak/mdia/minf/stbl/stz2` at byte "), "{message}");
            assert!(message.ends_with(&format!(": field_size is {bits}, not 4, 8 or 16")));
        }
        for (bits, count) in [(4, 5), (8, 3), (16, 2)] {
            let table = table(&[&stz2(bits, count, &[1; 2]), &stsc(&[]), &stco(&[])]);
            assert!(told(plan_of(&table)).contains(" entries of entry_size, "));
        }
    }

    #[test]
    fn empty_samples_and_chunks_without_samples_are_passed_over() {
        let sizes = stsz(&[0, 4, 0]);
        let table =
            table(&[&sizes, &stsc(&[[2, 2, 1], [3, 0, 1], [4, 1, 1]]), &stco(&[0, 8, 9, 12])]);
        assert_eq!(samples(&table), [(8, 4)]);
        assert_eq!(plan_of(&table).unwrap().scopes()[0].protected, 3);
    }

    #[test]
    fn each_chunk_has_its_sample_entry() {
        let entries = stsd(&[avc1(), encv(b"cbcs", &tenc_constant(0))]);
        let chunks = stsc(&[[1, 1, 2], [2, 2, 1], [3, 1, 2]]);
        let table =
            plain(b"stbl").put(entries).put(stsz(&[1; 4])).put(chunks).put(stco(&[8, 18, 28]));
        assert_eq!(samples(&table), [(8, 1), (28, 1)]);
        let plan = plan_of(&table).unwrap();
        assert_eq!((plan.scopes()[0].protected, plan.scopes()[0].clear), (2, 2));
    }

    #[test]
    fn the_chunks_hold_all_samples_and_no_more() {
        let sizes = stsz(&[1; 4]);
        let told = |chunks: &[[u32; 3]], offsets: &[u32]| {
            let message = told(plan_of(&table(&[&sizes, &stsc(chunks), &stco(offsets)])));
            message.split_once(": ").unwrap().1.to_owned()
        };
        assert_eq!(told(&[[1, 1, 1]], &[8, 9, 10]), "the chunks hold 3 samples, but there are 4");
        assert_eq!(told(&[[1, 4, 1]], &[]), "the chunks hold 0 samples, but there are 4");
        assert_eq!(told(&[[3, 4, 1]], &[8, 9]), "the chunks hold 0 samples, but there are 4");
        assert_eq!(told(&[[1, 4, 2]], &[8]), "sample_description_index 2 has no sample entry");
        assert_eq!(told(&[[1, 4, 0]], &[8]), "sample_description_index 0 has no sample entry");
        // The last chunk need not be full.
        assert_eq!(samples(&table(&[&sizes, &stsc(&[[1, 3, 1]]), &stco(&[8, 40])])).len(), 4);
    }

    #[test]
    fn a_protected_track_needs_its_table() {
        let (sizes, chunks, offsets) = (stsz(&[1]), stsc(&[[1, 1, 1]]), stco(&[8]));
        assert!(plan_of(&table(&[&sizes, &chunks, &offsets])).is_ok());
        for (boxes, kind) in [
            ([&chunks, &offsets], "stz2"),
            ([&sizes, &offsets], "stsc"),
            ([&sizes, &chunks], "co64"),
        ] {
            let message = told(plan_of(&table(&boxes)));
            assert!(message.starts_with("`moov/trak/mdia/minf/stbl` at byte "), "{message}");
            assert!(message.ends_with(&format!(": has no `{kind}` box")), "{message}");
        }
        let twice = told(plan_of(&table(&[&sizes, &chunks, &offsets, &chunks])));
        assert!(twice.starts_with("`moov/trak/mdia/minf/stbl/stsc` at byte "), "{twice}");
        assert!(twice.ends_with(": a second box of this type"), "{twice}");
    }

    #[test]
    fn samples_lie_inside_of_the_input() {
        for (at, size, problem) in [
            (8, 100, None),
            (8, 600, Some("bytes 8..608 lie beyond the end of the input")),
            (u32::MAX, 1, Some("bytes 4294967295..4294967296 lie beyond the end of the input")),
        ] {
            let table = table(&[&stsz(&[size]), &stsc(&[[1, 1, 1]]), &stco(&[at])]);
            match problem {
                None => assert_eq!(samples(&table), [(at.into(), size)]),
                Some(problem) => {
                    let message = told(plan_of(&table));
                    assert!(
                        message.ends_with(&format!(": samples of track 1 at {problem}")),
                        "{message}"
                    );
                }
            }
        }
        let told = |sizes: &[u32], offsets: &[u32]| {
            told(plan_of(&table(&[&stsz(sizes), &stsc(&[[1, 1, 1]]), &stco(offsets)])))
        };
        let message = told(&[60, 60], &[8, 48]);
        assert!(
            message.ends_with(" samples of track 1 at bytes 48..108 lie over others"),
            "{message}"
        );
        assert_eq!(
            told(&[30, 30], &[70, 41]),
            "`mdat` at byte 70: a protected sample of track 1 at bytes 70..100 lies over another sample"
        );
        assert_eq!(
            told(&[1], &[7]),
            "`mdat` at byte 7: a protected sample of track 1 at bytes 7..8 lies over a header box"
        );
        assert_eq!(
            told(&[90], &[19]),
            "`mdat` at byte 19: a protected sample of track 1 at bytes 19..109 lies over a header box"
        );
    }

    #[test]
    fn ivs_stand_in_the_table_or_beside_it_or_in_the_track() {
        let senc = full(b"senc", 0, 0).u32(1).put([3; 8]);
        let saiz = full(b"saiz", 0, 0).u8(8).u32(1);
        let saio = full(b"saio", 0, 0).u32(1).u32(50);
        let bare = plain(b"stbl")
            .put(stsd(&[encv(b"cenc", &tenc(8))]))
            .put(stsz(&[30]))
            .put(stsc(&[[1, 1, 1]]))
            .put(stco(&[8]));
        let planned = |trak: Written| {
            let file =
                file(&[plain(b"mdat").put(Vec::from_iter(0..100)), plain(b"moov").put(trak)]);
            plans(&file).map(|mut plans| plans.remove(0))
        };
        let in_table = trak(1, &bare.clone().put(&senc));
        let in_track = trak(1, &bare).put(&senc);
        let beside = trak(1, &bare.clone().put(&saiz).put(&saio));
        for (trak, iv, aux_info, edits) in [
            (in_table, 3, crate::AuxInfo::Senc, 3),
            (in_track, 3, crate::AuxInfo::Senc, 3),
            // What stands at byte 50 of the file is 42 bytes behind the header of `mdat`.
            (beside, 42, crate::AuxInfo::SaioInData, 4),
        ] {
            let plan = planned(trak).unwrap();
            assert_eq!(plan.iv(&plan.samples()[0]).as_bytes()[0], iv);
            assert_eq!(plan.scopes()[0].aux_info, aux_info);
            assert_eq!(plan.edits().len(), edits);
        }
        let twice = told(planned(trak(1, &bare.clone().put(&senc)).put(&senc)));
        assert!(twice.ends_with(": a second box of this type"), "{twice}");
        let nowhere = told(planned(trak(1, &bare)));
        assert!(nowhere.ends_with(": sample 0 of track 1 is protected, but nothing holds its iv"));
    }

    #[test]
    fn a_progressive_file_is_needed_whole() {
        let table = table(&[&stsz(&[1]), &stsc(&[[1, 1, 1]]), &stco(&[8])]);
        let moov = plain(b"moov").put(trak(1, &table));
        let window = Window::new(0, moov.as_ref());
        assert!(matches!(Planner::new().next_unit(&window, false), Ok(Step::Everything)));
        // Only the samples of protected tracks matter.
        let clear = plain(b"stbl").put(stsd(&[avc1()])).put(stsz(&[1]));
        let moov = plain(b"moov").put(trak(1, &clear));
        let window = Window::new(0, moov.as_ref());
        let Ok(Step::Unit(plan)) = Planner::new().next_unit(&window, false) else { panic!() };
        assert!(plan.is_verbatim());
        assert_eq!(plan.scopes()[0].clear, 1);
    }
}
