//! `clearkey request`, `license` and `init-data`: the messages between a player and its license server.

use std::{
    fmt::Write as _,
    fs::File,
    io::{self, Read, Write},
    path::Path,
};

use anyhow::{Context, bail};
use base64::{
    Engine as _,
    alphabet::{STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use clearkey::{
    InitData, InitDataType, KeyId, LicenseRequest, SessionType, limits,
    pssh::{self, PsshBox},
};
use container::mp4::Planner;
use zeroize::Zeroizing;

use crate::{
    Outcome,
    args::{
        ExplainArgs, InitDataArgs, InitDataCommand, LicenseArgs, RequestArgs, is_standard, name,
    },
    decrypt::planner,
    input::Units,
    no_keys::UnknownKids,
    sessions::{licenses, media_keys, request},
};

/// Prints the requests that sessions make, one a line.
pub(crate) fn request_command(args: &RequestArgs) -> anyhow::Result<Outcome> {
    let given = [
        (InitDataType::Keyids, &args.keyids),
        (InitDataType::Cenc, &args.cenc),
        (InitDataType::Webm, &args.webm),
    ];
    let mut all = Vec::new();
    for (init_data_type, text) in given {
        if let Some(text) = text {
            let bytes = init_data_bytes(init_data_type, text)?;
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

/// What a page would hand to its session: the initialization data for the common system, each once; and
/// the key ids of tracks and samples that those do not name.
fn init_data_of(path: &Path, init: Option<&Path>) -> anyhow::Result<Vec<InitData>> {
    let mut units = Vec::new();
    if let Some(init) = init {
        units.push(Units::open(init, Planner::new())?);
    }
    units.push(Units::open(path, planner(init)?)?);
    let (mut told, mut kids): (Vec<InitData>, Vec<KeyId>) = (Vec::new(), Vec::new());
    for mut units in units {
        while let Some(plan) = units.next_unit()? {
            for data in plan.init_data() {
                let common = InitData::parse(InitDataType::Cenc.as_str(), &data.bytes).ok();
                told.extend(
                    common.filter(|common| told.iter().all(|other| other.kids() != common.kids())),
                );
            }
            let entries = plan.tracks().iter().flat_map(|track| &track.entries);
            let declared = entries.filter_map(|entry| entry.protection.as_ref());
            let declared = declared.filter(|it| it.is_protected && !it.kid.is_zero());
            let used = plan.protections().iter().map(|protection| &protection.kid);
            for kid in declared.map(|protection| &protection.kid).chain(used) {
                if !kids.contains(kid) {
                    kids.push(kid.clone());
                }
            }
        }
    }
    kids.retain(|kid| told.iter().all(|common| !common.kids().contains(kid)));
    for kids in kids.chunks(limits::KIDS) {
        told.push(InitData::new(InitDataType::Keyids, kids.to_vec())?);
    }
    Ok(told)
}

/// Prints a license, or as many as it takes for all keys, one a line.
pub(crate) fn license_command(args: LicenseArgs) -> anyhow::Result<Outcome> {
    let asked = args.request.as_deref().map(read_request).transpose()?;
    let session_type = args.session_type.map(SessionType::from);
    let keys = args.keys.read()?;
    let (licenses, missing) = match asked {
        Some(request) => {
            if session_type.is_some_and(|given| given != request.session_type()) {
                bail!("--type is not the {} of the request", request.session_type());
            }
            let known = |kid: &KeyId| keys.by_kid().find(|jwk| jwk.kid() == kid).cloned();
            let answer = request.answer(known);
            (answer.license.into_iter().collect(), answer.missing)
        }
        None => {
            let session_type = session_type.unwrap_or(SessionType::Temporary);
            (licenses(keys.by_kid(), session_type)?, Vec::new())
        }
    };
    if licenses.is_empty() && missing.is_empty() {
        bail!("a license needs a key with its key id: --key KID:KEY");
    }
    let mut lines = Zeroizing::new(Vec::new());
    for license in &licenses {
        let json = license.to_json();
        lines.reserve_exact(json.len() + 1);
        lines.extend_from_slice(&json);
        lines.push(b'\n');
    }
    print(&lines)?;
    if missing.is_empty() { Ok(Outcome::Done) } else { Err(UnknownKids(missing).into()) }
}

fn read_request(path: &Path) -> anyhow::Result<LicenseRequest> {
    let bytes = read(path, limits::REQUEST)?;
    LicenseRequest::parse(&bytes).with_context(|| name(path, "stdin"))
}

/// Builds initialization data, or says what they are.
pub(crate) fn init_data_command(args: &InitDataArgs) -> anyhow::Result<Outcome> {
    match &args.command {
        InitDataCommand::Build(args) => {
            let init_data = InitData::new(args.init_data_type.into(), args.kids.clone())?;
            match args.raw {
                true => print(init_data.as_bytes()),
                false => print((ENCODER.encode(init_data.as_bytes()) + "\n").as_bytes()),
            }
        }
        InitDataCommand::Explain(args) => explain(args),
    }
}

fn explain(args: &ExplainArgs) -> anyhow::Result<Outcome> {
    let init_data_type = args.init_data_type.into();
    let bytes = match &*args.data {
        "-" => read(Path::new("-"), limits::INIT_DATA)?,
        text => init_data_bytes(init_data_type, text)?,
    };
    let mut text = String::new();
    if init_data_type == InitDataType::Cenc {
        for found in pssh::boxes(&bytes) {
            explain_box(&found?, &mut text)?;
        }
    }
    // What is said before this is true even if ClearKey can use nothing of it.
    let init_data = InitData::parse(init_data_type.as_str(), &bytes);
    match &init_data {
        Ok(init_data) => {
            writeln!(text, "{init_data_type}: {} octets", bytes.len())?;
            for kid in init_data.kids() {
                writeln!(text, "  KID {kid}")?;
            }
        }
        Err(error) => writeln!(text, "{init_data_type}: {}: {error}", error.exception())?,
    }
    print(text.as_bytes())?;
    init_data?;
    Ok(Outcome::Done)
}

fn explain_box(found: &PsshBox, text: &mut String) -> anyhow::Result<()> {
    let Some(pssh) = found.pssh() else {
        return Ok(writeln!(text, "pssh: of version {}, which is not known", found.version())?);
    };
    write!(text, "pssh: {}", pssh.system_id())?;
    if let Some(name) = pssh.system_id().name() {
        write!(text, " ({name})")?;
    }
    writeln!(text, ", version {}, {} bytes of data", pssh.version(), pssh.data().len())?;
    for kid in pssh.kids() {
        writeln!(text, "  KID {kid}")?;
    }
    Ok(())
}

/// Initialization data as people pass them around: base64, either alphabet, padded or not; a JSON list
/// also as it is.
fn init_data_bytes(init_data_type: InitDataType, text: &str) -> anyhow::Result<Vec<u8>> {
    if init_data_type == InitDataType::Keyids && text.trim_start().starts_with('{') {
        return Ok(text.as_bytes().to_vec());
    }
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let is_url_safe = text.contains(['-', '_']);
    let alphabet = if is_url_safe { &URL_SAFE } else { &STANDARD };
    let decoded = GeneralPurpose::new(alphabet, config).decode(text.trim());
    decoded.with_context(|| format!("\"{}\" is no base64", clearkey::quote(text)))
}

const ENCODER: GeneralPurpose = base64::engine::general_purpose::STANDARD;

/// Reads a small file or stdin: one octet more than allowed at most, so that too many show.
fn read(path: &Path, limit: usize) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = limit as u64 + 1;
    let read = match is_standard(path) {
        true => io::stdin().lock().take(limit).read_to_end(&mut bytes),
        false => File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes)),
    };
    read.with_context(|| name(path, "stdin"))?;
    Ok(bytes)
}

fn print(bytes: &[u8]) -> anyhow::Result<Outcome> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes).and_then(|()| stdout.flush()).context("stdout")?;
    Ok(Outcome::Done)
}
