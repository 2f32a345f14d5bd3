//! Files of 1 MiB that want to be expensive, in 50 MiB of memory: the command ends soon and
//! by itself, with a message or with the samples.

mod counts;
mod floods;

use std::time::Duration;

use assert_cmd::Command;

use crate::{
    boxes::find,
    make::{Form, Iv, Movie, Protected, Setting, Track, Writer, noise, write},
    support::{Dir, Run, assert_same, run},
};

const MEBIBYTE: usize = 1 << 20;

/// KiB that may be written to: data, heap and stacks. Code is not among them.
const LIMIT: u32 = 50 << 10;

/// In a debug build on a busy machine.
const SOON: Duration = Duration::from_secs(30);

/// What has to come of a hostile file.
#[derive(Clone, Copy)]
enum Expected<'e> {
    /// Exit code 2, and a message that says this.
    Refused(&'e str),
    /// Exit code 0, and this file, if its lengths stay.
    Done(&'e [u8]),
}

/// The command in little memory.
fn limited() -> Command {
    let mut command = Command::new("sh");
    let script = format!("ulimit -d {LIMIT}; exec \"$0\" \"$@\"");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_clearkey")]);
    command.env_remove("CLEARKEY_KEYS").timeout(SOON);
    command
}

/// Has a file decrypted in every way, and inspected.
#[track_caller]
fn check(file: &[u8], keys: &[String], expected: Expected<'_>) {
    assert!(file.len() < MEBIBYTE + 4096, "{} bytes", file.len());
    let dir = Dir::new();
    let (input, out) = (dir.write("in.mp4", file), dir.path("out.mp4"));
    let decrypt = |args: &[&str]| {
        let mut command = limited();
        command.arg("decrypt").args(args);
        keys.iter().for_each(|key| _ = command.arg("--key").arg(key));
        command
    };
    let verdict = |run: Run| match expected {
        Expected::Refused(says) => _ = run.refused(2, &[says]),
        Expected::Done(_) => _ = run.done(),
    };
    verdict(run(limited().arg("inspect").arg(&input)));
    verdict(run(decrypt(&["--compact"]).arg(&input).arg("-o").arg(&out)));
    verdict(run(decrypt(&[]).arg(&input).arg("-o").arg(&out)));
    let piped = run(decrypt(&["-", "-o", "-"]).write_stdin(file));
    let in_place = run(decrypt(&["--in-place"]).arg(&input));
    match expected {
        Expected::Refused(_) => assert_same(&dir.read("in.mp4"), file, "in place"),
        Expected::Done(clear) => {
            assert_same(&dir.read("out.mp4"), clear, "by path");
            assert_same(&piped.stdout, clear, "by stdin");
            assert_same(&dir.read("in.mp4"), clear, "in place");
        }
    }
    verdict(piped);
    verdict(in_place);
}

/// A movie header with one track: protected, clear, and its keys.
struct Header {
    protected: Vec<u8>,
    clear: Vec<u8>,
    keys: Vec<String>,
}

impl Header {
    fn new(protected: Protected) -> Self {
        Self::of([Track::audio(1).protect_whole(protected)])
    }

    fn of(tracks: impl IntoIterator<Item = Track>) -> Self {
        let made = Movie::fragmented(tracks).make();
        let header = |file: &[u8]| file[..find(file, "moof")[0].at].to_vec();
        Self { protected: header(&made.protected), clear: header(&made.default), keys: made.keys }
    }

    /// Checks this header with the same bytes behind it in both forms.
    #[track_caller]
    fn check_done_with(&self, rest: &[u8]) {
        let clear = [&self.clear, rest].concat();
        check(&[&self.protected, rest].concat(), &self.keys, Expected::Done(&clear));
    }

    /// Checks that this header with a fragment, and samples up to 1 MiB, is refused.
    #[track_caller]
    fn check_refused_with(&self, fragment: &[u8], says: &str) {
        let left = (MEBIBYTE - 8).saturating_sub(self.protected.len() + fragment.len());
        let file = [&self.protected, fragment, &mdat(left)].concat();
        check(&file, &self.keys, Expected::Refused(says));
    }
}

/// Whole samples, AES-CTR, and no auxiliary information.
fn constant_iv() -> Protected {
    let iv = Iv::Constant(noise(1, 16));
    Protected::new(cenc::Scheme::Cenc, Setting { iv, ..Setting::new(1) }).without_aux()
}

/// A fragment of track 1; `default_size` is that of its samples.
fn fragment(default_size: u32, traf: impl Fn(&mut Writer<'_>)) -> Vec<u8> {
    write(Form::Protected, |out| {
        out.boxed(b"moof", |out| {
            out.boxed(b"traf", |out| {
                out.full(b"tfhd", 0, 0x2_0010, |out| out.fields([1, default_size]));
                traf(out);
            });
        });
    })
}

fn mdat(len: usize) -> Vec<u8> {
    write(Form::Protected, |out| out.boxed(b"mdat", |out| out.put(&noise(2, len))))
}
