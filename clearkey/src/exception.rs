//! What a web page is told: the names of the DOM.

use std::fmt;

/// The exception with which an EME call ends. A set of its own: an error of this project maps to
/// one of these with `exception()`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Exception {
    /// No call of this project ends so. Firefox's own ClearKey refuses to `remove` a temporary
    /// session with it, and who compares needs the name.
    InvalidAccess,
    /// The call does not fit the state that the object is in.
    InvalidState,
    /// What was asked for is not supported.
    NotSupported,
    /// Something has run out: session ids, sessions, storage.
    QuotaExceeded,
    /// The embedder does not allow it here.
    Security,
    /// An argument is empty or malformed.
    Type,
}

impl Exception {
    /// The name, as a page sees it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::InvalidAccess => "InvalidAccessError",
            Self::InvalidState => "InvalidStateError",
            Self::NotSupported => "NotSupportedError",
            Self::QuotaExceeded => "QuotaExceededError",
            Self::Security => "SecurityError",
            Self::Type => "TypeError",
        }
    }
}

impl fmt::Display for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exception_is_shown_by_its_name() {
        for (exception, name) in [
            (Exception::InvalidAccess, "InvalidAccessError"),
            (Exception::InvalidState, "InvalidStateError"),
            (Exception::NotSupported, "NotSupportedError"),
            (Exception::QuotaExceeded, "QuotaExceededError"),
            (Exception::Security, "SecurityError"),
            (Exception::Type, "TypeError"),
        ] {
            assert_eq!(exception.name(), name);
            assert_eq!(exception.to_string(), name);
        }
    }
}
