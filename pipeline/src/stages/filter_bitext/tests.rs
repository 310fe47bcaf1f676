use std::collections::{BTreeMap, HashSet};

use proptest::prelude::*;
use tessera_datasets::schema::translation;

use super::*;
use crate::artifacts::Artifacts;
use crate::rejects::Rejects;
use crate::rows::tests::origin;
use crate::rows::{Origins, SPLIT, TranslationColumns, TranslationRows, strings};
use crate::stage::{Fold, FoldStart, Map, Mapper, Pass};

type Row<'a> = (&'a str, &'a str, &'a str);

fn batch(rows: &[Row<'_>]) -> RecordBatch {
    let mut out = TranslationRows::new(&["de", "en"]);
    for (i, (split, de, en)) in rows.iter().enumerate() {
        out.push(&[de, en], &origin(split, &i.to_string()));
    }
    out.finish().unwrap()
}

fn filter() -> FilterSides {
    FilterSides {
        languages: Vec::new(),
        only: vec!["train".to_owned()],
        maximum_words: 6,
        maximum_characters: 30,
        ratio: 2.0,
        drop_copies: true,
        identifiers: None,
    }
}

/// The reasons, each with the numbers of its rows.
fn reasons(rejects: &Rejects) -> BTreeMap<String, Vec<String>> {
    let places = |r: &tessera_datasets::manifest::Rejected| r.samples.iter().map(|s| s.loc.clone()).collect();
    rejects.by_reason().iter().map(|(reason, r)| (reason.clone(), places(r))).collect()
}

#[test]
fn each_reason_has_its_rows() {
    let long = "x".repeat(31);
    let rows = [
        ("train", "ein Hund", "a dog"),
        ("train", "ein Hund", " \t"),
        ("train", "a b c d e f g", "a b c d e f"),
        ("train", &long, "x"),
        ("train", "ein sehr kleiner Hund", "dog"),
        ("train", "Paris ", " Paris"),
        // twice as many words and six of them are not too many
        ("train", "a b c d e f", "a b c"),
        ("test", "", "x"),
        ("validation", "a b c d e f g h", "a b c d e f g h"),
    ];
    let mut rejects = Rejects::new();
    let kept = sides::SideFilter(&filter()).map(batch(&rows), &mut rejects).unwrap().unwrap();
    assert_eq!(strings(&kept, "id").unwrap().iter().flatten().collect::<Vec<_>>(), ["0", "6", "7", "8"]);
    let expected =
        [("copy", vec!["5"]), ("empty side", vec!["1"]), ("length ratio", vec!["4"]), ("too long", vec!["2", "3"])];
    let expected = expected.map(|(reason, rows)| (reason.to_owned(), rows.into_iter().map(str::to_owned).collect()));
    assert_eq!(reasons(&rejects), expected.into());
}

#[test]
fn a_sentence_in_another_language_is_found_where_that_is_sure() {
    let identifiers = ["de", "en"].map(|language| Identifier::of(language).unwrap());
    let english = "The two children are playing with a ball in front of the house while their mother is watching.";
    let german = "Die beiden Kinder spielen vor dem Haus mit einem Ball, während ihre Mutter ihnen dabei zuschaut.";
    let rows =
        [("train", german, english), ("train", english, german), ("train", german, german), ("test", english, english)];
    let filter = FilterSides {
        maximum_words: 100,
        maximum_characters: 1000,
        languages: vec!["de".to_owned(), "en".to_owned()],
        drop_copies: false,
        identifiers: Some(identifiers.to_vec()),
        ..filter()
    };
    let mut rejects = Rejects::new();
    let kept = sides::SideFilter(&filter).map(batch(&rows), &mut rejects).unwrap().unwrap();
    assert_eq!(strings(&kept, "id").unwrap().iter().flatten().collect::<Vec<_>>(), ["0", "3"]);
    assert_eq!(reasons(&rejects)["language"], ["1", "2"]);
    assert!(Identifier::of("pt-BR").is_ok() && Identifier::of("deu").is_ok() && Identifier::of("xx").is_err());
}

/// Runs fold and map over parts; gives the kept rows as (split, German, English) and the rejects.
fn drop_repeated(parts: &[Vec<Row<'_>>], duplicates: bool, leaks: bool) -> (Vec<[String; 3]>, BTreeMap<String, u64>) {
    let dir = tempfile::tempdir().unwrap();
    let mut artifacts = Artifacts::new(dir.path());
    let schema = translation(&["de", "en"]);
    let only = vec!["train".to_owned()];
    let fold =
        FindRepeated { identity: Sentences, file: ".repeated".to_owned(), only: only.clone(), duplicates, leaks };
    let states = parts.iter().enumerate().map(|(part, rows)| {
        let scratch = dir.path().join("scratch");
        let mut state =
            fold.start(&FoldStart { schema: &schema, artifacts: &artifacts, part, pass: 0, scratch }).unwrap();
        fold.add(&mut state, &batch(rows)).unwrap();
        state
    });
    let merged = states.reduce(|first, second| fold.merge(first, second).unwrap()).unwrap();
    assert_eq!(fold.finish(merged, 0, &mut artifacts).unwrap(), Pass::Done);
    let map = DropRepeated { identity: Sentences, file: ".repeated".to_owned(), only };
    let map = map.prepare(&schema, &mut artifacts).unwrap();
    let mut rejects = Rejects::new();
    let mut kept = Vec::new();
    for (part, rows) in parts.iter().enumerate() {
        let Some(batch) = map.open(part).map(batch(rows), &mut rejects).unwrap() else { continue };
        let columns = TranslationColumns::of(&batch).unwrap();
        let splits = strings(&batch, SPLIT).unwrap();
        let [de, en] = [columns.sentences[0], columns.sentences[1]];
        kept.extend((0..batch.num_rows()).map(|i| [splits, de, en].map(|column| column.value(i).to_owned())));
        assert_eq!(Origins::of(&batch).unwrap().get(0).split, splits.value(0));
    }
    (kept, rejects.by_reason().iter().map(|(reason, r)| (reason.clone(), r.count)).collect())
}

#[test]
fn repeated_rows_go_where_it_is_safe() {
    let parts = [
        vec![("train", "a", "b"), ("train", "ab", ""), ("test", "t", "t"), ("test", "t", "t"), ("train", "a", "b")],
        vec![("train", "a", "b"), ("train", "t", "t"), ("train", "a", "bb"), ("train", "", "ab")],
    ];
    let (kept, reasons) = drop_repeated(&parts, true, true);
    let kept: Vec<String> = kept.iter().map(|row| row.join(" ")).collect();
    assert_eq!(kept, ["train a b", "train ab ", "test t t", "test t t", "train a bb", "train  ab"]);
    assert_eq!(reasons, BTreeMap::from([("duplicate".to_owned(), 2), ("leak".to_owned(), 1)]));
    assert_eq!(drop_repeated(&parts, false, true).1, BTreeMap::from([("leak".to_owned(), 1)]));
    assert_eq!(drop_repeated(&parts, true, false).1, BTreeMap::from([("duplicate".to_owned(), 2)]));
}

proptest! {
    /// As a set says it that is filled row by row, however the rows are cut into parts.
    #[test]
    fn the_first_of_equal_rows_stays(
        rows in prop::collection::vec(("train|test", "[ab]{0,2}", "[ab]{0,1}"), 1..60),
        cuts in prop::collection::vec(0..60_usize, 0..4),
    ) {
        let rows: Vec<Row<'_>> = rows.iter().map(|(s, d, e)| (s.as_str(), d.as_str(), e.as_str())).collect();
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(rows.len())).chain([0, rows.len()]).collect();
        cuts.sort_unstable();
        let parts: Vec<Vec<Row<'_>>> =
            cuts.windows(2).map(|w| rows[w[0]..w[1]].to_vec()).filter(|part| !part.is_empty()).collect();
        let held_out: HashSet<_> = rows.iter().filter(|r| r.0 == "test").map(|r| (r.1, r.2)).collect();
        let mut seen = HashSet::new();
        let stays = rows.iter().filter(|(split, de, en)| {
            *split == "test" || (!held_out.contains(&(*de, *en)) && seen.insert((*de, *en)))
        });
        let expected: Vec<[String; 3]> = stays.map(|r| [r.0, r.1, r.2].map(str::to_owned)).collect();
        prop_assert_eq!(drop_repeated(&parts, true, true).0, expected);
    }
}
