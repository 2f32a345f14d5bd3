//! What the fuzzers of `fuzz/` run, which the tests here run on seeds. No release has it.

use container::Window;
use quick_xml::{Reader, events::Event};

use crate::{MediaType, Stream, StreamAt, dash, hls};

/// Says of bytes, as a file, all that a player is told. Whether a manifest leads to it.
#[must_use]
pub fn manifest(bytes: &[u8]) -> bool {
    let input = Window::new(0, bytes);
    let media_type = MediaType::read(&input);
    if let Ok(media_type) = &media_type {
        let said = media_type.to_string();
        assert!(said.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{said}");
    }
    let Ok(stream) = Stream::read(&input) else { return false };
    assert_eq!(media_type.ok().as_ref(), Some(&stream.media_type));
    assert!(stream.peak_bandwidth >= stream.average_bandwidth);
    let at = StreamAt { url: "film.mp4?a=1&b=%22", stream: &stream };
    if let Ok(manifest) = dash::manifest(&[at], Some("https://example.org/?a=1&b=2")) {
        is_xml(&manifest);
    }
    if let Ok(playlist) = hls::multivariant_playlist(&[at]) {
        is_playlist(&playlist);
    }
    true
}

/// It is XML from its first character to its last.
fn is_xml(text: &str) {
    let mut reader = Reader::from_str(text);
    loop {
        match reader.read_event().unwrap_or_else(|error| panic!("{error}: {text}")) {
            Event::Eof => return,
            Event::Start(element) | Event::Empty(element) => {
                element.attributes().for_each(|attribute| drop(attribute.expect("an attribute")));
            }
            _ => {}
        }
    }
}

/// Each of its lines is whole.
fn is_playlist(text: &str) {
    assert!(text.starts_with("#EXTM3U\n") && text.ends_with('\n'));
    assert!(!text.contains(|character: char| character.is_control() && character != '\n'));
    assert!(text.lines().all(|line| line.matches('"').count() % 2 == 0), "{text}");
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    #[test]
    fn files_with_an_index_get_through() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/indexed");
        let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
        let mut count = 0;
        for path in files {
            assert!(manifest(&fs::read(&path).unwrap()), "{}", path.display());
            count += 1;
        }
        assert_eq!(count, 4);
    }

    #[test]
    fn garbage_does_not() {
        for garbage in [&b""[..], b"RIFF....", b"\0\0\0\x08moov", b"\x1a\x45\xdf\xa3\x80"] {
            assert!(!manifest(garbage));
        }
    }
}
