//! The samples of one track in one unit, wherever their sizes and places were found: which of them
//! are protected, with what, and where their IVs are.

use std::{collections::HashMap, ops::Range};

use cenc::{Iv, Pattern, Scheme};
use clearkey::KeyId;

use crate::{
    Error, Place, limits,
    mp4::{
        Stop,
        aux_info::{AuxReader, PIFF_SAMPLES, Senc, SizesAndOffsets},
        boxes::Mp4Box,
        builder::Builder,
        groups::{Assignment, Groups},
        input::Input,
        movie::MovieTrack,
        protection::{Encryption, IvSource, check_pattern},
    },
    plan::{AuxInfo, Protection},
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

    fn iter(&self) -> impl Iterator<Item = u32> + '_ {
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

impl<'d> TrackSamples<'d, '_> {
    /// Adds the samples to the plan.
    ///
    /// `senc` serves if it is consistent, otherwise what `saiz` and `saio` describe: files exist in
    /// which only one of the two is there, or right.
    pub(crate) fn plan(&self, builder: &mut Builder, input: &mut Input<'_>) -> Result<(), Stop> {
        for run in &self.runs {
            if !run.sizes.is_bounded() {
                return Err(Stop::Failed(Error::Limit {
                    place: self.owner.place(),
                    what: "the number of empty samples in a run",
                    value: run.sizes.count(),
                    limit: limits::EMPTY_RUN,
                }));
            }
            builder.claim(run.at, run.sizes.total(), self.track.id, || self.owner.place())?;
        }
        if !self.track.is_protected() {
            let clear = self.runs.iter().map(|run| run.sizes.count()).sum();
            builder.scope_found(self.scope, 0, clear, AuxInfo::None);
            return Ok(());
        }
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
                            |source| Error::Sample { place: place.clone(), track, sample, source },
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
        let Some(entry) = samples.track.entries[entry].protected.as_ref() else { return Ok(None) };
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
        });
        Ok(Some((encryption, protection)))
    }
}

/// Where the bytes of a box lie.
pub(crate) fn range(boxed: &Mp4Box<'_, '_>) -> Range<u64> {
    boxed.at..boxed.end()
}
