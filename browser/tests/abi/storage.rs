//! Persistent licenses in the host's files, whatever happens to these.

use cdm_abi::{Exception, InitDataType, KeyStatus, MessageType, SessionType};
use cdm_host::{Answers, Call, Cdm, Disk, Fault, Host};

use crate::support::{cdm_on, keyids, license, licensed, rejected, statuses};

const PERSISTENT: SessionType = SessionType::PERSISTENT_LICENSE;

/// What a session is when it is loaded by a new instance.
#[derive(Debug, Eq, PartialEq)]
enum Loaded {
    Nothing,
    Usable,
    Released,
    Refused(Exception),
}

fn load(disk: &Disk, session_id: &str) -> Loaded {
    let (cdm, host) = cdm_on(disk);
    load_into(&cdm, &host, session_id)
}

fn load_into(cdm: &Cdm, host: &Host, session_id: &str) -> Loaded {
    cdm.load_session(7, PERSISTENT, session_id);
    host.disk().settle();
    let calls = host.calls();
    match &calls[..] {
        [Call::ResolveNewSession { promise: 7, session_id: None }] => Loaded::Nothing,
        [Call::Reject { promise: 7, exception, .. }] => Loaded::Refused(*exception),
        [
            Call::ResolveNewSession { promise: 7, session_id: Some(new) },
            Call::KeysChange { session_id: changed, has_additional_usable_key, keys },
            rest @ ..,
        ] => {
            assert_eq!((new.as_str(), changed.as_str()), (session_id, session_id));
            match rest {
                [] => {
                    assert_eq!(keys, &statuses(&[1, 2], KeyStatus::USABLE));
                    assert!(has_additional_usable_key);
                    Loaded::Usable
                }
                [Call::Message { message_type: MessageType::LICENSE_RELEASE, message, .. }] => {
                    assert_eq!(keys, &statuses(&[1, 2], KeyStatus::RELEASED));
                    assert!(!has_additional_usable_key);
                    assert_eq!(message, RELEASE);
                    Loaded::Released
                }
                other => panic!("{other:?}"),
            }
        }
        other => panic!("{other:?}"),
    }
}

const RELEASE: &[u8] = br#"{"kids":["AQEBAQEBAQEBAQEBAQEBAQ","AgICAgICAgICAgICAgICAg"]}"#;

/// A session whose license is stored, and closed again.
fn stored(disk: &Disk) -> String {
    let (cdm, host) = cdm_on(disk);
    let session_id = licensed(&cdm, &host, PERSISTENT, &[1, 2]);
    cdm.close_session(3, &session_id);
    assert_eq!(host.calls().len(), 2);
    session_id
}

#[test]
fn a_license_outlives_its_instance() {
    for answers in [Answers::Later, Answers::AtOnce] {
        let disk = Disk::default();
        disk.answer(answers);
        let session_id = stored(&disk);
        assert_eq!(disk.files().len(), 1);
        assert_eq!(load(&disk, &session_id), Loaded::Usable);
        let other = if session_id == "17" { "18" } else { "17" };
        assert_eq!(load(&disk, other), Loaded::Nothing);
        assert_eq!(disk.open(), 0);
    }
}

#[test]
fn a_removed_license_is_released_until_that_is_acknowledged() {
    for answers in [Answers::Later, Answers::AtOnce] {
        let disk = Disk::default();
        disk.answer(answers);
        let session_id = stored(&disk);
        let (cdm, host) = cdm_on(&disk);
        assert_eq!(load_into(&cdm, &host, &session_id), Loaded::Usable);
        cdm.remove_session(3, &session_id);
        disk.settle();
        let calls = host.calls();
        assert!(
            matches!(&calls[..], [
                Call::KeysChange { has_additional_usable_key: false, .. },
                Call::Resolve { promise: 3 },
                Call::Message { message_type: MessageType::LICENSE_RELEASE, message, .. },
            ] if message == RELEASE),
            "{calls:?}"
        );
        cdm.destroy();
        assert_eq!(load(&disk, &session_id), Loaded::Released);
        let (cdm, host) = cdm_on(&disk);
        assert_eq!(load_into(&cdm, &host, &session_id), Loaded::Released);
        cdm.update_session(4, &session_id, RELEASE);
        disk.settle();
        let closed = Call::Closed { session_id: session_id.clone() };
        assert_eq!(host.calls(), [closed, Call::Resolve { promise: 4 }]);
        assert!(disk.files().is_empty());
        assert_eq!(load(&disk, &session_id), Loaded::Nothing);
    }
}

