//! Writing boxes.

use super::Pssh;

pub(super) fn pssh(pssh: &Pssh) -> Vec<u8> {
    let mut rest = pssh.system_id.as_bytes().to_vec();
    if let Some(kids) = &pssh.kids {
        rest.extend_from_slice(&count(kids.len()).to_be_bytes());
        for kid in kids {
            rest.extend_from_slice(kid.as_bytes());
        }
    }
    rest.extend_from_slice(&count(pssh.data.len()).to_be_bytes());
    rest.extend_from_slice(&pssh.data);
    opaque(pssh.version(), 0, &rest)
}

pub(super) fn opaque(version: u8, flags: u32, rest: &[u8]) -> Vec<u8> {
    let [_, flags @ ..] = flags.to_be_bytes();
    let mut bytes = header(4 + rest.len() as u64);
    bytes.push(version);
    bytes.extend_from_slice(&flags);
    bytes.extend_from_slice(rest);
    bytes
}

/// The header of a box with so many octets in it. Both length fields of a `pssh` have 32 bits, so
/// the sum of what they count may need more.
fn header(content: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    match u32::try_from(content + 8) {
        Ok(size) => {
            bytes.extend_from_slice(&size.to_be_bytes());
            bytes.extend_from_slice(b"pssh");
        }
        Err(_) => {
            bytes.extend_from_slice(&1_u32.to_be_bytes());
            bytes.extend_from_slice(b"pssh");
            bytes.extend_from_slice(&(content + 16).to_be_bytes());
        }
    }
    bytes
}

fn count(len: usize) -> u32 {
    u32::try_from(len).expect("a `Pssh` is built only with lengths that fit")
}

#[cfg(test)]
mod tests {
    use super::super::SystemId;
    use super::*;
    use crate::KeyId;

    /// The example of the "cenc" initialization data registry has two key ids and 68 octets.
    #[test]
    fn the_common_box_has_36_octets_and_16_for_each_key_id() {
        for kids in 0_u8..4 {
            let pssh = Pssh::common((0..kids).map(|kid| KeyId::from([kid; 16])).collect()).unwrap();
            assert_eq!(pssh.to_bytes().len(), 36 + 16 * usize::from(kids));
        }
    }

    #[test]
    fn the_fields_stand_where_the_standard_wants_them() {
        let pssh = Pssh::v1(SystemId::new([0x5a; 16]), vec![KeyId::from([0x4b; 16])], vec![9, 8]);
        let mut expected = b"\0\0\0\x36pssh\x01\0\0\0".to_vec();
        expected.extend_from_slice(&[0x5a; 16]);
        expected.extend_from_slice(&[0, 0, 0, 1]);
        expected.extend_from_slice(&[0x4b; 16]);
        expected.extend_from_slice(&[0, 0, 0, 2, 9, 8]);
        assert_eq!(pssh.unwrap().to_bytes(), expected);

        let pssh = Pssh::v0(SystemId::new([0x5a; 16]), vec![7]).unwrap();
        let mut expected = b"\0\0\0\x21pssh\0\0\0\0".to_vec();
        expected.extend_from_slice(&[0x5a; 16]);
        expected.extend_from_slice(&[0, 0, 0, 1, 7]);
        assert_eq!(pssh.to_bytes(), expected);
    }

    #[test]
    fn a_box_beyond_32_bits_gets_a_64_bit_size() {
        assert_eq!(header(u64::from(u32::MAX) - 8), b"\xff\xff\xff\xffpssh");
        assert_eq!(header(u64::from(u32::MAX) - 7), b"\0\0\0\x01pssh\0\0\0\x01\0\0\0\x08");
    }
}
