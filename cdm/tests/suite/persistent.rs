//! `persistent-license`: stored, loaded, removed, released.

use cdm::{
    CloseReason, Error, SessionType,
    store::{LicenseStore, MemoryStore},
};

use crate::support::{
    KEYIDS, configuration, events, exception, in_memory, key_in_use, keyids, license,
    media_keys_in, persistent, release, statuses, temporary, with_store,
};

fn stored(keys: &[(u8, u8)]) -> Vec<u8> {
    license(SessionType::PersistentLicense, keys)
}

#[test]
fn a_license_is_loaded_as_it_was_stored() {
    let (environment, store) = in_memory();
    let media_keys = media_keys_in(&environment);
    let session = persistent(&media_keys);
    session.generate_request("keyids", &keyids(&[1, 2])).unwrap();
    assert!(store.names().is_empty(), "nothing is stored before there is a license");
    session.update(&stored(&[(2, 0x22), (1, 0x11)])).unwrap();
    session.update(&stored(&[(3, 0x33), (1, 0x44)])).unwrap();
    let id = session.session_id();
    assert_eq!(store.names().join(" "), id);
    session.close().unwrap();
    assert_eq!(key_in_use(&media_keys, &[1; 16]), None);

    // In other media keys of the origin, while the closed session still shows its id.
    let other = media_keys_in(&environment);
    let again = persistent(&other);
    assert_eq!(again.load(&id), Ok(true));
    assert_eq!(again.session_id(), id);
    assert_eq!(again.key_statuses().size(), 3);
    assert_eq!(events(&again), ["keystatuseschange"]);
    let used = [1, 2, 3].map(|octet| key_in_use(&other, &[octet; 16]));
    assert_eq!(used, [Some(0x44), Some(0x22), Some(0x33)]);
    again.update(&stored(&[(4, 0x55)])).unwrap();
    drop((again, other, session, media_keys));

    let new = with_store(store);
    let media_keys = media_keys_in(&new);
    let third = persistent(&media_keys);
    assert_eq!(third.load(&id), Ok(true));
    assert_eq!(third.key_statuses().size(), 4);
}

