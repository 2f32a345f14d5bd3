//! What every test needs: the library, an instance, licenses, and a look at what was said.

#![allow(unsafe_code, reason = "the functions of this library are handed to a host")]

use cdm_abi::{InitDataType, KeyStatus, MessageType, SessionType};
use cdm_host::{Call, Cdm, Disk, Exports, Host, Library};
use clearkey::{Jwk, KeyId, License};

pub(crate) const KEY_SYSTEM: &str = "org.w3.clearkey";

pub(crate) fn exports() -> Exports {
    Exports {
        initialize_cdm_module: clearkeycdm::InitializeCdmModule_4,
        create_cdm_instance: clearkeycdm::CreateCdmInstance,
        deinitialize_cdm_module: Some(clearkeycdm::DeinitializeCdmModule),
        get_cdm_version: Some(clearkeycdm::GetCdmVersion),
        verify_cdm_host: Some(clearkeycdm::VerifyCdmHost_0),
    }
}

/// This library, linked in.
pub(crate) fn library() -> Library {
    // SAFETY: the exports of this library.
    unsafe { Library::linked(exports()) }
}

/// An instance that is initialized, and its host.
pub(crate) fn cdm() -> (Cdm, Host) {
    cdm_on(&Disk::default())
}

pub(crate) fn cdm_on(disk: &Disk) -> (Cdm, Host) {
    let host = Host::new(disk.clone());
    let cdm = library().create(11, KEY_SYSTEM, &host).unwrap();
    cdm.initialize(false, true, false);
    assert_eq!(host.calls(), [Call::Initialized { success: true }]);
    (cdm, host)
}

/// Initialization data for the key ids of 16 times the same octet.
pub(crate) fn keyids(octets: &[u8]) -> Vec<u8> {
    let kids = octets.iter().map(|&octet| KeyId::from([octet; 16])).collect();
    clearkey::InitData::new(clearkey::InitDataType::Keyids, kids).unwrap().as_bytes().to_vec()
}

/// A license with a key for each of them: 16 times the octet's complement.
pub(crate) fn license(session_type: cdm::SessionType, octets: &[u8]) -> Vec<u8> {
    let jwk = |&octet: &u8| Jwk::new(KeyId::from([octet; 16]), [!octet; 16]);
    License::new(octets.iter().map(jwk).collect(), session_type).unwrap().to_json().to_vec()
}

/// The interface's number as `cdm`'s value.
pub(crate) fn kind(session_type: SessionType) -> cdm::SessionType {
    match session_type {
        SessionType::TEMPORARY => cdm::SessionType::Temporary,
        SessionType::PERSISTENT_LICENSE => cdm::SessionType::PersistentLicense,
        other => panic!("{other:?}"),
    }
}

/// Makes a session that asks for these keys. Yields its id.
pub(crate) fn session(cdm: &Cdm, host: &Host, of: SessionType, octets: &[u8]) -> String {
    cdm.create_session_and_generate_request(1, of, InitDataType::KEY_IDS, &keyids(octets));
    host.disk().settle();
    match &host.calls()[..] {
        [
            Call::ResolveNewSession { promise: 1, session_id: Some(session_id) },
            Call::Message { message_type: MessageType::LICENSE_REQUEST, .. },
        ] => session_id.clone(),
        other => panic!("{other:?}"),
    }
}

/// A session that has these keys.
pub(crate) fn licensed(cdm: &Cdm, host: &Host, of: SessionType, octets: &[u8]) -> String {
    let session_id = session(cdm, host, of, octets);
    cdm.update_session(2, &session_id, &license(kind(of), octets));
    host.disk().settle();
    let keys = statuses(octets, KeyStatus::USABLE);
    let change =
        Call::KeysChange { session_id: session_id.clone(), has_additional_usable_key: true, keys };
    assert_eq!(host.calls(), [change, Call::Resolve { promise: 2 }]);
    session_id
}

pub(crate) fn statuses(octets: &[u8], status: KeyStatus) -> Vec<(Vec<u8>, KeyStatus)> {
    octets.iter().map(|&octet| (vec![octet; 16], status)).collect()
}

/// The exception of the one promise that was rejected.
#[track_caller]
pub(crate) fn rejected(host: &Host) -> cdm_abi::Exception {
    match &host.calls()[..] {
        [Call::Reject { exception, message, .. }] => {
            assert!(!message.is_empty());
            *exception
        }
        other => panic!("{other:?}"),
    }
}
