//! Initialization data: which keys a stream needs (W3C registry of initialization data formats).

mod data_type;

pub use data_type::InitDataType;

use crate::json::Document;
use crate::pssh::{self, Pssh};
use crate::{Error, KeyId, kids, limits};

/// The key ids that initialization data name, each once, in their first place.
///
/// ```text
/// cenc     pssh boxes, of which the first common one with key ids counts (see pssh)
/// keyids   {"kids":["LwVHf8JLtPrv2GUXFW2v_A"]}       base64url of 1 to 512 octets each
/// webm     one key id and nothing else: 1 to 512 octets
/// ```
///
/// ```
/// use clearkey::{InitData, InitDataType};
///
/// let init_data = InitData::parse("keyids", br#"{"kids":["AQI"]}"#)?;
/// assert_eq!(init_data.kids()[0].as_bytes(), [1, 2]);
///
/// let webm = InitData::new(InitDataType::Webm, init_data.kids().to_vec())?;
/// assert_eq!(webm.as_bytes(), [1, 2]);
/// # Ok::<(), clearkey::Error>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InitData {
    kids: Vec<KeyId>,
    init_data_type: InitDataType,
    bytes: Vec<u8>,
}

impl InitData {
    /// Reads the arguments of EME's `generateRequest()`: 1 to [`limits::INIT_DATA`] octets.
    ///
    /// # Errors
    ///
    /// The first of these that is true: [`Error::InitDataTypeEmpty`], [`Error::Length`] for no data,
    /// [`Error::InitDataTypeUnknown`], [`Error::Length`] for too many, what is wrong with the data
    /// themselves, [`Error::NoUsableBox`] if they are for other systems, [`Error::TooManyKeyIds`] for
    /// more than [`limits::KIDS`].
    pub fn parse(init_data_type: &str, init_data: &[u8]) -> Result<Self, Error> {
        if init_data_type.is_empty() {
            return Err(Error::InitDataTypeEmpty);
        }
        limits::check(WHAT, init_data.len(), 1..=usize::MAX)?;
        let init_data_type = init_data_type.parse()?;
        limits::check(WHAT, init_data.len(), 1..=limits::INIT_DATA)?;
        let kids = match init_data_type {
            InitDataType::Cenc => pssh::common_kids(init_data)?,
            InitDataType::Keyids => {
                let document = Document::read(init_data)?;
                kids::read(document.root().required("kids")?.elements()?)?
            }
            InitDataType::Webm => vec![KeyId::new(init_data)?],
        };
        let kids = kids::requested(kids)?;
        Ok(Self { kids, init_data_type, bytes: init_data.to_vec() })
    }

    /// Makes initialization data that name these key ids: for `cenc`, one common `pssh` box of
    /// version 1.
    ///
    /// # Errors
    ///
    /// [`Error::NoKeyId`]; [`Error::Length`] for more than one key id in `webm`, and for one in `cenc`
    /// that has not 16 octets, and for data of more than [`limits::INIT_DATA`] octets: no more than 95 of
    /// the longest key ids fit; [`Error::TooManyKeyIds`] for more than [`limits::KIDS`].
    pub fn new(init_data_type: InitDataType, kids: Vec<KeyId>) -> Result<Self, Error> {
        let kids = kids::requested(kids)?;
        let bytes = match (init_data_type, &*kids) {
            (InitDataType::Cenc, _) => Pssh::common(kids.clone())?.to_bytes(),
            (InitDataType::Keyids, _) => format!("{{{}}}", kids::write(&kids)).into_bytes(),
            (InitDataType::Webm, [kid]) => kid.as_bytes().to_vec(),
            (InitDataType::Webm, _) => return Err(Error::WebmKeyIds { count: kids.len() }),
        };
        limits::check(WHAT, bytes.len(), 1..=limits::INIT_DATA)?;
        Ok(Self { kids, init_data_type, bytes })
    }

    /// The format.
    #[must_use]
    pub fn init_data_type(&self) -> InitDataType {
        self.init_data_type
    }

    /// The key ids.
    #[must_use]
    pub fn kids(&self) -> &[KeyId] {
        &self.kids
    }

