//! `Tracks`: what each track holds, and how it is encrypted (RFC 9559, 5.1.4; WebM Encryption, 4.5).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use cenc::{Pattern, Scheme};
use clearkey::{InitDataType, KeyId};
use codec::Codec;

use crate::{
    Error, FourCc,
    edit::{Change, Edit},
    plan::{EntryProtection, EntrySummary, InitData, Plan, Protection, Scope, Track},
    webm::{
        ebml::{self, Element},
        frame, ids,
    },
};

/// `ContentEncodingType`: encryption.
const ENCRYPTION: u64 = 1;
/// `ContentEncodingScope`: the frames and nothing else.
const FRAMES: u64 = 1;
/// `ContentEncAlgo`: AES.
const AES: u64 = 5;
/// `AESSettingsCipherMode`: counter mode.
const CTR: u64 = 1;

/// The tracks of a segment by number.
pub(crate) type Tracks = BTreeMap<u64, TrackEntry>;

/// What blocks need of their track.
#[derive(Clone, Debug)]
pub(crate) struct TrackEntry {
    pub(crate) id: u32,
    /// The key id; `None`: the track is clear.
    pub(crate) kid: Option<KeyId>,
    /// What is known of its codec.
    pub(crate) codec: Result<Option<Arc<Codec>>, codec::Error>,
}

impl TrackEntry {
    /// The scope of its frames in a unit, with no frames yet.
    pub(crate) fn scope(&self) -> Scope {
        let default_kids = self.kid.iter().cloned().collect();
        Scope { track: self.id, default_kids, ..Scope::default() }
    }

    /// How its encrypted frames are protected.
    pub(crate) fn protection(&self, scope: u32, kid: &KeyId) -> Protection {
        Protection {
            scope,
            scheme: Scheme::Cenc,
            pattern: Pattern::NONE,
            kid: kid.clone(),
            iv_size: Some(IV_SIZE),
            codec: self.codec.clone().ok().flatten(),
        }
    }
}

/// Bytes of a frame's IV.
#[expect(clippy::cast_possible_truncation, reason = "it is 8")]
const IV_SIZE: u8 = frame::IV as u8;

/// Plans a `Tracks` element: what encrypts tracks goes with the tracks.
pub(crate) fn plan(tracks: &Element<'_, '_>) -> Result<(Plan, Tracks), Error> {
    let mut plan = Plan { range: tracks.at..tracks.end(), ..Plan::default() };
    let (mut found, mut told) = (Tracks::new(), BTreeSet::new());
    for entry in tracks.children() {
        let entry = entry?;
        if entry.id != ids::TRACK_ENTRY {
            continue;
        }
        let (number, track) = track_entry(&entry, &mut plan, &mut told)?;
        if found.insert(number, track).is_some() {
            return Err(entry.malformed(format!("a second track with the number {number}")));
        }
    }
    if found.values().any(|track| track.kid.is_some())
        && let Some(crc) = tracks.child(ids::CRC_32)?
    {
        plan.edits.push(checksum(crc.at, crc.end() - crc.at));
    }
    plan.edits.sort_by_key(|edit| edit.at);
    Ok((plan, found))
}

/// A checksum over what changes, which becomes padding.
pub(crate) fn checksum(at: u64, len: u64) -> Edit {
    Edit { at, change: Change::Checksum { filler: void(len) }, scope: None }
}

/// A whole `Void` element.
pub(crate) fn void(len: u64) -> Vec<u8> {
    let mut void = ebml::void(len);
    void.resize(usize::try_from(len).unwrap_or(usize::MAX), 0);
    void
}

fn discard(plan: &mut Plan, scope: u32, element: &Element<'_, '_>) {
    let len = element.end() - element.at;
    let change = Change::Discard { len, filler: ebml::void(len) };
    plan.edits.push(Edit { at: element.at, change, scope: Some(scope) });
}

