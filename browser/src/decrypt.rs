//! A sample out of the host's hands into the host's buffer: copied once, and decrypted where it is then.

use cdm::KeyStore;
use cdm_abi::{EncryptionScheme, Status, SubsampleEntry};
use cenc::{Iv, Pattern, SampleEncryption, Scheme, Subsample, decrypt_sample};

use crate::{
    buffer::{HostBuffer, Output},
    host::Host,
};

/// What the host says of a sample.
pub(crate) struct Input<'a> {
    pub(crate) data: &'a [u8],
    pub(crate) scheme: EncryptionScheme,
    pub(crate) kid: &'a [u8],
    pub(crate) iv: &'a [u8],
    /// None: the whole sample is one protected range.
    pub(crate) subsamples: &'a [SubsampleEntry],
    pub(crate) pattern: cdm_abi::Pattern,
    /// In microseconds.
    pub(crate) timestamp: i64,
}

/// Decrypts `input` into a buffer of the host's, which `output` is given. `table` is memory for the
/// subsamples.
pub(crate) fn decrypt(
    host: &Host,
    keys: &KeyStore,
    input: &Input<'_>,
    table: &mut Vec<Subsample>,
    output: Output,
) -> Status {
    match clear(host, keys, input, table) {
        Ok(buffer) => {
            output.put(buffer, input.timestamp);
            Status::SUCCESS
        }
        Err(Failed(status)) => status,
    }
}

/// Why there is no clear sample.
struct Failed(Status);

/// The sample makes no sense, or there is no room for it.
const ERROR: Failed = Failed(Status::DECRYPT_ERROR);

fn clear(
    host: &Host,
    keys: &KeyStore,
    input: &Input<'_>,
    table: &mut Vec<Subsample>,
) -> Result<HostBuffer, Failed> {
    let copy = || HostBuffer::copy(host, input.data).ok_or(ERROR);
    let Some(scheme) = scheme(input.scheme)? else { return copy() };
    read(input, table)?;
    // Firefox passes the clear samples of a protected track so.
    let is_clear = !table.is_empty() && table.iter().all(|subsample| subsample.protected == 0);
    if input.iv.is_empty() && is_clear {
        return copy();
    }
    let subsamples = (!table.is_empty()).then_some(&table[..]);
    let iv = Iv::new(input.iv).map_err(|_| ERROR)?;
    let pattern = pattern(input.pattern)?;
    let encryption = SampleEncryption::new(scheme, iv, pattern, subsamples).map_err(|_| ERROR)?;
    let key = keys.key(input.kid).ok_or(Failed(Status::NO_KEY))?;
    let mut buffer = copy()?;
    decrypt_sample(&key, &encryption, buffer.content()).map_err(|_| ERROR)?;
    Ok(buffer)
}

fn scheme(scheme: EncryptionScheme) -> Result<Option<Scheme>, Failed> {
    match scheme {
        EncryptionScheme::UNENCRYPTED => Ok(None),
        EncryptionScheme::CENC => Ok(Some(Scheme::Cenc)),
        EncryptionScheme::CBCS => Ok(Some(Scheme::Cbcs)),
        _ => Err(ERROR),
    }
}

fn pattern(pattern: cdm_abi::Pattern) -> Result<Pattern, Failed> {
    let blocks = |number: u32| u8::try_from(number).map_err(|_| ERROR);
    let (crypt, skip) = (blocks(pattern.crypt_byte_block)?, blocks(pattern.skip_byte_block)?);
    Pattern::new(crypt, skip).map_err(|_| ERROR)
}

/// Reads the subsamples, if they cover the sample. Clear runs are of 32 bits here and of 16 in a file,
/// so a long one becomes several; as many as the sample is long for, at the most.
fn read(input: &Input<'_>, table: &mut Vec<Subsample>) -> Result<(), Failed> {
    const LONGEST: u32 = u16::MAX as u32;
    table.clear();
    let lens = input.subsamples.iter().flat_map(|entry| [entry.clear_bytes, entry.cipher_bytes]);
    let sum: u64 = lens.map(u64::from).sum();
    if !input.subsamples.is_empty() && input.data.len() as u64 != sum {
        return Err(ERROR);
    }
    for entry in input.subsamples {
        let mut clear = entry.clear_bytes;
        while clear > LONGEST {
            table.push(Subsample::new(u16::MAX, 0));
            clear -= LONGEST;
        }
        let clear = u16::try_from(clear).unwrap_or(u16::MAX);
        table.push(Subsample::new(clear, entry.cipher_bytes));
    }
    Ok(())
}
