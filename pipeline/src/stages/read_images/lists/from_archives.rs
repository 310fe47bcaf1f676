//! Images that a list names, as members of archives.

use std::fmt::Write;

use rustc_hash::FxHashMap;
use tessera_datasets::{Error, Result};

use super::super::Pictures;
use super::super::archive::{Stretches, hash_of};
use super::super::columns::Columns;
use super::super::names::{Place, base_name, is_image};
use super::super::sink::{Picture, Sink};
use super::entries::{Entries, record_of};
use super::no_rows;
use crate::inputs::InputFile;
use crate::inputs::lines::TOO_LONG;
use crate::stage::Part;

pub(super) fn open(
    archives: Vec<InputFile>,
    lists: Vec<InputFile>,
    mut entries: Entries,
    columns: &Columns,
    part_bytes: u64,
) -> Result<Box<dyn Pictures>> {
    let (mut stretches, scan) = Stretches::of(archives, columns, part_bytes)?;
    let hashes: Vec<u64> = entries.files().iter().map(|name| hash_of(name)).collect();
    entries.drop_missing(&lists, |file| scan.names.contains(&hashes[file as usize]));
    if entries.rows.is_empty() {
        return Err(no_rows(&entries));
    }
    let mut lines: FxHashMap<String, Vec<usize>> = FxHashMap::default();
    for (i, entry) in entries.rows.iter().enumerate() {
        lines.entry(entries.files()[entry.file as usize].clone()).or_default().push(i);
    }
    let lists_at = stretches.files.len();
    stretches.files.extend(lists);
    Ok(Box::new(Listed { stretches, lists_at, entries, lines }))
}

struct Listed {
    /// The archives, and the lists behind them.
    stretches: Stretches,
    lists_at: usize,
    entries: Entries,
    /// The entries of each member.
    lines: FxHashMap<String, Vec<usize>>,
}

impl Pictures for Listed {
    fn inputs(&self) -> &[InputFile] {
        &self.stretches.files
    }

    fn parts(&self) -> &[Part] {
        &self.stretches.parts
    }

    fn read<'f>(&'f self, part: usize, advance: &dyn Fn(u64), sink: &mut Sink<'f, '_, '_>) -> Result<()> {
        if part == 0 {
            sink.reject_all(&self.entries.faults);
        }
        let (mut bytes, mut id) = (Vec::new(), String::new());
        self.stretches.walk(part, advance, &mut |file, member| {
            let (src, loc) = (file.name.as_str(), member.name);
            if member.is_folder || !is_image(loc) {
                return Ok(());
            }
            let Some(lines) = self.lines.get(loc) else {
                sink.reject("not in a list", src, loc, "");
                return Ok(());
            };
            if !member.read(&mut bytes)? {
                sink.reject(TOO_LONG, src, loc, "");
                return Ok(());
            }
            for entry in lines.iter().map(|line| &self.entries.rows[*line]) {
                let list = &self.stretches.files[self.lists_at + entry.list as usize].name;
                id.clear();
                write!(id, "{list}:{}", entry.line).map_err(|e| Error::internal(e.to_string()))?;
                self.stretches.tell_apart(&mut id, member)?;
                sink.push(&Picture {
                    file,
                    bytes: &bytes,
                    id: &id,
                    src,
                    loc,
                    name: base_name(loc),
                    split: self.entries.split(entry).or(Place::of(loc).split),
                    said: self.entries.said(entry, record_of(sink.shape())),
                })?;
            }
            Ok(())
        })
    }
}
