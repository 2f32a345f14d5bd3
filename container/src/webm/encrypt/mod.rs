//! Plans how a WebM file is encrypted: which frames, and what goes around them (WebM Encryption, 4).
//!
//! Everything is planned before the first unit is handed out: an index in front can only be right when all
//! that follows is known. So nothing is left to be corrected: sizes and positions are in the plans.

mod cluster;
mod index;
mod tracks;

use std::{collections::BTreeSet, sync::Arc, vec};

use cenc::Scheme;

use crate::{
    Error, Plan, ReadAt, ReadyPlan, Relocation, Step,
    edit::{Change, Edit},
    encrypt::{IvSettings, Ordered, Settings},
    near::Near,
    stop::Stop,
    webm::{
        Planner,
        ebml::{self, Element, Header, unknown},
        ids,
        input::Input,
        tracks::void,
    },
};

/// Plans a WebM file unit by unit, so that it can be encrypted.
#[derive(Clone, Debug)]
pub struct Encryptor {
    settings: Ordered,
    /// `None`: nothing is planned yet.
    plans: Option<vec::IntoIter<Plan>>,
}

impl Encryptor {
    /// An encryptor for one file, from its start.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { settings: settings.into(), plans: None }
    }

    /// Plans the unit that follows the last one; `None` at the end of the input.
    ///
    /// # Errors
    /// What is wrong with the settings or the input. The encryptor is of no use after an error.
    pub fn next_unit(&mut self, input: &dyn ReadAt) -> Result<Option<ReadyPlan>, Error> {
        let plans = match &mut self.plans {
            Some(plans) => plans,
            none => {
                check(&self.settings)?;
                let plans = plan_all(&self.settings, input)?;
                none.insert(plans.into_iter())
            }
        };
        let plan = plans.next();
        plan.map(|plan| plan.resolve(&self.settings, &BTreeSet::new())).transpose()
    }
}

/// Finds what WebM has no way to say.
fn check(settings: &Settings) -> Result<(), Error> {
    settings.check()?;
    let is_constant = settings
        .tracks
        .iter()
        .any(|track| !matches!(track.iv, IvSettings::PerSample { size: 8, .. }));
    let what = if settings.scheme != Scheme::Cenc {
        format!("WebM has no scheme {}", settings.scheme)
    } else if settings.rotate.is_some() && settings.tracks.iter().any(|track| track.keys.len() > 1)
    {
        "WebM has no keys that take turns".to_owned()
    } else if settings.piff {
        "WebM has no boxes of PIFF".to_owned()
    } else if !settings.pssh.is_empty() {
        "WebM has no place for `pssh` boxes".to_owned()
    } else if is_constant {
        "WebM has IVs of 8 bytes and no others".to_owned()
    } else {
        return Ok(());
    };
    Err(Error::Settings { what })
}

/// A unit in the making.
struct Unit {
    plan: Plan,
    header: Header,
    /// Where the body of its segment begins.
    data: u64,
}

