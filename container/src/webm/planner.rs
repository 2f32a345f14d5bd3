//! Cuts a WebM input into units and plans each of them.
//!
//! A unit is an element of the top or of a segment, such as `Tracks` or a `Cluster`; of a segment itself it
//! is the header. Elements that speak of no frames (`Cues`, `Tags`…) are passed on as they come; small ones that
//! follow each other are one unit.

use std::{io, ops::Range, sync::Arc};

use crate::{
    Edit, Error, Place, Plan, ReadAt, Relocation, Step,
    edit::Change,
    near::Near,
    stop::Stop,
    webm::{
        cluster,
        ebml::{self, Element, Header, join},
        ids,
        input::Input,
        relocate,
        tracks::{self, Tracks},
    },
};

const SEGMENT: &str = "Segment";

/// What an input without tracks is.
pub(super) const NO_TRACKS: Error =
    Error::NoHeader { header: "`Tracks` element", file: "a WebM file" };

/// Plans an input unit by unit. Holds what clusters need of the tracks before them.
#[derive(Clone, Debug, Default)]
pub struct Planner {
    at: u64,
    /// The segment that the next element is in.
    pub(super) segment: Option<Segment>,
    pub(super) tracks: Option<Arc<Tracks>>,
    /// Tracks have been met, so this is WebM.
    has_tracks: bool,
    /// An element is being passed on that ends there.
    passing: Option<(Place, u64)>,
    /// How far the end of a cluster of unknown size has been looked for.
    looked: u64,
    /// The element behind the last unit, if it has been planned already.
    ahead: Option<Box<Plan>>,
}

/// Bytes from which on a unit is not made longer: what a unit costs is little beside them.
const LONG: u64 = 64 << 10;

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Segment {
    at: u64,
    /// Where its body begins, from which positions in it count; `None`: it begins in another input.
    pub(super) data: Option<u64>,
    /// `None`: its size is unknown.
    end: Option<u64>,
}

impl Planner {
    /// A planner for an input from its start.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A planner for media segments that come without their init segment.
    ///
    /// # Errors
    /// Whatever can be wrong with `init`, or that it holds no `Tracks`.
    pub fn with_init(init: &dyn ReadAt) -> Result<Self, Error> {
        let mut planner = Self::new();
        while let Step::Unit(_) = planner.next_unit(init, true)? {}
        match planner.tracks.take() {
            Some(tracks) => Ok(Self {
                tracks: Some(tracks),
                segment: Some(Segment::default()),
                has_tracks: true,
                ..Self::default()
            }),
            None => Err(NO_TRACKS),
        }
    }

    /// Plans the unit that follows the last one.
    ///
    /// `input` has at least the bytes from the end of the last unit on; if `whole`, then nothing
    /// comes after them.
    ///
    /// # Errors
    /// What is wrong with the input. The planner is of no use after an error.
    pub fn next_unit(&mut self, input: &dyn ReadAt, whole: bool) -> Result<Step, Error> {
        let near = Near::new(input);
        let input = Input::new(&near, whole);
        let mut step = self.next_element(input)?;
        if let Step::Unit(plan) = &mut step {
            while plan.says_nothing()
                && plan.range.end - plan.range.start < LONG
                && let Some(next) = self.following(input)
            {
                if !next.says_nothing() {
                    self.ahead = Some(Box::new(next));
                    break;
                }
                plan.range.end = next.range.end;
                self.at = next.range.end;
            }
        }
        Ok(step)
    }

    /// Likewise, of one element only.
    pub(super) fn next_element(&mut self, input: Input<'_>) -> Result<Step, Error> {
        let planned = match self.ahead.take() {
            Some(plan) => Ok(Some(*plan)),
            None => self.plan(input),
        };
        match planned {
            Ok(Some(plan)) => {
                self.at = plan.range.end;
                Ok(Step::Unit(plan))
            }
            Ok(None) if self.has_tracks => Ok(Step::End),
            Ok(None) => Err(NO_TRACKS),
            Err(Stop::More(until)) => Ok(Step::More(until)),
            Err(Stop::Everything) => Ok(Step::Everything),
            Err(Stop::Failed(error)) => Err(error),
        }
    }

