//! Whatever the bytes are: nothing panics, everything ends, and what is planned can be applied.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may panic as the test may")]

mod common;
#[path = "../src/fuzzing/planning.rs"]
mod planning;

use std::{fmt, ops::Range, sync::LazyLock};

use common::{Fixture, fixtures, laws};
use planning::is_planned;
use proptest::{collection::vec, prelude::*, sample::Index, strategy::ValueTree};

/// A change to a file.
#[derive(Clone, Debug)]
enum Change {
    Flip(Index, u8),
    Insert(Index, Vec<u8>),
    Delete(Index, u16),
    /// Overwrites four bytes, for sizes, counts and offsets.
    Number(Index, u32),
    Truncate(Index),
}

fn any_change() -> impl Strategy<Value = Change> {
    let number = prop_oneof![
        0_u32..20,
        any::<u32>(),
        prop::sample::select(vec![
            1 << 31,
            (1 << 31) - 1,
            u32::MAX,
            u32::MAX - 7,
            0x1_0000,
            0x1_0001
        ]),
    ];
    prop_oneof![
        4 => (any::<Index>(), any::<u8>()).prop_map(|(at, mask)| Change::Flip(at, mask)),
        4 => (any::<Index>(), number).prop_map(|(at, number)| Change::Number(at, number)),
        2 => (any::<Index>(), vec(any::<u8>(), 1..40)).prop_map(|(at, new)| Change::Insert(at, new)),
        2 => (any::<Index>(), 1_u16..100).prop_map(|(at, len)| Change::Delete(at, len)),
        1 => any::<Index>().prop_map(Change::Truncate),
    ]
}

impl Change {
    /// Makes the change somewhere in these ranges of the file: in its boxes, not in its samples.
    fn make(&self, bytes: &mut Vec<u8>, boxes: &[Range<usize>]) {
        let total: usize = boxes.iter().map(Range::len).sum();
        let place = |at: &Index, end: usize| {
            let mut nth = at.index(total);
            let found = boxes.iter().find_map(|range| match nth.checked_sub(range.len()) {
                Some(rest) => {
                    nth = rest;
                    None
                }
                None => Some(range.start + nth),
            });
            found.unwrap().min(end)
        };
        let len = bytes.len();
        match self {
            Self::Flip(at, mask) if len > 0 => bytes[place(at, len - 1)] ^= mask,
            Self::Number(at, number) if len >= 4 => {
                let at = place(at, len - 4);
                bytes[at..at + 4].copy_from_slice(&number.to_be_bytes());
            }
            Self::Insert(at, new) => {
                let at = place(at, len);
                bytes.splice(at..at, new.iter().copied());
            }
            Self::Delete(at, count) => {
                let at = place(at, len);
                bytes.drain(at..len.min(at + usize::from(*count)));
            }
            Self::Truncate(at) => bytes.truncate(place(at, len)),
            Self::Flip(..) | Self::Number(..) => {}
        }
    }
}

/// The boxes of a file, but of sample data only the header.
fn boxes(bytes: &[u8]) -> Vec<Range<usize>> {
    let (mut at, mut found) = (0, Vec::new());
    while at < bytes.len() {
        let size = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
        match &bytes[at + 4..at + 8] {
            b"mdat" => found.push(at..at + 8),
            _ => found.push(at..at + size),
        }
        at += size;
    }
    found
}

/// Reads the number at `at`: what it says and its length.
fn vint(bytes: &[u8], at: usize) -> (usize, usize) {
    let len = bytes[at].leading_zeros() as usize + 1;
    let marked = bytes[at..at + len].iter().fold(0, |value, byte| value << 8 | usize::from(*byte));
    (marked & ((1 << (7 * len)) - 1), len)
}

const SEGMENT: &[u8] = &[0x18, 0x53, 0x80, 0x67];
const CLUSTER: &[u8] = &[0x1f, 0x43, 0xb6, 0x75];

