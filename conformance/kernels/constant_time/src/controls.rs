//! What a kernel must not do, done on purpose: valgrind has to report each.

use std::hint::black_box;

use cenc::{Iv, Kernel, Key, Pattern, SampleEncryption, Scheme, encrypt_sample};

use crate::secret::hide;

pub(crate) fn run(kernel: Kernel, name: &str) -> Result<String, String> {
    let mut key = [0x3c; 16];
    hide(&mut key);
    let found = match name {
        "jump" if black_box(&key)[0] & 1 == 0 => jump(),
        "jump" => 0,
        "look-up" => {
            let table: [u8; 256] = std::array::from_fn(|at| at as u8);
            black_box(&table)[usize::from(key[15])]
        }
        // The keystream is as secret as the key it came from.
        "output" => {
            let iv = Iv::new(&[7; 8]).map_err(|error| error.to_string())?;
            let encryption = SampleEncryption::new(Scheme::Cenc, iv, Pattern::NONE, None)
                .map_err(|error| error.to_string())?;
            let mut sample = [0; 5];
            encrypt_sample(&Key::on(kernel, &key), &encryption, &mut sample)
                .map_err(|error| error.to_string())?;
            if sample[4] == 0x11 { jump() } else { 0 }
        }
        name => return Err(format!("there is no control {name:?}")),
    };
    black_box(found);
    Ok(format!("{name}: done on purpose"))
}

/// Something that no compiler makes a conditional move of.
#[inline(never)]
fn jump() -> u8 {
    black_box(1)
}
