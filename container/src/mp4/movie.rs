//! The movie header: tracks, what protects them, and what is changed in them
//! (ISO/IEC 14496-12, 8.2).
//!
//! Mozilla's `mp4parse` reads this box too, and the tests hold the two against each other. It does
//! not serve here: it refuses entries it finds unusual, drops the protection of codecs it does not
//! know (HEVC, E-AC-3), reads no sample groups, no PIFF and no fragments, and tells no offsets.

use clearkey::KeyId;

use crate::{
    Error, FourCc,
    mp4::{
        Stop,
        aux_info::{PIFF_SAMPLES, is_encryption},
        boxes::Mp4Box,
        builder::Builder,
        groups::{Descriptions, is_seig},
        input::Input,
        protection::IvSource,
        sample_entry::{SampleEntry, sample_entries},
        sample_table,
        samples::range,
    },
    plan::{EntryProtection, EntrySummary, Scope},
};

/// A track, as the movie header declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Track {
    /// Track id.
    pub id: u32,
    /// Handler type: `vide`, `soun`, `text`…
    pub handler: FourCc,
    /// Its sample entries. A clear lead has one of its own.
    pub entries: Vec<EntrySummary>,
}

/// What fragments need to know of the movie they belong to.
#[derive(Clone, Debug)]
pub(crate) struct Movie {
    pub(crate) tracks: Vec<MovieTrack>,
    pub(crate) is_fragmented: bool,
}

impl Movie {
    pub(crate) fn is_protected(&self) -> bool {
        self.tracks.iter().any(MovieTrack::is_protected)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct MovieTrack {
    pub(crate) id: u32,
    pub(crate) entries: Vec<SampleEntry>,
    /// The `seig` descriptions in the sample table.
    pub(crate) groups: Option<Descriptions>,
    pub(crate) defaults: TrackExtends,
    /// The scheme types of its sample entries.
    pub(crate) scheme_types: Vec<FourCc>,
}

/// The defaults of `trex` (8.8.3).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TrackExtends {
    track: u32,
    pub(crate) description_index: u32,
    pub(crate) sample_size: u32,
}

impl MovieTrack {
    pub(crate) fn is_protected(&self) -> bool {
        self.entries.iter().any(|entry| entry.protected.is_some())
    }

    /// A scope for samples of this track.
    pub(crate) fn scope(&self) -> Scope {
        let protected = self.entries.iter().filter_map(|entry| entry.protected.as_ref());
        let kids = protected.map(|entry| &entry.protection.defaults.kid);
        let mut default_kids: Vec<KeyId> = kids.filter(|kid| !kid.is_zero()).cloned().collect();
        default_kids.dedup();
        Scope { track: self.id, default_kids, ..Scope::default() }
    }
}

/// Plans a `moov` box, and the samples that its tables describe.
pub(crate) fn plan(
    moov: &Mp4Box<'_, '_>,
    builder: &mut Builder,
    input: &mut Input<'_>,
) -> Result<Movie, Stop> {
    let (mut tracks, mut extends) = (Vec::new(), None);
    let edits = builder.plan.edits.len();
    for child in moov.children() {
        let child = child?;
        match &child.kind.0 {
            b"trak" => tracks.push(plan_track(&child, builder, input)?),
            b"mvex" => extends = Some(track_extends(&child)?),
            _ => _ = builder.pssh(&child)?,
        }
    }
    let is_fragmented = extends.is_some();
    for defaults in extends.into_iter().flatten() {
        for track in tracks.iter_mut().filter(|track| track.id == defaults.track) {
            track.defaults = defaults;
        }
    }
    let mut ids: Vec<_> = tracks.iter().map(|track| track.id).collect();
    ids.sort_unstable();
    if ids.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(moov.malformed("two tracks with the same id").into());
    }
    let movie = Movie { tracks, is_fragmented };
    if !movie.is_protected() {
        // A clear file is returned as it is.
        builder.plan.edits.truncate(edits);
    }
    Ok(movie)
}

fn track_extends(mvex: &Mp4Box<'_, '_>) -> Result<Vec<TrackExtends>, Error> {
    let mut all = Vec::new();
    for trex in mvex.children() {
        let trex = trex?;
        if trex.kind == *b"trex" {
            let mut fields = trex.fields();
            fields.version_and_flags()?;
            let track = fields.u32("track_ID")?;
            let description_index = fields.u32("default_sample_description_index")?;
            fields.u32("default_sample_duration")?;
            let sample_size = fields.u32("default_sample_size")?;
            all.push(TrackExtends { track, description_index, sample_size });
        }
    }
    Ok(all)
}

