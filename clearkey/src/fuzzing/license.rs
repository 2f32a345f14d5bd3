//! JSON messages: licenses, requests and releases.

use std::fmt::Debug;

use crate::{
    CdmMessage, Error, Jwk, License, LicenseRelease, LicenseRequest, Response, SessionType,
};

/// Reads bytes as every JSON message there is. Whether they are one.
#[must_use]
pub fn license(bytes: &[u8]) -> bool {
    let masked = masked(bytes);
    assert_eq!(masked.len(), bytes.len());
    silent(bytes, &masked, License::parse);
    silent(bytes, &masked, Response::parse);
    silent(bytes, &masked, Jwk::parse_set);
    silent(bytes, &masked, LicenseRequest::parse);
    silent(bytes, &masked, LicenseRelease::parse);
    silent(bytes, &masked, CdmMessage::parse);

    let license = License::parse(bytes);
    if let Ok(license) = &license {
        a_license_comes_back(license, bytes);
    }
    let request = LicenseRequest::parse(bytes);
    if let Ok(request) = &request {
        assert_eq!(LicenseRequest::parse(&request.to_json()).as_ref(), Ok(request));
        an_answer_has_each_key_once(request);
    }
    let release = LicenseRelease::parse(bytes);
    if let Ok(release) = &release {
        assert_eq!(LicenseRelease::parse(&release.to_json()).as_ref(), Ok(release));
    }

    // What reads either of two reads what the reader of the one does.
    match Response::parse(bytes) {
        Ok(Response::License(read)) => same(&read, license.as_ref()),
        Ok(Response::Acknowledgement(read)) => assert_eq!(Ok(&read), release.as_ref()),
        Err(_) => assert!(license.is_err()),
    }
    match CdmMessage::parse(bytes) {
        Ok(CdmMessage::Request(read)) => assert_eq!(Ok(&read), request.as_ref()),
        Ok(CdmMessage::Release(read)) => assert_eq!(Ok(&read), release.as_ref()),
        Err(_) => {}
    }
    license.is_ok() || request.is_ok() || release.is_ok()
}

/// Other keys, the same words: neither what is read nor why nothing is read tells a key.
fn silent<T: Debug>(bytes: &[u8], masked: &[u8], parse: impl Fn(&[u8]) -> Result<T, Error>) {
    let said = |bytes| match parse(bytes) {
        Ok(read) => format!("{read:?}"),
        Err(error) => format!("{error:?} {error} {:?}", error.exception()),
    };
    assert_eq!(said(bytes), said(masked));
}

/// The same message with every `"k"` of another key, as long as it was.
fn masked(bytes: &[u8]) -> Vec<u8> {
    let mut masked = bytes.to_vec();
    for at in 0..bytes.len() {
        let Some(start) = text_of_k(&bytes[at..]).map(|start| at + start) else { continue };
        let len = bytes[start..].iter().take_while(|byte| !b"\"\\".contains(byte)).count();
        // An escape is more than a character.
        if bytes.get(start + len) != Some(&b'\\') {
            let text = masked[start..start + len].iter_mut();
            text.filter(|byte| is_base64url(**byte)).for_each(|byte| *byte = b'A');
        }
    }
    masked
}

/// Where the text begins, if this is the start of a member `k`.
fn text_of_k(bytes: &[u8]) -> Option<usize> {
    let mut rest = bytes.strip_prefix(b"\"k\"")?.trim_ascii_start().strip_prefix(b":")?;
    rest = rest.trim_ascii_start().strip_prefix(b"\"")?;
    Some(bytes.len() - rest.len())
}

fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_".contains(&byte)
}

fn a_license_comes_back(license: &License, bytes: &[u8]) {
    let json = license.to_json();
    assert!(json.is_ascii());
    // It may be read from less than is written: a member `type` can be missing, a key id once more.
    if json.len() <= crate::limits::LICENSE {
        same(license, License::parse(&json).as_ref());
    }
    // The set has the same keys, some of them perhaps under an id that has a later one.
    let set = Jwk::parse_set(bytes).expect("a license is a set");
    assert!(set.len() >= license.keys.len());
    for jwk in &license.keys {
        let last = set.iter().rfind(|other| other.kid() == jwk.kid());
        assert_eq!(last.map(Jwk::key), Some(jwk.key()));
    }
}

fn same(license: &License, other: Result<&License, &Error>) {
    let pairs = |license: &License| -> Vec<_> {
        license.keys.iter().map(|jwk| (jwk.kid().clone(), *jwk.key())).collect()
    };
    let other = other.expect("it was read");
    assert!(pairs(license) == pairs(other) && license.license_type == other.license_type);
}

fn an_answer_has_each_key_once(request: &LicenseRequest) {
    let known = |kid: &crate::KeyId| kid.as_bytes()[0].is_multiple_of(2);
    let answer = request.answer(|kid| known(kid).then(|| Jwk::new(kid.clone(), [7; 16])));
    let (asked, missing): (Vec<_>, Vec<_>) = request.kids().iter().partition(|kid| known(kid));
    let answered: Vec<_> =
        answer.license.iter().flat_map(|license| &license.keys).map(Jwk::kid).collect();
    assert_eq!((answered, answer.missing.iter().collect()), (asked, missing));
    let of = |license: &License| license.license_type;
    let expected: SessionType = request.session_type();
    assert!(answer.license.iter().all(|license| of(license) == expected));
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    /// The messages of a file of known answers, and whether they are read.
    fn seeds(vectors: &str, name: &str) -> Vec<(Vec<u8>, bool)> {
        let vectors: Vec<Value> = serde_json::from_str(vectors).unwrap();
        let text = |vector: &Value| Some(vector.get(name)?.as_str()?.as_bytes().to_vec());
        let is_read = |vector: &Value| vector.pointer("/expected/ok") != Some(&Value::Bool(false));
        let seeds = vectors.iter().filter_map(|vector| Some((text(vector)?, is_read(vector))));
        seeds.collect()
    }

    #[test]
    fn seeds_get_through() {
        let mut read = 0;
        for (vectors, name) in [
            (include_str!("../../../fixtures/vectors/license_parse.json"), "input"),
            (include_str!("../../../fixtures/vectors/license_request.json"), "expected_utf8"),
            (include_str!("../../../fixtures/vectors/license_release.json"), "expected_utf8"),
            (include_str!("../../../fixtures/vectors/license_release.json"), "input"),
        ] {
            let seeds = seeds(vectors, name);
            assert!(!seeds.is_empty());
            for (seed, is_read) in seeds {
                // A license that is refused may be a release.
                assert!(license(&seed) || !is_read, "{}", seed.escape_ascii());
                read += usize::from(is_read);
            }
        }
        assert!(read > 20, "{read}");
    }

    #[test]
    fn garbage_does_not() {
        for garbage in [&b""[..], b"\xff", b"{", b"{\"k\":\"", b"[]", &[b'['; 1000]] {
            assert!(!license(garbage));
        }
    }

    #[test]
    fn keys_are_masked() {
        assert_eq!(masked(br#"{"k" : "a-_Z9","kid":"k"}"#), br#"{"k" : "AAAAA","kid":"k"}"#);
        assert_eq!(masked(br#""k":"a\u0041""#), br#""k":"a\u0041""#);
        assert_eq!(masked(br#""k":"+ab"#), br#""k":"+AA"#);
    }
}
