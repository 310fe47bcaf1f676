//! Reading the rows of any of the formats.

use std::collections::BTreeMap;
use std::io::{BufRead, Cursor, Read};

use csv::ByteRecord;

use super::header::{Cells, Header, Places};
use super::numbers::{Cell, NotANumber, Scale};
use super::{Format, Oddities, Reject, cvkit3d, deeplabcut, flattened, no_frames, stream};
use crate::pose::Skeleton;
use crate::{Error, Result};

/// The most bytes of the first line.
const LONGEST_HEADER: u64 = 1 << 24;
/// The most characters of a cell that are shown.
const EXCERPT: usize = 60;

/// The frames of a file, in `D` coordinates.
pub(super) struct Rows<const D: usize> {
    pub(super) format: Format,
    pub(super) points_tk: Vec<[f32; D]>,
    pub(super) known_tk: Vec<bool>,
    pub(super) likelihood_tk: Option<Vec<f32>>,
    pub(super) behaviour_t: Option<Vec<String>>,
    pub(super) frames: Vec<i64>,
    pub(super) scorer: Option<String>,
    pub(super) oddities: Oddities,
}

/// Reads a file to its end.
pub(super) fn read<const D: usize>(
    reader: impl BufRead,
    skeleton: &Skeleton,
    format: Option<Format>,
) -> Result<Rows<D>> {
    let (header, mut records) = read_header::<D>(reader, skeleton, format)?;
    let mut rows = Rows {
        format: header.format,
        points_tk: Vec::new(),
        known_tk: Vec::new(),
        likelihood_tk: header.has_likelihood().then(Vec::new),
        behaviour_t: header.behaviour.map(|_| Vec::new()),
        frames: Vec::new(),
        scorer: header.scorer.clone(),
        oddities: Oddities::default(),
    };
    let scale = Scale::of(skeleton);
    let mut row = Row::new(skeleton.keypoints.len());
    let mut record = ByteRecord::new();
    let mut place = 0;
    while records.read_byte_record(&mut record).map_err(stream::broken_csv)? {
        let line = record.position().map_or(0, csv::Position::line);
        match row.read(&record, &header, scale, place) {
            Ok(()) => rows.push(&row, &record, &header).map_err(|error| error.row(line))?,
            Err(Fault { reason, excerpt }) => rows.oddities.rejects.push(Reject { line, reason, excerpt }),
        }
        place += 1;
    }
    match place {
        0 => Err(no_frames()),
        _ => Ok(rows),
    }
}

/// Reads the header; returns also the reader of what follows.
pub(super) fn read_header<const D: usize>(
    mut reader: impl BufRead,
    skeleton: &Skeleton,
    format: Option<Format>,
) -> Result<(Header<D>, csv::Reader<impl Read>)> {
    let mut first = Vec::new();
    reader.by_ref().take(LONGEST_HEADER).read_until(b'\n', &mut first).map_err(stream::broken)?;
    if first.len() as u64 == LONGEST_HEADER {
        return Err(Error::input("the first line is longer than any header").row(1));
    }
    // Excel and others put a mark in front
    let first = first.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&first).to_vec();
    if first.trim_ascii().is_empty() {
        return Err(Error::input("the file is empty").hint("a recording begins with the names of its columns"));
    }
    let format = format.unwrap_or_else(|| found(&first, skeleton));
    let separator = match format {
        Format::Flattened => flattened::SEPARATOR,
        Format::Cvkit3d => cvkit3d::SEPARATOR,
        Format::Deeplabcut => deeplabcut::SEPARATOR,
    };
    let mut records = csv::ReaderBuilder::new()
        .delimiter(separator)
        .has_headers(false)
        .flexible(true)
        .buffer_capacity(1 << 16)
        .from_reader(Cursor::new(first).chain(reader));
    let mut names = || -> Result<Vec<String>> {
        let mut record = ByteRecord::new();
        records.read_byte_record(&mut record).map_err(stream::broken_csv)?;
        let name = |cell: &[u8]| match std::str::from_utf8(cell) {
            Ok(name) => Ok(name.trim().to_owned()),
            Err(_) => Err(Error::input("the header is not UTF-8").row(1)),
        };
        record.iter().map(name).collect()
    };
    let header = match format {
        Format::Flattened => flattened::header(&names()?, skeleton),
        Format::Cvkit3d => cvkit3d::header(&names()?, skeleton),
        Format::Deeplabcut => deeplabcut::header(&[names()?, names()?, names()?], skeleton),
    };
    Ok((header.map_err(|error| error.row(1))?, records))
}

/// The format that a first line is of.
fn found(first: &[u8], skeleton: &Skeleton) -> Format {
    let line = String::from_utf8_lossy(first);
    let is_name = |cell: &str| skeleton.index(cell.trim()).is_some();
    match line.trim() {
        line if line.split(',').next() == Some(deeplabcut::ROWS[0]) => Format::Deeplabcut,
        // what stands in quotes divides nothing
        line if line.split('"').step_by(2).any(|part| part.contains(';')) || is_name(line) => Format::Cvkit3d,
        _ => Format::Flattened,
    }
}

/// Why a row is no frame.
struct Fault {
    reason: &'static str,
    excerpt: String,
}

impl Fault {
    fn of(reason: &'static str, cell: &[u8]) -> Self {
        Self { reason, excerpt: String::from_utf8_lossy(cell).chars().take(EXCERPT).collect() }
    }
}

