//! Known answers: `fixtures/vectors`.

use clearkey::InitDataType;
use serde_json::{Map, Value, json};

use super::*;
use crate::{CloseReason, Error, MediaKeyStatus, MessageType, SessionType};

fn list(json: &str) -> Vec<Value> {
    serde_json::from_str(json).unwrap()
}

fn select_with(persistent: bool, vector: &Value) -> Result<MediaKeySystemConfiguration, Error> {
    let configurations: Vec<_> = vector["configs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|config| serde_json::from_value(config.clone()).unwrap())
        .collect();
    let support = Support { persistent, content_type: &ContentType::is_supported };
    select(vector["key_system"].as_str().unwrap(), &configurations, &support)
}

/// All 60, with storage; those that ask for sessions that are stored are refused without.
#[test]
fn config_match() {
    let vectors = list(include_str!("../../../fixtures/vectors/config_match.json"));
    assert_eq!(vectors.len(), 60);
    for vector in &vectors {
        let selected = select_with(true, vector);
        let expected = &vector["expected"];
        if let Some(exception) = expected.get("error") {
            assert_eq!(selected.unwrap_err().exception().name(), exception, "{vector}");
            continue;
        }
        let selected = selected.unwrap_or_else(|error| panic!("{error}: {vector}"));
        let all = serde_json::to_value(&selected).unwrap();
        match expected.get("config_equals") {
            Some(expected) => assert_eq!(all, *expected, "{vector}"),
            None => {
                for (member, expected) in expected["config_subset"].as_object().unwrap() {
                    assert_eq!(with_defaults(expected), all[member], "{member}: {vector}");
                }
            }
        }
        let without = select_with(false, vector).map(|config| config == selected);
        let needs_storage = all["persistentState"] == "required";
        assert_eq!(without.unwrap_or(false), !needs_storage, "{vector}");
    }
}

/// An entry as it comes back: with the members that were not given.
fn with_defaults(expected: &Value) -> Value {
    let Some(entries) = expected.as_array() else { return expected.clone() };
    let whole = |entry: &Value| {
        let Some(given) = entry.as_object() else { return entry.clone() };
        let mut whole = Map::new();
        whole.insert("encryptionScheme".to_owned(), Value::Null);
        whole.insert("robustness".to_owned(), json!(""));
        whole.extend(given.clone());
        Value::Object(whole)
    };
    entries.iter().map(whole).collect()
}

#[test]
fn policy_status() {
    let vectors = list(include_str!("../../../fixtures/vectors/policy_status.json"));
    assert_eq!(vectors.len(), 12);
    for vector in &vectors {
        let version = vector["input"].get("minHdcpVersion");
        let min_hdcp_version = version.map(|version| version.as_str().unwrap().to_owned());
        let status = check_policy(&MediaKeysPolicy { min_hdcp_version });
        match vector["expected"].get("error") {
            Some(exception) => {
                assert_eq!(status.unwrap_err().exception().name(), exception, "{vector}");
            }
            None => assert_eq!(status, Ok(()), "{vector}"),
        }
    }
}

/// Every text of EME's enumerations.
#[test]
fn enums() {
    let lists: Map<String, Value> =
        serde_json::from_str(include_str!("../../../fixtures/vectors/enums.json")).unwrap();
    let ours = |name: &str| match name {
        "session_types" => {
            json!([SessionType::Temporary, SessionType::PersistentLicense].map(SessionType::as_str))
        }
        "closed_reasons" => json!(CLOSE_REASONS.map(CloseReason::as_str)),
        "key_statuses" => json!(KEY_STATUSES.map(MediaKeyStatus::as_str)),
        "message_types" => json!(MESSAGE_TYPES.map(MessageType::as_str)),
        "requirement" => json!(REQUIREMENTS.map(MediaKeysRequirement::as_str)),
        "init_data_types" => json!(InitDataType::ALL.map(InitDataType::as_str)),
        other => panic!("{other}"),
    };
    for (name, expected) in &lists {
        let texts = expected.as_array().unwrap().iter().map(|text| text.as_str().unwrap());
        match &**name {
            "encryption_schemes" => texts.for_each(|scheme| {
                let capability = MediaKeySystemMediaCapability {
                    content_type: "audio/webm;codecs=opus".to_owned(),
                    encryption_scheme: Some(scheme.to_owned()),
                    robustness: String::new(),
                };
                let support = Support { persistent: false, content_type: &|_, _| true };
                assert_eq!(capability::check(&capability, MediaKind::Audio, &support), Ok(()));
            }),
            "hdcp" => texts.for_each(|version| {
                let min_hdcp_version = Some(version.to_owned());
                assert_eq!(check_policy(&MediaKeysPolicy { min_hdcp_version }), Ok(()));
            }),
            name => assert_eq!(ours(name), *expected, "{name}"),
        }
    }
    assert_eq!(lists.len(), 8);
}

const CLOSE_REASONS: [CloseReason; 5] = [
    CloseReason::InternalError,
    CloseReason::ClosedByApplication,
    CloseReason::ReleaseAcknowledged,
    CloseReason::HardwareContextReset,
    CloseReason::ResourceEvicted,
];

const KEY_STATUSES: [MediaKeyStatus; 8] = [
    MediaKeyStatus::Usable,
    MediaKeyStatus::Expired,
    MediaKeyStatus::Released,
    MediaKeyStatus::OutputRestricted,
    MediaKeyStatus::OutputDownscaled,
    MediaKeyStatus::UsableInFuture,
    MediaKeyStatus::StatusPending,
    MediaKeyStatus::InternalError,
];

const MESSAGE_TYPES: [MessageType; 4] = [
    MessageType::LicenseRequest,
    MessageType::LicenseRenewal,
    MessageType::LicenseRelease,
    MessageType::IndividualizationRequest,
];

const REQUIREMENTS: [MediaKeysRequirement; 3] = [
    MediaKeysRequirement::Required,
    MediaKeysRequirement::Optional,
    MediaKeysRequirement::NotAllowed,
];
