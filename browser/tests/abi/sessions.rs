//! Sessions: what the host is told, and in which order.

use cdm_abi::{Exception, HdcpVersion, InitDataType, KeyStatus, MessageType, SessionType};
use cdm_host::{Call, Disk, Host};

use crate::support::{
    KEY_SYSTEM, cdm, keyids, library, license, licensed, rejected, session, statuses,
};

const TEMPORARY: SessionType = SessionType::TEMPORARY;

#[test]
fn a_license_request_is_a_message_of_a_session_that_is_known() {
    let (cdm, host) = cdm();
    cdm.create_session_and_generate_request(5, TEMPORARY, InitDataType::KEY_IDS, &keyids(&[1]));
    let calls = host.calls();
    let [
        Call::ResolveNewSession { promise: 5, session_id: Some(new) },
        Call::Message { session_id, message_type: MessageType::LICENSE_REQUEST, message },
    ] = &calls[..]
    else {
        panic!("{calls:?}")
    };
    assert_eq!(new, session_id);
    assert_eq!(message, br#"{"kids":["AQEBAQEBAQEBAQEBAQEBAQ"],"type":"temporary"}"#);
    session_id.parse::<u32>().unwrap();
}

#[test]
fn statuses_come_before_the_promise_of_update() {
    let (cdm, host) = cdm();
    licensed(&cdm, &host, TEMPORARY, &[1, 2]);
}

#[test]
fn a_session_is_closed_before_the_promise_of_close() {
    let (cdm, host) = cdm();
    let session_id = licensed(&cdm, &host, TEMPORARY, &[1]);
    cdm.close_session(3, &session_id);
    assert_eq!(
        host.calls(),
        [Call::Closed { session_id: session_id.clone() }, Call::Resolve { promise: 3 }]
    );
    // What is closed is closed.
    cdm.close_session(4, &session_id);
    assert_eq!(host.calls(), [Call::Resolve { promise: 4 }]);
    cdm.update_session(5, &session_id, &license(cdm::SessionType::Temporary, &[1]));
    assert_eq!(rejected(&host), Exception::INVALID_STATE_ERROR);
    cdm.remove_session(6, &session_id);
    assert_eq!(rejected(&host), Exception::INVALID_STATE_ERROR);
}

#[test]
fn removed_keys_are_released() {
    let (cdm, host) = cdm();
    let session_id = licensed(&cdm, &host, TEMPORARY, &[1, 2]);
    cdm.remove_session(3, &session_id);
    let change = Call::KeysChange {
        session_id,
        has_additional_usable_key: false,
        keys: statuses(&[1, 2], KeyStatus::RELEASED),
    };
    assert_eq!(host.calls(), [change, Call::Resolve { promise: 3 }]);
}

#[test]
fn wrong_input_has_the_exception_that_a_page_sees() {
    let (cdm, host) = cdm();
    let unusable = b"\0\0\0\x20pssh\0\0\0\0\xed\xef\x8b\xa9\x79\xd6\x4a\xce\xa3\xc8\x27\xdc\xd5\x1d\x21\xed\0\0\0\0";
    let kids = keyids(&[1]);
    for (session_type, init_data_type, init_data, exception) in [
        (TEMPORARY, InitDataType::KEY_IDS, &b"{}"[..], Exception::TYPE_ERROR),
        (TEMPORARY, InitDataType::KEY_IDS, b"", Exception::TYPE_ERROR),
        (TEMPORARY, InitDataType::CENC, b"\0\0\0\x10psss\0\0\0\0", Exception::TYPE_ERROR),
        (TEMPORARY, InitDataType::CENC, unusable, Exception::NOT_SUPPORTED_ERROR),
        (TEMPORARY, InitDataType(3), &kids, Exception::NOT_SUPPORTED_ERROR),
        (SessionType(2), InitDataType::KEY_IDS, &kids, Exception::NOT_SUPPORTED_ERROR),
    ] {
        cdm.create_session_and_generate_request(9, session_type, init_data_type, init_data);
        assert_eq!(rejected(&host), exception, "{init_data_type:?} {init_data:?}");
    }
    let session_id = session(&cdm, &host, TEMPORARY, &[1]);
    for response in
        [&b""[..], b"{", b"{\"keys\":[]}", &license(cdm::SessionType::PersistentLicense, &[1])]
    {
        cdm.update_session(9, &session_id, response);
        assert_eq!(rejected(&host), Exception::TYPE_ERROR, "{response:?}");
    }
    cdm.load_session(9, TEMPORARY, "1");
    assert_eq!(rejected(&host), Exception::TYPE_ERROR);
    cdm.load_session(9, SessionType::PERSISTENT_LICENSE, "x");
    assert_eq!(rejected(&host), Exception::TYPE_ERROR);
    // And the session is what it was.
    cdm.update_session(10, &session_id, &license(cdm::SessionType::Temporary, &[1]));
    assert_eq!(host.calls().len(), 2);
}

#[test]
fn webm_and_cenc_init_data_arrive() {
    let (cdm, host) = cdm();
    let pssh = b"\0\0\0\x34pssh\x01\0\0\0\x10\x77\xef\xec\xc0\xb2\x4d\x02\xac\xe3\x3c\x1e\x52\xe2\xfb\x4b\0\0\0\x01AAAAAAAAAAAAAAAA\0\0\0\0";
    for (init_data_type, init_data) in
        [(InitDataType::WEBM, &b"AAAAAAAAAAAAAAAA"[..]), (InitDataType::CENC, pssh)]
    {
        cdm.create_session_and_generate_request(1, TEMPORARY, init_data_type, init_data);
        let calls = host.calls();
        let [_, Call::Message { message, .. }] = &calls[..] else { panic!("{calls:?}") };
        assert_eq!(message, br#"{"kids":["QUFBQUFBQUFBQUFBQUFBQQ"],"type":"temporary"}"#);
    }
}

#[test]
fn nothing_works_before_initialize_and_that_works_once() {
    let host = Host::new(Disk::default());
    let cdm = library().create(10, KEY_SYSTEM, &host).unwrap();
    cdm.create_session_and_generate_request(1, TEMPORARY, InitDataType::KEY_IDS, &keyids(&[1]));
    assert_eq!(rejected(&host), Exception::INVALID_STATE_ERROR);
    cdm.initialize(false, false, false);
    cdm.initialize(false, false, false);
    assert_eq!(
        host.calls(),
        [Call::Initialized { success: true }, Call::Initialized { success: false }]
    );
    session(&cdm, &host, TEMPORARY, &[1]);
}

#[test]
fn without_persistent_state_there_are_no_persistent_sessions() {
    let host = Host::new(Disk::default());
    let cdm = library().create(11, KEY_SYSTEM, &host).unwrap();
    cdm.initialize(false, false, false);
    let _ = host.calls();
    let kids = keyids(&[1]);
    let persistent = SessionType::PERSISTENT_LICENSE;
    cdm.create_session_and_generate_request(1, persistent, InitDataType::KEY_IDS, &kids);
    assert_eq!(rejected(&host), Exception::NOT_SUPPORTED_ERROR);
    cdm.load_session(2, persistent, "1");
    assert_eq!(rejected(&host), Exception::NOT_SUPPORTED_ERROR);
}

#[test]
fn every_policy_is_met_and_no_certificate_is_used() {
    let (cdm, host) = cdm();
    for version in 0..=9 {
        cdm.get_status_for_policy(1, HdcpVersion(version));
        let usable = Call::ResolveKeyStatus { promise: 1, status: KeyStatus::USABLE };
        assert_eq!(host.calls(), [usable], "{version}");
    }
    cdm.get_status_for_policy(1, HdcpVersion(10));
    assert_eq!(rejected(&host), Exception::TYPE_ERROR);
    cdm.set_server_certificate(2, &[0; 200]);
    assert_eq!(rejected(&host), Exception::NOT_SUPPORTED_ERROR);
    cdm.set_server_certificate(2, &[]);
    assert_eq!(rejected(&host), Exception::TYPE_ERROR);
}

#[test]
fn instances_know_nothing_of_each_other() {
    let all: Vec<_> = (0..65).map(|_| cdm()).collect();
    let ids: Vec<_> = all.iter().map(|(cdm, host)| licensed(cdm, host, TEMPORARY, &[1])).collect();
    for ((cdm, host), other) in all.iter().zip(ids.iter().skip(1)) {
        cdm.remove_session(1, other);
        assert_eq!(rejected(host), Exception::INVALID_STATE_ERROR);
    }
    // Half of them go; the others stay.
    for (at, (cdm, host)) in all.iter().enumerate() {
        if at % 2 == 0 {
            cdm.destroy();
        } else {
            cdm.close_session(1, &ids[at]);
            assert_eq!(host.calls().len(), 2);
        }
    }
}
