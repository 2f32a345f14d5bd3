//! A session's keys are nowhere in memory when it is closed, nor those that a license has replaced.
// Tests may panic.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)]
#![cfg(target_os = "linux")]

#[path = "../../conformance/hygiene/scan.rs"]
mod scan;

use cdm::{
    Environment, MediaKeySession, MediaKeySystemConfiguration, MediaKeySystemMediaCapability,
    MediaKeys, SessionType,
    store::{DirectoryStore, LicenseStore, MemoryStore},
};
use scan::{Secret, is_alive, is_gone};
use zeroize::Zeroizing;

fn media_keys(store: impl LicenseStore + 'static) -> MediaKeys {
    let configuration = MediaKeySystemConfiguration {
        audio_capabilities: vec![MediaKeySystemMediaCapability {
            content_type: "audio/webm;codecs=opus".to_owned(),
            ..Default::default()
        }],
        session_types: Some(vec!["temporary".to_owned(), "persistent-license".to_owned()]),
        ..Default::default()
    };
    let environment = Environment::builder().store(store).build();
    let access =
        environment.request_media_key_system_access("org.w3.clearkey", &[configuration]).unwrap();
    access.create_media_keys().unwrap()
}

fn session(media_keys: &MediaKeys, session_type: SessionType) -> MediaKeySession {
    let session = media_keys.create_session(session_type).unwrap();
    session.generate_request("keyids", br#"{"kids":["AQEBAQEBAQEBAQEBAQEBAQ"]}"#).unwrap();
    session
}

/// Has a session take this key. What is sent is the caller's to wipe, which is done here.
fn update(session: &MediaKeySession, key: Secret, session_type: SessionType) {
    let mut json = Zeroizing::new(Vec::with_capacity(1 << 12));
    json.extend_from_slice(br#"{"keys":[{"kty":"oct","kid":"AQEBAQEBAQEBAQEBAQEBAQ","k":""#);
    key.write_base64url(&mut json);
    json.extend_from_slice(format!(r#""}}],"type":"{session_type}"}}"#).as_bytes());
    session.update(&json).unwrap();
}

#[test]
fn a_session_that_is_closed() {
    let key = Secret::new(20);
    let media_keys = media_keys(MemoryStore::default());
    let session = session(&media_keys, SessionType::Temporary);
    update(&session, key, SessionType::Temporary);
    is_alive(&key.needles(), "a session");
    is_gone(&key.needles()[2..], "the texts of its license");
    let held = media_keys.key_store().key(&[1; 16]).unwrap();
    session.close().unwrap();
    is_alive(&key.needles(), "a key that a decoder holds");
    drop(held);
    is_gone(&key.needles(), "a session that is closed");
    drop((session, media_keys));
}

#[test]
fn a_session_that_is_dropped() {
    let key = Secret::new(21);
    let media_keys = media_keys(MemoryStore::default());
    let session = session(&media_keys, SessionType::Temporary);
    update(&session, key, SessionType::Temporary);
    is_alive(&key.needles(), "a session");
    drop((session, media_keys));
    is_gone(&key.needles(), "a session that is dropped");
}

#[test]
fn a_key_that_is_replaced() {
    let (key, other) = (Secret::new(22), Secret::new(23));
    let media_keys = media_keys(MemoryStore::default());
    let session = session(&media_keys, SessionType::Temporary);
    update(&session, key, SessionType::Temporary);
    is_alive(&key.needles(), "a session");
    update(&session, other, SessionType::Temporary);
    is_alive(&other.needles(), "the key after it");
    is_gone(&key.needles(), "a key that is replaced");
    session.remove().unwrap();
    is_gone(&other.needles(), "a key that is removed");
}

/// A record is in its store as long as the license is to last: in memory, if that is the store.
#[test]
fn a_license_that_is_stored() {
    let key = Secret::new(24);
    let folder = tempfile::tempdir().unwrap();
    let open = || media_keys(DirectoryStore::open(folder.path(), "https://example.org").unwrap());
    let keys = open();
    let stored = session(&keys, SessionType::PersistentLicense);
    update(&stored, key, SessionType::PersistentLicense);
    is_alive(&key.needles(), "a session");
    let id = stored.session_id();
    stored.close().unwrap();
    is_gone(&key.needles(), "a stored license, closed");
    drop((stored, keys));

    let keys = open();
    let loaded = keys.create_session(SessionType::PersistentLicense).unwrap();
    assert!(loaded.load(&id).unwrap());
    is_alive(&key.needles(), "a loaded license");
    loaded.remove().unwrap();
    is_gone(&key.needles(), "a license that is given up");

    let key = Secret::new(25);
    let store = MemoryStore::default();
    let keys = media_keys(store.clone());
    let stored = session(&keys, SessionType::PersistentLicense);
    update(&stored, key, SessionType::PersistentLicense);
    stored.close().unwrap();
    is_alive(&key.needles(), "a store in memory");
    drop((stored, keys, store));
    is_gone(&key.needles(), "a store that is dropped");
}
