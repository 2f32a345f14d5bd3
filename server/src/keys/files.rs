//! Files with keys.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use clearkey::{Jwk, key_text};
use zeroize::Zeroizing;

use crate::Error;

/// The longest file that is read, in octets: some 200,000 keys.
const FILE: u64 = 16 << 20;

/// The keys of each file.
pub(super) fn read_all(paths: &[PathBuf]) -> Result<Vec<Vec<Jwk>>, Error> {
    paths.iter().map(|path| read(path)).collect()
}

fn read(path: &Path) -> Result<Vec<Jwk>, Error> {
    let place = path.display().to_string();
    let content = content(path).map_err(|reason| Error::KeyFile { path: place.clone(), reason })?;
    if content.len() as u64 > FILE {
        return Err(Error::KeyFileTooLong { path: place, limit: FILE });
    }
    parse(&place, &content)
}

/// Reads a JWK set, which begins with `{`, or `KID:KEY` lines.
pub(crate) fn parse(place: &str, content: &[u8]) -> Result<Vec<Jwk>, Error> {
    let wrong = |place: String| move |reason| Error::Keys { place, reason };
    if content.trim_ascii_start().starts_with(b"{") {
        return Jwk::parse_set(content).map_err(wrong(place.to_owned()));
    }
    let text = str::from_utf8(content).map_err(|error| {
        wrong(place.to_owned())(clearkey::Error::Utf8 { at: error.valid_up_to() })
    })?;
    // Room for all from the start: a list that grows leaves keys behind.
    let mut keys = Vec::with_capacity(key_text::lines(text).count());
    for (number, line) in key_text::lines(text) {
        keys.push(line.parse().map_err(wrong(format!("{place}: line {number}")))?);
    }
    if keys.is_empty() { Err(Error::NoKeyInFile { path: place.to_owned() }) } else { Ok(keys) }
}

/// A file, or as much of it as shows that it is too long.
fn content(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let file = File::open(path)?;
    let room = file.metadata()?.len().min(FILE) + 1;
    // The same of octets.
    let mut content = Zeroizing::new(Vec::with_capacity(usize::try_from(room).unwrap_or(0)));
    file.take(FILE + 1).read_to_end(&mut content)?;
    Ok(content)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn reading(content: &[u8]) -> Result<Vec<Jwk>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        fs::write(&path, content).unwrap();
        let folder = folder.path().display().to_string() + "/";
        read(&path).map_err(|error| error.to_string().replace(&folder, ""))
    }

    #[test]
    fn both_forms_hold_the_same_keys() {
        let set = br#" {"keys":[{"kty":"oct","kid":"AQ","k":"AAAAAAAAAAAAAAAAAAAAAA"},
                        {"kty":"oct","kid":"Ag","k":"AQEBAQEBAQEBAQEBAQEBAQ","alg":"A128KW"}]}"#;
        let lines =
            b"# two\nAQ:00000000000000000000000000000000\n\nAg=AQEBAQEBAQEBAQEBAQEBAQ # 2\n";
        let [set, lines] = [&set[..], lines].map(|content| {
            let keys = reading(content).unwrap().into_iter();
            keys.map(|jwk| (jwk.kid().to_string(), *jwk.key())).collect::<Vec<_>>()
        });
        assert_eq!(set, [("01".to_owned(), [0; 16]), ("02".to_owned(), [1; 16])]);
        assert_eq!(set, lines);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        for (content, expected) in [
            (&b"# none\n"[..], "keys: no key in it"),
            (b"", "keys: no key in it"),
            (
                b"AQ:AQEBAQEBAQEBAQEBAQEBAQ\n\nAQ:AQEB",
                "keys: line 3: behind `:` is no key: 32 hex digits, or 22 characters of base64url",
            ),
            (b"AQ:\xff", "keys: no UTF-8 from octet 3 on"),
            (b"{\"keys\":[]}", "keys: keys: an empty list"),
        ] {
            assert_eq!(reading(content).unwrap_err(), expected);
        }
        let long = vec![b'\n'; (16 << 20) + 1];
        assert_eq!(reading(&long).unwrap_err(), "keys: longer than 16777216 octets");
    }
}