/// One frame on its way.
struct Row<const D: usize> {
    frame: i64,
    points_k: Vec<[f32; D]>,
    known_k: Vec<bool>,
    likelihood_k: Vec<f32>,
    /// Keypoints that are not known because of what their cells say.
    odd: BTreeMap<&'static str, u64>,
}

impl<const D: usize> Row<D> {
    fn new(keypoints: usize) -> Self {
        Self {
            frame: 0,
            points_k: vec![[0.0; D]; keypoints],
            known_k: vec![false; keypoints],
            likelihood_k: vec![1.0; keypoints],
            odd: BTreeMap::new(),
        }
    }

    fn read(&mut self, record: &ByteRecord, header: &Header<D>, scale: Scale, place: i64) -> Result<(), Fault> {
        if record.len() != header.width {
            let excerpt = format!("{} of {}", record.len(), header.width);
            return Err(Fault { reason: "wrong number of columns", excerpt });
        }
        self.odd.clear();
        self.frame = match header.frame {
            None => place,
            Some(column) => frame_number(&record[column])?,
        };
        match &header.places {
            Places::Lists(columns) => {
                for (keypoint, &column) in columns.iter().enumerate() {
                    let cells = cvkit3d::parse(&record[column], scale)
                        .map_err(|NotANumber| Fault::of("not a position", &record[column]))?;
                    self.set(keypoint, cells);
                }
            }
            Places::Cells(places) => {
                for (keypoint, place) in places.iter().enumerate() {
                    let mut cells = [Cell::Missing; D];
                    for (cell, &column) in cells.iter_mut().zip(&place.coordinates) {
                        let text = &record[column];
                        *cell = scale.parse(text).map_err(|NotANumber| Fault::of("not a number", text))?;
                    }
                    self.set(keypoint, cells);
                    self.set_likelihood(keypoint, record, *place)?;
                }
            }
        }
        Ok(())
    }

    fn set(&mut self, keypoint: usize, cells: [Cell; D]) {
        let value = |cell: Cell| match cell {
            Cell::At(value) | Cell::Sentinel(value) => value,
            Cell::Missing | Cell::Infinite => 0.0,
        };
        let count = |wanted: fn(&Cell) -> bool| cells.iter().filter(|cell| wanted(cell)).count();
        let missing = count(|cell| *cell == Cell::Missing);
        let odd = match missing {
            _ if count(|cell| *cell == Cell::Infinite) > 0 => Some("infinite coordinate"),
            0 => None,
            n if n == D => None,
            _ => Some("only some coordinates"),
        };
        if let Some(reason) = odd {
            *self.odd.entry(reason).or_default() += 1;
        }
        self.known_k[keypoint] = odd.is_none() && missing == 0 && count(|cell| matches!(cell, Cell::Sentinel(_))) < D;
        self.points_k[keypoint] = if self.known_k[keypoint] { cells.map(value) } else { [0.0; D] };
        self.likelihood_k[keypoint] = f32::from(u8::from(self.known_k[keypoint]));
    }

    /// A keypoint of likelihood 0 is not known: so BU-CVKit deletes one from a file of DeepLabCut.
    fn set_likelihood(&mut self, keypoint: usize, record: &ByteRecord, place: Cells<D>) -> Result<(), Fault> {
        let Some(column) = place.likelihood else {
            return Ok(());
        };
        let likelihood = match Scale::NONE.parse(&record[column]) {
            Ok(Cell::At(likelihood)) => likelihood,
            Ok(_) => 0.0,
            Err(NotANumber) => return Err(Fault::of("likelihood not a number", &record[column])),
        };
        if likelihood <= 0.0 && self.known_k[keypoint] {
            self.known_k[keypoint] = false;
            self.points_k[keypoint] = [0.0; D];
            *self.odd.entry("likelihood of 0 or none").or_default() += 1;
        }
        self.likelihood_k[keypoint] = if self.known_k[keypoint] { likelihood } else { 0.0 };
        Ok(())
    }
}

impl<const D: usize> Rows<D> {
    fn push(&mut self, row: &Row<D>, record: &ByteRecord, header: &Header<D>) -> Result<()> {
        if let Some(last) = self.frames.last().filter(|last| **last >= row.frame) {
            let message = match *last == row.frame {
                true => format!("frame {last} is there twice"),
                false => format!("frame {} comes after frame {last}", row.frame),
            };
            return Err(Error::input(message).hint("rows must be in the order of time: sort them by frame"));
        }
        self.frames.push(row.frame);
        self.points_tk.extend_from_slice(&row.points_k);
        self.known_tk.extend_from_slice(&row.known_k);
        if let Some(likelihood_tk) = &mut self.likelihood_tk {
            likelihood_tk.extend_from_slice(&row.likelihood_k);
        }
        if let (Some(behaviour_t), Some(column)) = (&mut self.behaviour_t, header.behaviour) {
            behaviour_t.push(String::from_utf8_lossy(&record[column]).into_owned());
        }
        for (reason, count) in &row.odd {
            *self.oddities.keypoints.entry(reason).or_default() += count;
        }
        Ok(())
    }
}

/// The number of a frame, which pandas may have written as `12.0`.
fn frame_number(cell: &[u8]) -> Result<i64, Fault> {
    let text = std::str::from_utf8(cell).map(str::trim).unwrap_or_default();
    let whole = |value: f64| (value.fract() == 0.0 && value.abs() < 9e15).then_some(value as i64);
    let number = text.parse().ok().or_else(|| whole(text.parse().ok()?));
    number.ok_or_else(|| Fault::of("not the number of a frame", cell))
}
