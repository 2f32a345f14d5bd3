//! What opens the encrypted file again: a license, and a list of keys.

use std::{
    fs::{self, Permissions},
    io::Write,
    os::unix::fs::PermissionsExt,
    path::Path,
};

use anyhow::{Context, bail};
use clearkey::{Jwk, SessionType};
use zeroize::Zeroizing;

use crate::{output::folder, sessions::licenses};

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

/// A file that its owner alone reads, in place of an old one when it is whole.
fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let place = || path.display().to_string();
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if fs::metadata(&path).is_ok_and(|metadata| !metadata.is_file()) {
        return fs::write(&path, bytes).with_context(place);
    }
    let mut file = tempfile::Builder::new()
        .prefix(".clearkey-")
        .permissions(Permissions::from_mode(0o600))
        .tempfile_in(folder(&path))
        .with_context(place)?;
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).with_context(place)?;
    file.persist(&path).map_err(|error| error.error).with_context(place)?;
    Ok(())
}
