//! The kinds of session, and of license.

use std::fmt;
use std::str::FromStr;

use crate::Error;
use crate::json::Node;
use crate::quote::quote;

/// The kind of a session, and of the license for it; EME's `MediaKeySessionType`, which is complete.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum SessionType {
    /// Gone when the session closes. EME's default.
    #[default]
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

    /// Reads the member `type` of a message. Without one it is for a temporary session.
    pub(crate) fn read_or_default(message: &Node<'_>) -> Result<Self, Error> {
        let Some(member) = message.member("type")? else { return Ok(Self::Temporary) };
        Self::named(member.text()?).ok_or_else(|| Error::MemberValue {
            path: member.path().to_owned(),
            expected: "\"temporary\" or \"persistent-license\"",
            found: quote(member.text().unwrap_or_default()),
        })
    }

    fn named(text: &str) -> Option<Self> {
        [Self::Temporary, Self::PersistentLicense].into_iter().find(|known| known.as_str() == text)
    }
}

impl FromStr for SessionType {
    type Err = Error;

    /// Case matters.
    fn from_str(text: &str) -> Result<Self, Error> {
        Self::named(text).ok_or_else(|| Error::SessionTypeUnknown { found: quote(text) })
    }
}

impl fmt::Display for SessionType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
