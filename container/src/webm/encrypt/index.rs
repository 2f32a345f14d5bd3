//! `SeekHead` and `Cues` are written anew, with positions that have room for what all else grows by.

use super::{Unit, insert, remove};
use crate::{
    Error, Relocation,
    edit::Change,
    webm::{
        cluster,
        ebml::{self, Element, unknown},
        ids,
        input::Input,
    },
};

/// The bytes by which an index grows at most, and all that its positions can grow by for that.
pub(super) fn most_growth(index: &Element<'_, '_>) -> Result<u64, Error> {
    let mut growth = 8;
    for child in index.children() {
        let child = child?;
        growth += match child.id {
            ids::SEEK | ids::CUE_POINT | ids::CUE_TRACK_POSITIONS => most_growth(&child)?,
            ids::SEEK_POSITION | ids::CUE_CLUSTER_POSITION | ids::CUE_RELATIVE_POSITION => 8,
            _ => 0,
        };
    }
    Ok(growth)
}

fn is_index(unit: &Unit) -> bool {
    matches!(unit.header.id, ids::SEEK_HEAD | ids::CUES)
}

/// Plans all indexes, if the file grows by up to `growth` bytes.
pub(super) fn plan(input: &Input<'_>, units: &mut [Unit], growth: u64) -> Result<(), Error> {
    // What they lead to is known when their own lengths are.
    for unit in units.iter_mut().filter(|unit| is_index(unit)) {
        let written = write(input, unit, &Writer { input, data: unit.data, growth, moved: None })?;
        let range = unit.plan.range.clone();
        remove(&mut unit.plan, range.start, range.end - range.start);
        insert(&mut unit.plan, range.end, written, range.start);
    }
    let mut relocation = Relocation::new();
    units.iter().flat_map(|unit| &unit.plan.edits).for_each(|edit| relocation.add(edit));
    for unit in units.iter_mut().filter(|unit| is_index(unit)) {
        let writer = Writer { input, data: unit.data, growth, moved: Some(&relocation) };
        let written = write(input, unit, &writer)?;
        if let Some(Change::Insert { bytes, .. }) =
            unit.plan.edits.last_mut().map(|edit| &mut edit.change)
        {
            *bytes = written;
        }
    }
    Ok(())
}

fn write(input: &Input<'_>, unit: &Unit, writer: &Writer<'_>) -> Result<Vec<u8>, Error> {
    let range = &unit.plan.range;
    let body = input.body(&unit.header, range.start, range.end, "Segment");
    let body = body.map_err(|stop| stop.of_whole(range.start))?;
    writer.element(&Element::new(&unit.header, range.start, &body, "Segment"), None)
}

struct Writer<'w> {
    input: &'w Input<'w>,
    /// Where the body of the segment begins.
    data: u64,
    growth: u64,
    /// `None`: positions stay what they are, and only their widths are right.
    moved: Option<&'w Relocation>,
}

impl Writer<'_> {
    /// An element with its positions as they will be. `cluster` is the position of the cluster that a
    /// relative position is in.
    fn element(&self, element: &Element<'_, '_>, cluster: Option<u64>) -> Result<Vec<u8>, Error> {
        let body = match element.id {
            ids::SEEK_HEAD | ids::SEEK | ids::CUES | ids::CUE_POINT | ids::CUE_TRACK_POSITIONS => {
                let cluster = element.unsigned_of(ids::CUE_CLUSTER_POSITION)?;
                let mut body = Vec::new();
                for child in element.children() {
                    let child = child?;
                    // What it would be a checksum of is no more.
                    if child.id != ids::CRC_32 {
                        body.extend(self.element(&child, cluster)?);
                    }
                }
                body
            }
            ids::SEEK_POSITION | ids::CUE_CLUSTER_POSITION => {
                let old = element.unsigned()?;
                self.number(element, old, self.distance(self.data, old))
            }
            ids::CUE_RELATIVE_POSITION => {
                let old = element.unsigned()?;
                let new = match cluster {
                    Some(position) => self.in_cluster(position, old)?,
                    None => old,
                };
                self.number(element, old, new)
            }
            _ => element.body.to_vec(),
        };
        let len = body.len() as u64;
        let width = (element.width..8).find(|&width| len < unknown(width)).unwrap_or(8);
        Ok([ebml::id(element.id), ebml::size(len, width), body].concat())
    }

    fn number(&self, element: &Element<'_, '_>, old: u64, new: u64) -> Vec<u8> {
        let most = old.saturating_add(self.growth);
        let needed = 8 - most.leading_zeros() as usize / 8;
        new.to_be_bytes()[8 - needed.max(element.body.len()).min(8)..].to_vec()
    }

    /// What a position in the body of a cluster becomes; `position` is that of the cluster in the segment.
    fn in_cluster(&self, position: u64, old: u64) -> Result<u64, Error> {
        let at = self.data.saturating_add(position);
        let body = cluster::body_at(self.input, at).map_err(|stop| stop.of_whole(at))?;
        Ok(body.map_or(old, |body| self.distance(body, old)))
    }

    fn distance(&self, from: u64, old: u64) -> u64 {
        let Some(relocation) = self.moved else { return old };
        let to = relocation.moved(from.saturating_add(old));
        to.saturating_sub(relocation.moved(from))
    }
}
