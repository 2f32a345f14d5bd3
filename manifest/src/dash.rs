//! DASH manifests (ISO/IEC 23009-1) of the on-demand profile: a file for each representation, whose own
//! index leads to its segments.
//!
//! Streams of one kind, type, codec, language and key share an adaptation set, and a player may change
//! between them. How they are protected is told in three ways, one for each reader: the scheme and the
//! default key id (ISO/IEC 23001-7, 11); ClearKey with its license server (DASH-IF, "Content protection
//! data exchange"); and a `pssh` box that names all key ids, for players that make a license request of it.
//! The last is left out where the manifest names no license server: dash.js, when a page tells it of one, would
//! take the box for a list of key ids. Each file has the box as well.

use std::io;

use clearkey::pssh::{Pssh, SystemId};
use quick_xml::{
    Writer,
    events::{BytesDecl, BytesText, Event},
};

use crate::{Audio, Error, Kind, Protection, Stream, StreamAt, Video, protection::uuid};

/// ISO/IEC 23009-1, 8.3.
const MP4_PROFILE: &str = "urn:mpeg:dash:profile:isoff-on-demand:2011";
/// The WebM Project's "WebM DASH Specification".
const WEBM_PROFILE: &str = "urn:webm:dash:profile:webm-on-demand:2012";
const NAMESPACES: [(&str, &str); 4] = [
    ("xmlns", "urn:mpeg:dash:schema:mpd:2011"),
    ("xmlns:cenc", "urn:mpeg:cenc:2013"),
    ("xmlns:dashif", "https://dashif.org/CPS"),
    ("xmlns:clearkey", "http://dashif.org/guidelines/clearKey"),
];

type Xml = Writer<Vec<u8>>;

/// Writes the manifest of streams that are played together. `license_url` is where players get keys from;
/// without it, pages tell them.
///
/// # Errors
/// What has no place in a manifest.
pub fn manifest(streams: &[StreamAt<'_>], license_url: Option<&str>) -> Result<String, Error> {
    let mut xml = Writer::new_with_indent(Vec::new(), b' ', 2);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let of_all = |time: fn(&Stream) -> f64| streams.iter().map(move |at| time(at.stream));
    let start = of_all(Stream::start_seconds).fold(f64::INFINITY, f64::min);
    let end = of_all(Stream::end_seconds).fold(start, f64::max);
    let longest = of_all(Stream::longest_segment).fold(0.0, f64::max);
    let is_webm = |at: &StreamAt<'_>| at.stream.media_type.mime.ends_with("/webm");
    let profile = if streams.iter().all(is_webm) { WEBM_PROFILE } else { MP4_PROFILE };
    let mut sets = Vec::new();
    for set in sets_of(streams) {
        sets.push((set.clone(), protection(&set, license_url)?));
    }
    xml.create_element("MPD")
        .with_attributes(NAMESPACES)
        .with_attributes([
            ("profiles", profile),
            ("type", "static"),
            ("mediaPresentationDuration", &duration(end - start)),
            // A longest segment in hand, and the next comes in time: see `Bandwidth`.
            ("minBufferTime", &duration(longest)),
        ])
        .write_inner_content(|xml| {
            xml.create_element("Period").with_attribute(("id", "0")).write_inner_content(
                |xml| {
                    let mut id = 0;
                    for (index, (set, protection)) in sets.iter().enumerate() {
                        adaptation_set(xml, index, set, protection, start, &mut id)?;
                    }
                    Ok(())
                },
            )?;
            Ok(())
        })?;
    let mut text = String::from_utf8_lossy(&xml.into_inner()).into_owned();
    text.push('\n');
    Ok(text)
}

/// The streams that a player may change between.
fn sets_of<'s>(streams: &[StreamAt<'s>]) -> Vec<Vec<StreamAt<'s>>> {
    let mut sets: Vec<Vec<StreamAt<'s>>> = Vec::new();
    for kind in [Kind::Video, Kind::Audio] {
        for at in streams.iter().filter(|at| at.stream.media_type.kind == kind) {
            let same = |set: &&mut Vec<StreamAt<'_>>| {
                set.first().is_some_and(|first| are_alike(first.stream, at.stream))
            };
            match sets.iter_mut().find(same) {
                Some(set) => set.push(*at),
                None => sets.push(vec![*at]),
            }
        }
    }
    sets
}

