//! `ContentEncodings` go into the tracks (WebM Encryption, 4.5).

use super::{grow, insert, make_void};
use crate::{
    Error, Plan,
    encrypt::Ordered,
    webm::{
        ebml::{self, Element, Header},
        ids,
    },
};

/// Plans `Tracks`, of which `found` tells the tracks. Returns the bytes by which they grow.
pub(super) fn plan(
    tracks: &Element<'_, '_>,
    found: Plan,
    settings: &Ordered,
    plan: &mut Plan,
) -> Result<u64, Error> {
    (plan.tracks, plan.scopes) = (found.tracks, found.scopes);
    let mut growth = 0;
    // There is one for each entry, in their order.
    for (entry, index) in tracks.children().filter(is_entry).zip(0..plan.scopes.len()) {
        let entry = entry?;
        let scope = &plan.scopes[index];
        let Some(track) = settings.track(scope.track) else { continue };
        if let Some(encodings) = entry.child(ids::CONTENT_ENCODINGS)? {
            return Err(match scope.default_kids.is_empty() {
                true => encodings.unsupported("encrypting a track with content encodings"),
                false => Error::AlreadyProtected { place: entry.place(), track: scope.track },
            });
        }
        let Some(key) = track.keys.first() else { continue };
        if let Some(crc) = entry.child(ids::CRC_32)? {
            make_void(plan, crc.at, crc.end());
        }
        let encodings = encodings(key.kid.as_bytes());
        let len = encodings.len() as u64;
        insert(plan, entry.end(), encodings, entry.at);
        growth += grow(plan, entry.at, &header(&entry), len);
        plan.scopes[index].default_kids = [key.kid.clone()].into();
    }
    if growth > 0
        && let Some(crc) = tracks.child(ids::CRC_32)?
    {
        make_void(plan, crc.at, crc.end());
    }
    let growth = grow(plan, tracks.at, &header(tracks), growth);
    plan.edits.sort_by_key(|edit| edit.at);
    Ok(growth)
}

fn is_entry(entry: &Result<Element<'_, '_>, Error>) -> bool {
    entry.as_ref().map_or(true, |entry| entry.id == ids::TRACK_ENTRY)
}

fn header(element: &Element<'_, '_>) -> Header {
    let Element { id, header_len: len, width, .. } = *element;
    Header { id, len, width, size: Some(element.body.len() as u64) }
}

/// One encoding: the first, of frames, encryption by AES in counter mode.
fn encodings(kid: &[u8]) -> Vec<u8> {
    let element = |id, body: &[u8]| {
        let len = body.len() as u64;
        let width = if len < ebml::unknown(1) { 1 } else { 2 };
        [&ebml::id(id), &ebml::size(len, width), body].concat()
    };
    let settings = element(ids::AES_SETTINGS_CIPHER_MODE, &[1]);
    let encryption = [
        element(ids::CONTENT_ENC_ALGO, &[5]),
        element(ids::CONTENT_ENC_KEY_ID, kid),
        element(ids::CONTENT_ENC_AES_SETTINGS, &settings),
    ];
    let encoding = [
        element(ids::CONTENT_ENCODING_ORDER, &[0]),
        element(ids::CONTENT_ENCODING_SCOPE, &[1]),
        element(ids::CONTENT_ENCODING_TYPE, &[1]),
        element(ids::CONTENT_ENCRYPTION, &encryption.concat()),
    ];
    element(ids::CONTENT_ENCODINGS, &element(ids::CONTENT_ENCODING, &encoding.concat()))
}
