//! Quoting what a stranger wrote, so that a log line stays one line and stays short.

/// Text of a stranger, as messages of this project quote it. Escapes control characters, quotes and invisible characters, and cuts at 64 characters.
/// An ellipsis tells that something was cut.
#[must_use]
pub fn quote(text: &str) -> String {
    let mut escaped = text.chars().flat_map(char::escape_debug);
    let mut quoted: String = escaped.by_ref().take(MOST).collect();
    if escaped.next().is_some() {
        quoted.push('…');
    }
    quoted
}

/// Long enough for a 16-octet key id in any spelling.
const MOST: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_text_stands_as_it_is() {
        assert_eq!(quote("AQI="), "AQI=");
        assert_eq!(quote(&"a".repeat(64)), "a".repeat(64));
    }

    #[test]
    fn long_text_is_cut_at_64_characters() {
        assert_eq!(quote(&"a".repeat(65)), format!("{}…", "a".repeat(64)));
        assert_eq!(quote(&"\n".repeat(70_000)).chars().count(), 65);
    }

    #[test]
    fn what_would_break_a_log_line_is_escaped() {
        assert_eq!(quote("a\n\0\"\u{202e}"), r#"a\n\0\"\u{202e}"#);
    }
}
