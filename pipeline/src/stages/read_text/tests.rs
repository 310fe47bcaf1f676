use std::io::Write;
use std::path::Path;

use arrow::array::RecordBatch;

use super::*;
use crate::rejects::Rejects;
use crate::rows::strings;

type Pairs = Vec<(String, String)>;

/// Reads one file: the rows as (place, text), and the rejects as (reason, place).
fn read(name: &str, bytes: &[u8], rows: Rows) -> Result<(Pairs, Pairs)> {
    let dir = tempfile::tempdir().unwrap();
    fs_err::write(dir.path().join(name), bytes).unwrap();
    read_folder(dir.path(), rows, u64::MAX)
}

fn read_folder(dir: &Path, rows: Rows, part_bytes: u64) -> Result<(Pairs, Pairs)> {
    let stage = ReadText {
        config: Config { rows, part_bytes, ..Config::default() },
        data: DataConfig { paths: vec![dir.to_string_lossy().into_owned()], ..DataConfig::default() },
        dataset: "test".to_owned(),
    };
    let source = stage.prepare()?;
    let mut rejects = Rejects::new();
    let mut batches: Vec<RecordBatch> = Vec::new();
    for part in 0..source.parts().len() {
        let mut emit = |batch| {
            batches.push(batch);
            Ok(())
        };
        source.read(
            part,
            &mut Outlet { emit: &mut emit, rejects: &mut rejects, changes: &mut Default::default(), advance: &|_| {} },
        )?;
    }
    let rows = batches.iter().flat_map(|batch| {
        let places = strings(batch, "loc").unwrap().iter().flatten().map(str::to_owned);
        let texts = strings(batch, "text").unwrap().iter().flatten().map(str::to_owned);
        places.zip(texts).collect::<Vec<_>>()
    });
    let rejected = rejects
        .by_reason()
        .iter()
        .flat_map(|(reason, rejected)| rejected.samples.iter().map(move |s| (reason.clone(), s.loc.clone())));
    Ok((rows.collect(), rejected.collect()))
}

fn pairs(items: &[(&str, &str)]) -> Pairs {
    items.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

#[test]
fn lines_lose_their_ends_and_the_byte_order_mark() {
    let (rows, rejected) = read("a.txt", "\u{feff}one\r\n\n  two \rx\n \t\nthree".as_bytes(), Rows::Line).unwrap();
    assert_eq!(rows, pairs(&[("line 1", "one"), ("line 3", "  two \rx"), ("line 5", "three")]));
    assert_eq!(rejected, pairs(&[("empty", "line 2"), ("empty", "line 4")]));
}

#[test]
fn files_are_kept_to_the_last_new_line() {
    let (rows, _) = read("a.md", "\u{feff}# one\r\n\r\ntwo\n".as_bytes(), Rows::File).unwrap();
    assert_eq!(rows, pairs(&[("file", "# one\n\ntwo\n")]));
}

#[test]
fn paragraphs_end_at_blank_lines() {
    let (rows, rejected) = read("a.txt", b"\n\none\ntwo\r\n \n\nthree\n\xff\n\nfour", Rows::Paragraph).unwrap();
    assert_eq!(rows, pairs(&[("line 3", "one\ntwo"), ("line 10", "four")]));
    assert_eq!(rejected, pairs(&[("not UTF-8", "line 8")]));
}

#[test]
fn bytes_that_are_no_utf8_are_rejects_with_their_line() {
    let bytes = b"one\nt\xffwo\nthree\n";
    let (rows, rejected) = read("a.txt", bytes, Rows::Line).unwrap();
    assert_eq!(rows, pairs(&[("line 1", "one"), ("line 3", "three")]));
    assert_eq!(rejected, pairs(&[("not UTF-8", "line 2")]));
    let (rows, rejected) = read("a.txt", bytes, Rows::File).unwrap();
    assert!(rows.is_empty());
    assert_eq!(rejected, pairs(&[("not UTF-8", "line 2")]));
}

#[test]
fn lines_of_json_are_rows_or_rejects() {
    let bytes =
        b"{\"text\": \"a\"}\nno\n\n{\"txt\": \"a\"}\n{\"text\": 1}\n[]\n{\"text\": \" \"}\n{\"text\": \"b\\r\\nc\"}";
    let (rows, rejected) = read("a.jsonl", bytes, Rows::File).unwrap();
    assert_eq!(rows, pairs(&[("line 1", "a"), ("line 8", "b\nc")]));
    let expected = [
        ("empty", "line 3"),
        ("empty", "line 7"),
        ("field missing", "line 4"),
        ("field not a string", "line 5"),
        ("not JSON", "line 2"),
        ("not a JSON object", "line 6"),
    ];
    assert_eq!(rejected, pairs(&expected));
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn compressed_files_read_as_plain_ones() {
    let text = b"one\ntwo\n";
    let members = [gzip(b"one\n"), gzip(b"two\n")].concat();
    let frames = [zstd::encode_all(&b"one\n"[..], 3).unwrap(), zstd::encode_all(&b"two\n"[..], 3).unwrap()].concat();
    let plain = read("a.txt", text, Rows::Line).unwrap();
    assert_eq!(read("a.txt.gz", &members, Rows::Line).unwrap(), plain);
    assert_eq!(read("a.txt.zst", &frames, Rows::Line).unwrap(), plain);
}

#[test]
fn a_compressed_file_that_is_cut_short_is_an_error_with_its_row() {
    // enough lines, and such that do not compress away, that the cut falls far behind the start
    let text: String = (0..20_000_u64).map(|i| format!("{}\n", i.wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();
    let mut zstd = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
    zstd.include_checksum(true).unwrap();
    zstd.write_all(text.as_bytes()).unwrap();
    let zstd = zstd.finish().unwrap();
    for (name, whole) in [("a.txt.gz", gzip(text.as_bytes())), ("a.txt.zst", zstd)] {
        for rows in [Rows::Line, Rows::Paragraph, Rows::File] {
            let error = read(name, &whole[..whole.len() - 1000], rows).unwrap_err();
            let message = error.to_string();
            assert!(message.contains(name) && message.contains("is cut short"), "{message}");
            let row: u64 = message.split("row ").nth(1).unwrap().split(':').next().unwrap().parse().unwrap();
            assert!((10_000..20_000).contains(&row), "{message}");
        }
        let mut damaged = whole.clone();
        damaged[whole.len() / 2] ^= 0xff;
        assert!(read(name, &damaged, Rows::Line).is_err(), "{name}");
    }
}

#[test]
fn parts_hold_small_files_together_and_large_ones_alone() {
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes) in [("a.txt", 40), ("b.txt", 40), ("c.txt", 40), ("d.txt", 400), ("e.txt", 10)] {
        fs_err::write(dir.path().join(name), "x".repeat(bytes)).unwrap();
    }
    let data = DataConfig { paths: vec![dir.path().to_string_lossy().into_owned()], ..DataConfig::default() };
    let found = find(&data, "test", SORTS, &|_| true).unwrap();
    let (parts, ranges) = parts_of(found.files.iter().map(|f| (f.name.as_str(), f.bytes)), 100);
    assert_eq!(ranges, [0..2, 2..3, 3..4, 4..5]);
    assert_eq!(parts.iter().map(|p| p.size).collect::<Vec<_>>(), [80, 40, 400, 10]);
    // how files are grouped changes nothing in the rows
    let all = read_folder(dir.path(), Rows::Line, u64::MAX).unwrap();
    assert_eq!(read_folder(dir.path(), Rows::Line, 1).unwrap(), all);
}
