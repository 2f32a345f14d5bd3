//! Every element of a WebM file that holds a position or a size, made right for a [`Relocation`].

use std::ops::Range;

use crate::{
    Change, Edit, Error, Relocation,
    stop::Stop,
    webm::{
        cluster::{self, Inner},
        ebml::{self, Element, Header},
        ids,
        input::Input,
        tracks::void,
    },
};

/// The edits for the unit in `range`. `data` is where the body of its segment begins, if that is known.
pub(crate) fn relocate(
    input: &Input<'_>,
    range: &Range<u64>,
    data: Option<u64>,
    relocation: &Relocation,
) -> Result<Vec<Edit>, Stop> {
    let mut fixes = Fixes { input, data, relocation, edits: Vec::new() };
    let mut at = range.start;
    while at < range.end {
        let header = input.header(at, "")?;
        let body = at + header.len as u64;
        let end = match (header.id, header.size) {
            (ids::SEGMENT, _) => body,
            (_, Some(size)) => body.saturating_add(size),
            (_, None) => {
                let mut end = body;
                cluster::find_end(*input, &mut end, Some(range.end))?;
                end
            }
        };
        match header.id {
            ids::SEGMENT => fixes.size(at, &header, at.saturating_add(total(&header)))?,
            ids::SEEK_HEAD | ids::TRACKS | ids::CUES => {
                let body = input.body(&header, at, end, "Segment")?;
                let element = Element::new(&header, at, &body, "Segment");
                fixes.master(&element, header.size.is_some())?;
            }
            ids::CLUSTER => fixes.cluster(at, &header, end)?,
            _ => {}
        }
        at = end;
    }
    fixes.edits.sort_by_key(|edit| edit.at);
    Ok(fixes.edits)
}

fn total(header: &Header) -> u64 {
    header.size.unwrap_or(0) + header.len as u64
}

struct Fixes<'r> {
    input: &'r Input<'r>,
    data: Option<u64>,
    relocation: &'r Relocation,
    edits: Vec<Edit>,
}

