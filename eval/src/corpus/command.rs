//! The command: from files to printed scores.

use tessera_datasets::console::{print, say, thousands};
use tessera_datasets::{Error, Result};

use super::aligned::{Corpus, Stream};
use super::arguments::{Arguments, Format, Kind};
use super::evaluation::{AnyMeasure, Evaluation, Question};
use super::text::Text;

/// As many lines that end in a full stop behind a space make it likely that the text was cut into
/// tokens; sacrebleu's number.
const TOKENIZED: usize = 100;

/// Scores files as the arguments say and prints the result.
///
/// # Errors
/// When a file cannot be read, two do not have the same number of lines, or options contradict each
/// other.
pub fn run(command: Kind, arguments: &Arguments) -> Result<()> {
    let kinds = arguments.kinds(command);
    let measures = arguments.measures(&kinds)?;
    let question = arguments.question()?;
    let references: Vec<Text> = arguments.references.iter().map(|path| Text::read(path)).collect::<Result<_>>()?;
    let (inputs, from_files) = match arguments.input.as_slice() {
        [] => (vec![Text::read_standard_input()?], false),
        files => (files_once(files, question)?, true),
    };
    let systems = match from_files {
        true => inputs.iter().map(Stream::from).collect(),
        false => columns_of_standard_input(&inputs[0], question)?,
    };
    let corpus = Corpus::new(systems, streams_of_references(&references, arguments.num_refs)?)?;
    refuse_impossible(arguments, &corpus, &kinds, question)?;
    if arguments.warns(&kinds) {
        corpus.systems.iter().for_each(warn_if_tokenized);
    }
    match arguments.sentence_level {
        true => print_sentences(arguments, &*measures[0], &corpus),
        false => print_scores(arguments, &measures, &corpus, question)?,
    }
    Ok(())
}

/// The files, each once. The baseline may come again, as in `-i BASE *.txt`.
fn files_once(files: &[String], question: Question) -> Result<Vec<Text>> {
    let mut texts: Vec<Text> = Vec::new();
    for path in files {
        match texts.iter().position(|text| text.name == *path) {
            None => texts.push(Text::read(path)?),
            Some(0) if matches!(question, Question::Paired(..)) => say(format!("`{path}` is the baseline already")),
            Some(_) => return Err(Error::input(format!("`{path}` is given twice"))),
        }
    }
    Ok(texts)
}

/// Tabs on standard input separate systems.
fn columns_of_standard_input(text: &Text, question: Question) -> Result<Vec<Stream<'_>>> {
    let hint = "tabs on standard input separate systems; a file given with `--input` may hold tabs";
    let columns = Stream::from(text).columns(usize::MAX).map_err(|error| error.hint(hint))?;
    if columns.len() == 1 {
        return Ok(vec![Stream::from(text)]);
    }
    let name = |number: usize| match (question, number) {
        (Question::Paired(..), 0) => "Baseline".to_owned(),
        (Question::Paired(..), _) => format!("System {number}"),
        _ => format!("System {}", number + 1),
    };
    Ok(columns.into_iter().enumerate().map(|(i, lines)| Stream { name: name(i), lines }).collect())
}

fn streams_of_references(texts: &[Text], per_line: usize) -> Result<Vec<Stream<'_>>> {
    match (texts, per_line) {
        (_, 0) => Err(Error::input("`--num-refs` is 0: there must be a reference")),
        (_, 1) => Ok(texts.iter().map(Stream::from).collect()),
        ([text], _) => {
            let columns = Stream::from(text).columns(per_line)?;
            if columns.len() != per_line {
                let message = format!("{} fields separated by tabs, where {per_line} are wanted", columns.len());
                return Err(Error::input(message).at(&text.name).row(1));
            }
            let name = |i: usize| format!("{} (column {})", text.name, i + 1);
            Ok(columns.into_iter().enumerate().map(|(i, lines)| Stream { name: name(i), lines }).collect())
        }
        _ => Err(Error::input("`--num-refs` cuts one file of references, and several are given")),
    }
}

fn refuse_impossible(arguments: &Arguments, corpus: &Corpus<'_>, kinds: &[Kind], question: Question) -> Result<()> {
    let several = corpus.systems.len() > 1;
    let message = match question {
        _ if arguments.sentence_level && kinds.len() > 1 => "only one metric can be given for every sentence",
        _ if arguments.sentence_level && several => "only one system can be scored sentence by sentence",
        Question::Confidence(_) | Question::Paired(..) if arguments.sentence_level => {
            "a test is about a whole test set, not about its sentences"
        }
        Question::Confidence(_) if several => {
            return Err(Error::input("`--confidence` is for one system")
                .hint("`--paired-bs` gives intervals of several systems and compares them"));
        }
        Question::Paired(..) if !several => {
            return Err(Error::input("a paired test needs two systems")
                .hint("give the baseline and others: `--input BASELINE SYSTEM…`"));
        }
        _ => return Ok(()),
    };
    Err(Error::input(message))
}

/// Says in plain words what sacrebleu says in a riddle ("That's 100 lines that end in a tokenized
/// period").
fn warn_if_tokenized(system: &Stream<'_>) {
    let count = system.lines.iter().filter(|line| line.ends_with(" .")).count();
    if count < TOKENIZED {
        return;
    }
    say(format!(
        "warning: {} of {} lines of `{}` end in a full stop with a space before it, so the text seems to be cut into \
         tokens already. BLEU cuts text by its own rules and expects it as people write it; otherwise the score is \
         wrong and cannot be compared.",
        thousands(count as u64),
        thousands(system.lines.len() as u64),
        system.name
    ));
    say("hint: put the words together again (detokenize) before scoring, or give `--force` if the text is meant so");
}

fn print_sentences(arguments: &Arguments, measure: &dyn AnyMeasure, corpus: &Corpus<'_>) {
    let evaluation = measure.sentences(corpus);
    let style = arguments.style();
    let lines: Vec<String> = evaluation.systems.iter().map(|sentence| style.line(&evaluation, sentence)).collect();
    print(lines.join("\n"));
}

fn print_scores(
    arguments: &Arguments,
    measures: &[Box<dyn AnyMeasure>],
    corpus: &Corpus<'_>,
    question: Question,
) -> Result<()> {
    let evaluations = measures.iter().map(|measure| measure.evaluate(corpus, question));
    let evaluations: Vec<Evaluation> = evaluations.collect::<Result<_>>()?;
    let style = arguments.style();
    let tested = matches!(question, Question::Paired(..));
    let name = |(i, system): (usize, &Stream<'_>)| match tested && i == 0 && system.name != "Baseline" {
        true => format!("Baseline: {}", system.name),
        false => system.name.clone(),
    };
    let names: Vec<String> = corpus.systems.iter().enumerate().map(name).collect();
    print(match (names.len(), arguments.format) {
        (1, Format::Json) => style.json(&evaluations)?,
        (1, Format::Text) => style.lines(&evaluations),
        (_, Format::Json) => style.json_of_systems(&names, &evaluations, tested)?,
        (_, Format::Text) => style.table(&names, &evaluations, question),
    });
    Ok(())
}
