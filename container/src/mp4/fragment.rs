//! Movie fragments: `moof`, its tracks' runs of samples, and what protects them
//! (ISO/IEC 14496-12, 8.8).

use crate::{
    mp4::{
        boxes::Mp4Box,
        builder::Builder,
        groups::Groups,
        input::Input,
        movie::Movie,
        protection_boxes::ProtectionBoxes,
        samples::TrackSamples,
        track_fragment::{FragmentHeader, Runs},
    },
    stop::Stop,
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
        traf.refuse_top_level()?;
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
    let mut runs = Runs::new(traf, header, moof, data_end)?;
    let mut boxes = ProtectionBoxes::default();
    for child in traf.children() {
        let child = child?;
        if child.kind != *b"trun" {
            boxes.take(child, track, scope, builder)?;
            continue;
        }
        runs.take(&child)?;
    }
    let end = runs.end;
    let local = boxes.descriptions()?;
    let samples = TrackSamples {
        track,
        scope,
        owner: traf,
        runs: runs.all,
        groups: Groups { local: local.as_ref(), track: track.groups.as_ref() },
        sbgp: boxes.sbgp(),
        senc: boxes.senc(),
        sizes: boxes.sizes(),
        aux_base: header.aux_base(moof),
    };
    samples.plan(builder, input)?;
    Ok(end)
}

#[cfg(test)]
mod tests {
    use crate::{
        AuxInfo, Error, Plan,
        mp4::testing::{
            Written, avc1, cbcs_moov, cenc_moov, empty_table, encv, fragment, full, moof, moov,
            mvex, plain, plans, senc, tenc_constant, tfhd, told, trak, trun,
        },
    };

    /// Plans the fragment behind that movie header.
    fn plan_behind(moov: &Written, fragment: &[u8]) -> Result<Plan, Error> {
        let plans = plans(&[moov.as_ref(), fragment].concat())?;
        Ok(plans.into_iter().nth(1).unwrap())
    }

    /// Where samples lie, from the start of the fragment, and how long they are.
    fn samples(plan: &Plan) -> Vec<(u64, u32)> {
        let start = plan.range().start;
        plan.samples().iter().map(|sample| (sample.at - start, sample.len)).collect()
    }

    #[test]
    fn a_run_states_its_sizes_or_takes_them_from_a_default() {
        for flags in 0_u32..16 {
            // Duration, size, flags and composition offset of each of three samples.
            let fields: Vec<_> = (0..4).filter(|bit| flags & 1 << bit != 0).collect();
            let record = |run: Written, size: u32| {
                fields.iter().fold(run, |run, bit| run.u32(if *bit == 1 { size } else { 0xffff }))
            };
            let make = |offset: i32| {
                let run = full(b"trun", 0, flags << 8 | 5).u32(3).put(offset.to_be_bytes()).u32(0);
                moof(&[[4, 5, 6].into_iter().fold(run, record)])
            };
            let moov = plain(b"moov")
                .put(trak(1, &empty_table(&[encv(b"cbcs", &tenc_constant(0))])))
                .put(plain(b"mvex").put(full(b"trex", 0, 0).u32(1).u32(1).u32(0).u32(7).u32(0)));
            let plan = plan_behind(&moov, &fragment(make, &[0; 21])).unwrap();
            let found: Vec<_> = plan.samples().iter().map(|sample| sample.len).collect();
            let expected = if flags & 2 != 0 { [4, 5, 6] } else { [7, 7, 7] };
            assert_eq!(found, expected, "{flags:#x}");
        }
    }

    #[test]
    fn a_table_of_samples_fits_its_run() {
        let run = full(b"trun", 0, 0xf00).u32(2).zeros(31);
        let message = told(plan_behind(&cenc_moov(), moof(&[run]).as_ref()));
        assert!(message.starts_with("`moof/traf/trun` at byte "), "{message}");
        assert!(
            message.ends_with(": 2 entries of sample, 16 bytes each, in 31 bytes"),
            "{message}"
        );
    }

