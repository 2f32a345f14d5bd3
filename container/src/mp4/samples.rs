//! The samples of one track in one unit, wherever their sizes and places were found: which of them
//! are protected, with what, and where their IVs are.

use std::{collections::HashMap, ops::Range};

use cenc::{Iv, Pattern, Scheme};
use clearkey::KeyId;

use crate::{
    Error, Place, limits,
    mp4::{
        aux_info::{AuxReader, PIFF_SAMPLES, Senc, SizesAndOffsets},
        boxes::Mp4Box,
        builder::Builder,
        groups::{Assignment, Groups},
        input::Input,
        movie::MovieTrack,
        protection::{Encryption, IvSource, check_pattern},
        sample_entry::SampleEntry,
    },
    plan::{AuxInfo, Protection},
    stop::Stop,
};

/// Samples that lie one behind the other.
pub(crate) struct Run<'d> {
    /// Where the first one starts.
    pub(crate) at: u64,
    /// Their sample entry, an index from 0.
    pub(crate) entry: usize,
    pub(crate) sizes: RunSizes<'d>,
}

/// The sizes of the samples of a run, in bytes.
#[derive(Clone, Copy)]
pub(crate) enum RunSizes<'d> {
    Constant {
        size: u32,
        count: u32,
    },
    /// Records of `stride` bytes, with the size in 32 bits at `offset`.
    Table {
        records: &'d [u8],
        stride: usize,
        offset: usize,
    },
}

impl RunSizes<'_> {
    pub(crate) fn count(&self) -> u64 {
        match self {
            Self::Constant { count, .. } => (*count).into(),
            Self::Table { records, stride, .. } => (records.len() / stride) as u64,
        }
    }

    /// Bytes of all samples together.
    pub(crate) fn total(&self) -> u64 {
        match *self {
            Self::Constant { size, count } => u64::from(size) * u64::from(count),
            Self::Table { .. } => self.iter().map(u64::from).sum(),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        let count = usize::try_from(self.count()).unwrap_or(usize::MAX);
        (0..count).map(|index| match *self {
            Self::Constant { size, .. } => size,
            Self::Table { records, stride, offset } => records[index * stride + offset..]
                .first_chunk()
                .map_or(0, |&size| u32::from_be_bytes(size)),
        })
    }

    fn is_bounded(&self) -> bool {
        !matches!(self, &Self::Constant { size: 0, count } if u64::from(count) > limits::EMPTY_RUN)
    }
}

/// All that is known of a track's samples in a track fragment or sample table.
pub(crate) struct TrackSamples<'d, 'a> {
    pub(crate) track: &'a MovieTrack,
    pub(crate) scope: u32,
    /// The track fragment or sample table.
    pub(crate) owner: &'a Mp4Box<'d, 'a>,
    pub(crate) runs: Vec<Run<'a>>,
    pub(crate) groups: Groups<'a>,
    pub(crate) sbgp: Option<&'a Mp4Box<'d, 'a>>,
    pub(crate) senc: Option<&'a Mp4Box<'d, 'a>>,
    pub(crate) sizes: Option<SizesAndOffsets<'d, 'a>>,
    /// What the offsets of `saio` count from.
    pub(crate) aux_base: u64,
}

