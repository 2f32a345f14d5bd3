//! How much CPU time library CDMs take to decrypt the same samples, called as a browser calls them.
//!
//! ```text
//! cdm-compare OURS.so THEIRS.so
//! ```
//!
//! The libraries take turns, and each must yield the same samples first. CPU time is that of this thread:
//! `Decrypt` from the call to the return, with the host's calls within. Memory is the host's, and is used
//! again.

#![allow(unsafe_code, reason = "libraries are loaded")]

use std::{error::Error, path::Path, process::ExitCode};

use cdm_abi::{EncryptionScheme, InitDataType, Pattern, SessionType, SubsampleEntry};
use cdm_host::{Call, Cdm, Disk, Host, Library, Sample};
use rustix::time::{ClockId, clock_gettime};

const KID: [u8; 16] = *b"0123456789012345";
const KEY_IDS: &[u8] = br#"{"kids":["MDEyMzQ1Njc4OTAxMjM0NQ"]}"#;
const LICENSE: &[u8] =
    br#"{"keys":[{"kty":"oct","kid":"MDEyMzQ1Njc4OTAxMjM0NQ","k":"69ViFoFNJ7aO8SKvzkrjyg"}],"type":"temporary"}"#;

const MEGABYTE: usize = 1_000_000;
/// Of the same samples, so that some of them are not in the cache.
const STREAM: usize = 8 * MEGABYTE;
const TURNS: usize = 21;

fn main() -> ExitCode {
    let paths: Vec<String> = std::env::args().skip(1).collect();
    if paths.is_empty() {
        eprintln!("usage: cdm-compare LIBRARY...");
        return ExitCode::from(2);
    }
    match compare(&paths) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cdm-compare: {error}");
            ExitCode::from(2)
        }
    }
}

/// Samples of one kind.
struct Case {
    name: &'static str,
    scheme: EncryptionScheme,
    pattern: Pattern,
    iv: &'static [u8],
    len: u32,
    /// Clear bytes in front of the protected ones; `None` without subsamples.
    clear: Option<u32>,
}

const NO_PATTERN: Pattern = Pattern { crypt_byte_block: 0, skip_byte_block: 0 };

const CASES: [Case; 5] = [
    Case {
        name: "`cenc` video, 60 kB",
        scheme: EncryptionScheme::CENC,
        pattern: NO_PATTERN,
        iv: &[7; 8],
        len: 60_000,
        clear: Some(100),
    },
    Case {
        name: "`cenc` video, 4 kB",
        scheme: EncryptionScheme::CENC,
        pattern: NO_PATTERN,
        iv: &[7; 8],
        len: 4_000,
        clear: Some(100),
    },
    Case {
        name: "`cenc` audio, 400 B",
        scheme: EncryptionScheme::CENC,
        pattern: NO_PATTERN,
        iv: &[7; 8],
        len: 400,
        clear: None,
    },
    Case {
        name: "`cbcs` 1:9 video, 60 kB",
        scheme: EncryptionScheme::CBCS,
        pattern: Pattern { crypt_byte_block: 1, skip_byte_block: 9 },
        iv: &[7; 16],
        len: 60_000,
        clear: Some(100),
    },
    Case {
        name: "`cbcs` audio, 400 B",
        scheme: EncryptionScheme::CBCS,
        pattern: NO_PATTERN,
        iv: &[7; 16],
        len: 400,
        clear: None,
    },
];

