//! From arguments to the settings of an encryption.

use std::fs;

use anyhow::{Context, bail};
use cenc::{Iv, Pattern, Scheme};
use clearkey::{
    Jwk, KeyId,
    pssh::{self, Pssh},
};
use container::{
    Track,
    encrypt::{IvSettings, Settings, TrackKey, TrackSettings},
};

use super::{
    args::EncryptArgs,
    tracks::{Choice, Kind, random, track_key},
};

/// Makes the settings of inputs, one after the other.
pub(super) struct Maker<'a> {
    args: &'a EncryptArgs,
    choice: Choice,
    first_iv: FirstIv,
    /// The protected tracks so far: tracks may share a key, and never an IV.
    tracks: u64,
    keys: Vec<Jwk>,
    /// The same, each expanded once for all tracks that share it.
    expanded: Vec<TrackKey>,
}

impl<'a> Maker<'a> {
    pub(super) fn new(args: &'a EncryptArgs, choice: Choice) -> anyhow::Result<Self> {
        let scheme = Scheme::from(args.scheme);
        let first_iv = FirstIv::read(args.iv.as_deref(), scheme, !args.per_sample_iv)?;
        Ok(Self { args, choice, first_iv, tracks: 0, keys: Vec::new(), expanded: Vec::new() })
    }

    /// The settings for a file with these tracks, which has no initialization data yet.
    pub(super) fn settings(&mut self, tracks: &[Track]) -> anyhow::Result<Settings> {
        let (args, scheme) = (self.args, Scheme::from(self.args.scheme));
        let mut protected = Vec::new();
        for (track, kind, keys) in self.choice.apply(tracks)? {
            if keys.len() > 1 && args.rotate.is_none() {
                bail!("track {}: several keys take turns only under --rotate", track.id);
            }
            let keys = keys.iter().map(|jwk| self.add(jwk)).collect::<anyhow::Result<_>>()?;
            protected.push(TrackSettings {
                track: track.id,
                keys,
                pattern: pattern(args.pattern, scheme, kind)?,
                iv: self.first_iv.of_track(self.tracks)?,
            });
            self.tracks += 1;
        }
        Ok(Settings {
            scheme,
            pssh: Vec::new(),
            tracks: protected,
            piff: args.piff,
            clear_lead: args.clear_lead,
            rotate: args.rotate,
        })
    }

    fn add(&mut self, jwk: &Jwk) -> anyhow::Result<TrackKey> {
        let known = self.keys.iter().position(|known| known.kid() == jwk.kid());
        let at = match known {
            Some(at) if self.keys[at].key() != jwk.key() => {
                bail!("two keys for KID {}", jwk.kid())
            }
            Some(at) => at,
            None => {
                self.keys.push(jwk.clone());
                self.expanded.push(track_key(jwk));
                self.keys.len() - 1
            }
        };
        Ok(self.expanded[at].clone())
    }

    /// The `pssh` boxes of a file, when the settings of all are made: each names the keys of all. hls.js has no
    /// more asked for than the first one names that it meets.
    pub(super) fn pssh(&self, settings: &Settings, is_webm: bool) -> anyhow::Result<Vec<Vec<u8>>> {
        if settings.tracks.is_empty() {
            return Ok(Vec::new()); // a file that stays clear
        }
        pssh(&self.args.pssh, self.keys.iter().map(|jwk| jwk.kid().clone()).collect(), is_webm)
    }

    /// All keys that inputs are encrypted with.
    pub(super) fn into_keys(self) -> Vec<Jwk> {
        self.keys
    }
}

fn pattern(given: Option<(u8, u8)>, scheme: Scheme, kind: Kind) -> anyhow::Result<Pattern> {
    match given {
        Some(_) if !scheme.takes_pattern() => bail!("--pattern is for cens and cbcs"),
        Some((crypt, skip)) => Pattern::new(crypt, skip).context("--pattern"),
        None if scheme.takes_pattern() && kind == Kind::Video => {
            Pattern::new(1, 9).context("the usual pattern")
        }
        None => Ok(Pattern::NONE),
    }
}

