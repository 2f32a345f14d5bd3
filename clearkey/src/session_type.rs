//! The kinds of session, and of license.

use std::fmt;

use crate::Error;
use crate::json::Node;
use crate::quote::quote;

/// The kind of a session, and of the license for it; EME's `MediaKeySessionType`, which is complete.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum SessionType {
    /// Gone when the session closes.
    Temporary,
    /// May be stored and loaded again.
    PersistentLicense,
}

impl SessionType {
    /// The name that messages have for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Temporary => "temporary",
            Self::PersistentLicense => "persistent-license",
        }
    }

    /// Reads the member `type`.
    pub(crate) fn read(member: &Node<'_>) -> Result<Self, Error> {
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

impl fmt::Display for SessionType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
