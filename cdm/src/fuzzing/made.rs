//! Initialization data and licenses for key ids and keys of 16 times the same octet; tests in `tests/` make theirs here, too.

use clearkey::{InitData, InitDataType, Jwk, KeyId, License, SessionType};

pub(crate) fn kid(octet: u8) -> KeyId {
    KeyId::from([octet; 16])
}

/// Initialization data for these key ids of 16 times the same octet.
pub(crate) fn keyids(octets: &[u8]) -> Vec<u8> {
    let kids = octets.iter().copied().map(kid).collect();
    InitData::new(InitDataType::Keyids, kids).unwrap().as_bytes().to_vec()
}

/// A license with these pairs of key id and key, each 16 times the same octet.
pub(crate) fn license(session_type: SessionType, keys: &[(u8, u8)]) -> Vec<u8> {
    let keys = keys.iter().map(|&(name, key)| Jwk::new(kid(name), [key; 16])).collect();
    License::new(keys, session_type).unwrap().to_json().to_vec()
}
