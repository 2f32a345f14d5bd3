//! What can be wrong with a message, a box or a text, told with the place and the numbers.

use std::ops::RangeInclusive;

use thiserror::Error as ThisError;

use crate::Exception;

/// Why something was refused.
///
/// Offsets count octets from the start of what was handed in; `path` leads to a member of a JSON
/// message, as in `keys[2].k`. Quoted text is escaped and cut at 64 characters. No variant ever
/// holds a key, whole or in part.
///
/// Everything here means malformed or too long, except [`Error::NoUsableBox`] and
/// [`Error::InitDataTypeUnknown`]: those are sound data of which ClearKey can use nothing.
#[derive(Clone, Debug, Eq, PartialEq, ThisError)]
#[non_exhaustive]
pub enum Error {
    /// A character that base64url does not have: padding, `+`, `/`, white space or any other.
    #[error("character {found:?} at {at} is not base64url: \"{text}\"")]
    Base64Character {
        /// Where in the text it stands.
        at: usize,
        /// The character.
        found: char,
        /// The whole text, quoted.
        text: String,
    },

    /// The last character is alone in its group of four, so it holds less than an octet.
    #[error("{len} characters are no whole number of octets in base64url: \"{text}\"")]
    Base64Length {
        /// Characters in the text.
        len: usize,
        /// The whole text, quoted.
        text: String,
    },

    /// A box says a size that it cannot have.
    #[error("box at {at} says it has {size} octets, which is not within {least} and {most}")]
    BoxSize {
        /// Where the box starts.
        at: usize,
        /// What it says, header included.
        size: u64,
        /// The length of its header.
        least: usize,
        /// What is left of the data from its start.
        most: usize,
    },

    /// A box ends after its last field, or the data after the box.
    #[error("{extra} octets at {at} belong to no field")]
    BoxTrailing {
        /// Where the first of them stands.
        at: usize,
        /// How many there are.
        extra: usize,
    },

    /// A box ends, or the data end, within a field.
    #[error("{field} at {at} needs {needed} octets, {left} are left")]
    BoxTruncated {
        /// Where the field starts.
        at: usize,
        /// Its name in ISO/IEC 23001-7 or 14496-12.
        field: &'static str,
        /// What it needs.
        needed: u64,
        /// What is there.
        left: usize,
    },

    /// A box of another type stands where only `pssh` may.
    #[error("box at {at} is \"{}\", only \"pssh\" may stand here", found.escape_ascii())]
    BoxType {
        /// Where the box starts.
        at: usize,
        /// Its type.
        found: [u8; 4],
    },

    /// The name of the format of initialization data is empty.
    #[error("no type of initialization data")]
    InitDataTypeEmpty,

    /// A format of initialization data that ClearKey does not read.
    #[error("\"{found}\" is no type of initialization data that ClearKey reads")]
    InitDataTypeUnknown {
        /// Its name, quoted.
        found: String,
    },

    /// The message is not one JSON value.
    #[error("no JSON: {reason}")]
    Json {
        /// The reason, with line and column.
        reason: String,
    },