fn compare(paths: &[String]) -> Result<(), Box<dyn Error>> {
    let cdms = paths.iter().map(|path| cdm(path)).collect::<Result<Vec<_>, _>>()?;
    println!("CPU time for a megabyte, in microseconds: the median of {TURNS} turns\n");
    let names = paths.iter().map(|path| Path::new(path).file_name().unwrap_or_default().display());
    print!("| samples |");
    names.for_each(|name| print!(" {name} |"));
    println!(" ratio to the first |\n|---|{}", "--:|".repeat(paths.len() + 1));
    let stream: Vec<u8> =
        (0_u32..).take(STREAM).map(|at| at.wrapping_mul(0x9e37_79b1).to_be_bytes()[0]).collect();
    for case in &CASES {
        let clear = case.decrypt_all(&cdms[0], &stream, true)?.1;
        for (cdm, path) in cdms.iter().zip(paths) {
            if case.decrypt_all(cdm, &stream, true)?.1 != clear {
                return Err(format!("{path}: other samples than the first library's").into());
            }
        }
        let mut times = vec![Vec::with_capacity(TURNS); cdms.len()];
        for turn in 0..TURNS {
            // Nobody always comes behind the same other.
            for at in (0..cdms.len()).map(|at| (at + turn) % cdms.len()) {
                times[at].push(case.decrypt_all(&cdms[at], &stream, false)?.0);
            }
        }
        let medians: Vec<f64> = times.into_iter().map(median).collect();
        print!("| {} |", case.name);
        medians.iter().for_each(|median| print!(" {median:.1} |"));
        let ratios = medians.iter().skip(1).map(|median| format!("{:.2}", median / medians[0]));
        println!(" {} |", ratios.collect::<Vec<_>>().join(", "));
    }
    Ok(())
}

/// An instance that has the key.
fn cdm(path: &str) -> Result<Cdm, Box<dyn Error>> {
    // SAFETY: the user says that this is a library CDM.
    let library = unsafe { Library::load(Path::new(path)) }?;
    // Firefox's own wants to see the four files of which a Firefox is made, and is content with any.
    if !library.verify(&[Path::new(path); 4])? {
        return Err(format!("{path}: it does not trust its host").into());
    }
    let host = Host::new(Disk::default());
    host.begin_full(true);
    let cdm =
        [11, 10].into_iter().find_map(|version| library.create(version, "org.w3.clearkey", &host));
    let cdm = cdm.ok_or_else(|| format!("{path}: it makes no instance"))?;
    cdm.initialize(false, false, false);
    cdm.create_session_and_generate_request(
        1,
        SessionType::TEMPORARY,
        InitDataType::KEY_IDS,
        KEY_IDS,
    );
    let session_id = host.calls().into_iter().find_map(|call| match call {
        Call::ResolveNewSession { session_id, .. } => session_id,
        _ => None,
    });
    let session_id = session_id.ok_or_else(|| format!("{path}: it makes no session"))?;
    cdm.update_session(2, &session_id, LICENSE);
    let calls = host.calls();
    if !calls.contains(&Call::Resolve { promise: 2 }) {
        return Err(format!("{path}: it takes no license: {calls:?}").into());
    }
    Ok(cdm)
}

impl Case {
    /// Decrypts the stream, sample by sample. Yields the CPU time for a megabyte in microseconds, and the
    /// clear samples if they are to be kept.
    fn decrypt_all(&self, cdm: &Cdm, stream: &[u8], keep: bool) -> Result<(f64, Vec<u8>), String> {
        let mut kept = Vec::with_capacity(if keep { stream.len() } else { 0 });
        let subsamples = self.clear.map(|clear_bytes| SubsampleEntry {
            clear_bytes,
            cipher_bytes: self.len - clear_bytes,
        });
        let start = cpu_time();
        let mut bytes = 0;
        for data in stream.chunks_exact(self.len as usize) {
            let sample = Sample {
                data,
                scheme: self.scheme,
                kid: &KID,
                iv: self.iv,
                subsamples: subsamples.as_slice(),
                pattern: self.pattern,
                timestamp: 0,
            };
            bytes += cdm
                .decrypt(&sample, |clear, _| {
                    if keep {
                        kept.extend_from_slice(clear);
                    }
                    clear.len()
                })
                .map_err(|status| format!("{}: {status:?}", self.name))?;
        }
        let time = cpu_time() - start;
        Ok((time * 1e6 / (bytes as f64 / MEGABYTE as f64), kept))
    }
}

/// Of this thread, in seconds.
fn cpu_time() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
