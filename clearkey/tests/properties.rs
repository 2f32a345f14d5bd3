//! Laws that hold for every input.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may panic as the test may")]

use clearkey::pssh::{Pssh, PsshBox, SystemId, boxes, common_kids};
use clearkey::{
    InitData, InitDataType, Jwk, KeyId, License, LicenseRelease, LicenseRequest, Response,
    SessionType, base64url,
};
use proptest::collection::vec;
use proptest::prelude::*;

fn any_pssh() -> impl Strategy<Value = Pssh> {
    let system = any::<[u8; 16]>().prop_map(SystemId::new);
    let kids = proptest::option::of(vec(any::<[u8; 16]>().prop_map(KeyId::from), 0..5));
    (system, kids, vec(any::<u8>(), 0..40)).prop_map(|(system, kids, data)| {
        match kids {
            None => Pssh::v0(system, data),
            Some(kids) => Pssh::v1(system, kids, data),
        }
        .unwrap()
    })
}

fn any_kid() -> impl Strategy<Value = KeyId> {
    vec(any::<u8>(), 1..=512).prop_map(|octets| KeyId::new(octets).unwrap())
}

fn any_session_type() -> impl Strategy<Value = SessionType> {
    prop::sample::select(vec![SessionType::Temporary, SessionType::PersistentLicense])
}

fn any_init_data() -> impl Strategy<Value = InitData> {
    let sixteen = any::<[u8; 16]>().prop_map(KeyId::from);
    prop_oneof![
        vec(sixteen, 1..8).prop_map(|kids| InitData::new(InitDataType::Cenc, kids).unwrap()),
        vec(any_kid(), 1..8).prop_map(|kids| InitData::new(InitDataType::Keyids, kids).unwrap()),
        any_kid().prop_map(|kid| InitData::new(InitDataType::Webm, vec![kid]).unwrap()),
    ]
}

/// A box with some octets changed, so that random bytes get past the header.
fn almost_pssh() -> impl Strategy<Value = Vec<u8>> {
    let changes = vec((any::<prop::sample::Index>(), any::<u8>()), 0..6);
    (any_pssh(), changes).prop_map(|(pssh, changes)| {
        let mut bytes = pssh.to_bytes();
        for (index, octet) in changes {
            let at = index.index(bytes.len());
            bytes[at] = octet;
        }
        bytes
    })
}

/// Text made of the pieces of a license, so that random text gets past the first brace.
fn almost_license() -> impl Strategy<Value = String> {
    const PIECES: &str = r#"{"keys":[|{"kty":"oct",|"kid":"AQI"|"k":"AAAAAAAAAAAAAAAAAAAAAA"|,|}|]|
        }]}|{|[|"type":"temporary"|"kids":["AQI"|"kids":[|null|7|"\u0000"|1e999|é"#;
    let piece = prop::sample::select(PIECES.split('|').collect::<Vec<_>>());
    vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn what_is_written_is_read(boxes_written in vec(any_pssh(), 0..4)) {
        let bytes = boxes_written.iter().map(Pssh::to_bytes).collect::<Vec<_>>().concat();
        let found: Vec<_> = boxes(&bytes).map(Result::unwrap).collect();
        prop_assert_eq!(found, boxes_written.into_iter().map(PsshBox::Known).collect::<Vec<_>>());
    }

    #[test]
    fn what_is_read_is_written_and_read_again(bytes in almost_pssh()) {
        if let Ok(found) = PsshBox::parse(&bytes) {
            prop_assert_eq!(PsshBox::parse(&found.to_bytes()), Ok(found));
        }
    }

    #[test]
    fn no_part_of_a_box_is_a_box(pssh in any_pssh()) {
        let bytes = pssh.to_bytes();
        for len in 0..bytes.len() {
            prop_assert!(PsshBox::parse(&bytes[..len]).is_err());
        }
    }

    #[test]
    fn base64url_comes_back(octets in vec(any::<u8>(), 0..100)) {
        let text = base64url::encode(&octets);
        prop_assert!(text.bytes().all(|c| c.is_ascii_alphanumeric() || b"-_".contains(&c)));
        prop_assert_eq!(base64url::decode(&text), Ok(octets));
    }

    #[test]
    fn a_key_id_comes_back_in_every_spelling(octets in any::<[u8; 16]>()) {
        let kid = KeyId::from(octets);
        for text in [
            kid.to_string(),
            kid.to_string().to_uppercase(),
            SystemId::new(octets).to_string(),
            base64url::encode(&octets),
        ] {
            prop_assert_eq!(text.parse(), Ok(kid.clone()));
        }
    }

    #[test]
    fn init_data_come_back(init_data in any_init_data()) {
        let name = init_data.init_data_type().as_str();
        prop_assert_eq!(InitData::parse(name, init_data.as_bytes()), Ok(init_data));
    }

    #[test]
    fn messages_come_back(kids in vec(any_kid(), 1..20), session_type in any_session_type()) {
        let request = LicenseRequest::new(kids.clone(), session_type).unwrap();
        prop_assert_eq!(LicenseRequest::parse(&request.to_json()), Ok(request));
        let release = LicenseRelease::new(kids);
        prop_assert_eq!(LicenseRelease::parse(&release.to_json()), Ok(release));
    }

    #[test]
    fn a_license_comes_back(
        keys in vec((any_kid(), any::<[u8; 16]>()), 1..20),
        session_type in any_session_type(),
    ) {
        let keys = keys.into_iter().map(|(kid, key)| Jwk::new(kid, key)).collect();
        let license = License::new(keys, session_type).unwrap();
        let read = License::parse(&license.to_json()).unwrap();
        let pairs = |license: &License| -> Vec<_> {
            license.keys.iter().map(|jwk| (jwk.kid().clone(), *jwk.key())).collect()
        };
        prop_assert_eq!(pairs(&read), pairs(&license));
        prop_assert_eq!(read.license_type, session_type);
    }

    #[test]
    fn no_bytes_make_a_parser_panic(bytes in vec(any::<u8>(), 0..200)) {
        let _ = License::parse(&bytes);
        let _ = PsshBox::parse(&bytes);
        let _ = common_kids(&bytes);
        let _ = Response::parse(&bytes);
        let _ = LicenseRequest::parse(&bytes);
        for init_data_type in InitDataType::ALL {
            let _ = InitData::parse(init_data_type.as_str(), &bytes);
        }
        prop_assert!(boxes(&bytes).count() <= bytes.len());
    }

    #[test]
    fn no_text_makes_a_parser_panic(text in any::<String>(), license in almost_license()) {
        let _ = base64url::decode(&text);
        let _ = text.parse::<KeyId>();
        let _ = License::parse(text.as_bytes());
        let _ = License::parse(license.as_bytes());
        let _ = Response::parse(license.as_bytes());
        let _ = LicenseRequest::parse(license.as_bytes());
        let _ = InitData::parse("keyids", license.as_bytes());
    }
}
