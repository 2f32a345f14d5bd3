//! The names of the formats.

use std::fmt;
use std::str::FromStr;

use crate::Error;
use crate::quote::quote;

/// A format of initialization data that ClearKey reads.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum InitDataType {
    /// `pssh` boxes of MP4.
    Cenc,
    /// A JSON list of key ids.
    Keyids,
    /// The `ContentEncKeyID` of a WebM track.
    Webm,
}

impl InitDataType {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Cenc, Self::Keyids, Self::Webm];

    /// The name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cenc => "cenc",
            Self::Keyids => "keyids",
            Self::Webm => "webm",
        }
    }
}

impl FromStr for InitDataType {
    type Err = Error;

    /// Case matters.
    fn from_str(text: &str) -> Result<Self, Error> {
        match Self::ALL.into_iter().find(|known| known.as_str() == text) {
            Some(known) => Ok(known),
            None if text.is_empty() => Err(Error::InitDataTypeEmpty),
            None => Err(Error::InitDataTypeUnknown { found: quote(text) }),
        }
    }
}

impl fmt::Display for InitDataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_no_type_is_refused() {
        assert_eq!("".parse::<InitDataType>(), Err(Error::InitDataTypeEmpty));
        let found = quote("CENC");
        assert_eq!("CENC".parse::<InitDataType>(), Err(Error::InitDataTypeUnknown { found }));
    }
}
