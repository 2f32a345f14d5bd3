//! `clearkey request`: what a page would send to its license server.

use std::{collections::HashSet, path::Path};

use anyhow::{Context, bail};
use clearkey::{InitData, InitDataType, KeyId, limits};
use container::Planner;

use crate::{
    Outcome,
    args::{RequestArgs, name},
    decrypt::planner,
    init_data,
    input::Units,
    print,
    sessions::{kids_of, media_keys, parse, request},
};

/// Prints the requests that sessions make, one a line.
pub(crate) fn run(args: &RequestArgs) -> anyhow::Result<Outcome> {
    let given = [
        (InitDataType::Keyids, &args.keyids),
        (InitDataType::Cenc, &args.cenc),
        (InitDataType::Webm, &args.webm),
    ];
    let mut all = Vec::new();
    for (init_data_type, text) in given {
        if let Some(text) = text {
            let bytes = init_data::from_text(init_data_type, text)?;
            let init_data = InitData::parse(init_data_type.as_str(), &bytes);
            all.push(init_data.with_context(|| format!("--{init_data_type}"))?);
        }
    }
    if let Some(path) = &args.input {
        let source = name(path, "stdin");
        let found = init_data_of(path, args.init.as_deref()).with_context(|| source.clone())?;
        if found.is_empty() {
            bail!("{source}: nothing in it is protected");
        }
        all.extend(found);
    }
    let media_keys = media_keys()?;
    let mut lines = Vec::new();
    for init_data in all {
        let session = media_keys.create_session(args.session_type.into())?;
        lines.extend(request(&session, &init_data)?);
        lines.push(b'\n');
    }
    print(&lines)
}

/// What a page would hand to its session: the initialization data that ClearKey can use, each once; and
/// the key ids of tracks and samples that those do not name.
fn init_data_of(path: &Path, init: Option<&Path>) -> anyhow::Result<Vec<InitData>> {
    let mut units = Vec::new();
    if let Some(init) = init {
        units.push(Units::open(init, Planner::new())?);
    }
    units.push(Units::open(path, planner(init)?)?);
    let (mut told, mut kids): (Vec<InitData>, Vec<KeyId>) = (Vec::new(), Vec::new());
    let (mut lists, mut seen) = (HashSet::new(), HashSet::new());
    for mut units in units {
        while let Some(plan) = units.next_unit()? {
            for data in plan.init_data() {
                let usable = parse(data).filter(|usable| lists.insert(usable.kids().to_vec()));
                told.extend(usable);
            }
            for (_, kid) in kids_of(&plan) {
                if seen.insert(kid.clone()) {
                    kids.push(kid.clone());
                }
            }
        }
    }
    let named: HashSet<_> = told.iter().flat_map(InitData::kids).collect();
    kids.retain(|kid| !named.contains(kid));
    for kids in kids.chunks(limits::KIDS) {
        told.push(InitData::new(InitDataType::Keyids, kids.to_vec())?);
    }
    Ok(told)
}
