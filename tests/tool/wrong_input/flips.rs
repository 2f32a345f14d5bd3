//! Bytes of headers that are anything. What comes of it cannot be said, but that it comes without a
//! panic, and with as many bytes.

use crate::{
    boxes::walk,
    make::noise,
    wrong_input::{Victim, decrypt},
};

/// How many changes each file gets, one after the other.
const CHANGES: u64 = 150;

#[test]
fn nothing_panics() {
    for victim in Victim::all() {
        let header = |kind: &[u8; 4]| matches!(kind, b"moov" | b"moof" | b"sidx" | b"mfra");
        let boxes = walk(&victim.protected).into_iter();
        let places: Vec<_> = boxes
            .filter(|boxed| header(&boxed.kind))
            .flat_map(|boxed| boxed.at..boxed.end)
            .collect();
        let mut refused = 0;
        for seed in 0..CHANGES {
            let mut file = victim.protected.clone();
            // One to four bytes; half of the values are such that sizes and counts are made of.
            let noise = noise(seed << 32 | victim.protected.len() as u64, 40);
            for change in noise.chunks(10).take(1 + usize::from(noise[0] & 3)) {
                let place = u32::from_be_bytes([0, change[1], change[2], change[3]]) as usize;
                file[places[place % places.len()]] = match change[4] % 8 {
                    common @ 0..4 => [0, 1, 0x7f, 0xff][usize::from(common)],
                    _ => change[5],
                };
            }
            match decrypt(&file, &victim.keys) {
                Ok(output) => assert_eq!(output.len(), file.len(), "{}: {seed}", victim.name),
                Err(_) => refused += 1,
            }
        }
        assert!(refused > 0 && refused < CHANGES, "{}: {refused} are refused", victim.name);
    }
}
