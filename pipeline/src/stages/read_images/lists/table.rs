//! `.csv` and `.tsv`, whose first line names the columns.

use csv::{ByteRecord, ErrorKind, ReaderBuilder};
use tessera_datasets::{Error, Result};

use super::super::columns::{Columns, find, list};
use super::{Fault, Line, Take};
use crate::inputs::lines::NOT_UTF8;
use crate::inputs::{Compression, InputFile, open};

pub(super) fn read(file: &InputFile, tabs: bool, columns: &Columns, take: &mut Take<'_>) -> Result<()> {
    let (reader, compression) = open(file, &|_| {})?;
    let mut builder = ReaderBuilder::new();
    builder.flexible(true);
    if tabs {
        builder.delimiter(b'\t').quoting(false);
    }
    let mut reader = builder.from_reader(reader);
    let header = reader.byte_headers().map_err(|error| explain(error, compression, file))?.clone();
    let header: Vec<String> = header.iter().map(|name| String::from_utf8_lossy(name).trim().to_owned()).collect();
    let there: Vec<&str> = header.iter().map(String::as_str).collect();
    let Some(path) = find(&columns.file, &there) else {
        return Err(Error::input(format!("no column is called {}", list(&columns.file)))
            .at(&file.path)
            .row(1)
            .hint(format!("the columns are {}; `file` names the one with the files", list(&header))));
    };
    let [label, caption, split] = [&columns.label, &columns.caption, &columns.split].map(|names| find(names, &there));
    let mut record = ByteRecord::new();
    while reader.read_byte_record(&mut record).map_err(|error| explain(error, compression, file))? {
        let number = record.position().map_or(0, csv::Position::line);
        if record.len() != header.len() {
            let excerpt = format!("{} instead of {}", record.len(), header.len());
            take(number, Err(Fault { reason: "wrong number of columns", excerpt: &excerpt }))?;
            continue;
        }
        let field = |column: Option<usize>| match column.and_then(|column| record.get(column)) {
            Some(bytes) => std::str::from_utf8(bytes).map(|text| Some(text.trim()).filter(|text| !text.is_empty())),
            None => Ok(None),
        };
        let line = (|| {
            let (path, label, caption, split) = (field(Some(path))?, field(label)?, field(caption)?, field(split)?);
            Ok(path.map(|file| Line { file, label, caption, split }))
        })();
        match line {
            Ok(Some(line)) => take(number, Ok(line))?,
            Ok(None) => take(number, Err(Fault { reason: "no file named", excerpt: "" }))?,
            Err::<_, std::str::Utf8Error>(_) => {
                let text = String::from_utf8_lossy(record.as_slice()).into_owned();
                take(number, Err(Fault { reason: NOT_UTF8, excerpt: &text }))?;
            }
        }
    }
    Ok(())
}

fn explain(error: csv::Error, compression: Compression, file: &InputFile) -> Error {
    let row = error.position().map(csv::Position::line);
    let out = match error.into_kind() {
        ErrorKind::Io(error) => compression.error(error),
        other => Error::input(format!("no table: {other:?}")),
    };
    let out = out.at(&file.path);
    match row {
        Some(row) => out.row(row),
        None => out,
    }
}
