//! Languages, as manifests want to have them (RFC 5646, 2.2.1): by two letters where there are two.

use isolang::Language;

/// The tag for what a file says, which is a tag already or a code of ISO 639-2.
pub(crate) fn tag(found: &str) -> String {
    let (code, rest) = match found.split_once('-') {
        Some((code, rest)) => (code, Some(rest)),
        None => (found, None),
    };
    let terminological = BIBLIOGRAPHIC.iter().find(|(bibliographic, _)| *bibliographic == code);
    let known = Language::from_639_3(terminological.map_or(code, |(_, code)| code));
    let short = known.and_then(|language| language.to_639_1());
    match (short, rest) {
        (Some(short), Some(rest)) => format!("{short}-{rest}"),
        (Some(short), None) => short.to_owned(),
        (None, _) => found.to_owned(),
    }
}

/// Where ISO 639-2 has two codes: the one for libraries, which Matroska uses, and the other one.
const BIBLIOGRAPHIC: [(&str, &str); 20] = [
    ("alb", "sqi"),
    ("arm", "hye"),
    ("baq", "eus"),
    ("bur", "mya"),
    ("chi", "zho"),
    ("cze", "ces"),
    ("dut", "nld"),
    ("fre", "fra"),
    ("geo", "kat"),
    ("ger", "deu"),
    ("gre", "ell"),
    ("ice", "isl"),
    ("mac", "mkd"),
    ("mao", "mri"),
    ("may", "msa"),
    ("per", "fas"),
    ("rum", "ron"),
    ("slo", "slk"),
    ("tib", "bod"),
    ("wel", "cym"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_has_its_shortest_code() {
        for (found, expected) in [
            ("eng", "en"),
            ("deu", "de"),
            // The code for libraries.
            ("ger", "de"),
            ("fre", "fr"),
            ("fil", "fil"),
            ("de", "de"),
            ("deu-AT", "de-AT"),
            ("zh-Hant", "zh-Hant"),
            ("mul", "mul"),
        ] {
            assert_eq!(tag(found), expected);
        }
    }
}
