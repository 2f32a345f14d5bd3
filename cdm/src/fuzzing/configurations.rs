//! Any configurations that a page might ask for.

use serde::Deserialize;

use crate::{
    Environment, Error, MediaKeySystemConfiguration, MediaKeySystemMediaCapability,
    MediaKeysRequirement, SessionType, store::MemoryStore,
};

/// What a page asks for.
#[derive(Deserialize)]
struct Asked {
    key_system: String,
    configs: Vec<MediaKeySystemConfiguration>,
}

/// Asks for access with these configurations, with and without storage. What is granted is part of what was
/// asked for, is granted again as it is, and makes sessions of its types alone. Whether anything was granted.
///
/// They are JSON, as in the known answers; or lines, each of which begins with a letter that says what it is:
///
/// ```text
/// k key system, if another     n the next configuration      i initDataTypes    t sessionTypes    l label
/// a, v content type of audio and video       s, r scheme and robustness of the last of them
/// d, p distinctiveIdentifier, persistentState: 0 required, 1 optional, 2 not-allowed
/// ```
pub fn configurations(bytes: &[u8]) -> bool {
    let Some(Asked { key_system, configs }) = read(bytes) else { return false };
    let environments =
        [Environment::default(), Environment::builder().store(MemoryStore::default()).build()];
    let [without, with] = environments.map(|environment| {
        let request =
            |configs: &[_]| environment.request_media_key_system_access(&key_system, configs);
        let access = request(&configs).map_err(|error| {
            let is_named = matches!(
                error,
                Error::KeySystem { .. } | Error::NoConfiguration | Error::NotSupported { .. }
            );
            assert!(is_named, "{error:?}");
            // It may quote what was asked for, not repeat it.
            assert!(error.to_string().len() < 16 << 10);
        });
        let access = access.ok()?;
        assert_eq!(key_system, "org.w3.clearkey");
        let granted = access.configuration();
        assert!(configs.iter().any(|asked| is_part(&granted, asked)), "{granted:?}");
        let again = request(std::slice::from_ref(&granted)).unwrap().configuration();
        assert_eq!(again, granted);
        let media_keys = access.create_media_keys().unwrap();
        for session_type in [SessionType::Temporary, SessionType::PersistentLicense] {
            let is_granted =
                granted.session_types.iter().flatten().any(|name| name == session_type.as_str());
            assert_eq!(media_keys.create_session(session_type).is_ok(), is_granted);
        }
        Some(granted)
    });
    // Storage makes no less possible.
    if let Some(granted) = &without {
        assert_ne!(granted.persistent_state, MediaKeysRequirement::Required);
        assert!(with.is_some());
    }
    with.is_some()
}

fn read(bytes: &[u8]) -> Option<Asked> {
    if bytes.starts_with(b"{") {
        return serde_json::from_slice(bytes).ok();
    }
    let mut key_system = "org.w3.clearkey".to_owned();
    let mut configs = vec![MediaKeySystemConfiguration::default()];
    let mut is_audio = false;
    for line in String::from_utf8_lossy(bytes).split('\n') {
        let mut text = line.chars();
        let letter = text.next();
        let text = text.as_str().to_owned();
        let config = configs.last_mut()?;
        let requirement = match text.as_bytes() {
            [.., b'0'] => MediaKeysRequirement::Required,
            [.., b'2'] => MediaKeysRequirement::NotAllowed,
            _ => MediaKeysRequirement::Optional,
        };
        match letter {
            Some('k') => key_system = text,
            Some('n') => configs.push(MediaKeySystemConfiguration::default()),
            Some('i') => config.init_data_types.push(text),
            Some('t') => config.session_types.get_or_insert_default().push(text),
            Some('l') => config.label = text,
            Some('d') => config.distinctive_identifier = requirement,
            Some('p') => config.persistent_state = requirement,
            Some(letter @ ('a' | 'v' | 's' | 'r')) => {
                is_audio = if "av".contains(letter) { letter == 'a' } else { is_audio };
                let list = match is_audio {
                    true => &mut config.audio_capabilities,
                    false => &mut config.video_capabilities,
                };
                match (letter, list.last_mut()) {
                    ('s', Some(last)) => last.encryption_scheme = Some(text),
                    ('r', Some(last)) => last.robustness = text,
                    ('s' | 'r', None) => {}
                    _ => list.push(MediaKeySystemMediaCapability {
                        content_type: text,
                        ..Default::default()
                    }),
                }
            }
            _ => {}
        }
    }
    Some(Asked { key_system, configs })
}

/// Whether nothing is in it that was not asked for, and nothing is left of it that must be there.
fn is_part(granted: &MediaKeySystemConfiguration, asked: &MediaKeySystemConfiguration) -> bool {
    let default = || vec![SessionType::Temporary.as_str().to_owned()];
    granted.label == asked.label
        && granted.init_data_types.iter().all(|name| asked.init_data_types.contains(name))
        && granted.init_data_types.is_empty() == asked.init_data_types.is_empty()
        && granted.audio_capabilities.iter().all(|one| asked.audio_capabilities.contains(one))
        && granted.audio_capabilities.is_empty() == asked.audio_capabilities.is_empty()
        && granted.video_capabilities.iter().all(|one| asked.video_capabilities.contains(one))
        && granted.video_capabilities.is_empty() == asked.video_capabilities.is_empty()
        && granted.session_types == Some(asked.session_types.clone().unwrap_or_else(default))
        && granted.distinctive_identifier == MediaKeysRequirement::NotAllowed
        && granted.persistent_state != MediaKeysRequirement::Optional
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzzing::seeds::seeds;

    #[test]
    fn every_seed_is_granted() {
        for (name, seed) in seeds("configurations") {
            assert!(configurations(&seed), "{name}");
        }
    }

    #[test]
    fn known_answers_obey_the_laws() {
        let json = include_str!("../../../fixtures/vectors/config_match.json");
        let vectors: Vec<serde_json::Value> = serde_json::from_str(json).unwrap();
        for vector in &vectors {
            let is_granted = configurations(vector.to_string().as_bytes());
            assert_eq!(is_granted, vector["expected"].get("error").is_none(), "{vector}");
        }
    }
}
