//! The known answers about messages, once more: through sessions, which is where pages meet them.

use data_encoding::HEXLOWER_PERMISSIVE;
use serde_json::{Value, json};

use crate::support::{
    KEYIDS, exception, in_memory, media_keys, media_keys_in, statuses, temporary,
};

fn list(json: &str) -> Vec<Value> {
    serde_json::from_str(json).unwrap()
}

fn text<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.get(name).map(|value| value.as_str().unwrap())
}

fn hex(text: &str) -> Vec<u8> {
    HEXLOWER_PERMISSIVE.decode(text.as_bytes()).unwrap()
}

/// A license as text, as hex, or as a text that is repeated between two others.
fn message(vector: &Value) -> Vec<u8> {
    if let Some(input) = text(vector, "input").map(str::as_bytes) {
        return input.to_vec();
    }
    if let Some(input) = text(vector, "input_hex") {
        return hex(input);
    }
    let recipe = &vector["input_recipe"];
    let times = usize::try_from(recipe["times"].as_u64().unwrap()).unwrap();
    let part = |name| text(recipe, name).unwrap();
    [part("prefix"), &part("repeat").repeat(times), part("suffix")].concat().into_bytes()
}

/// All 59, also the one that only a session can refuse.
#[test]
fn licenses_in_sessions() {
    let vectors = list(include_str!("../../../fixtures/vectors/license_parse.json"));
    assert_eq!(vectors.len(), 59);
    for vector in &vectors {
        let session_type = text(vector, "session_type").unwrap_or("temporary").parse().unwrap();
        let media_keys = media_keys_in(&in_memory().0);
        let session = media_keys.create_session(session_type).unwrap();
        session.generate_request("keyids", KEYIDS.as_bytes()).unwrap();
        let result = session.update(&message(vector));
        if let Some(expected) = vector["expected"].get("error") {
            assert_eq!(exception(result), expected, "{vector}");
            assert!(session.key_statuses().is_empty(), "{vector}");
            continue;
        }
        result.unwrap_or_else(|error| panic!("{error}: {vector}"));
        let mut kids: Vec<_> = vector["expected"]["keys"]
            .as_array()
            .unwrap()
            .iter()
            .map(|key| json!([key["kid"], "usable"]))
            .collect();
        kids.sort_by_key(|pair| hex(pair[0].as_str().unwrap()));
        assert_eq!(json!(statuses(&session)), json!(kids), "{vector}");
    }
}

/// All 62, each as often as it has inputs.
#[test]
fn initialization_data_in_sessions() {
    let vectors = list(include_str!("../../../fixtures/vectors/init_data.json"));
    assert_eq!(vectors.len(), 62);
    for vector in &vectors {
        let recipe = vector.get("input_recipe");
        let inputs = match (text(vector, "input_hex"), recipe.and_then(|r| text(r, "full_hex"))) {
            (Some(input), _) => vec![hex(input)],
            (None, Some(full)) => {
                let full = hex(full);
                (1..full.len()).map(|len| full[..len].to_vec()).collect()
            }
            (None, None) => vec![vec![0; 70_000]],
        };
        for init_data in inputs {
            let session = temporary(&media_keys());
            let init_data_type = text(vector, "init_data_type").unwrap();
            let result = session.generate_request(init_data_type, &init_data);
            if let Some(expected) = vector["expected"].get("error") {
                assert_eq!(exception(result), expected, "{vector}");
                assert!(session.next_event().is_none() && session.session_id().is_empty());
                continue;
            }
            result.unwrap_or_else(|error| panic!("{error}: {vector}"));
            let Some(cdm::SessionEvent::Message { message, .. }) = session.next_event() else {
                panic!("no request: {vector}");
            };
            let request = clearkey::LicenseRequest::parse(&message).unwrap();
            assert_eq!(json!(request.kids()), vector["expected"]["kids"], "{vector}");
        }
    }
}
