//! `Cluster`: its blocks, and how their frames are encrypted (RFC 9559, 5.1.3).

use std::{collections::BTreeMap, ops::Range};

use crate::{
    Error, Place,
    edit::Edit,
    limits,
    plan::{AuxInfo, Plan, Sample},
    stop::Stop,
    webm::{
        block::{self, BlockHeader},
        ebml::{Header, join},
        frame::{self, Frame},
        ids,
        input::Input,
        tracks::{TrackEntry, Tracks, checksum},
    },
};

const CLUSTER: &str = "Segment/Cluster";
const BLOCK_GROUP: &str = "Segment/Cluster/BlockGroup";

/// Bytes read of a block at first: enough for most frame headers.
const START: u64 = 64;

/// An element that lies in a cluster.
#[derive(Clone, Copy)]
pub(crate) struct Inner<'p> {
    pub(crate) at: u64,
    pub(crate) header: Header,
    pub(crate) end: u64,
    parent: &'p str,
}

impl Inner<'_> {
    pub(crate) fn place(&self) -> Place {
        Place { path: join(self.parent, self.header.id), at: self.at }
    }

    pub(crate) fn malformed(&self, what: impl Into<String>) -> Error {
        Error::MalformedBox { place: self.place(), what: what.into() }
    }

    pub(crate) fn unsupported(&self, what: &str) -> Error {
        Error::Unsupported { place: self.place(), what: what.to_owned() }
    }

    pub(crate) fn body(&self) -> Range<u64> {
        self.at + self.header.len as u64..self.end
    }
}

/// Calls `each` for each element in `range` of an element with the path `parent`. All of it is there.
pub(crate) fn walk<'p>(
    input: &Input<'_>,
    range: Range<u64>,
    parent: &'p str,
    mut each: impl FnMut(&Inner<'p>) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let mut at = range.start;
    while let Some(inner) = inner(input, at, range.end, parent)? {
        each(&inner)?;
        at = inner.end;
    }
    Ok(())
}

/// The element at `at`, in one with the path `parent` that ends at `end`; `Ok(None)`: there is no more.
fn inner<'p>(
    input: &Input<'_>,
    at: u64,
    end: u64,
    parent: &'p str,
) -> Result<Option<Inner<'p>>, Stop> {
    if at >= end {
        return Ok(None);
    }
    let header = input.header(at, parent)?;
    let inner_end = input.element_end(&header, at, parent, Some(end))?;
    let end = inner_end.ok_or_else(|| unknown_size(&header, at, parent))?;
    Ok(Some(Inner { at, header, end, parent }))
}

/// The element at `at` in a cluster that ends at `end`; `Ok(None)`: there is no more.
pub(crate) fn child(input: &Input<'_>, at: u64, end: u64) -> Result<Option<Inner<'static>>, Stop> {
    inner(input, at, end, CLUSTER)
}

/// Likewise, in a block group.
pub(crate) fn group_child(
    input: &Input<'_>,
    at: u64,
    end: u64,
) -> Result<Option<Inner<'static>>, Stop> {
    inner(input, at, end, BLOCK_GROUP)
}

/// A size that may not be unknown is.
pub(crate) fn unknown_size(header: &Header, at: u64, parent: &str) -> Error {
    let what = "its size is unknown, which only segments and clusters may have".to_owned();
    Error::MalformedBox { place: Place { path: join(parent, header.id), at }, what }
}

/// The elements in a cluster of which `body` is there.
pub(crate) fn children<'p>(
    input: &Input<'_>,
    body: Range<u64>,
    each: impl FnMut(&Inner<'p>) -> Result<(), Stop>,
) -> Result<(), Stop> {
    walk(input, body, CLUSTER, each)
}

/// The elements in a block group of which `body` is there.
pub(crate) fn group_children<'p>(
    input: &Input<'_>,
    body: Range<u64>,
    each: impl FnMut(&Inner<'p>) -> Result<(), Stop>,
) -> Result<(), Stop> {
    walk(input, body, BLOCK_GROUP, each)
}

/// Goes on to where a cluster of unknown size ends: before the next element that cannot be inside of it.
pub(crate) fn find_end(
    input: Input<'_>,
    at: &mut u64,
    segment_end: Option<u64>,
) -> Result<(), Stop> {
    while Some(*at) != segment_end && !(input.whole && *at >= input.end()) {
        if *at >= input.end() {
            return Err(Stop::More(*at + 2));
        }
        let header = input.header(*at, CLUSTER)?;
        if ids::ends_cluster(header.id) {
            break;
        }
        let end = input.element_end(&header, *at, CLUSTER, segment_end)?;
        let end = end.ok_or_else(|| unknown_size(&header, *at, CLUSTER))?;
        if end > input.end() {
            return Err(Stop::More(end));
        }
        *at = end;
    }
    Ok(())
}

/// Where the body begins of the cluster at `at`; `None`: none begins there.
pub(crate) fn body_at(input: &Input<'_>, at: u64) -> Result<Option<u64>, Stop> {
    if at >= input.end() {
        return Ok(None);
    }
    match input.header(at, "Segment") {
        Ok(header) => Ok((header.id == ids::CLUSTER).then_some(at + header.len as u64)),
        Err(Stop::Failed(Error::MalformedBox { .. })) => Ok(None),
        Err(stop) => Err(stop),
    }
}