fn track_entry(
    entry: &Element<'_, '_>,
    plan: &mut Plan,
    told: &mut BTreeSet<KeyId>,
) -> Result<(u64, TrackEntry), Error> {
    let number = entry.need(ids::TRACK_NUMBER)?;
    let id = match number.unsigned()? {
        0 => return Err(number.malformed("a track number of 0")),
        id => {
            u32::try_from(id).map_err(|_| number.unsupported(format!("a track number of {id}")))?
        }
    };
    let codec_id = entry.need(ids::CODEC_ID)?.text();
    let encodings = entry.child(ids::CONTENT_ENCODINGS)?;
    let encryption = encodings.as_ref().map(encryption).transpose()?.flatten();
    let kid = encryption.as_ref().map(|(_, kid)| kid.clone());
    let codec = codec(entry, &codec_id)?.map(|codec| codec.map(Arc::new));
    let track = TrackEntry { id, kid, codec };

    let scope = u32::try_from(plan.scopes.len()).unwrap_or(u32::MAX);
    plan.scopes.push(track.scope());
    if let (Some((at, kid)), Some(encodings)) = (&encryption, &encodings) {
        discard(plan, scope, encodings);
        if let Some(crc) = entry.child(ids::CRC_32)? {
            discard(plan, scope, &crc);
        }
        if told.insert(kid.clone()) {
            let (init_data_type, bytes) = (InitDataType::Webm, kid.as_bytes().to_vec());
            plan.init_data.push(InitData { at: *at, init_data_type, bytes });
        }
    }
    let protection = track.kid.clone().map(|kid| EntryProtection {
        scheme_type: FourCc(*b"cenc"),
        scheme: Scheme::Cenc,
        is_protected: true,
        kid,
        pattern: Pattern::NONE,
        iv_size: Some(IV_SIZE),
        constant_iv: None,
    });
    let handler = match entry.unsigned_of(ids::TRACK_TYPE)? {
        Some(1) => *b"vide",
        Some(2) => *b"soun",
        Some(17) => *b"subt",
        _ => *b"meta",
    };
    let entries = vec![EntrySummary { format: codec_id, protection }];
    plan.tracks.push(Track { id, handler: FourCc(handler), entries });
    Ok((id.into(), track))
}

/// The codec of a track, where it is known and its configuration is right.
fn codec(
    entry: &Element<'_, '_>,
    codec_id: &str,
) -> Result<Result<Option<Codec>, codec::Error>, Error> {
    let private = entry.child(ids::CODEC_PRIVATE)?.map_or(&[][..], |private| private.body);
    Ok(Codec::from_webm(codec_id, private, size(entry)?))
}

/// Width and height in pixels; 0 for audio.
pub(super) fn size(entry: &Element<'_, '_>) -> Result<(u32, u32), Error> {
    let video = entry.child(ids::VIDEO)?;
    let pixels = |id| {
        let pixels = video.as_ref().map(|video| video.unsigned_of(id)).transpose()?.flatten();
        Ok::<_, Error>(pixels.and_then(|pixels| u32::try_from(pixels).ok()).unwrap_or(0))
    };
    Ok((pixels(ids::PIXEL_WIDTH)?, pixels(ids::PIXEL_HEIGHT)?))
}

/// Where the key id of a track stands, and what it is; `None` if the track is not encrypted, but
/// compressed at most, which is nothing to this.
fn encryption(encodings: &Element<'_, '_>) -> Result<Option<(u64, KeyId)>, Error> {
    let (mut count, mut found) = (0, None);
    for encoding in encodings.children() {
        let encoding = encoding?;
        if encoding.id != ids::CONTENT_ENCODING {
            continue;
        }
        count += 1;
        if encoding.unsigned_of(ids::CONTENT_ENCODING_TYPE)?.unwrap_or(0) == ENCRYPTION {
            match encoding.unsigned_of(ids::CONTENT_ENCODING_SCOPE)?.unwrap_or(FRAMES) {
                FRAMES => found = Some(content_encryption(&encoding)?),
                scope => {
                    let what = format!("encryption with the ContentEncodingScope {scope}");
                    return Err(encoding.unsupported(what));
                }
            }
        }
    }
    match count {
        2.. if found.is_some() => {
            Err(encodings.unsupported("encryption with a second encoding above or below it"))
        }
        _ => Ok(found),
    }
}

fn content_encryption(encoding: &Element<'_, '_>) -> Result<(u64, KeyId), Error> {
    let encryption = encoding.need(ids::CONTENT_ENCRYPTION)?;
    let algo = encryption.unsigned_of(ids::CONTENT_ENC_ALGO)?.unwrap_or(0);
    if algo != AES {
        return Err(encryption.unsupported(format!("the ContentEncAlgo {algo}")));
    }
    if let Some(settings) = encryption.child(ids::CONTENT_ENC_AES_SETTINGS)?
        && let Some(mode) = settings.unsigned_of(ids::AES_SETTINGS_CIPHER_MODE)?
        && mode != CTR
    {
        return Err(settings.unsupported(format!("the AESSettingsCipherMode {mode}")));
    }
    let id = encryption.need(ids::CONTENT_ENC_KEY_ID)?;
    let kid = KeyId::new(id.body).map_err(|error| id.malformed(error.to_string()))?;
    Ok((id.at, kid))
}