/// The elements of a WebM file, but of blocks only the first bytes: where the block, the frame and its
/// partitions say what they are.
fn elements(bytes: &[u8]) -> Vec<Range<usize>> {
    let (mut at, mut found) = (0, Vec::new());
    while at < bytes.len() {
        let id = bytes[at].leading_zeros() as usize + 1;
        let (size, len) = vint(bytes, at + id);
        let body = at + id + len;
        let (read, end) = match &bytes[at..at + id] {
            SEGMENT | CLUSTER => (0, body),
            [0xa3] => (size.min(24), body + size),
            _ => (size, body + size),
        };
        found.push(at..body + read);
        at = end;
    }
    found
}

/// The beginning of a fixture, and where in it the boxes lie.
struct Seed {
    name: String,
    bytes: Vec<u8>,
    boxes: Vec<Range<usize>>,
}

/// The beginning of a file, up to the fourth fragment or cluster.
fn seed(
    name: String,
    mut bytes: Vec<u8>,
    mut boxes: Vec<Range<usize>>,
    is_fragment: impl Fn(&[u8]) -> bool,
) -> Seed {
    let mut fragments = boxes.iter().filter(|range| is_fragment(&bytes[range.start..]));
    let end = fragments.nth(3).map_or(bytes.len(), |fourth| fourth.start);
    bytes.truncate(end);
    boxes.retain(|range| range.start < end);
    Seed { name, bytes, boxes }
}

/// A failed case tells the file, not its bytes.
impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// Three fragments of each fixture are as good as all; a progressive file has none.
static SEEDS: LazyLock<Vec<Seed>> = LazyLock::new(|| {
    let mut seeds = Vec::new();
    for Fixture { name, mut bytes, .. } in fixtures() {
        if !name.ends_with(".webm") {
            let boxes = boxes(&bytes);
            seeds.push(seed(name, bytes, boxes, |start| &start[4..8] == b"moof"));
            continue;
        }
        // As a file, cut short, which must not say how long it is; and as a live stream.
        for (live, ids) in [(false, &[SEGMENT][..]), (true, &[SEGMENT, CLUSTER])] {
            for element in elements(&bytes) {
                if ids.contains(&&bytes[element.start..element.start + 4]) {
                    let size = &mut bytes[element.start + 4..element.end];
                    assert_eq!(size.len(), 8);
                    size[1..].fill(0xff);
                }
            }
            let elements = elements(&bytes);
            let name = format!("{name}{}", if live { ", live" } else { "" });
            seeds.push(seed(name, bytes.clone(), elements, |start| &start[..4] == CLUSTER));
        }
    }
    seeds
});

fn any_seed() -> impl Strategy<Value = &'static Seed> {
    any::<Index>().prop_map(|index| index.get(&SEEDS))
}

