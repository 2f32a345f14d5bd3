//! The key ids in initialization data of type "cenc" (W3C registry of initialization data formats).

use super::{PsshBox, SystemId, boxes};
use crate::{Error, KeyId, kids, limits};

/// The key ids of the first box that is for ClearKey: common system, version 1, at least one key
/// id. Each is listed once, in the order of the box; the data of the box are ignored.
///
/// All boxes must be well-formed, also those that are for others.
///
/// # Errors
///
/// [`Error::Length`] for no data or more than [`limits::INIT_DATA`] octets, an `Error::Box…`
/// variant for data that are not whole `pssh` boxes, [`Error::TooManyKeyIds`] for more than
/// [`limits::KIDS`] in the box, repeated ones counted; [`Error::NoUsableBox`] if there is no such
/// box. That last one is no fault of the data: they are for other systems.
pub fn common_kids(init_data: &[u8]) -> Result<Vec<KeyId>, Error> {
    limits::check("initialization data", init_data.len(), 1..=limits::INIT_DATA)?;
    let boxes = boxes(init_data).collect::<Result<Vec<_>, _>>()?;
    let found = boxes
        .iter()
        .filter_map(PsshBox::pssh)
        .filter(|pssh| pssh.system_id() == SystemId::COMMON)
        .map(|pssh| pssh.kids())
        .find(|kids| !kids.is_empty())
        .ok_or(Error::NoUsableBox)?;
    kids::requested(found.to_vec())
}

#[cfg(test)]
mod tests {
    use super::super::Pssh;
    use super::*;

    fn kid(octet: u8) -> KeyId {
        KeyId::from([octet; 16])
    }

    fn common(kids: &[KeyId]) -> Vec<u8> {
        Pssh::common(kids.to_vec()).unwrap().to_bytes()
    }

    #[test]
    fn the_first_box_with_key_ids_counts() {
        let v0 = Pssh::v0(SystemId::COMMON, Vec::new()).unwrap().to_bytes();
        let with_data = Pssh::v1(SystemId::COMMON, vec![kid(1)], vec![7; 9]).unwrap().to_bytes();
        let data = [v0, common(&[]), with_data, common(&[kid(2)])].concat();
        assert_eq!(common_kids(&data), Ok(vec![kid(1)]));
    }

    #[test]
    fn a_key_id_is_listed_once_in_its_first_place() {
        assert_eq!(
            common_kids(&common(&[kid(3), kid(1), kid(3), kid(2), kid(1)])),
            Ok(vec![kid(3), kid(1), kid(2)])
        );
    }

    #[test]
    fn boxes_after_the_usable_one_must_be_whole() {
        let data = [common(&[kid(1)]), common(&[kid(2)])].concat();
        assert!(matches!(common_kids(&data[..data.len() - 1]), Err(Error::BoxSize { at: 52, .. })));
    }

    #[test]
    fn key_ids_are_limited() {
        let many: Vec<_> = (0..129).map(kid).collect();
        assert_eq!(common_kids(&common(&many[..128])).map(|kids| kids.len()), Ok(128));
        assert_eq!(
            common_kids(&common(&many)),
            Err(Error::TooManyKeyIds { count: 129, limit: 128 })
        );
    }

    #[test]
    fn the_data_are_limited() {
        let padded = |len: usize| {
            let rest = len - common(&[kid(1)]).len() - 32;
            let other = Pssh::v0(SystemId::WIDEVINE, vec![0; rest]).unwrap().to_bytes();
            [common(&[kid(1)]), other].concat()
        };
        assert_eq!(common_kids(&padded(65_536)), Ok(vec![kid(1)]));
        assert!(matches!(common_kids(&padded(65_537)), Err(Error::Length { len: 65_537, .. })));
        assert!(matches!(common_kids(&[]), Err(Error::Length { len: 0, .. })));
    }
}
