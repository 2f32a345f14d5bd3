//! Writes small WebM files for tests.

use crate::{
    Error, Plan, Step, Window,
    webm::{Planner, ebml, ids},
};

/// An element with that body.
pub(crate) fn element(id: u32, body: &[u8]) -> Vec<u8> {
    let width = (1..8).find(|&width| (body.len() as u64) < ebml::unknown(width)).unwrap();
    wide(id, body, width)
}

/// An element whose size takes `width` bytes.
pub(crate) fn wide(id: u32, body: &[u8], width: usize) -> Vec<u8> {
    [ebml::id(id), ebml::size(body.len() as u64, width), body.to_vec()].concat()
}

/// An element of unknown size.
pub(crate) fn open(id: u32, body: &[u8]) -> Vec<u8> {
    [ebml::id(id), vec![0xff], body.to_vec()].concat()
}

/// An element of these elements.
pub(crate) fn master(id: u32, children: &[Vec<u8>]) -> Vec<u8> {
    element(id, &children.concat())
}

pub(crate) const KID: &[u8] = b"a key id of WebM";

/// `ContentEncodings` with one encoding that has these elements in its `ContentEncryption`.
pub(crate) fn encodings(encryption: &[Vec<u8>]) -> Vec<u8> {
    let encoding =
        [element(ids::CONTENT_ENCODING_TYPE, &[1]), master(ids::CONTENT_ENCRYPTION, encryption)];
    master(ids::CONTENT_ENCODINGS, &[master(ids::CONTENT_ENCODING, &encoding)])
}

pub(crate) fn aes(kid: &[u8]) -> Vec<u8> {
    encodings(&[element(ids::CONTENT_ENC_ALGO, &[5]), element(ids::CONTENT_ENC_KEY_ID, kid)])
}

/// A video track with that number.
pub(crate) fn track(number: u8, rest: &[Vec<u8>]) -> Vec<u8> {
    let start = [
        element(ids::TRACK_NUMBER, &[number]),
        element(ids::TRACK_TYPE, &[1]),
        element(ids::CODEC_ID, b"V_VP8"),
    ];
    master(ids::TRACK_ENTRY, &[start.as_slice(), rest].concat())
}

/// `Tracks` with the encrypted track 1 and the clear track 2.
pub(crate) fn tracks() -> Vec<u8> {
    master(ids::TRACKS, &[track(1, &[aes(KID)]), track(2, &[])])
}

/// The body of a block.
pub(crate) fn block(track: u8, frame: &[u8]) -> Vec<u8> {
    [&[0x80 | track, 0, 0, 0x80], frame].concat()
}

pub(crate) fn simple(track: u8, frame: &[u8]) -> Vec<u8> {
    element(ids::SIMPLE_BLOCK, &block(track, frame))
}

/// An encrypted frame of these data.
pub(crate) fn encrypted(data: &[u8]) -> Vec<u8> {
    [&[1, 9, 9, 9, 9, 9, 9, 9, 9], data].concat()
}

/// A file: the EBML header, and a segment of these elements.
pub(crate) fn file(children: &[Vec<u8>]) -> Vec<u8> {
    let ebml = master(ids::EBML, &[element(ids::DOC_TYPE, b"webm")]);
    [ebml, wide(ids::SEGMENT, &children.concat(), 8)].concat()
}

/// Plans a whole input.
pub(crate) fn plans(input: &[u8]) -> Result<Vec<Plan>, Error> {
    plans_of(Planner::new(), input)
}

pub(crate) fn plans_of(mut planner: Planner, input: &[u8]) -> Result<Vec<Plan>, Error> {
    let mut plans = Vec::new();
    loop {
        match planner.next_unit(&Window::new(0, input), true)? {
            Step::Unit(plan) => plans.push(plan),
            Step::End => return Ok(plans),
            step => panic!("{step:?} of a whole input"),
        }
    }
}

/// The message of an error.
#[track_caller]
pub(crate) fn told<T>(result: Result<T, Error>) -> String {
    result.err().expect("an error").to_string()
}
