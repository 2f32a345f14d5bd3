//! Known answers: `fixtures/vectors`, each with the source of its expectation.
//!
//! Where a vector expects `TypeError` or `NotSupportedError`, only [`Error::NoUsableBox`] counts as
//! the second, and every other error as the first.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may panic as the test may")]

use clearkey::{Error, License, base64url, pssh};
use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use serde_json::{Value, json};

#[test]
fn base64url_vectors() {
    let vectors = list(include_str!("../../fixtures/vectors/base64url.json"));
    assert_eq!(vectors.len(), 24);
    for vector in &vectors {
        let octets = base64url::decode(text(&vector["input"]));
        match text_of(&vector["expected"], "hex") {
            Some(expected) => assert_eq!(HEXLOWER.encode(&octets.unwrap()), expected, "{vector}"),
            None => assert!(octets.is_err(), "{vector}"),
        }
    }
}

/// All 59, of which 58 as they stand. The last is a license without `type` for a persistent
/// session: the license is sound, and it is the session that refuses it. So what it says of its
/// type is asserted here.
#[test]
fn license_vectors() {
    let vectors = list(include_str!("../../fixtures/vectors/license_parse.json"));
    let mut for_the_session = 0;
    for vector in &vectors {
        let license = License::parse(&message(vector));
        let expected = &vector["expected"];
        if text(&vector["name"]) == "absent type (temporary) into persistent" {
            assert_eq!(expected["error"], "TypeError");
            assert_eq!(license.unwrap().license_type.as_str(), "temporary");
            for_the_session += 1;
        } else if expected["ok"] == true {
            let license = license.unwrap_or_else(|error| panic!("{error}: {vector}"));
            let keys: Vec<_> = license
                .keys
                .iter()
                .map(|jwk| json!({"kid": jwk.kid(), "key": HEXLOWER.encode(jwk.key())}))
                .collect();
            assert_eq!(json!(keys), expected["keys"], "{vector}");
            assert_eq!(license.license_type.as_str(), expected["license_type"], "{vector}");
        } else {
            assert_eq!(expected["error"], exception(&license.unwrap_err()), "{vector}");
        }
    }
    assert_eq!((vectors.len(), for_the_session), (59, 1));
}

#[test]
fn init_data_vectors() {
    let vectors = list(include_str!("../../fixtures/vectors/init_data.json"));
    let (cenc, waiting): (Vec<_>, Vec<_>) =
        vectors.iter().partition(|vector| vector["init_data_type"] == "cenc");
    for vector in &cenc {
        for data in inputs(vector) {
            let kids = pssh::common_kids(&data);
            let expected = &vector["expected"];
            if expected["ok"] == true {
                assert_eq!(json!(kids.unwrap()), expected["kids"], "{vector}");
            } else {
                assert_eq!(expected["error"], exception(&kids.unwrap_err()), "{vector}");
            }
        }
    }
    // The types that this crate does not read yet, so that none is passed over in silence.
    let count = |name: &str| waiting.iter().filter(|v| v["init_data_type"] == name).count();
    assert_eq!(count("keyids"), 24, "a JSON list of key ids is not read yet");
    assert_eq!(count("webm"), 5, "a bare key id is not read yet");
    let unknown = waiting.len() - count("keyids") - count("webm");
    assert_eq!(unknown, 5, "the type is not chosen by its name yet");
    assert_eq!((vectors.len(), cenc.len()), (62, 28));
}

/// The name that EME gives to an error.
fn exception(error: &Error) -> &'static str {
    match error {
        Error::NoUsableBox => "NotSupportedError",
        _ => "TypeError",
    }
}

fn list(json: &str) -> Vec<Value> {
    serde_json::from_str(json).unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn text_of<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).map(text)
}

fn hex(value: &Value) -> Vec<u8> {
    HEXLOWER_PERMISSIVE.decode(text(value).as_bytes()).unwrap()
}

/// The license of a vector: text, hex, or a text repeated between a prefix and a suffix.
fn message(vector: &Value) -> Vec<u8> {
    if let Some(input) = text_of(vector, "input") {
        return input.into();
    }
    let Some(recipe) = vector.get("input_recipe") else { return hex(&vector["input_hex"]) };
    let times = usize::try_from(recipe["times"].as_u64().unwrap()).unwrap();
    let part = |name| text(&recipe[name]).to_owned();
    let message = part("prefix") + &part("repeat").repeat(times) + &part("suffix");
    assert_eq!(recipe["length"], message.len());
    message.into_bytes()
}

/// The initialization data of a vector: one piece, or every prefix of one.
fn inputs(vector: &Value) -> Vec<Vec<u8>> {
    let Some(recipe) = vector.get("input_recipe") else { return vec![hex(&vector["input_hex"])] };
    let full = hex(&recipe["full_hex"]);
    assert_eq!(recipe["for_each_prefix_length"], json!([1, full.len() - 1]));
    (0..full.len()).map(|len| full[..len].to_vec()).collect()
}
