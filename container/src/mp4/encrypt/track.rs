//! A track that is being encrypted, sample by sample.

use std::{collections::BTreeMap, sync::Arc};

use cenc::Scheme;

use super::{
    aux_info::{AuxInfo, Kind},
    boxes::piff_triple,
    sample_data::SampleData,
};
use crate::{
    Error, Place,
    encrypt::{Ivs, SampleMap, Schedule, Settings, TrackSettings},
    mp4::{
        aux_info::PIFF_SAMPLES, aux_info::is_encryption, boxes::Mp4Box, builder::Builder,
        groups::is_seig, input::Input, movie::MovieTrack, samples::Run,
    },
    plan::Protection,
    stop::Stop,
};

/// What is known of the track between its units.
#[derive(Clone, Debug)]
pub(super) struct EncryptedTrack {
    pub(super) settings: TrackSettings,
    pub(super) scheme: Scheme,
    pub(super) piff: bool,
    pub(super) schedule: Schedule,
    /// Decode time of what comes next, where it does not say so itself.
    pub(super) time: u64,
    pub(super) ivs: Ivs,
    /// One for each sample entry.
    maps: Vec<SampleMap>,
    codecs: Vec<Option<Arc<codec::Codec>>>,
}

/// What becomes of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// It stays clear, as a part of the clear lead.
    Lead,
    /// It is encrypted with the key of that index.
    Key(usize),
}

/// Where samples are written down.
pub(super) struct Unit<'u, 'i> {
    pub(super) scope: u32,
    pub(super) builder: &'u mut Builder,
    pub(super) input: &'u Input<'i>,
    pub(super) data: &'u mut SampleData,
    /// The protections of the unit: sample entry, index of the key, index in the plan.
    known: BTreeMap<(usize, usize), u32>,
    protected: u64,
    clear: u64,
}

impl<'u, 'i> Unit<'u, 'i> {
    pub(super) fn new(
        track: &MovieTrack,
        builder: &'u mut Builder,
        input: &'u Input<'i>,
        data: &'u mut SampleData,
    ) -> Self {
        let scope = builder.scope(track.scope());
        Self { scope, builder, input, data, known: BTreeMap::new(), protected: 0, clear: 0 }
    }

    /// Says how many samples there were.
    pub(super) fn finish(self, found: crate::AuxInfo) {
        self.builder.scope_found(self.scope, self.protected, self.clear, found);
    }
}

impl EncryptedTrack {
    /// # Errors
    /// If what the codec says is not understood.
    pub(super) fn new(
        settings: &Settings,
        of_track: &TrackSettings,
        track: &MovieTrack,
        stsd: &Mp4Box<'_, '_>,
        timescale: u32,
        ivs: Option<Ivs>,
    ) -> Result<Self, Error> {
        let (scheme, id) = (settings.scheme, track.id);
        let codecs = track.entries.iter().map(|entry| {
            let place = stsd.place();
            entry.codec.clone().map_err(|reason| Error::Codec { place, track: id, reason })
        });
        let codecs: Vec<_> = codecs.collect::<Result<_, _>>()?;
        let maps = codecs.iter().map(|codec| SampleMap::new(codec.as_deref(), scheme)).collect();
        Ok(Self {
            settings: of_track.clone(),
            scheme,
            piff: settings.piff,
            schedule: Schedule::new(settings, of_track.keys.len(), timescale),
            time: 0,
            ivs: ivs.unwrap_or_else(|| Ivs::new(of_track.iv, scheme)),
            maps,
            codecs,
        })
    }

    /// An empty list of auxiliary information for samples of these entries.
    pub(super) fn aux_info(&self, entries: impl Iterator<Item = usize>, has_lead: bool) -> AuxInfo {
        let mut entries = entries;
        let mapped = entries.any(|entry| self.maps[entry].has_subsamples());
        AuxInfo::new(self.ivs.per_sample(), mapped || has_lead)
    }

    /// The box for auxiliary information where samples have that key.
    pub(super) fn aux_kind(&self, key: usize) -> Kind {
        let overrides = self.settings.keys.get(key).filter(|_| self.schedule.rotates());
        let triple = |kid| piff_triple(self.scheme, self.settings.iv, kid);
        match self.piff {
            true => Kind::Piff(overrides.map(|key| triple(&key.kid))),
            false => Kind::Senc,
        }
    }

