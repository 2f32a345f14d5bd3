//! `clearkey bench`: not how fast it is, but that it says what it has measured.

use serde_json::Value;

use crate::support::{Dir, Fixture, clearkey, key_args, run};

fn report(args: &[&str]) -> Value {
    let done = run(clearkey().arg("bench").args(args).args(["--json", "--time", "0"])).done();
    serde_json::from_slice(&done.stdout).unwrap()
}

fn names(report: &Value, member: &str) -> Vec<String> {
    let names = report[member].as_array().unwrap().iter();
    names.map(|name| name.as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_scheme_size_and_kernel_has_a_figure() {
    for direction in ["decrypt", "encrypt"] {
        let args: &[&str] = if direction == "encrypt" { &["--encrypt"] } else { &[] };
        let report = report(args);
        let kernels = names(&report, "kernels");
        assert_eq!(kernels.last().unwrap(), "portable");
        assert!(kernels.iter().any(|kernel| report["default_kernel"] == kernel.as_str()));
        assert_eq!(report["direction"], direction);
        assert!(report["cores"].as_u64().unwrap() >= 1 && report.get("file").is_none());
        let samples = report["samples"].as_array().unwrap();
        assert_eq!(samples.len(), 5 * 7 * kernels.len());
        for sample in samples {
            assert!(sample["bytes_per_second"].as_f64().unwrap() > 0.0, "{sample}");
        }
        for scheme in ["cenc", "cens", "cbc1", "cbcs"] {
            assert!(samples.iter().any(|sample| sample["scheme"] == scheme));
        }
    }
}

#[test]
fn a_kernel_can_be_chosen() {
    assert_eq!(names(&report(&["--kernel", "portable"]), "kernels"), ["portable"]);
    let refused = run(clearkey().args(["bench", "--kernel", "abacus"]));
    refused.refused(2, &["--kernel", "\"abacus\"", "portable"]);
    for kernel in names(&report(&[]), "kernels") {
        let mut command = clearkey();
        command.env("CLEARKEY_KERNEL", &kernel).args(["bench", "--json", "--time", "0"]);
        let report: Value = serde_json::from_slice(&run(&mut command).done().stdout).unwrap();
        assert_eq!(report["default_kernel"], kernel.as_str());
    }
}

#[test]
fn a_table_for_people() {
    let done = run(clearkey().args(["bench", "--time", "0"])).done();
    let text = String::from_utf8(done.stdout).unwrap();
    for part in ["kernels: ", "portable", "decrypt, GB/s", "256 B", "1 MiB", "cbcs 1:9"] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn a_file_from_end_to_end() {
    let fixture = Fixture::named("b4_cenc_avc_aac_fragb4.mp4");
    let dir = Dir::new();
    dir.write("in.mp4", &fixture.bytes());
    let path = dir.path("in.mp4");
    let path = path.to_str().unwrap();
    let keys = key_args(&fixture.keys);
    let keys: Vec<_> = keys.iter().map(String::as_str).collect();
    let report = report(&[&[path, "--runs", "2", "--threads", "2"], &keys[..]].concat());
    let file = &report["file"];
    assert_eq!(file["file_bytes"], fixture.bytes().len());
    assert_eq!((&file["threads"], &file["runs"]), (&2.into(), &2.into()));
    for figure in
        ["seconds", "bytes_per_second", "read_seconds", "decrypt_seconds", "write_seconds"]
    {
        assert!(file[figure].as_f64().unwrap() > 0.0, "{figure}");
    }
    assert_eq!(dir.names(), ["in.mp4"]);

    let text = run(clearkey().args(["bench", path, "--time", "0"]).args(&keys)).done();
    let text = String::from_utf8(text.stdout).unwrap();
    for part in ["file: 0.2 MB in ", "read ", "decrypt ", "write "] {
        assert!(text.contains(part), "{part} in {text}");
    }
    run(clearkey().args(["bench", path, "--time", "0"])).refused(1, &["in.mp4", "no key for KID"]);
    run(clearkey().args(["bench", "missing.mp4"])).refused(2, &["missing.mp4"]);
    assert_eq!(dir.names(), ["in.mp4"]);
}
