//! Any sequence of calls on any number of sessions: what always holds, against a model that knows
//! nothing of how it is done.

use std::collections::{BTreeMap, BTreeSet};

use cdm::{CloseReason, Error, MediaKeySession, MediaKeyStatus, SessionType, store::LicenseStore};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::support::{
    in_memory, key_in_use, keyids, kid, license, media_keys_in, persistent, temporary,
};

#[derive(Clone, Debug)]
enum Call {
    Create { is_persistent: bool },
    GenerateRequest { session: usize, is_valid: bool },
    Load { session: usize, of: usize },
    Update { session: usize, keys: Vec<(u8, u8)> },
    WrongType { session: usize },
    Malformed { session: usize },
    Acknowledge { session: usize },
    Remove { session: usize },
    Close { session: usize },
    Evict { session: usize },
    Forget { session: usize },
}

fn any_call() -> impl Strategy<Value = Call> {
    let session = 0_usize..6;
    let keys = vec((1_u8..5, any::<u8>()), 1..4);
    prop_oneof![
        2 => any::<bool>().prop_map(|is_persistent| Call::Create { is_persistent }),
        4 => (session.clone(), prop::bool::weighted(0.9))
            .prop_map(|(session, is_valid)| Call::GenerateRequest { session, is_valid }),
        2 => (session.clone(), 0_usize..6).prop_map(|(session, of)| Call::Load { session, of }),
        6 => (session.clone(), keys).prop_map(|(session, keys)| Call::Update { session, keys }),
        1 => session.clone().prop_map(|session| Call::WrongType { session }),
        1 => session.clone().prop_map(|session| Call::Malformed { session }),
        2 => session.clone().prop_map(|session| Call::Acknowledge { session }),
        2 => session.clone().prop_map(|session| Call::Remove { session }),
        2 => session.clone().prop_map(|session| Call::Close { session }),
        1 => session.clone().prop_map(|session| Call::Evict { session }),
        1 => session.prop_map(|session| Call::Forget { session }),
    ]
}

/// What a session should be.
#[derive(Clone, Debug, Default, PartialEq)]
struct Model {
    is_persistent: bool,
    has_begun: bool,
    is_callable: bool,
    closed: Option<CloseReason>,
    keys: BTreeMap<u8, u8>,
    released: BTreeSet<u8>,
    id: String,
}

/// What a store should hold: keys, or what was destroyed.
type Stored = BTreeMap<String, (BTreeMap<u8, u8>, BTreeSet<u8>)>;

/// The keys that count: pairs of session and key, latest last.
type Latest = BTreeMap<u8, Vec<(usize, u8)>>;

#[derive(Default)]
struct World {
    sessions: Vec<(MediaKeySession, Model)>,
    stored: Stored,
    latest: Latest,
    ids: BTreeSet<String>,
}

impl World {
    fn forget(&mut self, at: usize) {
        for keys in self.latest.values_mut() {
            keys.retain(|(session, _)| *session != at);
        }
    }

    fn add(&mut self, at: usize, keys: &BTreeMap<u8, u8>) {
        for (name, key) in keys {
            let latest = self.latest.entry(*name).or_default();
            latest.retain(|(session, _)| *session != at);
            latest.push((at, *key));
        }
    }

    fn close(&mut self, at: usize, reason: CloseReason) {
        self.forget(at);
        let model = &mut self.sessions[at].1;
        if model.closed.is_none() {
            *model = Model {
                closed: Some(reason),
                keys: BTreeMap::new(),
                released: BTreeSet::new(),
                ..model.clone()
            };
        }
    }
}

