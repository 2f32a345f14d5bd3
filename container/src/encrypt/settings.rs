//! What someone who encrypts asks for.

use std::{collections::BTreeSet, ops::Deref, sync::Arc, time::Duration};

use cenc::{Iv, Key, Pattern, Scheme};
use clearkey::KeyId;

use crate::{Error, KeySource};

/// How a file is to be encrypted.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Scheme; WebM has `cenc` only.
    pub scheme: Scheme,
    /// The tracks that are to be protected; the others stay clear.
    pub tracks: Vec<TrackSettings>,
    /// Whole `pssh` boxes for the movie header, as they are to stand there; WebM has none.
    pub pssh: Vec<Vec<u8>>,
    /// Boxes of PIFF 1.1 in place of those of ISO/IEC 23001-7; for `cenc` and `cbc1`.
    pub piff: bool,
    /// Samples of the first so many seconds stay clear.
    pub clear_lead: Option<Duration>,
    /// After so many seconds the next key of a track takes its turn; MP4 only.
    pub rotate: Option<Duration>,
}

/// How a track is to be encrypted.
#[derive(Clone, Debug)]
pub struct TrackSettings {
    /// Track id.
    pub track: u32,
    /// Its keys: one, or those that take turns. Not empty.
    pub keys: Vec<TrackKey>,
    /// Pattern; 0:0 for the schemes without one.
    pub pattern: Pattern,
    /// Where IVs come from.
    pub iv: IvSettings,
}

/// A key and its id.
#[derive(Clone, Debug)]
pub struct TrackKey {
    /// Key id; MP4 has 16 octets for it.
    pub kid: KeyId,
    /// The key.
    pub key: Arc<Key>,
}

/// Where the IVs of a track come from. Nothing here is random: who calls brings what is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IvSettings {
    /// One for all samples, in `tenc` and `seig`: for `cbcs`.
    Constant(Iv),
    /// One for each sample: this one, then the next ones, which no two samples share.
    PerSample {
        /// Bytes of each IV in the file: 8 or 16.
        size: u8,
        /// The first sample's. Of 8 bytes, the rest is 0.
        first: [u8; 16],
    },
}

impl Settings {
    /// Whether something stays clear for a while.
    pub(crate) fn has_clear_lead(&self) -> bool {
        self.clear_lead.is_some_and(|lead| !lead.is_zero())
    }

    /// Finds what contradicts itself.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let fail = |what: String| Err(Error::Settings { what });
        if self.rotate.is_some_and(|period| period.is_zero()) {
            return fail("keys take turns after 0 seconds".to_owned());
        }
        for pssh in &self.pssh {
            let size = u32::try_from(pssh.len()).unwrap_or(0).to_be_bytes();
            if pssh.len() < 12 || !pssh.starts_with(&[&size, b"pssh".as_slice()].concat()) {
                return fail(
                    "what is given as `pssh` is not one whole box of that type".to_owned(),
                );
            }
        }
        if self.piff && !matches!(self.scheme, Scheme::Cenc | Scheme::Cbc1) {
            return fail(format!("PIFF has no scheme {}", self.scheme));
        }
        let mut tracks = BTreeSet::new();
        for TrackSettings { track, keys, pattern, iv } in &self.tracks {
            if !tracks.insert(track) {
                return fail(format!("track {track} has two settings"));
            }
            if keys.is_empty() {
                return fail(format!("track {track} has no key"));
            }
            if *pattern != Pattern::NONE && !self.scheme.takes_pattern() {
                return fail(format!("scheme {} takes no pattern (track {track})", self.scheme));
            }
            match iv {
                // Whoever sees two samples under the same counter sees their difference.
                IvSettings::Constant(_) if self.scheme != Scheme::Cbcs => {
                    return fail(format!("scheme {} needs an IV for each sample", self.scheme));
                }
                IvSettings::PerSample { size, .. } if !matches!(size, 8 | 16) => {
                    return fail(format!("an IV of {size} bytes, neither 8 nor 16"));
                }
                IvSettings::PerSample { size: 8, first } if first[8..] != [0; 8] => {
                    return fail("an IV of 8 bytes with more behind them".to_owned());
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl KeySource for Settings {
    fn key(&self, track: u32, kid: &KeyId) -> Option<Arc<Key>> {
        self.tracks.iter().find(|settings| settings.track == track)?.key(kid)
    }
}

impl TrackSettings {
    fn key(&self, kid: &KeyId) -> Option<Arc<Key>> {
        self.keys.iter().find(|key| key.kid == *kid).map(|key| Arc::clone(&key.key))
    }
}

/// Settings with the tracks by their ids: a file may have thousands.
#[derive(Clone, Debug)]
pub(crate) struct Ordered(Settings);

impl From<Settings> for Ordered {
    fn from(mut settings: Settings) -> Self {
        settings.tracks.sort_by_key(|settings| settings.track);
        Self(settings)
    }
}

impl Deref for Ordered {
    type Target = Settings;

    fn deref(&self) -> &Settings {
        &self.0
    }
}

impl Ordered {
    /// The settings of a track.
    pub(crate) fn track(&self, track: u32) -> Option<&TrackSettings> {
        let at = self.tracks.binary_search_by_key(&track, |settings| settings.track).ok()?;
        self.tracks.get(at)
    }
}

impl KeySource for Ordered {
    fn key(&self, track: u32, kid: &KeyId) -> Option<Arc<Key>> {
        self.track(track)?.key(kid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_track_is_found_wherever_it_stands() {
        let kid = |track: u32| KeyId::from(u128::from(track).to_be_bytes());
        let track = |track| TrackSettings {
            track,
            keys: vec![TrackKey { kid: kid(track), key: Arc::new(Key::new(&[7; 16])) }],
            pattern: Pattern::NONE,
            iv: IvSettings::PerSample { size: 8, first: [0; 16] },
        };
        let settings = Settings {
            scheme: Scheme::Cenc,
            tracks: [5, 2, 9, 1].map(track).into(),
            pssh: Vec::new(),
            piff: false,
            clear_lead: None,
            rotate: None,
        };
        let ordered = Ordered::from(settings.clone());
        for id in [1, 2, 5, 9] {
            assert_eq!(ordered.track(id).unwrap().track, id);
            let sources: [&dyn KeySource; 2] = [&settings, &ordered];
            for source in sources {
                assert!(source.key(id, &kid(id)).is_some());
                assert!(source.key(id, &kid(id + 1)).is_none());
                assert!(source.key(id + 1, &kid(id)).is_none());
            }
        }
        assert!(ordered.track(3).is_none());
    }
}