/// The `pssh` boxes, each by itself.
fn pssh(given: &str, kids: Vec<KeyId>, is_webm: bool) -> anyhow::Result<Vec<Vec<u8>>> {
    match given {
        "none" => Ok(Vec::new()),
        // WebM tells key ids in its own way.
        "common" if is_webm => Ok(Vec::new()),
        // Only ids of 16 octets have a place there.
        "common" if kids.iter().any(|kid| kid.as_bytes().len() != 16) => Ok(Vec::new()),
        "common" => Ok(vec![Pssh::common(kids).context("--pssh common")?.to_bytes()]),
        path => {
            let bytes = fs::read(path).with_context(|| format!("--pssh {path}"))?;
            let boxes = pssh::boxes(&bytes).map(|found| Ok(found?.to_bytes()));
            boxes.collect::<anyhow::Result<_>>().with_context(|| format!("--pssh {path}"))
        }
    }
}

/// Where the IVs of the first track begin.
struct FirstIv {
    /// `None`: each track has a random one.
    given: Option<[u8; 16]>,
    size: u8,
    is_constant: bool,
}

impl FirstIv {
    fn read(text: Option<&str>, scheme: Scheme, may_be_constant: bool) -> anyhow::Result<Self> {
        let is_constant = scheme == Scheme::Cbcs && may_be_constant;
        let usual = if matches!(scheme, Scheme::Cenc | Scheme::Cens) { 8 } else { 16 };
        let (given, size) = match text {
            None => (None, usual),
            Some("8") => (None, 8),
            Some("16") => (None, 16),
            Some(hex) => {
                let octets = data_encoding::HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).ok();
                let octets = octets.filter(|octets| matches!(octets.len(), 8 | 16));
                let octets = octets.context("--iv is 8, 16, or 16 or 32 hex digits")?;
                let size = if octets.len() == 8 { 8 } else { 16 };
                (Some(*Iv::new(&octets)?.as_bytes()), size)
            }
        };
        Ok(Self { given, size, is_constant })
    }

    /// Those of the track with that index: tracks may share a key, and never an IV.
    fn of_track(&self, index: u64) -> anyhow::Result<IvSettings> {
        let mut first = match self.given {
            Some(given) => given,
            None => random()?,
        };
        if self.size == 8 {
            first[8..].fill(0);
        }
        if self.is_constant {
            return Ok(IvSettings::Constant(Iv::from(first)));
        }
        let apart = u128::from(index << 48) << 64;
        let first = u128::from_be_bytes(first).wrapping_add(apart).to_be_bytes();
        Ok(IvSettings::PerSample { size: self.size, first })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ivs_of_tracks_begin_apart() {
        let first = FirstIv::read(Some("0102030405060708"), Scheme::Cenc, true).unwrap();
        let expected = |third: u8| IvSettings::PerSample {
            size: 8,
            first: [1, third, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0],
        };
        assert_eq!(first.of_track(0).unwrap(), expected(2));
        assert_eq!(first.of_track(1).unwrap(), expected(3));
    }

    #[test]
    fn the_scheme_says_what_an_iv_is_without_an_argument() {
        let size = |scheme, constant| match FirstIv::read(None, scheme, constant)
            .unwrap()
            .of_track(0)
            .unwrap()
        {
            IvSettings::Constant(_) => 0,
            IvSettings::PerSample { size, .. } => size,
        };
        assert_eq!([Scheme::Cenc, Scheme::Cens].map(|scheme| size(scheme, true)), [8, 8]);
        assert_eq!([Scheme::Cbc1, Scheme::Cbcs].map(|scheme| size(scheme, true)), [16, 0]);
        assert_eq!(size(Scheme::Cbcs, false), 16);
    }

    #[test]
    fn random_ivs_differ() {
        let first = FirstIv::read(Some("16"), Scheme::Cenc, true).unwrap();
        assert_ne!(first.of_track(0).unwrap(), first.of_track(0).unwrap());
    }

    #[test]
    fn an_iv_has_8_or_16_octets() {
        for text in ["", "9", "010203", "zz02030405060708", &"0".repeat(34)] {
            let refused = FirstIv::read(Some(text), Scheme::Cenc, true).map(|_| ()).unwrap_err();
            assert_eq!(refused.to_string(), "--iv is 8, 16, or 16 or 32 hex digits", "{text}");
        }
    }

    #[test]
    fn a_pattern_is_for_schemes_that_take_one() {
        assert!(pattern(Some((1, 9)), Scheme::Cenc, Kind::Video).is_err());
        let of = |scheme, kind| pattern(None, scheme, kind).unwrap();
        assert_eq!(of(Scheme::Cbcs, Kind::Video), Pattern::new(1, 9).unwrap());
        assert_eq!(of(Scheme::Cbcs, Kind::Audio), Pattern::NONE);
        assert_eq!(of(Scheme::Cbc1, Kind::Video), Pattern::NONE);
    }
}
