//! The movie header: tracks, what protects them, and what is changed in them
//! (ISO/IEC 14496-12, 8.2).
//!
//! Mozilla's `mp4parse` reads this box too, and the tests hold the two against each other. It does
//! not serve here: it refuses entries it finds unusual, drops the protection of codecs it does not
//! know (HEVC, E-AC-3), reads no sample groups, no PIFF and no fragments, and tells no offsets.

use std::sync::Arc;

use clearkey::KeyId;

use crate::{
    Error, FourCc,
    mp4::{
        boxes::Mp4Box,
        builder::Builder,
        groups::Descriptions,
        input::Input,
        protection::IvSource,
        protection_boxes::ProtectionBoxes,
        sample_entry::{SampleEntry, sample_entries},
        sample_table,
    },
    plan::{EntryProtection, EntrySummary, Scope, Track},
    stop::Stop,
};

/// What fragments need to know of the movie they belong to.
#[derive(Clone, Debug)]
pub(crate) struct Movie {
    pub(crate) tracks: Vec<MovieTrack>,
    /// Their ids, sorted, and where they are.
    by_id: Vec<(u32, usize)>,
    pub(crate) is_fragmented: bool,
}

impl Movie {
    pub(crate) fn track(&self, id: u32) -> Option<&MovieTrack> {
        find(&self.by_id, id).map(|at| &self.tracks[at])
    }

    pub(crate) fn is_protected(&self) -> bool {
        self.tracks.iter().any(MovieTrack::is_protected)
    }
}

fn find(by_id: &[(u32, usize)], id: u32) -> Option<usize> {
    by_id.binary_search_by_key(&id, |(id, _)| *id).ok().map(|found| by_id[found].1)
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
    /// What [`Scope::default_kids`] says.
    pub(crate) default_kids: Arc<[KeyId]>,
}

/// The defaults of `trex` (8.8.3).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TrackExtends {
    pub(crate) track: u32,
    pub(crate) description_index: u32,
    pub(crate) sample_duration: u32,
    pub(crate) sample_size: u32,
    pub(crate) sample_flags: u32,
}

impl MovieTrack {
    pub(crate) fn is_protected(&self) -> bool {
        self.entries.iter().any(|entry| entry.protected.is_some())
    }

    /// A scope for samples of this track.
    pub(crate) fn scope(&self) -> Scope {
        let default_kids = Arc::clone(&self.default_kids);
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
        child.refuse_top_level()?;
        match &child.kind.0 {
            b"trak" => tracks.push(plan_track(&child, builder, input)?),
            b"mvex" => extends = Some(track_extends(&child)?),
            _ => _ = builder.pssh(&child)?,
        }
    }
    let is_fragmented = extends.is_some();
    let mut by_id: Vec<_> = tracks.iter().enumerate().map(|(at, track)| (track.id, at)).collect();
    by_id.sort_unstable();
    if by_id.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        return Err(moov.malformed("two tracks with the same id").into());
    }
    for defaults in extends.into_iter().flatten() {
        if let Some(at) = find(&by_id, defaults.track) {
            tracks[at].defaults = defaults;
        }
    }
    let movie = Movie { tracks, by_id, is_fragmented };
    if !movie.is_protected() {
        // A clear file is returned as it is.
        builder.plan.edits.truncate(edits);
    }
    Ok(movie)
}