fn plan_all(settings: &Ordered, source: &dyn ReadAt) -> Result<Vec<Plan>, Error> {
    let near = Near::new(source);
    let input = Input::new(&near, true);
    let (mut planner, mut units) = (Planner::new(), Vec::new());
    let mut film = cluster::Film::default();
    // Bytes that frames and tracks grow by, and what indexes may grow by because of that.
    let (mut growth, mut segment) = (0, None);
    while let Step::Unit(found) = planner.next_element(input)? {
        let range = found.range();
        let stopped = |stop: Stop| stop.of_whole(range.start);
        let header = input.header(range.start, "").map_err(stopped)?;
        let data = planner.data();
        let mut unit =
            Unit { plan: Plan { range: range.clone(), ..Plan::default() }, header, data };
        match header.id {
            ids::EBML | ids::TRACKS | ids::INFO | ids::SEEK_HEAD | ids::CUES => {
                let body =
                    input.body(&header, range.start, range.end, "Segment").map_err(stopped)?;
                let parent = if header.id == ids::EBML { "" } else { "Segment" };
                let element = Element::new(&header, range.start, &body, parent);
                match header.id {
                    ids::EBML => claim_version(&element, &mut unit.plan)?,
                    ids::INFO => film.info(&element)?,
                    ids::TRACKS => {
                        let tracks = planner.tracks().unwrap_or_default();
                        growth += tracks::plan(&element, found, settings, &mut unit.plan)?;
                        film.tracks(&element, settings, &tracks)?;
                    }
                    _ => growth += index::most_growth(&element)?,
                }
            }
            ids::CLUSTER => growth += film.cluster(input, &mut unit).map_err(stopped)?,
            // A checksum over all of a segment cannot stay true.
            ids::CRC_32 => unit.plan.edits = found.edits,
            ids::SEGMENT => segment = Some(units.len()),
            _ => {}
        }
        units.push(unit);
    }
    film.finish(settings)?;
    index::plan(&input, &mut units, growth)?;
    if let Some(segment) = segment {
        resize_segments(&mut units, segment);
    }
    Ok(units.into_iter().map(|unit| unit.plan).collect())
}

/// Corrects the sizes of segments, of which `last` is the index of the last one's header.
fn resize_segments(units: &mut [Unit], last: usize) {
    let mut relocation = Relocation::new();
    units.iter().flat_map(|unit| &unit.plan.edits).for_each(|edit| relocation.add(edit));
    for unit in &mut units[..=last] {
        let Header { id: ids::SEGMENT, size: Some(old), width, len } = unit.header else {
            continue;
        };
        let (at, data) = (unit.plan.range.start, unit.plan.range.end);
        let new = relocation.len(data..data.saturating_add(old));
        // At the same width: all that follows, up to the next segment, is in this one.
        let size = ebml::size(new.min(unknown(width)), width);
        overwrite(&mut unit.plan, at + (len - width) as u64, size);
    }
}

fn overwrite(plan: &mut Plan, at: u64, bytes: Vec<u8>) {
    plan.edits.push(Edit { at, change: Change::Overwrite(bytes), scope: None });
}

fn insert(plan: &mut Plan, at: u64, bytes: Vec<u8>, owner: u64) {
    plan.edits.push(Edit { at, change: Change::Insert { bytes, owner }, scope: None });
}

fn remove(plan: &mut Plan, at: u64, len: u64) {
    plan.edits.push(Edit { at, change: Change::Discard { len, filler: Vec::new() }, scope: None });
}

/// Makes padding of a whole element.
fn make_void(plan: &mut Plan, at: u64, end: u64) {
    overwrite(plan, at, void(end - at));
}

/// Gives the element at `at` a size that is `growth` larger. Returns the bytes by which all of it grows: more
/// than that, if the size itself takes more.
fn grow(plan: &mut Plan, at: u64, header: &Header, growth: u64) -> u64 {
    let Some(old) = header.size.filter(|_| growth > 0) else { return growth };
    let new = old + growth;
    let size_at = at + (header.len - header.width) as u64;
    let width = (header.width..8).find(|&width| new < unknown(width)).unwrap_or(8);
    let size = ebml::size(new, width);
    if width == header.width {
        overwrite(plan, size_at, size);
    } else {
        remove(plan, size_at, header.width as u64);
        insert(plan, at + header.len as u64, size, at);
    }
    growth + (width - header.width) as u64
}

/// The elements of encryption are those of version 4 (RFC 9559, 4.2).
fn claim_version(ebml: &Element<'_, '_>, plan: &mut Plan) -> Result<(), Error> {
    if let Some(version) = ebml.child(ids::DOC_TYPE_VERSION)?
        && version.unsigned()? < 4
        && let Some((_, zeros)) = version.body.split_last()
    {
        overwrite(plan, version.body_at(), [vec![0; zeros.len()], vec![4]].concat());
    }
    Ok(())
}

impl Planner {
    /// Where the body of the segment at hand begins.
    fn data(&self) -> u64 {
        self.segment.and_then(|segment| segment.data).unwrap_or(0)
    }

