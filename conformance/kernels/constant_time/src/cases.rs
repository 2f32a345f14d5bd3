//! Everything that `cenc` does with a key and with samples, while one of them, or both, is secret.

use cenc::{
    Iv, Kernel, Key, Pattern, Sample, SampleEncryption, Scheme, Subsample, decrypt_batch,
    decrypt_sample, encrypt_batch, encrypt_sample,
};

use crate::secret::{hidden, hide, show};

const SCHEMES: [Scheme; 4] = [Scheme::Cenc, Scheme::Cens, Scheme::Cbc1, Scheme::Cbcs];

/// Runs of one block and two are gathered, longer ones are not; 0:0 is whole ranges, 0:1 nothing.
const PATTERNS: [(u8, u8); 6] = [(0, 0), (1, 9), (2, 1), (5, 5), (10, 0), (0, 1)];

/// Without a table: every length of a part of a block, and every number of blocks that a register, a
/// group of registers or a gathering has, and more than the 256 counters of a piece.
fn lengths() -> impl Iterator<Item = usize> {
    let blocks = [2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64, 100, 257, 300];
    (0..=33).chain(blocks.into_iter().flat_map(|blocks| [blocks * 16, blocks * 16 + 5]))
}

/// Clear and protected bytes, again and again; of `cbc1` whole blocks are protected.
const TABLES: [&[(u16, u32)]; 5] = [
    &[(5, 160)],
    &[(0, 16), (3, 0), (0, 0), (7, 336), (1, 48)],
    &[(9, 5), (0, 11), (2, 17), (1, 100), (3, 1)],
    &[(100, 1000), (31, 33)],
    &[(12, 0)],
];

/// What is secret.
#[derive(Clone, Copy, Debug)]
enum Secret {
    Key,
    Samples,
    Both,
}

/// How a sample is protected, and how long it is.
struct Case {
    scheme: Scheme,
    pattern: (u8, u8),
    table: Option<Vec<Subsample>>,
    len: usize,
    /// The number of its first block. Some wrap.
    number: u64,
}

impl Case {
    fn encryption(&self) -> Result<SampleEncryption<'_>, cenc::Error> {
        let mut iv = [0x5a; 16];
        iv[8..].copy_from_slice(&self.number.to_be_bytes());
        let pattern = Pattern::new(self.pattern.0, self.pattern.1)?;
        SampleEncryption::new(self.scheme, Iv::new(&iv)?, pattern, self.table.as_deref())
    }
}

/// All cases of a scheme.
fn cases(scheme: Scheme) -> Vec<Case> {
    let takes_pattern = matches!(scheme, Scheme::Cens | Scheme::Cbcs);
    let whole = lengths().map(|len| (None, len));
    let tables = TABLES.into_iter().map(|table| {
        let protected = |bytes: u32| if scheme == Scheme::Cbc1 { bytes / 16 * 16 } else { bytes };
        let table: Vec<_> =
            table.iter().map(|&(clear, bytes)| Subsample::new(clear, protected(bytes))).collect();
        let len = table.iter().map(|s| usize::from(s.clear) + s.protected as usize).sum();
        (Some(table), len)
    });
    let extents: Vec<_> = whole.chain(tables).collect();
    let patterns = PATTERNS.into_iter().filter(|pattern| takes_pattern || *pattern == (0, 0));
    let with = |pattern| {
        extents.iter().enumerate().map(move |(at, (table, len))| Case {
            scheme,
            pattern,
            table: table.clone(),
            len: *len,
            number: u64::MAX.wrapping_add(3 * at as u64).wrapping_sub(60),
        })
    };
    patterns.flat_map(with).collect()
}

