//! Movie fragments that are being encrypted (ISO/IEC 14496-12, 8.8).

use super::{
    aux_info::{self, Placed, Slot},
    boxes::{sbgp, sgpd},
    sample_data::SampleData,
    track::{EncryptedTrack, Turn, Unit, refuse_protection},
};
use crate::{
    AuxInfo, Error,
    mp4::{
        boxes::Mp4Box,
        builder::Builder,
        input::Input,
        movie::Movie,
        samples,
        track_fragment::{FragmentHeader, Runs},
    },
    stop::Stop,
};

/// Plans a `moof` box and the samples of its track fragments.
pub(super) fn plan(
    moof: &Mp4Box<'_, '_>,
    movie: &Movie,
    tracks: &mut [EncryptedTrack],
    data: &mut SampleData,
    builder: &mut Builder,
    input: &Input<'_>,
) -> Result<(), Stop> {
    let first = builder.plan.edits.len();
    let (mut data_end, mut placed) = (None, Vec::new());
    for traf in moof.children() {
        let traf = traf?;
        traf.refuse_top_level()?;
        if traf.kind != *b"traf" {
            continue;
        }
        let header = FragmentHeader::read(&traf, movie)?;
        let mut runs = Runs::new(&traf, &header, moof.at, data_end)?;
        for child in traf.children() {
            let child = child?;
            if child.kind == *b"trun" {
                runs.take(&child)?;
            }
        }
        data_end = Some(runs.end);
        let of_track = |track: &&mut EncryptedTrack| track.settings.track == header.track.id;
        if let Some(track) = tracks.iter_mut().find(of_track) {
            let points = header.aux_base(moof.at) == moof.at;
            let unit = Unit::new(header.track, builder, input, data);
            placed.extend(plan_track(&traf, &header, &runs, track, points, unit)?);
        }
    }
    Ok(aux_info::point(&placed, moof.at, first, 0, &mut builder.plan.edits)?)
}

/// Plans one track fragment: all of it is clear, or has one key.
///
/// `points`: the offsets of `saio` would count from the `moof`. Those that count from elsewhere are
/// left out, since `senc` says all.
fn plan_track(
    traf: &Mp4Box<'_, '_>,
    header: &FragmentHeader<'_>,
    runs: &Runs<'_, '_>,
    track: &mut EncryptedTrack,
    points: bool,
    mut unit: Unit<'_, '_>,
) -> Result<Option<Placed>, Stop> {
    let id = track.settings.track;
    for child in traf.children() {
        refuse_protection(&child?, id)?;
    }
    let count = samples::claim(&runs.all, id, traf, unit.builder)?;
    samples::check_listed(count, traf, unit.builder)?;
    let time = decode_time(traf)?.unwrap_or(track.time);
    track.time = time.saturating_add(runs.duration);
    if track.schedule.is_clear(time) {
        for run in &runs.all {
            track.run(run, || Turn::Lead, None, &mut unit)?;
        }
        // The clear sample entries stand behind the protected ones, in the same order.
        let entries = u32::try_from(header.track.entries.len()).unwrap_or(u32::MAX);
        let index = header.description_index.saturating_add(entries);
        describe(traf, index, unit.scope, unit.builder)?;
        unit.finish(AuxInfo::None);
        return Ok(None);
    }
    let key = track.schedule.key(time);
    let mut aux = track.aux_info(std::iter::once(runs.entry), false);
    for run in &runs.all {
        track.run(run, || Turn::Key(key), Some(&mut aux), &mut unit)?;
    }
    let mut groups = Vec::new();
    if track.schedule.rotates() && !track.piff {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let kids = track.settings.keys.get(key).into_iter().map(|key| &key.kid);
        groups = [sgpd(&track.settings, kids), sbgp(&[(count, 0)], true)].concat();
    }
    let boxes = aux.boxes(groups, &track.aux_kind(key), points, false);
    let placed = boxes.place(Slot::end_of(traf)?, unit.scope, unit.builder);
    unit.finish(if track.piff { AuxInfo::Piff } else { AuxInfo::Senc });
    Ok(Some(placed))
}

/// `tfdt` (8.8.12).
fn decode_time(traf: &Mp4Box<'_, '_>) -> Result<Option<u64>, Error> {
    let Some(tfdt) = traf.child(b"tfdt")? else { return Ok(None) };
    let mut fields = tfdt.fields();
    let (version, _) = fields.version_and_flags()?;
    fields.u32_or_u64(version == 1, "baseMediaDecodeTime").map(Some)
}

/// Lets `tfhd` name another sample entry.
fn describe(
    traf: &Mp4Box<'_, '_>,
    index: u32,
    scope: u32,
    builder: &mut Builder,
) -> Result<(), Error> {
    let tfhd = traf.need(b"tfhd")?;
    let mut fields = tfhd.fields();
    let head = fields.at();
    let (version, flags) = fields.version_and_flags()?;
    fields.u32("track_ID")?;
    if flags & 0x1 != 0 {
        fields.u64("base_data_offset")?;
    }
    let index = index.to_be_bytes();
    if flags & 0x2 != 0 {
        builder.overwrite(scope, fields.at(), &index);
    } else {
        let head_bytes = super::boxes::version_and_flags(version, flags | 0x2);
        builder.overwrite(scope, head, &head_bytes);
        builder.insert(Some(scope), fields.at(), tfhd.at, index.to_vec());
    }
    Ok(())
}