/// Says that the samples of a track lie there. Returns how many there are.
pub(crate) fn claim(
    runs: &[Run<'_>],
    track: u32,
    owner: &Mp4Box<'_, '_>,
    builder: &mut Builder,
) -> Result<u64, Error> {
    for run in runs {
        if !run.sizes.is_bounded() {
            let what = "the number of empty samples in a run";
            return Err(limit(owner, what, run.sizes.count(), limits::EMPTY_RUN));
        }
        builder.claim(run.at, run.sizes.total(), track, || owner.place())?;
    }
    Ok(runs.iter().map(|run| run.sizes.count()).sum())
}

/// Checks that a plan can hold so many samples more.
pub(crate) fn check_listed(
    samples: u64,
    owner: &Mp4Box<'_, '_>,
    builder: &Builder,
) -> Result<(), Error> {
    match samples.saturating_add(builder.samples()) {
        all if all > limits::SAMPLES => {
            Err(limit(owner, "the number of samples", all, limits::SAMPLES))
        }
        _ => Ok(()),
    }
}

fn limit(owner: &Mp4Box<'_, '_>, what: &'static str, value: u64, limit: u64) -> Error {
    Error::Limit { place: owner.place(), what, value, limit }
}

impl<'d> TrackSamples<'d, '_> {
    /// Adds the samples to the plan.
    ///
    /// `senc` serves if it is consistent, otherwise what `saiz` and `saio` describe: files exist in
    /// which only one of the two is there, or right.
    pub(crate) fn plan(&self, builder: &mut Builder, input: &mut Input<'_>) -> Result<(), Stop> {
        let samples = claim(&self.runs, self.track.id, self.owner, builder)?;
        if !self.track.is_protected() {
            builder.scope_found(self.scope, 0, samples, AuxInfo::None);
            return Ok(());
        }
        // Samples that have not come yet may never come: they are not listed before.
        if !input.whole && builder.end > input.end() {
            return Err(Stop::More(builder.end));
        }
        check_listed(samples, self.owner, builder)?;
        let mark = builder.mark();
        let Some(senc) = self.senc else {
            return self.plan_sizes(builder, input);
        };
        let failed = match self.plan_senc(senc, false, builder) {
            Ok(()) => return Ok(()),
            Err(failed) => failed,
        };
        builder.rollback(&mark);
        if self.sizes.is_some() {
            match self.plan_sizes(builder, input) {
                Err(Stop::Failed(_)) => builder.rollback(&mark),
                planned => return planned,
            }
        }
        if self.plan_senc(senc, true, builder).is_ok() {
            return Ok(());
        }
        Err(failed.into())
    }

    fn plan_senc(
        &self,
        senc: &Mp4Box<'d, '_>,
        only_protected: bool,
        builder: &mut Builder,
    ) -> Result<(), Error> {
        let (reader, overrides) = Senc::open(senc)?;
        let reader = if only_protected { reader.without_clear_entries() } else { reader };
        let is_piff = senc.is_uuid(&PIFF_SAMPLES);
        let found = if is_piff { AuxInfo::Piff } else { AuxInfo::Senc };
        self.walk(AuxReader::Senc(reader), overrides, found, &senc.place(), builder)
    }

    fn plan_sizes(&self, builder: &mut Builder, input: &mut Input<'_>) -> Result<(), Stop> {
        let Some(sizes) = &self.sizes else {
            let place = self.owner.place();
            return Ok(self.walk(AuxReader::Absent, None, AuxInfo::None, &place, builder)?);
        };
        let runs: Vec<_> = self.runs.iter().map(|run| run.sizes.count()).collect();
        let (reader, ranges) = sizes.open(self.aux_base, &runs, input)?;
        let found = ranges.first().map_or(AuxInfo::None, |range| builder.aux_info_at(range));
        let place = sizes.saiz.place();
        builder.end = ranges.iter().map(|range| range.end).fold(builder.end, u64::max);
        Ok(self.walk(AuxReader::Sizes(reader), None, found, &place, builder)?)
    }

    fn walk(
        &self,
        mut aux: AuxReader<'_, '_>,
        overrides: Option<(Scheme, Encryption)>,
        found: AuxInfo,
        place: &Place,
        builder: &mut Builder,
    ) -> Result<(), Error> {
        let clear = clear_encryption();
        let overrides = overrides.as_ref();
        let mut settings = Settings { samples: self, overrides, known: HashMap::new(), last: None };
        let mut assignment = Assignment::new(self.sbgp)?;
        let (mut sample, mut protected) = (0, 0);
        for run in &self.runs {
            let mut at = run.at;
            for size in run.sizes.iter() {
                let group = assignment.next_index();
                let setting = settings.find(run.entry, group, builder)?;
                let encryption = setting.map_or(&clear, |(encryption, _)| encryption);
                let info = aux.next(encryption, builder.subsamples())?;
                if let Some((encryption, protection)) = setting {
                    protected += 1;
                    if size > 0 {
                        let track = self.track.id;
                        let iv = iv(encryption.iv, info.iv).ok_or_else(|| {
                            Error::MissingAuxInfo { place: self.owner.place(), track, sample }
                        })?;
                        builder.sample(at, size, protection, iv, info.subsamples).map_err(
                            |reason| Error::Sample { place: place.clone(), track, sample, reason },
                        )?;
                    }
                }
                at += u64::from(size);
                sample += 1;
            }
        }
        assignment.finish(sample)?;
        builder.scope_found(self.scope, protected, sample - protected, found);
        Ok(())
    }
}

