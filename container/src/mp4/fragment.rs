//! Movie fragments: `moof`, its tracks' runs of samples, and what protects them
//! (ISO/IEC 14496-12, 8.8).

use crate::{
    Error,
    mp4::{
        Stop,
        aux_info::{PIFF_SAMPLES, SizesAndOffsets, is_encryption},
        boxes::Mp4Box,
        builder::Builder,
        groups::{Descriptions, Groups, is_seig},
        input::Input,
        movie::{Movie, MovieTrack, discard_if_protection},
        samples::{Run, RunSizes, TrackSamples},
    },
};

/// Plans a `moof` box and the samples of its track fragments.
pub(crate) fn plan(
    moof: &Mp4Box<'_, '_>,
    movie: &Movie,
    builder: &mut Builder,
    input: &mut Input<'_>,
) -> Result<(), Stop> {
    let edits = builder.plan.edits.len();
    // Where the data of the track fragment before ended.
    let mut data_end = None;
    for traf in moof.children() {
        let traf = traf?;
        if traf.kind == *b"traf" {
            let header = FragmentHeader::read(&traf, movie)?;
            data_end = Some(plan_track(moof.at, &traf, &header, data_end, builder, input)?);
        } else {
            builder.pssh(&traf)?;
        }
    }
    if !movie.is_protected() {
        builder.plan.edits.truncate(edits);
    }
    Ok(())
}

/// `tfhd` (8.8.7), with the defaults of `trex` for what it leaves out.
pub(crate) struct FragmentHeader<'m> {
    pub(crate) track: &'m MovieTrack,
    base_data_offset: Option<u64>,
    default_base_is_moof: bool,
    description_index: u32,
    sample_size: u32,
}

impl<'m> FragmentHeader<'m> {
    fn read(traf: &Mp4Box<'_, '_>, movie: &'m Movie) -> Result<Self, Error> {
        let tfhd = traf.need(b"tfhd")?;
        let mut fields = tfhd.fields();
        let (_, flags) = fields.version_and_flags()?;
        let id = fields.u32("track_ID")?;
        let Some(track) = movie.tracks.iter().find(|track| track.id == id) else {
            return Err(tfhd.malformed(format!("track {id} is not in `moov`")));
        };
        let has = |flag| flags & flag != 0;
        let base_data_offset = if has(0x1) { Some(fields.u64("base_data_offset")?) } else { None };
        let mut description_index = track.defaults.description_index;
        if has(0x2) {
            description_index = fields.u32("sample_description_index")?;
        }
        if has(0x8) {
            fields.u32("default_sample_duration")?;
        }
        let mut sample_size = track.defaults.sample_size;
        if has(0x10) {
            sample_size = fields.u32("default_sample_size")?;
        }
        let default_base_is_moof = has(0x2_0000);
        Ok(Self { track, base_data_offset, default_base_is_moof, description_index, sample_size })
    }

    /// What the data offsets of the runs count from.
    pub(crate) fn base(&self, moof: u64, data_end: Option<u64>) -> u64 {
        match self.base_data_offset {
            Some(offset) => offset,
            None if self.default_base_is_moof => moof,
            None => data_end.unwrap_or(moof),
        }
    }

    /// What the offsets of `saio` count from.
    pub(crate) fn aux_base(&self, moof: u64) -> u64 {
        self.base_data_offset.unwrap_or(moof)
    }
}

/// Plans one track fragment. Returns where its data end.
fn plan_track(
    moof: u64,
    traf: &Mp4Box<'_, '_>,
    header: &FragmentHeader<'_>,
    data_end: Option<u64>,
    builder: &mut Builder,
    input: &mut Input<'_>,
) -> Result<u64, Stop> {
    let track = header.track;
    let scope = builder.scope(track.scope());
    let base = header.base(moof, data_end);
    let (mut runs, mut end) = (Vec::new(), base);
    let (mut senc, mut saiz, mut saio, mut sbgp, mut local) = (None, None, None, None, None);
    let Some(entry) = (header.description_index as usize)
        .checked_sub(1)
        .filter(|&entry| entry < track.entries.len())
    else {
        let what = format!("sample_description_index {} has no entry", header.description_index);
        return Err(traf.malformed(what).into());
    };
    for child in traf.children() {
        let child = child?;
        if track.is_protected() {
            discard_if_protection(&child, track, scope, builder)?;
        }
        let slot = match &child.kind.0 {
            b"trun" => {
                let run = TrackRun::read(&child, header.sample_size)?;
                let at =
                    run.data_offset.map_or(Some(end), |offset| base.checked_add_signed(offset));
                let at = at.ok_or_else(|| child.malformed("data_offset leads out of the file"))?;
                end = at.saturating_add(run.sizes.total());
                runs.push(Run { at, entry, sizes: run.sizes });
                continue;
            }
            b"sgpd" if is_seig(&child)? => {
                if local.replace(Descriptions::read(&child)?).is_some() {
                    return Err(child.malformed("a second `seig` description").into());
                }
                continue;
            }
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
    let samples = TrackSamples {
        track,
        scope,
        owner: traf,
        runs,
        groups: Groups { local: local.as_ref(), track: track.groups.as_ref() },
        sbgp: sbgp.as_ref(),
        senc: senc.as_ref(),
        sizes: saiz.as_ref().zip(saio.as_ref()).map(|(saiz, saio)| SizesAndOffsets { saiz, saio }),
        aux_base: header.aux_base(moof),
    };
    samples.plan(builder, input)?;
    Ok(end)
}

/// `trun` (8.8.8).
struct TrackRun<'d> {
    data_offset: Option<i64>,
    sizes: RunSizes<'d>,
}

impl<'d> TrackRun<'d> {
    fn read(trun: &Mp4Box<'d, '_>, default_size: u32) -> Result<Self, Error> {
        let mut fields = trun.fields();
        let (_, flags) = fields.version_and_flags()?;
        let has = |flag| flags & flag != 0;
        let count = fields.u32("sample_count")?;
        let data_offset = if has(0x1) { Some(fields.i32("data_offset")?.into()) } else { None };
        if has(0x4) {
            fields.u32("first_sample_flags")?;
        }
        let stride = [0x100, 0x200, 0x400, 0x800].into_iter().filter(|&flag| has(flag)).count() * 4;
        let records = fields.table(count, stride, "sample")?;
        let sizes = match has(0x200) {
            true => RunSizes::Table { records, stride, offset: if has(0x100) { 4 } else { 0 } },
            false => RunSizes::Constant { size: default_size, count },
        };
        Ok(Self { data_offset, sizes })
    }
}
