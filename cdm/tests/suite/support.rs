//! What every test needs: media keys, keys, licenses, and a look at what has happened.

use cdm::{
    Decryption, Environment, Error, MediaKeySession, MediaKeySystemConfiguration,
    MediaKeySystemMediaCapability, MediaKeys, MessageType, SessionEvent, SessionType,
    store::{LicenseStore, MemoryStore},
};
use cenc::{Iv, Key, Pattern, SampleEncryption, Scheme};

#[path = "../../src/fuzzing/made.rs"]
mod made;

pub(crate) use made::{keyids, kid, license};

pub(crate) const KEY_SYSTEM: &str = "org.w3.clearkey";
/// Initialization data and licenses of WPT and Chromium: key id 00 01 02 03.
pub(crate) const KEYIDS: &str = r#"{"kids":["AAECAw"]}"#;
pub(crate) const LICENSE: &str =
    r#"{"keys":[{"kty":"oct","kid":"AAECAw","k":"BAUGBwgJCgsMDQ4PEBESEw"}]}"#;

/// A configuration with both kinds of sessions, if `persistent`.
pub(crate) fn configuration(persistent: bool) -> MediaKeySystemConfiguration {
    let types = ["temporary", "persistent-license"];
    let types = &types[..if persistent { 2 } else { 1 }];
    MediaKeySystemConfiguration {
        init_data_types: vec!["keyids".to_owned()],
        video_capabilities: vec![MediaKeySystemMediaCapability {
            content_type: r#"video/mp4;codecs="avc1.4d401e""#.to_owned(),
            ..Default::default()
        }],
        session_types: Some(types.iter().map(ToString::to_string).collect()),
        ..Default::default()
    }
}

/// Media keys with temporary sessions.
pub(crate) fn media_keys() -> MediaKeys {
    let access = cdm::request_media_key_system_access(KEY_SYSTEM, &[configuration(false)]).unwrap();
    access.create_media_keys().unwrap()
}

/// Media keys with both kinds of sessions.
pub(crate) fn media_keys_in(environment: &Environment) -> MediaKeys {
    let access =
        environment.request_media_key_system_access(KEY_SYSTEM, &[configuration(true)]).unwrap();
    access.create_media_keys().unwrap()
}

pub(crate) fn with_store(store: impl LicenseStore + 'static) -> Environment {
    Environment::builder().store(store).build()
}

pub(crate) fn in_memory() -> (Environment, MemoryStore) {
    let store = MemoryStore::default();
    (with_store(store.clone()), store)
}

pub(crate) fn temporary(media_keys: &MediaKeys) -> MediaKeySession {
    media_keys.create_session(SessionType::Temporary).unwrap()
}

pub(crate) fn persistent(media_keys: &MediaKeys) -> MediaKeySession {
    media_keys.create_session(SessionType::PersistentLicense).unwrap()
}

/// A session that is callable.
pub(crate) fn started(session: MediaKeySession) -> MediaKeySession {
    session.generate_request("keyids", KEYIDS.as_bytes()).unwrap();
    session
}

/// The name of the exception with which a call ended.
#[track_caller]
pub(crate) fn exception<T: std::fmt::Debug>(result: Result<T, Error>) -> &'static str {
    result.unwrap_err().exception().name()
}

/// Everything that is waiting to be told, in words.
pub(crate) fn events(session: &MediaKeySession) -> Vec<String> {
    std::iter::from_fn(|| session.next_event()).map(|event| words(&event)).collect()
}

pub(crate) fn words(event: &SessionEvent) -> String {
    match event {
        SessionEvent::KeyStatusesChange => "keystatuseschange".to_owned(),
        SessionEvent::Message { message_type, message } => {
            format!("message {message_type} {}", str::from_utf8(message).unwrap())
        }
        other => panic!("{other:?}"),
    }
}

/// The message of a release, and no other.
pub(crate) fn release(session: &MediaKeySession) -> Vec<u8> {
    loop {
        if let SessionEvent::Message { message_type: MessageType::LicenseRelease, message } =
            session.next_event().expect("a release")
        {
            return message;
        }
    }
}

/// The statuses, in words.
pub(crate) fn statuses(session: &MediaKeySession) -> Vec<(String, &'static str)> {
    let statuses = session.key_statuses();
    statuses.iter().map(|(kid, status)| (kid.to_string(), status.as_str())).collect()
}

/// Which of the keys of 16 times the same octet decrypts for a key id, if any.
pub(crate) fn key_in_use(media_keys: &MediaKeys, kid: &[u8]) -> Option<u8> {
    let iv = Iv::new(&[7; 8]).unwrap();
    let encryption = SampleEncryption::new(Scheme::Cenc, iv, Pattern::NONE, None).unwrap();
    let mut sample = [0; 32];
    match media_keys.decrypt(kid, &encryption, &mut sample).unwrap() {
        Decryption::NoKey => {
            assert_eq!(sample, [0; 32]);
            None
        }
        Decryption::Done => (0..=255).find(|octet| {
            let mut with_it = [0; 32];
            cenc::decrypt_sample(&Key::new(&[*octet; 16]), &encryption, &mut with_it).unwrap();
            with_it == sample
        }),
    }
}