/// Runs all cases. The answer is how many there are.
pub(crate) fn run(kernel: Kernel) -> Result<usize, String> {
    let mut count = 0;
    for secret in [Secret::Key, Secret::Samples, Secret::Both] {
        for scheme in SCHEMES {
            let cases = cases(scheme);
            let what = |error| format!("{kernel}, {secret:?} secret, {scheme:?}, {error}");
            // Two keys in turns: those that wait for their turn are found by their address.
            let mut octets = [[0x3c; 16], [0xa7; 16]];
            if !matches!(secret, Secret::Samples) {
                hide(octets.as_flattened_mut());
            }
            let keys = octets.each_ref().map(|octets| Key::on(kernel, octets));
            alone(&keys[0], secret, &cases).map_err(what)?;
            together(&keys, secret, &cases).map_err(what)?;
            drop(keys);
            count += 2 * cases.len();
        }
    }
    Ok(count)
}

/// Octets that tell where they are from.
fn clear(case: &Case) -> Vec<u8> {
    (0..case.len).map(|at| (at as u8).wrapping_mul(31) ^ case.number as u8).collect()
}

fn alone(key: &Key, secret: Secret, cases: &[Case]) -> Result<(), String> {
    for (at, case) in cases.iter().enumerate() {
        let what = |error: String| format!("sample {at} alone: {error}");
        let encryption = case.encryption().map_err(|error| what(error.to_string()))?;
        let mut sample = hidden_sample(secret, case);
        encrypt_sample(key, &encryption, &mut sample).map_err(|error| what(error.to_string()))?;
        is_secret(secret, case, &mut sample).map_err(what)?;
        decrypt_sample(key, &encryption, &mut sample).map_err(|error| what(error.to_string()))?;
        is_clear(secret, case, &mut sample).map_err(what)?;
    }
    Ok(())
}

fn together(keys: &[Key; 2], secret: Secret, cases: &[Case]) -> Result<(), String> {
    let encryptions: Result<Vec<_>, _> = cases.iter().map(Case::encryption).collect();
    let encryptions = encryptions.map_err(|error| error.to_string())?;
    let mut samples: Vec<_> = cases.iter().map(|case| hidden_sample(secret, case)).collect();
    let batch = |samples: &mut [Vec<u8>], cipher: fn(Vec<Sample<'_>>) -> Result<(), _>| {
        let places = samples.iter_mut().zip(&encryptions).enumerate();
        let samples = places.map(|(at, (data, encryption))| Sample {
            key: &keys[at / 3 % 2],
            encryption: *encryption,
            data,
        });
        cipher(samples.collect()).map_err(|error: cenc::BatchError| error.to_string())
    };
    batch(&mut samples, |samples| encrypt_batch(samples))?;
    for (at, (case, sample)) in cases.iter().zip(&mut samples).enumerate() {
        is_secret(secret, case, sample).map_err(|error| format!("sample {at} of many: {error}"))?;
    }
    batch(&mut samples, |samples| decrypt_batch(samples))?;
    for (at, (case, sample)) in cases.iter().zip(&mut samples).enumerate() {
        is_clear(secret, case, sample).map_err(|error| format!("sample {at} of many: {error}"))?;
    }
    Ok(())
}

fn hidden_sample(secret: Secret, case: &Case) -> Vec<u8> {
    let mut sample = clear(case);
    if !matches!(secret, Secret::Key) {
        hide(&mut sample);
    }
    sample
}

/// What was made of a secret is secret, to the octet, and nothing else is. So valgrind has followed
/// it through everything in between.
fn is_secret(secret: Secret, case: &Case, sample: &mut [u8]) -> Result<(), String> {
    let mut expected = vec![!matches!(secret, Secret::Key); case.len];
    let protected = case.encryption().and_then(|encryption| encryption.protected(case.len));
    for range in protected.map_err(|error| error.to_string())? {
        expected[range].fill(true);
    }
    let found = hidden(sample)?;
    match found.iter().zip(&expected).position(|(found, expected)| found != expected) {
        None => Ok(()),
        Some(at) if expected[at] => Err(format!("octet {at} should be secret, and is not")),
        Some(at) => Err(format!("octet {at} should not be secret, and is")),
    }
}

/// And it is what it was, once it may be looked at.
fn is_clear(secret: Secret, case: &Case, sample: &mut [u8]) -> Result<(), String> {
    is_secret(secret, case, sample)?;
    show(sample);
    if sample == clear(case) {
        Ok(())
    } else {
        Err("what is decrypted is not what was encrypted".into())
    }
}