/// The octets of the keys are on the disk as long as the license is, and not a write longer.
#[test]
fn removed_keys_leave_the_disk() {
    let disk = Disk::default();
    let session_id = stored(&disk);
    let has_key = |disk: &Disk| {
        let files = disk.files();
        files.values().any(|file| file.windows(16).any(|octets| octets == [!1; 16]))
    };
    assert!(has_key(&disk));
    let (cdm, host) = cdm_on(&disk);
    assert_eq!(load_into(&cdm, &host, &session_id), Loaded::Usable);
    cdm.remove_session(3, &session_id);
    disk.settle();
    assert!(!has_key(&disk));
}

/// Wherever a write is cut off, by the end of the process or by an error, what was there is there, or
/// what was to be.
#[test]
fn a_write_that_is_cut_off_loses_nothing() {
    for fault in [Fault::Crash, Fault::Write] {
        for len in 0..140 {
            let disk = Disk::default();
            let session_id = stored(&disk);
            let (cdm, host) = cdm_on(&disk);
            assert_eq!(load_into(&cdm, &host, &session_id), Loaded::Usable);
            disk.fault(Some(fault(len)));
            cdm.remove_session(3, &session_id);
            disk.settle();
            let calls = host.calls();
            let was_told = calls.iter().any(|call| matches!(call, Call::Resolve { .. }));
            cdm.destroy();
            assert_eq!(disk.open(), 0);
            disk.fault(None);
            let loaded = load(&disk, &session_id);
            match loaded {
                Loaded::Usable => assert!(!was_told, "{len}: {calls:?}"),
                Loaded::Released => {}
                other => panic!("{len}: {other:?}"),
            }
            // And it goes on from there.
            let (cdm, host) = cdm_on(&disk);
            assert_eq!(load_into(&cdm, &host, &session_id), loaded);
            cdm.remove_session(3, &session_id);
            disk.settle();
            drop((cdm, host));
            assert_eq!(load(&disk, &session_id), Loaded::Released);
        }
    }
}

/// The process ends after a record is written whole and before the one that it replaces is emptied:
/// the newer one counts, and when it is deleted, the older one does not come back. Each slot is the
/// newer one in turn.
#[test]
fn of_two_whole_records_the_newer_one_counts() {
    for updates in 1..4 {
        let disk = Disk::default();
        let (cdm, host) = cdm_on(&disk);
        let session_id = licensed(&cdm, &host, PERSISTENT, &[1, 2]);
        for _ in 1..updates {
            let license = license(cdm::SessionType::PersistentLicense, &[1, 2]);
            cdm.update_session(2, &session_id, &license);
            disk.settle();
        }
        disk.fault(Some(Fault::Crash(usize::MAX)));
        cdm.remove_session(3, &session_id);
        disk.settle();
        cdm.destroy();
        assert_eq!(disk.files().len(), 2);
        let (cdm, host) = cdm_on(&disk);
        assert_eq!(load_into(&cdm, &host, &session_id), Loaded::Released);
        cdm.update_session(4, &session_id, RELEASE);
        disk.settle();
        assert_eq!((host.calls().len(), disk.files().len()), (2, 0));
        assert_eq!(load(&disk, &session_id), Loaded::Nothing);
    }
}

#[test]
fn a_first_write_that_is_cut_off_was_never_there() {
    let whole = {
        let disk = Disk::default();
        stored(&disk);
        disk.files().pop_first().unwrap().1.len()
    };
    for len in 0..whole + 5 {
        let disk = Disk::default();
        let (cdm, host) = cdm_on(&disk);
        let session_id = crate::support::session(&cdm, &host, PERSISTENT, &[1, 2]);
        disk.fault(Some(Fault::Crash(len)));
        cdm.update_session(2, &session_id, &license(cdm::SessionType::PersistentLicense, &[1, 2]));
        disk.settle();
        assert_eq!(host.calls(), []);
        cdm.destroy();
        let expected = if len >= whole { Loaded::Usable } else { Loaded::Nothing };
        assert_eq!(load(&disk, &session_id), expected, "{len}");
    }
}

