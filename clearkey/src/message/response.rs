//! What a session is updated with.

use super::{License, LicenseRelease};
use crate::json::Document;
use crate::{Error, limits};

/// The argument of EME's `update()`: a license, or the acknowledgement of a release.
#[derive(Clone, Debug)]
pub enum Response {
    /// An object with a member `keys`.
    License(License),
    /// An object without `keys`, but with `kids`.
    Acknowledgement(LicenseRelease),
}

impl Response {
    /// Reads a response of 1 to [`limits::LICENSE`] octets.
    ///
    /// # Errors
    ///
    /// As [`License::parse`], and for an acknowledgement as [`LicenseRelease::parse`]. An object with
    /// neither member is taken for a license without `keys`.
    pub fn parse(message: &[u8]) -> Result<Self, Error> {
        limits::check("response", message.len(), 1..=limits::LICENSE)?;
        let document = Document::read(message)?;
        let root = document.root();
        if root.member("keys")?.is_none() && root.member("kids")?.is_some() {
            return LicenseRelease::read(&root).map(Self::Acknowledgement);
        }
        License::read(&root).map(Self::License)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: &str = r#""keys":[{"kty":"oct","kid":"AQ","k":"AAAAAAAAAAAAAAAAAAAAAA"}]"#;

    #[test]
    fn the_members_tell_what_it_is() {
        let is_license = |message: &str| {
            matches!(Response::parse(message.as_bytes()).unwrap(), Response::License(_))
        };
        assert!(is_license(&format!("{{{KEYS}}}")));
        assert!(is_license(&format!(r#"{{"kids":["AQ"],{KEYS}}}"#)));
        assert!(!is_license(r#"{"kids":["AQ"]}"#));
        assert!(!is_license(r#"{"type":7,"kids":["AQ"]}"#));
    }

    #[test]
    fn what_is_neither_lacks_keys() {
        for (message, expected) in [
            ("", "response of 0 octets, 1 to 65536 allowed"),
            ("{}", "keys: missing"),
            (r#"{"keys":[],"kids":["AQ"]}"#, "keys: an empty list"),
            (r#"{"kids":7}"#, "kids: a number, must be a list"),
            ("[]", "top level: a list, must be an object"),
        ] {
            let error = Response::parse(message.as_bytes()).unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
    }
}
