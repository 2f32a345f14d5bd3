//! clearkey-update-non-ascii-input: a character in a key id that is no base64url. What WPT's helper makes
//! of U+DC00 is a raw NUL; other spellings of the same fare no better.

use crate::support::{exception, media_keys, started, temporary};

#[test]
fn a_key_id_that_is_no_ascii_is_a_type_error() {
    let session = started(temporary(&media_keys()));
    for character in ["\0", "\\u0000", "\\udc00", "\u{fffd}", "é", "\u{7f}"] {
        let license = format!(
            r#"{{"keys":[{{"kty":"oct","kid":"{character}AECAw","k":"BAUGBwgJCgsMDQ4PEBESEw"}}]}}"#
        );
        assert_eq!(exception(session.update(license.as_bytes())), "TypeError", "{character:?}");
    }
    let lone = b"{\"keys\":[{\"kty\":\"oct\",\"kid\":\"\xed\xb0\x80\",\"k\":\"\"}]}";
    assert_eq!(exception(session.update(lone)), "TypeError");
    assert!(session.key_statuses().is_empty());
}
