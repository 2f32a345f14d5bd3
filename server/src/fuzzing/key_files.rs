//! Any octets as a key file.

use std::fmt::Write;

use clearkey::{Jwk, License, SessionType};
use data_encoding::HEXLOWER;

use crate::{Error, keys::parse};

/// Reads octets as a key file, and what is read once more from the other form that it could be written in.
/// What is refused is refused without a key in the reason. Whether keys were read.
pub fn key_files(bytes: &[u8]) -> bool {
    let keys = match parse("keys", bytes) {
        Ok(keys) => keys,
        Err(error) => {
            let said = format!("{error} {error:?}");
            assert!(said.len() < 4096, "{said}");
            let is_named = matches!(error, Error::Keys { .. } | Error::NoKeyInFile { .. });
            assert!(is_named, "{said}");
            return false;
        }
    };
    assert!(!keys.is_empty());
    let mut lines = String::new();
    for jwk in &keys {
        let key = HEXLOWER.encode(jwk.key());
        writeln!(lines, "{}:{key}", clearkey::base64url::encode(jwk.kid().as_bytes())).unwrap();
    }
    assert_eq!(pairs(&parse("lines", lines.as_bytes()).unwrap()), pairs(&keys));
    // A license has each key id once, and no more than so many.
    if let Ok(license) = License::new(keys.clone(), SessionType::Temporary) {
        let set = parse("set", &license.to_json()).unwrap();
        assert_eq!(pairs(&set), pairs(&license.keys));
    }
    true
}

fn pairs(keys: &[Jwk]) -> Vec<(&[u8], [u8; 16])> {
    keys.iter().map(|jwk| (jwk.kid().as_bytes(), *jwk.key())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzzing::seeds::seeds;

    #[test]
    fn every_seed_has_keys() {
        for (name, seed) in seeds("key_files") {
            assert!(key_files(&seed), "{name}");
        }
    }
}
