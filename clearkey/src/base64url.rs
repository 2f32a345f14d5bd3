//! base64url without padding (RFC 7515, section 2), which all ClearKey messages use.
//!
//! EME allows `A`–`Z`, `a`–`z`, `0`–`9`, `-`, `_` and nothing else: padding, the `+` and `/` of
//! standard base64 and white space are refused. Bits of the last character that belong to no octet
//! are written as zero and read as anything, as Chromium and Firefox do: `AQI` and `AQJ` are the
//! same two octets.

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::Error;
use crate::quote::quote;

/// Writes octets as text.
///
/// ```
/// assert_eq!(clearkey::base64url::encode(&[1, 2]), "AQI");
/// ```
#[must_use]
pub fn encode(octets: &[u8]) -> String {
    ENGINE.encode(octets)
}

/// Reads text as octets. Empty text is no octets.
///
/// ```
/// use clearkey::base64url;
///
/// assert_eq!(base64url::decode("AQI")?, [1, 2]);
/// assert!(base64url::decode("AQI=").is_err());
/// # Ok::<(), clearkey::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::Base64Character`] for the first character outside the alphabet, and otherwise
/// [`Error::Base64Length`] for a length of 4n + 1. Both quote the text: for text that may hold a
/// key, tell the place only.
pub fn decode(text: &str) -> Result<Vec<u8>, Error> {
    if let Some((at, found)) = text.char_indices().find(|(_, found)| !is_base64url(*found)) {
        return Err(Error::Base64Character { at, found, text: quote(text) });
    }
    // Both checks stand before the decoding, so that no half of a key is decoded and dropped.
    let broken_off = || Error::Base64Length { len: text.len(), text: quote(text) };
    if text.len() % 4 == 1 {
        return Err(broken_off());
    }
    ENGINE.decode(text).map_err(|_| broken_off())
}

fn is_base64url(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_')
}

/// The crate's ready-made `URL_SAFE_NO_PAD` refuses trailing bits that are not zero.
const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_tells_place_and_character() {
        let refused = |at, found, text: &str| {
            Err(Error::Base64Character { at, found, text: text.to_owned() })
        };
        assert_eq!(decode("AQI="), refused(3, '=', "AQI="));
        assert_eq!(decode("+/"), refused(0, '+', "+/"));
        assert_eq!(decode("AQ\nI"), refused(2, '\n', r"AQ\nI"));
        assert_eq!(decode("AQé"), refused(2, 'é', "AQé"));
    }

    #[test]
    fn a_wrong_character_comes_before_a_wrong_length() {
        assert!(matches!(decode("A+AAA"), Err(Error::Base64Character { at: 1, .. })));
        assert_eq!(decode("AAAAA"), Err(Error::Base64Length { len: 5, text: "AAAAA".into() }));
    }

    #[test]
    fn trailing_bits_are_read_as_anything_and_written_as_zero() {
        for text in ["AQI", "AQJ", "AQK", "AQL"] {
            assert_eq!(encode(&decode(text).unwrap()), "AQI");
        }
    }
}