fn type_of(is_persistent: bool) -> SessionType {
    if is_persistent { SessionType::PersistentLicense } else { SessionType::Temporary }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn the_laws_hold_for_any_sequence_of_calls(calls in vec(any_call(), 1..60)) {
        let (environment, store) = in_memory();
        let media_keys = media_keys_in(&environment);
        let mut world = World::default();
        for call in calls {
            let at = match call {
                Call::Create { is_persistent } => {
                    let session =
                        if is_persistent { persistent(&media_keys) } else { temporary(&media_keys) };
                    world.sessions.push((session, Model { is_persistent, ..Model::default() }));
                    continue;
                }
                Call::GenerateRequest { session, .. } | Call::Load { session, .. }
                | Call::Update { session, .. } | Call::WrongType { session }
                | Call::Malformed { session } | Call::Acknowledge { session }
                | Call::Remove { session } | Call::Close { session } | Call::Evict { session }
                | Call::Forget { session } => session,
            };
            if at >= world.sessions.len() {
                continue;
            }
            let (session, mut model) = world.sessions[at].clone();
            let before = model.clone();
            let release_is_pending = model.is_persistent && !model.released.is_empty();
            let refused = match (&model.closed, model.is_callable, &call) {
                (_, _, Call::Create { .. } | Call::Evict { .. } | Call::Forget { .. }) => None,
                (Some(_), _, Call::Close { .. }) => None,
                (Some(_), ..) => Some(Error::Closed),
                (None, _, Call::GenerateRequest { .. } | Call::Load { .. }) => {
                    model.has_begun.then_some(Error::AlreadyInitialized)
                }
                (None, false, _) => Some(Error::NotCallable),
                (None, true, _) => None,
            };
            let result = match &call {
                Call::Create { .. } => unreachable!(),
                Call::GenerateRequest { is_valid, .. } => {
                    let data = if *is_valid { keyids(&[1]) } else { b"{}".to_vec() };
                    let result = session.generate_request("keyids", &data);
                    if refused.is_none() {
                        model.has_begun = true;
                        model.is_callable = *is_valid;
                        prop_assert_eq!(result.is_ok(), *is_valid);
                        if *is_valid {
                            model.id = session.session_id();
                            prop_assert!(world.ids.insert(model.id.clone()), "an id came twice");
                        }
                    }
                    result
                }
                Call::Load { of, .. } => {
                    let id = world.sessions.get(*of).map(|(_, model)| model.id.clone());
                    let id = id.unwrap_or_default();
                    let is_open = world
                        .sessions
                        .iter()
                        .any(|(_, model)| model.id == id && model.closed.is_none());
                    let result = session.load(&id);
                    if refused.is_none() {
                        model.has_begun = true;
                        let found = world.stored.get(&id).filter(|_| model.is_persistent && !is_open);
                        prop_assert_eq!(result == Ok(true), found.is_some());
                        if let Some((keys, released)) = found.cloned() {
                            (model.keys, model.released) = (keys, released);
                            (model.is_callable, model.id) = (true, id);
                            world.add(at, &model.keys);
                        }
                    }
                    result.map(drop)
                }
                Call::Update { keys, .. } => {
                    let result = session.update(&license(type_of(model.is_persistent), keys));
                    if refused.is_none() {
                        prop_assert_eq!(result.is_err(), release_is_pending);
                        if result.is_ok() {
                            let new: BTreeMap<u8, u8> = keys.iter().copied().collect();
                            model.released.retain(|name| !new.contains_key(name));
                            model.keys.extend(&new);
                            world.add(at, &new);
                            if model.is_persistent {
                                let record = (model.keys.clone(), BTreeSet::new());
                                world.stored.insert(model.id.clone(), record);
                            }
                        }
                    }
                    result
                }
                Call::WrongType { .. } => {
                    let result = session.update(&license(type_of(!model.is_persistent), &[(1, 1)]));
                    prop_assert!(result.is_err());
                    result
                }
                Call::Malformed { .. } => {
                    // The first key is sound.
                    let k = "AAAAAAAAAAAAAAAAAAAAAA";
                    let result = session.update(format!(
                        r#"{{"keys":[{{"kty":"oct","kid":"AQEBAQEBAQEBAQEBAQEBAQ","k":"{k}"}},
                            {{"kty":"oct","kid":"AQ","k":"AA"}}]}}"#
                    ).as_bytes());
                    prop_assert!(result.is_err());
                    result
                }
                Call::Acknowledge { .. } => {
                    let result = session.update(br#"{"kids":["AQ"]}"#);
                    if refused.is_none() {
                        prop_assert_eq!(result.is_ok(), release_is_pending);
                        if release_is_pending {
                            world.stored.remove(&model.id);
                            world.close(at, CloseReason::ReleaseAcknowledged);
                            model = world.sessions[at].1.clone();
                        }
                    }
                    result
                }
                Call::Remove { .. } => {
                    let result = session.remove();
                    if refused.is_none() {
                        world.forget(at);
                        model.released.extend(std::mem::take(&mut model.keys).into_keys());
                        if model.is_persistent && !model.released.is_empty() {
                            let record = (BTreeMap::new(), model.released.clone());
                            world.stored.insert(model.id.clone(), record);
                        }
                    }
                    result
                }
                Call::Close { .. } => {
                    let result = session.close();
                    if result.is_ok() {
                        world.close(at, CloseReason::ClosedByApplication);
                        model = world.sessions[at].1.clone();
                    }
                    result
                }
                Call::Evict { .. } => {
                    session.evict();
                    world.close(at, CloseReason::ResourceEvicted);
                    model = world.sessions[at].1.clone();
                    Ok(())
                }
                Call::Forget { .. } => {
                    // The media keys hold it.
                    let _ = session.next_event();
                    Ok(())
                }
            };
            if let Some(refused) = refused {
                prop_assert_eq!(result, Err(refused));
                prop_assert_eq!(&model, &before);
            }
            world.sessions[at].1 = model;
            check(&world, &media_keys)?;
            prop_assert_eq!(store.names(), world.stored.keys().cloned().collect::<Vec<_>>());
        }
        // What the store says is what the model says, to the last key.
        for (id, (keys, released)) in &world.stored {
            let record = store.get(id).unwrap().unwrap();
            let (fresh, _) = (crate::support::with_store(store.clone()), record);
            let other = media_keys_in(&fresh);
            let session = persistent(&other);
            prop_assert_eq!(session.load(id), Ok(true));
            prop_assert_eq!(statuses(&session), expected(keys, released));
            for (name, key) in keys {
                prop_assert_eq!(key_in_use(&other, &[*name; 16]), Some(*key));
            }
        }
    }
}

type Statuses = BTreeMap<cdm::KeyId, MediaKeyStatus>;

fn statuses(session: &MediaKeySession) -> Statuses {
    session.key_statuses().iter().collect()
}

fn expected(keys: &BTreeMap<u8, u8>, released: &BTreeSet<u8>) -> Statuses {
    let usable = keys.keys().map(|name| (kid(*name), MediaKeyStatus::Usable));
    let released = released.iter().map(|name| (kid(*name), MediaKeyStatus::Released));
    usable.chain(released).collect()
}

/// Statuses are the keys held; a closed session serves no key; the latest key counts, and the one
/// before it again when that is gone.
fn check(world: &World, media_keys: &cdm::MediaKeys) -> Result<(), TestCaseError> {
    for (session, model) in &world.sessions {
        prop_assert_eq!(session.closed(), model.closed);
        prop_assert_eq!(session.session_id(), &*model.id);
        prop_assert_eq!(statuses(session), expected(&model.keys, &model.released));
        prop_assert!(session.expiration().is_nan());
    }
    for name in 1..5 {
        let latest = world.latest.get(&name).and_then(|keys| keys.last());
        prop_assert_eq!(key_in_use(media_keys, &[name; 16]), latest.map(|(_, key)| *key));
    }
    Ok(())
}
