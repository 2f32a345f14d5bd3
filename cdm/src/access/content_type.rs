//! MIME types with codecs (RFC 9110, section 8.3.1; RFC 6381).
//!
//! By hand, since blanks around and within the codecs must pass, a parameter that is not known must
//! not, and the text itself goes back to the application as it is: what the crate `mime` makes of a
//! type keeps none of this.

use super::codecs;

/// A parsed content type. Names of types and parameters are in small letters here, codecs as they
/// were.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ContentType {
    container: String,
    codecs: Option<Vec<String>>,
}

/// Which list of a configuration a capability stands in.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum MediaKind {
    /// `audioCapabilities`
    Audio,
    /// `videoCapabilities`
    Video,
}

impl ContentType {
    /// Reads `type/subtype` with parameters `codecs` and `profiles`, of which the latter says nothing
    /// here. `None` for anything else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut rest = text.trim_matches(BLANKS);
        let (media, after) = token(rest)?;
        let (subtype, after) = token(after.strip_prefix('/')?)?;
        let container = format!("{media}/{subtype}").to_ascii_lowercase();
        rest = after;
        let mut codecs = None;
        let mut has_profiles = false;
        loop {
            rest = rest.trim_start_matches(BLANKS);
            if rest.is_empty() {
                break;
            }
            let (name, after) = token(rest.strip_prefix(';')?.trim_start_matches(BLANKS))?;
            let (value, after) = value(after.strip_prefix('=')?)?;
            rest = after;
            match &*name.to_ascii_lowercase() {
                "codecs" if codecs.is_none() => {
                    let elements = value.split(',').map(|codec| codec.trim_matches(BLANKS));
                    codecs = Some(elements.map(str::to_owned).collect());
                }
                "profiles" if !has_profiles => has_profiles = true,
                _ => return None,
            }
        }
        Some(Self { container, codecs })
    }

    /// The type without parameters, such as `video/mp4`.
    #[must_use]
    pub fn container(&self) -> &str {
        &self.container
    }

    /// The codecs, if there is such a parameter.
    #[must_use]
    pub fn codecs(&self) -> Option<&[String]> {
        self.codecs.as_deref()
    }

    /// Whether what this project decrypts can be of this type: MP4 and WebM, each with the codecs
    /// that Common Encryption is used with in them. The codecs must be named, and be strictly of the
    /// kind; no container implies one.
    ///
    /// | type | codecs |
    /// |---|---|
    /// | `video/mp4` | `avc1.…`, `avc3.…`, `hvc1.…`, `hev1.…`, `vp09.…`, `av01.…` |
    /// | `audio/mp4` | `mp4a.40.…`, `flac`, `fLaC`, `opus`, `Opus`, `ac-3`, `ec-3` |
    /// | `video/webm` | `vp8`, `vp9`, `vp09.…`, `av01.…` |
    /// | `audio/webm` | `opus`, `vorbis` |
    #[must_use]
    pub fn is_supported(&self, kind: MediaKind) -> bool {
        let Some(known) = codecs::of(&self.container, kind) else { return false };
        let Some(codecs) = &self.codecs else { return false };
        codecs.iter().all(|codec| known(codec))
    }
}

/// Blanks of HTTP.
const BLANKS: [char; 2] = [' ', '\t'];

/// The token at the start, and what follows.
fn token(text: &str) -> Option<(&str, &str)> {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let end = text.find(|c| !is_token(c)).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// A token or a quoted string. A backslash in it, which no codec has, is not understood.
fn value(text: &str) -> Option<(&str, &str)> {
    match text.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"').filter(|(value, _)| !value.contains('\\')),
        None => token(text),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn codecs(text: &str) -> Option<Vec<String>> {
        ContentType::parse(text)?.codecs
    }

    #[test]
    fn blanks_and_capitals_of_names_say_nothing() {
        for text in [
            "video/mp4;codecs=\"a.b,c\"",
            " video/mp4 ; codecs=\"a.b,c\" ",
            "\tVideo/MP4;\tCodecs=\" a.b , c \"\t",
            "video/mp4; profiles=\"iso6, dash\"; codecs=\"a.b,c\"",
        ] {
            let parsed = ContentType::parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(parsed.container(), "video/mp4", "{text}");
            assert_eq!(parsed.codecs().unwrap(), ["a.b", "c"], "{text}");
        }
        assert_eq!(codecs("video/mp4;codecs=A.b"), Some(vec!["A.b".to_owned()]));
        assert_eq!(codecs("video/mp4"), None);
        assert_eq!(codecs("video/mp4;codecs=\",a,,b,\"").unwrap(), ["", "a", "", "b", ""]);
        assert_eq!(codecs("video/mp4;codecs=\"\"").unwrap(), [""]);
    }

    #[test]
    fn everything_else_is_no_content_type() {
        for text in [
            "",
            " ",
            "video",
            "video/",
            "/mp4",
            "video mp4",
            "vid eo/mp4",
            "video/mp4,",
            "video/mp4;",
            "video/mp4;codecs",
            "video/mp4;codecs=",
            "video/mp4; =a",
            "video/mp4; codecs =a",
            "video/mp4; codecs= a",
            "video/mp4;codecs=a;codecs=a",
            "video/mp4;codecs=a;codecs=b",
            "video/mp4;profiles=a;profiles=a",
            "video/mp4;codecs=a;foo=b",
            "video/mp4 codecs=a",
            "video/mp4;codecs=\"a",
            "video/mp4;codecs=\"a\"b",
            "video/mp4;codecs=\"a\\\\b\"",
            "video/mp4\n",
            "vidéo/mp4",
        ] {
            assert_eq!(ContentType::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn codecs_must_be_named() {
        let is_supported = |text: &str| {
            ContentType::parse(text).is_some_and(|parsed| parsed.is_supported(MediaKind::Audio))
        };
        assert!(is_supported("audio/webm;codecs=opus"));
        assert!(is_supported("audio/webm;codecs=\"opus,vorbis\""));
        for text in [
            "audio/webm",
            "audio/webm;codecs=\"\"",
            "audio/webm;codecs=\"opus,\"",
            "audio/webm;codecs=\"opus,fake\"",
            "video/webm;codecs=opus",
        ] {
            assert!(!is_supported(text), "{text}");
        }
    }

    proptest! {
        /// Written as manifests and pages write it, a type comes back: with its codecs as they were.
        #[test]
        fn a_content_type_comes_back(
            types in ["[!#$%&'*+.^_`|~0-9a-z-]{1,8}", "[!#$%&'*+.^_`|~0-9a-z-]{1,8}"],
            codecs in prop::collection::vec("[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}", 0..4),
            between in prop::sample::select(vec![",", ", ", " ,\t"]),
            is_loud in any::<bool>(),
        ) {
            let container = types.join("/");
            let written = if is_loud { container.to_uppercase() } else { container.clone() };
            let text = match codecs.as_slice() {
                [] => written,
                codecs => format!("{written}; codecs=\"{}\"", codecs.join(between)),
            };
            let codecs = Some(codecs).filter(|codecs| !codecs.is_empty());
            prop_assert_eq!(ContentType::parse(&text), Some(ContentType { container, codecs }));
        }

        #[test]
        fn no_text_makes_it_panic(text in "[ -~\\t\"é;=/,.]{0,40}") {
            let _ = ContentType::parse(&text);
            let _ = ContentType::parse(&format!("video/mp4;codecs=\"{text}\""));
        }
    }
}