impl Fixes<'_> {
    fn overwrite(&mut self, at: u64, bytes: Vec<u8>) {
        self.edits.push(Edit { at, change: Change::Overwrite(bytes), scope: None });
    }

    /// Corrects the size of an element that had one.
    fn size(&mut self, at: u64, header: &Header, end: u64) -> Result<(), Stop> {
        let Some(old) = header.size else { return Ok(()) };
        let new = self.relocation.size(at..end).saturating_sub(header.len as u64);
        if new == old {
            return Ok(());
        }
        let size_at = at + (header.len - header.width) as u64;
        match new < ebml::unknown(header.width) {
            true => self.overwrite(size_at, ebml::size(new, header.width)),
            // Only what is put in makes an element grow. All that follow a segment are in it.
            false if header.id == ids::SEGMENT => {
                self.overwrite(size_at, ebml::size(ebml::unknown(header.width), header.width));
            }
            false => {
                let what = format!("a size of {new} in {} bytes", header.width);
                let place = crate::Place { path: ids::name(header.id), at };
                return Err(Error::Unsupported { place, what }.into());
            }
        }
        Ok(())
    }

    fn position(&mut self, element: &Element<'_, '_>, new: u64) -> Result<(), Error> {
        if new == element.unsigned()? {
            return Ok(());
        }
        let skipped = 8 - element.body.len();
        let bytes = new.to_be_bytes();
        let (dropped, kept) = bytes.split_at(skipped);
        if dropped.iter().any(|byte| *byte != 0) {
            let what = format!("a position of {new} in {} bytes", element.body.len());
            return Err(element.unsupported(what));
        }
        self.overwrite(element.body_at(), kept.to_vec());
        Ok(())
    }

    /// The new position of what was at a position in the segment.
    fn moved(&self, data: u64, position: u64) -> u64 {
        self.distance(data, data.saturating_add(position))
    }

    fn distance(&self, from: u64, to: u64) -> u64 {
        self.relocation.moved(to).saturating_sub(self.relocation.moved(from))
    }

    /// Corrects an element in memory and those in it.
    fn master(&mut self, element: &Element<'_, '_>, has_size: bool) -> Result<(), Stop> {
        let edits = self.edits.len();
        for child in element.children() {
            let child = child?;
            match (element.id, child.id) {
                (ids::SEEK_HEAD, ids::SEEK)
                | (ids::TRACKS, ids::TRACK_ENTRY)
                | (ids::CUES, ids::CUE_POINT) => self.master(&child, true)?,
                (ids::CUE_POINT, ids::CUE_TRACK_POSITIONS) => self.cue(&child)?,
                (ids::SEEK, ids::SEEK_POSITION) => {
                    if let Some(data) = self.data {
                        let new = self.moved(data, child.unsigned()?);
                        self.position(&child, new)?;
                    }
                }
                _ => {}
            }
        }
        let old = element.body.len() as u64;
        let changes = self.edits.len() > edits
            || self.relocation.size(element.at..element.end()) != old + element.header_len as u64;
        if changes && let Some(crc) = element.child(ids::CRC_32)? {
            self.overwrite(crc.at, void(crc.end() - crc.at));
        }
        let Element { id, header_len: len, width, .. } = *element;
        let header = Header { id, len, width, size: has_size.then_some(old) };
        self.size(element.at, &header, element.end())
    }

    fn cue(&mut self, cue: &Element<'_, '_>) -> Result<(), Stop> {
        let (Some(data), Some(cluster)) = (self.data, cue.child(ids::CUE_CLUSTER_POSITION)?) else {
            return Ok(());
        };
        let position = cluster.unsigned()?;
        self.position(&cluster, self.moved(data, position))?;
        if let Some(relative) = cue.child(ids::CUE_RELATIVE_POSITION)? {
            // A cue that leads to no cluster leads to no block in one.
            if let Some(body) = cluster::body_at(self.input, data.saturating_add(position))? {
                let new = self.distance(body, body.saturating_add(relative.unsigned()?));
                self.position(&relative, new)?;
            }
        }
        Ok(())
    }

    fn cluster(&mut self, at: u64, header: &Header, end: u64) -> Result<(), Stop> {
        let (edits, input, relocation) = (self.edits.len(), *self.input, self.relocation);
        let (body, mut crc) = (at + header.len as u64..end, None);
        cluster::children(&input, body.clone(), |child| {
            match child.header.id {
                ids::BLOCK_GROUP => self.group(child)?,
                ids::CRC_32 => crc = Some(child.at..child.end),
                ids::POSITION | ids::PREV_SIZE => self.place_of(at, child)?,
                _ => {}
            }
            Ok(())
        })?;
        let old = body.end - body.start;
        let changes =
            self.edits.len() > edits || relocation.size(at..end) != old + header.len as u64;
        if changes && let Some(crc) = crc {
            self.overwrite(crc.start, void(crc.end - crc.start));
        }
        self.size(at, header, end)
    }

    /// Where the cluster at `cluster` stands, and the one before it.
    fn place_of(&mut self, cluster: u64, child: &Inner<'_>) -> Result<(), Stop> {
        let bytes = self.input.body(&child.header, child.at, child.end, "Segment/Cluster")?;
        let element = Element::new(&child.header, child.at, &bytes, "Segment/Cluster");
        let old = element.unsigned()?;
        let new = match (child.header.id, self.data) {
            (ids::PREV_SIZE, _) => match cluster.checked_sub(old) {
                Some(start) => self.relocation.size(start..cluster),
                None => old,
            },
            (_, Some(data)) => self.distance(data, cluster),
            (_, None) => old,
        };
        Ok(self.position(&element, new)?)
    }

    fn group(&mut self, group: &Inner<'_>) -> Result<(), Stop> {
        let mut crc = None;
        cluster::group_children(self.input, group.body(), |child| {
            if child.header.id == ids::CRC_32 {
                crc = Some(child.at..child.end);
            }
            Ok(())
        })?;
        let range = group.at..group.end;
        if self.relocation.size(range.clone()) != range.end - range.start
            && let Some(crc) = crc
        {
            self.overwrite(crc.start, void(crc.end - crc.start));
        }
        self.size(group.at, &group.header, group.end)
    }
}
