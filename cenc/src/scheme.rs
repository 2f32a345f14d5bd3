//! The four protection schemes, by name.

use std::fmt;
use std::str::FromStr;

use crate::{Error, Pattern};

/// A protection scheme of ISO/IEC 23001-7, clause 10. There are no others.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Scheme {
    /// `cenc`: AES-CTR over every protected byte.
    Cenc,
    /// `cens`: AES-CTR over a pattern of blocks.
    Cens,
    /// `cbc1`: AES-CBC over every protected block.
    Cbc1,
    /// `cbcs`: AES-CBC over a pattern of blocks, chained anew in every protected range.
    Cbcs,
}

impl Scheme {
    /// The scheme that a `schm` box names, or `None` for any other four characters.
    #[must_use]
    pub fn from_fourcc(fourcc: [u8; 4]) -> Option<Self> {
        match &fourcc {
            b"cenc" => Some(Self::Cenc),
            b"cens" => Some(Self::Cens),
            b"cbc1" => Some(Self::Cbc1),
            b"cbcs" => Some(Self::Cbcs),
            _ => None,
        }
    }

    /// The four characters of `schm`.
    #[must_use]
    pub const fn fourcc(self) -> [u8; 4] {
        match self {
            Self::Cenc => *b"cenc",
            Self::Cens => *b"cens",
            Self::Cbc1 => *b"cbc1",
            Self::Cbcs => *b"cbcs",
        }
    }

    /// Whether a pattern other than 0:0 goes with it.
    #[must_use]
    pub const fn takes_pattern(self) -> bool {
        matches!(self, Self::Cens | Self::Cbcs)
    }

    /// Whether a last block of less than 16 bytes is protected too: by a keystream, unless a pattern
    /// counts in blocks. `cens` without a pattern is what packagers write for audio.
    pub(crate) fn protects_partial_blocks(self, pattern: Pattern) -> bool {
        matches!(self, Self::Cenc | Self::Cens) && pattern == Pattern::NONE
    }

    /// Whether every protected range starts again from the IV.
    pub(crate) const fn restarts_per_range(self) -> bool {
        matches!(self, Self::Cbcs)
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Cenc => "cenc",
            Self::Cens => "cens",
            Self::Cbc1 => "cbc1",
            Self::Cbcs => "cbcs",
        })
    }
}

impl FromStr for Scheme {
    type Err = Error;

    /// Reads the four characters, in lower case only.
    ///
    /// # Errors
    ///
    /// [`Error::UnsupportedScheme`] for anything else.
    fn from_str(name: &str) -> Result<Self, Error> {
        name.as_bytes()
            .try_into()
            .ok()
            .and_then(Self::from_fourcc)
            .ok_or_else(|| Error::UnsupportedScheme { fourcc: quoted(name) })
    }
}

/// Text from outside, fit for a message.
fn quoted(text: &str) -> String {
    text.escape_debug().take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scheme_is_its_name() {
        for scheme in [Scheme::Cenc, Scheme::Cens, Scheme::Cbc1, Scheme::Cbcs] {
            assert_eq!(Scheme::from_fourcc(scheme.fourcc()), Some(scheme));
            assert_eq!(scheme.to_string().as_bytes(), scheme.fourcc());
            assert_eq!(scheme.to_string().parse(), Ok(scheme));
        }
        assert_eq!(Scheme::from_fourcc(*b"piff"), None);
        assert_eq!(format!("{:>6}", Scheme::Cbcs), "  cbcs");
    }

    #[test]
    fn other_names_are_quoted_safely() {
        for (name, fourcc) in [
            ("", String::new()),
            ("CENC", "CENC".to_owned()),
            ("cenc ", "cenc ".to_owned()),
            ("\u{1b}[2J", "\\u{1b}[2J".to_owned()),
            (&"x".repeat(1000), "x".repeat(64)),
        ] {
            assert_eq!(name.parse::<Scheme>(), Err(Error::UnsupportedScheme { fourcc }));
        }
    }
}