#[test]
fn unchanged_files_get_to_the_end() {
    for Seed { name, bytes, .. } in SEEDS.iter() {
        assert!(is_planned(bytes), "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn changed_files_end(
        seed in any_seed(),
        changes in vec(any_change(), 1..4),
    ) {
        let mut bytes = seed.bytes.clone();
        for change in &changes {
            change.make(&mut bytes, &seed.boxes);
        }
        is_planned(&bytes);
    }

    #[test]
    fn random_bytes_end(bytes in vec(any::<u8>(), 0..300)) {
        is_planned(&bytes);
    }

    /// Alone, and behind the movie header of a fixture.
    #[test]
    fn random_boxes_end(bytes in random_boxes(), seed in any_seed()) {
        is_planned(&bytes);
        let mut boxes = seed.boxes.iter();
        if let Some(header) = boxes.find(|range| &seed.bytes[range.start + 4..][..4] == b"moov") {
            is_planned(&[&seed.bytes[header.clone()], &bytes].concat());
        }
    }

    /// In a segment of unknown size, also behind the tracks of a fixture.
    #[test]
    fn random_elements_end(bytes in random_elements(), seed in any_seed()) {
        let start = [&[0x1a, 0x45, 0xdf, 0xa3, 0x80], SEGMENT, &[0xff]].concat();
        is_planned(&[start.as_slice(), &bytes].concat());
        let mut elements = seed.boxes.iter();
        let is_tracks = |range: &&Range<usize>| seed.bytes[range.start..].starts_with(&TRACKS);
        if let Some(tracks) = elements.find(is_tracks) {
            is_planned(&[&start, &seed.bytes[tracks.clone()], &bytes].concat());
        }
    }
}

/// Boxes in boxes, of the types that are read, with random bodies.
fn random_boxes() -> impl Strategy<Value = Vec<u8>> {
    const KINDS: [&[u8; 4]; 38] = [
        b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"encv", b"enca", b"sinf", b"frma",
        b"schm", b"schi", b"tenc", b"mvex", b"trex", b"moof", b"traf", b"tfhd", b"trun", b"senc",
        b"saiz", b"saio", b"sgpd", b"sbgp", b"uuid", b"pssh", b"mdat", b"free", b"sidx", b"mfra",
        b"tfra", b"mfro", b"stsz", b"stsc", b"stco", b"udta", b"meta", b"hdlr",
    ];
    let boxed = |(kind, body): (&[u8; 4], Vec<u8>)| {
        let size = u32::try_from(body.len() + 8).unwrap();
        [&size.to_be_bytes(), kind.as_slice(), &body].concat()
    };
    let small = prop_oneof![3 => Just(0_u8), 2 => 0_u8..4, 1 => any::<u8>()];
    let leaf = (prop::sample::select(KINDS.to_vec()), vec(small, 0..60)).prop_map(boxed);
    leaf.prop_recursive(6, 60, 8, move |inner| {
        let body = vec(inner, 0..8).prop_map(|boxes| boxes.concat());
        (prop::sample::select(KINDS.to_vec()), body).prop_map(boxed)
    })
}

const TRACKS: [u8; 4] = [0x16, 0x54, 0xae, 0x6b];

/// Elements in elements, of the ids that are read, with random bodies.
fn random_elements() -> impl Strategy<Value = Vec<u8>> {
    const IDS: [&[u8]; 27] = [
        &[0x1a, 0x45, 0xdf, 0xa3],
        SEGMENT,
        &TRACKS,
        &[0xae],
        &[0xd7],
        &[0x83],
        &[0x86],
        &[0x6d, 0x80],
        &[0x62, 0x40],
        &[0x50, 0x35],
        &[0x47, 0xe1],
        &[0x47, 0xe2],
        CLUSTER,
        &[0xa7],
        &[0xab],
        &[0xa3],
        &[0xa0],
        &[0xa1],
        &[0xaf],
        &[0x1c, 0x53, 0xbb, 0x6b],
        &[0xbb],
        &[0xb7],
        &[0xf1],
        &[0xf0],
        &[0xec],
        &[0xbf],
        &[0x11, 0x4d, 0x9b, 0x74],
    ];
    let sized = |(id, body, open): (&[u8], Vec<u8>, bool)| {
        let size = u32::try_from(body.len()).unwrap();
        let size = if open { vec![0xff] } else { (size | 1 << 28).to_be_bytes().to_vec() };
        [id, &size, &body].concat()
    };
    let open = || prop::bool::weighted(0.1);
    // Mostly track 1, its signal byte, and lengths that are right.
    let small = prop_oneof![3 => Just(0_u8), 3 => 0_u8..4, 2 => Just(0x81), 1 => any::<u8>()];
    let ids = || prop::sample::select(IDS.to_vec());
    let leaf = (ids(), vec(small, 0..40), open()).prop_map(sized);
    leaf.prop_recursive(6, 60, 8, move |inner| {
        let body = vec(inner, 0..8).prop_map(|elements| elements.concat());
        (ids(), body, open()).prop_map(sized)
    })
}

/// The tests above are worth something only if changes leave some files readable and others not.
#[test]
fn changes_are_neither_harmless_nor_fatal() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut good, mut bad) = (0, 0);
    for seed in SEEDS.iter() {
        for _ in 0..4 {
            let mut bytes = seed.bytes.clone();
            let change = any_change().new_tree(&mut runner).unwrap().current();
            change.make(&mut bytes, &seed.boxes);
            *(if is_planned(&bytes) { &mut good } else { &mut bad }) += 1;
        }
    }
    assert!(good > 20 && bad > 20, "{good} good, {bad} bad");
}
