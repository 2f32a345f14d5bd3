//! HLS playlists (RFC 8216 and its successor, draft-pantos-hls-rfc8216bis): a media playlist for each file,
//! with its segments as byte ranges, and a multivariant playlist over them.
//!
//! A playlist tells of the key in one of two ways, of which no reader knows both ([`KeyFormat`]); and where
//! both stand side by side, players have been seen to stall. So there is one.

use std::fmt::Write as _;

use base64::{Engine, engine::general_purpose::STANDARD};
use clearkey::Jwk;
use zeroize::Zeroizing;

use crate::{Error, Kind, Protection, Stream, StreamAt};

/// How a playlist tells of the key.
#[derive(Clone, Copy, Debug)]
pub enum KeyFormat<'k> {
    /// `org.w3.clearkey`: by its key id, and the page gets a license for it. The `URI` has the 16 octets of the
    /// id, and no `pssh` box.
    ClearKey,
    /// `identity`: the `URI` is the key itself, which is among these. Who reads the playlist has the key.
    Identity(&'k [Jwk]),
}

/// Of `EXT-X-MAP` in playlists of whole segments (RFC 8216, 7).
const VERSION: u32 = 6;

/// Writes the playlist of one stream. `url` leads from it to the file.
///
/// # Errors
/// What HLS has not: WebM, the schemes `cens` and `cbc1`, keys that change; and a key that is missing.
pub fn media_playlist(
    at: &StreamAt<'_>,
    key_format: KeyFormat<'_>,
) -> Result<Zeroizing<String>, Error> {
    let StreamAt { url, stream } = at;
    if !stream.media_type.mime.ends_with("/mp4") {
        return Err(Error::HlsFormat);
    }
    let key =
        stream.protection.as_ref().map(|protection| key(protection, key_format)).transpose()?;
    // Room for all from the start: a buffer that grows leaves keys behind.
    let room = 512 + stream.index.segments.len() * (96 + url.len());
    let mut text = Zeroizing::new(String::with_capacity(room));
    let target = stream.longest_segment().round().max(1.0);
    let mut write = || {
        writeln!(text, "#EXTM3U")?;
        writeln!(text, "#EXT-X-VERSION:{VERSION}")?;
        writeln!(text, "#EXT-X-TARGETDURATION:{target:.0}")?;
        writeln!(text, "#EXT-X-PLAYLIST-TYPE:VOD")?;
        if stream.is_independent() {
            writeln!(text, "#EXT-X-INDEPENDENT-SEGMENTS")?;
        }
        writeln!(text, "#EXT-X-MAP:URI={},BYTERANGE=\"{}@0\"", quoted(url), stream.init)?;
        // Behind the initialization segment, which is not encrypted.
        if let Some(key) = &key {
            text.push_str(key);
        }
        for segment in &stream.index.segments {
            let (start, end) = (segment.range.start, segment.range.end);
            writeln!(text, "#EXTINF:{:.6},", stream.seconds(segment.duration))?;
            writeln!(text, "#EXT-X-BYTERANGE:{}@{start}", end - start)?;
            writeln!(text, "{url}")?;
        }
        writeln!(text, "#EXT-X-ENDLIST")
    };
    // Writing to a string does not fail.
    let _: std::fmt::Result = write();
    Ok(text)
}

/// The line that names the key.
fn key(protection: &Protection, format: KeyFormat<'_>) -> Result<Zeroizing<String>, Error> {
    let method = match &protection.scheme.0 {
        b"cenc" => "SAMPLE-AES-CTR",
        b"cbcs" => "SAMPLE-AES",
        _ => return Err(Error::HlsScheme { scheme: protection.scheme }),
    };
    let (1, Some(kid)) = (protection.kids.len(), protection.kids.first()) else {
        return Err(Error::HlsRotation);
    };
    let (name, octets) = match format {
        KeyFormat::ClearKey => ("org.w3.clearkey", kid.as_bytes()),
        KeyFormat::Identity(keys) => {
            let jwk = keys.iter().find(|jwk| jwk.kid() == kid);
            let jwk = jwk.ok_or_else(|| Error::NoKey { kid: kid.clone() })?;
            ("identity", jwk.key().as_slice())
        }
    };
    let octets = Zeroizing::new(STANDARD.encode(octets));
    let mut line = Zeroizing::new(String::with_capacity(256));
    for part in [
        "#EXT-X-KEY:METHOD=",
        method,
        ",URI=\"data:text/plain;base64,",
        &octets,
        "\",KEYFORMAT=\"",
        name,
        "\",KEYFORMATVERSIONS=\"1\"\n",
    ] {
        line.push_str(part);
    }
    Ok(line)
}

