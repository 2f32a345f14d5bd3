//! clearkey-mp4-requestmediakeysystemaccess: key systems and configurations. The cases are those of
//! `fixtures/vectors/config_match.json` that come from this file, by the names that W3C gives them;
//! here they go through the public API.

use cdm::{Environment, MediaKeySystemConfiguration};
use serde_json::Value;

use crate::support::{exception, in_memory};

#[test]
fn configurations_are_selected_as_w3c_wants() {
    let json = include_str!("../../../../fixtures/vectors/config_match.json");
    let vectors: Vec<Value> = serde_json::from_str(json).unwrap();
    let (mut supported, mut refused) = (0, 0);
    for vector in vectors {
        if !vector["source"].as_str().unwrap().starts_with("WPT requestmediakeysystemaccess.js") {
            continue;
        }
        let name = vector["name"].as_str().unwrap();
        for environment in [Environment::default(), in_memory().0] {
            let key_system = vector["key_system"].as_str().unwrap();
            let configurations: Vec<MediaKeySystemConfiguration> =
                serde_json::from_value(vector["configs"].clone()).unwrap();
            let access = environment.request_media_key_system_access(key_system, &configurations);
            if let Some(expected) = vector["expected"].get("error") {
                assert_eq!(exception(access), expected, "{name}");
                refused += 1;
                continue;
            }
            let access = access.unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(access.key_system(), key_system);
            let got = serde_json::to_value(access.configuration()).unwrap();
            for (member, expected) in vector["expected"]["config_subset"].as_object().unwrap() {
                assert_eq!(types(&got[member]), types(expected), "{name}: {member}");
            }
            supported += 1;
            // What is selected selects itself.
            let again = environment
                .request_media_key_system_access(key_system, &[access.configuration()])
                .unwrap();
            assert_eq!(again.configuration(), access.configuration(), "{name}");
        }
    }
    assert_eq!((supported, refused), (2 * SUPPORTED, 2 * REFUSED));
}

/// A list of capabilities as W3C's tests compare it: by content type.
fn types(member: &Value) -> Value {
    match member.as_array() {
        Some(entries) => {
            entries.iter().map(|entry| entry.get("contentType").unwrap_or(entry).clone()).collect()
        }
        None => member.clone(),
    }
}

const SUPPORTED: usize = 12;
const REFUSED: usize = 32;
