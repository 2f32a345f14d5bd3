//! What is written comes back: manifests out of another reader of XML, playlists line by line.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used)]

use std::{collections::BTreeMap, fs, path::Path};

use clearkey::pssh::PsshBox;
use container::Window;
use manifest::{
    Audio, Stream, StreamAt, dash,
    hls::{self, KeyFormat},
};
use proptest::{collection::vec, prelude::*, sample::select};
use roxmltree::{Document, Node};

const CENC: &str = "urn:mpeg:cenc:2013";

fn stream(name: &str) -> Stream {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures").join(name);
    Stream::read(&Window::new(0, &fs::read(path).unwrap())).unwrap()
}

/// A stream of a fixture with what people choose: its language, its rates, its segments.
fn any_stream(names: &'static [&'static str]) -> impl Strategy<Value = Stream> {
    let streams: Vec<_> = names.iter().map(|name| stream(name)).collect();
    let language =
        prop::option::of(select(vec!["de".to_owned(), "en".to_owned(), "pt-BR".to_owned()]));
    let segments = vec((1..5_000_000_u64, 1..500_000_u64), 1..20);
    (select(streams), language, 1..=6_u16, segments, any::<[u32; 2]>(), 0..1_000_000_u64).prop_map(
        |(stream, language, channels, segments, [peak, average], start)| {
            let audio = stream.audio.map(|audio| Audio { channels, ..audio });
            let mut stream = Stream { language, audio, ..stream };
            let mut at = stream.index.range.end;
            let template = stream.index.segments[0].clone();
            stream.index.segments = segments
                .into_iter()
                .map(|(len, duration)| {
                    let range = at..at + len;
                    at = range.end;
                    container::Segment { range, duration, ..template.clone() }
                })
                .collect();
            stream.index.start = start;
            (stream.peak_bandwidth, stream.average_bandwidth) = (peak.into(), average.into());
            stream
        },
    )
}

const DASH: &[&str] = &[
    "indexed/aac.mp4",
    "indexed/avc.mp4",
    "indexed/opus.webm",
    "indexed/vp9.webm",
    "media/shaka_cbcs_avc_aac_video.mp4",
    "media/shaka_cenc_avc_aac_audio.mp4",
    "media/shaka_cenc_keyrot_avc_video.mp4",
];
const HLS: &[&str] = &[
    "indexed/aac.mp4",
    "indexed/avc.mp4",
    "media/shaka_cbcs_avc_aac_video.mp4",
    "media/shaka_cenc_avc_aac_audio.mp4",
];

/// Any text of one line, with all that XML has a meaning for.
fn text() -> impl Strategy<Value = String> {
    prop_oneof!["\\PC{1,20}", "[&<>'\";#\\]a ]{1,20}"]
}

fn elements<'a>(of: Node<'a, 'a>, name: &'a str) -> impl Iterator<Item = Node<'a, 'a>> {
    of.descendants().filter(move |node| node.tag_name().name() == name)
}

/// What a manifest says of a stream.
#[derive(Debug, PartialEq)]
struct Said {
    url: String,
    mime: String,
    codecs: String,
    language: Option<String>,
    bandwidth: u64,
    size: Option<(u32, u32)>,
    channels: Option<u16>,
    timescale: u32,
    index: (u64, u64),
    init: u64,
    scheme: Option<String>,
    kid: Option<String>,
    licenses: Vec<String>,
    kids: Option<Vec<clearkey::KeyId>>,
}

