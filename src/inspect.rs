//! `clearkey inspect`: what the plans of a file say, for people and as JSON.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    fmt::Write as _,
};

use anyhow::Context;
use clearkey::{
    InitDataType, KeyId,
    pssh::{self, PsshBox},
};
use container::{AuxInfo, EntrySummary, InitData, Plan, Planner, Scope, Track};
use serde::Serialize;

use crate::{
    Outcome,
    args::{InspectArgs, name},
    decrypt::planner,
    input::Units,
    print,
};

pub(crate) fn run(args: &InspectArgs) -> anyhow::Result<Outcome> {
    let source = name(&args.input, "stdin");
    let report = inspect(args).with_context(|| source.clone())?;
    let text = match args.json {
        true => serde_json::to_string_pretty(&Named { input: &source, report: &report })? + "\n",
        false => format!("{source}\n{}", report.text()),
    };
    print(text.as_bytes())
}

fn inspect(args: &InspectArgs) -> anyhow::Result<Report> {
    let mut report = Report::default();
    if let Some(init) = &args.init {
        let declared = Units::open(init, Planner::new()).and_then(|units| report.add_all(units));
        declared.with_context(|| init.display().to_string())?;
    }
    report.add_all(Units::open(&args.input, planner(args.init.as_deref())?)?)?;
    Ok(report)
}

#[derive(Serialize)]
struct Named<'r> {
    input: &'r str,
    #[serde(flatten)]
    report: &'r Report,
}

/// What a file protects. Movie headers and fragments count as they come.
#[derive(Debug, Default, Serialize)]
struct Report {
    movie_headers: u64,
    fragments: u64,
    tracks: BTreeMap<u32, TrackReport>,
    pssh: Vec<PsshReport>,
    webm: Vec<WebmReport>,
}

/// One track. In a stream of several movie headers, what any of them says of it.
#[derive(Debug, Default, Serialize)]
struct TrackReport {
    handler: Option<String>,
    entries: Vec<EntryReport>,
    /// All of them, to be found, where they are more than [`FEW`].
    #[serde(skip)]
    known: HashSet<EntryReport>,
    protected_samples: u64,
    clear_samples: u64,
    /// Protected samples by key id.
    kids: BTreeMap<String, u64>,
    /// More than one key serves the track.
    key_rotation: bool,
    /// Where IVs and subsamples were found.
    aux_info: BTreeSet<&'static str>,
}

/// Sample entries of a track that are looked through one by one. Most have one, and two with a clear lead.
const FEW: usize = 8;

/// One sample entry.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
struct EntryReport {
    format: String,
    scheme: Option<String>,
    default_kid: Option<KeyId>,
    is_protected: bool,
    iv_size: Option<u8>,
    constant_iv: Option<String>,
    pattern: Option<String>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct PsshReport {
    /// Where the initialization data lie that it is a part of.
    at: u64,
    system_id: Option<String>,
    system: Option<&'static str>,
    version: u8,
    kids: Vec<KeyId>,
    data_size: usize,
    base64: String,
    error: Option<String>,
}

/// Initialization data of the type `webm`: the key id of an encrypted track.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct WebmReport {
    /// Where the key id stands.
    at: u64,
    kid: KeyId,
    base64: String,
}

impl Report {
    fn add_all(&mut self, mut units: Units) -> anyhow::Result<()> {
        while let Some(plan) = units.next_unit()? {
            self.add(&plan);
        }
        Ok(())
    }

    fn add(&mut self, plan: &Plan) {
        let is_header = !plan.tracks().is_empty();
        self.movie_headers += u64::from(is_header);
        self.fragments += u64::from(!is_header && !plan.scopes().is_empty());
        for track in plan.tracks() {
            self.tracks.entry(track.id).or_default().declare(track);
        }
        for scope in plan.scopes() {
            self.tracks.entry(scope.track).or_default().count(scope);
        }
        let mut kids: BTreeMap<_, u64> = BTreeMap::new();
        for sample in plan.samples() {
            *kids.entry(sample.protection).or_default() += 1;
        }
        for (protection, samples) in kids {
            let protection = &plan.protections()[protection as usize];
            let track = plan.scopes()[protection.scope as usize].track;
            let track = self.tracks.entry(track).or_default();
            *track.kids.entry(protection.kid.to_string()).or_default() += samples;
            track.key_rotation = track.kids.len() > 1;
        }
        for init_data in plan.init_data() {
            match init_data.init_data_type {
                InitDataType::Webm => self.webm.extend(WebmReport::new(init_data)),
                InitDataType::Cenc | InitDataType::Keyids => {
                    self.pssh.extend(PsshReport::all(init_data));
                }
            }
        }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = self.write_text(&mut text);
        text
    }

    fn write_text(&self, out: &mut String) -> std::fmt::Result {
        match self.fragments {
            0 => writeln!(out, "  no fragments")?,
            count => writeln!(out, "  fragments: {count}")?,
        }
        for (id, track) in &self.tracks {
            track.write_text(*id, out)?;
        }
        for pssh in &self.pssh {
            pssh.write_text(out)?;
        }
        for WebmReport { at, kid, base64 } in &self.webm {
            writeln!(out, "  webm initialization data at byte {at}: KID {kid}\n    {base64}")?;
        }
        Ok(())
    }
}

impl TrackReport {
    fn declare(&mut self, track: &Track) {
        self.handler = Some(track.handler.to_string());
        for entry in &track.entries {
            let entry = EntryReport::new(entry);
            if !self.knows(&entry) {
                self.entries.push(entry);
            }
        }
    }

