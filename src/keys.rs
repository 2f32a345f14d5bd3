//! The keys that the user gave, by key id and by track.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    env, fmt, fs,
    path::Path,
    sync::Arc,
};

use anyhow::{Context, anyhow, bail};
use cenc::Key;
use clearkey::{KeyId, License, base64url};
use container::KeySource;
use zeroize::Zeroizing;

/// Keys, as the environment has them.
const VARIABLE: &str = "CLEARKEY_KEYS";

/// No `Display`, and a `Debug` that shows no key.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    by_kid: HashMap<KeyId, Arc<Key>>,
    by_track: HashMap<u32, Arc<Key>>,
}

impl Keys {
    /// Takes `KID:KEY` or `TRACK:KEY`; `=` serves as well as `:`. A later key replaces an earlier one.
    ///
    /// An error never quotes the text: it holds a key.
    pub(crate) fn add(&mut self, text: Zeroizing<String>) -> anyhow::Result<()> {
        let Some((id, key)) = text.split_once([':', '=']) else {
            bail!("no `:` in it; a key is written KID:KEY");
        };
        let key = Arc::new(parse_key(key).context("the part behind `:`")?);
        match parse_track(id) {
            Some(track) => _ = self.by_track.insert(track, key),
            None => {
                let kid = id.parse().map_err(|error| anyhow!("the part before `:`: {error}"))?;
                self.by_kid.insert(kid, key);
            }
        }
        Ok(())
    }

    /// Takes a file with one key on each line.
    pub(crate) fn add_file(&mut self, path: &Path) -> anyhow::Result<()> {
        let text = fs::read_to_string(path).map(Zeroizing::new);
        let text = text.with_context(|| path.display().to_string())?;
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.split('#').next().unwrap_or_default().trim();
            if !line.is_empty() {
                let place = || format!("{}: line {number}", path.display());
                self.add(line.to_owned().into()).with_context(place)?;
            }
        }
        Ok(())
    }

    /// Takes the keys in the environment variable, if it is set.
    pub(crate) fn add_environment(&mut self) -> anyhow::Result<()> {
        let Some(text) = env::var_os(VARIABLE) else { return Ok(()) };
        let text = text.into_string().map_err(|_| anyhow!("{VARIABLE} is not UTF-8"))?;
        let text = Zeroizing::new(text);
        let separate = |separator: char| separator == ',' || separator.is_whitespace();
        for text in text.split(separate).filter(|text| !text.is_empty()) {
            self.add(text.to_owned().into()).context(VARIABLE)?;
        }
        Ok(())
    }

    /// Takes a JWK set.
    pub(crate) fn add_license(&mut self, path: &Path) -> anyhow::Result<()> {
        let place = || path.display().to_string();
        let bytes = Zeroizing::new(fs::read(path).with_context(place)?);
        let license = License::parse(&bytes).with_context(place)?;
        for jwk in &license.keys {
            self.by_kid.insert(jwk.kid().clone(), Arc::new(Key::new(jwk.key())));
        }
        Ok(())
    }
}

impl KeySource for Keys {
    fn key(&self, track: u32, kid: &KeyId) -> Option<Arc<Key>> {
        self.by_kid.get(kid).or_else(|| self.by_track.get(&track)).cloned()
    }
}

/// A track id: up to ten decimal digits, which no key id has.
fn parse_track(text: &str) -> Option<u32> {
    let is_number = text.len() <= 10 && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

fn parse_key(text: &str) -> anyhow::Result<Key> {
    let hex = || data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok();
    let octets = match text.len() {
        32 => hex(),
        _ => base64url::decode(text).ok(),
    };
    let octets = octets.map(Zeroizing::new);
    octets
        .and_then(|octets| Key::try_from(octets.as_slice()).ok())
        .context("not a key: a key is 32 hex digits, or 22 characters of base64url")
}

/// Protected samples that there is no key for.
#[derive(Debug)]
pub(crate) struct NoKeys(pub(crate) BTreeMap<u32, BTreeSet<KeyId>>);

impl fmt::Display for NoKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no key for ")?;
        let tracks = self.0.iter();
        let kids = tracks.flat_map(|(track, kids)| kids.iter().map(move |kid| (track, kid)));
        for (index, (track, kid)) in kids.enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}KID {kid} (track {track})")?;
        }
        Ok(())
    }
}

impl std::error::Error for NoKeys {}

#[cfg(test)]
mod tests {
    use super::*;

    const KID: &str = "10000000100010001000100000000001";
    const KEY: &str = "3a2a1b68dd2bd9b2eeb25e84c4776668";

    fn keys(text: &str) -> anyhow::Result<Keys> {
        let mut keys = Keys::default();
        keys.add(text.to_owned().into())?;
        Ok(keys)
    }

    #[test]
    fn all_ways_to_write_a_key_id_and_a_key_mean_the_same() {
        let kid: KeyId = KID.parse().unwrap();
        let ids = [KID, "10000000-1000-1000-1000-100000000001", "EAAAABAAEAAQABAAAAAAAQ"];
        for id in ids {
            for key in [KEY, "3A2A1B68DD2BD9B2EEB25E84C4776668", "OiobaN0r2bLusl6ExHdmaA"] {
                for separator in [':', '='] {
                    let keys = keys(&format!("{id}{separator}{key}")).unwrap();
                    assert!(keys.key(7, &kid).is_some(), "{id}{separator}{key}");
                }
            }
        }
    }

    #[test]
    fn a_number_is_a_track() {
        let keys = keys(&format!("2:{KEY}")).unwrap();
        let kid = KeyId::from([9; 16]);
        assert!(keys.key(2, &kid).is_some());
        assert!(keys.key(1, &kid).is_none());
    }

    #[test]
    fn errors_do_not_show_the_key() {
        let cases = [
            KEY.to_owned(),
            format!("{KID}:{KEY}00"),
            format!("{KID}:zz{}", &KEY[2..]),
            format!("kid!:{KEY}"),
        ];
        for text in cases {
            let error = format!("{:#}", keys(&text).unwrap_err());
            assert!(!error.contains(&KEY[2..20]), "{error}");
        }
    }
}