/// Writes the playlist of playlists: a variant for each video stream with each group of audio streams. `url`
/// leads to the playlist of the stream.
///
/// Audio streams of one codec are the choices of one group, as long as a language or the number of channels
/// tells them apart; others are in groups of their own.
///
/// # Errors
/// None at present.
pub fn multivariant_playlist(streams: &[StreamAt<'_>]) -> Result<String, Error> {
    let of = |kind| streams.iter().filter(move |at| at.stream.media_type.kind == kind);
    let (videos, audios): (Vec<_>, Vec<_>) = (of(Kind::Video).collect(), of(Kind::Audio).collect());
    let mut text = format!("#EXTM3U\n#EXT-X-VERSION:{VERSION}\n");
    if streams.iter().all(|at| at.stream.is_independent()) {
        text += "#EXT-X-INDEPENDENT-SEGMENTS\n";
    }
    // Sound without pictures is a variant by itself.
    let groups = if videos.is_empty() { Vec::new() } else { groups(&audios) };
    groups.iter().for_each(|group| group.write(&mut text));
    let variants = if videos.is_empty() { &audios } else { &videos };
    for at in variants {
        match groups.as_slice() {
            [] => write_variant(&mut text, at, None),
            groups => groups.iter().for_each(|group| write_variant(&mut text, at, Some(group))),
        }
    }
    Ok(text)
}

/// Audio streams of which a player takes one.
struct Group<'s, 'a> {
    id: String,
    members: Vec<&'a StreamAt<'s>>,
}

fn groups<'s, 'a>(audios: &[&'a StreamAt<'s>]) -> Vec<Group<'s, 'a>> {
    let mut groups: Vec<Group<'s, 'a>> = Vec::new();
    for at in audios {
        let takes = |group: &&mut Group<'_, '_>| {
            let codecs = |at: &StreamAt<'_>| at.stream.media_type.codecs.clone();
            group.members.iter().all(|member| {
                codecs(member) == codecs(at) && choice(member.stream) != choice(at.stream)
            })
        };
        match groups.iter_mut().find(takes) {
            Some(group) => group.members.push(at),
            None => {
                let id = format!("audio{}", groups.len());
                groups.push(Group { id, members: vec![at] });
            }
        }
    }
    groups
}

/// What a listener may choose by.
fn choice(stream: &Stream) -> (Option<&str>, Option<u16>) {
    (stream.language.as_deref(), stream.audio.map(|audio| audio.channels))
}

impl Group<'_, '_> {
    fn write(&self, text: &mut String) {
        for (index, StreamAt { url, stream }) in self.members.iter().enumerate() {
            let (language, channels) = choice(stream);
            let mut name = language.unwrap_or("audio").to_owned();
            // Names in a group differ, and so do languages, mostly.
            if self.members[..index].iter().any(|member| choice(member.stream).0 == language) {
                name += &format!(" {}", index + 1);
            }
            *text += &format!("#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID={}", quoted(&self.id));
            *text += &format!(",NAME={}", quoted(&name));
            if let Some(language) = language {
                *text += &format!(",LANGUAGE={}", quoted(language));
            }
            *text += if index == 0 { ",DEFAULT=YES,AUTOSELECT=YES" } else { ",AUTOSELECT=YES" };
            if let Some(channels @ 1..) = channels {
                *text += &format!(",CHANNELS=\"{channels}\"");
            }
            *text += &format!(",URI={}\n", quoted(url));
        }
    }
}

fn write_variant(text: &mut String, at: &StreamAt<'_>, group: Option<&Group<'_, '_>>) {
    let StreamAt { url, stream } = at;
    let sound = group.map_or(&[][..], |group| &group.members);
    let most = |rate: fn(&Stream) -> u64| {
        rate(stream) + sound.iter().map(|at| rate(at.stream)).max().unwrap_or(0)
    };
    let mut codecs = stream.media_type.codecs.clone();
    if let Some(first) = sound.first() {
        codecs.extend(first.stream.media_type.codecs.iter().cloned());
    }
    *text += &format!("#EXT-X-STREAM-INF:BANDWIDTH={}", most(|stream| stream.peak_bandwidth));
    *text += &format!(",AVERAGE-BANDWIDTH={}", most(|stream| stream.average_bandwidth));
    *text += &format!(",CODECS={}", quoted(&codecs.join(",")));
    if let Some(video) = stream.video {
        *text += &format!(",RESOLUTION={}x{}", video.width, video.height);
        if let Some(rate) = video.frame_rate {
            *text += &format!(",FRAME-RATE={:.3}", rate.as_f64());
        }
    }
    if let Some(group) = group {
        *text += &format!(",AUDIO={}", quoted(&group.id));
    }
    *text += &format!("\n{url}\n");
}

/// A quoted string, which cannot hold quotes and line ends; URLs, names and codecs have none.
fn quoted(text: &str) -> String {
    let allowed = |c: &char| !matches!(c, '"' | '\n' | '\r');
    format!("\"{}\"", text.chars().filter(allowed).collect::<String>())
}
