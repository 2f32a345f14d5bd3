//! What a CDM sends to a license server.

use super::{LicenseRelease, LicenseRequest};
use crate::json::Document;
use crate::{Error, limits};

/// The message of EME's `message` event, of either type.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum CdmMessage {
    /// An object with a member `type`.
    Request(LicenseRequest),
    /// An object without `type`. The answer to it is the same again.
    Release(LicenseRelease),
}

impl CdmMessage {
    /// Reads a message of 1 to [`limits::REQUEST`] octets.
    ///
    /// # Errors
    ///
    /// As [`LicenseRequest::parse`].
    pub fn parse(message: &[u8]) -> Result<Self, Error> {
        limits::check("message", message.len(), 1..=limits::REQUEST)?;
        let document = Document::read(message)?;
        let root = document.root();
        match root.member("type")? {
            Some(_) => LicenseRequest::read(&root).map(Self::Request),
            None => LicenseRelease::read(&root).map(Self::Release),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_tells_what_it_is() {
        for (message, is_request) in [
            (r#"{"kids":["AQ"],"type":"temporary"}"#, true),
            (r#"{"type":"persistent-license","kids":["AQ"]}"#, true),
            (r#"{"kids":["AQ"]}"#, false),
            (r#"{"kids":[]}"#, false),
        ] {
            let message = CdmMessage::parse(message.as_bytes()).unwrap();
            assert_eq!(matches!(message, CdmMessage::Request(_)), is_request);
        }
    }

    #[test]
    fn what_is_neither_says_what_it_lacks() {
        for (message, expected) in [
            ("", "message of 0 octets, 1 to 131072 allowed"),
            ("[]", "top level: a list, must be an object"),
            ("{}", "kids: missing"),
            (r#"{"type":"temporary"}"#, "kids: missing"),
            (r#"{"type":7,"kids":["AQ"]}"#, "type: a number, must be text"),
            (r#"{"type":"temporary","kids":[]}"#, "kids: an empty list"),
        ] {
            assert_eq!(CdmMessage::parse(message.as_bytes()).unwrap_err().to_string(), expected);
        }
    }
}
