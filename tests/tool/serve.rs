//! The license server as a process: its address, its log, its end.

use std::{
    ffi::OsStr,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rcgen::{CertifiedKey, generate_simple_self_signed};

use crate::support::{Dir, Fixture, Way, assert_same, clearkey, run};

/// A server that runs until it is stopped.
struct Server {
    process: Child,
    url: String,
}

impl Server {
    fn start(args: &[&dyn AsRef<OsStr>]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_clearkey"));
        command.env_remove("CLEARKEY_KEYS").args([
            "serve",
            "--bind",
            "127.0.0.1:0",
            "--log",
            "json",
        ]);
        command.args(args.iter().map(|arg| arg.as_ref()));
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut url = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut url).unwrap();
        Self { process, url: url.trim_end().to_owned() }
    }

    fn connect(&self) -> TcpStream {
        let (_, rest) = self.url.split_once("://").unwrap();
        let stream = TcpStream::connect(rest.trim_end_matches('/')).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream
    }

    /// Sends octets, and gives all back that comes until the connection ends.
    fn exchange(&self, sent: &str) -> String {
        let mut stream = self.connect();
        stream.write_all(sent.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8(answer).unwrap()
    }

    fn post(&self, message: &str) -> String {
        let len = message.len();
        self.exchange(&format!(
            "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len}\r\n\r\n{message}"
        ))
    }

    fn signal(&self, name: &str) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    /// Stops it, and gives its log back, line by line.
    fn stop(mut self) -> Vec<serde_json::Value> {
        self.signal("TERM");
        assert_eq!(self.process.wait().unwrap().code(), Some(0));
        let mut log = String::new();
        self.process.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        log.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Drop for Server {
    /// When a test fails.
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const FIXTURE: &str = "shaka_cenc_avc_aac_video.mp4";

/// A file with the keys of a fixture.
fn keys_file(dir: &Dir, fixture: &Fixture) -> PathBuf {
    dir.write("keys.txt", fixture.keys.join("\n").as_bytes())
}

/// Whether an output is what the keys themselves make of the fixture.
#[track_caller]
fn assert_decrypted(out: &Path, fixture: &Fixture) {
    let expected = Way::Path.decrypt(&fixture.bytes(), &fixture.keys);
    assert_same(&fs::read(out).unwrap(), &expected, &fixture.file);
}

#[test]
fn a_file_decrypts_with_a_license_of_the_server() {
    let (dir, fixture) = (Dir::new(), Fixture::named(FIXTURE));
    let server = Server::start(&[&"--keys-file", &keys_file(&dir, &fixture)]);
    let out = dir.path("out.mp4");
    let mut command = clearkey();
    command.arg("decrypt").arg(fixture.path()).arg("-o").arg(&out);
    run(command.args(["--license", &server.url])).done();
    assert_decrypted(&out, &fixture);

    let log = server.stop();
    let messages: Vec<_> = log.iter().map(|line| line["message"].as_str().unwrap()).collect();
    assert_eq!(messages, ["serving", "request", "stopping", "stopped"]);
    assert_eq!((&log[1]["route"], &log[1]["status"]), (&"/".into(), &200.into()));
}

#[test]
fn https_needs_the_certificate_to_be_trusted() {
    let (dir, fixture) = (Dir::new(), Fixture::named(FIXTURE));
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let certificate = dir.write("cert.pem", cert.pem().as_bytes());
    let key = dir.write("key.pem", signing_key.serialize_pem().as_bytes());
    let keys = keys_file(&dir, &fixture);
    let server =
        Server::start(&[&"--keys-file", &keys, &"--tls-cert", &certificate, &"--tls-key", &key]);
    assert!(server.url.starts_with("https://127.0.0.1:"));

    let out = dir.path("out.mp4");
    let decrypt = |authority: Option<&Path>| {
        let mut command = clearkey();
        command.arg("decrypt").arg(fixture.path()).arg("-o").arg(&out);
        command.args(["--license", &server.url]);
        command.args(
            authority.into_iter().flat_map(|path| [OsStr::new("--ca-cert"), path.as_os_str()]),
        );
        run(&mut command)
    };
    decrypt(None).refused(2, &[&server.url, "invalid peer certificate: UnknownIssuer"]);
    assert!(!out.exists());
    decrypt(Some(&certificate)).done();
    assert_decrypted(&out, &fixture);
    decrypt(Some(&key)).refused(2, &["--ca-cert ", "key.pem: no certificate in it"]);
    decrypt(Some(&dir.path("none.pem"))).refused(2, &["--ca-cert ", "none.pem"]);

    // A certificate that is renewed takes the old one's place.
    let renewed = generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    fs::write(&key, renewed.signing_key.serialize_pem()).unwrap();
    fs::write(&certificate, renewed.cert.pem()).unwrap();
    wait_for("the new certificate", || decrypt(Some(&certificate)).code == 0);
    let log = server.stop();
    assert!(log.iter().any(|line| line["message"] == "the certificate was read again"), "{log:?}");
}

#[track_caller]
fn wait_for(what: &str, mut is_there: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_there() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{what} does not come");
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_key_file_that_is_replaced_is_read_again_and_no_request_fails() {
    let dir = Dir::new();
    let line = |kid: u8| format!("{}:{}\n", format!("{kid:02x}").repeat(16), "7c".repeat(16));
    let message = |kid: &str| format!(r#"{{"kids":["{kid}"],"type":"temporary"}}"#);
    let keys = dir.write("keys.txt", line(1).as_bytes());
    let server = Server::start(&[&"--keys-file", &keys]);
    let [old, new] = ["AQEBAQEBAQEBAQEBAQEBAQ", "AgICAgICAgICAgICAgICAg"].map(message);
    assert!(server.post(&new).starts_with("HTTP/1.1 404 "));
    let next = dir.write("next.txt", (line(1) + &line(2)).as_bytes());
    fs::rename(next, keys).unwrap();
    wait_for("the new key", || {
        assert!(server.post(&old).starts_with("HTTP/1.1 200 "));
        server.post(&new).starts_with("HTTP/1.1 200 ")
    });
    let log = server.stop();
    let read: Vec<_> =
        log.iter().filter(|line| line["message"] == "key files were read again").collect();
    assert_eq!(read.len(), 1, "{log:?}");
    assert_eq!(read[0]["keys"], 2);
}

#[test]
fn what_is_being_answered_is_answered_before_the_end() {
    let key = format!("{}:{}", "01".repeat(16), "7c".repeat(16));
    let server = Server::start(&[&"--key", &key]);
    let message = r#"{"kids":["AQEBAQEBAQEBAQEBAQEBAQ"],"type":"temporary"}"#;
    let mut stream = server.connect();
    let head = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", message.len());
    stream.write_all((head + &message[..10]).as_bytes()).unwrap();
    // It is being answered when it is counted.
    thread::sleep(Duration::from_millis(300));
    server.signal("INT");
    thread::sleep(Duration::from_millis(300));
    stream.write_all(&message.as_bytes()[10..]).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(answer.contains(r#""kid":"AQEBAQEBAQEBAQEBAQEBAQ""#), "{answer}");
    server.stop();
}

#[test]
fn a_log_that_nobody_reads_stops_nothing() {
    let key = format!("{}:{}", "01".repeat(16), "7c".repeat(16));
    let mut server = Server::start(&[&"--key", &key]);
    let mut stream = server.connect();
    // Each is a line of more than 100 octets, and a pipe holds 65,536.
    for _ in 0..20 {
        stream
            .write_all("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n".repeat(100).as_bytes())
            .unwrap();
        let (mut answered, mut octets) = (0, [0]);
        while answered < 100 {
            // `k` of the body's `ok` ends each answer, and is in no header.
            stream.read_exact(&mut octets).unwrap();
            answered += usize::from(octets == *b"k");
        }
    }
    server.signal("TERM");
    assert_eq!(server.process.wait().unwrap().code(), Some(0));
}

#[test]
fn there_is_room_for_so_many_connections() {
    let key = format!("{}:{}", "01".repeat(16), "7c".repeat(16));
    let server = Server::start(&[&"--key", &key, &"--max-connections", &"2"]);
    let health = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    let mut guests = [(); 2].map(|()| server.connect());
    for guest in &mut guests {
        guest.write_all(health.as_bytes()).unwrap();
        guest.read_exact(&mut [0; 16]).unwrap();
    }
    let mut turned_away = server.connect();
    // It may be closed before or after this is sent.
    let _ = turned_away.write_all(health.as_bytes());
    let mut answer = Vec::new();
    let _ = turned_away.read_to_end(&mut answer);
    assert!(answer.is_empty(), "{}", String::from_utf8_lossy(&answer));
    let [guest, _] = guests;
    guest.shutdown(Shutdown::Both).unwrap();
    drop(guest);
    wait_for("room", || {
        let mut stream = server.connect();
        let mut answer = [0; 15];
        let sent = stream.write_all(health.as_bytes());
        sent.is_ok() && stream.read_exact(&mut answer).is_ok() && answer == *b"HTTP/1.1 200 OK"
    });
    server.stop();
}

#[test]
fn what_it_cannot_serve_with_is_refused() {
    let dir = Dir::new();
    let key = format!("{}:{}", "01".repeat(16), "7c".repeat(16));
    let broken = dir.write("broken.txt", b"# keys\n01:zz\n");
    let short = dir.write("seed.txt", b"AAAA\n");
    let no_seed = dir.write("noseed.txt", b"not base64\n");
    let (broken, short, no_seed) =
        (broken.to_str().unwrap(), short.to_str().unwrap(), no_seed.to_str().unwrap());
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let key = key.as_str();
    for (args, says) in [
        (&[][..], &["no keys: give --keys-file, --key or --seed-file"][..]),
        (&["--keys-file", broken], &["broken.txt: line 2: behind `:` is no key"]),
        (&["--keys-file", "/none"], &["/none: No such file or directory"]),
        (&["--key", "1:00000000000000000000000000000000"], &["a key for track 1: a server knows"]),
        (&["--seed-file", short], &["--seed-file ", "seed.txt: a seed of 3 octets, 30 are needed"]),
        (&["--seed-file", no_seed], &["noseed.txt: not base64"]),
        (&["--key", key, "--media", "/none"], &["/none: No such file or directory"]),
        (&["--key", key, "--bind", "nowhere"], &["--bind nowhere: "]),
        (&["--key", key, "--bind", &taken], &["--bind 127.0.0.1:", "Address already in use"]),
        (
            &["--key", key, "--tls-cert", broken, "--tls-key", broken],
            &["broken.txt: no certificate in it"],
        ),
    ] {
        run(clearkey().arg("serve").args(args)).refused(2, says);
    }
    let usage = run(clearkey().args(["serve", "--key", key, "--allow-origin", "example.com"]));
    assert_eq!(usage.code, 2);
    assert!(usage.stderr.contains("is no origin: SCHEME://HOST"), "{}", usage.stderr);
}
