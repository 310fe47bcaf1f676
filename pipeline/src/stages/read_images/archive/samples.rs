//! WebDataset: the members of a sample stand side by side and are called alike up to the first
//! point of their name. Class and caption of `key.jpg` are in `key.cls`, `key.txt` and `key.json`.

use serde_json::Value;
use tessera_datasets::Result;

use super::super::columns::Columns;
use super::super::config::Record;
use super::super::names::{base_name, is_image};
use super::super::sink::{Picture, Said, Sink};
use super::Stretches;
use super::members::Member;
use crate::inputs::InputFile;
use crate::inputs::lines::TOO_LONG;

/// The key of a member, and what follows the point behind it.
pub(super) fn key_of(name: &str) -> (&str, &str) {
    let base = name.len() - base_name(name).len();
    match name[base..].find('.') {
        Some(point) => (&name[..base + point], &name[base + point + 1..]),
        None => (name, ""),
    }
}

/// What stands beside the image of a sample.
#[derive(Default)]
pub(super) struct Beside {
    pub(super) key: String,
    /// How many images the sample has.
    pub(super) images: usize,
    /// Whether there is anything beside it.
    pub(super) found: bool,
    pub(super) class: Option<String>,
    pub(super) caption: Option<String>,
    buffer: Vec<u8>,
}

impl Beside {
    /// Begins with another sample.
    pub(super) fn start(&mut self, key: &str) {
        self.key.clear();
        self.key.push_str(key);
        self.images = 0;
        self.found = false;
        self.class = None;
        self.caption = None;
    }

    /// Reads a member that is no image, where it is of a sort that says something.
    pub(super) fn take(&mut self, member: &mut Member<'_>, columns: &Columns) -> Result<()> {
        let ending = key_of(member.name).1;
        if !matches!(ending, "cls" | "txt" | "json") || !member.read(&mut self.buffer)? {
            return Ok(());
        }
        self.found = true;
        let text = String::from_utf8_lossy(&self.buffer);
        match ending {
            "cls" => self.class = Some(text.trim().to_owned()).filter(|class| !class.is_empty()),
            "txt" => self.caption = Some(text.trim().to_owned()).filter(|caption| !caption.is_empty()),
            _ => {
                // what is no JSON says nothing
                let object: Value = serde_json::from_str(&text).unwrap_or_default();
                let field = |names: &[String]| match names.iter().find_map(|name| object.get(name)) {
                    Some(Value::String(text)) if !text.trim().is_empty() => Some(text.trim().to_owned()),
                    Some(Value::Number(number)) => Some(number.to_string()),
                    _ => None,
                };
                self.class = self.class.take().or_else(|| field(&columns.label));
                self.caption = self.caption.take().or_else(|| field(&columns.caption));
            }
        }
        Ok(())
    }
}

/// The sample that is being read.
struct Sample<'f> {
    stretches: &'f Stretches,
    record: Record,
    beside: Beside,
    /// The archive that it is in.
    file: Option<&'f InputFile>,
    image: Vec<u8>,
    id: String,
    loc: String,
}

pub(super) fn read<'f>(
    stretches: &'f Stretches,
    part: usize,
    columns: &Columns,
    record: Record,
    advance: &dyn Fn(u64),
    sink: &mut Sink<'f, '_, '_>,
) -> Result<()> {
    let (image, id, loc) = (Vec::new(), String::new(), String::new());
    let mut sample = Sample { stretches, record, beside: Beside::default(), file: None, image, id, loc };
    stretches.walk(part, advance, &mut |file, member| {
        let key = key_of(member.name).0;
        if member.is_folder {
            return Ok(());
        }
        if key != sample.beside.key {
            sample.push(sink)?;
            sample.beside.start(key);
            sample.file = Some(file);
        }
        match is_image(member.name) {
            true => sample.take_image(file, member, sink),
            false => sample.beside.take(member, columns),
        }
    })?;
    sample.push(sink)
}

impl<'f> Sample<'f> {
    fn take_image(&mut self, file: &'f InputFile, member: &mut Member<'_>, sink: &mut Sink<'f, '_, '_>) -> Result<()> {
        self.beside.images += 1;
        if self.beside.images > 1 {
            sink.reject("second image of a sample", &file.name, member.name, "");
            return Ok(());
        }
        if !member.read(&mut self.image)? {
            self.beside.images = 0;
            sink.reject(TOO_LONG, &file.name, member.name, "");
            return Ok(());
        }
        self.loc.clear();
        self.loc.push_str(member.name);
        self.stretches.identify(&mut self.id, &file.name, member)
    }

    fn push(&mut self, sink: &mut Sink<'f, '_, '_>) -> Result<()> {
        let Some(file) = self.file else {
            return Ok(());
        };
        let (src, loc) = (file.name.as_str(), self.loc.as_str());
        if self.beside.images == 0 {
            if self.beside.found {
                sink.reject("sample without an image", src, &self.beside.key, "");
            }
            return Ok(());
        }
        let said = match self.record {
            Record::Image => self.beside.class.as_deref().map(Said::Class),
            Record::Caption => self.beside.caption.as_deref().map(Said::Caption),
        };
        let said = said.unwrap_or(Said::Nothing);
        let name = base_name(loc);
        sink.push(&Picture { file, bytes: &self.image, id: &self.id, src, loc, name, split: None, said })
    }
}
