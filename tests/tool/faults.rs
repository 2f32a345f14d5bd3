//! What goes wrong on the way: disks that are full, pipes and connections that close, signals. `conformance/faults`
//! brings about what needs more than a shell.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    net::TcpListener,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::support::{
    Dir, Fixture, KEY, OTHER_KID, Way, assert_same, clearkey, decrypt, other_pair, pair, run,
};

fn fixture() -> Fixture {
    Fixture::named("b4_cenc_avc_aac_fragb4.mp4")
}

fn indexed(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/indexed").join(name)
}

/// The command with files of so many blocks of 512 octets at most: what comes behind that fails as on a full disk.
fn limited(blocks: u64) -> assert_cmd::Command {
    let mut command = assert_cmd::Command::new("sh");
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_clearkey")]);
    command
}

/// The keys of an old file are there as long as the old file is.
#[test]
fn keys_take_their_name_with_the_files() {
    let dir = Dir::new();
    for name in ["keys.txt", "license.json", "avc.mp4", "aac.mp4", "film.mpd", "film.m3u8"] {
        dir.write(name, b"old");
    }
    let before = dir.names();
    let mut command = limited(40);
    command.arg("encrypt").args([indexed("aac.mp4"), indexed("avc.mp4")]);
    for (option, name) in [
        ("-o", ""),
        ("--keys-out", "keys.txt"),
        ("--license-out", "license.json"),
        ("--mpd", "film.mpd"),
        ("--hls", "film.m3u8"),
    ] {
        command.arg(option).arg(dir.path(name));
    }
    run(&mut command).refused(2, &["avc.mp4", "File too large"]);
    assert_eq!(dir.names(), before);
    assert!(before.iter().all(|name| dir.read(name) == b"old"));
}

#[test]
fn a_new_folder_goes_with_the_files_that_were_to_be_in_it() {
    let dir = Dir::new();
    let mut command = limited(40);
    command.arg("encrypt").args([indexed("aac.mp4"), indexed("avc.mp4")]);
    run(command.arg("-o").arg(dir.path("new")).args(["--key", &pair()])).refused(2, &["avc.mp4"]);
    assert_eq!(dir.names(), [""; 0]);
}

#[test]
fn a_file_in_place_that_is_partly_decrypted_is_called_so() {
    let (fixture, dir) = (fixture(), Dir::new());
    let path = dir.write("in.mp4", &fixture.bytes());
    let mut command = limited(100);
    command.arg("decrypt").arg(&path).arg("--in-place");
    fixture.keys.iter().for_each(|key| _ = command.args(["--key", key]));
    run(&mut command).refused(2, &["in.mp4", "a part of the file is decrypted already", "writing"]);
    assert_ne!(dir.read("in.mp4"), fixture.bytes());
}

/// Who does not read what was found may still ask for the exit code.
#[test]
fn a_closed_stdout_changes_no_exit_code() {
    let (fixture, dir) = (fixture(), Dir::new());
    let (input, out) = (fixture.path(), dir.path("out.mp4"));
    let request =
        dir.write("request", br#"{"kids":["EAAAABAAEAAQABAAAAAAAg"],"type":"temporary"}"#);
    let wrong = format!("{OTHER_KID}:{KEY}");
    let (input, out) = (input.to_str().unwrap(), out.to_str().unwrap());
    let some = ["decrypt", input, "-o", out, "--json", "--key", &pair()].map(str::to_owned);
    let wrong = [&some[..], &["--key".to_owned(), wrong]].concat();
    let left = [&some[..], &["--allow-missing-keys".to_owned()]].concat();
    let all = [&some[..], &["--key".to_owned(), other_pair()]].concat();
    let answer = ["license", "--key", &pair(), "--request", request.to_str().unwrap()];
    let answer = answer.map(str::to_owned).to_vec();
    for (args, code) in [(wrong, 1), (left, 1), (answer, 1), (all, 0)] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_clearkey"));
        command.args(&args).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        drop(child.stdout.take());
        assert_eq!(child.wait().unwrap().code(), Some(code), "{args:?}");
    }
}

#[test]
fn what_came_of_the_keys_counts_before_a_full_stdout() {
    let (fixture, dir) = (fixture(), Dir::new());
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_clearkey"));
    command.arg("decrypt").arg(fixture.path()).arg("-o").arg(dir.path("out.mp4")).arg("--json");
    command.args(["--key", &pair(), "--key", &format!("{OTHER_KID}:{KEY}")]).stdout(full);
    let output = command.output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains(OTHER_KID), "{stderr}");
}

