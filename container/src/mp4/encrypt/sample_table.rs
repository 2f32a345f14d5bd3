//! The sample table of a progressive file that is being encrypted (ISO/IEC 14496-12, 8.5 to 8.7).

use std::ops::Range;

use super::{
    aux_info::{self, AuxBoxes, Kind, Slot},
    boxes::{boxed, sbgp, sgpd, version_and_flags},
    track::{EncryptedTrack, Turn, Unit},
};
use crate::{
    AuxInfo, Error,
    mp4::{
        boxes::Mp4Box,
        movie::MovieTrack,
        sample_table::{Sizes, chunk_offsets, chunks},
        samples,
    },
    stop::Stop,
};

/// What goes into a sample table, before it is known where that will stand.
pub(super) struct Table {
    pub(super) scope: u32,
    pub(super) slot: Slot,
    groups: Vec<u8>,
    aux: aux_info::AuxInfo,
    kind: Kind,
}

impl Table {
    /// The boxes; `wide`: offsets have 64 bits.
    pub(super) fn boxes(&self, wide: bool) -> AuxBoxes {
        self.aux.boxes(self.groups.clone(), &self.kind, true, wide)
    }
}

/// Plans the samples in the table of a track: each has the key of its time. Those of the clear lead
/// have subsamples of which nothing is protected, which every reader understands.
pub(super) fn plan(
    stbl: &Mp4Box<'_, '_>,
    movie_track: &MovieTrack,
    track: &mut EncryptedTrack,
    mut unit: Unit<'_, '_>,
) -> Result<Option<Table>, Stop> {
    let sizes = Sizes::read(stbl)?;
    if sizes.len() == 0 {
        unit.finish(AuxInfo::None);
        return Ok(None);
    }
    let runs = chunks(stbl, &sizes, movie_track)?;
    let count = samples::claim(&runs, movie_track.id, stbl, unit.builder)?;
    samples::check_listed(count, stbl, unit.builder)?;
    let mut times = Times::read(stbl)?;
    let schedule = track.schedule;
    let mut turns = Vec::new();
    let entries = runs.iter().map(|run| run.entry);
    let mut aux = track.aux_info(entries, schedule.has_lead());
    for run in &runs {
        let turn = || {
            let time = times.next_time();
            let key = schedule.key(time);
            push(&mut turns, u32::try_from(key).unwrap_or(u32::MAX));
            if schedule.is_clear(time) { Turn::Lead } else { Turn::Key(key) }
        };
        track.run(run, turn, Some(&mut aux), &mut unit)?;
    }
    track.time = times.next_time();
    let mut groups = Vec::new();
    if schedule.rotates() {
        if track.piff {
            let what = "PIFF has no keys that take turns in one sample table".to_owned();
            return Err(Error::Settings { what }.into());
        }
        let kids = track.settings.keys.iter().map(|key| &key.kid);
        groups = [sgpd(&track.settings, kids), sbgp(&turns, false)].concat();
    }
    let (scope, slot) = (unit.scope, Slot::end_of(stbl)?);
    unit.finish(if track.piff { AuxInfo::Piff } else { AuxInfo::Senc });
    Ok(Some(Table { scope, slot, groups, aux, kind: track.aux_kind(0) }))
}

/// Counts one sample more with that key.
fn push(turns: &mut Vec<(u32, u32)>, key: u32) {
    match turns.last_mut() {
        Some((samples, last)) if *last == key => *samples += 1,
        _ => turns.push((1, key)),
    }
}

/// The decode times of `stts` (8.6.1.2), sample by sample.
struct Times<'d> {
    runs: &'d [u8],
    left: u32,
    delta: u32,
    time: u64,
}

impl<'d> Times<'d> {
    fn read(stbl: &Mp4Box<'d, '_>) -> Result<Self, Error> {
        let stts = stbl.need(b"stts")?;
        let mut fields = stts.fields();
        fields.version_and_flags()?;
        let count = fields.u32("entry_count")?;
        let runs = fields.table(count, 8, "sample_count and sample_delta")?;
        Ok(Self { runs, left: 0, delta: 0, time: 0 })
    }

    /// The time of the next sample. Behind the last run, time stands still.
    fn next_time(&mut self) -> u64 {
        let time = self.time;
        while self.left == 0 {
            let Some((run, rest)) = self.runs.split_first_chunk::<8>() else { return time };
            let [a, b, c, d, delta @ ..] = *run;
            (self.left, self.delta) = (u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes(delta));
            self.runs = rest;
        }
        self.left -= 1;
        self.time = time.saturating_add(self.delta.into());
        time
    }
}

/// The 32-bit chunk offsets of a sample table: those of any track have to be as wide as its file asks.
pub(super) struct ChunkOffsets {
    /// The box that stands there.
    pub(super) range: Range<u64>,
    /// Where the sample table begins.
    pub(super) stbl: u64,
    offsets: Vec<u64>,
}

impl ChunkOffsets {
    /// `None`: they are wide already, or there are none.
    pub(super) fn read(stbl: &Mp4Box<'_, '_>) -> Result<Option<Self>, Error> {
        let Some(stco) = stbl.child(b"stco")? else { return Ok(None) };
        let offsets: Vec<_> = chunk_offsets(stbl)?.collect();
        let found = Self { range: samples::range(&stco), stbl: stbl.at, offsets };
        Ok(Some(found).filter(|found| !found.offsets.is_empty()))
    }

    /// How much longer the box becomes.
    pub(super) fn growth(&self) -> u64 {
        self.offsets.len() as u64 * 4
    }

    /// `co64` with the offsets as they become.
    pub(super) fn wide(&self, moved: impl Fn(u64) -> u64) -> Vec<u8> {
        let count = u32::try_from(self.offsets.len()).unwrap_or(u32::MAX).to_be_bytes();
        let table: Vec<_> = self.offsets.iter().flat_map(|&at| moved(at).to_be_bytes()).collect();
        boxed(*b"co64", &[&version_and_flags(0, 0), &count, &table])
    }
}
