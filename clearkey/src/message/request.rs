//! The license request, and the answer to it.

use crate::json::{Document, Node};
use crate::{Error, Jwk, KeyId, License, SessionType, kids, limits};

/// What a CDM asks of a license server: a `message` event of type `license-request`.
///
/// ```text
/// {
///   "kids": ["LwVHf8JLtPrv2GUXFW2v_A"],    // base64url of 1 to 512 octets each, in the order of
///                                          // the initialization data
///   "type": "temporary"                    // or "persistent-license"
/// }
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LicenseRequest {
    kids: Vec<KeyId>,
    session_type: SessionType,
}

impl LicenseRequest {
    /// Asks for these keys, each once.
    ///
    /// # Errors
    ///
    /// [`Error::NoKeyId`], or [`Error::TooManyKeyIds`] for more than [`limits::KIDS`].
    pub fn new(kids: Vec<KeyId>, session_type: SessionType) -> Result<Self, Error> {
        Ok(Self { kids: kids::requested(kids)?, session_type })
    }

    /// Reads a request of 1 to [`limits::REQUEST`] octets, as a server does. Without `type` it is for
    /// a temporary session; members of other names are ignored.
    ///
    /// # Errors
    ///
    /// [`Error::Length`], [`Error::Utf8`] and [`Error::Json`] for the message as a whole, one of the
    /// `Error::Member…` variants for a member of it, [`Error::TooManyKeyIds`].
    pub fn parse(message: &[u8]) -> Result<Self, Error> {
        limits::check("license request", message.len(), 1..=limits::REQUEST)?;
        Self::read(&Document::read(message)?.root())
    }

    pub(super) fn read(root: &Node<'_>) -> Result<Self, Error> {
        let kids = kids::read(root.required("kids")?.elements()?)?;
        Self::new(kids, SessionType::read_or_default(root)?)
    }

    /// The key ids, each once.
    #[must_use]
    pub fn kids(&self) -> &[KeyId] {
        &self.kids
    }

    /// The kind of session that asks.
    #[must_use]
    pub fn session_type(&self) -> SessionType {
        self.session_type
    }

    /// The message: no white space, ASCII only, `kids` before `type`.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        format!("{{{},\"type\":\"{}\"}}", kids::write(&self.kids), self.session_type).into_bytes()
    }

    /// The other side of the exchange: the license with those keys that `key` knows, in the order of
    /// the request.
    #[must_use]
    pub fn answer(&self, mut key: impl FnMut(&KeyId) -> Option<Jwk>) -> Answer {
        let (mut keys, mut missing) = (Vec::new(), Vec::new());
        for kid in &self.kids {
            match key(kid) {
                Some(jwk) => keys.push(jwk),
                None => missing.push(kid.clone()),
            }
        }
        Answer { license: License::new(keys, self.session_type).ok(), missing }
    }
}

/// What a server has for a request.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The license. There is none if no key is known: a license must hold one.
    pub license: Option<License>,
    /// The key ids that are not known, in the order of the request.
    pub missing: Vec<KeyId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kid(octet: u8) -> KeyId {
        KeyId::new([octet]).unwrap()
    }

    fn refusal(message: &str) -> String {
        LicenseRequest::parse(message.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn a_request_is_read_as_it_is_written() {
        let request =
            LicenseRequest::new(vec![kid(2), kid(1), kid(2)], SessionType::PersistentLicense);
        let request = request.unwrap();
        assert_eq!(request.to_json(), br#"{"kids":["Ag","AQ"],"type":"persistent-license"}"#);
        assert_eq!(request.session_type(), SessionType::PersistentLicense);
        assert_eq!(LicenseRequest::parse(&request.to_json()), Ok(request));
    }

    #[test]
    fn a_request_without_a_type_is_for_a_temporary_session() {
        let request = LicenseRequest::parse(br#" {"x":[1],"kids":["AQ"]} "#).unwrap();
        assert_eq!(request.session_type(), SessionType::Temporary);
        assert_eq!(request.kids(), [kid(1)]);
    }

    #[test]
    fn the_error_names_the_member() {
        for (message, expected) in [
            ("", "license request of 0 octets, 1 to 131072 allowed"),
            ("[]", "top level: a list, must be an object"),
            ("{}", "kids: missing"),
            (r#"{"kids":[]}"#, "kids: an empty list"),
            (r#"{"kids":["AQ",7]}"#, "kids[1]: a number, must be text"),
            (r#"{"kids":["AQ","A="]}"#, "kids[1]: no base64url from character 1 on"),
            (
                r#"{"kids":["AQ"],"type":"x"}"#,
                r#"type: "x", must be "temporary" or "persistent-license""#,
            ),
        ] {
            assert_eq!(refusal(message), expected);
        }
        assert_eq!(LicenseRequest::new(vec![], SessionType::Temporary), Err(Error::NoKeyId));
    }

    #[test]
    fn the_longest_request_is_within_the_limit() {
        let kids = (0..128).map(|n| KeyId::new([n; limits::KEY_ID]).unwrap()).collect();
        let request = LicenseRequest::new(kids, SessionType::PersistentLicense).unwrap();
        assert_eq!(LicenseRequest::parse(&request.to_json()), Ok(request));
        let blank = " ".repeat(limits::REQUEST - 15);
        let full = format!(r#"{{"kids":["AQ"]}}{blank}"#);
        assert_eq!(full.len(), limits::REQUEST);
        assert!(LicenseRequest::parse(full.as_bytes()).is_ok());
        assert!(refusal(&(full + " ")).starts_with("license request of 131073 octets"));
    }

    #[test]
    fn the_answer_keeps_the_order_and_tells_what_is_missing() {
        let kids = vec![kid(3), kid(1), kid(4), kid(2)];
        let request = LicenseRequest::new(kids, SessionType::PersistentLicense).unwrap();
        let known = |wanted: &KeyId| {
            (wanted.as_bytes()[0] % 2 == 1).then(|| Jwk::new(wanted.clone(), [9; 16]))
        };
        let Answer { license, missing } = request.answer(known);
        let license = license.unwrap();
        assert_eq!(license.license_type, SessionType::PersistentLicense);
        let kids: Vec<_> = license.keys.iter().map(|jwk| jwk.kid().clone()).collect();
        assert_eq!((kids, missing), (vec![kid(3), kid(1)], vec![kid(4), kid(2)]));

        let Answer { license, missing } = request.answer(|_| None);
        assert!(license.is_none());
        assert_eq!(missing.len(), 4);
    }
}
