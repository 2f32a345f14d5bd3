//! What every test needs: a folder of its own, the command, and the fixtures.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use assert_cmd::Command;
use serde::Deserialize;
use tempfile::TempDir;

/// A folder that goes when the test ends.
pub(crate) struct Dir(TempDir);

impl Dir {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// The names of all files in it, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

/// The command, with no keys in its environment.
pub(crate) fn clearkey() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_clearkey"));
    command.env_remove("CLEARKEY_KEYS").timeout(Duration::from_secs(60));
    command
}

/// `clearkey decrypt` with these keys.
pub(crate) fn decrypt(keys: &[String]) -> Command {
    let mut command = clearkey();
    command.arg("decrypt");
    for key in keys {
        command.arg("--key").arg(key);
    }
    command
}

/// The two keys that most tests encrypt with.
pub(crate) const KID: &str = "10000000100010001000100000000001";
pub(crate) const KEY: &str = "3a2a1b68dd2bd9b2eeb25e84c4776668";
pub(crate) const OTHER_KID: &str = "10000000100010001000100000000002";
pub(crate) const OTHER_KEY: &str = "550727de4c96ef1ecff874905493580f";

pub(crate) fn pair() -> String {
    format!("{KID}:{KEY}")
}

pub(crate) fn other_pair() -> String {
    format!("{OTHER_KID}:{OTHER_KEY}")
}

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

/// Runs a command. However it ends, it does not panic and shows none of its keys.
#[track_caller]
pub(crate) fn run(command: &mut Command) -> Run {
    let keys: Vec<_> = command
        .get_args()
        .filter_map(|arg| Some(arg.to_str()?.split_once(':')?.1.to_lowercase()))
        .filter(|key| key.len() >= 16 && !key.starts_with("//"))
        .collect();
    let output = command.output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    let Some(code) = output.status.code() else { panic!("{:?}: {stderr}", output.status) };
    assert!(code != 101 && !stderr.contains("panicked"), "{stderr}");
    for key in keys {
        assert!(!stderr.to_lowercase().contains(&key), "a key on stderr: {stderr}");
        let shown = output.stdout.to_ascii_lowercase();
        let shown = shown.windows(key.len()).any(|window| window == key.as_bytes());
        assert!(!shown, "a key on stdout");
    }
    Run { code, stdout: output.stdout, stderr }
}

impl Run {
    /// Asks for success.
    #[track_caller]
    pub(crate) fn done(self) -> Self {
        assert_eq!(self.code, 0, "{}", self.stderr);
        self
    }

    /// Asks for a refusal with this exit code, whose message says all of this.
    #[track_caller]
    pub(crate) fn refused(self, code: i32, says: &[&str]) -> Self {
        assert_eq!(self.code, code, "{}", self.stderr);
        assert!(self.stderr.starts_with("clearkey: "), "{:?}", self.stderr);
        for words in says {
            assert!(self.stderr.contains(words), "{words:?} is not in {:?}", self.stderr);
        }
        self
    }
}

/// The ways to have a file decrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Path,
    Stdin,
    InPlace,
    Compact,
    CompactStdin,
}

impl Way {
    pub(crate) const ALL: [Self; 5] =
        [Self::Path, Self::Stdin, Self::InPlace, Self::Compact, Self::CompactStdin];

    /// Whether this takes boxes out.
    pub(crate) fn is_compact(self) -> bool {
        matches!(self, Self::Compact | Self::CompactStdin)
    }

    /// Runs the command over `input`. `input` comes back as it is after that, and the output, if
    /// there is one.
    #[track_caller]
    pub(crate) fn run(self, input: &[u8], args: &[String]) -> (Run, Vec<u8>, Option<Vec<u8>>) {
        let dir = Dir::new();
        let path = dir.write("in.mp4", input);
        let mut command = clearkey();
        command.arg("decrypt").args(args);
        if self.is_compact() {
            command.arg("--compact");
        }
        match self {
            Self::Path | Self::Compact => {
                command.arg(&path).arg("-o").arg(dir.path("out.mp4"));
            }
            Self::InPlace => {
                command.arg("--in-place").arg(&path);
            }
            Self::Stdin | Self::CompactStdin => {
                command.args(["-", "-o", "-"]).write_stdin(input);
            }
        }
        let run = run(&mut command);
        let input = dir.read("in.mp4");
        let output = match self {
            Self::Path | Self::Compact => fs::read(dir.path("out.mp4")).ok(),
            Self::InPlace => Some(input.clone()),
            Self::Stdin | Self::CompactStdin => Some(run.stdout.clone()),
        };
        assert!(dir.names().iter().all(|name| name == "in.mp4" || name == "out.mp4"));
        (run, input, output)
    }

    /// Decrypts `input`.
    #[track_caller]
    pub(crate) fn decrypt(self, input: &[u8], keys: &[String]) -> Vec<u8> {
        let (run, _, output) = self.run(input, &key_args(keys));
        run.done();
        output.unwrap()
    }
}

pub(crate) fn key_args(keys: &[String]) -> Vec<String> {
    keys.iter().flat_map(|key| ["--key".to_owned(), key.clone()]).collect()
}

/// A file of `fixtures/media`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Fixture {
    pub(crate) file: String,
    layout: String,
    pub(crate) keys: Vec<String>,
    /// MD5 of the clear samples of the video and of the audio track.
    pub(crate) clear_md5: BTreeMap<String, String>,
}

impl Fixture {
    /// All of them.
    pub(crate) fn all() -> Vec<Self> {
        let text = fs::read(media("manifest.json")).unwrap();
        let fixtures: Vec<Self> = serde_json::from_slice(&text).unwrap();
        assert!(fixtures.len() >= 28, "the manifest holds {} files", fixtures.len());
        fixtures
    }

    /// Those that are MP4.
    pub(crate) fn mp4() -> Vec<Self> {
        Self::all().into_iter().filter(|fixture| fixture.layout != "webm").collect()
    }

    /// Those that are WebM.
    pub(crate) fn webm() -> Vec<Self> {
        Self::all().into_iter().filter(|fixture| fixture.layout == "webm").collect()
    }

    pub(crate) fn named(file: &str) -> Self {
        Self::all().into_iter().find(|fixture| fixture.file == file).unwrap()
    }

    pub(crate) fn path(&self) -> PathBuf {
        media(&self.file)
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        fs::read(self.path()).unwrap()
    }
}

/// A path in `fixtures/media`.
pub(crate) fn media(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/media").join(name)
}

/// Asks for equal bytes, and says where they are not.
#[track_caller]
pub(crate) fn assert_same(actual: &[u8], expected: &[u8], what: &str) {
    let at = actual.iter().zip(expected).position(|(a, b)| a != b);
    let at = at.or((actual.len() != expected.len()).then(|| actual.len().min(expected.len())));
    let Some(at) = at else { return };
    let around = |bytes: &[u8]| {
        let window = at.saturating_sub(8).min(bytes.len())..(at + 24).min(bytes.len());
        bytes[window].escape_ascii().to_string()
    };
    let is_boxes = !crate::frames::is_webm(expected);
    let boxes = if is_boxes { crate::boxes::walk(expected) } else { Vec::new() };
    panic!(
        "{what}: {} bytes, expected {}; they differ from byte {at} on: {} instead of {}; in {:?}",
        actual.len(),
        expected.len(),
        around(actual),
        around(expected),
        boxes.iter().rfind(|boxed| boxed.at <= at && at < boxed.end).map(|boxed| &boxed.path),
    );
}