impl Said {
    fn read(set: Node<'_, '_>, of: Node<'_, '_>) -> Self {
        let number = |name: &str| of.attribute(name).map(|text| text.parse().unwrap());
        let base = elements(of, "SegmentBase").next().unwrap();
        let range = |text: &str| {
            let (first, last) = text.split_once('-').unwrap();
            (first.parse().unwrap(), last.parse::<u64>().unwrap() + 1)
        };
        let protections = || elements(set, "ContentProtection");
        let scheme = protections()
            .find(|node| node.attribute("schemeIdUri") == Some("urn:mpeg:dash:mp4protection:2011"));
        let common = format!("urn:uuid:{}", clearkey::pssh::SystemId::COMMON);
        let common =
            protections().find(|node| node.attribute("schemeIdUri") == Some(common.as_str()));
        let text = |node: Node<'_, '_>| node.text().unwrap_or_default().to_owned();
        Self {
            url: text(elements(of, "BaseURL").next().unwrap()),
            mime: set.attribute("mimeType").unwrap().to_owned(),
            codecs: of.attribute("codecs").unwrap().to_owned(),
            language: set.attribute("lang").map(str::to_owned),
            bandwidth: of.attribute("bandwidth").unwrap().parse().unwrap(),
            size: number("width").zip(number("height")),
            channels: elements(of, "AudioChannelConfiguration")
                .next()
                .map(|node| node.attribute("value").unwrap().parse().unwrap()),
            timescale: base.attribute("timescale").unwrap().parse().unwrap(),
            index: range(base.attribute("indexRange").unwrap()),
            init: range(
                elements(base, "Initialization").next().unwrap().attribute("range").unwrap(),
            )
            .1,
            scheme: scheme.map(|node| node.attribute("value").unwrap().to_owned()),
            kid: scheme.and_then(|node| node.attribute((CENC, "default_KID"))).map(str::to_owned),
            licenses: elements(set, "Laurl").map(text).collect(),
            kids: common.map(|node| {
                let text = text(elements(node, "pssh").next().unwrap());
                let bytes = data_encoding::BASE64.decode(text.as_bytes()).unwrap();
                PsshBox::parse(&bytes).unwrap().pssh().unwrap().kids().to_vec()
            }),
        }
    }