    /// The element that follows, if it changes nothing that is known of segment and tracks. What is wrong with
    /// it, or missing, is told when its turn comes.
    fn following(&mut self, input: Input<'_>) -> Option<Plan> {
        // The header of a segment is a unit.
        let is_inside = |segment: &Segment| {
            self.passing.is_none() && ![segment.data, segment.end].contains(&Some(self.at))
        };
        let segment = self.segment.filter(is_inside)?;
        let header = input.header(self.at, SEGMENT).ok()?;
        match header.id {
            ids::EBML | ids::SEGMENT | ids::TRACKS => None,
            _ => self.in_segment(&segment, &header, input).ok(),
        }
    }

    /// The edits that make the sizes and positions in a unit true again after `relocation`: those of
    /// `Segment`, `SeekHead`, `Tracks`, `Cluster` and `Cues`, and of what is in them.
    ///
    /// The unit is the one that was planned last. Its offsets are those of `input`; the edits are made before
    /// the pieces are taken out.
    ///
    /// # Errors
    /// As planning the same unit, and a position that has no room for its new value.
    pub fn relocate(
        &self,
        input: &dyn ReadAt,
        unit: Range<u64>,
        relocation: &Relocation,
    ) -> Result<Vec<Edit>, Error> {
        if relocation.is_empty() {
            return Ok(Vec::new());
        }
        let data = self.segment.and_then(|segment| segment.data);
        let near = Near::new(input);
        match relocate::relocate(&Input::new(&near, true), &unit, data, relocation) {
            Ok(edits) => Ok(edits),
            Err(Stop::Failed(error)) => Err(error),
            Err(Stop::More(_) | Stop::Everything) => {
                let source = io::ErrorKind::UnexpectedEof.into();
                Err(Error::Read { at: unit.start, source })
            }
        }
    }

    fn plan(&mut self, input: Input<'_>) -> Result<Option<Plan>, Stop> {
        if let Some((place, end)) = self.passing.clone() {
            return self.pass(place, end, input).map(Some);
        }
        if let Some(Segment { end: Some(end), .. }) = self.segment
            && self.at == end
        {
            self.segment = None;
        }
        if self.at >= input.end() {
            return match (input.whole, self.segment) {
                (false, _) => Err(Stop::More(self.at + 2)),
                (true, Some(Segment { at, end: Some(end), .. })) => {
                    let place = Place { path: SEGMENT.to_owned(), at };
                    let (size, available) = (end - at, self.at - at);
                    Err(Error::TruncatedBox { place, size, available }.into())
                }
                (true, _) => Ok(None),
            };
        }
        let parent = if self.segment.is_some() { SEGMENT } else { "" };
        let header = input.header(self.at, parent)?;
        match self.segment {
            Some(Segment { end: None, .. }) if ids::ends_segment(header.id) => {
                self.segment = None;
                self.top(&header, input).map(Some)
            }
            Some(segment) => self.in_segment(&segment, &header, input).map(Some),
            None => self.top(&header, input).map(Some),
        }
    }

    fn top(&mut self, header: &Header, input: Input<'_>) -> Result<Plan, Stop> {
        let at = self.at;
        let place = || Place { path: join("", header.id), at };
        match header.id {
            ids::SEGMENT => {
                let end = input.element_end(header, at, "", None)?;
                let data = at + header.len as u64;
                self.segment = Some(Segment { at, data: Some(data), end });
                self.tracks = None;
                Ok(Plan { range: at..data, ..Plan::default() })
            }
            ids::EBML => {
                let end = self.known_end(header, input)?;
                let body = input.body(header, at, end, "")?;
                check_version(&Element::new(header, at, &body, ""))?;
                Ok(Plan { range: at..end, ..Plan::default() })
            }
            ids::VOID | ids::CRC_32 => self.start_passing(header, input),
            ids::CLUSTER => Err(no_tracks_yet(place()).into()),
            _ => {
                let what = "the element stands outside of any segment".to_owned();
                Err(Error::MalformedBox { place: place(), what }.into())
            }
        }
    }

