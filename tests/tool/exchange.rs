//! Requests, licenses and initialization data, and a license server that is asked for them.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use crate::support::{Dir, Fixture, Run, Way, assert_same, clearkey, decrypt, media, run};

fn text(run: Run) -> String {
    String::from_utf8(run.done().stdout).unwrap()
}

fn base64url(hex: &str) -> String {
    data_encoding::BASE64URL_NOPAD.encode(&data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap())
}

/// One element of a license.
fn jwk(pair: &str) -> String {
    let (kid, key) = pair.split_once(':').unwrap();
    format!(r#"{{"kty":"oct","k":"{}","kid":"{}"}}"#, base64url(key), base64url(kid))
}

fn kids(keys: &[String]) -> Vec<String> {
    keys.iter().map(|pair| base64url(pair.split_once(':').unwrap().0)).collect()
}

/// A license server of the tests: keeps what it was asked, and answers each request with the same.
struct Server {
    url: String,
    asked: Arc<Mutex<Vec<(String, String)>>>,
}

impl Server {
    fn start(status: &'static str, answer: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/license", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = asked.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                log.lock().unwrap().push(Self::answer(stream.unwrap(), status, &answer));
            }
        });
        Self { url, asked }
    }

    fn answer(stream: TcpStream, status: &str, answer: &str) -> (String, String) {
        let mut reader = BufReader::new(stream);
        let (mut head, mut len) = (String::new(), 0);
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                len = value.trim().parse().unwrap();
            }
            if line.trim().is_empty() {
                break;
            }
            head += &line;
        }
        let mut body = vec![0; len];
        reader.read_exact(&mut body).unwrap();
        let head_of_answer = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
             connection: close\r\n\r\n",
            answer.len()
        );
        // Who has read enough may be gone.
        let _ = reader.get_mut().write_all((head_of_answer + answer).as_bytes());
        (head, String::from_utf8(body).unwrap())
    }

    fn asked(&self) -> Vec<(String, String)> {
        self.asked.lock().unwrap().clone()
    }
}