    /// Takes the samples of a run, each with its turn. Without `aux`, they are of a clear sample entry.
    pub(super) fn run(
        &mut self,
        run: &Run<'_>,
        mut turn: impl FnMut() -> Turn,
        mut aux: Option<&mut AuxInfo>,
        unit: &mut Unit<'_, '_>,
    ) -> Result<(), Stop> {
        let mut at = run.at;
        for len in run.sizes.iter() {
            let turn = turn();
            let start = unit.builder.subsamples().len();
            self.map(run.entry, turn, (at, len), aux.as_deref(), unit)?;
            match aux.as_deref_mut() {
                Some(aux) => self.sample(run.entry, turn, (at, len), start, aux, unit)?,
                None => {
                    unit.builder.subsamples().truncate(start);
                    unit.clear += 1;
                }
            }
            at += u64::from(len);
        }
        Ok(())
    }

    /// Adds the subsamples of the next sample to the plan's list.
    ///
    /// Those of the clear lead are looked at, too: some codecs' samples can only be read by who has read
    /// those before.
    fn map(
        &mut self,
        entry: usize,
        turn: Turn,
        (at, len): (u64, u32),
        aux: Option<&AuxInfo>,
        unit: &mut Unit<'_, '_>,
    ) -> Result<(), Stop> {
        let (map, list) = (&mut self.maps[entry], unit.builder.subsamples());
        let (start, size) = (list.len(), len as usize);
        if map.has_subsamples() && len > 0 {
            let sample = unit.data.fetch(at, len, unit.input)?;
            map.map(sample, list).map_err(|reason| {
                let place = Place { path: "mdat".to_owned(), at };
                Error::Codec { place, track: self.settings.track, reason }
            })?;
        }
        if aux.is_some_and(|aux| aux.has_subsamples) {
            if turn == Turn::Lead {
                list.truncate(start);
                map.clear(size, list);
            } else if !map.has_subsamples() && len > 0 {
                map.whole(size, list);
            }
        }
        Ok(())
    }

    /// Adds the next sample, whose subsamples are in the plan's list from `start` on.
    fn sample(
        &mut self,
        entry: usize,
        turn: Turn,
        (at, len): (u64, u32),
        start: usize,
        aux: &mut AuxInfo,
        unit: &mut Unit<'_, '_>,
    ) -> Result<(), Error> {
        let track = self.settings.track;
        let list = unit.builder.subsamples();
        let (end, subsamples) = (list.len(), list.get(start..).unwrap_or_default());
        let protected = match aux.has_subsamples {
            true => subsamples.iter().map(|subsample| u64::from(subsample.protected)).sum(),
            false => u64::from(len),
        };
        let iv = self.ivs.next(protected);
        let place = || Place { path: "mdat".to_owned(), at };
        aux.push(&iv, subsamples).map_err(|count| Error::Limit {
            place: place(),
            what: "the number of subsamples",
            value: count as u64,
            limit: u16::MAX.into(),
        })?;
        let Turn::Key(key) = turn else {
            list.truncate(start);
            unit.builder.still(at, len, track);
            unit.clear += 1;
            return Ok(());
        };
        unit.protected += 1;
        if protected == 0 {
            list.truncate(start);
            unit.builder.still(at, len, track);
            return Ok(());
        }
        let protection = self.protection(entry, key, unit);
        let range = aux.has_subsamples.then_some(start..end);
        let sample = unit.protected + unit.clear - 1;
        unit.builder.sample(at, len, protection, iv, range).map_err(|reason| Error::Sample {
            place: place(),
            track,
            sample,
            reason,
        })
    }

    fn protection(&self, entry: usize, key: usize, unit: &mut Unit<'_, '_>) -> u32 {
        if let Some(protection) = unit.known.get(&(entry, key)) {
            return *protection;
        }
        let protection = unit.builder.protection(Protection {
            scope: unit.scope,
            scheme: self.scheme,
            pattern: self.settings.pattern,
            kid: self.settings.keys[key].kid.clone(),
            iv_size: self.ivs.per_sample(),
            codec: self.codecs[entry].clone(),
        });
        unit.known.insert((entry, key), protection);
        protection
    }
}

/// Refuses a box that says that samples of a track are protected.
pub(super) fn refuse_protection(boxed: &Mp4Box<'_, '_>, track: u32) -> Result<(), Error> {
    let speaks_of_it = match &boxed.kind.0 {
        b"senc" => true,
        b"uuid" => boxed.is_uuid(&PIFF_SAMPLES),
        b"saiz" | b"saio" => is_encryption(boxed, &[])?,
        b"sgpd" | b"sbgp" | b"csgp" => is_seig(boxed)?,
        _ => false,
    };
    match speaks_of_it {
        true => Err(Error::AlreadyProtected { place: boxed.place(), track }),
        false => Ok(()),
    }
}
