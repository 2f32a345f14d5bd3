//! Any sequence of calls on any number of sessions: what always holds.

use std::{collections::BTreeMap, sync::Arc};

use cenc::{Iv, Key, Pattern, SampleEncryption, Scheme, decrypt_sample};
use clearkey::SessionType;

use super::{
    call::{Call, Setup, read},
    model::{Keys, Model, Stored},
    stage::{Stage, media_keys, time},
};
use crate::{Decryption, KeyStore, MediaKeySession, MediaKeyStatus};

/// Plays a script of calls ([`call`](super::call) has its form) on media keys, and compares everything that
/// comes of it with what a model says. Whether a key has decrypted.
pub fn sessions(script: &[u8]) -> bool {
    let (setup, calls) = read(script);
    play(setup, calls)
}

pub(crate) fn play(setup: Setup, calls: Vec<Call>) -> bool {
    let (stage, mut model) = (Stage::new(setup), Model::new(setup));
    let mut has_decrypted = false;
    for call in calls {
        stage.perform(call);
        model.replay(stage.log());
        has_decrypted |= check(&stage, &model);
    }
    stored(&stage, &model);
    let keys = stage.media_keys.key_store();
    let Some(stage) = Arc::into_inner(stage) else { panic!("something holds the stage") };
    drop(stage);
    for kid in model.latest.keys() {
        assert!(keys.key(kid.as_bytes()).is_none(), "key {kid} outlives all sessions");
    }
    has_decrypted
}

/// Statuses are the keys held; a closed session serves no key; the latest key counts, and the one before it
/// again when that is gone; the store holds what it should. Whether any key counts.
fn check(stage: &Stage, model: &Model) -> bool {
    for (at, expected) in model.sessions.iter().enumerate() {
        let Some(session) = stage.session(at) else { continue };
        assert_eq!(session.closed(), expected.closed());
        assert_eq!(session.when_closed().reason(), expected.closed());
        assert_eq!(session.session_id(), expected.id);
        assert_eq!(statuses(&session), expected.statuses());
        assert_eq!(session.expiration_time(), expected.expiration.map(time));
        assert_eq!(session.expiration().is_nan(), expected.expiration.is_none());
        assert_eq!(session.key_id(), expected.key_id());
    }
    let names: Vec<_> = model.stored.keys().cloned().collect();
    assert_eq!(stage.store.records.names(), names);
    let keys = stage.media_keys.key_store();
    for (kid, latest) in &model.latest {
        decrypts(&keys, kid.as_bytes(), latest.last().map(|(_, key)| key));
    }
    model.latest.values().any(|latest| !latest.is_empty())
}

/// What the store says to others is what the model says, to the last key.
fn stored(stage: &Stage, model: &Model) {
    for (session_id, stored) in &model.stored {
        let other = media_keys(stage.store.records.clone(), Setup::default());
        let session = other.create_session(SessionType::PersistentLicense).unwrap();
        assert_eq!(session.load(session_id), Ok(true));
        let (keys, released) = match stored {
            Stored::License(keys) => (keys, None),
            Stored::Destroyed(kids) => (&Keys::new(), Some(kids)),
        };
        let usable = keys.keys().map(|kid| (kid.clone(), MediaKeyStatus::Usable));
        let released =
            released.into_iter().flatten().map(|kid| (kid.clone(), MediaKeyStatus::Released));
        assert_eq!(statuses(&session), usable.chain(released).collect());
        for (kid, key) in keys {
            decrypts(&other.key_store(), kid.as_bytes(), Some(key));
        }
    }
}

fn statuses(session: &MediaKeySession) -> BTreeMap<crate::KeyId, MediaKeyStatus> {
    session.key_statuses().iter().collect()
}

