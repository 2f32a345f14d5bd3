//! A reader of media playlists, line by line.

use std::ops::Range;

/// What a media playlist says.
#[derive(Debug)]
pub(super) struct Playlist {
    /// Where the initialization segment is.
    pub(super) init: (String, Range<usize>),
    /// Method, key format, and what the data URL holds.
    pub(super) key: Option<(String, String, Vec<u8>)>,
    pub(super) segments: Vec<Segment>,
}

#[derive(Debug)]
pub(super) struct Segment {
    pub(super) seconds: f64,
    pub(super) range: Range<usize>,
    pub(super) url: String,
}

impl Playlist {
    pub(super) fn read(text: &str) -> Self {
        let (mut init, mut key, mut segments) = (None, None, Vec::new());
        let (mut seconds, mut range, mut target) = (None, None, 0.0);
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("#EXTM3U"));
        for line in lines.by_ref() {
            let (tag, value) = line.split_once(':').unwrap_or((line, ""));
            match tag {
                "#EXT-X-VERSION" => assert_eq!(value, "6"),
                "#EXT-X-PLAYLIST-TYPE" => assert_eq!(value, "VOD"),
                "#EXT-X-INDEPENDENT-SEGMENTS" => {}
                "#EXT-X-TARGETDURATION" => target = value.parse().unwrap(),
                "#EXT-X-MAP" => {
                    let range = byte_range(&attribute(value, "BYTERANGE").unwrap());
                    assert!(init.replace((attribute(value, "URI").unwrap(), range)).is_none());
                }
                "#EXT-X-KEY" => {
                    let url = attribute(value, "URI").unwrap();
                    let octets = url.strip_prefix("data:text/plain;base64,").unwrap().as_bytes();
                    let octets = data_encoding::BASE64.decode(octets).unwrap();
                    let of = |name| attribute(value, name).unwrap();
                    assert!(key.replace((of("METHOD"), of("KEYFORMAT"), octets)).is_none());
                }
                "#EXTINF" => seconds = value.strip_suffix(',').map(|text| text.parse().unwrap()),
                "#EXT-X-BYTERANGE" => range = Some(byte_range(value)),
                "#EXT-X-ENDLIST" => break,
                _ => {
                    assert!(!line.starts_with('#'), "{line}");
                    let seconds: f64 = seconds.take().unwrap();
                    assert!(seconds.round() <= target, "{seconds} of {target}");
                    segments.push(Segment {
                        seconds,
                        range: range.take().unwrap(),
                        url: line.to_owned(),
                    });
                }
            }
        }
        assert_eq!(lines.next(), None);
        Self { init: init.unwrap(), key, segments }
    }
}

/// `length@offset`.
fn byte_range(text: &str) -> Range<usize> {
    let (len, start) = text.split_once('@').unwrap();
    let (len, start): (usize, usize) = (len.parse().unwrap(), start.parse().unwrap());
    start..start + len
}

/// An attribute of a list, whose quoted values may hold commas.
fn attribute(list: &str, name: &str) -> Option<String> {
    let mut rest = list;
    while !rest.is_empty() {
        let (found, value) = rest.split_once('=').unwrap();
        let (value, behind) = match value.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap(),
            None => value.split_at(value.find(',').unwrap_or(value.len())),
        };
        if found == name {
            return Some(value.to_owned());
        }
        rest = behind.strip_prefix(',').unwrap_or(behind);
    }
    None
}
