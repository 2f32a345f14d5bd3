//! Known answers: `fixtures/vectors`, each with the source of its expectation.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may panic as the test may")]

use std::collections::BTreeMap;

use clearkey::{
    Error, InitData, InitDataType, KeyId, License, LicenseRelease, LicenseRequest, Response,
    base64url,
};
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
    let mut types = BTreeMap::new();
    for vector in &vectors {
        let init_data_type = text(&vector["init_data_type"]);
        *types.entry(init_data_type).or_insert(0) += 1;
        for data in inputs(vector) {
            let init_data = InitData::parse(init_data_type, &data);
            let expected = &vector["expected"];
            if expected["ok"] == true {
                let init_data = init_data.unwrap_or_else(|error| panic!("{error}: {vector}"));
                assert_eq!(json!(init_data.kids()), expected["kids"], "{vector}");
                assert_eq!(init_data.init_data_type().as_str(), init_data_type);
            } else {
                assert_eq!(expected["error"], exception(&init_data.unwrap_err()), "{vector}");
            }
        }
    }
    let unknown: usize = types
        .iter()
        .filter(|(name, _)| name.parse::<InitDataType>().is_err())
        .map(|(_, count)| count)
        .sum();
    assert_eq!([types["cenc"], types["keyids"], types["webm"], unknown], [28, 24, 5, 5]);
}

#[test]
fn license_request_vectors() {
    let vectors = list(include_str!("../../fixtures/vectors/license_request.json"));
    assert_eq!(vectors.len(), 5);
    for vector in &vectors {
        let session_type = text(&vector["session_type"]).parse().unwrap();
        let request = LicenseRequest::new(kids(vector), session_type).unwrap();
        assert_eq!(str::from_utf8(&request.to_json()).unwrap(), vector["expected_utf8"]);
        assert_eq!(LicenseRequest::parse(&request.to_json()), Ok(request), "{vector}");
    }
}

/// The release, and its acknowledgement. What the latter does to a session is tested with sessions.
#[test]
fn license_release_vectors() {
    let vectors = list(include_str!("../../fixtures/vectors/license_release.json"));
    let [release, acknowledgement] = &vectors[..] else { panic!("two entries") };
    let written = LicenseRelease::new(kids(release));
    assert_eq!(str::from_utf8(&written.to_json()).unwrap(), release["expected_utf8"]);

    match Response::parse(text(&acknowledgement["input"]).as_bytes()).unwrap() {
        Response::Acknowledgement(read) => assert_eq!(read, written),
        Response::License(_) => panic!("no license"),
    }
}

fn kids(vector: &Value) -> Vec<KeyId> {
    let kids = vector["kids_hex"].as_array().unwrap().iter();
    kids.map(|kid| KeyId::new(hex(kid)).unwrap()).collect()
}

/// The name that EME gives to an error.
fn exception(error: &Error) -> &'static str {
    error.exception().name()
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

/// The initialization data of a vector: one piece, an octet repeated, or every prefix of a piece.
fn inputs(vector: &Value) -> Vec<Vec<u8>> {
    let Some(recipe) = vector.get("input_recipe") else { return vec![hex(&vector["input_hex"])] };
    if let Some(times) = recipe["times"].as_u64() {
        return vec![hex(&recipe["repeat_hex"]).repeat(usize::try_from(times).unwrap())];
    }
    let full = hex(&recipe["full_hex"]);
    assert_eq!(recipe["for_each_prefix_length"], json!([1, full.len() - 1]));
    (0..full.len()).map(|len| full[..len].to_vec()).collect()
}