fn iv(source: IvSource, found: Option<Iv>) -> Option<Iv> {
    match source {
        IvSource::Constant(iv) => Some(iv),
        IvSource::PerSample(_) | IvSource::None => found,
    }
}

fn clear_encryption() -> Encryption {
    let kid = KeyId::from([0; 16]);
    Encryption { protected: false, kid, pattern: Pattern::NONE, iv: IvSource::None }
}

/// What protects a sample, and its index in the plan; `None`: the sample is clear.
type Setting<'s> = Option<(&'s Encryption, u32)>;

/// The settings met so far, by sample entry and group index: there are few, and samples are many.
struct Settings<'s> {
    samples: &'s TrackSamples<'s, 's>,
    overrides: Option<&'s (Scheme, Encryption)>,
    known: HashMap<(usize, Option<u32>), Setting<'s>>,
    last: Option<((usize, Option<u32>), Setting<'s>)>,
}

impl<'s> Settings<'s> {
    fn find(
        &mut self,
        entry: usize,
        group: Option<u32>,
        builder: &mut Builder,
    ) -> Result<Setting<'s>, Error> {
        let key = (entry, group);
        if let Some((_, setting)) = self.last.filter(|(last, _)| *last == key) {
            return Ok(setting);
        }
        let setting = match self.known.get(&key) {
            Some(setting) => *setting,
            None => self.make(entry, group, builder)?,
        };
        self.known.insert(key, setting);
        self.last = Some((key, setting));
        Ok(setting)
    }

    fn make(
        &self,
        entry: usize,
        group: Option<u32>,
        builder: &mut Builder,
    ) -> Result<Setting<'s>, Error> {
        let samples = self.samples;
        let grouped = samples.groups.find(group, samples.sbgp)?;
        let SampleEntry { protected, codec, .. } = &samples.track.entries[entry];
        let Some(entry) = protected.as_ref() else { return Ok(None) };
        let default = (entry.protection.scheme, &entry.protection.defaults);
        let (scheme, default) = self.overrides.map_or(default, |(scheme, own)| (*scheme, own));
        let encryption = grouped.unwrap_or(default);
        if !encryption.protected {
            return Ok(None);
        }
        check_pattern(samples.sbgp.unwrap_or(samples.owner), scheme, encryption)?;
        let protection = builder.protection(Protection {
            scope: samples.scope,
            scheme,
            pattern: encryption.pattern,
            kid: encryption.kid.clone(),
            iv_size: encryption.iv.per_sample(),
            codec: codec.clone().ok().flatten(),
        });
        Ok(Some((encryption, protection)))
    }
}