#[test]
fn the_request_says_what_kind_of_session_asks() {
    let session = persistent(&media_keys_in(&in_memory().0));
    session.generate_request("keyids", KEYIDS.as_bytes()).unwrap();
    assert_eq!(
        events(&session),
        [r#"message license-request {"kids":["AAECAw"],"type":"persistent-license"}"#]
    );
}

#[test]
fn a_license_must_be_for_the_kind_of_session() {
    let media_keys = media_keys_in(&in_memory().0);
    for (session, wrong) in [
        (persistent(&media_keys), SessionType::Temporary),
        (temporary(&media_keys), SessionType::PersistentLicense),
    ] {
        session.generate_request("keyids", KEYIDS.as_bytes()).unwrap();
        let refused = session.update(&license(wrong, &[(1, 0x11)]));
        assert_eq!(
            refused,
            Err(Error::LicenseType { license: wrong, session: session.session_type() })
        );
        assert_eq!(exception(refused), "TypeError");
        assert!(session.key_statuses().is_empty());
        session.update(&license(session.session_type(), &[(1, 0x11)])).unwrap();
    }
    // Without a type it is temporary.
    let session = persistent(&media_keys);
    session.generate_request("keyids", KEYIDS.as_bytes()).unwrap();
    assert_eq!(exception(session.update(crate::support::LICENSE.as_bytes())), "TypeError");
}

#[test]
fn a_release_waits_for_its_acknowledgement() {
    let (environment, store) = in_memory();
    let media_keys = media_keys_in(&environment);
    let session = persistent(&media_keys);
    session.generate_request("keyids", KEYIDS.as_bytes()).unwrap();
    let acknowledgement = br#"{"kids":[]}"#;
    assert_eq!(session.update(acknowledgement), Err(Error::Acknowledgement));
    session.update(&stored(&[(2, 0x22), (1, 0x11)])).unwrap();
    let id = session.session_id();
    events(&session);
    let license_record = store.get(&id).unwrap().unwrap();

    session.remove().unwrap();
    let released =
        r#"message license-release {"kids":["AQEBAQEBAQEBAQEBAQEBAQ","AgICAgICAgICAgICAgICAg"]}"#;
    assert_eq!(events(&session), ["keystatuseschange", released]);
    assert!(statuses(&session).iter().all(|(_, status)| *status == "released"));
    assert_eq!(statuses(&session).len(), 2);
    assert_eq!(key_in_use(&media_keys, &[1; 16]), None);
    let destroyed = store.get(&id).unwrap().unwrap();
    assert!(destroyed != license_record && !destroyed.windows(16).any(|key| key == [0x11; 16]));
    assert_eq!(session.update(&stored(&[(1, 0x11)])), Err(Error::ReleasePending));
    session.remove().unwrap();
    assert_eq!(events(&session), ["keystatuseschange", released], "told again");
    session.close().unwrap();
    assert_eq!(session.closed(), Some(CloseReason::ClosedByApplication));

    // Later: the release is told by load, until it is acknowledged.
    let again = persistent(&media_keys);
    assert_eq!(again.load(&id), Ok(true));
    assert_eq!(events(&again), ["keystatuseschange", released]);
    assert!(statuses(&again).iter().all(|(_, status)| *status == "released"));
    assert_eq!(key_in_use(&media_keys, &[1; 16]), None);
    again.update(acknowledgement).unwrap();
    assert_eq!(again.closed(), Some(CloseReason::ReleaseAcknowledged));
    assert!(again.key_statuses().is_empty() && again.expiration().is_nan());
    assert_eq!(events(&again), ["keystatuseschange"]);
    assert!(store.names().is_empty());
    let third = persistent(&media_keys);
    assert_eq!(third.load(&id), Ok(false));
}

#[test]
fn removing_without_a_key_leaves_no_record() {
    let (environment, store) = in_memory();
    let session = persistent(&media_keys_in(&environment));
    session.generate_request("keyids", KEYIDS.as_bytes()).unwrap();
    events(&session);
    session.remove().unwrap();
    assert_eq!(events(&session), ["keystatuseschange"]);
    assert!(store.names().is_empty());
    assert_eq!(exception(session.update(br#"{"kids":["AAECAw"]}"#)), "TypeError");
    session.update(&stored(&[(1, 0x11)])).unwrap();
}

#[test]
fn a_temporary_session_can_be_updated_after_remove() {
    let media_keys = media_keys_in(&in_memory().0);
    let session = temporary(&media_keys);
    session.generate_request("keyids", KEYIDS.as_bytes()).unwrap();
    session.update(&license(SessionType::Temporary, &[(1, 0x11), (2, 0x22)])).unwrap();
    session.remove().unwrap();
    session.update(&license(SessionType::Temporary, &[(2, 0x33)])).unwrap();
    let words: Vec<_> = statuses(&session).into_iter().map(|(_, status)| status).collect();
    assert_eq!(words, ["released", "usable"]);
    let used = [1, 2].map(|octet| key_in_use(&media_keys, &[octet; 16]));
    assert_eq!(used, [None, Some(0x33)]);
    session.remove().unwrap();
    assert!(statuses(&session).iter().all(|(_, status)| *status == "released"));
    assert_eq!(exception(session.update(br#"{"kids":["AQ"]}"#)), "TypeError");
}

#[test]
fn load_checks_in_the_order_of_eme() {
    let (environment, store) = in_memory();
    let media_keys = media_keys_in(&environment);
    let load = |id: &str| {
        let session = persistent(&media_keys);
        let result = session.load(id);
        if result != Ok(true) {
            assert_eq!(session.session_id(), "");
            assert_eq!(session.close(), Err(Error::NotCallable), "burnt");
            assert_eq!(session.load(id), Err(Error::AlreadyInitialized));
            let again = session.generate_request("keyids", KEYIDS.as_bytes());
            assert_eq!(again, Err(Error::AlreadyInitialized));
        }
        result
    };
    for wrong in ["", "x", "-1", "+1", "007", " 1", "1 ", "4294967296", "1234567890123", "1.0"] {
        assert_eq!(exception(load(wrong)), "TypeError", "{wrong}");
    }
    for absent in ["0", "1", "4294967295"] {
        assert_eq!(load(absent), Ok(false));
    }
    let empty = Err(Error::SessionId { found: String::new() });
    assert_eq!(temporary(&media_keys).load(""), empty);
    assert_eq!(temporary(&media_keys).load("1"), Err(Error::TemporaryLoad));

    let session = persistent(&media_keys);
    session.generate_request("keyids", KEYIDS.as_bytes()).unwrap();
    session.update(&stored(&[(1, 0x11)])).unwrap();
    let id = session.session_id();
    assert_eq!(exception(load(&id)), "QuotaExceededError");
    // In other media keys of the origin, too.
    let other = persistent(&media_keys_in(&environment));
    assert_eq!(other.load(&id), Err(Error::SessionOpen { session_id: id.clone() }));
    assert!(session.closed().is_none());
    session.close().unwrap();

    let record = store.get(&id).unwrap().unwrap();
    for damaged in [&record[..record.len() - 1], &[0][..]] {
        store.put(&id, damaged).unwrap();
        let refused = load(&id);
        assert!(
            matches!(&refused, Err(Error::DamagedRecord { session_id, .. }) if *session_id == id)
        );
        assert_eq!(exception(refused), "InvalidStateError");
    }
    store.put(&id, b"").unwrap();
    assert_eq!(load(&id), Ok(false), "a record without octets is none");
    store.put(&id, &record).unwrap();
    assert_eq!(load(&id), Ok(true));
}

#[test]
fn a_new_session_takes_no_id_of_a_stored_one() {
    let store = MemoryStore::default();
    store.put("5", b"whatever").unwrap();
    let mut numbers = vec![6, 5, 5].into_iter();
    let environment = cdm::Environment::builder()
        .store(store)
        .random(move || numbers.next_back().unwrap_or(5))
        .build();
    let media_keys = media_keys_in(&environment);
    let session = persistent(&media_keys);
    session.generate_request("keyids", KEYIDS.as_bytes()).unwrap();
    assert_eq!(session.session_id(), "6");
    let other = persistent(&media_keys);
    let refused = other.generate_request("keyids", KEYIDS.as_bytes());
    assert_eq!(exception(refused), "QuotaExceededError", "5 and nothing but 5");
    // Temporary sessions store nothing, so what is stored is nothing to them.
    let session = temporary(&media_keys);
    session.generate_request("keyids", KEYIDS.as_bytes()).unwrap();
    assert_eq!(session.session_id(), "5");
}

#[test]
fn persistent_sessions_must_be_configured() {
    let environment = in_memory().0;
    let access = environment
        .request_media_key_system_access("org.w3.clearkey", &[configuration(false)])
        .unwrap();
    let refused =
        access.create_media_keys().unwrap().create_session(SessionType::PersistentLicense);
    assert_eq!(
        refused.as_ref().unwrap_err(),
        &Error::SessionType { session_type: SessionType::PersistentLicense }
    );
    assert_eq!(exception(refused), "NotSupportedError");
}

#[test]
fn the_release_names_the_keys_of_many_licenses() {
    let media_keys = media_keys_in(&in_memory().0);
    let session = persistent(&media_keys);
    session.generate_request("keyids", KEYIDS.as_bytes()).unwrap();
    for octet in 0..=255 {
        session.update(&stored(&[(octet, 9)])).unwrap();
    }
    session.remove().unwrap();
    let release = clearkey::LicenseRelease::parse(&release(&session)).unwrap();
    assert_eq!(release.kids().len(), 256);
}