    fn tracks(&self) -> Option<Arc<crate::webm::tracks::Tracks>> {
        self.tracks.clone()
    }
}

#[cfg(test)]
mod tests {
    use clearkey::KeyId;

    use super::*;
    use crate::{
        Window,
        encrypt::{TrackKey, TrackSettings},
        webm::testing::{block, element, file, master, open, plans, simple, told, track, wide},
    };

    fn settings() -> Settings {
        let key = Arc::new(cenc::Key::new(&[3; 16]));
        let keys = vec![TrackKey { kid: KeyId::new([1, 2, 3]).unwrap(), key }];
        let iv = IvSettings::PerSample { size: 8, first: [0; 16] };
        let tracks = vec![TrackSettings { track: 1, keys, pattern: cenc::Pattern::NONE, iv }];
        let (pssh, clear_lead, rotate) = (Vec::new(), None, None);
        Settings { scheme: Scheme::Cenc, tracks, pssh, piff: false, clear_lead, rotate }
    }

    fn encrypted(input: &[u8]) -> Result<Vec<u8>, Error> {
        let mut encryptor = Encryptor::new(settings());
        let (mut units, mut relocation) = (Vec::new(), Relocation::new());
        while let Some(unit) = encryptor.next_unit(&Window::new(0, input))? {
            unit.edits().for_each(|edit| relocation.add(edit));
            units.push(unit);
        }
        let mut output = Vec::new();
        for unit in units {
            let range = unit.plan().range();
            let [start, end] = [range.start, range.end].map(|at| usize::try_from(at).unwrap());
            let mut bytes = input[start..end].to_vec();
            unit.encrypt(range.start, &mut bytes)?;
            unit.edit(range.start, &mut bytes);
            for (at, piece) in unit.pieces(&relocation, range.start, &bytes) {
                assert_eq!(at, output.len() as u64);
                output.extend_from_slice(piece);
            }
        }
        Ok(output)
    }

