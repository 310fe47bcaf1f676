use std::path::Path;

use super::*;
use crate::rejects::Rejects;
use crate::rows::{TranslationColumns, strings};

/// What was read: place, German, English; and the rejects: reason, file, place.
type Read = (Vec<[String; 3]>, Vec<[String; 3]>);

fn stage(dir: &Path, config: Config) -> ReadBitext {
    ReadBitext {
        config: Config { languages: vec!["en".to_owned(), "de".to_owned()], ..config },
        sorted: vec!["de".to_owned(), "en".to_owned()],
        data: DataConfig { paths: vec![dir.to_string_lossy().into_owned()], ..DataConfig::default() },
        dataset: "test".to_owned(),
    }
}

fn read(files: &[(&str, &[u8])], config: Config) -> Result<Read> {
    let dir = tempfile::tempdir().unwrap();
    files.iter().for_each(|(name, bytes)| fs_err::write(dir.path().join(name), bytes).unwrap());
    let source = stage(dir.path(), config).prepare()?;
    let mut rejects = Rejects::new();
    let mut rows = Vec::new();
    for part in 0..source.parts().len() {
        let mut emit = |batch| {
            let columns = TranslationColumns::of(&batch)?;
            assert_eq!(columns.languages, ["de", "en"]);
            let ids = strings(&batch, "id")?;
            for row in 0..batch.num_rows() {
                let [de, en] = [0, 1].map(|i| columns.sentences[i].value(row).to_owned());
                rows.push([ids.value(row).to_owned(), de, en]);
            }
            Ok(())
        };
        source.read(
            part,
            &mut Outlet { emit: &mut emit, rejects: &mut rejects, changes: &mut Default::default(), advance: &|_| {} },
        )?;
    }
    let rejected = rejects.by_reason().iter().flat_map(|(reason, rejected)| {
        rejected.samples.iter().map(move |s| [reason.clone(), s.src.clone(), s.loc.clone()])
    });
    Ok((rows, rejected.collect()))
}

fn owned(rows: &[[&str; 3]]) -> Vec<[String; 3]> {
    rows.iter().map(|row| row.map(str::to_owned)).collect()
}

#[test]
fn aligned_lines_are_rows() {
    let (rows, rejected) = read(
        &[
            ("a.de", "\u{feff}eins\r\nzwei \u{2028}x\n\nä".as_bytes()),
            ("a.en", b"one\ntwo\nthree\nfour\n"),
            ("b.de.txt", b"f\xfcnf\nsechs\n"),
            ("b.en.txt", b"five\n \t\n"),
        ],
        Config::default(),
    )
    .unwrap();
    assert_eq!(rows, owned(&[["a:1", "eins", "one"], ["a:2", "zwei \u{2028}x", "two"], ["a:4", "ä", "four"]]));
    let expected =
        [["empty side", "a.de", "line 3"], ["empty side", "b.en.txt", "line 2"], ["not UTF-8", "b.de.txt", "line 1"]];
    assert_eq!(rejected, owned(&expected));
}

#[test]
fn lengths_that_differ_are_counted_to_the_end() {
    for (de, en, counts) in [
        (&b"1\n2\n3\n"[..], &b"1\n"[..], ["a.de` has 3 lines", "a.en` has 1 line"]),
        (b"", b"1\n2", ["a.de` has 0 lines", "a.en` has 2 lines"]),
        (b"1\n2\n\n", b"1\n2\n", ["a.de` has 3 lines", "a.en` has 2 lines"]),
    ] {
        let error = read(&[("a.de", de), ("a.en", en)], Config::default()).unwrap_err().to_string();
        assert!(counts.iter().all(|count| error.contains(count)), "{error}");
    }
}

#[test]
fn files_without_their_other_side_are_an_error() {
    let error = read(&[("a.de", b"x"), ("b.de", b"x"), ("b.en", b"x")], Config::default()).unwrap_err();
    assert_eq!(error.to_string(), "there is `a.de`, but no file beside it for `en`");
    let error = read(&[("a.de", b"x"), ("a.de.gz", b"x"), ("a.en", b"x")], Config::default()).unwrap_err();
    assert!(error.to_string().contains("both `a.de` and `a.de.gz`"), "{error}");
}

