//! What opens the encrypted file again: a license, and a list of keys.

use std::path::Path;

use anyhow::bail;
use clearkey::{Jwk, SessionType};
use zeroize::Zeroizing;

use crate::{output::Output, sessions::licenses, unfinished::Readers};

/// Writes the license for `keys` as a server would answer it.
pub(super) fn write_license(path: &Path, keys: &[Jwk]) -> anyhow::Result<Output> {
    let licenses = licenses(keys.iter(), SessionType::Temporary)?;
    let [license] = licenses.as_slice() else {
        bail!("--license-out: {} licenses would be needed for so many keys", licenses.len());
    };
    Output::whole(path, &license.to_json(), Readers::Owner)
}

/// Writes one `KID:KEY` a line.
pub(super) fn write_keys(path: &Path, keys: &[Jwk]) -> anyhow::Result<Output> {
    let hex = |octets: &[u8]| Zeroizing::new(data_encoding::HEXLOWER.encode(octets));
    let mut text = Zeroizing::new(String::with_capacity(keys.len() * (2 * 512 + 34)));
    for jwk in keys {
        text.push_str(&hex(jwk.kid().as_bytes()));
        text.push(':');
        text.push_str(&hex(jwk.key()));
        text.push('\n');
    }
    Output::whole(path, text.as_bytes(), Readers::Owner)
}
