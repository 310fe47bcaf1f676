//! Cross-checks with Hugging Face `tokenizers`: golden merges and ids of the Python package, and
//! the Rust crate as a reader of what is written here.

use std::collections::HashMap;

use proptest::prelude::*;
use proptest::sample::select;
use serde::Deserialize;
use tessera_datasets::tokenizer::Tokenizer;
use tokenizers::pipeline::{EncodeOptions, PipelineTokenizer};

use super::pretoken::pre_tokens;
use super::{CharacterSet, CountOptions, Trainer, Vocabulary, WordCounts};

/// Texts that go over every branch of the pattern, from characters whose class no Unicode version
/// will change.
pub(super) fn any_text() -> impl Strategy<Value = String> {
    let words = select(vec![
        "'s",
        "'t",
        "'re",
        "'ve",
        "'m",
        "'ll",
        "'d",
        "'S",
        "'l",
        "'",
        "''",
        " ",
        "  ",
        "   ",
        "\n",
        "\r\n",
        "\t",
        " \n",
        "a",
        "the",
        " the",
        "ing",
        "abab",
        "aaaa",
        "42",
        " 7",
        "!",
        " ...",
        "e\u{301}",
        "👩\u{200d}🚀",
        "\u{a0}",
        "\u{3000}",
        "\u{2028}",
        "\u{0}",
    ]);
    let characters = proptest::char::ranges(
        vec![
            '\0'..='\u{24f}',
            'Ѐ'..='џ',
            'א'..='ת',
            'ء'..='٩',
            'अ'..='ह',
            'ा'..='्',
            '०'..='९',
            '\u{2000}'..='\u{2064}',
            '⅐'..='ↈ',
            '①'..='⓿',
            'ぁ'..='ゖ',
            '一'..='鿼',
            '가'..='힣',
            '🌀'..='🙏',
            '𝟎'..='𝟿',
        ]
        .into(),
    );
    let piece = prop_oneof![words.prop_map(str::to_owned), characters.prop_map(String::from), "[ a-c'0-1.]{1,6}",];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

#[derive(Deserialize)]
struct Golden {
    texts: Vec<String>,
    samples: Vec<String>,
    cases: Vec<GoldenCase>,
}

#[derive(Deserialize)]
struct GoldenCase {
    name: String,
    prefix_space: bool,
    vocabulary_size: usize,
    min_frequency: u64,
    special_tokens: Vec<String>,
    size: usize,
    merges: Vec<String>,
    json_fnv1a: String,
    ids: Vec<Vec<u32>>,
    decoded: Vec<String>,
}

/// Made by `tests/fixtures/make_bpe_golden.py` with `tokenizers` 0.23.3 (Python).
fn golden() -> Golden {
    serde_json::from_str(include_str!("../../tests/fixtures/bpe_golden.json")).unwrap()
}

fn train(texts: &[String], case: &GoldenCase) -> Vocabulary {
    let trainer = Trainer {
        vocabulary_size: case.vocabulary_size,
        min_frequency: case.min_frequency,
        special_tokens: case.special_tokens.clone(),
    };
    let options = CountOptions { prefix_space: case.prefix_space, ..CountOptions::default() };
    trainer.train(&WordCounts::of_texts(texts, options)).unwrap()
}

fn load(vocabulary: &Vocabulary) -> PipelineTokenizer {
    let canonical = tokenizers::canonicalize_str(&vocabulary.to_json()).unwrap();
    tokenizers::from_json(&canonical).unwrap()
}

fn encode(tokenizer: &PipelineTokenizer, text: &str) -> Vec<u32> {
    let mut tokens = Vec::new();
    tokenizer.encode_into(text, &EncodeOptions::default(), &mut tokens).unwrap();
    tokens.into_iter().map(u32::from).collect()
}

fn fnv1a(text: &str) -> String {
    let hash = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{hash:016x}")
}

#[test]
fn merges_ids_and_file_are_those_of_hugging_face() {
    let golden = golden();
    for case in &golden.cases {
        let vocabulary = train(&golden.texts, case);
        let tokens = vocabulary.tokens();
        let merges: Vec<String> = vocabulary
            .merges()
            .iter()
            .map(|&(left, right)| format!("{} {}", tokens[left as usize], tokens[right as usize]))
            .collect();
        assert_eq!(merges, case.merges, "{}", case.name);
        assert_eq!(vocabulary.len(), case.size, "{}", case.name);
        assert_eq!(fnv1a(&vocabulary.to_json()), case.json_fnv1a, "{}", case.name);

        if case.prefix_space {
            // the crate has no such thing; ours puts it in front
            let tokenizer = Tokenizer::from_json(&vocabulary.to_json()).unwrap();
            for ((sample, ids), decoded) in golden.samples.iter().zip(&case.ids).zip(&case.decoded) {
                assert_eq!(&tokenizer.encode(sample).unwrap(), ids, "{}: {sample:?}", case.name);
                assert_eq!(&tokenizer.decode(ids), decoded, "{}", case.name);
                // a space that was there goes too
                assert_eq!(decoded, sample.strip_prefix(' ').unwrap_or(sample));
                let bytes: u64 = ids.iter().map(|id| u64::from(tokenizer.byte_length(*id))).sum();
                assert_eq!(bytes, tokenizer.encoded_bytes(sample), "{sample:?}");
            }
            continue;
        }
        let tokenizer = load(&vocabulary);
        for (sample, ids) in golden.samples.iter().zip(&case.ids) {
            assert_eq!(&encode(&tokenizer, sample), ids, "{}: {sample:?}", case.name);
            assert_eq!(&tokenizer.decode(ids, false).unwrap(), sample, "{}", case.name);
        }
    }
}

#[test]
fn order_of_texts_and_threads_do_not_change_the_file() {
    let mut golden = golden();
    let json = train(&golden.texts, &golden.cases[0]).to_json();
    golden.texts.reverse();
    for threads in [1, 2, 5] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let again = pool.unwrap().install(|| train(&golden.texts, &golden.cases[0]));
        assert_eq!(again.to_json(), json, "{threads} threads");
    }
}