/// A server that closes the connection is no reader that has had enough of our output.
#[test]
fn a_license_server_that_goes_is_a_failure() {
    let (fixture, dir) = (fixture(), Dir::new());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    thread::spawn(move || listener.incoming().for_each(drop));
    for _ in 0..20 {
        let mut command = clearkey();
        command.arg("decrypt").arg(fixture.path()).arg("-o").arg(dir.path("out.mp4"));
        run(command.args(["--license", &url])).refused(2, &[&url, "does not answer"]);
    }
    assert_eq!(dir.names(), [""; 0]);
}

#[test]
fn serve_does_not_serve_where_nobody_knows() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_clearkey"));
    command.args(["serve", "--bind", "127.0.0.1:0", "--key", &pair()]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(2), "{stderr}");
    assert!(stderr.contains("stdout"), "{stderr}");
}

/// Whoever opens a pipe without a writer waits for one.
#[test]
fn a_pipe_without_a_writer_is_refused_at_once() {
    let (fixture, dir) = (fixture(), Dir::new());
    let fifo = dir.path("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let mut in_place = decrypt(&fixture.keys);
    run(in_place.arg(&fifo).arg("--in-place")).refused(2, &["fifo", "not a regular file"]);
    let mut copy = decrypt(&fixture.keys);
    run(copy.arg(&fifo).arg("-o").arg(dir.path("out"))).refused(2, &["fifo", "not a regular file"]);
}

#[test]
fn an_output_behind_a_link_that_leads_nowhere() {
    let (fixture, dir) = (fixture(), Dir::new());
    symlink("nothing.mp4", dir.path("nowhere.mp4")).unwrap();
    symlink("loop.mp4", dir.path("loop.mp4")).unwrap();
    for (name, says) in [("nowhere.mp4", "leads nowhere"), ("loop.mp4", "symbolic links")] {
        let mut command = decrypt(&fixture.keys);
        run(command.arg(fixture.path()).arg("-o").arg(dir.path(name))).refused(2, &[name, says]);
        assert!(fs::symlink_metadata(dir.path(name)).unwrap().is_symlink());
    }
    assert_eq!(dir.names(), ["loop.mp4", "nowhere.mp4"]);
}

/// While one output waits for its reader, all that is written lies beside its names.
#[test]
fn a_signal_sweeps_keys_that_have_no_name_yet() {
    for signal in ["INT", "TERM", "HUP"] {
        let dir = Dir::new();
        let (keys, fifo) = (dir.write("keys.txt", b"old"), dir.path("fifo"));
        assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        let mut command = Command::new(env!("CARGO_BIN_EXE_clearkey"));
        command.arg("encrypt").arg(indexed("aac.mp4")).arg("-o").arg(&fifo);
        let mut child = command.arg("--keys-out").arg(&keys).spawn().unwrap();
        let begin = Instant::now();
        while dir.names().len() < 3 {
            assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", dir.names());
            thread::sleep(Duration::from_millis(5));
        }
        let pid = child.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &pid]).status().unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(130), "{signal}");
        assert_eq!(dir.names(), ["fifo", "keys.txt"], "{signal}");
        assert_eq!(dir.read("keys.txt"), b"old", "{signal}");
    }
}

/// The program waits in the middle of its input, which is changed then.
#[test]
fn an_input_that_is_changed_while_it_is_read() {
    let (fixture, dir) = (fixture(), Dir::new());
    let (input, clear) = (fixture.bytes(), Way::Path.decrypt(&fixture.bytes(), &fixture.keys));
    let large = input.repeat(8);
    for (name, is_changed) in [("overwritten", true), ("grown", true), ("as it was", false)] {
        let (path, fifo) = (dir.write("in.mp4", &large), dir.path("fifo"));
        let _ = fs::remove_file(&fifo);
        assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        let mut command = Command::new(env!("CARGO_BIN_EXE_clearkey"));
        command.arg("decrypt").arg(&path).arg("-o").arg(&fifo).args(["--quiet", "--no-verify"]);
        fixture.keys.iter().for_each(|key| _ = command.args(["--key", key]));
        let child = command.stderr(Stdio::piped()).spawn().unwrap();
        // It has been opened when something comes, and a pipe holds less than the rest.
        let mut reader = BufReader::new(fs::File::open(&fifo).unwrap());
        reader.fill_buf().unwrap();
        match name {
            "overwritten" => fs::write(&path, vec![0; large.len()]).unwrap(),
            "grown" => fs::write(&path, input.repeat(9)).unwrap(),
            _ => {}
        }
        let mut out = Vec::new();
        reader.read_to_end(&mut out).unwrap();
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        if is_changed {
            assert_eq!(output.status.code(), Some(2), "{name}: {stderr}");
            assert!(stderr.contains("in.mp4"), "{name}: {stderr}");
        } else {
            assert_eq!(output.status.code(), Some(0), "{name}: {stderr}");
            assert_same(&out, &clear.repeat(8), name);
        }
    }
}
