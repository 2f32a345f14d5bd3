//! Laws that hold for every input.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may panic as the test may")]

use clearkey::pssh::{Pssh, PsshBox, SystemId, boxes, common_kids};
use clearkey::{
    CdmMessage, InitData, InitDataType, Jwk, KeyId, License, LicenseRelease, LicenseRequest,
    Response, SessionType, base64url, key_text,
};
use data_encoding::{BASE64, HEXLOWER};
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

fn any_license() -> impl Strategy<Value = License> {
    let jwk = (any_kid(), any::<[u8; 16]>()).prop_map(|(kid, key)| Jwk::new(kid, key));
    (vec(jwk, 1..20), any_session_type())
        .prop_map(|(keys, session_type)| License::new(keys, session_type).unwrap())
}

/// What keys are, which have no `PartialEq`.
fn pairs(keys: &[Jwk]) -> Vec<(KeyId, [u8; 16])> {
    keys.iter().map(|jwk| (jwk.kid().clone(), *jwk.key())).collect()
}

/// The ways to write a key id, and those to write a key.
fn spellings(kid: [u8; 16], key: [u8; 16]) -> ([String; 3], [String; 3]) {
    let hex = HEXLOWER.encode(&key);
    (
        [
            KeyId::from(kid).to_string(),
            SystemId::new(kid).to_string().to_uppercase(),
            base64url::encode(&kid),
        ],
        [hex.to_uppercase(), hex, base64url::encode(&key)],
    )
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
        prop_assert_eq!(&found, &boxes_written.iter().cloned().map(PsshBox::Known).collect::<Vec<_>>());
        for (pssh, found) in boxes_written.iter().zip(&found) {
            prop_assert_eq!(BASE64.decode(pssh.to_base64().as_bytes()), Ok(pssh.to_bytes()));
            prop_assert_eq!(found.to_base64(), pssh.to_base64());
            prop_assert_eq!(found.version(), pssh.version());
        }
    }

    /// Of a later version, or with flags, no more is known than where it ends.
    #[test]
    fn what_is_not_known_of_a_box_is_written_again(
        version in 2_u8..,
        flags in 0_u32..1 << 24,
        rest in vec(any::<u8>(), 0..40),
    ) {
        let size = u32::try_from(12 + rest.len()).unwrap();
        let flagged = (u32::from(version) << 24 | flags).to_be_bytes();
        let bytes = [&size.to_be_bytes(), b"pssh".as_slice(), &flagged, &rest].concat();
        let found = PsshBox::parse(&bytes).unwrap();
        prop_assert_eq!(found.version(), version);
        prop_assert_eq!(found.pssh(), None);
        prop_assert_eq!(found.to_bytes(), bytes);
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
    fn key_ids_come_back_out_of_the_common_box(
        kids in vec(any::<[u8; 16]>().prop_map(KeyId::from), 1..9),
        others in vec(any_pssh(), 0..3),
        at in any::<prop::sample::Index>(),
    ) {
        let common = Pssh::common(kids.clone()).unwrap();
        // Boxes for others do not matter, wherever they are.
        let is_common = |pssh: &Pssh| pssh.system_id() == SystemId::COMMON;
        let mut boxes: Vec<_> = others.into_iter().filter(|pssh| !is_common(pssh)).collect();
        boxes.insert(at.index(boxes.len() + 1), common);
        let bytes = boxes.iter().map(Pssh::to_bytes).collect::<Vec<_>>().concat();
        let mut expected = Vec::new();
        kids.into_iter().for_each(|kid| if !expected.contains(&kid) { expected.push(kid) });
        prop_assert_eq!(common_kids(&bytes), Ok(expected));
    }

    #[test]
    fn messages_come_back(kids in vec(any_kid(), 1..20), session_type in any_session_type()) {
        let request = LicenseRequest::new(kids.clone(), session_type).unwrap();
        let json = request.to_json();
        prop_assert_eq!(LicenseRequest::parse(&json), Ok(request.clone()));
        prop_assert_eq!(CdmMessage::parse(&json), Ok(CdmMessage::Request(request)));
        let release = LicenseRelease::new(kids);
        let json = release.to_json();
        prop_assert_eq!(LicenseRelease::parse(&json), Ok(release.clone()));
        prop_assert_eq!(CdmMessage::parse(&json), Ok(CdmMessage::Release(release.clone())));
        // The server's answer to it is the same again.
        match Response::parse(&json) {
            Ok(Response::Acknowledgement(read)) => prop_assert_eq!(read, release),
            other => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn a_license_comes_back(license in any_license()) {
        let json = license.to_json();
        let read = License::parse(&json).unwrap();
        prop_assert_eq!(pairs(&read.keys), pairs(&license.keys));
        prop_assert_eq!(read.license_type, license.license_type);
        match Response::parse(&json) {
            Ok(Response::License(read)) => {
                prop_assert_eq!(pairs(&read.keys), pairs(&license.keys));
                prop_assert_eq!(read.license_type, license.license_type);
            }
            other => prop_assert!(false, "{:?}", other),
        }
        // Its keys are a JWK set.
        prop_assert_eq!(pairs(&Jwk::parse_set(&json).unwrap()), pairs(&license.keys));
    }

    #[test]
    fn a_request_is_answered_with_what_it_asks_for(
        kids in vec(any_kid(), 1..20),
        session_type in any_session_type(),
        is_known in any::<[bool; 8]>(),
    ) {
        let request = LicenseRequest::new(kids, session_type).unwrap();
        let knows = |kid: &KeyId| is_known[usize::from(kid.as_bytes()[0] % 8)];
        let answer = request.answer(|kid| knows(kid).then(|| Jwk::new(kid.clone(), [7; 16])));
        let (known, missing): (Vec<_>, Vec<_>) = request.kids().iter().cloned().partition(knows);
        prop_assert_eq!(answer.missing, missing);
        match answer.license {
            None => prop_assert!(known.is_empty()),
            Some(license) => {
                let read = License::parse(&license.to_json()).unwrap();
                let kids: Vec<_> = read.keys.iter().map(|jwk| jwk.kid().clone()).collect();
                prop_assert_eq!((kids, read.license_type), (known, session_type));
            }
        }
    }

    #[test]
    fn a_key_comes_back_in_every_spelling(kid in any::<[u8; 16]>(), key in any::<[u8; 16]>()) {
        let (kids, keys) = spellings(kid, key);
        for (name, value) in kids.iter().flat_map(|kid| keys.iter().map(move |key| (kid, key))) {
            for separator in [':', '='] {
                let jwk: Jwk = format!("{name}{separator}{value}").parse().unwrap();
                prop_assert_eq!(pairs(&[jwk]), [(KeyId::from(kid), key)]);
            }
        }
    }

    /// A list of them comes back, with the numbers of its lines, whatever stands between and behind.
    #[test]
    fn a_list_of_keys_comes_back(
        list in vec((any::<[u8; 16]>(), any::<[u8; 16]>(), 0..3_usize, 0..3_usize, 0..4_usize), 0..9),
        ends in prop::sample::select(vec!["\n", "\r\n"]),
    ) {
        const BETWEEN: [&str; 4] = ["", "  \t", "# a comment: with a key", " #"];
        let (mut text, mut expected, mut number) = (String::new(), Vec::new(), 0);
        for (kid, key, kid_as, key_as, between) in list {
            let (kids, keys) = spellings(kid, key);
            let (kids, keys) = (&kids[kid_as], &keys[key_as]);
            text += &format!("{}{ends} {kids}:{keys} {}{ends}", BETWEEN[between], BETWEEN[3 - between]);
            number += 2;
            expected.push((number, KeyId::from(kid), key));
        }
        let read = |(number, line): (usize, &str)| {
            let jwk: Jwk = line.parse().unwrap();
            (number, jwk.kid().clone(), *jwk.key())
        };
        prop_assert_eq!(key_text::lines(&text).map(read).collect::<Vec<_>>(), expected);
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

#[test]
fn names_come_back() {
    for session_type in [SessionType::Temporary, SessionType::PersistentLicense] {
        assert_eq!(session_type.to_string().parse(), Ok(session_type));
        assert_eq!(session_type.as_str(), session_type.to_string());
    }
    for init_data_type in InitDataType::ALL {
        assert_eq!(init_data_type.to_string().parse(), Ok(init_data_type));
        assert_eq!(init_data_type.as_str(), init_data_type.to_string());
    }
}
