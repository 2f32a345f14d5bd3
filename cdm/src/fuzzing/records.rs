//! Any octets as a stored record.

use crate::{
    Error, KeyId, MediaKeyStatus, SessionType,
    record::{HEADER, Record},
    store::{LicenseStore, MemoryStore},
};

use super::{call::Setup, stage::media_keys};

/// Reads octets as they are, and once more with the length and the checksum that they should have. What is
/// read is written as it was; a session loads it, or says that it is damaged. Whether one was read.
pub fn records(bytes: &[u8]) -> bool {
    let is_read = record(bytes);
    let Some(sealed) = seal(bytes) else { return is_read };
    record(&sealed) || is_read
}

fn record(bytes: &[u8]) -> bool {
    let read = Record::parse(bytes);
    let store = MemoryStore::default();
    store.put("7", bytes).unwrap();
    let other = media_keys(store.clone(), Setup::default());
    let session = other.create_session(SessionType::PersistentLicense).unwrap();
    let loaded = session.load("7");
    // Whatever comes of it, what is stored stays.
    assert_eq!(store.get("7").unwrap().unwrap()[..], *bytes);
    let (kids, status) = match &read {
        Err(reason) => {
            assert!(session.key_statuses().is_empty());
            match bytes {
                [] => assert_eq!(loaded, Ok(false)),
                _ => {
                    let (session_id, reason) = ("7".to_owned(), reason.clone());
                    assert_eq!(loaded, Err(Error::DamagedRecord { session_id, reason }));
                }
            }
            return false;
        }
        Ok(Record::License(keys)) => {
            for jwk in keys {
                assert!(other.key_store().key(jwk.kid().as_bytes()).is_some());
            }
            (keys.iter().map(|jwk| jwk.kid().clone()).collect(), MediaKeyStatus::Usable)
        }
        Ok(Record::Destroyed(kids)) => (kids.clone(), MediaKeyStatus::Released),
    };
    assert_eq!(loaded, Ok(true));
    let written = read.unwrap().to_bytes();
    assert_eq!(written[..], *bytes);
    assert_eq!(written.capacity(), written.len(), "a buffer that has grown leaves keys behind");
    let mut expected: Vec<(KeyId, _)> = kids.into_iter().map(|kid| (kid, status)).collect();
    expected.sort_by(|(a, _), (b, _)| a.cmp(b));
    expected.dedup();
    assert_eq!(session.key_statuses().iter().collect::<Vec<_>>(), expected);
    // It is a session as any other: its record is the one that it began with.
    if status == MediaKeyStatus::Usable {
        session.remove().unwrap();
        let kids = expected.into_iter().map(|(kid, _)| kid).collect();
        let destroyed = Record::Destroyed(kids).to_bytes();
        assert_eq!(store.get("7").unwrap().unwrap(), destroyed);
        assert!(record(&destroyed));
    }
    true
}

fn seal(bytes: &[u8]) -> Option<Vec<u8>> {
    let len = u32::try_from(bytes.len().checked_sub(HEADER)?).ok()?;
    let mut sealed = bytes.to_vec();
    sealed[..5].copy_from_slice(b"CKSR\x01");
    sealed[6..8].fill(0);
    sealed[8..12].copy_from_slice(&len.to_be_bytes());
    let checksum = crate::record::checksum(&sealed);
    sealed[12..HEADER].copy_from_slice(&checksum);
    Some(sealed)
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::fuzzing::seeds::seeds;

    #[test]
    fn every_seed_is_a_record() {
        for (name, seed) in seeds("records") {
            assert!(records(&seed), "{name}");
        }
    }

    proptest! {
        #[test]
        fn any_octets_are_a_record_or_damaged(bytes in vec(any::<u8>(), 0..80)) {
            records(&bytes);
        }
    }
}
