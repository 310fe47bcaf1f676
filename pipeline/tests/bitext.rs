//! Translations from raw files to a dataset.

use std::io::Write;
use std::time::{Duration, Instant};

use arrow::array::AsArray;
use tessera_datasets::schema::Kind;
use tessera_datasets::shard::Dataset;
use tessera_datasets::tokenizer::{END_OF_TEXT, Tokenizer};

use crate::support::{Folder, tree};

const READ: &str = "[[pipeline.stage]]\nkind = \"read-bitext\"\nlanguages = [\"en\", \"de\"]\n";
const FILTER: &str = "[[pipeline.stage]]\nkind = \"filter-bitext\"\n";
const BPE: &str = "[[pipeline.stage]]\nkind = \"train-tokenizer\"\nmodel = \"bpe\"\nvocabulary = 300\n";
const STATISTICS: &str = "[[pipeline.stage]]\nkind = \"statistics\"\n";

/// The sentences of a split in one language.
fn sentences(folder: &Folder, split: &str, language: &str) -> Vec<String> {
    let dataset = Dataset::open_kind(folder.made(), Kind::Translation).unwrap();
    let mut out = Vec::new();
    for batch in dataset.batches(split, &[]).unwrap() {
        let batch = batch.unwrap();
        let column = batch.column_by_name("translation").unwrap().as_struct();
        let column = column.column_by_name(language).unwrap().as_string::<i32>().clone();
        out.extend(column.iter().flatten().map(str::to_owned));
    }
    out
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Numbered sentences in both languages; every tenth occurs again at the end.
fn write_pairs(folder: &Folder, name: &str, lines: u64) {
    const NUMBERS: [(&str, &str); 8] = [
        ("one", "eins"),
        ("two", "zwei"),
        ("three", "drei"),
        ("four", "vier"),
        ("five", "fünf"),
        ("six", "sechs"),
        ("seven", "sieben"),
        ("eight", "acht"),
    ];
    let sentence = |i: u64, german: bool| {
        let digits = (0..5).map(|place| NUMBERS[(i >> (3 * place)) as usize % 8]);
        let words: Vec<&str> = digits.map(|(en, de)| if german { de } else { en }).collect();
        words.join(" ") + ".\n"
    };
    for (ending, german) in [("en.gz", false), ("de.gz", true)] {
        let numbers = (0..lines).chain((0..lines).step_by(10));
        let text: String = numbers.map(|i| sentence(i.wrapping_mul(2_654_435_761) >> 3, german)).collect();
        folder.write(&format!("raw/{name}.{ending}"), gzip(text.as_bytes()));
    }
}

#[test]
fn files_of_different_length_name_both_counts() {
    let folder = Folder::new();
    folder.write("raw/a.en", "one\ntwo\nthree\n");
    folder.write("raw/a.de", "eins\nzwei\ndrei\nvier\nfünf\n");
    folder.config(READ);
    folder.call(&["run", "config.toml"]).refused(&[
        "aligned files differ in length: `raw/a.de` has 5 lines, `raw/a.en` has 3 lines",
        "hint: each line must be the translation",
    ]);
    assert!(!folder.made().join("manifest.json").exists());
}

#[test]
fn rows_that_are_none_are_counted_with_their_side() {
    let folder = Folder::new();
    folder.write("raw/a.en", b"one\ntwo\nthree\nf\xffour\n");
    folder.write("raw/a.de", "eins\n\ndrei\nvier\n");
    folder.config(READ);
    let ended = folder.run(&[]);
    for words in [
        "1 × empty side, first in `a.de`, line 2: `de`, two",
        "1 × not UTF-8, first in `a.en`, line 4: `en`, f\u{fffd}our",
    ] {
        assert!(ended.stdout.contains(words), "no `{words}` in\n{}", ended.stdout);
    }
    assert_eq!(sentences(&folder, "train", "de"), ["eins", "drei"]);
    assert_eq!(folder.column("train", "src"), ["a.{de,en}", "a.{de,en}"]);
    assert_eq!(folder.column("train", "id"), ["a:1", "a:3"]);
    assert_eq!(folder.manifest().details["languages"], serde_json::json!(["de", "en"]));
}

#[test]
fn a_line_of_ten_thousand_words_is_a_counted_reject() {
    let folder = Folder::new();
    folder.write("raw/a.en", format!("one\n{}\n", "word ".repeat(10_000)));
    folder.write("raw/a.de", format!("eins\n{}\n", "Wort ".repeat(10_000)));
    folder.config(&format!("{READ}{FILTER}"));
    let ended = folder.run(&[]);
    assert!(
        ended.stdout.contains("1 × too long, first in `a.{de,en}`, line 2: `de` has 10000 words"),
        "{}",
        ended.stdout
    );
    assert_eq!(sentences(&folder, "train", "en"), ["one"]);
    folder.run(&[
        "--replace",
        "--set",
        "pipeline.stage.1.maximum_words=0",
        "--set",
        "pipeline.stage.1.maximum_characters=0",
    ]);
    assert_eq!(folder.manifest().rows.kept, 2);
}

#[test]
fn an_archive_that_is_cut_short_is_an_error() {
    let folder = Folder::new();
    write_pairs(&folder, "a", 3000);
    let path = folder.path().join("raw/a.de.gz");
    let whole = fs_err::read(&path).unwrap();
    fs_err::write(&path, &whole[..whole.len() / 2]).unwrap();
    folder.config(READ);
    folder.call(&["run", "config.toml"]).refused(&["raw/a.de.gz`, row ", "the gzip stream is cut short"]);
}

#[test]
fn tables_and_objects_say_what_they_lack() {
    let folder = Folder::new();
    folder.write("raw/a.tsv", "en\tfr\none\tun\n");
    folder.config(READ);
    folder.call(&["run", "config.toml"]).refused(&["raw/a.tsv`, row 1: no column `de` among `en`, `fr`", "`columns`"]);
    folder.write("raw/a.tsv", "de\ten\neins\tone\nzwei\n");
    folder.write("raw/b.jsonl", gzip(b""));
    folder.write("raw/b.jsonl", "{\"translation\": {\"de\": \"drei\", \"en\": \"three\"}}\n{\"de\": \"vier\"}\n");
    folder.run(&[]);
    assert_eq!(sentences(&folder, "train", "de"), ["eins", "drei"]);
    let expected = [("field missing", 1), ("wrong number of columns", 1)];
    assert_eq!(folder.rejected(), expected.map(|(r, n)| (r.to_owned(), n)).into());
}

#[test]
fn splits_can_have_any_name() {
    let folder = Folder::new();
    for (name, word) in [("train", "a"), ("val", "b"), ("test_2016_flickr", "c"), ("test_2017_flickr", "d")] {
        folder.write(&format!("raw/{name}.en"), format!("{word} en\n"));
        folder.write(&format!("raw/{name}.de"), format!("{word} de\n"));
    }
    let split = "[[pipeline.stage]]\nkind = \"split\"\nmethod = \"file\"\nvalidation_files = [\"val.*\"]\n\
                 [pipeline.stage.splits]\ntest_2016_flickr = [\"test_2016*\"]\ntest_2017_flickr = [\"test_2017*\"]\n";
    folder.config(&format!("{READ}{split}{STATISTICS}"));
    folder.run(&[]);
    let splits: Vec<String> = folder.manifest().splits.keys().cloned().collect();
    assert_eq!(splits, ["test_2016_flickr", "test_2017_flickr", "train", "validation"]);
    assert_eq!(sentences(&folder, "test_2017_flickr", "en"), ["d en"]);
    let card = fs_err::read_to_string(folder.made().join("README.md")).unwrap();
    for words in ["data/test_2016_flickr-*.parquet", "| test_2016_flickr | 1 |", "name: \"test_2016_flickr\""] {
        assert!(card.contains(words), "no `{words}` in\n{card}");
    }
    assert!(card.contains("| test_2016_flickr | de | 2 | 4 |"), "{card}");
    assert_eq!(folder.call(&["show", "data/made", "--split", "test_2016_flickr"]).code, 0);
    folder
        .call(&["run", "config.toml", "--replace", "--set", "pipeline.stage.1.splits.Test=[\"x\"]"])
        .refused(&["`Test` is no name for a split"]);
    folder
        .call(&["run", "config.toml", "--replace", "--set", "pipeline.stage.1.splits.other=[\"*2016*\"]"])
        .refused(&["`test_2016_flickr.{de,en}` matches patterns of both `other` and `test_2016_flickr`"]);
}

#[test]
fn training_data_is_filtered_and_test_sets_are_not() {
    let folder = Folder::new();
    folder.write("raw/train.en", "a dog\nParis\none two three\na dog\nin the test\nx\n");
    folder.write(
        "raw/train.de",
        "ein Hund\nParis\na b c d e f g h i j k l m n o p q r s t u v w x y z a b c\nein Hund\nim Test\ny\n",
    );
    folder.write("raw/test.en", "in the test\nin the test\nBerlin\nx y\n");
    folder.write("raw/test.de", "im Test\nim Test\nBerlin\na b c d e f g h i j k l m n o p q r s t u v w x y z\n");
    let split = "[[pipeline.stage]]\nkind = \"split\"\nmethod = \"file\"\ntest_files = [\"test.*\"]\n";
    folder.config(&format!("{READ}{split}{FILTER}{STATISTICS}"));
    folder.run(&[]);
    assert_eq!(sentences(&folder, "train", "en"), ["a dog", "x"]);
    assert_eq!(sentences(&folder, "test", "en"), ["in the test", "in the test", "Berlin", "x y"]);
    let expected = [("copy", 1), ("duplicate", 1), ("leak", 1), ("length ratio", 1)];
    assert_eq!(folder.rejected(), expected.map(|(r, n)| (r.to_owned(), n)).into());
    let manifest = folder.manifest();
    let stages: Vec<_> = manifest.rows.stages.iter().map(|s| (s.stage.as_str(), s.rows_in, s.rows_out)).collect();
    assert_eq!(stages, [("read-bitext", 10, 10), ("split", 10, 10), ("filter-bitext", 10, 6), ("statistics", 6, 6)]);
    // what the stage noted for itself is not published
    assert!(manifest.files.iter().all(|file| !file.path.contains("repeated")), "{:?}", manifest.files);
    let names: Vec<String> = tree(&folder.made()).into_keys().collect();
    assert!(names.iter().all(|name| !name.starts_with('.')), "{names:?}");
    assert!(folder.call(&["check", "config.toml"]).stdout.contains("split → filter-bitext → statistics"));
}

#[test]
fn languages_share_a_vocabulary_or_have_their_own() {
    let folder = Folder::new();
    write_pairs(&folder, "a", 200);
    folder.config(&format!("{READ}{BPE}prefix_space = true\n{STATISTICS}"));
    folder.run(&[]);
    let dataset = Dataset::open(folder.made()).unwrap();
    let tokenizer = Tokenizer::from_file(dataset.file("tokenizer.json").unwrap()).unwrap();
    assert!(tokenizer.prefix_space());
    assert_eq!(tokenizer.special(END_OF_TEXT), Some(0));
    assert_eq!(dataset.manifest().details["vocabulary_size"], tokenizer.vocabulary_size());
    // a word has its tokens wherever it stands
    let ids = ["seven", "eight", "seven eight"].map(|text| tokenizer.encode(text).unwrap());
    assert_eq!([&ids[0][..], &ids[1][..]].concat(), ids[2]);
    for language in ["de", "en"] {
        for sentence in sentences(&folder, "train", language) {
            assert_eq!(tokenizer.decode(&tokenizer.encode(&sentence).unwrap()), sentence);
        }
    }
    let stats: serde_json::Value =
        serde_json::from_slice(&fs_err::read(folder.made().join("stats/translation.json")).unwrap()).unwrap();
    let tokens: usize = sentences(&folder, "train", "de").iter().map(|s| tokenizer.encode(s).unwrap().len()).sum();
    assert_eq!(stats["splits"]["train"]["languages"]["de"]["tokens"], tokens);

    folder.config(&format!("{READ}{BPE}languages = [\"en\", \"de\"]\nshared = false\n{STATISTICS}"));
    folder.run(&["--replace"]);
    let dataset = Dataset::open(folder.made()).unwrap();
    let own =
        ["en", "de"].map(|l| Tokenizer::from_file(dataset.file(&format!("tokenizer.{l}.json")).unwrap()).unwrap());
    assert!(dataset.file("tokenizer.json").is_err());
    assert!(own[0].encode("seven").unwrap().len() < own[1].encode("seven").unwrap().len());
    assert_eq!(dataset.manifest().details["tokenizer_sha256"]["de"], own[1].sha256());

    // the same files, taken over
    fs_err::rename(folder.made(), folder.path().join("first")).unwrap();
    let paths = ["de", "en"].map(|l| format!("{l} = \"first/tokenizer.{l}.json\"\n")).concat();
    folder.config(&format!(
        "{READ}[[pipeline.stage]]\nkind = \"use-tokenizer\"\n[pipeline.stage.paths]\n{paths}{STATISTICS}"
    ));
    folder.run(&[]);
    for file in ["tokenizer.de.json", "tokenizer.en.json", "stats/translation.json"] {
        assert_eq!(
            fs_err::read(folder.made().join(file)).unwrap(),
            fs_err::read(folder.path().join("first").join(file)).unwrap()
        );
    }
    for (stage, message) in [
        ("model = \"bpe\"\nvocabulary = 300\nshared = false", "none is named"),
        ("model = \"bpe\"\nvocabulary = 300\nlanguages = [\"fr\"]", "the rows have no language `fr`"),
        ("model = \"bytes\"\nprefix_space = true", "unknown key `prefix_space`"),
    ] {
        folder.config(&format!("{READ}[[pipeline.stage]]\nkind = \"train-tokenizer\"\n{stage}\n"));
        folder.call(&["run", "config.toml", "--replace"]).refused(&[message]);
    }
}

/// Twelve parts, all stages.
fn corpus() -> Folder {
    let folder = Folder::new();
    for part in 0..12 {
        write_pairs(&folder, &format!("part-{part:02}"), 400 + part);
    }
    let read = format!("{READ}part_bytes = 1000\n[[pipeline.stage]]\nkind = \"split\"\nvalidation = 0.1\n");
    folder.config(&format!("{read}{FILTER}{BPE}{STATISTICS}"));
    folder
}

#[test]
fn threads_do_not_change_a_byte() {
    let folder = corpus();
    for threads in ["1", "2", "5"] {
        folder.run(&["--threads", threads, "--data-dir", threads]);
    }
    let one = tree(&folder.path().join("1/made"));
    assert!(one.len() >= 24, "{one:?}");
    assert_eq!(tree(&folder.path().join("2/made")), one);
    assert_eq!(tree(&folder.path().join("5/made")), one);
    let manifest = tessera_datasets::manifest::Manifest::read(&folder.path().join("1/made")).unwrap();
    assert!(manifest.rows.rejected["duplicate"].count > 1000, "{:?}", manifest.rows.rejected.keys());
}

#[test]
fn a_kill_at_any_moment_does_not_change_a_byte() {
    let folder = corpus();
    let started = Instant::now();
    folder.run(&["--data-dir", "whole", "--threads", "1"]);
    let whole_run = started.elapsed();
    let whole = tree(&folder.path().join("whole/made"));
    for i in 0..8 {
        let root = format!("killed-{i}");
        let mut child = folder.start(&root);
        std::thread::sleep(whole_run.mul_f64((f64::from(i) + 0.5) / 8.0).max(Duration::from_millis(1)));
        child.kill().unwrap();
        child.wait().unwrap();
        folder.run(&["--data-dir", &root]);
        assert_eq!(tree(&folder.path().join(&root).join("made")), whole, "kill number {i}");
    }
}

#[test]
fn the_world_makes_translations_to_learn_from() {
    let folder = Folder::new();
    let world = "[[pipeline.stage]]\nkind = \"draw-world\"\nrecord = \"translation\"\nscenes = 300\n\
                 [[pipeline.stage]]\nkind = \"split\"\nvalidation = 0.1\n";
    folder.config_of("card = \"world\"", &format!("{world}{FILTER}{BPE}{STATISTICS}"));
    folder.run(&[]);
    let english = ["train", "validation"].map(|split| sentences(&folder, split, "en"));
    assert!(english[1].len() > 10 && english[1].iter().all(|sentence| !english[0].contains(sentence)));
    assert_eq!(folder.call(&["verify", "data/made"]).code, 0);
}