/// Compares what a store of keys decrypts with what this key does, or nothing.
fn decrypts(keys: &KeyStore, kid: &[u8], expected: Option<&[u8; 16]>) {
    let iv = Iv::new(&[7; 8]).unwrap();
    let encryption = SampleEncryption::new(Scheme::Cenc, iv, Pattern::NONE, None).unwrap();
    let [mut sample, mut clear] = [[0; 20]; 2];
    let decryption = keys.decrypt(kid, &encryption, &mut sample).unwrap();
    match expected {
        None => assert_eq!(decryption, Decryption::NoKey, "a key for {kid:?}"),
        Some(key) => {
            assert_eq!(decryption, Decryption::Done, "no key for {kid:?}");
            decrypt_sample(&Key::new(key), &encryption, &mut clear).unwrap();
        }
    }
    assert!(sample == clear, "another key for {kid:?}");
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, option, prelude::*, sample::select};

    use super::*;
    use crate::{
        EventType,
        fuzzing::{
            call::{ACKNOWLEDGEMENT, Fault, MALFORMED},
            made::keyids,
            seeds::seeds,
        },
    };

    #[test]
    fn every_seed_comes_to_a_key() {
        let stop_short = |(_, seed): &(_, Vec<u8>)| !sessions(seed);
        let short: Vec<_> = seeds("sessions").into_iter().filter(stop_short).collect();
        assert!(short.is_empty(), "{short:?}");
    }

    /// Each letter of the table is the call that it should be.
    #[test]
    fn a_script_is_read_as_it_is_written() {
        let script =
            b"0 ct cp g01 i10x\nl10 s07\nu0111 w0 b0x\nm0 a0 r0 x0 e0 n0 o d h00x0 t00 v0 y01 \
            z02 kx\np-\nqr f1";
        let (setup, calls) = read(script);
        assert!(!setup.is_temporary && !setup.has_few_ids && setup.limit == 0);
        let words = calls.iter().map(|call| format!("{call:?}"));
        let names: Vec<_> = words.map(|call| call.split(' ').next().unwrap().to_owned()).collect();
        assert_eq!(
            names.join(" "),
            "Create Create GenerateRequest GenerateRequest Load LoadText UpdateWith UpdateWith \
            Update Update Update Remove Close Evict NextEvent NextEvent Dispatch Listen Unlisten \
            LetGo SetExpiration CheckExpiration Certificate Policy Unavailable Fault"
        );
    }

    fn any_call() -> impl Strategy<Value = Call> {
        prop_oneof![
            8 => any_simple_call(),
            1 => (0_usize..6, any::<[bool; 2]>(), option::of(any_simple_call())).prop_map(
                |(session, [is_message, is_attribute], then)| Call::Listen {
                    session,
                    event_type: if is_message {
                        EventType::Message
                    } else {
                        EventType::KeyStatusesChange
                    },
                    is_attribute,
                    then: then.map(Box::new),
                }
            ),
        ]
    }

    fn any_simple_call() -> impl Strategy<Value = Call> {
        let session = || 0_usize..6;
        let keys = vec((1_u8..5, any::<u8>()), 1..4);
        let session_type = select(&[SessionType::Temporary, SessionType::PersistentLicense][..]);
        let fault = select(&[None, Some(Fault::Before), Some(Fault::After)][..]);
        let response = select(&[MALFORMED, ACKNOWLEDGEMENT][..]);
        prop_oneof![
            2 => session_type.prop_map(|session_type| Call::Create { session_type }),
            4 => (session(), prop::bool::weighted(0.9)).prop_map(|(session, is_valid)| {
                let init_data = if is_valid { keyids(&[1]) } else { b"{}".to_vec() };
                Call::GenerateRequest { session, init_data_type: "keyids".to_owned(), init_data }
            }),
            2 => (session(), session()).prop_map(|(session, of)| Call::Load { session, of }),
            6 => (session(), keys, prop::bool::weighted(0.1)).prop_map(
                |(session, keys, is_wrong_type)| Call::UpdateWith { session, keys, is_wrong_type }
            ),
            3 => (session(), response).prop_map(|(session, response)| {
                Call::Update { session, response: response.to_vec() }
            }),
            2 => session().prop_map(|session| Call::Remove { session }),
            2 => session().prop_map(|session| Call::Close { session }),
            1 => session().prop_map(|session| Call::Evict { session }),
            1 => option::of(session()).prop_map(|session| Call::NextEvent { session }),
            1 => Just(Call::Dispatch),
            1 => session().prop_map(|session| Call::LetGo { session }),
            1 => (session(), option::of(0..4_u8)).prop_map(|(session, at)| {
                Call::SetExpiration { session, at }
            }),
            1 => (session(), 0..4_u8).prop_map(|(session, now)| {
                Call::CheckExpiration { session, now }
            }),
            1 => fault.prop_map(|fault| Call::Fault { fault }),
        ]
    }

    fn any_setup() -> impl Strategy<Value = Setup> {
        (0_usize..5, any::<bool>(), prop::bool::weighted(0.1)).prop_map(
            |(limit, has_few_ids, is_temporary)| Setup { limit, has_few_ids, is_temporary },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]
        #[test]
        fn the_laws_hold_for_any_sequence_of_calls(
            setup in any_setup(),
            calls in vec(any_call(), 1..60),
        ) {
            play(setup, calls);
        }

        #[test]
        fn the_laws_hold_for_any_script(script in vec(any::<u8>(), 0..200)) {
            sessions(&script);
        }
    }
}
