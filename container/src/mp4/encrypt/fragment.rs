//! Movie fragments that are being encrypted (ISO/IEC 14496-12, 8.8).

use std::collections::BTreeMap;

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
    tracks: &mut BTreeMap<u32, EncryptedTrack>,
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
        if let Some(track) = tracks.get_mut(&header.track.id) {
            // Its movie header was taken for that of a file without fragments.
            if track.schedule.has_lead() && !movie.is_fragmented {
                return Err(traf.unsupported("a clear lead without `mvex` in `moov`").into());
            }
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::testing::{edited, entry, moov, planned, settings, trak};
    use crate::{
        Window,
        encrypt::{IvSettings, Settings},
        mp4::testing::{
            KID, Written, empty_table, fragment, full, moof, mvex, plain, plans, sinf, stsd, tenc,
            tfhd, told, trun,
        },
    };

    /// The movie and this fragment.
    fn file(fragment: &[u8]) -> Vec<u8> {
        [moov().as_ref(), fragment].concat()
    }

    /// Where these boxes stand in a file, from the start of the last `moof`.
    fn find(file: &[u8], bytes: &Written) -> usize {
        let windows = |what: &[u8]| file.windows(what.len()).rposition(|window| window == what);
        windows(bytes.as_ref()).unwrap() - windows(b"moof").unwrap() + 4
    }

    fn tfdt(time: u32) -> Written {
        full(b"tfdt", 0, 0).u32(time)
    }

    /// A fragment of one sample, 10 units of time long.
    fn timed(time: Option<u32>, header: &Written) -> Vec<u8> {
        let make = |offset| {
            let traf = plain(b"traf").put(header);
            let traf = time.map_or(traf.clone(), |time| traf.put(tfdt(time)));
            plain(b"moof").put(
                traf.put(
                    full(b"trun", 0, 0x301)
                        .u32(1)
                        .put([0; 3])
                        .put([u8::try_from(offset).unwrap()])
                        .u32(10)
                        .u32(5),
                ),
            )
        };
        fragment(make, &[7; 6])
    }

    #[test]
    fn a_fragment_says_what_its_samples_are_encrypted_with() {
        let input = file(&fragment(|offset| moof(&[tfdt(0), trun(offset, &[9, 20])]), &[3; 29]));
        let output = edited(&input, settings()).unwrap();
        let senc = full(b"senc", 0, 0).u32(2).u64(0).u64(1);
        let data = find(&output, &senc) + 16;
        find(&output, &full(b"saiz", 0, 0).u8(8).u32(2));
        find(&output, &full(b"saio", 0, 0).u32(1).u32(u32::try_from(data).unwrap()));
        let sinf = sinf(b"cenc", &tenc(8));
        let stsd = stsd(&[plain(b"encv").zeros(78).put(sinf)]).as_ref().to_vec();
        let stsd = [&stsd[..], &[]].concat();
        let frma = stsd.windows(4).position(|bytes| bytes == b"avc1").unwrap();
        let stsd = [&stsd[..frma], b"abcd", &stsd[frma + 4..]].concat();
        assert!(output.windows(stsd.len()).any(|bytes| bytes == stsd));
        // Its samples are where the reader looks for them.
        let plan = plans(&output).unwrap().remove(1);
        let lens: Vec<_> = plan.samples().iter().map(|sample| sample.len).collect();
        assert_eq!((lens.as_slice(), plan.range().end), ([9, 20].as_slice(), output.len() as u64));
    }

    #[test]
    fn a_constant_iv_leaves_an_empty_box() {
        let mut settings = settings();
        settings.scheme = cenc::Scheme::Cbcs;
        settings.tracks[0].iv = IvSettings::Constant(cenc::Iv::from([4; 16]));
        let input = file(&fragment(|offset| moof(&[trun(offset, &[9, 20])]), &[3; 29]));
        let output = edited(&input, settings).unwrap();
        find(&output, &full(b"senc", 0, 0).u32(2));
        assert!(!output.windows(4).any(|bytes| bytes == b"saiz" || bytes == b"saio"));
    }

    #[test]
    fn offsets_from_elsewhere_than_the_fragment_are_left_out() {
        let at = moov().len();
        let header = |base: u64| full(b"tfhd", 0, 1).u32(1).u64(base);
        for (base, is_there) in [(at, true), (at + 1, false)] {
            let output = edited(&file(&timed(Some(0), &header(base))), settings());
            // The data offset leads one byte on then, and the sample begins there.
            let output = output.unwrap();
            assert_eq!(output.windows(4).any(|bytes| bytes == b"saio"), is_there);
            assert_eq!(plans(&output).unwrap()[1].samples().len(), 1);
        }
    }

    #[test]
    fn the_clear_lead_has_a_sample_entry_of_its_own() {
        let lead = || Settings { clear_lead: Some(Duration::from_secs(2)), ..settings() };
        let indexed = full(b"tfhd", 0, 0x2_0002).u32(1).u32(1);
        for header in [tfhd(1), indexed.clone()] {
            // Times are stated, or those of the fragments before.
            for times in [[Some(0), Some(10), Some(20)], [None; 3], [None, None, Some(20)]] {
                let fragments = times.map(|time| timed(time, &header)).concat();
                let output = edited(&file(&fragments), lead()).unwrap();
                let plans = plans(&output).unwrap();
                let found: Vec<_> = plans[1..].iter().map(|plan| plan.samples().len()).collect();
                assert_eq!(found, [0, 0, 1], "{times:?}");
                let entries = &plans[0].tracks()[0].entries;
                assert_eq!(entries.len(), 2);
                assert!(entries[0].protection.is_some() && entries[1].protection.is_none());
                assert_eq!(entries[1].format, "abcd");
                let second = full(b"tfhd", 0, 0x2_0002).u32(1).u32(2);
                let clear = output.windows(20).filter(|bytes| bytes == &second.as_ref());
                assert_eq!(clear.count(), 2);
                assert!(output.windows(86).any(|bytes| bytes == entry().as_ref()));
            }
        }
    }

    #[test]
    fn a_clear_lead_wants_a_movie_header_that_knows_of_fragments() {
        let table = empty_table(&[entry()]).put(full(b"stts", 0, 0).u32(0));
        let header = plain(b"moov").put(trak(1, &table));
        let input = [header.as_ref(), &timed(Some(0), &tfhd(1))].concat();
        assert_eq!(plans(&edited(&input, settings()).unwrap()).unwrap()[1].samples().len(), 1);
        let lead = Settings { clear_lead: Some(Duration::from_secs(2)), ..settings() };
        let message = told(edited(&input, lead));
        assert!(
            message.ends_with("a clear lead without `mvex` in `moov` is not supported"),
            "{message}"
        );
    }

    #[test]
    fn keys_take_turns_in_groups_of_a_fragment() {
        let mut rotating = settings();
        rotating.rotate = Some(Duration::from_secs(1));
        let mut second = rotating.tracks[0].keys[0].clone();
        second.kid = [9; 16].into();
        rotating.tracks[0].keys.push(second);
        let fragments = [0, 10, 20].map(|time| timed(Some(time), &tfhd(1))).concat();
        let output = edited(&file(&fragments), rotating.clone()).unwrap();
        let seig = |kid: [u8; 16]| {
            full(b"sgpd", 1, 0).put(b"seig").u32(20).u32(1).put([0, 0, 1, 8]).put(kid)
        };
        let count = |what: &Written| {
            output.windows(what.as_ref().len()).filter(|bytes| bytes == &what.as_ref()).count()
        };
        assert_eq!((count(&seig(KID)), count(&seig([9; 16]))), (2, 1));
        assert_eq!(count(&full(b"sbgp", 0, 0).put(b"seig").u32(1).u32(1).u32(0x1_0001)), 3);
        let kids = plans(&output).unwrap().into_iter().flat_map(|plan| plan.protections().to_vec());
        let kids: Vec<_> = kids.map(|protection| protection.kid).collect();
        assert_eq!(kids, [KID, [9; 16], KID].map(clearkey::KeyId::from));
        // PIFF's sample box overrides the key of the track.
        let output = edited(&file(&fragments), Settings { piff: true, ..rotating }).unwrap();
        assert!(!output.windows(4).any(|bytes| bytes == b"sgpd"));
        let plans = plans(&output).unwrap().into_iter();
        let overridden: Vec<_> =
            plans.flat_map(|plan| plan.protections().to_vec()).map(|p| p.kid).collect();
        assert_eq!(overridden, kids);
    }

    #[test]
    fn groups_of_another_type_stay() {
        let roll = full(b"sgpd", 1, 0).put(b"roll").u32(2).u32(1).u16(1);
        let group = full(b"sbgp", 0, 0).put(b"roll").u32(1).u32(1).u32(1);
        let make = |offset| moof(&[trun(offset, &[9]), roll.clone(), group.clone()]);
        let output = edited(&file(&fragment(make, &[3; 9])), settings()).unwrap();
        assert!(find(&output, &roll) < find(&output, &group));
    }

    #[test]
    fn what_says_that_it_is_protected_is_not_protected_again() {
        for boxed in [
            full(b"senc", 0, 0).u32(0),
            full(b"saiz", 0, 0).u8(8).u32(0),
            full(b"saio", 0, 0).u32(0),
            full(b"sbgp", 0, 0).put(b"seig").u32(0),
            full(b"sgpd", 1, 0).put(b"seig").u32(20).u32(0),
        ] {
            let fragment = fragment(|offset| moof(&[trun(offset, &[9]), boxed.clone()]), &[3; 9]);
            let message = told(edited(&file(&fragment), settings()));
            assert!(message.ends_with(": track 1 is protected already"), "{message}");
        }
    }

    #[test]
    fn empty_samples_have_an_iv_and_nothing_to_encrypt() {
        let input = file(&fragment(|offset| moof(&[trun(offset, &[0, 9, 0])]), &[3; 9]));
        let (units, _) = planned(&Window::new(0, &input), settings()).unwrap();
        assert_eq!(units[1].plan().samples().len(), 1);
        let output = edited(&input, settings()).unwrap();
        find(&output, &full(b"senc", 0, 0).u32(3).u64(0).u64(1).u64(2));
        assert_eq!(plans(&output).unwrap()[1].scopes()[0].protected, 3);
    }

    #[test]
    fn a_fragment_needs_its_movie() {
        let alone = timed(Some(0), &tfhd(1));
        let message = told(edited(&alone, settings()));
        assert_eq!(
            message,
            "`moof` at byte 0: a fragment before any `moov`: its init segment is needed first"
        );
        let nothing = plain(b"moov").put(mvex(1));
        let message = told(edited(nothing.as_ref(), settings()));
        assert_eq!(message, "cannot be encrypted so: there is no track 1");
    }
}
