//! The keys that the user gave, as text.

use std::{collections::BTreeMap, env, fs, path::Path};

use anyhow::{Context, anyhow};
use clearkey::{Jwk, KeyId, key_text};
use zeroize::Zeroizing;

/// Keys, as the environment has them.
const VARIABLE: &str = "CLEARKEY_KEYS";

/// No `Display`, and a `Debug` that shows no key.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    by_kid: BTreeMap<KeyId, Jwk>,
    /// Keys for whatever key id a track has; theirs here is none that counts.
    by_track: BTreeMap<u32, Jwk>,
}

impl Keys {
    /// Takes `KID:KEY` or `TRACK:KEY`; `=` serves as well as `:`. A later key replaces an earlier one.
    ///
    /// An error never quotes the text: it holds a key.
    pub(crate) fn add(&mut self, text: Zeroizing<String>) -> anyhow::Result<()> {
        let (id, key) = key_text::split(&text)?;
        match parse_track(id) {
            Some(track) => {
                self.by_track.insert(track, Jwk::with_key(KeyId::from([0; 16]), &key));
            }
            None => {
                let jwk = Jwk::with_key(id.parse()?, &key);
                self.by_kid.insert(jwk.kid().clone(), jwk);
            }
        }
        Ok(())
    }

    /// Takes a file with one key on each line.
    pub(crate) fn add_file(&mut self, path: &Path) -> anyhow::Result<()> {
        for (place, line) in lines(path)? {
            self.add(line).context(place)?;
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

    /// Those with a key id, sorted.
    pub(crate) fn by_kid(&self) -> impl Iterator<Item = &Jwk> {
        self.by_kid.values()
    }

    /// Those for a track.
    pub(crate) fn by_track(&self) -> impl Iterator<Item = (u32, &[u8; 16])> {
        self.by_track.iter().map(|(track, jwk)| (*track, jwk.key()))
    }
}

/// The lines of a file of keys, each with its place for errors; # begins a comment.
pub(crate) fn lines(path: &Path) -> anyhow::Result<Vec<(String, Zeroizing<String>)>> {
    let text = fs::read_to_string(path).map(Zeroizing::new);
    let text = text.with_context(|| path.display().to_string())?;
    let place = |number| format!("{}: line {number}", path.display());
    let owned = |line: &str| Zeroizing::new(line.to_owned());
    Ok(key_text::lines(&text).map(|(number, line)| (place(number), owned(line))).collect())
}

/// A track id: up to ten decimal digits, which no key id has.
fn parse_track(text: &str) -> Option<u32> {
    let is_number = text.len() <= 10 && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

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
    fn a_number_is_a_track() {
        let keys = keys(&format!("2:{KEY}")).unwrap();
        let tracks: Vec<_> = keys.by_track().map(|(track, key)| (track, key[0])).collect();
        assert_eq!(tracks, [(2, 0x3a)]);
        assert_eq!(keys.by_kid().count(), 0);
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