#[test]
fn files_can_be_named_in_the_config() {
    let files = |de: &[&str], en: &[&str]| {
        let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Config { files: [("de".to_owned(), list(de)), ("en".to_owned(), list(en))].into(), ..Config::default() }
    };
    let raw: [(&str, &[u8]); 5] =
        [("german.1", b"eins"), ("german.2", b"zwei"), ("x", b"one"), ("y", b"two"), ("z", b"three")];
    let (rows, _) = read(&raw, files(&["german.*"], &["x", "y"])).unwrap();
    assert_eq!(rows, owned(&[["{german.1,x}:1", "eins", "one"], ["{german.2,y}:1", "zwei", "two"]]));
    for (config, message) in [
        (files(&["german.*"], &["x"]), "2 for `de` and 1 for `en`"),
        (files(&["german.*"], &["english"]), "`english` for `en`, which no file is called"),
        (files(&["german.1", "german.1"], &["x", "x"]), "`{german.1,x}` twice"),
    ] {
        let error = read(&raw, config).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn columns_are_found_by_place_or_by_header() {
    let by_header = b"en\tid\tde\none\t1\teins\ntwo\t2\nthree\t3\tdrei\t3\n\t4\tvier\n";
    let (rows, rejected) = read(&[("a.tsv", by_header)], Config::default()).unwrap();
    assert_eq!(rows, owned(&[["a.tsv:2", "eins", "one"]]));
    let wrong = "wrong number of columns";
    let expected = [["empty side", "a.tsv", "line 5"], [wrong, "a.tsv", "line 3"], [wrong, "a.tsv", "line 4"]];
    assert_eq!(rejected, owned(&expected));

    let columns = Some(["en", "-", "de"].map(str::to_owned).to_vec());
    let config = Config { columns, ..Config::default() };
    let (rows, _) = read(&[("a.tsv", b"one\t1\t\"eins\"\n")], config.clone()).unwrap();
    assert_eq!(rows, owned(&[["a.tsv:1", "\"eins\"", "one"]]));
    let (rows, _) = read(&[("a.tsv", b"E\tN\tD\none\t1\teins\n")], Config { header: Some(true), ..config }).unwrap();
    assert_eq!(rows, owned(&[["a.tsv:2", "eins", "one"]]));

    let error = read(&[("a.tsv", b"one\teins\n")], Config::default()).unwrap_err();
    assert!(error.to_string().ends_with("a.tsv`, row 1: no column `de` among `one`, `eins`"), "{error}");
    assert!(error.hint_text().unwrap().contains("`columns`"));
}

#[test]
fn objects_hold_their_languages_at_the_top_or_below() {
    let lines = r#"{"en": "one", "de": "eins"}
{"translation": {"en": "two", "de": "zwei\r\nx", "fr": "deux"}}
{"en": "three"}
{"en": "four", "de": 4}
{"en": "five", "de": "\n"}
["six"]
seven"#;
    let (rows, rejected) = read(&[("a.jsonl", lines.as_bytes())], Config::default()).unwrap();
    assert_eq!(rows, owned(&[["a.jsonl:1", "eins", "one"], ["a.jsonl:2", "zwei\nx", "two"]]));
    let expected = [
        ["empty side", "a.jsonl", "line 5"],
        ["field missing", "a.jsonl", "line 3"],
        ["field not a string", "a.jsonl", "line 4"],
        ["not JSON", "a.jsonl", "line 7"],
        ["not a JSON object", "a.jsonl", "line 6"],
    ];
    assert_eq!(rejected, owned(&expected));

    let fields = [("en".to_owned(), "source".to_owned())].into();
    let config = Config { fields, ..Config::default() };
    let (rows, _) = read(&[("a.jsonl", br#"{"source": "one", "de": "eins"}"#)], config).unwrap();
    assert_eq!(rows, owned(&[["a.jsonl:1", "eins", "one"]]));
}

#[test]
fn equal_first_sentences_have_one_split_key() {
    let dir = tempfile::tempdir().unwrap();
    fs_err::write(dir.path().join("a.de"), "eins\nein\neins\n").unwrap();
    fs_err::write(dir.path().join("a.en"), "one\none\ntwo\n").unwrap();
    let source = stage(dir.path(), Config::default()).prepare().unwrap();
    let mut keys: Vec<String> = Vec::new();
    let mut emit = |batch| {
        keys.extend(strings(&batch, "split_key")?.iter().flatten().map(str::to_owned));
        Ok(())
    };
    source
        .read(
            0,
            &mut Outlet {
                emit: &mut emit,
                rejects: &mut Rejects::new(),
                changes: &mut Default::default(),
                advance: &|_| {},
            },
        )
        .unwrap();
    assert!(keys[0] == keys[1] && keys[0] != keys[2], "{keys:?}");
}