    fn in_segment(
        &mut self,
        segment: &Segment,
        header: &Header,
        input: Input<'_>,
    ) -> Result<Plan, Stop> {
        let at = self.at;
        match header.id {
            ids::TRACKS => {
                let end = self.known_end(header, input)?;
                let body = input.body(header, at, end, SEGMENT)?;
                let (plan, tracks) = tracks::plan(&Element::new(header, at, &body, SEGMENT))?;
                (self.tracks, self.has_tracks) = (Some(Arc::new(tracks)), true);
                Ok(plan)
            }
            ids::CLUSTER => {
                let place = Place { path: join(SEGMENT, header.id), at };
                let tracks = self.tracks.clone().ok_or_else(|| no_tracks_yet(place))?;
                let body = at + header.len as u64;
                let end = match input.element_end(header, at, SEGMENT, segment.end)? {
                    Some(end) => end,
                    None => {
                        self.looked = self.looked.max(body);
                        cluster::find_end(input, &mut self.looked, segment.end)?;
                        self.looked
                    }
                };
                if end > input.end() {
                    return Err(Stop::More(end));
                }
                cluster::plan(input, at..end, body, &tracks)
            }
            // A checksum over all of a segment cannot stay true.
            ids::CRC_32 => {
                let end = self.known_end(header, input)?;
                if end > input.end() {
                    return Err(Stop::More(end));
                }
                let (range, len) = (at..end, end - at);
                let change = Change::Discard { len, filler: ebml::void(len) };
                let edits = vec![Edit { at, change, scope: None }];
                Ok(Plan { range, edits, ..Plan::default() })
            }
            ids::SEGMENT | ids::EBML => {
                let place = Place { path: join(SEGMENT, header.id), at };
                let what = "the element is inside of a segment".to_owned();
                Err(Error::MalformedBox { place, what }.into())
            }
            _ => self.start_passing(header, input),
        }
    }

    /// Where the element at hand ends.
    fn known_end(&self, header: &Header, input: Input<'_>) -> Result<u64, Error> {
        let parent = if self.segment.is_some() { SEGMENT } else { "" };
        let parent_end = self.segment.and_then(|segment| segment.end);
        let end = input.element_end(header, self.at, parent, parent_end)?;
        end.ok_or_else(|| cluster::unknown_size(header, self.at, parent))
    }

    fn start_passing(&mut self, header: &Header, input: Input<'_>) -> Result<Plan, Stop> {
        let end = self.known_end(header, input)?;
        let parent = if self.segment.is_some() { SEGMENT } else { "" };
        self.pass(Place { path: join(parent, header.id), at: self.at }, end, input)
    }

    /// Passes on what has arrived of an element that speaks of no frames.
    fn pass(&mut self, place: Place, element_end: u64, input: Input<'_>) -> Result<Plan, Stop> {
        let end = element_end.min(input.end());
        if end == self.at {
            return Err(match input.whole {
                false => Stop::More(self.at + 1),
                true => {
                    let (size, available) = (element_end - place.at, end - place.at);
                    Error::TruncatedBox { place, size, available }.into()
                }
            });
        }
        self.passing = (end < element_end).then_some((place, element_end));
        Ok(Plan { range: self.at..end, ..Plan::default() })
    }
}

fn no_tracks_yet(place: Place) -> Error {
    Error::NoInit { place, what: "a cluster before any `Tracks`" }
}

