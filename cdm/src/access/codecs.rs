//! The codecs that are known, by container (RFC 6381, and the codecs' own registrations).

use super::MediaKind;

/// Tells the codecs of a container. `None` if the container is not known, or not of that kind.
pub(super) fn of(container: &str, kind: MediaKind) -> Option<fn(&str) -> bool> {
    match (kind, container) {
        (MediaKind::Video, "video/mp4") => Some(|codec| {
            let (name, rest) = codec.split_once('.').unwrap_or((codec, ""));
            match name {
                "avc1" | "avc3" => rest.len() == 6 && is_hex(rest),
                "hvc1" | "hev1" => is_hevc(rest),
                "vp09" => is_vp9(rest),
                "av01" => is_av1(rest),
                _ => false,
            }
        }),
        (MediaKind::Audio, "audio/mp4") => Some(|codec| match codec {
            "flac" | "fLaC" | "opus" | "Opus" | "ac-3" | "ec-3" => true,
            _ => codec.strip_prefix("mp4a.40.").is_some_and(|kind| is_number(kind, 1..=2)),
        }),
        (MediaKind::Video, "video/webm") => Some(|codec| match codec.split_once('.') {
            None => matches!(codec, "vp8" | "vp9"),
            Some(("vp09", rest)) => is_vp9(rest),
            Some(("av01", rest)) => is_av1(rest),
            Some(_) => false,
        }),
        (MediaKind::Audio, "audio/webm") => Some(|codec| matches!(codec, "opus" | "vorbis")),
        _ => None,
    }
}

/// `1.6.L93.B0`: profile, compatibility, tier and level, up to six bytes of constraints.
fn is_hevc(rest: &str) -> bool {
    let mut parts = rest.split('.');
    let profile = parts.next().map(|profile| profile.trim_start_matches(['A', 'B', 'C']));
    let compatibility = parts.next();
    let level = parts.next().and_then(|level| level.strip_prefix(['L', 'H']));
    let constraints: Vec<_> = parts.collect();
    profile.is_some_and(|profile| is_number(profile, 1..=2))
        && compatibility.is_some_and(|flags| (1..=8).contains(&flags.len()) && is_hex(flags))
        && level.is_some_and(|level| is_number(level, 1..=3))
        && constraints.len() <= 6
        && constraints.iter().all(|byte| (1..=2).contains(&byte.len()) && is_hex(byte))
}

/// `00.10.08`: profile, level, bit depth, and up to five more of two digits.
fn is_vp9(rest: &str) -> bool {
    let parts: Vec<_> = rest.split('.').collect();
    (3..=8).contains(&parts.len()) && parts.iter().all(|part| is_number(part, 2..=2))
}

/// `0.04M.08`: profile, level and tier, bit depth, and what colours need.
fn is_av1(rest: &str) -> bool {
    let parts: Vec<_> = rest.split('.').collect();
    let [profile, level, depth, colours @ ..] = &parts[..] else { return false };
    is_number(profile, 1..=1)
        && level.strip_suffix(['M', 'H']).is_some_and(|level| is_number(level, 2..=2))
        && is_number(depth, 2..=2)
        && colours.len() <= 6
        && colours.iter().all(|part| is_number(part, 1..=3))
}

fn is_number(text: &str, digits: std::ops::RangeInclusive<usize>) -> bool {
    digits.contains(&text.len()) && text.bytes().all(|digit| digit.is_ascii_digit())
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|digit| digit.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One that is right, and for each rule one that breaks it alone.
    #[test]
    fn each_codec_has_its_form() {
        let cases: [(&str, MediaKind, &[&str], &[&str]); 4] = [
            (
                "video/mp4",
                MediaKind::Video,
                &[
                    "avc1.4d401e",
                    "avc1.4D401E",
                    "avc3.640028",
                    "hvc1.1.6.L93.B0",
                    "hev1.2.4.H120",
                    "hev1.A1.6.L93.B0.0.0.0.0.0",
                    "vp09.00.10.08",
                    "vp09.02.10.10.01.09.16.09.01",
                    "av01.0.04M.08",
                    "av01.0.04H.10.0.112.09.16.09.0",
                ],
                &[
                    "avc1",
                    "avc1.",
                    "avc1.4d401",
                    "avc1.4d401e0",
                    "avc1.4d401g",
                    "AVC1.4d401e",
                    "avc2.4d401e",
                    "hvc1",
                    "hvc1.1.6",
                    "hvc1.1.6.93",
                    "hvc1.x.6.L93",
                    "hvc1.1.g.L93",
                    "hvc1.1.123456789.L93",
                    "hvc1.1.6.L",
                    "hvc1.1.6.L93.B0.0.0.0.0.0.0",
                    "hvc1.1.6.L93.B00",
                    "hvc1.1.6.L93.G",
                    "vp09",
                    "vp09.00.10",
                    "vp09.0.10.08",
                    "vp09.00.10.08.01.01.01.01.00.00",
                    "vp9",
                    "vp8",
                    "av01",
                    "av01.0.04M",
                    "av01.0.04X.08",
                    "av01.00.04M.08",
                    "av01.0.4M.08",
                    "av01.0.04M.8",
                    "av01.0.04M.08.0.112.09.16.09.0.0",
                    "av01.0.04M.08.x",
                    "mp4a.40.2",
                    "fake",
                    "",
                ],
            ),
            (
                "audio/mp4",
                MediaKind::Audio,
                &["mp4a.40.2", "mp4a.40.29", "flac", "fLaC", "opus", "Opus", "ac-3", "ec-3"],
                &[
                    "mp4a",
                    "mp4a.40",
                    "mp4a.40.",
                    "mp4a.40.x",
                    "mp4a.40.222",
                    "mp4a.41.2",
                    "FLAC",
                    "OPUS",
                    "vorbis",
                    "AC-3",
                    "avc1.4d401e",
                    "",
                ],
            ),
            (
                "video/webm",
                MediaKind::Video,
                &["vp8", "vp9", "vp09.00.10.08", "av01.0.04M.08"],
                &["VP8", "vp8.0", "vp09", "vp10", "avc1.4d401e", "hvc1.1.6.L93.B0", "opus", ""],
            ),
            (
                "audio/webm",
                MediaKind::Audio,
                &["opus", "vorbis"],
                &["Opus", "flac", "mp4a.40.2", "vp8", ""],
            ),
        ];
        for (container, kind, right, wrong) in cases {
            let known = of(container, kind).unwrap();
            for codec in right {
                assert!(known(codec), "{codec} in {container}");
            }
            for codec in wrong {
                assert!(!known(codec), "{codec} in {container}");
            }
        }
    }

    #[test]
    fn a_container_is_of_one_kind() {
        for container in ["video/mp4", "video/webm"] {
            assert!(of(container, MediaKind::Audio).is_none());
        }
        for container in ["audio/mp4", "audio/webm", "video/ogg", "application/mp4", ""] {
            assert!(of(container, MediaKind::Video).is_none());
        }
    }
}
