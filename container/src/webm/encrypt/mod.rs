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
    encrypt::{IvSettings, Settings},
    plan::{Change, Edit},
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
    settings: Settings,
    /// `None`: nothing is planned yet.
    plans: Option<vec::IntoIter<Plan>>,
}

impl Encryptor {
    /// An encryptor for one file, from its start.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { settings, plans: None }
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

fn plan_all(settings: &Settings, source: &dyn ReadAt) -> Result<Vec<Plan>, Error> {
    let input = Input::new(source, true);
    let (mut planner, mut units) = (Planner::new(), Vec::new());
    let mut film = cluster::Film::default();
    // Bytes that frames and tracks grow by, and what indexes may grow by because of that.
    let (mut growth, mut segment) = (0, None);
    while let Step::Unit(found) = planner.next_unit(source, true)? {
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