/// Where the bytes of a box lie.
pub(crate) fn range(boxed: &Mp4Box<'_, '_>) -> Range<u64> {
    boxed.at..boxed.end()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Plan,
        mp4::testing::{
            KID, Written, avc1, cbcs_moov, cenc_moov, encv, file, fragment, full, moof, moov,
            plans, senc, tenc, tenc_constant, told, trun, uuid,
        },
    };

    /// Plans a fragment of these boxes, with samples of 16, 32 and 48 bytes.
    fn plan_behind(moov: &Written, boxes: &[Written]) -> Result<Plan, Error> {
        let make = |offset| moof(&[[trun(offset, &[16, 32, 48])].as_slice(), boxes].concat());
        let plans = plans(&[moov.as_ref(), &fragment(make, &[0xda; 96])].concat())?;
        Ok(plans.into_iter().nth(1).unwrap())
    }

    /// The first octets of the IVs, and where they came from.
    fn ivs(plan: &Plan) -> (Vec<u8>, AuxInfo) {
        let ivs = plan.samples().iter().map(|sample| plan.iv(sample).as_bytes()[0]);
        (ivs.collect(), plan.scopes()[0].aux_info)
    }

    fn saiz(size: u8, count: u32) -> Written {
        full(b"saiz", 0, 0).u8(size).u32(count)
    }

    fn saio(offset: u32) -> Written {
        full(b"saio", 0, 0).u32(1).u32(offset)
    }

    /// `saiz` and `saio` for three IVs of eight bytes in the first boxes of the fragment.
    fn sizes_and_offsets() -> [Written; 2] {
        [saiz(8, 3), saio(8 + 8)]
    }

    #[test]
    fn senc_serves_before_what_saio_points_to() {
        let boxes = [[senc(3)].as_slice(), &sizes_and_offsets()].concat();
        let plan = plan_behind(&cenc_moov(), &boxes).unwrap();
        assert_eq!(ivs(&plan), (vec![0, 1, 2], AuxInfo::Senc));
    }

    #[test]
    fn what_saio_points_to_serves_where_senc_does_not() {
        let too_short = full(b"senc", 0, 0).u32(3).put([1; 23]);
        let with_tables = full(b"senc", 0, 2).u32(3).zeros(50);
        for senc in [None, Some(senc(2)), Some(too_short), Some(with_tables)] {
            let boxes = [senc.as_slice(), &sizes_and_offsets()].concat();
            let plan = plan_behind(&cenc_moov(), &boxes).unwrap();
            assert_eq!(plan.samples().len(), 3);
            assert_eq!(ivs(&plan).1, AuxInfo::Saio);
            // Nothing stays of the attempt that failed.
            assert_eq!((plan.protections().len(), plan.subsamples.len()), (1, 0));
        }
        // The header box is 101 bytes long, and that of the data 8.
        let in_data = [saiz(8, 3), saio(120)];
        let plan = plan_behind(&cenc_moov(), &in_data).unwrap();
        assert_eq!(ivs(&plan), (vec![0xda; 3], AuxInfo::SaioInData));
    }

    #[test]
    fn what_senc_lacks_is_told_if_nothing_else_serves() {
        let message = told(plan_behind(&cenc_moov(), &[senc(2)]));
        assert!(message.starts_with("`moof/traf/senc` at byte "), "{message}");
        assert!(message.ends_with(": fewer entries than there are samples"), "{message}");
        let message = told(plan_behind(&cenc_moov(), &[senc(2), saiz(8, 2), saio(16)]));
        assert!(message.ends_with(": fewer entries than there are samples"), "{message}");
        let newer = full(b"senc", 1, 0).u32(3).zeros(24);
        let message = told(plan_behind(&cenc_moov(), &[newer]));
        assert!(message.ends_with(": version 1 is not supported"), "{message}");
    }

    #[test]
    fn a_protected_sample_needs_an_iv_from_somewhere() {
        let moov = cenc_moov();
        let place = format!("`moof/traf` at byte {}", moov.len() + 8);
        let nothing = |sample| {
            format!("{place}: sample {sample} of track 1 is protected, but nothing holds its iv")
        };
        assert_eq!(told(plan_behind(&moov, &[])), nothing(0));
        let sizes = full(b"saiz", 0, 0).u8(0).u32(3).put([8, 0, 8]);
        assert_eq!(told(plan_behind(&moov, &[sizes, saio(16)])), nothing(1));
        // One of the two alone says nothing.
        assert_eq!(told(plan_behind(&moov, &[saiz(8, 3)])), nothing(0));
        assert_eq!(told(plan_behind(&moov, &[saio(16)])), nothing(0));
    }

    #[test]
    fn a_constant_iv_needs_no_auxiliary_information() {
        for boxes in [vec![], vec![full(b"senc", 0, 0).u32(3)]] {
            let plan = plan_behind(&cbcs_moov(), &boxes).unwrap();
            assert_eq!(ivs(&plan).0, [7, 7, 7]);
            assert!(plan.samples().iter().all(|sample| sample.subsamples.is_none()));
            assert_eq!(plan.protections()[0].iv_size, None);
        }
    }

    #[test]
    fn subsamples_cover_their_sample() {
        let senc = |protected: [u8; 3]| {
            protected.into_iter().fold(full(b"senc", 0, 2).u32(3), |senc, protected| {
                senc.u16(1).u16(6).u32(protected.into())
            })
        };
        let plan = plan_behind(&cbcs_moov(), &[senc([10, 26, 42])]).unwrap();
        let tables: Vec<_> =
            plan.samples().iter().map(|sample| sample.subsamples.clone()).collect();
        assert_eq!(tables, [Some(0..1), Some(1..2), Some(2..3)]);
        let message = told(plan_behind(&cbcs_moov(), &[senc([10, 26, 41])]));
        assert!(message.starts_with("`moof/traf/senc` at byte "), "{message}");
        assert!(
            message
                .ends_with(": sample 2 of track 1: subsamples cover 47 bytes of a 48-byte sample"),
            "{message}"
        );
        let no_table = full(b"senc", 0, 2).u32(3).zeros(6);
        let message = told(plan_behind(&cbcs_moov(), &[no_table]));
        assert!(message.ends_with("subsamples cover 0 bytes of a 16-byte sample"), "{message}");
        let in_blocks = moov(&[encv(b"cbc1", &tenc_constant(0))]);
        let message = told(plan_behind(&in_blocks, &[senc([10, 26, 42])]));
        assert!(message.ends_with("protects 10 bytes, cbc1 takes multiples of 16"), "{message}");
    }

    /// `sgpd` with entries that are told apart by their key ids, and `sbgp` with runs.
    fn groups(entries: &[[u8; 4]], runs: &[(u32, u32)]) -> [Written; 2] {
        let count = |len: usize| u32::try_from(len).unwrap();
        let mut sgpd = full(b"sgpd", 1, 0).put(b"seig").u32(20).u32(count(entries.len()));
        for (entry, octet) in entries.iter().zip(1..) {
            sgpd = sgpd.put(entry).put([octet; 16]);
        }
        let start = full(b"sbgp", 0, 0).put(b"seig").u32(count(runs.len()));
        let sbgp = runs.iter().fold(start, |sbgp, &(len, index)| sbgp.u32(len).u32(index));
        [sgpd, sbgp]
    }

    const PROTECTED: [u8; 4] = [0, 0, 1, 8];
    const CLEAR: [u8; 4] = [0, 0, 0, 0];

    #[test]
    fn groups_replace_the_default_of_the_track() {
        let groups = groups(&[PROTECTED, CLEAR], &[(1, 0x1_0001), (1, 0x1_0002)]);
        let plan = plan_behind(&cenc_moov(), &[&[senc(2)], groups.as_slice()].concat()).unwrap();
        let kids: Vec<_> =
            plan.protections().iter().map(|protection| protection.kid.clone()).collect();
        assert_eq!(kids, [[1; 16].into(), KID.into()]);
        let sizes: Vec<_> =
            plan.samples().iter().map(|sample| (sample.len, sample.protection)).collect();
        assert_eq!(sizes, [(16, 0), (48, 1)]);
        assert_eq!((plan.scopes()[0].protected, plan.scopes()[0].clear), (2, 1));
    }

    #[test]
    fn samples_of_a_group_share_a_protection() {
        let groups =
            groups(&[PROTECTED, PROTECTED], &[(1, 0x1_0002), (1, 0x1_0001), (1, 0x1_0002)]);
        let plan = plan_behind(&cenc_moov(), &[&[senc(3)], groups.as_slice()].concat()).unwrap();
        let kids: Vec<_> = plan.protections().iter().map(|protection| &protection.kid).collect();
        assert_eq!(kids, [&[2; 16].into(), &[1; 16].into()]);
        let protections: Vec<_> = plan.samples().iter().map(|sample| sample.protection).collect();
        assert_eq!(protections, [0, 1, 0]);
    }

    #[test]
    fn clear_samples_may_or_may_not_have_entries_in_senc() {
        let groups = groups(&[CLEAR], &[(1, 0x1_0001)]);
        for len in [16, 17, 24] {
            let senc = full(b"senc", 0, 0).u32(if len == 16 { 2 } else { 3 }).put(vec![5; len]);
            let plan = plan_behind(&cenc_moov(), &[&[senc], groups.as_slice()].concat()).unwrap();
            assert_eq!(ivs(&plan), (vec![5, 5], AuxInfo::Senc));
        }
        // With subsamples, the entry of a clear sample is an empty table.
        let entry = |senc: Written| senc.put([5; 8]).u16(1);
        let senc = entry(full(b"senc", 0, 2).u32(3).u16(0)).u16(2).u32(30);
        let senc = entry(senc).u16(8).u32(40);
        let plan = plan_behind(&cenc_moov(), &[&[senc], groups.as_slice()].concat()).unwrap();
        assert_eq!(ivs(&plan), (vec![5, 5], AuxInfo::Senc));
    }

    #[test]
    fn groups_fit_the_samples() {
        let message = |runs: &[(u32, u32)]| {
            let groups = groups(&[PROTECTED], runs);
            told(plan_behind(&cenc_moov(), &[&[senc(3)], groups.as_slice()].concat()))
        };
        let too_long = message(&[(4, 0)]);
        assert!(too_long.starts_with("`moof/traf/sbgp` at byte "), "{too_long}");
        assert!(too_long.ends_with(": its runs cover more than the 3 samples there are"));
        let missing = message(&[(3, 1)]);
        assert!(missing.ends_with(": no `seig` entry has the group index 1"), "{missing}");
    }

    #[test]
    fn a_group_with_a_pattern_contradicts_a_scheme_without() {
        let groups = groups(&[[0, 0x19, 1, 8]], &[(1, 0x1_0001)]);
        let boxes = [&[senc(3)], groups.as_slice()].concat();
        let message = told(plan_behind(&cenc_moov(), &boxes));
        assert!(message.starts_with("`moof/traf/sbgp` at byte "), "{message}");
        assert!(message.ends_with(": pattern 1:9 with scheme cenc, which takes none"), "{message}");
        let cens = moov(&[encv(b"cens", &tenc(8))]);
        assert_eq!(
            plan_behind(&cens, &boxes).unwrap().protections()[0].pattern,
            Pattern::new(1, 9).unwrap()
        );
    }

    #[test]
    fn groups_do_not_protect_a_clear_sample_entry() {
        let moov = moov(&[avc1(), encv(b"cenc", &tenc(8))]);
        let groups = groups(&[PROTECTED], &[(3, 0x1_0001)]);
        let plan = plan_behind(&moov, &groups).unwrap();
        assert_eq!((plan.samples().len(), plan.scopes()[0].clear), (0, 3));
    }

    #[test]
    fn a_piff_box_overrides_the_track_for_its_fragment() {
        let overriding = uuid(PIFF_SAMPLES, 1).put([0, 0, 2, 16]).put([4; 16]).u32(3).put([9; 48]);
        let plan = plan_behind(&cenc_moov(), &[overriding]).unwrap();
        assert_eq!(ivs(&plan), (vec![9; 3], AuxInfo::Piff));
        let protection = &plan.protections()[0];
        assert_eq!((protection.scheme, protection.iv_size), (Scheme::Cbc1, Some(16)));
        assert_eq!(protection.kid, [4; 16].into());
        let clear = uuid(PIFF_SAMPLES, 1).put([0; 20]).u32(3);
        let plan = plan_behind(&cenc_moov(), &[clear]).unwrap();
        assert_eq!((plan.scopes()[0].protected, plan.scopes()[0].clear), (0, 3));
    }

    #[test]
    fn empty_samples_have_an_iv_all_the_same() {
        let make = |offset| moof(&[trun(offset, &[0, 8, 0, 8]), senc(4)]);
        let plans = plans(&[cenc_moov().as_ref(), &fragment(make, &[0; 16])].concat()).unwrap();
        assert_eq!(ivs(&plans[1]), (vec![1, 3], AuxInfo::Senc));
        assert_eq!(plans[1].scopes()[0].protected, 4);
        let make = |offset| moof(&[trun(offset, &[0, 8, 0, 8]), senc(3)]);
        let short = [cenc_moov(), make(0)];
        assert!(crate::mp4::testing::plans(&file(&short)).is_err());
    }

    #[test]
    fn runs_count_and_sum_their_samples() {
        let records: Vec<u8> = (0..24).collect();
        let table = RunSizes::Table { records: &records, stride: 12, offset: 4 };
        assert_eq!(table.iter().collect::<Vec<_>>(), [0x0405_0607, 0x1011_1213]);
        assert_eq!((table.count(), table.total()), (2, 0x0405_0607 + 0x1011_1213));
        let constant = RunSizes::Constant { size: u32::MAX, count: u32::MAX };
        assert_eq!(constant.total(), u64::from(u32::MAX) * u64::from(u32::MAX));
        let bounded = |size, count| RunSizes::Constant { size, count }.is_bounded();
        assert!(bounded(0, 1024) && !bounded(0, 1025) && bounded(1, u32::MAX));
        assert!(table.is_bounded());
    }
}
