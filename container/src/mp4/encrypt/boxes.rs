//! The boxes that protection brings, as they are written (ISO/IEC 23001-7, 8 and 6; PIFF 1.1).

use cenc::{Iv, Pattern, Scheme};
use clearkey::KeyId;

use crate::{
    FourCc,
    encrypt::{IvSettings, TrackSettings},
    mp4::{
        builder::PIFF_PSSH,
        groups::{FRAGMENT_LOCAL, SEIG},
        protection::PIFF_TRACK,
    },
};

/// A box around that body.
pub(super) fn boxed(kind: [u8; 4], body: &[&[u8]]) -> Vec<u8> {
    let body_len = body.iter().map(|part| part.len()).sum::<usize>();
    let mut bytes = Vec::with_capacity(body_len + 16);
    match u32::try_from(body_len + 8) {
        Ok(size) => bytes.extend([&size.to_be_bytes(), kind.as_slice()].concat()),
        Err(_) => {
            bytes.extend([&[0, 0, 0, 1], kind.as_slice()].concat());
            bytes.extend((body_len as u64 + 16).to_be_bytes());
        }
    }
    body.iter().for_each(|part| bytes.extend_from_slice(part));
    bytes
}

/// The head of a full box: version and flags.
pub(super) fn version_and_flags(version: u8, flags: u32) -> [u8; 4] {
    (u32::from(version) << 24 | flags).to_be_bytes()
}

/// The default protection of a track: its scheme, and the first of its keys.
pub(super) fn sinf(format: FourCc, scheme: Scheme, piff: bool, track: &TrackSettings) -> Vec<u8> {
    let (scheme_type, scheme_version) = match piff {
        true => (*b"piff", 0x1_0001_u32),
        false => (scheme.fourcc(), 0x1_0000),
    };
    let head = version_and_flags(0, 0);
    let defaults = match (piff, track.keys.first()) {
        (_, None) => Vec::new(),
        (true, Some(key)) => {
            boxed(*b"uuid", &[&PIFF_TRACK, &head, &piff_triple(scheme, track.iv, &key.kid)])
        }
        (false, Some(key)) => {
            let version = u8::from(scheme.takes_pattern());
            let fields = protection(track.pattern, track.iv, &key.kid);
            boxed(*b"tenc", &[&version_and_flags(version, 0), &fields])
        }
    };
    let scheme = [scheme_type, scheme_version.to_be_bytes()].concat();
    let parts = [
        boxed(*b"frma", &[&format.0]),
        boxed(*b"schm", &[&head, &scheme]),
        boxed(*b"schi", &[&defaults]),
    ];
    boxed(*b"sinf", &parts.each_ref().map(Vec::as_slice))
}

/// What `tenc` and `seig` have in common: pattern, isProtected, IV size, KID, constant IV.
fn protection(pattern: Pattern, iv: IvSettings, kid: &KeyId) -> Vec<u8> {
    let pattern = pattern.crypt_byte_block() << 4 | pattern.skip_byte_block();
    let (size, constant) = match iv {
        IvSettings::PerSample { size, .. } => (size, Vec::new()),
        IvSettings::Constant(iv) => (0, [[16].as_slice(), iv.as_bytes()].concat()),
    };
    [&[0, pattern, 1, size], kid.as_bytes(), &constant].concat()
}

/// AlgorithmID, IV size and KID, as PIFF 1.1 has them.
pub(super) fn piff_triple(scheme: Scheme, iv: IvSettings, kid: &KeyId) -> Vec<u8> {
    let algorithm = if scheme == Scheme::Cbc1 { 2 } else { 1 };
    let size = match iv {
        IvSettings::PerSample { size, .. } => size,
        IvSettings::Constant(_) => 0,
    };
    [&[0, 0, algorithm, size], kid.as_bytes()].concat()
}

/// `sgpd` with one `seig` entry for each of these keys of a track.
pub(super) fn sgpd<'k>(track: &TrackSettings, kids: impl Iterator<Item = &'k KeyId>) -> Vec<u8> {
    let entries: Vec<_> = kids.map(|kid| protection(track.pattern, track.iv, kid)).collect();
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX).to_be_bytes();
    // All are of one length, which stands in front.
    let len = number(entries.first().map_or(0, Vec::len));
    let head = [version_and_flags(1, 0), SEIG, len, number(entries.len())].concat();
    boxed(*b"sgpd", &[&head, &entries.concat()])
}

/// `sbgp` that assigns runs of samples to keys: how many, and the index of the key.
pub(super) fn sbgp(runs: &[(u32, u32)], is_fragment: bool) -> Vec<u8> {
    let first = if is_fragment { FRAGMENT_LOCAL + 1 } else { 1 };
    let count = u32::try_from(runs.len()).unwrap_or(u32::MAX).to_be_bytes();
    let head = [version_and_flags(0, 0), SEIG, count].concat();
    let runs: Vec<_> = runs
        .iter()
        .flat_map(|(samples, key)| [samples.to_be_bytes(), (first + key).to_be_bytes()])
        .collect();
    boxed(*b"sbgp", &[&head, &runs.concat()])
}

/// A whole `pssh` box as PIFF has it.
pub(super) fn piff_pssh(pssh: &[u8]) -> Vec<u8> {
    boxed(*b"uuid", &[&PIFF_PSSH, pssh.get(8..).unwrap_or_default()])
}

/// The bytes of an IV that stand in the file.
pub(super) fn stated(iv: &Iv, size: u8) -> &[u8] {
    iv.as_bytes().get(..size.into()).unwrap_or_default()
}