fn are_alike(a: &Stream, b: &Stream) -> bool {
    let codec = |stream: &Stream| {
        let codecs = stream.media_type.codecs.iter();
        codecs
            .map(|codec| codec.split('.').next().unwrap_or_default().to_owned())
            .collect::<Vec<_>>()
    };
    let channels = |stream: &Stream| stream.audio.map(|audio| audio.channels);
    a.media_type.mime == b.media_type.mime
        && codec(a) == codec(b)
        && a.language == b.language
        && channels(a) == channels(b)
        && a.protection == b.protection
}

/// A `ContentProtection` element.
struct Descriptor {
    scheme: String,
    value: Option<String>,
    default_kid: Option<String>,
    license_url: Option<String>,
    pssh: Option<String>,
}

/// How the streams of a set are protected.
fn protection(set: &[StreamAt<'_>], license_url: Option<&str>) -> Result<Vec<Descriptor>, Error> {
    let Some(protection) = set.first().and_then(|at| at.stream.protection.as_ref()) else {
        return Ok(Vec::new());
    };
    let Protection { scheme, default_kid, systems, .. } = protection;
    let system = |id: SystemId, value: Option<&str>| Descriptor {
        scheme: format!("urn:uuid:{id}"),
        value: value.map(str::to_owned),
        default_kid: None,
        license_url: None,
        pssh: None,
    };
    let scheme = Descriptor {
        scheme: "urn:mpeg:dash:mp4protection:2011".to_owned(),
        value: Some(scheme.to_string()),
        default_kid: default_kid.as_ref().map(uuid),
        license_url: None,
        pssh: None,
    };
    let clear_key = Descriptor {
        license_url: license_url.map(str::to_owned),
        ..system(SystemId::CLEARKEY_DASHIF, Some("ClearKey1.0"))
    };
    let common = match license_url {
        Some(_) => Some(protection.common_pssh()?),
        None => None,
    };
    let common =
        common.map(|pssh| Descriptor { pssh: Some(pssh), ..system(SystemId::COMMON, None) });
    let others = systems.iter().map(|pssh| Descriptor {
        pssh: Some(pssh.to_base64()),
        ..system(Pssh::system_id(pssh), None)
    });
    Ok([scheme, clear_key].into_iter().chain(common).chain(others).collect())
}

fn content_protection(xml: &mut Xml, of: &Descriptor) -> io::Result<()> {
    let mut element = xml.create_element("ContentProtection");
    element = element.with_attribute(("schemeIdUri", of.scheme.as_str()));
    if let Some(value) = &of.value {
        element = element.with_attribute(("value", value.as_str()));
    }
    if let Some(kid) = &of.default_kid {
        element = element.with_attribute(("cenc:default_KID", kid.as_str()));
    }
    if of.license_url.is_none() && of.pssh.is_none() {
        element.write_empty()?;
        return Ok(());
    }
    element.write_inner_content(|xml| {
        if let Some(url) = &of.license_url {
            xml.create_element("dashif:Laurl").write_text_content(BytesText::new(url))?;
            xml.create_element("clearkey:Laurl")
                .with_attribute(("Lic_type", "EME-1.0"))
                .write_text_content(BytesText::new(url))?;
        }
        if let Some(pssh) = &of.pssh {
            xml.create_element("cenc:pssh").write_text_content(BytesText::new(pssh))?;
        }
        Ok(())
    })?;
    Ok(())
}

fn adaptation_set(
    xml: &mut Xml,
    index: usize,
    set: &[StreamAt<'_>],
    protection: &[Descriptor],
    start: f64,
    next_id: &mut usize,
) -> io::Result<()> {
    let Some(first) = set.first().map(|at| at.stream) else { return Ok(()) };
    let kind = first.media_type.kind;
    let mut element = xml.create_element("AdaptationSet").with_attributes([
        ("id", index.to_string().as_str()),
        ("contentType", kind.name()),
        ("mimeType", first.media_type.mime),
    ]);
    if let Some(language) = &first.language {
        element = element.with_attribute(("lang", language.as_str()));
    }
    if are_aligned(set) {
        element = element.with_attribute(("subsegmentAlignment", "true"));
    }
    if let Some(access) = access(set) {
        element = element.with_attribute(("subsegmentStartsWithSAP", access.to_string().as_str()));
    }
    element.write_inner_content(|xml| {
        protection.iter().try_for_each(|descriptor| content_protection(xml, descriptor))?;
        for at in set {
            representation(xml, *next_id, at, start)?;
            *next_id += 1;
        }
        Ok(())
    })?;
    Ok(())
}

/// Whether the segments of all streams begin and end at the same times.
fn are_aligned(set: &[StreamAt<'_>]) -> bool {
    let times = |stream: &Stream| {
        let starts = stream.index.segments.iter().scan(stream.index.start, |time, segment| {
            *time = time.saturating_add(segment.duration);
            Some(*time)
        });
        std::iter::once(stream.index.start)
            .chain(starts)
            .map(|time| u128::from(time) * 1_000_000 / u128::from(stream.index.timescale))
            .collect::<Vec<_>>()
    };
    set.windows(2).all(|pair| times(pair[0].stream) == times(pair[1].stream))
}

/// The highest type of the access points that segments begin with. Sound is decodable from everywhere.
fn access(set: &[StreamAt<'_>]) -> Option<u8> {
    let segments = set.iter().flat_map(|at| &at.stream.index.segments);
    let types = segments.map(|segment| segment.access).collect::<Option<Vec<_>>>()?;
    let is_audio = set.iter().all(|at| at.stream.audio.is_some());
    if is_audio { Some(1) } else { types.into_iter().max() }
}

fn representation(xml: &mut Xml, id: usize, at: &StreamAt<'_>, start: f64) -> io::Result<()> {
    let stream = at.stream;
    let mut element = xml.create_element("Representation").with_attributes([
        ("id", id.to_string().as_str()),
        ("codecs", stream.media_type.codecs.join(",").as_str()),
        ("bandwidth", stream.peak_bandwidth.to_string().as_str()),
    ]);
    if let Some(Video { width, height, frame_rate }) = stream.video {
        let size = [("width", width.to_string()), ("height", height.to_string())];
        let rate = frame_rate.map(|rate| ("frameRate", rate.to_string()));
        for (name, value) in size.iter().chain(&rate) {
            element = element.with_attribute((*name, value.as_str()));
        }
    }
    if let Some(Audio { sampling_rate: 1.., .. }) = stream.audio {
        let rate = stream.audio.map_or(0, |audio| audio.sampling_rate).to_string();
        element = element.with_attribute(("audioSamplingRate", rate.as_str()));
    }
    element.write_inner_content(|xml| {
        if let Some((scheme, value)) = stream.audio.and_then(|audio| channels(audio.channels)) {
            xml.create_element("AudioChannelConfiguration")
                .with_attributes([("schemeIdUri", scheme), ("value", &value.to_string())])
                .write_empty()?;
        }
        xml.create_element("BaseURL").write_text_content(BytesText::new(at.url))?;
        segment_base(xml, stream, start)
    })?;
    Ok(())
}

/// Both schemes count the channel configurations of ISO/IEC 23091-3; readers of the first take its value for
/// the number of channels, which is the same up to 6.
fn channels(channels: u16) -> Option<(&'static str, u16)> {
    const OF_AUDIO: &str = "urn:mpeg:dash:23003:3:audio_channel_configuration:2011";
    const OF_ALL: &str = "urn:mpeg:mpegB:cicp:ChannelConfiguration";
    match channels {
        1..=6 => Some((OF_AUDIO, channels)),
        7 => Some((OF_ALL, 11)),
        8 => Some((OF_ALL, 12)),
        _ => None,
    }
}

fn segment_base(xml: &mut Xml, stream: &Stream, start: f64) -> io::Result<()> {
    // Ends are inclusive.
    let last = |end: u64| end.saturating_sub(1);
    let index = &stream.index.range;
    let mut element = xml.create_element("SegmentBase").with_attributes([
        ("timescale", stream.index.timescale.to_string().as_str()),
        ("indexRange", format!("{}-{}", index.start, last(index.end)).as_str()),
        ("indexRangeExact", "true"),
    ]);
    let offset = (start * f64::from(stream.index.timescale)).round();
    if offset > 0.0 {
        element =
            element.with_attribute(("presentationTimeOffset", format!("{offset:.0}").as_str()));
    }
    element.write_inner_content(|xml| {
        xml.create_element("Initialization")
            .with_attribute(("range", format!("0-{}", last(stream.init)).as_str()))
            .write_empty()?;
        Ok(())
    })?;
    Ok(())
}

/// A time of XML Schema, of up to six digits behind the point.
fn duration(seconds: f64) -> String {
    let digits = format!("{seconds:.6}");
    let digits = digits.trim_end_matches('0').trim_end_matches('.');
    format!("PT{digits}S")
}
