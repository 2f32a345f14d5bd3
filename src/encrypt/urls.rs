//! Paths as a manifest wants them: relative to it, and as URLs (RFC 3986).

use std::{
    fs,
    os::unix::ffi::OsStrExt,
    path::{Component, Path, PathBuf},
};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

/// What stands for itself in a segment of a path, and is no colon: that would make a scheme of what is before
/// it.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'@')
    .remove(b'+')
    .remove(b'=');

/// The one path of a file that may not be there yet: links followed, as far as there is something.
pub(super) fn canonical(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    for ancestor in path.ancestors() {
        if let (Ok(found), Ok(rest)) = (fs::canonicalize(ancestor), path.strip_prefix(ancestor)) {
            return if rest.as_os_str().is_empty() { found } else { found.join(rest) };
        }
    }
    path
}

/// The URL that leads from a file to another one.
pub(super) fn relative(from: &Path, to: &Path) -> String {
    let (from, to) = (canonical(from), canonical(to));
    let folder = from.parent().unwrap_or(&from);
    let (folder, to): (Vec<_>, Vec<_>) = (folder.components().collect(), to.components().collect());
    let common = folder.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = folder[common..].iter().map(|_| "..".to_owned());
    let down = to[common..].iter().map(|component| match component {
        Component::Normal(name) => percent_encode(name.as_bytes(), ESCAPED).to_string(),
        other => other.as_os_str().to_string_lossy().into_owned(),
    });
    up.chain(down).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_lead_from_the_manifest_to_the_file() {
        let url = |from: &str, to: &str| relative(Path::new(from), Path::new(to));
        assert_eq!(url("/nowhere/a.mpd", "/nowhere/video.mp4"), "video.mp4");
        assert_eq!(url("/nowhere/a.mpd", "/nowhere/out/video.mp4"), "out/video.mp4");
        assert_eq!(url("/nowhere/a/b/c.mpd", "/nowhere/a/d/v.mp4"), "../d/v.mp4");
        assert_eq!(url("a.mpd", "./out/v.mp4"), "out/v.mp4");
        assert_eq!(url("/nowhere/a/c.mpd", "/elsewhere/v.mp4"), "../../elsewhere/v.mp4");
    }

    #[test]
    fn what_is_no_url_is_escaped() {
        let url =
            |name: &str| relative(Path::new("/nowhere/a.mpd"), &Path::new("/nowhere").join(name));
        assert_eq!(url("a b&c<d>.mp4"), "a%20b%26c%3Cd%3E.mp4");
        assert_eq!(url("50%?#.mp4"), "50%25%3F%23.mp4");
        assert_eq!(url("data:1.mp4"), "data%3A1.mp4");
        assert_eq!(url("größe\".mp4"), "gr%C3%B6%C3%9Fe%22.mp4");
        assert_eq!(url("a_b-c.d~e.mp4"), "a_b-c.d~e.mp4");
    }
}