    /// The data, as they were read or made.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

const WHAT: &str = "initialization data";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Exception;

    fn refusal(init_data_type: &str, init_data: &[u8]) -> (Exception, String) {
        let error = InitData::parse(init_data_type, init_data).unwrap_err();
        (error.exception(), error.to_string())
    }

    fn kid(number: usize) -> KeyId {
        let mut octets = [0; 16];
        octets[..8].copy_from_slice(&number.to_be_bytes());
        octets.into()
    }

    /// Each case is wrong in what it shows and in all that comes after.
    #[test]
    fn checks_come_in_the_order_of_eme() {
        let long = vec![b'x'; 65_537];
        let cases: [(&str, &[u8], Exception, &str); 6] = [
            ("", b"", Exception::Type, "no type of initialization data"),
            ("none", b"", Exception::Type, "initialization data of 0 octets"),
            ("none", &long, Exception::NotSupported, "\"none\" is no type"),
            ("CENC", b"x", Exception::NotSupported, "\"CENC\" is no type"),
            ("cenc", &long, Exception::Type, "initialization data of 65537 octets"),
            ("keyids", b"x", Exception::Type, "no JSON"),
        ];
        for (name, data, exception, text) in cases {
            let (found, said) = refusal(name, data);
            assert_eq!(found, exception, "{name}");
            assert!(said.starts_with(text), "{said}");
        }
    }

    #[test]
    fn a_list_of_key_ids_is_limited() {
        let list = |count| -> Vec<_> { (0..count).map(kid).collect() };
        for init_data_type in [InitDataType::Cenc, InitDataType::Keyids] {
            let full = InitData::new(init_data_type, list(128)).unwrap();
            let read = InitData::parse(init_data_type.as_str(), full.as_bytes());
            assert_eq!(read, Ok(full));
            let more = Err(Error::TooManyKeyIds { count: 129, limit: 128 });
            assert_eq!(InitData::new(init_data_type, list(129)), more);
            assert_eq!(InitData::new(init_data_type, list(0)), Err(Error::NoKeyId));
        }
        let json = format!("{{{}}}", kids::write(&list(129)));
        assert_eq!(refusal("keyids", json.as_bytes()).1, "129 key ids, at most 128 allowed");
    }

    #[test]
    fn what_could_not_be_read_is_not_made() {
        let long = |count: u8| -> Vec<_> {
            (0..count).map(|octet| KeyId::new([octet; 512]).unwrap()).collect()
        };
        let most = InitData::new(InitDataType::Keyids, long(95)).unwrap();
        assert_eq!(InitData::parse("keyids", most.as_bytes()), Ok(most));
        let more = InitData::new(InitDataType::Keyids, long(96));
        assert!(matches!(more, Err(Error::Length { len: 65_866, .. })), "{more:?}");
    }

    #[test]
    fn webm_data_are_one_key_id() {
        for len in [1, 16, 512] {
            assert_eq!(InitData::parse("webm", &vec![7; len]).unwrap().kids().len(), 1);
        }
        assert_eq!(refusal("webm", &[7; 513]).0, Exception::Type);
        let two = InitData::new(InitDataType::Webm, vec![kid(1), kid(2)]);
        assert_eq!(two, Err(Error::WebmKeyIds { count: 2 }));
        // The same key twice is one key.
        assert!(InitData::new(InitDataType::Webm, vec![kid(1), kid(1)]).is_ok());
    }

    #[test]
    fn cenc_has_key_ids_of_16_octets_only() {
        let short = InitData::new(InitDataType::Cenc, vec![KeyId::new([1, 2]).unwrap()]);
        assert!(matches!(short, Err(Error::Length { len: 2, .. })));
    }

    #[test]
    fn a_key_id_is_listed_once_in_its_first_place() {
        let read = InitData::parse("keyids", br#"{"kids":["Ag","AQ","Ag","AR"]}"#).unwrap();
        let kids: Vec<_> = read.kids().iter().map(KeyId::as_bytes).collect();
        assert_eq!(kids, [[2], [1]]);
        assert_eq!(read.as_bytes(), br#"{"kids":["Ag","AQ","Ag","AR"]}"#);
    }
}
