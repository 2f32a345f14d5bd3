//! A reader of DASH manifests, over the crate `roxmltree`.

use std::ops::Range;

use roxmltree::{Document, Node};

/// What a manifest says of a representation, with what its adaptation set says for it.
#[derive(Debug)]
pub(super) struct Representation {
    pub(super) url: String,
    pub(super) mime: String,
    pub(super) codecs: String,
    pub(super) language: Option<String>,
    pub(super) bandwidth: u64,
    pub(super) width: String,
    pub(super) frame_rate: String,
    pub(super) sampling_rate: String,
    pub(super) channels: String,
    pub(super) init: Range<usize>,
    pub(super) index: Range<usize>,
    pub(super) scheme: Option<String>,
    pub(super) default_kid: Option<String>,
    pub(super) license_urls: Vec<String>,
    pub(super) pssh_kids: Vec<String>,
}

const MPD: &str = "urn:mpeg:dash:schema:mpd:2011";
const CENC: &str = "urn:mpeg:cenc:2013";
const SCHEME: &str = "urn:mpeg:dash:mp4protection:2011";
const CLEARKEY: &str = "urn:uuid:e2719d58-a985-b3c9-781a-b030af78d30e";
const COMMON: &str = "urn:uuid:1077efec-c0b2-4d02-ace3-3c1e52e2fb4b";

/// The representations of a manifest, in order.
pub(super) fn read(text: &str) -> Vec<Representation> {
    let document = Document::parse(text).unwrap();
    let mpd = document.root_element();
    assert!(mpd.has_tag_name((MPD, "MPD")));
    assert_eq!(mpd.attribute("type"), Some("static"));
    assert!(mpd.attribute("mediaPresentationDuration").unwrap().starts_with("PT4"));
    let sets = named(mpd, "AdaptationSet");
    sets.iter()
        .flat_map(|set| {
            named(*set, "Representation").into_iter().map(|one| representation(*set, one))
        })
        .collect()
}

fn named<'a, 'd>(node: Node<'a, 'd>, name: &str) -> Vec<Node<'a, 'd>> {
    node.descendants().filter(|node| node.has_tag_name((MPD, name))).collect()
}

fn representation(set: Node<'_, '_>, node: Node<'_, '_>) -> Representation {
    let attribute = |name| node.attribute(name).unwrap_or_default().to_owned();
    let protections = named(set, "ContentProtection");
    let of = |scheme| {
        protections.iter().find(|element| element.attribute("schemeIdUri") == Some(scheme)).copied()
    };
    let scheme = of(SCHEME);
    let license_urls = of(CLEARKEY).map_or(Vec::new(), |element| {
        assert_eq!(element.attribute("value"), Some("ClearKey1.0"));
        let urls = [
            ("https://dashif.org/CPS", None),
            ("http://dashif.org/guidelines/clearKey", Some("EME-1.0")),
        ];
        let url = |(namespace, kind)| {
            let found =
                element.descendants().find(|node| node.has_tag_name((namespace, "Laurl")))?;
            assert_eq!(found.attribute("Lic_type"), kind);
            Some(found.text().unwrap().to_owned())
        };
        urls.into_iter().filter_map(url).collect()
    });
    let pssh = of(COMMON).map(|element| {
        element
            .descendants()
            .find(|node| node.has_tag_name((CENC, "pssh")))
            .unwrap()
            .text()
            .unwrap()
    });
    let base = named(node, "SegmentBase")[0];
    Representation {
        url: named(node, "BaseURL")[0].text().unwrap().to_owned(),
        mime: set.attribute("mimeType").unwrap().to_owned(),
        codecs: attribute("codecs"),
        language: set.attribute("lang").map(str::to_owned),
        bandwidth: attribute("bandwidth").parse().unwrap(),
        width: attribute("width"),
        frame_rate: attribute("frameRate"),
        sampling_rate: attribute("audioSamplingRate"),
        channels: named(node, "AudioChannelConfiguration")
            .first()
            .and_then(|node| node.attribute("value"))
            .unwrap_or_default()
            .to_owned(),
        init: range(named(base, "Initialization")[0].attribute("range").unwrap()),
        index: range(base.attribute("indexRange").unwrap()),
        scheme: scheme.and_then(|node| node.attribute("value")).map(str::to_owned),
        default_kid: scheme
            .and_then(|node| node.attribute((CENC, "default_KID")))
            .map(str::to_owned),
        license_urls,
        pssh_kids: pssh.map_or(Vec::new(), kids),
    }
}

/// `first-last`.
fn range(text: &str) -> Range<usize> {
    let (first, last) = text.split_once('-').unwrap();
    first.parse().unwrap()..last.parse::<usize>().unwrap() + 1
}

/// The key ids of a `pssh` box of version 1 and the common system.
fn kids(base64: &str) -> Vec<String> {
    let bytes = data_encoding::BASE64.decode(base64.as_bytes()).unwrap();
    assert_eq!(
        bytes[..12],
        [&(bytes.len() as u32).to_be_bytes()[..], b"pssh", &[1, 0, 0, 0]].concat()
    );
    let (kids, data) = bytes[32..].split_at(bytes.len() - 32 - 4);
    assert_eq!(data, [0; 4]);
    kids.chunks(16).map(|kid| data_encoding::HEXLOWER.encode(kid)).collect()
}