#[test]
fn unknown_characters_become_the_unknown_token_or_nothing() {
    let mut characters = CharacterSet::new();
    characters.add_text("abc \n");
    let special_tokens = ["<|endoftext|>"];
    let with = Vocabulary::characters(&characters, &special_tokens, Some("<unk>")).unwrap();
    let tokenizer = load(&with);
    assert_eq!(encode(&tokenizer, "a x漢\n<|endoftext|>"), [4, 3, 1, 1, 2, 0]);
    assert_eq!(tokenizer.decode(&[4, 3, 1, 2, 0], false).unwrap(), "a <unk>\n<|endoftext|>");
    assert_eq!(tokenizer.decode(&[4, 3, 1, 2, 0], true).unwrap(), "a \n");

    let without = Vocabulary::characters(&characters, &special_tokens, None).unwrap();
    assert_eq!(encode(&load(&without), "a x漢\n"), [3, 2, 1]);
}

#[test]
fn ids_of_bytes_are_their_values_after_the_special_tokens() {
    let tokenizer = load(&Vocabulary::bytes(&["<s>"]).unwrap());
    assert_eq!(encode(&tokenizer, "<s> é\0"), [0, 33, 0xc3 + 1, 0xa9 + 1, 1]);
}

/// Byte-pair encoding by the book: in each word, the pair that was merged first in training is
/// joined first, the leftmost of several.
fn encode_by_the_book(vocabulary: &Vocabulary, text: &str) -> Vec<u32> {
    let ids: HashMap<&str, u32> = vocabulary.tokens().iter().map(String::as_str).zip(0..).collect();
    let ranks: HashMap<(u32, u32), usize> = vocabulary.merges().iter().copied().zip(0_usize..).collect();
    let mut encoded = Vec::new();
    for word in pre_tokens(text) {
        let mut tokens: Vec<String> = word.bytes().map(|byte| super::alphabet::character(byte).to_string()).collect();
        let rank_at =
            |tokens: &[String], at: usize| ranks.get(&(ids[tokens[at].as_str()], ids[tokens[at + 1].as_str()]));
        while let Some((_, at)) =
            (0..tokens.len().saturating_sub(1)).filter_map(|at| rank_at(&tokens, at).map(|rank| (rank, at))).min()
        {
            let right = tokens.remove(at + 1);
            tokens[at].push_str(&right);
        }
        encoded.extend(tokens.iter().map(|token| ids[token.as_str()]));
    }
    encoded
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn trained_vocabulary_gives_any_text_back(
        text in any_text(), training in proptest::collection::vec(any_text(), 1..6),
    ) {
        let trainer = Trainer {
            vocabulary_size: 330,
            min_frequency: 1,
            special_tokens: vec!["<|endoftext|>".into()],
        };
        let mut texts = training;
        texts.push(text.clone());
        let words = WordCounts::of_texts(&texts, CountOptions::default());
        let vocabulary = trainer.train(&words).unwrap();
        let tokenizer = load(&vocabulary);
        let ids = encode(&tokenizer, &text);
        prop_assert_eq!(&tokenizer.decode(&ids, false).unwrap(), &text);
        prop_assert_eq!(ids, encode_by_the_book(&vocabulary, &text));
    }

    #[test]
    fn bytes_give_any_text_back(text in any_text()) {
        let tokenizer = load(&Vocabulary::bytes(&["<|endoftext|>"]).unwrap());
        let ids = encode(&tokenizer, &text);
        prop_assert_eq!(ids.len(), text.len());
        prop_assert_eq!(tokenizer.decode(&ids, false).unwrap(), text);
    }

    #[test]
    fn characters_give_their_text_back(text in any_text()) {
        let mut characters = CharacterSet::new();
        characters.add_text(&text);
        // the reader cannot hash one in some thousand vocabularies of a handful of tokens
        characters.add_text("abcdefghijklmnopqrstuvwxyz0123456789 .,");
        let vocabulary =
            Vocabulary::characters(&characters, &["<|endoftext|>"], Some("<unk>")).unwrap();
        let tokenizer = load(&vocabulary);
        let ids = encode(&tokenizer, &text);
        prop_assert_eq!(ids.len(), text.chars().count());
        prop_assert_eq!(tokenizer.decode(&ids, false).unwrap(), text);
    }
}
