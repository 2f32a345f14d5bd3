//! What the W3C test `clearkey-mp4-requestmediakeysystemaccess` asks, asked again: its 58 subtests
//! for ClearKey, 43 errors and 15 successes, under the names that they have there.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may panic as the test may")]

use std::collections::HashSet;

use cdm::{MediaKeySystemConfiguration, request_media_key_system_access};
use serde_json::{Value, json};

const KEY_SYSTEM: &str = "org.w3.clearkey";
const AUDIO: &str = r#"audio/mp4;codecs="mp4a.40.2""#;
const VIDEO: &str = r#"video/mp4;codecs="avc1.4d401e""#;
const INIT_DATA_TYPE: &str = "keyids";

const NOT_SUPPORTED: &str = "NotSupportedError";

/// Each is refused with the empty configuration of the original, and with one that could be
/// granted: the empty one is refused anyhow and so proves nothing.
#[test]
fn key_systems() {
    let cases = [
        ("Empty Key System", "", "TypeError"),
        ("Unsupported Key System", "com.example.unsupported", NOT_SUPPORTED),
        ("Key System ending in \".\"", "org.w3.clearkey.", NOT_SUPPORTED),
        ("Capitalized Key System", "ORG.W3.CLEARKEY", NOT_SUPPORTED),
        ("Non-ASCII Key System", "org.w3.clearkey\u{28f}", NOT_SUPPORTED),
        ("Root domain of Key System alone", "org", NOT_SUPPORTED),
        ("Root domain of Key System, with dot", "org.", NOT_SUPPORTED),
        ("Domain of Key System along", "org.w3", NOT_SUPPORTED),
        ("Domain of Key System, with dot", "org.w3.", NOT_SUPPORTED),
        ("Child of Key System", "org.w3.clearkey.foo", NOT_SUPPORTED),
        ("Prefixed Key System", "webkit-org.w3.clearkey", NOT_SUPPORTED),
        ("Missing characters in middle of Key System name", "org.w3.learkey", NOT_SUPPORTED),
        ("Missing characters at end of Key System name", "org.w3.clearke", NOT_SUPPORTED),
        ("Leading space in Key System name", " org.w3.clearkey", NOT_SUPPORTED),
        ("Extra space in Key System name", "org.w3 .clearkey", NOT_SUPPORTED),
        ("Trailing space in Key System name", "org.w3.clearkey ", NOT_SUPPORTED),
        ("Leading dot in Key System name", ".org.w3.clearkey", NOT_SUPPORTED),
        ("Extra dot in middle of Key System name", "org.w3..clearkey", NOT_SUPPORTED),
        ("Trailing dot in Key System name", "org.w3.clearkey.", NOT_SUPPORTED),
        ("Key System name is case sensitive", "ORG.W3.CLEARKEY", NOT_SUPPORTED),
    ];
    assert_distinct(cases.map(|(name, ..)| name.to_owned()), 20);
    for (name, key_system, error) in cases {
        assert_refused(name, key_system, &json!([{}]), error);
        assert_refused(name, key_system, &json!([video(&[VIDEO])]), error);
    }
}