    fn knows(&mut self, entry: &EntryReport) -> bool {
        if self.entries.len() <= FEW {
            return self.entries.contains(entry);
        }
        if self.known.is_empty() {
            self.known.extend(self.entries.iter().cloned());
        }
        !self.known.insert(entry.clone())
    }

    fn count(&mut self, scope: &Scope) {
        self.protected_samples += scope.protected;
        self.clear_samples += scope.clear;
        let found = match scope.aux_info {
            AuxInfo::None => return,
            AuxInfo::Senc => "senc",
            AuxInfo::Piff => "PIFF sample encryption box",
            AuxInfo::Saio => "saiz and saio, in the header",
            AuxInfo::SaioInData => "saiz and saio, beside the samples",
            AuxInfo::Block => "in front of each frame",
        };
        self.aux_info.insert(found);
    }

    fn write_text(&self, id: u32, out: &mut String) -> std::fmt::Result {
        let kind = match self.handler.as_deref() {
            Some("vide") => "video",
            Some("soun") => "audio",
            Some(other) => other,
            None => "of an unknown kind",
        };
        writeln!(out, "  track {id}: {kind}")?;
        for entry in &self.entries {
            entry.write_text(out)?;
        }
        let Self { protected_samples, clear_samples, .. } = self;
        writeln!(out, "    samples: {protected_samples} protected, {clear_samples} clear")?;
        if self.key_rotation {
            writeln!(out, "    key rotation:")?;
            for (kid, samples) in &self.kids {
                writeln!(out, "      KID {kid}: {samples} samples")?;
            }
        } else if let Some((kid, _)) = self.kids.first_key_value() {
            writeln!(out, "    KID {kid}")?;
        }
        if !self.aux_info.is_empty() {
            let found: Vec<_> = self.aux_info.iter().copied().collect();
            writeln!(out, "    auxiliary information: {}", found.join("; "))?;
        }
        Ok(())
    }
}

impl EntryReport {
    fn new(entry: &EntrySummary) -> Self {
        let protection = entry.protection.as_ref();
        let hex = |iv: &[u8; 16]| data_encoding::HEXLOWER.encode(iv);
        Self {
            format: entry.format.clone(),
            scheme: protection.map(|protection| protection.scheme_type.to_string()),
            default_kid: protection.map(|protection| protection.kid.clone()),
            is_protected: protection.is_some_and(|protection| protection.is_protected),
            iv_size: protection.and_then(|protection| protection.iv_size),
            constant_iv: protection
                .and_then(|protection| protection.constant_iv)
                .map(|iv| hex(iv.as_bytes())),
            pattern: protection
                .filter(|protection| protection.scheme.takes_pattern())
                .map(|protection| protection.pattern.to_string()),
        }
    }

    fn write_text(&self, out: &mut String) -> std::fmt::Result {
        let Self { format, scheme: Some(scheme), default_kid: Some(kid), .. } = self else {
            return writeln!(out, "    {}: clear", self.format);
        };
        write!(out, "    {format}: {scheme}")?;
        if let Some(pattern) = &self.pattern {
            write!(out, ", pattern {pattern}")?;
        }
        match (&self.constant_iv, self.iv_size) {
            (Some(iv), _) => write!(out, ", constant IV {iv}")?,
            (None, Some(size)) => write!(out, ", IVs of {size} bytes")?,
            (None, None) => {}
        }
        if kid.is_zero() {
            return writeln!(out, ", KIDs by sample group");
        }
        let default = if self.is_protected { "default KID" } else { "clear by default, KID" };
        writeln!(out, ", {default} {kid}")
    }
}

impl WebmReport {
    fn new(init_data: &InitData) -> Option<Self> {
        let kid = KeyId::new(&init_data.bytes).ok()?;
        let base64 = data_encoding::BASE64.encode(&init_data.bytes);
        Some(Self { at: init_data.at, kid, base64 })
    }
}

impl PsshReport {
    fn all(init_data: &InitData) -> Vec<Self> {
        pssh::boxes(&init_data.bytes)
            .map(|found| {
                let report = found.map(|found| Self::new(init_data.at, &found));
                report.unwrap_or_else(|error| Self::malformed(init_data.at, &error))
            })
            .collect()
    }

    fn new(at: u64, found: &PsshBox) -> Self {
        let pssh = found.pssh();
        Self {
            at,
            system_id: pssh.map(|pssh| pssh.system_id().to_string()),
            system: pssh.and_then(|pssh| pssh.system_id().name()),
            version: found.version(),
            kids: pssh.map(|pssh| pssh.kids().to_vec()).unwrap_or_default(),
            data_size: pssh.map_or(0, |pssh| pssh.data().len()),
            base64: found.to_base64(),
            error: None,
        }
    }

    fn malformed(at: u64, error: &clearkey::Error) -> Self {
        Self {
            at,
            system_id: None,
            system: None,
            version: 0,
            kids: Vec::new(),
            data_size: 0,
            base64: String::new(),
            error: Some(error.to_string()),
        }
    }

    fn write_text(&self, out: &mut String) -> std::fmt::Result {
        if let Some(error) = &self.error {
            return writeln!(out, "  pssh at byte {}: {error}", self.at);
        }
        let id = self.system_id.as_deref().unwrap_or("a system of an unknown version");
        write!(out, "  pssh at byte {}: {id}", self.at)?;
        if let Some(name) = self.system {
            write!(out, " ({name})")?;
        }
        writeln!(out, ", version {}, {} bytes of data", self.version, self.data_size)?;
        for kid in &self.kids {
            writeln!(out, "    KID {kid}")?;
        }
        writeln!(out, "    {}", self.base64)
    }
}