/// Refuses what is EBML, but cannot be read as WebM is.
fn check_version(ebml: &Element<'_, '_>) -> Result<(), Error> {
    for (id, most) in
        [(ids::EBML_READ_VERSION, 1), (ids::EBML_MAX_ID_LENGTH, 4), (ids::EBML_MAX_SIZE_LENGTH, 8)]
    {
        if let Some(found) = ebml.child(id)? {
            let value = found.unsigned()?;
            if value > most {
                return Err(found.unsupported(format!("a value of {value}")));
            }
        }
    }
    match ebml.child(ids::DOC_TYPE)? {
        Some(doc_type) if !matches!(&*doc_type.text(), "webm" | "matroska") => {
            Err(doc_type.unsupported(format!("the document type `{}`", doc_type.text())))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ReadyPlan, Window,
        webm::testing::{
            KID, aes, block, element, encodings, encrypted, file, master, open, plans, plans_of,
            simple, told, track, tracks, wide,
        },
    };

    fn cluster(children: &[Vec<u8>]) -> Vec<u8> {
        master(ids::CLUSTER, children)
    }

    fn index(range: &Range<u64>) -> Range<usize> {
        usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap()
    }

    fn ready(bytes: &[u8]) -> Vec<ReadyPlan> {
        let key = Arc::new(cenc::Key::new(&[7; 16]));
        let resolve = |plan: Plan| plan.resolve(&|_, _: &_| Some(key.clone()), &Default::default());
        plans(bytes).unwrap().into_iter().map(|plan| resolve(plan).unwrap()).collect()
    }

    fn decrypted(bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for ready in ready(&bytes.clone()) {
            let range = ready.plan().range();
            ready.apply(range.start, &mut bytes[index(&range)]).unwrap();
        }
        bytes
    }

    fn compact(bytes: &[u8]) -> Vec<u8> {
        let mut relocation = Relocation::new();
        ready(bytes).iter().flat_map(ReadyPlan::edits).for_each(|edit| relocation.add(edit));
        let (mut planner, mut edited) = (Planner::new(), decrypted(bytes));
        let input = Window::new(0, bytes);
        while let Step::Unit(plan) = planner.next_unit(&input, true).unwrap() {
            for edit in planner.relocate(&input, plan.range(), &relocation).unwrap() {
                edit.write(0, &mut edited);
            }
        }
        let kept = relocation.kept(0..bytes.len() as u64);
        kept.map(|kept| &edited[index(&kept)]).collect::<Vec<_>>().concat()
    }

    #[test]
    fn units_are_elements_and_the_headers_of_segments() {
        let children = [
            master(ids::INFO, &[]),
            tracks(),
            cluster(&[simple(2, b"abc")]),
            master(ids::TAGS, &[]),
        ];
        let bytes = file(&children);
        let lengths: Vec<_> = plans(&bytes)
            .unwrap()
            .iter()
            .map(|plan| usize::try_from(plan.range().end - plan.range().start).unwrap())
            .collect();
        let [info, tracks, cluster, tags] = children.map(|child| child.len());
        assert_eq!(lengths, [12, 12, info, tracks, cluster, tags]);
    }

    #[test]
    fn a_cue_may_lead_to_where_no_element_begins() {
        let write = |at: u8| {
            let positions = [
                element(ids::CUE_CLUSTER_POSITION, &[at]),
                element(ids::CUE_RELATIVE_POSITION, &[77]),
            ];
            let point = master(ids::CUE_POINT, &[master(ids::CUE_TRACK_POSITIONS, &positions)]);
            let frame = simple(1, &encrypted(b"12345"));
            file(&[tracks(), cluster(&[frame]), master(ids::CUES, &[point])])
        };
        let data = 24;
        let zero = write(0)[data..].iter().position(|byte| *byte == 0).unwrap();
        let bytes = write(u8::try_from(zero).unwrap());
        assert_eq!(bytes[data + zero], 0);
        let compact = compact(&bytes);
        assert!(compact.len() < bytes.len());
        assert_eq!(compact.last(), Some(&77));
    }

    #[test]
    fn what_lies_where_it_cannot_holds_no_positions() {
        let broken = element(ids::TRACK_ENTRY, &[0; 4]);
        let cues = master(ids::CUES, &[master(ids::CUE_POINT, &[broken])]);
        let bytes = file(&[tracks(), cluster(&[simple(1, &encrypted(b"12345"))]), cues.clone()]);
        let compact = compact(&bytes);
        assert!(compact.len() < bytes.len() && compact.ends_with(&cues));
    }

    #[test]
    fn small_elements_that_say_nothing_are_one_unit() {
        let void = |len: u64| element(ids::VOID, &vec![0; usize::try_from(len).unwrap()]);
        let (many, empty) = (void(0).repeat(1000), cluster(&[]).repeat(1000));
        let open = open(ids::CLUSTER, &element(ids::TIMESTAMP, &[0])).repeat(1000);
        let (speaks, long) = (cluster(&[simple(2, b"abc")]), void(LONG));
        let children = [
            void(3),
            tracks(),
            [many.clone(), open, empty, void(LONG - 15_000)].concat(),
            void(1),
            speaks.clone(),
            [void(2), void(2)].concat(),
            speaks,
            long,
            many,
        ];
        let bytes = file(&children);
        let lengths = |plans: &[Plan]| -> Vec<u64> {
            plans.iter().map(|plan| plan.range().end - plan.range().start).collect()
        };
        let expected: Vec<_> = children.iter().map(|child| child.len() as u64).collect();
        assert_eq!(lengths(&plans(&bytes).unwrap())[2..], expected);

        // What is wrong is told behind what is not.
        let broken = [file(&[tracks(), void(3), void(3)]), vec![0x80]].concat();
        let mut planner = Planner::new();
        let input = Window::new(0, &broken);
        let mut next = || planner.next_unit(&input, true);
        assert!((0..4).all(|_| matches!(next(), Ok(Step::Unit(_)))));
        assert!(matches!(next(), Err(Error::MalformedBox { .. })));
    }

    #[test]
    fn what_encrypts_becomes_padding_and_nothing_moves() {
        let encrypted = |gap: usize| {
            let frame = [&[0][..], b"clear"].concat();
            file(&[
                tracks(),
                cluster(&[
                    simple(1, &testing_frame(gap)),
                    simple(1, &frame),
                    wide(ids::SIMPLE_BLOCK, &block(1, &frame), 8),
                    simple(2, b"other"),
                ]),
            ])
        };
        for partitions in [0, 1, 40] {
            let bytes = encrypted(partitions);
            let clear = decrypted(&bytes);
            assert_eq!(clear.len(), bytes.len());
            let plans = plans(&clear).unwrap();
            assert!(plans.iter().all(Plan::is_verbatim));
            assert_eq!(plans[3].scopes().iter().map(|scope| scope.clear).sum::<u64>(), 4);
            // The widened size, and the one that was as wide as can be.
            let once =
                |part: &[u8]| clear.windows(part.len()).filter(|found| *found == part).count();
            assert_eq!(once(&[&[0xA3, 0x40, 9], &block(1, b"clear")[..]].concat()), 1);
            let narrower = [&[0xA3, 2, 0, 0, 0, 0, 0, 9], &block(1, b"clear")[..], &[0xEC, 0x80]];
            assert_eq!(once(&narrower.concat()), 1);
        }
    }

    /// An encrypted frame of five bytes, cut into that many partitions.
    fn testing_frame(partitions: usize) -> Vec<u8> {
        match partitions {
            0 => encrypted(b"12345"),
            _ => {
                let count = [u8::try_from(partitions).unwrap()];
                let offsets = (0..partitions).flat_map(|at| [0, 0, 0, u8::from(at > 9)]);
                let offsets: Vec<u8> = offsets.collect();
                [&[3][..], &[9; 8], &count, &offsets, b"12345"].concat()
            }
        }
    }

    /// The law: a file without what encrypts it is the file that would have been written without it.
    #[test]
    fn what_encrypts_is_cut_out_and_all_positions_follow() {
        let write = |is_encrypted: bool, has_sizes: bool| {
            let entry = match is_encrypted {
                true => track(1, &[aes(KID)]),
                false => track(1, &[]),
            };
            let tracks = master(ids::TRACKS, &[entry, track(2, &[])]);
            let frame = if is_encrypted { encrypted(b"12345") } else { b"?????".to_vec() };
            let padded = |id| wide(id, &block(1, &frame), 2);
            let clusters = |first: u64, second: u64| {
                let cluster = |position: u64, prev: u64| {
                    let children = [
                        wide(ids::POSITION, &position.to_be_bytes(), 1),
                        wide(ids::PREV_SIZE, &prev.to_be_bytes(), 1),
                        padded(ids::SIMPLE_BLOCK),
                        wide(ids::BLOCK_GROUP, &padded(ids::BLOCK), 2),
                        simple(2, b"other"),
                    ];
                    match has_sizes {
                        true => wide(ids::CLUSTER, &children.concat(), 4),
                        false => open(ids::CLUSTER, &children.concat()),
                    }
                };
                let len = cluster(0, 0).len() as u64;
                (vec![cluster(first, 0), cluster(second, len)], len)
            };
            let seek = |at: u64| {
                master(
                    ids::SEEK_HEAD,
                    &[master(ids::SEEK, &[element(ids::SEEK_POSITION, &at.to_be_bytes())])],
                )
            };
            let cue = |at: u64, relative: u64| {
                let positions = [
                    element(ids::CUE_CLUSTER_POSITION, &at.to_be_bytes()),
                    element(ids::CUE_RELATIVE_POSITION, &relative.to_be_bytes()),
                ];
                master(ids::CUE_POINT, &[master(ids::CUE_TRACK_POSITIONS, &positions)])
            };
            let wide_tracks = wide(ids::TRACKS, &tracks[5..], 4);
            let first = (seek(0).len() + wide_tracks.len()) as u64;
            let (_, len) = clusters(0, 0);
            let cues_at = first + 2 * len;
            // The second encoded block of a cluster: behind positions, and the simple block.
            let relative = 20 + padded(ids::SIMPLE_BLOCK).len() as u64;
            let children = [
                vec![seek(cues_at), wide_tracks],
                clusters(first, first + len).0,
                vec![master(ids::CUES, &[cue(first, 20), cue(first + len, relative)])],
            ];
            file(&children.concat())
        };
        for has_sizes in [true, false] {
            let bytes = write(true, has_sizes);
            let mut found = compact(&bytes);
            let expected = write(false, has_sizes);
            // The frames have been decrypted with some key.
            for at in 0..found.len().min(expected.len()) {
                if expected[at] == b'?' {
                    found[at] = b'?';
                }
            }
            let at = found.iter().zip(&expected).position(|(found, expected)| found != expected);
            assert_eq!((at, found.len()), (None, expected.len()), "{has_sizes}");
        }
    }

    #[test]
    fn checksums_over_what_changes_become_padding() {
        let crc = || element(ids::CRC_32, &[1, 2, 3, 4]);
        let bytes = file(&[
            master(ids::SEEK_HEAD, &[crc()]),
            master(ids::TRACKS, &[crc(), track(1, &[crc(), aes(KID)]), track(2, &[crc()])]),
            cluster(&[crc(), simple(1, &encrypted(b"1"))]),
            cluster(&[crc(), simple(2, b"1")]),
            cluster(&[
                crc(),
                master(
                    ids::BLOCK_GROUP,
                    &[crc(), element(ids::BLOCK, &block(1, &encrypted(b"1")))],
                ),
                master(ids::BLOCK_GROUP, &[crc(), element(ids::BLOCK, &block(2, b"1"))]),
            ]),
        ]);
        let count = |bytes: &[u8]| bytes.windows(6).filter(|found| *found == crc()).count();
        assert_eq!((count(&bytes), count(&decrypted(&bytes))), (9, 4));
        // Nothing stays true of a track that is left.
        let leave = [1].into_iter().collect();
        for plan in plans(&bytes).unwrap() {
            let left = plan.resolve(&|_, _: &_| None, &leave).unwrap();
            assert_eq!(left.edits().count(), 0);
        }
    }

    #[test]
    fn live_streams_need_no_sizes() {
        let blocks = [simple(1, &encrypted(b"1")), simple(2, b"2")];
        let children =
            [tracks(), open(ids::CLUSTER, &blocks.concat()), open(ids::CLUSTER, &blocks.concat())];
        let ebml = master(ids::EBML, &[]);
        let one = [ebml, open(ids::SEGMENT, &children.concat())].concat();
        let twice = [one.clone(), one.clone()].concat();
        let samples = |bytes: &[u8]| -> Vec<_> {
            plans(bytes).unwrap().iter().map(|plan| plan.samples().len()).collect()
        };
        assert_eq!(samples(&one), [0, 0, 0, 1, 1]);
        assert_eq!(samples(&twice), [0, 0, 0, 1, 1, 0, 0, 0, 1, 1]);
    }

    #[test]
    fn clusters_are_planned_with_their_init_segment() {
        let init = [master(ids::EBML, &[]), open(ids::SEGMENT, &tracks())].concat();
        let planner = Planner::with_init(&Window::new(0, &init)).unwrap();
        let segment = cluster(&[simple(1, &encrypted(b"1"))]);
        assert_eq!(plans_of(planner, &segment).unwrap()[0].samples().len(), 1);
        assert_eq!(
            told(plans(&segment)),
            "`Cluster` at byte 0: a cluster before any `Tracks`: its init segment is needed first"
        );
        let empty = master(ids::EBML, &[]);
        let message = "no `Tracks` element: this is only a part of a WebM file";
        assert_eq!(told(plans(&empty)), message);
        assert_eq!(told(Planner::with_init(&Window::new(0, &empty))), message);
    }

    #[test]
    fn tracks_are_told_with_key_id_and_codec() {
        let kid = [5; 512];
        let bytes = file(&[master(ids::TRACKS, &[track(1, &[aes(&kid)]), track(7, &[aes(&kid)])])]);
        let plan = plans(&bytes).unwrap().remove(2);
        assert_eq!(plan.tracks().iter().map(|track| track.id).collect::<Vec<_>>(), [1, 7]);
        let entry = &plan.tracks()[1].entries[0];
        assert_eq!((entry.format.as_str(), plan.tracks()[1].handler.0), ("V_VP8", *b"vide"));
        let protection = entry.protection.as_ref().unwrap();
        assert_eq!((protection.kid.as_bytes(), protection.iv_size), (&kid[..], Some(8)));
        let [told] = plan.init_data() else { panic!("{:?}", plan.init_data()) };
        assert_eq!(told.init_data_type.as_str(), "webm");
        assert_eq!(told.bytes, kid);
    }

    #[test]
    fn compressed_tracks_are_clear_tracks() {
        let compressed = master(ids::CONTENT_ENCODINGS, &[master(ids::CONTENT_ENCODING, &[])]);
        let lacing = element(ids::SIMPLE_BLOCK, &[0x81, 0, 0, 0x02, 1, 1, 9]);
        let bytes = file(&[master(ids::TRACKS, &[track(1, &[compressed])]), cluster(&[lacing])]);
        assert!(plans(&bytes).unwrap().iter().all(Plan::is_verbatim));
    }

    #[test]
    fn what_is_not_webm_encryption_is_refused() {
        let with = |encodings| file(&[master(ids::TRACKS, &[track(1, &[encodings])])]);
        let algo = |algo| {
            encodings(&[
                element(ids::CONTENT_ENC_ALGO, &[algo]),
                element(ids::CONTENT_ENC_KEY_ID, KID),
            ])
        };
        let mode = element(ids::AES_SETTINGS_CIPHER_MODE, &[2]);
        let cbc = encodings(&[
            element(ids::CONTENT_ENC_ALGO, &[5]),
            element(ids::CONTENT_ENC_KEY_ID, KID),
            master(ids::CONTENT_ENC_AES_SETTINGS, &[mode]),
        ]);
        let one = aes(KID);
        let two = master(
            ids::CONTENT_ENCODINGS,
            &[one[3..].to_vec(), master(ids::CONTENT_ENCODING, &[])],
        );
        let in_clusters = |children: &[Vec<u8>]| file(&[tracks(), cluster(children)]);
        let frame = encrypted(b"1");
        let laced = element(ids::SIMPLE_BLOCK, &[&[0x81, 0, 0, 0x06][..], &frame].concat());
        let added = [element(ids::BLOCK, &block(1, &frame)), master(ids::BLOCK_ADDITIONS, &[])];
        for (bytes, message) in [
            (with(algo(3)), "ContentEncryption` at byte 54: the ContentEncAlgo 3 is not supported"),
            (with(cbc), "the AESSettingsCipherMode 2 is not supported"),
            (with(two), "encryption with a second encoding above or below it is not supported"),
            (with(aes(&[])), "ContentEncKeyID` at byte 61: "),
            (with(aes(&[1; 513])), "ContentEncKeyID` at byte "),
            (
                with(encodings(&[element(ids::CONTENT_ENC_ALGO, &[5])])),
                "has no `ContentEncKeyID` element",
            ),
            (
                in_clusters(&[laced]),
                "SimpleBlock` at byte 100: lacing in an encrypted track is not supported",
            ),
            (
                in_clusters(&[master(ids::BLOCK_GROUP, &added)]),
                "what is added to an encrypted block is not supported",
            ),
            (
                in_clusters(&[element(ids::ENCRYPTED_BLOCK, &[])]),
                "a block that hides its track is not supported",
            ),
            (in_clusters(&[simple(1, &[])]), "a frame without a signal byte"),
            (in_clusters(&[simple(3, &[])]), "there is no track with the number 3"),
            (
                in_clusters(&[element(ids::SIMPLE_BLOCK, &[0x81, 0])]),
                "the block ends inside of its header",
            ),
        ] {
            let found = told(plans(&bytes));
            assert!(found.contains(message), "{found}, not {message}");
        }
    }
}
