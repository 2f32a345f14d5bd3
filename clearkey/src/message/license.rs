//! A license: the JWK set with which a server answers (EME, "Clear Key", "License Format").

use std::collections::HashMap;

use zeroize::Zeroizing;

use super::Jwk;
use crate::json::{Document, Node};
use crate::{Error, SessionType, limits};

/// A license as it was read: at least one key, each key id once.
///
/// ```text
/// {
///   "keys": [{
///     "kty": "oct",                        // RFC 7517: a symmetric key
///     "kid": "LwVHf8JLtPrv2GUXFW2v_A",     // base64url of 1 to 512 octets
///     "k":   "tQ0bJVWb6b0KPL6KtZIy_A"      // base64url of 16 octets
///   }],
///   "type": "temporary"                    // or "persistent-license"; absent is "temporary"
/// }
/// ```
///
/// Members that are not named above are ignored, whatever their value. (A number beyond the range
/// of an `f64` is refused even there: the JSON reader cannot hold it.)
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct License {
    /// The keys, in the order of the license.
    pub keys: Vec<Jwk>,
    /// The kind of session that the license is for. Whether it fits the session is for the session
    /// to ask.
    pub license_type: SessionType,
}

impl License {
    /// Reads a license of 1 to [`limits::LICENSE`] octets.
    ///
    /// It is taken whole or not at all: one key that is wrong refuses all. A key id that comes
    /// twice has the later key, in the place of the earlier.
    ///
    /// # Errors
    ///
    /// [`Error::Length`], [`Error::Utf8`] and [`Error::Json`] for the message as a whole, one of
    /// the `Error::Member…` variants for a member of it.
    pub fn parse(message: &[u8]) -> Result<Self, Error> {
        limits::check("license", message.len(), 1..=limits::LICENSE)?;
        let document = Document::read(message)?;
        Self::read(&document.root())
    }

    pub(super) fn read(root: &Node<'_>) -> Result<Self, Error> {
        Self::new(Jwk::read_set(root)?, SessionType::read_or_default(root)?)
    }

    /// Makes a license of these keys. A key id that comes twice has the later key, in the place of the
    /// earlier.
    ///
    /// # Errors
    ///
    /// [`Error::NoKeyId`] if there is no key.
    pub fn new(keys: Vec<Jwk>, license_type: SessionType) -> Result<Self, Error> {
        if keys.is_empty() {
            return Err(Error::NoKeyId);
        }
        // In place: a list that is left behind keeps the keys that were moved out of it.
        let mut keys = keys;
        let (mut places, mut kept) = (HashMap::new(), 0);
        for at in 0..keys.len() {
            let place = *places.entry(keys[at].kid().clone()).or_insert(kept);
            keys.swap(place, at);
            kept += usize::from(place == kept);
        }
        keys.truncate(kept);
        Ok(Self { keys, license_type })
    }