    /// A key id in a spelling that is not known.
    #[error(
        "\"{text}\" is no key id: 32 hex digits, a UUID with dashes, or base64url without padding \
         of 1 to {} octets",
        crate::limits::KEY_ID
    )]
    KeyIdText {
        /// The text, quoted.
        text: String,
    },

    /// A name with a key lacks what stands between the two.
    #[error("no `:` in it; a key is written KID:KEY")]
    KeyPairText,

    /// A key in a spelling that is not known. It is not quoted.
    #[error("behind `:` is no key: 32 hex digits, or 22 characters of base64url")]
    KeyText,

    /// Something is empty, too short or too long.
    #[error("{what} of {len} octets, {} allowed", span(allowed))]
    Length {
        /// What it is.
        what: &'static str,
        /// How long it is.
        len: usize,
        /// How long it may be.
        allowed: RangeInclusive<usize>,
    },

    /// A member is not base64url without padding.
    #[error("{path}: no base64url from character {at} on")]
    MemberBase64 {
        /// The member.
        path: String,
        /// Where the first wrong character stands, or where the text breaks off.
        at: usize,
    },

    /// A list that must hold something is empty.
    #[error("{path}: an empty list")]
    MemberEmpty {
        /// The member.
        path: String,
    },

    /// A member decodes to too few or too many octets.
    #[error("{path}: {len} octets, a {what} has {}", span(allowed))]
    MemberLength {
        /// The member.
        path: String,
        /// What it should be.
        what: &'static str,
        /// How many octets it is.
        len: usize,
        /// How many it may be.
        allowed: RangeInclusive<usize>,
    },

    /// A member is not there.
    #[error("{path}: missing")]
    MemberMissing {
        /// The member.
        path: String,
    },

    /// A member is of the wrong JSON type.
    #[error("{path}: {found}, must be {expected}")]
    MemberType {
        /// The member, or `top level`.
        path: String,
        /// The type it must have.
        expected: &'static str,
        /// The type it has.
        found: &'static str,
    },

    /// A member is text, but none that is allowed there.
    #[error("{path}: \"{found}\", must be {expected}")]
    MemberValue {
        /// The member.
        path: String,
        /// What may stand there.
        expected: &'static str,
        /// What stands there, quoted.
        found: String,
    },

    /// A list of key ids or keys that must hold one is empty.
    #[error("no key id")]
    NoKeyId,

    /// No `pssh` box is of the common system, version 1, with key ids.
    #[error("no pssh box of the common system (version 1) with key ids")]
    NoUsableBox,

    /// A kind of session that there is not.
    #[error("\"{found}\" is no type of session")]
    SessionTypeUnknown {
        /// Its name, quoted.
        found: String,
    },

    /// More key ids than allowed.
    #[error("{count} key ids, at most {limit} allowed")]
    TooManyKeyIds {
        /// How many there are.
        count: usize,
        /// How many there may be.
        limit: usize,
    },

    /// The message is not UTF-8.
    #[error("no UTF-8 from octet {at} on")]
    Utf8 {
        /// Where it stops being UTF-8.
        at: usize,
    },

    /// More than one key id for `webm`, whose data are one.
    #[error("{count} key ids, but data of type webm are one")]
    WebmKeyIds {
        /// How many there are.
        count: usize,
    },
}

impl Error {
    /// The exception with which an EME call ends for this reason.
    #[must_use]
    pub fn exception(&self) -> Exception {
        match self {
            Self::InitDataTypeUnknown { .. } | Self::NoUsableBox => Exception::NotSupported,
            Self::Base64Character { .. }
            | Self::Base64Length { .. }
            | Self::BoxSize { .. }
            | Self::BoxTrailing { .. }
            | Self::BoxTruncated { .. }
            | Self::BoxType { .. }
            | Self::InitDataTypeEmpty
            | Self::Json { .. }
            | Self::KeyIdText { .. }
            | Self::KeyPairText
            | Self::KeyText
            | Self::Length { .. }
            | Self::MemberBase64 { .. }
            | Self::MemberEmpty { .. }
            | Self::MemberLength { .. }
            | Self::MemberMissing { .. }
            | Self::MemberType { .. }
            | Self::MemberValue { .. }
            | Self::NoKeyId
            | Self::SessionTypeUnknown { .. }
            | Self::TooManyKeyIds { .. }
            | Self::Utf8 { .. }
            | Self::WebmKeyIds { .. } => Exception::Type,
        }
    }
}

/// `16`, or `1 to 512`.
fn span(allowed: &RangeInclusive<usize>) -> String {
    match (allowed.start(), allowed.end()) {
        (least, most) if least == most => least.to_string(),
        (least, most) => format!("{least} to {most}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_carry_the_facts() {
        let said = [
            (
                Error::Base64Character { at: 3, found: '=', text: "AQI=".into() },
                r#"character '=' at 3 is not base64url: "AQI=""#,
            ),
            (
                Error::BoxSize { at: 52, size: 7, least: 8, most: 68 },
                "box at 52 says it has 7 octets, which is not within 8 and 68",
            ),
            (
                Error::BoxType { at: 0, found: *b"a\0\xffb" },
                r#"box at 0 is "a\x00\xffb", only "pssh" may stand here"#,
            ),
            (
                Error::KeyIdText { text: "?".into() },
                "\"?\" is no key id: 32 hex digits, a UUID with dashes, or base64url without \
                 padding of 1 to 512 octets",
            ),
            (
                Error::Length { what: "license", len: 0, allowed: 1..=65_536 },
                "license of 0 octets, 1 to 65536 allowed",
            ),
            (
                Error::MemberLength {
                    path: "keys[2].k".into(),
                    what: "key",
                    len: 15,
                    allowed: 16..=16,
                },
                "keys[2].k: 15 octets, a key has 16",
            ),
        ];
        for (error, message) in said {
            assert_eq!(error.to_string(), message);
        }
    }
}