pub(crate) fn track_extends(mvex: &Mp4Box<'_, '_>) -> Result<Vec<TrackExtends>, Error> {
    let mut all = Vec::new();
    for trex in mvex.children() {
        let trex = trex?;
        if trex.kind == *b"trex" {
            let mut fields = trex.fields();
            fields.version_and_flags()?;
            let track = fields.u32("track_ID")?;
            let description_index = fields.u32("default_sample_description_index")?;
            let sample_duration = fields.u32("default_sample_duration")?;
            let sample_size = fields.u32("default_sample_size")?;
            let sample_flags = fields.u32("default_sample_flags")?;
            all.push(TrackExtends {
                track,
                description_index,
                sample_duration,
                sample_size,
                sample_flags,
            });
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
    let default_kids = default_kids(&entries);
    let mut track = MovieTrack { id, entries, groups: None, defaults, scheme_types, default_kids };
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
    let mut boxes = ProtectionBoxes::default();
    // GPAC puts `senc` into the track.
    for child in stbl.children().chain(trak.children()) {
        boxes.take(child?, &track, scope, builder)?;
    }
    track.groups = boxes.descriptions()?;
    sample_table::plan(&stbl, &boxes, &track, scope, builder, input)?;
    Ok(track)
}

/// Those of protected sample entries, in order.
fn default_kids(entries: &[SampleEntry]) -> Arc<[KeyId]> {
    let protected = entries.iter().filter_map(|entry| entry.protected.as_ref());
    let kids = protected.map(|entry| &entry.protection.defaults.kid);
    let mut kids: Vec<KeyId> = kids.filter(|kid| !kid.is_zero()).cloned().collect();
    kids.dedup();
    kids.into()
}

pub(crate) fn track_id(tkhd: &Mp4Box<'_, '_>) -> Result<u32, Error> {
    let mut fields = tkhd.fields();
    let (version, _) = fields.version_and_flags()?;
    fields.u32_or_u64(version == 1, "creation_time")?;
    fields.u32_or_u64(version == 1, "modification_time")?;
    fields.u32("track_ID")
}

pub(crate) fn handler(mdia: &Mp4Box<'_, '_>) -> Result<FourCc, Error> {
    let hdlr = mdia.need(b"hdlr")?;
    let mut fields = hdlr.fields();
    fields.version_and_flags()?;
    fields.u32("pre_defined")?;
    fields.array("handler_type").map(FourCc)
}

/// Units of time in a second, of `mdhd` (8.4.2).
pub(crate) fn timescale(mdia: &Mp4Box<'_, '_>) -> Result<u32, Error> {
    let mdhd = mdia.need(b"mdhd")?;
    let mut fields = mdhd.fields();
    let (version, _) = fields.version_and_flags()?;
    fields.u32_or_u64(version == 1, "creation_time")?;
    fields.u32_or_u64(version == 1, "modification_time")?;
    match fields.u32("timescale")? {
        0 => Err(mdhd.malformed("timescale is 0")),
        timescale => Ok(timescale),
    }
}

pub(crate) fn summary(entry: &SampleEntry) -> EntrySummary {
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
    EntrySummary { format: entry.format.to_string(), protection }
}

#[cfg(test)]
mod tests {
    use cenc::{Iv, Pattern, Scheme};

    use super::*;
    use crate::{
        Change, Plan,
        mp4::testing::{
            KID, Written, avc1, cenc_moov, empty_table, encv, fragment, full, moof, mvex, plain,
            plans, senc, stsd, tenc, tenc_constant, told, trak, trun,
        },
    };

    fn plan_of(moov: &Written) -> Result<Plan, Error> {
        plans(moov.as_ref()).map(|mut plans| plans.remove(0))
    }

    #[test]
    fn tracks_are_what_the_header_declares() {
        let constant = encv(b"cbcs", &tenc_constant(0x19));
        let traks = [
            trak(7, &empty_table(&[avc1(), encv(b"cenc", &tenc(8))])),
            trak(1, &empty_table(&[constant])),
            trak(3, &empty_table(&[plain(b"stpp")])),
        ];
        let moov = traks.iter().fold(plain(b"moov"), Written::put).put(mvex(1));
        let plan = plan_of(&moov).unwrap();
        let [seven, one, three] = plan.tracks() else { panic!("{:?}", plan.tracks()) };
        assert_eq!((seven.id, seven.handler), (7, FourCc(*b"vide")));
        assert_eq!(seven.entries[0], EntrySummary { format: "avc1".to_owned(), protection: None });
        assert_eq!(
            seven.entries[1].protection,
            Some(EntryProtection {
                scheme_type: FourCc(*b"cenc"),
                scheme: Scheme::Cenc,
                is_protected: true,
                kid: KID.into(),
                pattern: Pattern::NONE,
                iv_size: Some(8),
                constant_iv: None,
            })
        );
        let protection = one.entries[0].protection.as_ref().unwrap();
        assert_eq!(protection.pattern, Pattern::new(1, 9).unwrap());
        assert_eq!(protection.constant_iv, Some(Iv::new(&[7; 8]).unwrap()));
        assert_eq!(protection.iv_size, None);
        assert_eq!(three.entries[0].format, "stpp");
    }

    #[test]
    fn protected_entries_take_back_their_name() {
        let moov = cenc_moov();
        let plan = plan_of(&moov).unwrap();
        let [name, sinf] = plan.edits() else { panic!("{:?}", plan.edits()) };
        assert_eq!(name.change, Change::Overwrite(b"avc1".to_vec()));
        let found = |at: u64| &moov.as_ref()[usize::try_from(at).unwrap()..][..4];
        assert_eq!((found(name.at), found(sinf.at + 4)), (b"encv".as_slice(), b"sinf".as_slice()));
        assert!(matches!(sinf.change, Change::Discard { len: 80, .. }));
        assert_eq!((name.scope, sinf.scope), (Some(0), Some(0)));
    }

    #[test]
    fn a_clear_movie_stays_as_it_is() {
        let pssh = full(b"pssh", 0, 0).zeros(20);
        let moov = plain(b"moov").put(trak(1, &empty_table(&[avc1()]))).put(&pssh);
        let plan = plan_of(&moov).unwrap();
        assert!(plan.is_verbatim());
        assert_eq!(plan.init_data()[0].bytes, pssh.as_ref());
        let protected = cenc_moov().put(&pssh);
        assert_eq!(plan_of(&protected).unwrap().edits().len(), 3);
    }

    #[test]
    fn scopes_know_the_default_keys_of_their_track() {
        let zero = full(b"tenc", 0, 0).put([0, 0, 1, 8]).zeros(16);
        let other = full(b"tenc", 0, 0).put([0, 0, 1, 8]).put([5; 16]);
        let entries = [&zero, &other, &tenc(8), &tenc(8)].map(|tenc| encv(b"cenc", tenc));
        let moov = plain(b"moov").put(trak(4, &empty_table(&entries))).put(mvex(4));
        let plan = plan_of(&moov).unwrap();
        assert_eq!(plan.scopes()[0].track, 4);
        assert_eq!(*plan.scopes()[0].default_kids, [[5; 16].into(), KID.into()]);
    }

    #[test]
    fn a_track_id_is_used_once() {
        let trak = |id| trak(id, &empty_table(&[avc1()]));
        let moov = plain(b"moov").put(trak(2)).put(trak(1)).put(trak(2));
        assert_eq!(told(plan_of(&moov)), "`moov` at byte 0: two tracks with the same id");
        assert!(plan_of(&plain(b"moov").put(trak(2)).put(trak(1))).is_ok());
    }

    #[test]
    fn track_ids_stand_behind_times_of_either_width() {
        let table = empty_table(&[avc1()]);
        let wide = full(b"tkhd", 1, 7).u64(1).u64(2).u32(9);
        let narrow = full(b"tkhd", 0, 7).u32(1).u32(2).u32(9);
        let hdlr = full(b"hdlr", 0, 0).u32(0).put(b"soun");
        for tkhd in [wide, narrow] {
            let mdia = plain(b"mdia").put(&hdlr).put(plain(b"minf").put(&table));
            let plan = plan_of(&plain(b"moov").put(plain(b"trak").put(tkhd).put(mdia))).unwrap();
            assert_eq!((plan.tracks()[0].id, plan.tracks()[0].handler), (9, FourCc(*b"soun")));
        }
    }

    #[test]
    fn a_track_has_all_its_boxes() {
        let hdlr = full(b"hdlr", 0, 0).u32(0).put(b"vide");
        let tkhd = full(b"tkhd", 0, 0).u32(0).u32(0).u32(1);
        let mdia = |inner: &Written| plain(b"mdia").put(&hdlr).put(inner);
        let minf = plain(b"minf");
        let cases = [
            (plain(b"trak"), "`moov/trak` at byte 8: has no `tkhd` box"),
            (plain(b"trak").put(&tkhd), "`moov/trak` at byte 8: has no `mdia` box"),
            (
                plain(b"trak").put(&tkhd).put(plain(b"mdia")),
                "`moov/trak/mdia` at byte 40: has no `hdlr` box",
            ),
            (
                plain(b"trak").put(&tkhd).put(mdia(&plain(b"free"))),
                "`moov/trak/mdia` at byte 40: has no `minf` box",
            ),
            (
                plain(b"trak").put(&tkhd).put(mdia(&minf)),
                "`moov/trak/mdia/minf` at byte 68: has no `stbl` box",
            ),
            (trak(1, &plain(b"stbl")), "`moov/trak/mdia/minf/stbl` at byte 76: has no `stsd` box"),
            (
                trak(1, &plain(b"stbl").put(stsd(&[avc1()]))),
                "`moov/trak/mdia/minf/stbl` at byte 76: has no `stz2` box",
            ),
        ];
        for (trak, message) in cases {
            assert_eq!(told(plan_of(&plain(b"moov").put(trak))), message);
        }
        let short = plain(b"mvex").put(full(b"trex", 0, 0).u32(1).u32(1).u32(0));
        assert_eq!(
            told(plan_of(&plain(b"moov").put(short))),
            "`moov/mvex/trex` at byte 40: the box ends inside its field default_sample_size"
        );
    }

    #[test]
    fn a_movie_header_has_not_swallowed_the_boxes_behind_it() {
        let start = cenc_moov();
        for kind in [b"moov", b"moof", b"mdat"] {
            let message = told(plan_of(&start.clone().put(plain(kind).zeros(8))));
            let at = start.len();
            let kind = FourCc(*kind);
            assert_eq!(message, format!("`moov/{kind}` at byte {at}: is inside of another box"));
        }
        assert!(plan_of(&start.put(plain(b"free"))).is_ok());
    }

    #[test]
    fn groups_in_the_sample_table_serve_all_fragments() {
        let seig = full(b"sgpd", 1, 0).put(b"seig").u32(20).u32(1).put([0, 0, 1, 8]).put([6; 16]);
        let entry = encv(b"cenc", &tenc(8));
        let table = |extra: &[Written]| {
            extra.iter().fold(empty_table(std::slice::from_ref(&entry)), Written::put)
        };
        let moov = |extra: &[Written]| plain(b"moov").put(trak(1, &table(extra))).put(mvex(1));
        let sbgp = full(b"sbgp", 0, 0).put(b"seig").u32(1).u32(1).u32(1);
        let make = |offset| moof(&[trun(offset, &[8]), senc(1), sbgp.clone()]);
        let movie = moov(std::slice::from_ref(&seig));
        let planned = plans(&[movie.as_ref(), &fragment(make, &[0; 8])].concat()).unwrap();
        assert_eq!(planned[0].edits().len(), 3);
        assert_eq!(planned[1].protections()[0].kid, [6; 16].into());
        let twice = told(plan_of(&moov(&[seig.clone(), seig])));
        assert!(twice.starts_with("`moov/trak/mdia/minf/stbl/sgpd` at byte "), "{twice}");
        assert!(twice.ends_with(": a second box of this type"), "{twice}");
        let compact = full(b"csgp", 0, 0).put(b"seig");
        let message = told(plan_of(&moov(&[compact])));
        assert!(message.ends_with(": a compact sample group of type `seig` is not supported"));
    }
}
