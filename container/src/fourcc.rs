//! Four-character codes.

use std::fmt;

/// A box type, sample entry format, handler or scheme: four bytes, usually letters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FourCc(pub [u8; 4]);

impl fmt::Display for FourCc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

impl fmt::Debug for FourCc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FourCc({self})")
    }
}

impl PartialEq<[u8; 4]> for FourCc {
    fn eq(&self, other: &[u8; 4]) -> bool {
        self.0 == *other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_letter_is_escaped() {
        assert_eq!(FourCc(*b"avc1").to_string(), "avc1");
        assert_eq!(FourCc(*b"\xa9nam").to_string(), r"\xa9nam");
        assert_eq!(FourCc(*b"\0\n\"`").to_string(), r#"\x00\n\"`"#);
        assert_eq!(format!("{:?}", FourCc(*b"\x1b[2J")), r"FourCc(\x1b[2J)");
        assert!(FourCc(*b"mp4a") == *b"mp4a" && FourCc(*b"mp4a") != *b"avc1");
    }
}
