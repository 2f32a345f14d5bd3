//! What opens the encrypted file again: a license, and a list of keys.

use std::{
    fs::{OpenOptions, Permissions},
    io::Write,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};

use anyhow::{Context, bail};
use clearkey::{Jwk, SessionType};
use zeroize::Zeroizing;

use crate::sessions::licenses;

/// Writes the license for `keys` as a server would answer it.
pub(super) fn write_license(path: &Path, keys: &[Jwk]) -> anyhow::Result<()> {
    let licenses = licenses(keys.iter(), SessionType::Temporary)?;
    let [license] = licenses.as_slice() else {
        bail!("--license-out: {} licenses would be needed for so many keys", licenses.len());
    };
    write(path, &license.to_json())
}

/// Writes one `KID:KEY` a line.
pub(super) fn write_keys(path: &Path, keys: &[Jwk]) -> anyhow::Result<()> {
    let hex = |octets: &[u8]| Zeroizing::new(data_encoding::HEXLOWER.encode(octets));
    let mut text = Zeroizing::new(String::with_capacity(keys.len() * (2 * 512 + 34)));
    for jwk in keys {
        text.push_str(&hex(jwk.kid().as_bytes()));
        text.push(':');
        text.push_str(&hex(jwk.key()));
        text.push('\n');
    }
    write(path, text.as_bytes())
}

/// A file that its owner alone reads.
fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let place = || path.display().to_string();
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
    let mut file = file.with_context(place)?;
    file.set_permissions(Permissions::from_mode(0o600)).with_context(place)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).with_context(place)
}
