//! Initialization data of every type.

use crate::pssh::{PsshBox, boxes, common_kids};
use crate::{Error, InitData, InitDataType, LicenseRequest, SessionType, limits};

/// Reads bytes as initialization data of every type. Whether they are boxes with key ids, or a list of them.
#[must_use]
pub fn init_data(bytes: &[u8]) -> bool {
    let [cenc, keyids, webm] =
        InitDataType::ALL.map(|init_data_type| parse(init_data_type.as_str(), bytes));
    assert_eq!(webm, (1..=limits::KEY_ID).contains(&bytes.len()));
    assert!(InitData::parse("", bytes).is_err() && InitData::parse("CENC", bytes).is_err());

    let kids = InitData::parse("cenc", bytes).map(|init_data| init_data.kids().to_vec());
    assert_eq!(common_kids(bytes).ok(), kids.ok());
    let mut all = Vec::new();
    for found in boxes(bytes) {
        match found {
            Ok(found) => {
                assert_eq!(PsshBox::parse(&found.to_bytes()).as_ref(), Ok(&found));
                all.extend(found.to_bytes());
            }
            Err(error) => {
                assert!(!cenc && at(&error).is_none_or(|at| at <= bytes.len()), "{error:?}");
                return keyids;
            }
        }
    }
    // As many octets as were read, but for long headers; and the same boxes.
    assert!(all.len() <= bytes.len());
    assert!(boxes(bytes).eq(boxes(&all)));
    cenc || keyids
}

/// Whether they are of that type. Then what they say is written, read, and asked for.
fn parse(init_data_type: &str, bytes: &[u8]) -> bool {
    let read = InitData::parse(init_data_type, bytes);
    assert_eq!(InitData::parse(init_data_type, bytes), read);
    let Ok(read) = read else { return false };
    let kids = read.kids().to_vec();
    assert!((1..=limits::KIDS).contains(&kids.len()) && read.as_bytes() == bytes);
    let written = InitData::new(read.init_data_type(), kids.clone()).expect("it was read");
    assert_eq!(InitData::parse(init_data_type, written.as_bytes()).as_ref(), Ok(&written));
    assert_eq!(written.kids(), kids);
    let request = LicenseRequest::new(kids, SessionType::Temporary).expect("they can be asked for");
    assert_eq!(LicenseRequest::parse(&request.to_json()), Ok(request));
    true
}

/// Where an error says that it is.
fn at(error: &Error) -> Option<usize> {
    match error {
        Error::BoxSize { at, .. }
        | Error::BoxTrailing { at, .. }
        | Error::BoxTruncated { at, .. }
        | Error::BoxType { at, .. } => Some(*at),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER_PERMISSIVE;
    use serde_json::Value;

    use super::*;

    #[test]
    fn seeds_get_through() {
        let vectors = include_str!("../../../fixtures/vectors/init_data.json");
        let vectors: Vec<Value> = serde_json::from_str(vectors).unwrap();
        let mut read = 0;
        for vector in &vectors {
            let Some(seed) = vector["input_hex"].as_str() else { continue };
            let seed = HEXLOWER_PERMISSIVE.decode(seed.as_bytes()).unwrap();
            let is_read = vector["expected"]["ok"] == true && vector["init_data_type"] != "webm";
            assert!(init_data(&seed) || !is_read, "{vector}");
            read += usize::from(is_read);
        }
        assert!(read > 15, "{read}");
    }

    #[test]
    fn garbage_does_not() {
        for garbage in [&b""[..], b"\0\0\0\x20pssh", b"{\"kids\":[]}", &[0xff; 600]] {
            assert!(!init_data(garbage));
        }
    }
}
