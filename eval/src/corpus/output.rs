//! What the command prints, with sacrebleu's keys and wording.

use serde::Serialize;
use serde_json::ser::{PrettyFormatter, Serializer};
use serde_json::{Map, Value, json};
use tessera_datasets::console::thousands;
use tessera_datasets::{Error, Result};

use super::evaluation::{Evaluated, Evaluation, Question};
use super::signature::joined;
use crate::significance::{Estimate, Method};
use crate::table::Table;

/// How results are written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    /// Digits after the point.
    pub width: usize,
    /// Whether the parts of signatures have short names.
    pub short: bool,
    /// Whether nothing but scores is wanted.
    pub score_only: bool,
}

impl Style {
    fn number(self, value: f64) -> String {
        format!("{value:.*}", self.width)
    }

    /// A number as it is shown, for JSON.
    fn rounded(self, value: f64) -> Value {
        self.number(value).parse::<f64>().map_or(Value::Null, Value::from)
    }

    fn estimate(self, estimate: &Estimate) -> String {
        format!("μ = {} ± {}", self.number(estimate.mean), self.number(estimate.half_width))
    }

    fn score(self, found: &Evaluated) -> String {
        let score = self.number(found.score);
        match &found.estimate {
            Some(estimate) => format!("{score} ({})", self.estimate(estimate)),
            None => score,
        }
    }

    /// `BLEU|nrefs:1|… = 26.6 58.9/30.8/… (BP = …)`
    pub(super) fn line(self, evaluation: &Evaluation, found: &Evaluated) -> String {
        if self.score_only {
            return self.score(found);
        }
        let explained = found.explained.as_ref().map_or_else(String::new, |explained| format!(" {explained}"));
        let signature = joined(&evaluation.signature, self.short);
        format!("{}|{signature} = {}{explained}", evaluation.metric, self.score(found))
    }

    /// Lines of several metrics with their `=` below one another.
    pub(super) fn lines(self, evaluations: &[Evaluation]) -> String {
        let lines: Vec<String> = evaluations.iter().map(|of| self.line(of, &of.systems[0])).collect();
        let before = |line: &String| line.find(" = ").map_or(0, |at| line[..at].chars().count());
        let widest = lines.iter().map(before).max().unwrap_or(0);
        let pad = |line: &String| if self.score_only { String::new() } else { " ".repeat(widest - before(line)) };
        lines.iter().map(|line| format!("{}{line}", pad(line))).collect::<Vec<_>>().join("\n")
    }

    /// The scores of one system as JSON: an object, or a list of them.
    pub(super) fn json(self, evaluations: &[Evaluation]) -> Result<String> {
        let objects: Vec<String> = evaluations.iter().map(|of| self.object(of)).collect::<Result<_>>()?;
        Ok(match objects.as_slice() {
            [one] => one.clone(),
            several => format!("[\n{}\n]", several.join(",\n")),
        })
    }

    fn object(self, evaluation: &Evaluation) -> Result<String> {
        let found = &evaluation.systems[0];
        if self.score_only {
            return Ok(self.score(found));
        }
        let mut out = Map::new();
        out.insert("name".to_owned(), evaluation.metric.clone().into());
        out.insert("score".to_owned(), self.rounded(found.score));
        out.insert("signature".to_owned(), joined(&evaluation.signature, false).into());
        if let Some(estimate) = &found.estimate {
            out.insert("confidence_mean".to_owned(), self.rounded(estimate.mean));
            out.insert("confidence_var".to_owned(), self.rounded(estimate.half_width));
            out.insert("confidence".to_owned(), self.estimate(estimate).into());
        }
        if let Some(explained) = &found.explained {
            out.insert("verbose_score".to_owned(), explained.clone().into());
        }
        out.extend(evaluation.signature.parts().map(|(key, value)| (key.to_owned(), value.into())));
        indented(&out, b" ")
    }

    /// The scores of several systems as JSON: a list of objects with a key for each metric.
    pub(super) fn json_of_systems(self, names: &[String], evaluations: &[Evaluation], tested: bool) -> Result<String> {
        let value = |found: &Evaluated| match tested {
            false => self.number(found.score).into(),
            true => json!({
                "score": found.score,
                "p_value": found.p_value,
                "mean": found.estimate.map(|of| of.mean),
                "ci": found.estimate.map(|of| of.half_width),
            }),
        };
        let rows = names.iter().enumerate().map(|(row, name)| {
            let metrics = evaluations.iter().map(|of| (of.metric.clone(), value(&of.systems[row])));
            std::iter::once(("system".to_owned(), name.clone().into())).chain(metrics).collect::<Map<_, _>>()
        });
        indented(&rows.collect::<Vec<_>>(), b"    ")
    }

    /// The scores of several systems as a table, the tests explained, the signatures.
    pub(super) fn table(self, names: &[String], evaluations: &[Evaluation], question: Question) -> String {
        let mut head = vec!["system".to_owned()];
        for evaluation in evaluations {
            head.push(format!(">{}", evaluation.metric));
            match question {
                Question::Paired(Method::Bootstrap, _) => head.extend([">μ ± 95 % CI".to_owned(), ">p".to_owned()]),
                Question::Paired(Method::Randomisation, _) => head.push(">p".to_owned()),
                _ => {}
            }
        }
        let mut table = Table::new(&head.iter().map(String::as_str).collect::<Vec<_>>());
        for (row, name) in names.iter().enumerate() {
            let cells = evaluations.iter().flat_map(|of| self.cells(&of.systems[row], question));
            table.line(std::iter::once(name.clone()).chain(cells));
        }
        let signatures = evaluations.iter().map(|of| format!("{}|{}", of.metric, joined(&of.signature, self.short)));
        let explanation = explanation(question).map_or_else(String::new, |text| format!("{text}\n\n"));
        format!("{}\n\n{explanation}{}", table.plain(), signatures.collect::<Vec<_>>().join("\n"))
    }

    fn cells(self, found: &Evaluated, question: Question) -> Vec<String> {
        let mut cells = vec![self.number(found.score)];
        let estimate = |of: &Estimate| format!("{} ± {}", self.number(of.mean), self.number(of.half_width));
        if matches!(question, Question::Paired(Method::Bootstrap, _)) {
            cells.push(found.estimate.as_ref().map(estimate).unwrap_or_default());
        }
        if matches!(question, Question::Paired(..)) {
            let p_value = |p: f64| format!("{p:.4}{}", if p < SIGNIFICANT { "*" } else { " " });
            cells.push(found.p_value.map(p_value).unwrap_or_default());
        }
        cells
    }
}

/// Differences whose p-value is below this get a star.
const SIGNIFICANT: f64 = 0.05;

fn explanation(question: Question) -> Option<String> {
    let Question::Paired(method, resamples) = question else { return None };
    let count = thousands(resamples.count as u64);
    let how = match method {
        Method::Bootstrap => format!("paired bootstrap with {count} resamples of the sentences"),
        Method::Randomisation => format!("paired approximate randomisation with {count} trials"),
    };
    Some(format!(
        "Each system is compared with the first: {how}.\n\
         p is about how often chance makes a difference as large as the one seen between two systems\n\
         that are equally good; a star marks p < {SIGNIFICANT}. It says whether two systems differ, not by how much."
    ))
}

fn indented(value: &impl Serialize, indent: &[u8]) -> Result<String> {
    let mut out = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut out, PrettyFormatter::with_indent(indent));
    value.serialize(&mut serializer).map_err(|e| Error::internal(e.to_string()))?;
    String::from_utf8(out).map_err(|e| Error::internal(e.to_string()))
}
