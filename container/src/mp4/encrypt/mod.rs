//! Plans how an MP4 file is encrypted: which samples, and what goes into its boxes
//! (ISO/IEC 23001-7; PIFF 1.1).
//!
//! A clear lead is cut at fragments: those in it name a second, clear sample entry. So their samples
//! need no key, and every reader that knows several sample entries reads them; groups of clear samples
//! (`seig`) are read by few. Without fragments, samples of the lead have subsamples that protect
//! nothing, because readers take the IVs of a sample table to be all of one size.
//!
//! Keys that take turns are told by `seig` groups, which are a fragment's own; in PIFF, by what the
//! sample box overrides.

mod aux_info;
mod boxes;
mod fragment;
mod movie;
mod sample_data;
mod sample_table;
mod track;

#[cfg(test)]
mod testing;

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    Error, ReadAt, ReadyPlan,
    encrypt::{Ivs, Ordered, Settings},
    mp4::{
        boxes::Mp4Box,
        builder::Builder,
        input::Input,
        planner::{NO_MOVIE, no_init},
        unit::{self, Headers},
    },
    stop::Stop,
};

/// Plans an MP4 file unit by unit, so that it can be encrypted.
#[derive(Clone, Debug)]
pub struct Encryptor {
    settings: Ordered,
    at: u64,
    state: State,
}

/// What units need of those before.
#[derive(Clone, Debug, Default)]
struct State {
    movie: Option<super::movie::Movie>,
    tracks: BTreeMap<u32, track::EncryptedTrack>,
    /// The IVs of tracks of earlier movies: none may come twice.
    ivs: BTreeMap<u32, Ivs>,
    data: sample_data::SampleData,
    /// Bytes by which the units before make the file longer.
    grown: i64,
}

impl Encryptor {
    /// An encryptor for one file, from its start.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { settings: settings.into(), at: 0, state: State::default() }
    }

    /// Plans the unit that follows the last one; `None` at the end of the input.
    ///
    /// # Errors
    /// What is wrong with the settings or the input. The encryptor is of no use after an error.
    pub fn next_unit(&mut self, input: &dyn ReadAt) -> Result<Option<ReadyPlan>, Error> {
        let is_first = self.at == 0;
        if is_first {
            self.settings.check()?;
            check_kids(&self.settings)?;
        }
        let mut input = Input::new(input, true, self.at);
        match self.plan(&mut input) {
            Ok(None) if self.state.movie.is_some() => Ok(None),
            Ok(None) => Err(input.not_mp4().unwrap_or(NO_MOVIE)),
            Ok(planned) => Ok(planned),
            Err(stop) => {
                let error = stop.of_whole(self.at);
                Err(input.not_mp4().filter(|_| is_first).unwrap_or(error))
            }
        }
    }

    fn plan(&mut self, input: &mut Input<'_>) -> Result<Option<ReadyPlan>, Stop> {
        if self.at >= input.end() {
            return Ok(None);
        }
        let header = input.header(self.at)?;
        let speaks = match &header.kind.0 {
            b"moov" | b"moof" => true,
            // The sample table may come behind the samples.
            b"mdat" => self.state.movie.is_none(),
            _ => false,
        };
        let mut encrypting = Encrypting { settings: &self.settings, state: &mut self.state };
        let plan = if speaks {
            unit::gather(&mut encrypting, self.at, input)?
        } else {
            let end = input.box_end(&header, self.at)?;
            let mut builder = Builder::new(self.at, None);
            unit::check_open_end(&header, self.at, end, &builder, &encrypting)?;
            if self.settings.piff && header.kind == *b"ftyp" {
                let body = input.body(&header, self.at, end)?;
                claim_brand(&Mp4Box::top(&header, self.at, &body), &mut builder);
            }
            builder.finish(end)?
        };
        self.at = plan.range.end;
        self.state.grown += plan.edits.iter().map(aux_info::growth).sum::<i64>();
        Ok(Some(plan.resolve(&self.settings, &BTreeSet::new())?))
    }
}

/// `tenc` has room for key ids of 16 octets.
fn check_kids(settings: &Settings) -> Result<(), Error> {
    for track in &settings.tracks {
        if let Some(key) = track.keys.iter().find(|key| key.kid.as_bytes().len() != 16) {
            let what = format!("key id {} does not have 16 octets", key.kid);
            return Err(Error::Settings { what });
        }
    }
    Ok(())
}

/// Lets `ftyp` say that the file is one of PIFF, which readers look for (PIFF 1.1, 5.1).
fn claim_brand(ftyp: &Mp4Box<'_, '_>, builder: &mut Builder) {
    if !ftyp.body.chunks_exact(4).any(|brand| brand == b"piff") {
        builder.insert(None, ftyp.end(), ftyp.at, b"piff".to_vec());
    }
}

/// Plans what is to be protected.
struct Encrypting<'e> {
    settings: &'e Ordered,
    state: &'e mut State,
}

impl Headers for Encrypting<'_> {
    fn has_movie(&self) -> bool {
        self.state.movie.is_some()
    }

    fn needs_all_fragments(&self) -> bool {
        self.state.movie.as_ref().is_none_or(|movie| movie.is_fragmented)
    }

    fn moov(
        &mut self,
        moov: &Mp4Box<'_, '_>,
        builder: &mut Builder,
        input: &mut Input<'_>,
    ) -> Result<(), Stop> {
        let movie = super::movie::plan(moov, &mut Builder::new(0, Some(input.end())), input)?;
        let State { tracks, ivs, data, grown, .. } = &mut *self.state;
        ivs.extend(std::mem::take(tracks).into_iter().map(|(id, track)| (id, track.ivs)));
        let grown = *grown + builder.plan.edits.iter().map(aux_info::growth).sum::<i64>();
        let encryptor =
            movie::MovieEncryptor { settings: self.settings, ivs, grown, data, builder, input };
        *tracks = encryptor.plan(moov, &movie)?;
        self.state.movie = Some(movie);
        Ok(())
    }

    fn moof(
        &mut self,
        moof: &Mp4Box<'_, '_>,
        builder: &mut Builder,
        input: &mut Input<'_>,
    ) -> Result<(), Stop> {
        let State { movie, tracks, data, .. } = &mut *self.state;
        let movie = movie.as_ref().ok_or_else(|| no_init(moof))?;
        fragment::plan(moof, movie, tracks, data, builder, input)
    }
}