    #[test]
    fn tfhd_overrides_the_defaults_of_trex() {
        let moov = moov(&[encv(b"cbcs", &tenc_constant(0)), avc1()]);
        // Base, sample description, duration, size and flags.
        let all = full(b"tfhd", 0, 0x3b).u32(1).u64(moov.len()).u32(1).u32(0xdd).u32(9).u32(0xff);
        let make = |header: Written| {
            move |offset: i32| {
                let run = full(b"trun", 0, 1).u32(2).put(offset.to_be_bytes());
                plain(b"moof").put(plain(b"traf").put(&header).put(run))
            }
        };
        let plan = plan_behind(&moov, &fragment(make(all), &[0; 18])).unwrap();
        assert_eq!(plan.samples().iter().map(|sample| sample.len).collect::<Vec<_>>(), [9, 9]);
        let clear = full(b"tfhd", 0, 0x2_0012).u32(1).u32(2).u32(9);
        let plan = plan_behind(&moov, &fragment(make(clear), &[0; 18])).unwrap();
        assert_eq!((plan.samples().len(), plan.scopes()[0].clear), (0, 2));
        for index in [0, 3, u32::MAX] {
            let header = full(b"tfhd", 0, 0x2_0002).u32(1).u32(index);
            let message = told(plan_behind(&moov, make(header)(0).as_ref()));
            assert_eq!(
                message,
                format!(
                    "`moof/traf` at byte {}: sample_description_index {index} has no entry",
                    moov.len() + 8
                )
            );
        }
    }

    #[test]
    fn a_fragment_is_of_a_track_of_the_movie() {
        let traf = plain(b"traf").put(tfhd(2));
        let moov = cenc_moov();
        let at = moov.len();
        let message = told(plan_behind(&moov, plain(b"moof").put(traf).as_ref()));
        assert_eq!(
            message,
            format!("`moof/traf/tfhd` at byte {}: track 2 is not in `moov`", at + 16)
        );
        let message = told(plan_behind(&moov, plain(b"moof").put(plain(b"traf")).as_ref()));
        assert_eq!(message, format!("`moof/traf` at byte {}: has no `tfhd` box", at + 8));
    }

    /// The movie of two tracks.
    fn two_tracks() -> Written {
        let trak = |track| trak(track, &empty_table(&[encv(b"cbcs", &tenc_constant(0))]));
        plain(b"moov").put(trak(1)).put(trak(2)).put(mvex(1))
    }

    /// Two track fragments of two runs each, the second run of each without an offset of its own.
    /// Returns the lengths of the samples in the order in which they lie.
    fn order(
        header: impl Fn(u32) -> Written,
        second_offset: impl Fn(i32) -> Option<i32>,
    ) -> Vec<u32> {
        let run = |offset: Option<i32>, size: u32| match offset {
            Some(offset) => trun(offset, &[size]),
            None => full(b"trun", 0, 0x200).u32(1).u32(size),
        };
        let make = |offset: i32| {
            let first = plain(b"traf").put(header(1)).put(run(Some(offset), 1)).put(run(None, 2));
            let second =
                plain(b"traf").put(header(2)).put(run(second_offset(offset), 4)).put(run(None, 8));
            plain(b"moof").put(first).put(second)
        };
        let fragment = fragment(make, &[0; 15]);
        let plan = plan_behind(&two_tracks(), &fragment).unwrap();
        assert!(plan.samples().windows(2).all(|pair| pair[0].end() == pair[1].at));
        assert_eq!(plan.samples().last().unwrap().end(), plan.range().end);
        plan.samples().iter().map(|sample| sample.len).collect()
    }

    #[test]
    fn offsets_count_from_the_base() {
        let plain_header = |track| full(b"tfhd", 0, 0).u32(track);
        let based = |track| full(b"tfhd", 0, 1).u32(track).u64(two_tracks().len());
        // From the `moof`, which says so; or from an offset that is stated and leads there.
        assert_eq!(order(tfhd, |offset| Some(offset + 3)), [1, 2, 4, 8]);
        assert_eq!(order(based, |offset| Some(offset + 3)), [1, 2, 4, 8]);
        // From where the data of the track fragment before ended.
        assert_eq!(order(plain_header, |_| Some(0)), [1, 2, 4, 8]);
        assert_eq!(order(plain_header, |_| None), [1, 2, 4, 8]);
    }

    #[test]
    fn an_offset_may_lead_back_but_not_out_of_the_file() {
        let make = |_| moof(&[trun(-1, &[1])]);
        let moov = cbcs_moov();
        let message = told(plan_behind(&moov, &fragment(make, &[0; 4])));
        let start = moov.len();
        assert_eq!(
            message,
            format!(
                "`moof/traf` at byte {}: samples of track 1 at bytes {}..{start} lie before their fragment",
                start + 8,
                start - 1
            )
        );
        let header = full(b"tfhd", 0, 1).u32(1).u64(3);
        let traf = plain(b"traf").put(header).put(trun(-4, &[1]));
        let message = told(plan_behind(&moov, plain(b"moof").put(traf).as_ref()));
        assert!(message.ends_with(": data_offset leads out of the file"), "{message}");
    }

