//! Which tracks are protected, and with which keys.

use std::sync::Arc;

use anyhow::{Context, bail};
use cenc::Key;
use clearkey::{Jwk, KeyId};
use container::{Track, encrypt::TrackKey};

use crate::keys::lines;

use super::args::{EncryptArgs, HlsKeyFormat};

/// What the user said of keys, before the tracks are known.
pub(super) struct Choice {
    /// For the tracks that are not named; empty: a random one.
    common: Vec<Jwk>,
    named: Vec<Named>,
    /// A random key is told to somebody.
    random_is_told: bool,
    /// The random key, once a track has had need of it.
    random: Option<Jwk>,
}

struct Named {
    selector: Selector,
    /// `None`: it stays clear.
    keys: Option<Vec<Jwk>>,
    text: String,
}

/// How a track is named: the last argument that names one counts, and an id more than a kind.
#[derive(PartialEq, Eq)]
enum Selector {
    Id(u32),
    Kind(Kind),
}

/// What is protected: other tracks stay clear, as they do with everyone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Video,
    Audio,
}

impl Kind {
    pub(super) fn of(track: &Track) -> Option<Self> {
        match &track.handler.0 {
            b"vide" => Some(Self::Video),
            b"soun" => Some(Self::Audio),
            _ => None,
        }
    }
}

impl Choice {
    pub(super) fn read(args: &EncryptArgs) -> anyhow::Result<Self> {
        let mut common = Vec::new();
        for path in &args.keys_file {
            for (place, line) in lines(path)? {
                common.push(line.parse().context(place)?);
            }
        }
        for (number, text) in (1..).zip(&args.keys) {
            common.push(text.parse().with_context(|| format!("--key number {number}"))?);
        }
        let named = (1..).zip(&args.tracks).map(|(number, text)| {
            Named::parse(text).with_context(|| format!("--track number {number}"))
        });
        let in_playlist = args.hls.is_some() && args.hls_keyformat == HlsKeyFormat::Identity;
        let random_is_told = args.license_out.is_some() || args.keys_out.is_some() || in_playlist;
        let named = named.collect::<anyhow::Result<_>>()?;
        Ok(Self { common, named, random_is_told, random: None })
    }

    /// Whether what was said fits the tracks of all inputs.
    pub(super) fn check(&self, inputs: &[&[Track]]) -> anyhow::Result<()> {
        let tracks = || inputs.iter().copied().flatten();
        for named in &self.named {
            if inputs.len() > 1 && matches!(named.selector, Selector::Id(_)) {
                bail!("--track {}: of several inputs a track is video or audio", named.text);
            }
            if !tracks().any(|track| named.selector.names(track)) {
                bail!("--track {}: there is no such track", named.text);
            }
        }
        let stays_clear = |track| self.find(track).is_some_and(|named| named.keys.is_none());
        if tracks().all(|track| Kind::of(track).is_none() || stays_clear(track)) {
            bail!("no track is left to be encrypted");
        }
        Ok(())
    }

    /// The tracks of an input that are to be protected, each with its keys.
    pub(super) fn apply<'t>(
        &mut self,
        tracks: &'t [Track],
    ) -> anyhow::Result<Vec<(&'t Track, Kind, Vec<Jwk>)>> {
        let mut protected = Vec::new();
        for track in tracks {
            let Some(kind) = Kind::of(track) else { continue };
            let keys = match self.find(track) {
                Some(Named { keys: None, .. }) => continue,
                Some(Named { keys: Some(keys), .. }) => keys.clone(),
                None if !self.common.is_empty() => self.common.clone(),
                None if !self.random_is_told => {
                    bail!(
                        "a random key that nobody learns: give --key, --keys-out or --license-out"
                    );
                }
                None => match &self.random {
                    Some(jwk) => vec![jwk.clone()],
                    None => vec![self.random.insert(random_key()?).clone()],
                },
            };
            protected.push((track, kind, keys));
        }
        Ok(protected)
    }

    fn find(&self, track: &Track) -> Option<&Named> {
        let all = || self.named.iter().rev().filter(|named| named.selector.names(track));
        let by_id = all().find(|named| matches!(named.selector, Selector::Id(_)));
        by_id.or_else(|| all().next())
    }
}

impl Named {
    fn parse(text: &str) -> anyhow::Result<Self> {
        let (name, keys) = text.split_once('=').context("no `=` in it; it is TRACK=KEYS")?;
        let selector = match name {
            "video" => Selector::Kind(Kind::Video),
            "audio" => Selector::Kind(Kind::Audio),
            id => Selector::Id(id.parse().context("a track is `video`, `audio` or a number")?),
        };
        let keys = match keys {
            "clear" => None,
            keys => Some(keys.split(',').map(str::parse).collect::<Result<_, _>>()?),
        };
        Ok(Self { selector, keys, text: name.to_owned() })
    }
}

impl Selector {
    fn names(&self, track: &Track) -> bool {
        match self {
            Self::Id(id) => track.id == *id,
            Self::Kind(kind) => Kind::of(track) == Some(*kind),
        }
    }
}

/// A key as `container` takes it.
pub(super) fn track_key(jwk: &Jwk) -> TrackKey {
    TrackKey { kid: jwk.kid().clone(), key: Arc::new(Key::new(jwk.key())) }
}

