//! What stands in front of the data of a frame in an encrypted track (WebM Encryption, 4.7).
//!
//! ```text
//! signal u8 | iv 8 | [count u8 | offset u32 × count] | data
//!             └─ bit 0x01: encrypted    └─ bit 0x02: partitioned
//! ```
//! Offsets count from the start of the data and cut it into runs, which are clear and protected in turn.

use cenc::{Iv, Subsample};

use crate::encrypt::push_subsample;

/// Signal bits.
const ENCRYPTED: u8 = 1;
const PARTITIONED: u8 = 2;

/// Bytes of the IV, to which a counter of zero is added.
pub(crate) const IV: usize = 8;

/// The longest header: 255 partitions.
pub(crate) const LONGEST_HEADER: usize = 1 + IV + 1 + 255 * 4;

/// What the header of a frame says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// Bytes up to the data.
    pub(crate) header_len: usize,
    /// `None`: the data are clear.
    pub(crate) iv: Option<Iv>,
    /// Whether subsamples were found.
    pub(crate) is_partitioned: bool,
}

impl Frame {
    /// Reads the header of a frame of `len` bytes, of which `start` are the first so many as there are, up to
    /// [`LONGEST_HEADER`]. Adds its subsamples to a list.
    ///
    /// The error is what is wrong with it.
    pub(crate) fn read(
        start: &[u8],
        len: u64,
        subsamples: &mut Vec<Subsample>,
    ) -> Result<Self, String> {
        let (signal, rest) = start.split_first().ok_or("a frame without a signal byte")?;
        match *signal {
            0 => return Ok(Self { header_len: 1, iv: None, is_partitioned: false }),
            PARTITIONED => return Err("a frame with partitions, but not encrypted".to_owned()),
            ENCRYPTED | 3 => {}
            signal => return Err(format!("a reserved bit in the signal byte {signal:#04x}")),
        }
        let (iv, rest) = rest.split_first_chunk::<IV>().ok_or("the frame ends inside of its IV")?;
        let iv = Iv::new(iv).map_err(|error| error.to_string())?;
        let mut header_len = 1 + IV;
        let is_partitioned = signal & PARTITIONED != 0;
        if is_partitioned {
            let (count, rest) = rest.split_first().ok_or("the frame ends before its partitions")?;
            let size = usize::from(*count) * 4;
            header_len += 1 + size;
            let offsets = rest.get(..size).ok_or("the frame ends inside of its partitions")?;
            let offsets = offsets
                .chunks_exact(4)
                .map(|offset| offset.iter().fold(0, |offset, byte| offset << 8 | u64::from(*byte)));
            partition(offsets, len.saturating_sub(header_len as u64), subsamples)?;
        }
        if len <= header_len as u64 {
            return Err("an encrypted frame of no data".to_owned());
        }
        Ok(Self { header_len, iv: Some(iv), is_partitioned })
    }
}

/// Adds the subsamples of `len` bytes that are cut at these offsets.
fn partition(
    offsets: impl Iterator<Item = u64>,
    len: u64,
    subsamples: &mut Vec<Subsample>,
) -> Result<(), String> {
    let (mut last, mut clear) = (0, None);
    for offset in offsets.chain([len]) {
        if offset > len {
            return Err(format!("a partition at {offset} of {len} bytes"));
        }
        let run = offset.checked_sub(last);
        let run = run.ok_or_else(|| format!("a partition at {offset} behind one at {last}"))?;
        last = offset;
        clear = match clear {
            None => Some(run),
            Some(clear) => {
                push_run(subsamples, clear, run);
                None
            }
        };
    }
    match clear {
        // As Chromium has it: nothing would be left for the last run.
        Some(0) if last == len && len > 0 => Err("the last partition is empty".to_owned()),
        Some(clear) => {
            push_run(subsamples, clear, 0);
            Ok(())
        }
        None => Ok(()),
    }
}

fn push_run(subsamples: &mut Vec<Subsample>, clear: u64, protected: u64) {
    // Both are parts of a frame, whose length is looked at before it is used.
    let [clear, protected] =
        [clear, protected].map(|run| usize::try_from(run).unwrap_or(usize::MAX));
    push_subsample(subsamples, clear, protected);
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;
    use serde_json::{Value, json};

    use super::*;

    fn read(frame: &[u8]) -> Result<(Frame, Vec<Subsample>), String> {
        let mut subsamples = Vec::new();
        let start = &frame[..frame.len().min(LONGEST_HEADER)];
        Frame::read(start, frame.len() as u64, &mut subsamples).map(|frame| (frame, subsamples))
    }

    #[test]
    fn block_vectors() {
        let vectors: Vec<Value> =
            serde_json::from_str(include_str!("../../../fixtures/vectors/webm_block.json"))
                .unwrap();
        for vector in &vectors {
            let input = HEXLOWER.decode(vector["input_hex"].as_str().unwrap().as_bytes()).unwrap();
            let found = match read(&input) {
                Err(_) => json!({ "error": "Malformed" }),
                Ok((frame, subsamples)) => {
                    let runs = subsamples.iter().map(|run| (run.clear, run.protected));
                    let runs: Vec<_> = runs.collect();
                    json!({
                        "encrypted": frame.iv.is_some(),
                        "iv16": frame.iv.map(|iv| HEXLOWER.encode(iv.as_bytes())),
                        "subsamples": frame.is_partitioned.then_some(runs),
                        "payload_offset": frame.header_len,
                    })
                }
            };
            assert_eq!(found, vector["expected"], "{}", vector["name"]);
        }
        assert_eq!(vectors.len(), 10);
    }

    #[test]
    fn what_the_signal_byte_cannot_say_is_refused() {
        let frame = |signal| [&[signal][..], &[7; 20]].concat();
        assert_eq!(read(&frame(2)).unwrap_err(), "a frame with partitions, but not encrypted");
        for signal in [4, 5, 0x80, 0xff] {
            assert!(read(&frame(signal)).unwrap_err().starts_with("a reserved bit"), "{signal}");
        }
        assert_eq!(read(&[]).unwrap_err(), "a frame without a signal byte");
        assert_eq!(read(&frame(1)[..9]).unwrap_err(), "an encrypted frame of no data");
        assert_eq!(read(&frame(0)[..1]).unwrap().0.header_len, 1);
    }
}
