//! What is read of the fixtures, and what is written of them, to the letter.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used)]

use std::{
    fs,
    path::{Path, PathBuf},
};

use clearkey::Jwk;
use container::Window;
use manifest::{
    Error, MediaType, Stream, StreamAt, dash,
    hls::{self, KeyFormat},
};

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures").join(name)
}

fn read(name: &str) -> Vec<u8> {
    fs::read(path(name)).unwrap()
}

fn stream(name: &str) -> Result<Stream, Error> {
    Stream::read(&Window::new(0, &read(name)))
}

/// The names of the files in a folder.
fn names(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(path(folder)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let is_media = |name: &String| name.ends_with(".mp4") || name.ends_with(".webm");
    let mut names: Vec<_> = names.filter(is_media).map(|name| format!("{folder}/{name}")).collect();
    names.sort();
    names
}

/// Compares with a file of `tests/golden`; if `CLEARKEY_BLESS` is set, writes it.
#[track_caller]
fn assert_golden(name: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("CLEARKEY_BLESS").is_some() {
        fs::write(&path, found).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == expected, "{name}:\n{found}");
}

#[test]
fn all_files_have_a_media_type() {
    let mut found = String::new();
    for name in ["clear", "indexed", "media"].iter().flat_map(|folder| names(folder)) {
        let media_type = MediaType::read(&Window::new(0, &read(&name))).unwrap();
        let fragmented = if media_type.is_fragmented { "fragmented" } else { "progressive" };
        found += &format!("{name}: {media_type}, {fragmented}\n");
    }
    assert!(found.lines().count() >= 40);
    assert_golden("media_types.txt", &found);
}

#[test]
fn a_media_type_needs_the_headers_only() {
    let whole = read("indexed/avc.mp4");
    let window = Window::new(0, &whole);
    let expected = MediaType::read(&window).unwrap();
    let init = usize::try_from(Stream::read(&window).unwrap().init).unwrap();
    for len in [init, init + 7, whole.len() / 2] {
        let found = MediaType::read(&Window::new(0, &whole[..len]));
        // A box header that is cut off is an error all the same.
        match len == init + 7 {
            true => assert!(found.is_err()),
            false => assert_eq!(found.unwrap(), expected, "{len}"),
        }
    }
    assert!(MediaType::read(&Window::new(0, &whole[..init - 1])).is_err());
}

#[test]
fn dash_manifests_are_these() {
    let urls = ["video.mp4", "audio.mp4"];
    for scheme in ["cenc", "cbcs"] {
        let streams = [
            stream(&format!("media/shaka_{scheme}_avc_aac_video.mp4")).unwrap(),
            stream(&format!("media/shaka_{scheme}_avc_aac_audio.mp4")).unwrap(),
        ];
        let at: Vec<_> =
            urls.iter().zip(&streams).map(|(url, stream)| StreamAt { url, stream }).collect();
        let license = "https://example.com/license?a=1&b=<2>";
        let mpd = dash::manifest(&at, Some(license)).unwrap();
        assert_golden(&format!("{scheme}.mpd"), &mpd);
    }
    let streams = ["vp9", "opus"].map(|name| stream(&format!("indexed/{name}.webm")).unwrap());
    let at = [
        StreamAt { url: "a%20video.webm", stream: &streams[0] },
        StreamAt { url: "audio.webm", stream: &streams[1] },
    ];
    assert_golden("webm.mpd", &dash::manifest(&at, None).unwrap());
}

#[test]
fn representations_of_one_kind_share_a_set() {
    let [avc, aac, vp9] = ["indexed/avc.mp4", "indexed/aac.mp4", "indexed/vp9.webm"]
        .map(|name| stream(name).unwrap());
    let protected = stream("media/shaka_cenc_avc_aac_video.mp4").unwrap();
    let mut english = aac.clone();
    english.language = Some("en".to_owned());
    let all = [&avc, &aac, &vp9, &avc, &protected, &english, &aac];
    let at = all.map(|stream| StreamAt { url: "x", stream });
    let mpd = dash::manifest(&at, None).unwrap();
    // AVC twice, VP9, protected AVC; German twice, English.
    let sets: Vec<_> = mpd
        .split("<AdaptationSet ")
        .skip(1)
        .map(|set| set.matches("<Representation ").count())
        .collect();
    assert_eq!(sets, [2, 1, 1, 2, 1]);
    assert_eq!(mpd.matches("<ContentProtection ").count(), 2);
    // Two copies of one stream are aligned, and its segments begin with sync samples.
    assert_eq!(mpd.matches("subsegmentAlignment=\"true\"").count(), 5);
    let mut longer = avc.clone();
    longer.index.segments[0].duration += 1;
    let at = [&avc, &longer].map(|stream| StreamAt { url: "x", stream });
    assert!(!dash::manifest(&at, None).unwrap().contains("subsegmentAlignment"));
}

#[test]
fn a_late_start_is_an_offset() {
    let mut late = stream("indexed/avc.mp4").unwrap();
    late.index.start = 10 * u64::from(late.index.timescale);
    let mut later = stream("indexed/aac.mp4").unwrap();
    later.index.start = 11 * u64::from(later.index.timescale);
    let at = [&late, &later].map(|stream| StreamAt { url: "x", stream });
    let mpd = dash::manifest(&at, None).unwrap();
    assert!(
        mpd.contains("timescale=\"12800\"") && mpd.contains("presentationTimeOffset=\"128000\"")
    );
    assert!(
        mpd.contains("timescale=\"48000\"") && mpd.contains("presentationTimeOffset=\"480000\"")
    );
    assert!(mpd.contains("mediaPresentationDuration=\"PT5.010667S\""), "{mpd}");
}

/// The key of `shaka_…_video.mp4`.
fn key() -> Jwk {
    let octets = *b"\x3a\x2a\x1b\x68\xdd\x2b\xd9\xb2\xee\xb2\x5e\x84\xc4\x77\x66\x68";
    Jwk::new("10000000-1000-1000-1000-100000000001".parse().unwrap(), octets)
}

#[test]
fn playlists_are_these() {
    for scheme in ["cenc", "cbcs"] {
        let stream = stream(&format!("media/shaka_{scheme}_avc_aac_video.mp4")).unwrap();
        let at = StreamAt { url: "a%20video.mp4", stream: &stream };
        let playlist = hls::media_playlist(&at, KeyFormat::ClearKey).unwrap();
        assert_golden(&format!("{scheme}_clearkey.m3u8"), &playlist);
        let playlist = hls::media_playlist(&at, KeyFormat::Identity(&[key()])).unwrap();
        assert_golden(&format!("{scheme}_identity.m3u8"), &playlist);
    }
    let streams = ["indexed/avc.mp4", "indexed/aac.mp4"].map(|name| stream(name).unwrap());
    let [avc, aac] = &streams;
    let at = StreamAt { url: "avc.mp4", stream: avc };
    let playlist = hls::media_playlist(&at, KeyFormat::ClearKey).unwrap();
    assert_golden("clear.m3u8", &playlist);

    let mut english = aac.clone();
    english.language = Some("en".to_owned());
    let mut other = aac.clone();
    other.media_type.codecs = vec!["mp4a.40.5".to_owned()];
    (other.language, other.peak_bandwidth) = (None, 500_000);
    let at = |url, stream| StreamAt { url, stream };
    let all = [
        at("german.m3u8", aac),
        at("video.m3u8", avc),
        at("english.m3u8", &english),
        at("other.m3u8", &other),
    ];
    assert_golden("multivariant.m3u8", &hls::multivariant_playlist(&all).unwrap());
    // The same language with other channels.
    let mut surround = aac.clone();
    surround.audio = surround.audio.map(|audio| manifest::Audio { channels: 6, ..audio });
    let all = [at("a.m3u8", aac), at("video.m3u8", avc), at("b.m3u8", &surround)];
    let text = hls::multivariant_playlist(&all).unwrap();
    assert!(
        text.contains("NAME=\"de\",") && text.contains("NAME=\"de 2\",LANGUAGE=\"de\","),
        "{text}"
    );
    let sound = hls::multivariant_playlist(&all[..1]).unwrap();
    assert!(sound.ends_with(",CODECS=\"mp4a.40.2\"\na.m3u8\n"), "{sound}");
    assert!(!sound.contains("EXT-X-MEDIA:"), "{sound}");
}

#[test]
fn what_playlists_cannot_say_is_refused() {
    let refused = |name: &str, format| {
        let stream = stream(name).unwrap();
        let at = StreamAt { url: "x", stream: &stream };
        hls::media_playlist(&at, format).unwrap_err().to_string()
    };
    let clear_key = KeyFormat::ClearKey;
    assert_eq!(refused("indexed/vp9.webm", clear_key), "HLS has no WebM");
    let cens = "media/shaka_cens_avc_aac_video.mp4";
    assert_eq!(refused(cens, clear_key), "HLS has no method for the scheme cens");
    let message = "its keys change, and a playlist cannot tell players which samples each is for";
    assert_eq!(refused("media/shaka_cenc_keyrot_avc_video.mp4", clear_key), message);
    let audio = "media/shaka_cenc_avc_aac_audio.mp4";
    let message = "no key for KID 10000000100010001000100000000002";
    assert_eq!(refused(audio, KeyFormat::Identity(&[key()])), message);
}

#[test]
fn changing_keys_are_all_in_the_manifest() {
    let stream = stream("media/shaka_cenc_keyrot_avc_video.mp4").unwrap();
    let kids = &stream.protection.as_ref().unwrap().kids;
    assert!(kids.len() > 1, "{kids:?}");
    let at = [StreamAt { url: "x", stream: &stream }];
    assert!(!dash::manifest(&at, None).unwrap().contains("cenc:pssh>"));
    let mpd = dash::manifest(&at, Some("https://example.com/")).unwrap();
    let pssh = mpd.split("<cenc:pssh>").nth(1).unwrap().split('<').next().unwrap();
    let boxed = clearkey::pssh::Pssh::common(kids.iter().cloned().collect()).unwrap();
    assert_eq!(pssh, boxed.to_base64());
}

#[test]
fn what_has_no_segments_to_lead_to_is_refused() {
    for (name, message) in [
        ("clear/flac.mp4", "it is not fragmented"),
        ("clear/avc_aac.mp4", "it has 2 tracks, and a manifest wants one in each file"),
        ("media/mp4ff_cenc_avc_aac_a.mp4", "it has no index of its segments in front of them"),
        (
            "media/b4_piff-ctr_avc_aac_fragb4.mp4",
            "it has 2 tracks, and a manifest wants one in each file",
        ),
    ] {
        assert_eq!(stream(name).unwrap_err().to_string(), message, "{name}");
    }
    let mut matroska = read("indexed/vp9.webm");
    let at = matroska.windows(4).position(|bytes| bytes == b"webm").unwrap();
    // `matroska` has more letters than there is room for.
    matroska[at..at + 4].copy_from_slice(b"mkv\0");
    let error = Stream::read(&Window::new(0, &matroska)).unwrap_err();
    assert_eq!(error.to_string(), "it is Matroska, not WebM");
}

/// Files that end anywhere, or have a wrong byte somewhere, are described or refused, and nothing else.
#[test]
fn damaged_files_are_refused_or_described() {
    for name in
        names("indexed").into_iter().chain(["media/shaka_cenc_keyrot_avc_video.mp4".to_owned()])
    {
        let whole = read(&name);
        let look = |bytes: &[u8]| {
            let window = Window::new(0, bytes);
            _ = MediaType::read(&window);
            Stream::read(&window)
        };
        let mut described = 0;
        for len in (0..1500).chain((1500..whole.len()).step_by(997)) {
            described += usize::from(look(&whole[..len]).is_ok());
        }
        assert_eq!(described, 0, "{name}: cut and described");
        for at in 0..1500 {
            for flip in [0x01, 0x80] {
                let mut bytes = whole.clone();
                bytes[at] ^= flip;
                if let Ok(stream) = look(&bytes) {
                    let at = [StreamAt { url: "x", stream: &stream }];
                    _ = dash::manifest(&at, None);
                    _ = hls::media_playlist(&at[0], KeyFormat::ClearKey);
                    _ = hls::multivariant_playlist(&at);
                }
            }
        }
    }
}