    /// Sizes of one byte that have no room, and positions that have none.
    #[test]
    fn sizes_and_positions_get_the_room_that_they_need() {
        let crc = || element(ids::CRC_32, &[1, 2, 3, 4]);
        let number = |id, value: u64, len: usize| element(id, &value.to_be_bytes()[8 - len..]);
        let frame = vec![7; 110];
        let group = master(ids::BLOCK_GROUP, &[crc(), element(ids::BLOCK, &block(1, &[7; 100]))]);
        let cluster = |at: u64| {
            let children = [number(ids::POSITION, at, 1), simple(1, &frame), group.clone()];
            master(ids::CLUSTER, &[children.concat(), simple(2, b"other")])
        };
        let tracks = master(ids::TRACKS, &[track(1, &[]), track(2, &[])]);
        let cue = |at: u64, relative: u64| {
            let positions = [
                number(ids::CUE_CLUSTER_POSITION, at, 1),
                number(ids::CUE_RELATIVE_POSITION, relative, 1),
            ];
            master(ids::CUE_POINT, &[master(ids::CUE_TRACK_POSITIONS, &positions)])
        };
        let seek = |at: u64| {
            master(
                ids::SEEK_HEAD,
                &[crc(), master(ids::SEEK, &[number(ids::SEEK_POSITION, at, 1)])],
            )
        };
        let cues = |first: u64, group: u64| master(ids::CUES, &[cue(first, 3), cue(first, group)]);
        let cues_at = seek(0).len() as u64;
        let first = cues_at + (cues(0, 0).len() + tracks.len()) as u64;
        let relative = 3 + simple(1, &frame).len() as u64;
        let children =
            [seek(cues_at), cues(first, relative), tracks, cluster(first), cluster(first)];
        let ebml = master(ids::EBML, &[element(ids::DOC_TYPE_VERSION, &[2])]);
        for (segment, is_known) in [
            (wide(ids::SEGMENT, &children.concat(), 2), true),
            (open(ids::SEGMENT, &children.concat()), false),
        ] {
            let output = encrypted(&[ebml.clone(), segment].concat()).unwrap();
            let found = plans(&output).unwrap();
            let counts = found
                .iter()
                .flat_map(Plan::scopes)
                .fold((0, 0), |sum, scope| (sum.0 + scope.protected, sum.1 + scope.clear));
            assert_eq!(counts, (4, 2));
            assert_eq!(output[ebml.len() - 1], 4);
            let input = Window::new(0, &output);
            let input = Input::new(&input, true);
            let id_at = |at: u64| input.header(at, "").map_err(|_| ()).unwrap();
            let segment = id_at(found[0].range().end);
            assert_eq!(segment.size.is_some(), is_known);
            let data = found[1].range().end;
            let master = |at: u64| {
                let header = id_at(at);
                let end = at + header.len as u64 + header.size.unwrap();
                let body = input.body(&header, at, end, "").map_err(|_| ()).unwrap();
                (header, end, body)
            };
            let (header, end, body) = master(data);
            let head = Element::new(&header, data, &body, "");
            assert!(head.child(ids::CRC_32).unwrap().is_none());
            let position = head.need(ids::SEEK).unwrap().unsigned_of(ids::SEEK_POSITION);
            assert_eq!(id_at(data + position.unwrap().unwrap()).id, ids::CUES);
            let (header, _, body) = master(end);
            let cues = Element::new(&header, end, &body, "");
            let mut targets = Vec::new();
            for point in cues.children() {
                let positions =
                    point.unwrap().need(ids::CUE_TRACK_POSITIONS).unwrap().body.to_vec();
                let header = Header { id: ids::CUE_TRACK_POSITIONS, len: 2, width: 1, size: None };
                let positions = Element::new(&header, 0, &positions, "");
                let number = |id| positions.unsigned_of(id).unwrap().unwrap();
                let cluster = data + number(ids::CUE_CLUSTER_POSITION);
                let header = id_at(cluster);
                assert_eq!(header.id, ids::CLUSTER);
                let body = cluster + header.len as u64;
                targets.push(id_at(body + number(ids::CUE_RELATIVE_POSITION)).id);
            }
            assert_eq!(targets, [ids::SIMPLE_BLOCK, ids::BLOCK_GROUP]);
        }
    }

    /// A segment whose size has no room is of unknown size: all that follows is in it.
    #[test]
    fn a_segment_keeps_the_width_of_its_size() {
        let children =
            [master(ids::TRACKS, &[track(1, &[])]), master(ids::CLUSTER, &[simple(1, &[7; 60])])];
        let ebml = master(ids::EBML, &[]);
        let output = encrypted(&[ebml, wide(ids::SEGMENT, &children.concat(), 1)].concat());
        let output = output.unwrap();
        assert_eq!(output[9], 0xff);
        assert_eq!(plans(&output).unwrap()[3].samples().len(), 1);
    }

    #[test]
    fn what_cannot_be_encrypted_is_refused() {
        let tracks = || master(ids::TRACKS, &[track(1, &[])]);
        let in_cluster =
            |child: Vec<u8>| told(encrypted(&file(&[tracks(), master(ids::CLUSTER, &[child])])));
        let laced = element(ids::SIMPLE_BLOCK, &[0x81, 0, 0, 0x02, 1, 1, 9]);
        assert!(in_cluster(laced).ends_with("encrypting a track with lacing is not supported"));
        let added = [element(ids::BLOCK, &block(1, &[9])), master(ids::BLOCK_ADDITIONS, &[])];
        let message = in_cluster(master(ids::BLOCK_GROUP, &added));
        assert!(message.ends_with("encrypting a block with additions is not supported"));
        let compressed = master(ids::CONTENT_ENCODINGS, &[master(ids::CONTENT_ENCODING, &[])]);
        let message = told(encrypted(&file(&[master(ids::TRACKS, &[track(1, &[compressed])])])));
        assert!(message.ends_with("encrypting a track with content encodings is not supported"));
    }
}