fn license(keys: &[String]) -> String {
    let keys: Vec<_> = keys.iter().map(|pair| jwk(pair)).collect();
    format!(r#"{{"keys":[{}],"type":"temporary"}}"#, keys.join(","))
}

#[test]
fn the_request_for_a_file_names_its_keys() {
    for fixture in Fixture::all() {
        let requests = text(run(clearkey().arg("request").arg(fixture.path())));
        let mut asked = Vec::new();
        for line in requests.lines() {
            let list = line
                .strip_prefix(r#"{"kids":[""#)
                .and_then(|rest| rest.strip_suffix(r#""],"type":"temporary"}"#))
                .unwrap_or_else(|| panic!("{}: {line}", fixture.file));
            asked.extend(list.split(r#"",""#).map(str::to_owned));
        }
        // Those that samples use: one of Shaka Packager's keys serves none.
        let inspected = run(clearkey().args(["inspect", "--json"]).arg(fixture.path())).done();
        let inspected: serde_json::Value = serde_json::from_slice(&inspected.stdout).unwrap();
        let tracks = inspected["tracks"].as_object().unwrap().values();
        let used: Vec<_> =
            tracks.flat_map(|track| track["kids"].as_object().unwrap().keys()).collect();
        assert!(!used.is_empty(), "{}", fixture.file);
        for kid in used {
            let kid = base64url(kid);
            assert!(asked.contains(&kid), "{}: {kid} in {asked:?}", fixture.file);
        }
    }
}

#[test]
fn a_segment_is_asked_for_with_its_init_segment() {
    let (init, segment) = (media("segments/a_init.mp4"), media("segments/a_1.m4s"));
    let mut command = clearkey();
    let request = text(run(command.arg("request").arg(&segment).arg("--init").arg(&init)));
    assert_eq!(request, text(run(clearkey().arg("request").arg(&init))));
}

#[test]
fn initialization_data_are_asked_for_in_every_form() {
    let kid = "LwVHf8JLtPrv2GUXFW2v_A";
    let json = format!(r#"{{"kids":["{kid}"]}}"#);
    let json_base64 = data_encoding::BASE64.encode(json.as_bytes());
    let mut command = clearkey();
    let cenc = text(run(command.args(["init-data", "build", "cenc", kid])));
    let expected = format!("{{\"kids\":[\"{kid}\"],\"type\":\"temporary\"}}\n");
    for args in [
        ["--keyids", &json],
        ["--keyids", &json_base64],
        ["--keyids", json_base64.trim_end_matches('=')],
        ["--cenc", cenc.trim()],
        ["--webm", "LwVHf8JLtPrv2GUXFW2v/A=="],
        ["--webm", kid],
    ] {
        assert_eq!(text(run(clearkey().arg("request").args(args))), expected, "{args:?}");
    }
    let args = ["request", "--webm", "AQ==", "--type", "persistent-license"];
    let request = text(run(clearkey().args(args)));
    assert_eq!(request, "{\"kids\":[\"AQ\"],\"type\":\"persistent-license\"}\n");
}

#[test]
fn wrong_initialization_data_are_refused() {
    for (args, says) in [
        (["--keyids", "{}"], "--keyids: kids: missing"),
        (["--keyids", "?"], "\"?\" is no base64"),
        (["--cenc", "AAAA"], "--cenc: "),
        (["--webm", ""], "--webm: initialization data of 0 octets"),
    ] {
        run(clearkey().arg("request").args(args)).refused(2, &[says]);
    }
    let dir = Dir::new();
    let clear = dir.path("clear.mp4");
    let fixture = Fixture::named("shaka_cenc_avc_aac_audio.mp4");
    run(decrypt(&fixture.keys).arg(fixture.path()).arg("-o").arg(&clear)).done();
    run(clearkey().arg("request").arg(&clear)).refused(2, &["nothing in it is protected"]);
}

#[test]
fn a_license_is_written_for_keys_or_for_a_request() {
    let fixture = Fixture::named("b4_cenc_avc_aac_fragb4.mp4");
    let [one, other] = &fixture.keys[..] else { panic!("two keys") };
    let mut sorted = fixture.keys.clone();
    sorted.sort();
    let mut command = clearkey();
    command.arg("license").args(["-k", one, "-k", other]);
    assert_eq!(text(run_showing_keys(&mut command)), license(&sorted) + "\n");
    command.args(["--type", "persistent-license"]);
    let persistent = license(&sorted).replace("temporary", "persistent-license") + "\n";
    assert_eq!(text(run_showing_keys(&mut command)), persistent);

    // The other side of the exchange: what is asked for, in its order.
    let request = text(run(clearkey().arg("request").arg(fixture.path())));
    let mut command = clearkey();
    command.args(["license", "--request", "-", "-k", one, "-k", other]).write_stdin(request);
    let answer = text(run_showing_keys(&mut command));
    assert!(answer == license(&fixture.keys) + "\n" || answer == license(&sorted) + "\n");

    let request = r#"{"kids":["AQ"],"type":"persistent-license"}"#;
    let mut command = clearkey();
    command.args(["license", "--request", "-", "-k", one]).write_stdin(request);
    run(&mut command).refused(1, &["no key for KID 01"]);
    let mut command = clearkey();
    command
        .args(["license", "--request", "-", "--type", "temporary", "-k", one])
        .write_stdin(request);
    run(&mut command).refused(2, &["--type is not the persistent-license of the request"]);
    run(clearkey().arg("license")).refused(2, &["a license needs a key"]);
}

/// Runs a command that is there to show keys.
fn run_showing_keys(command: &mut assert_cmd::Command) -> Run {
    let output = command.output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    Run { code: output.status.code().unwrap(), stdout: output.stdout, stderr }
}

#[test]
fn initialization_data_are_built_and_explained() {
    let kid = "10000000100010001000100000000001";
    let explain =
        |kind: &str, data: &str| run(clearkey().args(["init-data", "explain", kind, data]));
    for kind in ["cenc", "keyids", "webm"] {
        let built = text(run(clearkey().args(["init-data", "build", kind, kid])));
        let explained = text(explain(kind, built.trim()));
        assert!(explained.contains(&format!("  KID {kid}\n")), "{explained}");
        let raw = run(clearkey().args(["init-data", "build", kind, kid, "--raw"])).done().stdout;
        assert_eq!(data_encoding::BASE64.encode(&raw), built.trim());
        let mut command = clearkey();
        command.args(["init-data", "explain", kind, "-"]).write_stdin(raw);
        assert_eq!(text(run(&mut command)), explained);
    }
    let two = text(run(clearkey().args(["init-data", "build", "keyids", kid, "AQ"])));
    assert!(text(explain("keyids", two.trim())).contains("  KID 01\n"));
    run(clearkey().args(["init-data", "build", "webm", kid, "AQ"])).refused(2, &["2 key ids"]);
    run(clearkey().args(["init-data", "build", "cenc", "AQ"])).refused(2, &["16"]);

    // What is for others is shown, and then refused.
    let widevine = "AAAAIHBzc2gAAAAA7e+LqXnWSs6jyCfc1R0h7QAAAAA=";
    let said = explain("cenc", widevine).refused(2, &["no pssh box of the common system"]);
    let said = String::from_utf8(said.stdout).unwrap();
    assert!(said.contains("Widevine") && said.contains("NotSupportedError"), "{said}");
}

#[test]
fn a_license_server_is_asked_as_players_ask_it() {
    let fixture = Fixture::named("b4_cenc_avc_aac_fragb4.mp4");
    let expected = Way::Path.decrypt(&fixture.bytes(), &fixture.keys);
    for way in Way::ALL {
        let server = Server::start("200 OK", license(&fixture.keys));
        let args = ["--license".to_owned(), server.url.clone()];
        let (run, _, output) = way.run(&fixture.bytes(), &args);
        run.done();
        if !way.is_compact() {
            assert_same(&output.unwrap(), &expected, &format!("{way:?}"));
        }
        let asked = server.asked();
        assert_eq!(asked.len(), 1, "{way:?}: {asked:?}");
        let (head, body) = &asked[0];
        assert!(head.starts_with("POST /license HTTP/1.1"), "{head}");
        assert!(head.to_lowercase().contains("content-type: application/json"), "{head}");
        assert!(body.ends_with(r#""type":"temporary"}"#), "{body}");
        assert!(kids(&fixture.keys).iter().all(|kid| body.contains(kid)), "{body}");
    }
}

#[test]
fn a_server_is_asked_for_what_is_missing_only() {
    let fixture = Fixture::named("b4_cenc_avc_aac_fragb4.mp4");
    let [one, other] = &fixture.keys[..] else { panic!("two keys") };
    let dir = Dir::new();
    // It answers a wrong key for what was not asked for.
    let (kid, _) = one.split_once(':').unwrap();
    let wrong = format!("{kid}:{}", "0".repeat(32));
    let server = Server::start("200 OK", license(&[wrong, other.clone()]));
    let mut command = decrypt(std::slice::from_ref(one));
    command.arg(fixture.path()).arg("-o").arg(dir.path("out.mp4")).args(["--license", &server.url]);
    run(&mut command).done();
    let expected = Way::Path.decrypt(&fixture.bytes(), &fixture.keys);
    assert_same(&dir.read("out.mp4"), &expected, "out.mp4");
    let (_, body) = &server.asked()[0];
    let kids = kids(&fixture.keys);
    assert!(!body.contains(&kids[0]) && body.contains(&kids[1]), "{body}");

    // With all keys at hand, nobody is asked; for a clear file neither.
    let server = Server::start("500 Internal Server Error", String::new());
    let mut command = decrypt(&fixture.keys);
    command.arg(fixture.path()).arg("-o").arg(dir.path("out.mp4")).args(["--license", &server.url]);
    run(&mut command).done();
    let mut command = clearkey();
    command.args(["decrypt", "--license", &server.url]).arg(dir.path("out.mp4"));
    run(command.arg("-o").arg(dir.path("again.mp4"))).done();
    assert!(server.asked().is_empty());
}

#[test]
fn a_server_that_does_not_help_is_named() {
    let fixture = Fixture::named("shaka_cenc_avc_aac_audio.mp4");
    let dir = Dir::new();
    let ask = |url: &str| {
        let mut command = clearkey();
        command.args(["decrypt", "--license", url]).arg(fixture.path());
        run(command.arg("-o").arg(dir.path("out.mp4")))
    };
    let forbidden = Server::start("403 Forbidden", "no".to_owned());
    ask(&forbidden.url).refused(2, &["license server http://127.0.0.1", "status 403"]);
    let talkative = Server::start("200 OK", "x".repeat(70_000));
    ask(&talkative.url).refused(2, &["its answer", "65537 octets"]);
    let html = Server::start("200 OK", "<html>".to_owned());
    ask(&html.url).refused(2, &["its answer", "no JSON"]);
    let persistent = license(&fixture.keys).replace("temporary", "persistent-license");
    let persistent = Server::start("200 OK", persistent);
    ask(&persistent.url).refused(2, &["a persistent-license license for a temporary session"]);
    let other = format!("{}:{}", "0".repeat(32), "0".repeat(32));
    let other = Server::start("200 OK", license(&[other]));
    ask(&other.url).refused(1, &["no key for KID"]);
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    ask(&format!("http://{closed}/")).refused(2, &["it does not answer"]);
    assert!(dir.names().is_empty());
}

#[test]
fn a_license_of_either_type_decrypts_from_a_file() {
    let fixture = Fixture::named("b4_cenc_avc_aac_fragb4.mp4");
    let expected = Way::Path.decrypt(&fixture.bytes(), &fixture.keys);
    let dir = Dir::new();
    for session_type in ["temporary", "persistent-license"] {
        let license = license(&fixture.keys).replace("temporary", session_type);
        let path = dir.write("license.json", license.as_bytes());
        let mut command = clearkey();
        command.arg("decrypt").arg(fixture.path()).arg("--license").arg(&path);
        run(command.arg("-o").arg(dir.path("out.mp4"))).done();
        assert_same(&dir.read("out.mp4"), &expected, session_type);
    }
    fs::write(dir.path("license.json"), " ".repeat(65_537)).unwrap();
    let mut command = clearkey();
    command.arg("decrypt").arg(fixture.path()).arg("--license").arg(dir.path("license.json"));
    run(command.arg("-o").arg(dir.path("new.mp4"))).refused(2, &["license.json: ", "65537 octets"]);
}

/// More keys than a session can be asked for at once.
#[test]
fn hundreds_of_keys_go_through_several_sessions() {
    let fixture = Fixture::named("shaka_cenc_keyrot_avc_video.mp4");
    let dir = Dir::new();
    let mut lines: Vec<_> = (0..500_u32).map(|n| format!("{n:032x}:{n:032x}")).collect();
    lines.extend(fixture.keys.clone());
    let path = dir.write("keys.txt", lines.join("\n").as_bytes());
    let mut command = clearkey();
    command.arg("decrypt").arg(fixture.path()).arg("--keys-file").arg(&path);
    run(command.arg("-o").arg(dir.path("out.mp4"))).done();
    let expected = Way::Path.decrypt(&fixture.bytes(), &fixture.keys);
    assert_same(&dir.read("out.mp4"), &expected, "out.mp4");
}