    /// The message: no white space, ASCII only, `keys` before `type`. It holds keys, and is wiped when
    /// it goes.
    #[must_use]
    pub fn to_json(&self) -> Zeroizing<Vec<u8>> {
        // Room for all from the start: a buffer that grows leaves keys behind.
        let room = self.keys.iter().map(Jwk::json_len).sum::<usize>() + self.keys.len() + 64;
        let mut json = Zeroizing::new(Vec::with_capacity(room));
        json.extend_from_slice(b"{\"keys\":[");
        for (index, jwk) in self.keys.iter().enumerate() {
            if index > 0 {
                json.push(b',');
            }
            jwk.write(&mut json);
        }
        json.extend_from_slice(b"],\"type\":\"");
        json.extend_from_slice(self.license_type.as_str().as_bytes());
        json.extend_from_slice(b"\"}");
        debug_assert!(json.len() <= room);
        json
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::KeyId;

    const KEY: &str = r#"{"kty":"oct","kid":"AAECAw","k":"BAUGBwgJCgsMDQ4PEBESEw"}"#;

    fn refusal(message: &str) -> String {
        License::parse(message.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn the_error_names_the_member() {
        let cases = [
            ("", "license of 0 octets, 1 to 65536 allowed"),
            ("7", "top level: a number, must be an object"),
            ("{}", "keys: missing"),
            (r#"{"keys":{}}"#, "keys: an object, must be a list"),
            (r#"{"keys":[]}"#, "keys: an empty list"),
            (r#"{"keys":[[]]}"#, "keys[0]: a list, must be an object"),
            (r#"{"keys":[{}]}"#, "keys[0].kty: missing"),
            (r#"{"keys":[{"kty":"OCT"}]}"#, r#"keys[0].kty: "OCT", must be "oct""#),
            (
                r#"{"keys":[{"kty":"BAUGBwgJCgsMDQ4PEBESEw"}]}"#,
                r#"keys[0].kty: "…", must be "oct""#,
            ),
            // Sixteen octets may be a key as it is.
            (r#"{"keys":[{"kty":"0123456789abcdef"}]}"#, r#"keys[0].kty: "…", must be "oct""#),
            (
                r#"{"keys":[{"kty":"0123456789abcde"}]}"#,
                r#"keys[0].kty: "0123456789abcde", must be "oct""#,
            ),
            (r#"{"keys":[{"kty":"oct"}]}"#, "keys[0].kid: missing"),
            (
                r#"{"keys":[{"kty":"oct","kid":""}]}"#,
                "keys[0].kid: 0 octets, a key id has 1 to 512",
            ),
            (
                r#"{"keys":[{"kty":"oct","kid":"A="}]}"#,
                "keys[0].kid: no base64url from character 1 on",
            ),
            (r#"{"keys":[{"kty":"oct","kid":"AQI"}]}"#, "keys[0].k: missing"),
        ];
        for (message, expected) in cases {
            assert_eq!(refusal(message), expected);
        }
        assert_eq!(
            refusal(&format!(r#"{{"keys":[{KEY}],"type":"no\nne"}}"#)),
            r#"type: "no\nne", must be "temporary" or "persistent-license""#
        );
        assert_eq!(
            refusal(&format!(r#"{{"keys":[{KEY}],"type":null}}"#)),
            "type: null, must be text"
        );
    }

    /// Wrong keys of every kind, each holding a piece of text that would give it away.
    #[test]
    fn no_error_tells_a_key() {
        let wrong = [
            (r#""c2VjcmV0c2VjcmV0c2Vj""#, "keys[1].k: 15 octets, a key has 16"),
            (r#""c2VjcmV0c2VjcmV0c2VjcmV0""#, "keys[1].k: 18 octets, a key has 16"),
            (r#""c2VjcmV0c2VjcmV0c2VjcmV0=""#, "keys[1].k: no base64url from character 24 on"),
            (r#""c2VjcmV0c2VjcmV0c2VjcmV0A""#, "keys[1].k: no base64url from character 25 on"),
            (r#"["c2VjcmV0"]"#, "keys[1].k: a list, must be text"),
            (r#"{"c2VjcmV0":1}"#, "keys[1].k: an object, must be text"),
        ];
        for (k, expected) in wrong {
            let message = format!(r#"{{"keys":[{KEY},{{"kty":"oct","kid":"AQI","k":{k}}}]}}"#);
            let error = License::parse(message.as_bytes()).unwrap_err();
            assert_eq!(error.to_string(), expected);
            assert!(!format!("{error:?}").contains("c2Vj"));
        }
        let broken = format!(r#"{{"keys":[{KEY},{{"k":"c2VjcmV0c2VjcmV0c2VjcmV0"#);
        let error = License::parse(broken.as_bytes()).unwrap_err();
        assert!(!format!("{error:?} {error}").contains("c2Vj"));
    }

    #[test]
    fn a_repeated_key_id_has_the_last_key_in_the_first_place() {
        let license = License::parse(
            br#"{"keys":[
                {"kty":"oct","kid":"AQ","k":"AAAAAAAAAAAAAAAAAAAAAA"},
                {"kty":"oct","kid":"Ag","k":"AQEBAQEBAQEBAQEBAQEBAQ"},
                {"kty":"oct","kid":"AR","k":"AgICAgICAgICAgICAgICAg"}
            ]}"#,
        )
        .unwrap();
        let keys: Vec<_> =
            license.keys.iter().map(|key| (key.kid().as_bytes(), *key.key())).collect();
        assert_eq!(keys, [(&[1][..], [2; 16]), (&[2][..], [1; 16])]);
    }

    #[test]
    fn of_a_repeated_member_the_last_one_counts() {
        let license = License::parse(
            br#"{"type":3,"keys":7,"keys":[{
                "kty":1,"kty":"oct","kid":"AQ","kid":"Ag","k":[],"k":"AQEBAQEBAQEBAQEBAQEBAQ"
            }],"type":"persistent-license"}"#,
        )
        .unwrap();
        assert_eq!(license.keys[0].kid().as_bytes(), [2]);
        assert_eq!(license.license_type, SessionType::PersistentLicense);
        assert_eq!(refusal(&format!(r#"{{"keys":[{KEY}],"keys":[]}}"#)), "keys: an empty list");
    }

    #[test]
    fn a_number_that_no_f64_holds_is_refused_and_not_a_panic() {
        let message = format!(r#"{{"keys":[{KEY}],"note":1e999}}"#);
        assert!(refusal(&message).starts_with("no JSON: number out of range"));
    }

    #[test]
    fn a_full_license_is_read() {
        let keys: Vec<_> = (0_u32..)
            .map(|n| crate::base64url::encode(&n.to_be_bytes()))
            .map(|kid| format!(r#"{{"kty":"oct","k":"AAAAAAAAAAAAAAAAAAAAAA","kid":"{kid}"}}"#))
            .take(1_000)
            .collect();
        let license = License::parse(format!(r#"{{"keys":[{}]}}"#, keys.join(",")).as_bytes());
        assert_eq!(license.unwrap().keys.len(), 1_000);
    }

    #[test]
    fn a_license_is_written_as_eme_shows_it() {
        let key = |octet: u8| Jwk::new(KeyId::new([octet]).unwrap(), [octet; 16]);
        let license = License::new(vec![key(1), key(2)], SessionType::PersistentLicense).unwrap();
        let json = license.to_json();
        assert_eq!(
            str::from_utf8(&json).unwrap(),
            concat!(
                r#"{"keys":[{"kty":"oct","k":"AQEBAQEBAQEBAQEBAQEBAQ","kid":"AQ"},"#,
                r#"{"kty":"oct","k":"AgICAgICAgICAgICAgICAg","kid":"Ag"}],"type":"persistent-license"}"#
            )
        );
        let read = License::parse(&json).unwrap();
        assert_eq!(read.to_json(), json);
        assert_eq!(License::new(vec![], SessionType::Temporary).unwrap_err(), Error::NoKeyId);
    }

    /// A buffer that has grown has left copies.
    #[test]
    fn a_license_of_any_size_is_written_without_growing() {
        for (count, len) in [(1, 1), (1, 512), (40, 3), (1_000, 4)] {
            let kid = |n: usize| {
                KeyId::new(&[&n.to_be_bytes()[..], &[7; 512]].concat()[8 - 4.min(len)..][..len])
            };
            let keys = (0..count).map(|n| Jwk::new(kid(n).unwrap(), [9; 16])).collect();
            let json = License::new(keys, SessionType::Temporary).unwrap().to_json();
            let grown = json.capacity() - json.len();
            assert!(grown <= 64, "{grown} octets too many for {count} keys");
        }
    }

    #[test]
    fn debug_shows_no_key() {
        let license = License::parse(format!(r#"{{"keys":[{KEY}]}}"#).as_bytes()).unwrap();
        assert_eq!(
            format!("{license:?}"),
            "License { keys: [Jwk { kid: KeyId(00010203), .. }], license_type: Temporary }"
        );
    }
}
