//! Files, links, devices, pipes, and readers that have had enough.

use std::{
    fs::{self, Permissions},
    io::{self, Read, Write},
    os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::support::{Dir, Fixture, Way, assert_same, decrypt, run};

fn fixture() -> (Fixture, Vec<u8>, Vec<u8>) {
    let fixture = Fixture::named("b4_cenc_avc_aac_fragb4.mp4");
    let (input, keys) = (fixture.bytes(), fixture.keys.clone());
    let clear = Way::Path.decrypt(&input, &keys);
    (fixture, input, clear)
}

/// The command as a child process, which a test can talk to.
fn spawn(fixture: &Fixture, args: &[&Path], stdin: Stdio, stdout: Stdio) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_clearkey"));
    command.env_remove("CLEARKEY_KEYS").arg("decrypt").args(args);
    fixture.keys.iter().for_each(|key| _ = command.arg("--key").arg(key));
    command.stdin(stdin).stdout(stdout).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn the_permissions_of_an_old_output_are_kept() {
    let (fixture, input, clear) = fixture();
    let dir = Dir::new();
    let path = dir.write("in.mp4", &input);
    for mode in [0o600, 0o640, 0o666, 0o755] {
        for option in ["--quiet", "--compact"] {
            let out = dir.write("out.mp4", b"old");
            fs::set_permissions(&out, Permissions::from_mode(mode)).unwrap();
            run(decrypt(&fixture.keys).arg(&path).arg("-o").arg(&out).arg(option)).done();
            let found = fs::metadata(&out).unwrap().permissions().mode() & 0o7777;
            assert_eq!(format!("{found:o}"), format!("{mode:o}"), "{option}");
        }
    }
    assert!(dir.read("out.mp4").len() < clear.len());
}

#[test]
fn a_new_output_has_the_permissions_that_umask_leaves() {
    let (fixture, input, _) = fixture();
    let dir = Dir::new();
    let (path, out) = (dir.write("in.mp4", &input), dir.path("out.mp4"));
    for (umask, mode) in [("022", 0o644), ("077", 0o600), ("027", 0o640), ("000", 0o666)] {
        let mut command = assert_cmd::Command::new("sh");
        command.args(["-c", &format!("umask {umask}; exec \"$0\" \"$@\"")]);
        command.args([env!("CARGO_BIN_EXE_clearkey"), "decrypt", "-o"]).arg(&out).arg(&path);
        fixture.keys.iter().for_each(|key| _ = command.arg("--key").arg(key));
        run(&mut command).done();
        assert_eq!(fs::metadata(&out).unwrap().permissions().mode() & 0o7777, mode, "{umask}");
        fs::remove_file(&out).unwrap();
    }
}

/// What the link points to is replaced, and the link stays one.
#[test]
fn an_output_behind_a_link() {
    let (fixture, input, clear) = fixture();
    let dir = Dir::new();
    let path = dir.write("in.mp4", &input);
    fs::create_dir(dir.path("elsewhere")).unwrap();
    let target = dir.write("elsewhere/target.mp4", b"old");
    let link = dir.path("link.mp4");
    symlink(&target, &link).unwrap();
    run(decrypt(&fixture.keys).arg(&path).arg("-o").arg(&link)).done();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_same(&fs::read(&target).unwrap(), &clear, "the target");
    assert_eq!(dir.names(), ["elsewhere", "in.mp4", "link.mp4"]);
}

#[test]
fn an_input_behind_a_link_is_decrypted_in_place() {
    let (fixture, input, clear) = fixture();
    let dir = Dir::new();
    let path = dir.write("in.mp4", &input);
    let before = fs::metadata(&path).unwrap();
    let link = dir.path("link.mp4");
    symlink(&path, &link).unwrap();
    run(decrypt(&fixture.keys).arg(&link).arg("--in-place")).done();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_same(&dir.read("in.mp4"), &clear, "in place");
    let after = fs::metadata(&path).unwrap();
    assert_eq!((after.ino(), after.mode()), (before.ino(), before.mode()));
}

/// The output is the input. It is whole before it takes the name.
#[test]
fn an_output_over_the_input() {
    let (fixture, input, clear) = fixture();
    let compact = Way::Compact.decrypt(&input, &fixture.keys);
    let dir = Dir::new();
    for (option, expected) in [("--quiet", &clear), ("--compact", &compact)] {
        let path = dir.write("in.mp4", &input);
        run(decrypt(&fixture.keys).arg(&path).arg("-o").arg(&path).arg(option)).done();
        assert_same(&dir.read("in.mp4"), expected, option);
    }
    assert_eq!(dir.names(), ["in.mp4"]);
}

#[test]
fn devices() {
    let (fixture, input, _) = fixture();
    let dir = Dir::new();
    let path = dir.write("in.mp4", &input);
    for option in ["--quiet", "--compact"] {
        let output =
            |device: &str| run(decrypt(&fixture.keys).arg(&path).args(["-o", device, option]));
        output("/dev/null").done();
        output("/dev/full").refused(2, &["/dev/full", "No space left"]);
    }
    assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let child = spawn(&fixture, &[&path, "-o".as_ref(), "-".as_ref()], Stdio::null(), full.into());
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.starts_with("clearkey: ") && stderr.contains("stdout"), "{stderr}");
}

