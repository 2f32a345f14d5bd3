//! The header of a track fragment and its runs of samples (ISO/IEC 14496-12, 8.8.7 and 8.8.8).

use crate::{
    Error,
    mp4::{
        boxes::Mp4Box,
        movie::{Movie, MovieTrack},
        samples::{Run, RunSizes},
    },
};

/// `tfhd`, with the defaults of `trex` for what it leaves out.
pub(crate) struct FragmentHeader<'m> {
    pub(crate) track: &'m MovieTrack,
    base_data_offset: Option<u64>,
    default_base_is_moof: bool,
    pub(crate) description_index: u32,
    sample_duration: u32,
    sample_size: u32,
}

impl<'m> FragmentHeader<'m> {
    pub(crate) fn read(traf: &Mp4Box<'_, '_>, movie: &'m Movie) -> Result<Self, Error> {
        let tfhd = traf.need(b"tfhd")?;
        let mut fields = tfhd.fields();
        let (_, flags) = fields.version_and_flags()?;
        let id = fields.u32("track_ID")?;
        let Some(track) = movie.track(id) else {
            return Err(tfhd.malformed(format!("track {id} is not in `moov`")));
        };
        let has = |flag| flags & flag != 0;
        let base_data_offset = if has(0x1) { Some(fields.u64("base_data_offset")?) } else { None };
        let mut description_index = track.defaults.description_index;
        if has(0x2) {
            description_index = fields.u32("sample_description_index")?;
        }
        let mut sample_duration = track.defaults.sample_duration;
        if has(0x8) {
            sample_duration = fields.u32("default_sample_duration")?;
        }
        let mut sample_size = track.defaults.sample_size;
        if has(0x10) {
            sample_size = fields.u32("default_sample_size")?;
        }
        let default_base_is_moof = has(0x2_0000);
        Ok(Self {
            track,
            base_data_offset,
            default_base_is_moof,
            description_index,
            sample_duration,
            sample_size,
        })
    }

    /// What the offsets of `saio` count from.
    pub(crate) fn aux_base(&self, moof: u64) -> u64 {
        self.base_data_offset.unwrap_or(moof)
    }
}

/// The runs of a track fragment.
pub(crate) struct Runs<'d, 'a> {
    header: &'a FragmentHeader<'a>,
    /// Their sample entry, an index from 0.
    pub(crate) entry: usize,
    base: u64,
    /// Where the data end.
    pub(crate) end: u64,
    /// How long they last, in the track's time scale.
    pub(crate) duration: u64,
    pub(crate) all: Vec<Run<'d>>,
}

impl<'d, 'a> Runs<'d, 'a> {
    /// `data_end` is where the data of the track fragment before ended.
    pub(crate) fn new(
        traf: &Mp4Box<'_, '_>,
        header: &'a FragmentHeader<'a>,
        moof: u64,
        data_end: Option<u64>,
    ) -> Result<Self, Error> {
        let index = header.description_index;
        let entry = (index as usize).checked_sub(1);
        let Some(entry) = entry.filter(|&entry| entry < header.track.entries.len()) else {
            return Err(traf.malformed(format!("sample_description_index {index} has no entry")));
        };
        let base = match header.base_data_offset {
            Some(offset) => offset,
            None if header.default_base_is_moof => moof,
            None => data_end.unwrap_or(moof),
        };
        Ok(Self { header, entry, base, end: base, duration: 0, all: Vec::new() })
    }

    /// Takes the next `trun` box.
    pub(crate) fn take(&mut self, trun: &Mp4Box<'d, '_>) -> Result<(), Error> {
        let run = TrackRun::read(trun, self.header)?;
        let offset = |offset| self.base.checked_add_signed(offset);
        let at = run.data_offset.map_or(Some(self.end), offset);
        let at = at.ok_or_else(|| trun.malformed("data_offset leads out of the file"))?;
        self.end = at.saturating_add(run.sizes.total());
        self.duration = self.duration.saturating_add(run.duration);
        self.all.push(Run { at, entry: self.entry, sizes: run.sizes });
        Ok(())
    }
}

/// `trun`.
struct TrackRun<'d> {
    data_offset: Option<i64>,
    duration: u64,
    sizes: RunSizes<'d>,
}

impl<'d> TrackRun<'d> {
    fn read(trun: &Mp4Box<'d, '_>, defaults: &FragmentHeader<'_>) -> Result<Self, Error> {
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
        let duration = match has(0x100) {
            true => RunSizes::Table { records, stride, offset: 0 }.total(),
            false => u64::from(defaults.sample_duration) * u64::from(count),
        };
        let sizes = match has(0x200) {
            true => RunSizes::Table { records, stride, offset: if has(0x100) { 4 } else { 0 } },
            false => RunSizes::Constant { size: defaults.sample_size, count },
        };
        Ok(Self { data_offset, duration, sizes })
    }
}
