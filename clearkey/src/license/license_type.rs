//! The kinds of license.

use std::fmt;

use crate::Error;
use crate::json::Node;
use crate::quote::quote;

/// The kind of session that a license is for; EME's `MediaKeySessionType`, which is complete.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum LicenseType {
    /// Gone when the session closes.
    Temporary,
    /// May be stored and loaded again.
    PersistentLicense,
}

impl LicenseType {
    /// The name that messages have for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Temporary => "temporary",
            Self::PersistentLicense => "persistent-license",
        }
    }

    /// Reads the member `type`.
    pub(super) fn read(member: &Node<'_>) -> Result<Self, Error> {
        let text = member.text()?;
        [Self::Temporary, Self::PersistentLicense]
            .into_iter()
            .find(|known| known.as_str() == text)
            .ok_or_else(|| Error::MemberValue {
                path: member.path().to_owned(),
                expected: "\"temporary\" or \"persistent-license\"",
                found: quote(text),
            })
    }
}

impl fmt::Display for LicenseType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