    #[test]
    fn runs_without_samples_to_their_name_are_few() {
        let run = |count| full(b"trun", 0, 0).u32(count);
        assert_eq!(
            plan_behind(&cbcs_moov(), moof(&[run(1024)]).as_ref()).unwrap().scopes()[0].protected,
            1024
        );
        let moov = cbcs_moov();
        assert_eq!(
            told(plan_behind(&moov, moof(&[run(1025)]).as_ref())),
            format!(
                "`moof/traf` at byte {}: the number of empty samples in a run is 1025, the limit is 1024",
                moov.len() + 8
            )
        );
        assert!(told(plan_behind(&moov, moof(&[run(u32::MAX)]).as_ref())).contains("4294967295"));
    }

    #[test]
    fn protection_boxes_of_a_fragment_are_discarded_and_others_stay() {
        let seig = full(b"sgpd", 1, 0).put(b"seig").u32(20).u32(0);
        let roll = full(b"sgpd", 1, 0).put(b"roll").u32(2).u32(1).u16(1);
        let other = full(b"saiz", 0, 1).put(b"abcd").u32(0).u8(1).u32(0);
        let boxes = |offset| {
            moof(&[
                trun(offset, &[20, 30]),
                senc(2),
                seig.clone(),
                roll.clone(),
                full(b"sbgp", 0, 0).put(b"seig").u32(0),
                full(b"sbgp", 0, 0).put(b"roll").u32(1).u32(2).u32(1),
                full(b"saiz", 0, 0).u8(8).u32(2),
                full(b"saio", 0, 0).u32(1).u32(0),
                other.clone(),
                plain(b"uuid").put([1; 16]),
            ])
        };
        let plan = plan_behind(&cenc_moov(), &fragment(boxes, &[0; 50])).unwrap();
        let lens: Vec<_> = plan.edits().iter().map(|edit| edit.range().end - edit.at).collect();
        assert_eq!(lens, [32, 24, 20, 17, 20]);
        let start = boxes(0).len() + 8;
        assert_eq!(samples(&plan), [(start, 20), (start + 20, 30)]);
        assert_eq!(plan.scopes()[0].aux_info, AuxInfo::Senc);
    }

    #[test]
    fn what_may_be_there_once_is_refused_twice() {
        let seig = full(b"sgpd", 1, 0).put(b"seig").u32(20).u32(0);
        for (boxed, what) in [
            (senc(0), "a second box of this type"),
            (full(b"saiz", 0, 0).u8(8).u32(0), "a second box of this type"),
            (full(b"saio", 0, 0).u32(0), "a second box of this type"),
            (full(b"sbgp", 0, 0).put(b"seig").u32(0), "a second box of this type"),
            (seig, "a second box of this type"),
        ] {
            let once = moof(std::slice::from_ref(&boxed));
            assert!(plan_behind(&cenc_moov(), once.as_ref()).is_ok());
            let moov = cenc_moov();
            let kind = crate::FourCc(boxed.as_ref()[4..8].try_into().unwrap());
            let at = moov.len() + once.len();
            let twice = moof(&[boxed.clone(), boxed]);
            assert_eq!(
                told(plan_behind(&moov, twice.as_ref())),
                format!("`moof/traf/{kind}` at byte {at}: {what}")
            );
        }
        let compact = full(b"csgp", 0, 0).put(b"seig").zeros(8);
        let message = told(plan_behind(&cenc_moov(), moof(&[compact]).as_ref()));
        assert!(message.ends_with(": a compact sample group of type `seig` is not supported"));
        let compact = full(b"csgp", 0, 0).put(b"roll").zeros(8);
        assert!(plan_behind(&cenc_moov(), moof(&[compact]).as_ref()).unwrap().is_verbatim());
    }

    #[test]
    fn a_fragment_has_not_swallowed_the_boxes_behind_it() {
        let moov = cenc_moov();
        for kind in [b"moov", b"moof", b"mdat"] {
            let at = moov.len() + moof(&[]).len();
            let message = told(plan_behind(&moov, moof(&[]).put(plain(kind).zeros(8)).as_ref()));
            let kind = crate::FourCc(*kind);
            assert_eq!(message, format!("`moof/{kind}` at byte {at}: is inside of another box"));
        }
    }

    #[test]
    fn fragments_of_clear_movies_stay_as_they_are() {
        let pssh = full(b"pssh", 0, 0).zeros(20);
        let make = |offset| moof(&[trun(offset, &[5]), senc(1)]).put(&pssh);
        let plan = plan_behind(&moov(&[avc1()]), &fragment(make, &[0; 5])).unwrap();
        assert!(plan.is_verbatim());
        assert_eq!(plan.init_data()[0].bytes, pssh.as_ref());
        assert_eq!((plan.scopes()[0].protected, plan.scopes()[0].clear), (0, 1));
        let plan = plan_behind(&cenc_moov(), &fragment(make, &[0; 5])).unwrap();
        assert_eq!((plan.edits().len(), plan.init_data().len()), (2, 1));
    }
}