fn random_key() -> anyhow::Result<Jwk> {
    let kid = KeyId::from(random()?);
    let mut key = zeroize::Zeroizing::new([0; 16]);
    getrandom::fill(&mut *key).context("the system's randomness")?;
    Ok(Jwk::with_key(kid, &key))
}

/// 16 octets from the system's randomness.
pub(super) fn random() -> anyhow::Result<[u8; 16]> {
    let mut octets = [0; 16];
    getrandom::fill(&mut octets).context("the system's randomness")?;
    Ok(octets)
}

#[cfg(test)]
mod tests {
    use container::FourCc;

    use super::*;

    const KEY: &str = "3a2a1b68dd2bd9b2eeb25e84c4776668";

    fn pair(kid: u8) -> String {
        format!("{kid:032x}:{KEY}")
    }

    fn choice(keys: &[String], tracks: &[String]) -> anyhow::Result<Choice> {
        let common = keys.iter().map(|text| text.parse()).collect::<Result<_, _>>()?;
        let named = tracks.iter().map(|text| Named::parse(text)).collect::<anyhow::Result<_>>()?;
        Ok(Choice { common, named, random_is_told: true, random: None })
    }

    /// Video 1, audio 2 and 3, text 4.
    fn tracks() -> Vec<Track> {
        [(1, b"vide"), (2, b"soun"), (3, b"soun"), (4, b"text")]
            .map(|(id, handler)| Track { id, handler: FourCc(*handler), entries: Vec::new() })
            .to_vec()
    }

    /// The tracks and the last octets of their key ids.
    fn applied(keys: &[String], tracks: &[String]) -> Vec<(u32, Vec<u8>)> {
        let all = self::tracks();
        let mut choice = choice(keys, tracks).unwrap();
        choice.check(&[&all]).unwrap();
        let protected = choice.apply(&all).unwrap();
        let kids = |keys: &[Jwk]| keys.iter().map(|jwk| jwk.kid().as_bytes()[15]).collect();
        protected.iter().map(|(track, _, keys)| (track.id, kids(keys))).collect()
    }

    #[test]
    fn keys_are_for_all_video_and_audio() {
        assert_eq!(
            applied(&[pair(1), pair(2)], &[]),
            [(1, vec![1, 2]), (2, vec![1, 2]), (3, vec![1, 2])]
        );
    }

    #[test]
    fn a_track_is_named_by_its_id_or_its_kind() {
        let named = [
            format!("audio={}", pair(5)),
            format!("3={},{}", pair(6), pair(7)),
            format!("audio={}", pair(8)),
            "video=clear".to_owned(),
        ];
        assert_eq!(applied(&[pair(1)], &named), [(2, vec![8]), (3, vec![6, 7])]);
    }

    #[test]
    fn tracks_without_keys_share_a_random_one() {
        let all = tracks();
        let named = [format!("3={}", pair(9))];
        let mut choice = choice(&[], &named).unwrap();
        let protected = choice.apply(&all).unwrap();
        assert_eq!(protected[0].2[0].kid(), protected[1].2[0].kid());
        assert_eq!(protected[2].2[0].kid().as_bytes()[15], 9);
        // The next file has the same, and the next run another.
        let other = choice.apply(&all).unwrap();
        assert_eq!(protected[0].2[0].kid(), other[0].2[0].kid());
        let mut again = self::choice(&[], &named).unwrap();
        assert_ne!(protected[0].2[0].kid(), again.apply(&all).unwrap()[0].2[0].kid());
    }

    #[test]
    fn what_names_no_track_is_refused() {
        let refused = |named: &[&str]| {
            let named: Vec<_> = named.iter().map(|&text| text.to_owned()).collect();
            let refused = choice(&[pair(1)], &named).and_then(|choice| choice.check(&[&tracks()]));
            format!("{:#}", refused.unwrap_err())
        };
        assert_eq!(refused(&["7=clear"]), "--track 7: there is no such track");
        assert_eq!(refused(&["video"]), "no `=` in it; it is TRACK=KEYS");
        assert!(refused(&["text=clear"]).starts_with("a track is `video`, `audio` or a number"));
        assert_eq!(refused(&["video=clear", "audio=clear"]), "no track is left to be encrypted");
        assert!(!refused(&[&format!("video=zz!!:{KEY}")]).contains(&KEY[4..20]));
    }

    #[test]
    fn of_several_inputs_a_track_is_named_by_its_kind() {
        let all = tracks();
        let inputs: [&[Track]; 2] = [&all[..1], &all[1..]];
        let check = |named: &[&str]| {
            let named: Vec<_> = named.iter().map(|&text| text.to_owned()).collect();
            choice(&[pair(1)], &named).unwrap().check(&inputs).map_err(|error| error.to_string())
        };
        let message = "--track 2: of several inputs a track is video or audio";
        assert_eq!(check(&["2=clear"]), Err(message.to_owned()));
        assert_eq!(check(&["audio=clear"]), Ok(()));
        let message = "no track is left to be encrypted";
        assert_eq!(check(&["audio=clear", "video=clear"]), Err(message.to_owned()));
    }
}