#[test]
fn a_disk_that_fails_rejects_and_changes_nothing() {
    let disk = Disk::default();
    let session_id = stored(&disk);
    for fault in [Fault::Open, Fault::Read, Fault::NoFiles] {
        disk.fault(Some(fault));
        assert_eq!(load(&disk, &session_id), Loaded::Refused(Exception::QUOTA_EXCEEDED_ERROR));
        disk.fault(None);
    }
    let (cdm, host) = cdm_on(&disk);
    assert_eq!(load_into(&cdm, &host, &session_id), Loaded::Usable);
    for fault in [Fault::Open, Fault::Read, Fault::Write(0)] {
        disk.fault(Some(fault));
        cdm.remove_session(3, &session_id);
        disk.settle();
        assert_eq!(rejected(&host), Exception::QUOTA_EXCEEDED_ERROR, "{fault:?}");
        assert_eq!(disk.open(), 0);
    }
    assert_eq!(load(&disk, &session_id), Loaded::Usable);
}

#[test]
fn a_damaged_file_is_an_error_and_not_nothing() {
    let disk = Disk::default();
    let session_id = stored(&disk);
    let (name, content) = disk.files().pop_first().unwrap();
    for at in [0, 5, 13, content.len() - 1] {
        let mut damaged = content.clone();
        damaged[at] ^= 1;
        disk.put(&name, damaged);
        assert_eq!(load(&disk, &session_id), Loaded::Refused(Exception::QUOTA_EXCEEDED_ERROR));
    }
    disk.put(&name, content);
    assert_eq!(load(&disk, &session_id), Loaded::Usable);
}

#[test]
fn two_instances_do_not_write_the_same_record_at_once() {
    let disk = Disk::default();
    let session_id = stored(&disk);
    let [(first, first_host), (second, second_host)] = [cdm_on(&disk), cdm_on(&disk)];
    first.load_session(7, PERSISTENT, &session_id);
    second.load_session(7, PERSISTENT, &session_id);
    disk.settle();
    let resolved = |host: &Host| matches!(host.calls()[0], Call::ResolveNewSession { .. });
    assert!(resolved(&first_host));
    assert_eq!(rejected(&second_host), Exception::QUOTA_EXCEEDED_ERROR);
    // Later it can.
    assert_eq!(load_into(&second, &second_host, &session_id), Loaded::Usable);
}

#[test]
fn a_session_that_is_open_is_not_loaded_again() {
    let disk = Disk::default();
    let session_id = stored(&disk);
    let (cdm, host) = cdm_on(&disk);
    assert_eq!(load_into(&cdm, &host, &session_id), Loaded::Usable);
    let refused = Loaded::Refused(Exception::QUOTA_EXCEEDED_ERROR);
    assert_eq!(load_into(&cdm, &host, &session_id), refused);
}

/// Neither the host nor this library goes wrong if an instance ends between two answers.
#[test]
fn an_instance_may_end_at_any_step() {
    for turns in 0..20 {
        let disk = Disk::default();
        let (cdm, host) = cdm_on(&disk);
        let kids = keyids(&[1, 2]);
        cdm.create_session_and_generate_request(1, PERSISTENT, InitDataType::KEY_IDS, &kids);
        cdm.load_session(2, PERSISTENT, "17");
        for _ in 0..turns {
            let _ = disk.turn();
        }
        let before = host.calls().len();
        cdm.destroy();
        assert_eq!(disk.open(), 0, "after {turns} answers, {before} calls");
        disk.settle();
        assert_eq!(host.calls(), []);
    }
}

#[test]
fn calls_go_on_while_the_disk_works() {
    let disk = Disk::default();
    let session_id = stored(&disk);
    let (cdm, host) = cdm_on(&disk);
    cdm.load_session(7, PERSISTENT, &session_id);
    assert_eq!(host.calls(), []);
    // A temporary session does not wait for the disk.
    licensed_now(&cdm, &host);
    disk.settle();
    assert!(matches!(host.calls()[0], Call::ResolveNewSession { promise: 7, .. }));
}

fn licensed_now(cdm: &Cdm, host: &Host) {
    let kids = keyids(&[1]);
    cdm.create_session_and_generate_request(
        1,
        SessionType::TEMPORARY,
        InitDataType::KEY_IDS,
        &kids,
    );
    assert_eq!(host.calls().len(), 2);
}
