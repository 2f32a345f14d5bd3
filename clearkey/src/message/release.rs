//! The license release, and its acknowledgement.

use crate::json::{Document, Node};
use crate::{Error, KeyId, kids, limits};

/// What a CDM tells a license server after `remove`, as a `message` event of type `license-release`;
/// and what the server answers, which has the same form:
///
/// ```text
/// {
///   "kids": ["LwVHf8JLtPrv2GUXFW2v_A"]     // the keys that are destroyed
/// }
/// ```
///
/// An acknowledgement names the keys again, but nobody compares: EME asks for an object only. Its
/// list may even be empty.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LicenseRelease {
    kids: Vec<KeyId>,
}

impl LicenseRelease {
    /// Says that these keys are destroyed, each once. There is no limit: they may be those of many
    /// licenses.
    #[must_use]
    pub fn new(kids: Vec<KeyId>) -> Self {
        Self { kids: kids::once(kids) }
    }

    /// Reads a release or an acknowledgement of 1 to [`limits::LICENSE`] octets.
    ///
    /// # Errors
    ///
    /// [`Error::Length`], [`Error::Utf8`] and [`Error::Json`] for the message as a whole, one of the
    /// `Error::Member…` variants for a member of it.
    pub fn parse(message: &[u8]) -> Result<Self, Error> {
        limits::check("license release", message.len(), 1..=limits::LICENSE)?;
        let document = Document::read(message)?;
        Self::read(&document.root())
    }

    pub(super) fn read(root: &Node<'_>) -> Result<Self, Error> {
        Ok(Self::new(kids::read(root.required("kids")?.any_elements()?)?))
    }

    /// The key ids.
    #[must_use]
    pub fn kids(&self) -> &[KeyId] {
        &self.kids
    }

    /// The message: no white space, ASCII only.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        format!("{{{}}}", kids::write(&self.kids)).into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_read_as_it_is_written() {
        let kids = [3, 1, 3].map(|octet| KeyId::new([octet]).unwrap()).to_vec();
        let release = LicenseRelease::new(kids);
        assert_eq!(release.to_json(), br#"{"kids":["Aw","AQ"]}"#);
        assert_eq!(release.kids(), [3, 1].map(|octet| KeyId::new([octet]).unwrap()));
        assert_eq!(LicenseRelease::parse(&release.to_json()), Ok(release));
    }

    #[test]
    fn a_list_may_be_empty_but_must_be_a_list_of_key_ids() {
        assert!(LicenseRelease::parse(br#"{"kids":[]}"#).unwrap().kids().is_empty());
        for (message, expected) in [
            ("{}", "kids: missing"),
            (r#"{"kids":{}}"#, "kids: an object, must be a list"),
            (r#"{"kids":["A+"]}"#, "kids[0]: no base64url from character 1 on"),
            (r#"{"kids":[""]}"#, "kids[0]: 0 octets, a key id has 1 to 512"),
        ] {
            let error = LicenseRelease::parse(message.as_bytes()).unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
    }
}