fn plan_track(
    trak: &Mp4Box<'_, '_>,
    builder: &mut Builder,
    input: &mut Input<'_>,
) -> Result<MovieTrack, Stop> {
    let id = track_id(&trak.need(b"tkhd")?)?;
    let mdia = trak.need(b"mdia")?;
    let handler = handler(&mdia)?;
    let minf = mdia.need(b"minf")?;
    let stbl = minf.need(b"stbl")?;
    let entries = sample_entries(&stbl.need(b"stsd")?)?;
    let summaries = entries.iter().map(summary).collect();
    builder.plan.tracks.push(Track { id, handler, entries: summaries });

    let protected = entries.iter().filter_map(|entry| entry.protected.as_ref());
    let scheme_types = protected.map(|entry| entry.protection.scheme_type).collect();
    let defaults = TrackExtends { description_index: 1, ..TrackExtends::default() };
    let mut track = MovieTrack { id, entries, groups: None, defaults, scheme_types };
    let scope = builder.scope(track.scope());
    if !track.is_protected() {
        let samples = sample_table::count(&stbl)?;
        builder.scope_found(scope, 0, samples, crate::AuxInfo::None);
        return Ok(track);
    }
    for entry in &track.entries {
        if let Some(protected) = &entry.protected {
            builder.overwrite(scope, protected.type_at, &entry.format.0);
            for sinf in &protected.sinf {
                builder.discard(Some(scope), sinf.clone());
            }
        }
    }
    for child in stbl.children() {
        let child = child?;
        if child.kind == *b"sgpd" && is_seig(&child)? {
            if track.groups.is_some() {
                return Err(child.malformed("a second `seig` description").into());
            }
            track.groups = Some(Descriptions::read(&child)?);
        }
    }
    sample_table::plan(trak, &stbl, &track, scope, builder, input)?;
    Ok(track)
}

/// Discards `boxed`, a child of a track fragment, sample table or track, if decryption leaves it
/// without a purpose.
pub(crate) fn discard_if_protection(
    boxed: &Mp4Box<'_, '_>,
    track: &MovieTrack,
    scope: u32,
    builder: &mut Builder,
) -> Result<(), Error> {
    let is_protection = match &boxed.kind.0 {
        b"senc" => true,
        b"uuid" => boxed.is_uuid(&PIFF_SAMPLES),
        b"saiz" | b"saio" => is_encryption(boxed, &track.scheme_types)?,
        b"sgpd" | b"sbgp" => is_seig(boxed)?,
        b"csgp" if is_seig(boxed)? => {
            return Err(boxed.unsupported("a compact sample group of type `seig`"));
        }
        _ => false,
    };
    if is_protection {
        builder.discard(Some(scope), range(boxed));
    }
    Ok(())
}

fn track_id(tkhd: &Mp4Box<'_, '_>) -> Result<u32, Error> {
    let mut fields = tkhd.fields();
    let (version, _) = fields.version_and_flags()?;
    fields.u32_or_u64(version == 1, "creation_time")?;
    fields.u32_or_u64(version == 1, "modification_time")?;
    fields.u32("track_ID")
}

fn handler(mdia: &Mp4Box<'_, '_>) -> Result<FourCc, Error> {
    let hdlr = mdia.need(b"hdlr")?;
    let mut fields = hdlr.fields();
    fields.version_and_flags()?;
    fields.u32("pre_defined")?;
    fields.array("handler_type").map(FourCc)
}

fn summary(entry: &SampleEntry) -> EntrySummary {
    let protection = entry.protected.as_ref().map(|entry| {
        let defaults = &entry.protection.defaults;
        EntryProtection {
            scheme_type: entry.protection.scheme_type,
            scheme: entry.protection.scheme,
            is_protected: defaults.protected,
            kid: defaults.kid.clone(),
            pattern: defaults.pattern,
            iv_size: defaults.iv.per_sample(),
            constant_iv: match defaults.iv {
                IvSource::Constant(iv) => Some(iv),
                IvSource::PerSample(_) | IvSource::None => None,
            },
        }
    });
    EntrySummary { format: entry.format, protection }
}