#[test]
fn configurations_that_are_refused() {
    let cases = [
        ("Empty supportedConfigurations", json!([]), "TypeError"),
        ("Empty configuration", json!([{}]), NOT_SUPPORTED),
        refused("Unsupported audio codec (%)", audio(&["audio/webm; codecs=fake"])),
        refused("Unsupported video codec (%)", audio(&["video/webm; codecs=fake"])),
        refused(
            "Mismatched audio container/codec (%)",
            audio(&["audio/webm; codecs=mp4a", "audio/webm; codecs=mp4a.40.2"]),
        ),
        refused("Video codec specified in audio field (%)", audio(&[VIDEO])),
        refused("Audio codec specified in video field (%)", video(&[AUDIO])),
        refused(
            "Mismatched audio container/codec (%)",
            audio(&["audio/webm; codecs=avc1", "audio/webm; codecs=avc1.42e01e"]),
        ),
        refused("Mismatched audio container/codec (%)", audio(&["audio/mp4; codecs=vorbis"])),
        refused(
            "Audio MIME type does not support video codecs (webm) (%)",
            audio(&[
                r#"audio/webm; codecs="vp8,vorbis""#,
                r#"audio/webm; codecs="vorbis, vp8""#,
                r#"audio/webm; codecs="vp8""#,
            ]),
        ),
        refused(
            "Audio MIME type does not support video codecs (mp4) (%)",
            audio(&[r#"audio/mp4; codecs="avc1""#, r#"audio/mp4; codecs="avc1.4d401e""#]),
        ),
        refused(
            "Video MIME type does not support audio codecs (webm) (%)",
            video(&[
                r#"video/webm; codecs="vp8,vorbis""#,
                r#"video/webm; codecs="vorbis, vp8""#,
                r#"video/webm; codecs="vorbis""#,
            ]),
        ),
        refused(
            "Video MIME type does not support audio codecs (mp4) (%)",
            video(&[r#"video/mp4; codecs="mp4a""#, r#"video/mp4; codecs="mp4a.40.2""#]),
        ),
        refused(
            "WebM audio does not support AVC1/AAC (%)",
            audio(&[
                r#"audio/webm; codecs="aac""#,
                r#"audio/webm; codecs="avc1""#,
                r#"audio/webm; codecs="vp8,aac""#,
            ]),
        ),
        refused(
            "WebM video does not support AVC1/AAC (%)",
            video(&[
                r#"video/webm; codecs="aac""#,
                r#"video/webm; codecs="avc1""#,
                r#"video/webm; codecs="vp8,aac""#,
            ]),
        ),
        refused("Unrecognized foo with webm (%)", video(&[r#"video/webm; foo="bar""#])),
        refused("Unrecognized foo with mp4 (%)", video(&[r#"video/mp4; foo="bar""#])),
        refused(
            "Unrecognized foo with codecs (%)",
            video(&[r#"video/mp4;codecs="avc1.4d401e"; foo="bar""#]),
        ),
        refused("contentType: %", video(&["fake"])),
        refused("contentType: %", audio(&["audio/fake"])),
        refused("contentType: %", video(&["video/fake"])),
        refused("contentType: %", video(&[r#"video/mp4;codecs="AVC1.4D401E""#])),
        refused("contentType: %", video(&[r#"video/mp4;codecs=",avc1.4d401e""#])),
    ];
    assert_distinct(cases.iter().map(|(name, asked, _)| whole(name, asked)), 23);
    for (name, asked, error) in &cases {
        assert_refused(&whole(name, asked), KEY_SYSTEM, asked, error);
    }
}

#[test]
fn configurations_that_are_granted() {
    let both = json!({
        "initDataTypes": [INIT_DATA_TYPE],
        "audioCapabilities": [{"contentType": AUDIO}],
        "videoCapabilities": [{"contentType": VIDEO}],
        "label": "abcd",
    });
    let partly = json!({
        "initDataTypes": ["fakeidt", INIT_DATA_TYPE],
        "audioCapabilities": [{"contentType": "audio/fake"}, {"contentType": AUDIO}],
        "videoCapabilities": [{"contentType": "video/fake"}, {"contentType": VIDEO}],
        "label": "abcd",
    });
    let of_type = |name: &str| json!({"initDataTypes": [name], "videoCapabilities": [{"contentType": VIDEO}]});
    let same = |name, configuration: Value| (name, json!([configuration]), configuration);
    let same_video = |name, text| same(name, video(&[text]));
    let cases = [
        same("Basic supported configuration", both.clone()),
        ("Partially supported configuration", json!([partly]), both),
        same("Supported audio codec", audio(&[AUDIO])),
        same(
            "ContentType formatting must be preserved",
            audio(&[r#"audio/mp4;  codecs="mp4a.40.2""#]),
        ),
        (
            "Two configurations, one supported",
            json!([of_type("fakeidt"), of_type(INIT_DATA_TYPE)]),
            of_type(INIT_DATA_TYPE),
        ),
        (
            "Two configurations, both supported",
            json!([of_type(INIT_DATA_TYPE), video(&[VIDEO])]),
            of_type(INIT_DATA_TYPE),
        ),
        same_video("Leading space in contentType", r#" video/mp4;codecs="avc1.4d401e""#),
        same_video("Space before ; in contentType", r#"video/mp4 ;codecs="avc1.4d401e""#),
        same_video("Trailing space in contentType", r#"video/mp4;codecs="avc1.4d401e" "#),
        same_video("Space at start of codecs parameter", r#"video/mp4;codecs=" avc1.4d401e""#),
        same_video("Space at end of codecs parameter", r#"video/mp4;codecs="avc1.4d401e ""#),
        same_video("Video/", r#"Video/mp4;codecs="avc1.4d401e""#),
        same_video("Codecs=", r#"video/mp4;Codecs="avc1.4d401e""#),
        same_video("Upper case MIME type", r#"VIDEO/MP4;codecs="avc1.4d401e""#),
        same_video("CODECS=", r#"video/mp4;CODECS="avc1.4d401e""#),
    ];
    assert_distinct(cases.iter().map(|(name, ..)| (*name).to_owned()), 15);
    for (name, asked, expected) in &cases {
        let access = request_media_key_system_access(KEY_SYSTEM, &configurations(asked))
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(access.key_system(), KEY_SYSTEM, "{name}");
        let granted = serde_json::to_value(access.configuration()).unwrap();
        assert_subset(&granted, expected, name);
    }
}

fn assert_refused(name: &str, key_system: &str, asked: &Value, expected: &str) {
    match request_media_key_system_access(key_system, &configurations(asked)) {
        Ok(_) => panic!("{name}: granted"),
        Err(error) => assert_eq!(error.exception().name(), expected, "{name}: {error}"),
    }
}

/// Each member that is expected is there, at any depth, and each list has its length.
fn assert_subset(granted: &Value, expected: &Value, name: &str) {
    match expected {
        Value::Object(members) => {
            for (member, value) in members {
                assert_subset(&granted[member], value, name);
            }
        }
        Value::Array(entries) => {
            let found = granted.as_array().unwrap();
            assert_eq!(found.len(), entries.len(), "{name}: {granted}");
            found.iter().zip(entries).for_each(|(f, e)| assert_subset(f, e, name));
        }
        leaf => assert_eq!(granted, leaf, "{name}"),
    }
}

/// No case was lost and none is there twice.
fn assert_distinct(names: impl IntoIterator<Item = String>, count: usize) {
    let mut seen = HashSet::new();
    for name in names {
        assert!(seen.insert(name.clone()), "{name} comes twice");
    }
    assert_eq!(seen.len(), count);
}

/// The name of a case, with the content types that it is about in place of `%`.
fn whole(name: &str, asked: &Value) -> String {
    let types: Vec<_> = ["audioCapabilities", "videoCapabilities"]
        .iter()
        .filter_map(|member| asked.get(0)?.get(member)?.as_array())
        .flatten()
        .map(|capability| format!("'{}'", capability["contentType"].as_str().unwrap()))
        .collect();
    name.replace('%', &types.join(","))
}

fn refused(name: &'static str, configuration: Value) -> (&'static str, Value, &'static str) {
    (name, json!([configuration]), NOT_SUPPORTED)
}

fn audio(content_types: &[&str]) -> Value {
    json!({"audioCapabilities": capabilities(content_types)})
}

fn video(content_types: &[&str]) -> Value {
    json!({"videoCapabilities": capabilities(content_types)})
}

fn capabilities(content_types: &[&str]) -> Vec<Value> {
    content_types.iter().map(|text| json!({"contentType": text})).collect()
}

fn configurations(json: &Value) -> Vec<MediaKeySystemConfiguration> {
    serde_json::from_value(json.clone()).unwrap()
}