#[test]
fn a_fifo() {
    let (fixture, input, clear) = fixture();
    let compact = Way::Compact.decrypt(&input, &fixture.keys);
    let dir = Dir::new();
    let (path, fifo) = (dir.write("in.mp4", &input), dir.path("fifo"));
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    for (option, expected) in [("--quiet", &clear), ("--compact", &compact)] {
        let reader = thread::spawn({
            let fifo = fifo.clone();
            move || fs::read(fifo).unwrap()
        });
        run(decrypt(&fixture.keys).arg(&path).arg("-o").arg(&fifo).arg(option)).done();
        assert_same(&reader.join().unwrap(), expected, option);
    }
    assert!(fs::metadata(&fifo).unwrap().file_type().is_fifo());
    assert_eq!(dir.names(), ["fifo", "in.mp4"]);
}

/// As an input, a pipe goes to stdin.
#[test]
fn a_fifo_as_input() {
    let (fixture, ..) = fixture();
    let dir = Dir::new();
    let fifo = dir.path("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    // Opened for both, so that nobody waits for the other side.
    let _writer = fs::File::options().read(true).write(true).open(&fifo).unwrap();
    let out = dir.path("out.mp4");
    run(decrypt(&fixture.keys).arg(&fifo).arg("-o").arg(out)).refused(2, &["fifo", "stdin"]);
    assert_eq!(dir.names(), ["fifo"]);
}

/// `clearkey … | head -c 10`
#[test]
fn a_reader_that_has_had_enough() {
    let (fixture, input, clear) = fixture();
    let dir = Dir::new();
    let path = dir.write("in.mp4", &input);
    for option in ["--allow-missing-keys", "--compact"] {
        let args: [&Path; 4] = [&path, "-o".as_ref(), "-".as_ref(), option.as_ref()];
        let mut child = spawn(&fixture, &args, Stdio::null(), Stdio::piped());
        let mut head = [0; 10];
        child.stdout.take().unwrap().read_exact(&mut head).unwrap();
        assert_eq!(head, clear[..10]);
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), stderr.as_str()), (Some(0), ""), "{option}");
    }
    // Nobody reads at all.
    for args in
        [&["inspect"][..], &["inspect", "--json"], &["decrypt", "--json", "-o", "/dev/null"]]
    {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let mut command = Command::new(env!("CARGO_BIN_EXE_clearkey"));
        command.args(args).arg(&path).stdout(writer).stderr(Stdio::piped());
        if args[0] == "decrypt" {
            fixture.keys.iter().for_each(|key| _ = command.arg("--key").arg(key));
        }
        let output = command.output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), stderr.as_str()), (Some(0), ""), "{args:?}");
    }
}

/// Interrupted or ended in the middle of a stream.
#[test]
fn an_interrupted_run_leaves_nothing() {
    let (fixture, input, _) = fixture();
    for (signal, number, old) in
        [("INT", 2, None), ("INT", 2, Some(b"old")), ("TERM", 15, Some(b"old")), ("HUP", 1, None)]
    {
        let dir = Dir::new();
        old.map(|old| dir.write("out.mp4", old));
        let names = dir.names();
        let out = dir.path("out.mp4");
        let args: [&Path; 3] = ["-".as_ref(), "-o".as_ref(), &out];
        let mut child = spawn(&fixture, &args, Stdio::piped(), Stdio::null());
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(&input[..input.len() / 2]).unwrap();
        let waiting = Instant::now();
        while dir.names() == names || !handles(child.id(), number) {
            assert!(waiting.elapsed() < Duration::from_secs(20), "no new file, or no handler");
            thread::sleep(Duration::from_millis(5));
        }
        let process = child.id().to_string();
        let kill = Command::new("kill").args([&format!("-{signal}"), &process]).status();
        assert!(kill.unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(130), "{signal}");
        drop(stdin);
        assert_eq!(dir.names(), names, "{signal}");
        assert_eq!(old.map(|_| dir.read("out.mp4")), old.map(|old| old.to_vec()));
    }
}

/// Whether a process has a handler for a signal, as Linux tells. Elsewhere nobody tells.
fn handles(process: u32, signal: u32) -> bool {
    let Ok(status) = fs::read_to_string(format!("/proc/{process}/status")) else {
        thread::sleep(Duration::from_millis(500));
        return true;
    };
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
    u64::from_str_radix(caught.trim(), 16).unwrap() & 1 << (signal - 1) != 0
}

/// What has come of a fragment goes out before the next one comes.
#[test]
fn a_stream_is_decrypted_as_it_comes() {
    let (fixture, input, clear) = fixture();
    let moofs = crate::boxes::find(&input, "moof");
    let args: [&Path; 3] = ["-".as_ref(), "-o".as_ref(), "-".as_ref()];
    let mut child = spawn(&fixture, &args, Stdio::piped(), Stdio::piped());
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut start = 0;
    for end in moofs.iter().map(|moof| moof.at).chain([input.len()]) {
        stdin.write_all(&input[start..end]).unwrap();
        let mut output = vec![0; end - start];
        stdout.read_exact(&mut output).unwrap();
        assert_same(&output, &clear[start..end], "what goes out");
        start = end;
    }
    drop(stdin);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