/// Plans the cluster in `range`, whose body begins at `body`.
pub(crate) fn plan(
    input: Input<'_>,
    range: Range<u64>,
    body: u64,
    tracks: &Tracks,
) -> Result<Plan, Stop> {
    let end = range.end;
    let plan = Plan { range, ..Plan::default() };
    let mut cluster = Cluster { input, tracks, plan, scopes: BTreeMap::new(), end };
    let mut checksums = Vec::new();
    let has_protected = tracks.values().any(|track| track.kid.is_some());
    children(&input, body..end, |child| match child.header.id {
        ids::SIMPLE_BLOCK => cluster.block(child).map(drop),
        ids::BLOCK_GROUP => cluster.group(child),
        ids::ENCRYPTED_BLOCK if has_protected => {
            Err(child.unsupported("a block that hides its track").into())
        }
        ids::CRC_32 => {
            checksums.push(checksum(child.at, child.end - child.at));
            Ok(())
        }
        _ => Ok(()),
    })?;
    Ok(cluster.finish(checksums))
}

struct Cluster<'c> {
    input: Input<'c>,
    tracks: &'c Tracks,
    plan: Plan,
    /// Scope and, if there is one, protection of each track.
    scopes: BTreeMap<u64, (u32, Option<u32>)>,
    end: u64,
}

impl<'c> Cluster<'c> {
    fn group(&mut self, group: &Inner<'_>) -> Result<(), Stop> {
        let (mut is_protected, mut additions, mut checksums) = (false, None, Vec::new());
        let input = self.input;
        group_children(&input, group.body(), |child| {
            match child.header.id {
                ids::BLOCK => is_protected |= self.block(child)?,
                ids::BLOCK_ADDITIONS => additions = Some(*child),
                ids::CRC_32 => checksums.push(checksum(child.at, child.end - child.at)),
                _ => {}
            }
            Ok(())
        })?;
        if is_protected {
            if let Some(additions) = additions {
                return Err(additions.unsupported("what is added to an encrypted block").into());
            }
            self.plan.edits.append(&mut checksums);
        }
        Ok(())
    }

    /// Plans a block, and says whether its track is encrypted.
    fn block(&mut self, block: &Inner<'_>) -> Result<bool, Stop> {
        let body = block.body();
        let size = body.end - body.start;
        let start = self.input.peek(body.start, size.min(START))?;
        let header = BlockHeader::read(&start)
            .ok_or_else(|| block.malformed("the block ends inside of its header"))?;
        let track = self.tracks.get(&header.track).ok_or_else(|| {
            block.malformed(format!("there is no track with the number {}", header.track))
        })?;
        let scope = self.scope(header.track, track);
        let Some(kid) = &track.kid else {
            self.plan.scopes[scope as usize].clear += 1;
            return Ok(false);
        };
        if header.has_lacing() {
            return Err(block.unsupported("lacing in an encrypted track").into());
        }
        let longest = (block::LONGEST_HEADER + frame::LONGEST_HEADER) as u64;
        let is_all_there = size <= START || start.get(header.len()) == Some(&0);
        let start = match is_all_there {
            true => start,
            false => self.input.peek(body.start, size.min(longest))?,
        };
        let subsamples = self.plan.subsamples.len();
        let frame_len = size - header.len() as u64;
        let frame_start = start.get(header.len()..).unwrap_or_default();
        let frame = Frame::read(frame_start, frame_len, &mut self.plan.subsamples)
            .map_err(|what| block.malformed(what))?;
        let change = header.without(&block.header, size, frame.header_len);
        self.plan.edits.push(Edit { at: block.at, change, scope: Some(scope) });
        let Some(iv) = frame.iv else {
            self.plan.scopes[scope as usize].clear += 1;
            return Ok(true);
        };
        let counts = &mut self.plan.scopes[scope as usize];
        (counts.protected, counts.aux_info) = (counts.protected + 1, AuxInfo::Block);
        let protection = match self.scopes.get(&header.track) {
            Some((_, Some(protection))) => *protection,
            _ => {
                self.plan.protections.push(track.protection(scope, kid));
                let protection = index(self.plan.protections.len() - 1);
                self.scopes.insert(header.track, (scope, Some(protection)));
                protection
            }
        };
        if self.plan.samples.len() as u64 == limits::SAMPLES {
            return Err(Stop::Failed(Error::Limit {
                place: block.place(),
                what: "the number of encrypted frames in a cluster",
                value: limits::SAMPLES + 1,
                limit: limits::SAMPLES,
            }));
        }
        let len = u32::try_from(frame_len - frame.header_len as u64)
            .map_err(|_| block.unsupported("a frame of 4 GiB or more"))?;
        self.plan.ivs.push(iv);
        let subsamples = index(subsamples)..index(self.plan.subsamples.len());
        self.plan.samples.push(Sample {
            at: block.end - u64::from(len),
            len,
            protection,
            iv: index(self.plan.ivs.len() - 1),
            subsamples: frame.is_partitioned.then_some(subsamples),
        });
        Ok(true)
    }

    fn scope(&mut self, number: u64, track: &TrackEntry) -> u32 {
        let Self { scopes, plan, .. } = self;
        let (scope, _) = scopes.entry(number).or_insert_with(|| {
            plan.scopes.push(track.scope());
            (index(plan.scopes.len() - 1), None)
        });
        *scope
    }

    fn finish(mut self, mut checksums: Vec<Edit>) -> Plan {
        if self.plan.scopes.iter().any(|scope| !scope.default_kids.is_empty()) {
            self.plan.edits.append(&mut checksums);
        }
        self.plan.edits.sort_by_key(|edit| edit.at);
        self.plan.range.end = self.end;
        self.plan
    }
}

/// Lists of a plan are limited, so 32 bits are enough.
pub(crate) fn index(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}