    fn expected(url: &str, stream: &Stream, license: Option<&str>) -> Self {
        let protection = stream.protection.as_ref();
        let kid = protection.and_then(|protection| protection.default_kid.as_ref());
        Self {
            url: url.to_owned(),
            mime: stream.media_type.mime.to_owned(),
            codecs: stream.media_type.codecs.join(","),
            language: stream.language.clone(),
            bandwidth: stream.peak_bandwidth,
            size: stream.video.map(|video| (video.width, video.height)),
            channels: stream.audio.map(|audio| audio.channels),
            timescale: stream.index.timescale,
            index: (stream.index.range.start, stream.index.range.end),
            init: stream.init,
            scheme: protection.map(|protection| protection.scheme.to_string()),
            kid: kid.map(|kid| {
                clearkey::pssh::SystemId::new(kid.as_bytes().try_into().unwrap()).to_string()
            }),
            // Two elements say it.
            licenses: protection
                .and(license)
                .into_iter()
                .flat_map(|url| [url.to_owned(), url.to_owned()])
                .collect(),
            kids: protection
                .filter(|_| license.is_some())
                .map(|protection| protection.kids.iter().cloned().collect()),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_manifest_says_all_of_its_streams(
        streams in vec((text(), any_stream(DASH)), 1..6),
        license in prop::option::of(text()),
    ) {
        let at: Vec<_> = streams.iter().map(|(url, stream)| StreamAt { url, stream }).collect();
        let mpd = dash::manifest(&at, license.as_deref()).unwrap();
        let document = Document::parse(&mpd).unwrap();
        let mut said: Vec<_> = elements(document.root(), "AdaptationSet")
            .flat_map(|set| elements(set, "Representation").map(move |of| Said::read(set, of)))
            .collect();
        let mut expected: Vec<_> = streams
            .iter()
            .map(|(url, stream)| Said::expected(url, stream, license.as_deref()))
            .collect();
        // Sets gather them.
        let key = |said: &Said| format!("{said:?}");
        said.sort_by_key(key);
        expected.sort_by_key(key);
        prop_assert_eq!(said, expected);
        let ids: Vec<_> = elements(document.root(), "Representation")
            .map(|node| node.attribute("id").unwrap().parse::<usize>().unwrap())
            .collect();
        prop_assert_eq!(ids, (0..streams.len()).collect::<Vec<_>>());
    }

    #[test]
    fn a_playlist_says_where_all_segments_are(stream in any_stream(HLS), url in "[!#-~]{1,20}") {
        let at = StreamAt { url: &url, stream: &stream };
        let playlist = hls::media_playlist(&at, KeyFormat::ClearKey).unwrap();
        let value = |name: &'static str| {
            let lines = playlist.lines().filter_map(move |line| line.strip_prefix(name));
            lines.collect::<Vec<_>>()
        };
        let ranges: Vec<_> = value("#EXT-X-BYTERANGE:")
            .iter()
            .map(|range| {
                let (len, start) = range.split_once('@').unwrap();
                let start = start.parse::<u64>().unwrap();
                start..start + len.parse::<u64>().unwrap()
            })
            .collect();
        let segments = &stream.index.segments;
        prop_assert_eq!(ranges, segments.iter().map(|segment| segment.range.clone()).collect::<Vec<_>>());
        let target: f64 = value("#EXT-X-TARGETDURATION:")[0].parse().unwrap();
        for (said, segment) in value("#EXTINF:").iter().zip(segments) {
            let said: f64 = said.trim_end_matches(',').parse().unwrap();
            let seconds = f64::from(u32::try_from(segment.duration).unwrap())
                / f64::from(stream.index.timescale);
            prop_assert!((said - seconds).abs() < 1e-6);
            // Rounded to the nearest, no segment is longer than that (RFC 8216, 4.3.3.1).
            prop_assert!(said.round() <= target);
        }
        prop_assert_eq!(playlist.lines().filter(|line| *line == url).count(), segments.len());
        let map = attributes(value("#EXT-X-MAP:")[0]);
        prop_assert_eq!(&map["URI"], &url);
        prop_assert_eq!(&map["BYTERANGE"], &format!("{}@0", stream.init));
        match (&stream.protection, value("#EXT-X-KEY:").as_slice()) {
            (None, []) => {}
            (Some(protection), [key]) => {
                let key = attributes(key);
                let kid = key["URI"].strip_prefix("data:text/plain;base64,").unwrap();
                let kid = data_encoding::BASE64.decode(kid.as_bytes()).unwrap();
                prop_assert_eq!(kid, protection.kids[0].as_bytes());
                let method = if protection.scheme == *b"cenc" { "SAMPLE-AES-CTR" } else { "SAMPLE-AES" };
                prop_assert_eq!(key["METHOD"].as_str(), method);
            }
            found => prop_assert!(false, "{:?}", found),
        }
    }

    #[test]
    fn a_playlist_of_playlists_says_all_of_them(
        streams in vec(("[!#-~]{1,20}", any_stream(HLS)), 1..6),
    ) {
        let at: Vec<_> = streams.iter().map(|(url, stream)| StreamAt { url, stream }).collect();
        let playlist = hls::multivariant_playlist(&at).unwrap();
        let lines: Vec<_> = playlist.lines().collect();
        let media: Vec<_> = lines
            .iter()
            .filter_map(|line| line.strip_prefix("#EXT-X-MEDIA:"))
            .map(attributes)
            .collect();
        let variants: Vec<_> = lines
            .windows(2)
            .filter_map(|pair| Some((attributes(pair[0].strip_prefix("#EXT-X-STREAM-INF:")?), pair[1])))
            .collect();
        let has_video = streams.iter().any(|(_, stream)| stream.video.is_some());
        for (url, stream) in &streams {
            // Sound beside pictures is a choice, and all else a variant.
            if stream.audio.is_some() && has_video {
                let found = media.iter().filter(|media| media["URI"] == *url);
                let language = stream.language.as_deref();
                prop_assert!(
                    found.clone().any(|media| media.get("LANGUAGE").map(String::as_str) == language)
                );
                let groups: Vec<_> = found.map(|media| &media["GROUP-ID"]).collect();
                prop_assert!(groups.iter().all(|group| variants.iter().any(|(of, _)| of["AUDIO"] == **group)));
            } else {
                let mut found = variants.iter().filter(|(_, uri)| uri == url).peekable();
                prop_assert!(found.peek().is_some());
                for (of, _) in found {
                    prop_assert!(of["CODECS"].starts_with(&stream.media_type.codecs.join(",")) || streams.len() > 1);
                    prop_assert!(of["BANDWIDTH"].parse::<u64>().is_ok());
                }
            }
        }
        // No two choices of a group have one name.
        let mut names: Vec<_> = media.iter().map(|media| (&media["GROUP-ID"], &media["NAME"])).collect();
        let count = names.len();
        names.sort();
        names.dedup();
        prop_assert_eq!(names.len(), count);
    }
}

/// An attribute list (RFC 8216, 4.2).
fn attributes(list: &str) -> BTreeMap<String, String> {
    let (mut rest, mut found) = (list, BTreeMap::new());
    while !rest.is_empty() {
        let (name, value) = rest.split_once('=').unwrap();
        let (value, after) = match value.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap(),
            None => value.split_at(value.find(',').unwrap_or(value.len())),
        };
        assert!(found.insert(name.to_owned(), value.to_owned()).is_none(), "{name} twice: {list}");
        rest = after.strip_prefix(',').unwrap_or(after);
    }
    found
}
