//! The members of an archive, one after another.

use std::cell::Cell;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;
use std::rc::Rc;

use tar::{Archive, Entries, EntryType};
use tessera_datasets::{Error, Result};

use crate::inputs::lines::LONGEST_ROW;
use crate::inputs::{Compression, InputFile, is_clutter, open};

/// How much of a plain archive is read at a time.
const BUFFER: usize = 1 << 18;
/// What `tar` fills up to.
const BLOCK: u64 = 512;

/// A file or folder in an archive.
pub(in super::super) struct Member<'a> {
    /// Where it begins, with all that is only about it; nothing where that is not known.
    pub(in super::super) start: Option<u64>,
    /// Its path, without `./` in front.
    pub(in super::super) name: &'a str,
    /// Whether it is a folder.
    pub(in super::super) is_folder: bool,
    /// Its size in bytes.
    size: u64,
    data: &'a mut dyn Read,
    trouble: &'a Trouble<'a>,
}

impl Member<'_> {
    /// Its content, in place of what was in `into`; false where it is larger than a row may be.
    pub(in super::super) fn read(&mut self, into: &mut Vec<u8>) -> Result<bool> {
        into.clear();
        if self.size > LONGEST_ROW as u64 {
            return Ok(false);
        }
        // a size that is not true must not cost memory
        (&mut self.data).take(self.size).read_to_end(into).map_err(|error| self.trouble.explain(error))?;
        match into.len() as u64 == self.size {
            true => Ok(true),
            false => Err(cut_short(self.trouble.path)),
        }
    }
}

/// Takes each member.
pub(in super::super) type Visit<'a> = dyn FnMut(&mut Member<'_>) -> Result<()> + 'a;

/// Visits the members of a whole archive and checks that it is whole. The content of those that are
/// not read is jumped over where the file allows it.
pub(in super::super) fn survey(file: &InputFile, visit: &mut Visit<'_>) -> Result<()> {
    let watch = Rc::new(Watch::default());
    let compression = Compression::of(&file.name).0;
    let trouble = Trouble { path: &file.path, compression, watch: &watch };
    match compression {
        Compression::Plain => {
            let reader = Watched { inner: fs_err::File::open(&file.path)?, watch: watch.clone() };
            let mut archive = Archive::new(reader);
            let entries = archive.entries_with_seek().map_err(|error| trouble.explain(error))?;
            visit_all(entries, 0, &trouble, visit)?;
        }
        _ => {
            let (reader, _) = open(file, &|_| {})?;
            let mut archive = Archive::new(Watched { inner: reader, watch: watch.clone() });
            visit_all(archive.entries().map_err(|error| trouble.explain(error))?, 0, &trouble, visit)?;
            if !watch.ended.get() {
                // the check sum of the stream stands at its end
                let rest = std::io::copy(&mut archive.into_inner(), &mut std::io::sink());
                rest.map_err(|error| trouble.explain(error))?;
                return Ok(());
            }
        }
    }
    // an archive ends with an empty block, not with the file
    match watch.ended.get() {
        true => Err(cut_short(&file.path)),
        false => Ok(()),
    }
}

/// Visits the members in a range of an archive that [`survey`] found to be whole; one that is
/// compressed has no range but all.
pub(in super::super) fn walk(
    file: &InputFile,
    range: &Range<u64>,
    advance: &dyn Fn(u64),
    visit: &mut Visit<'_>,
) -> Result<()> {
    let watch = Rc::new(Watch::default());
    let compression = Compression::of(&file.name).0;
    let trouble = Trouble { path: &file.path, compression, watch: &watch };
    let reader: Box<dyn Read> = match compression {
        Compression::Plain => {
            let mut reader = fs_err::File::open(&file.path)?;
            if reader.metadata()?.len() != file.bytes {
                return Err(Error::input("the file was changed while the pipeline ran").at(&file.path));
            }
            reader.seek(SeekFrom::Start(range.start))?;
            Box::new(BufReader::with_capacity(BUFFER, reader.take(range.end - range.start)))
        }
        _ => open(file, &|_| {})?.0,
    };
    let mut archive = Archive::new(Watched { inner: reader, watch: watch.clone() });
    visit_all(archive.entries().map_err(|error| trouble.explain(error))?, range.start, &trouble, visit)?;
    advance(range.end - range.start);
    Ok(())
}

fn visit_all<R: Read>(
    entries: Entries<'_, R>,
    offset: u64,
    trouble: &Trouble<'_>,
    visit: &mut Visit<'_>,
) -> Result<()> {
    let mut start = Some(offset);
    for entry in entries {
        let mut entry = entry.map_err(|error| trouble.explain(error))?;
        let sort = entry.header().entry_type();
        let size = entry.size();
        let data = offset + entry.raw_file_position();
        let next = match sort {
            // its size is not the space that it takes
            EntryType::GNUSparse => None,
            _ => size.checked_next_multiple_of(BLOCK).and_then(|padded| data.checked_add(padded)),
        };
        let start = std::mem::replace(&mut start, next);
        let is_folder = sort.is_dir();
        let is_file = matches!(sort, EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse);
        if !is_folder && !is_file {
            continue;
        }
        let path = entry.path_bytes().into_owned();
        let Ok(path) = std::str::from_utf8(&path) else {
            let name = String::from_utf8_lossy(&path);
            return Err(Error::input(format!("the name of the member `{name}` is not UTF-8"))
                .at(trouble.path)
                .hint("pack the archive again with names in UTF-8"));
        };
        let name = path.trim_start_matches("./").trim_matches('/');
        if name.split('/').any(is_clutter) {
            continue;
        }
        visit(&mut Member { start, name, is_folder, size, data: &mut entry, trouble })?;
    }
    Ok(())
}

/// What a reader has come to.
#[derive(Default)]
struct Watch {
    ended: Cell<bool>,
    failed: Cell<bool>,
}

/// A reader that notes its end and its failure.
struct Watched<R> {
    inner: R,
    watch: Rc<Watch>,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer);
        match &read {
            Ok(0) if !buffer.is_empty() => self.watch.ended.set(true),
            Err(error) if error.kind() != std::io::ErrorKind::Interrupted => self.watch.failed.set(true),
            _ => {}
        }
        read
    }
}

impl<R: Seek> Seek for Watched<R> {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.inner.seek(to)
    }
}

/// What an error in an archive means.
struct Trouble<'a> {
    path: &'a Path,
    compression: Compression,
    watch: &'a Watch,
}

impl Trouble<'_> {
    fn explain(&self, error: std::io::Error) -> Error {
        if self.watch.failed.get() {
            return self.compression.error(error).at(self.path);
        }
        if self.watch.ended.get() {
            return cut_short(self.path);
        }
        Error::input("this is no tar archive, or a damaged one")
            .at(self.path)
            .because(error)
            .hint("the file is not whole: copy or download it again")
    }
}

fn cut_short(path: &Path) -> Error {
    Error::input("the archive is cut short: it has no end mark")
        .at(path)
        .hint("the file is not whole: copy or download it again")
}
