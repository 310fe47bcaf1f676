//! The classes of a dataset: their names in the order of the labels.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;
use tessera_datasets::{Error, Result};

/// The most classes that numbers may stand for.
const MOST: u64 = 1 << 20;

/// Names of classes; the label of one is its place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Classes {
    names: Vec<String>,
    labels: FxHashMap<String, i64>,
    /// Whether a number that is no name is a label.
    takes_numbers: bool,
}

impl Classes {
    /// The classes that the config lists, in its order.
    ///
    /// # Errors
    /// When one is there twice, or two differ only by case.
    pub(super) fn listed(names: Vec<String>) -> Result<Self> {
        refuse_twins(&names)?;
        let takes_numbers = !names.iter().any(|name| name.parse::<u64>().is_ok());
        let labels = names.iter().cloned().zip(0..).collect();
        Ok(Self { names, labels, takes_numbers })
    }

    /// The classes of images in folders: the names of the folders, sorted as text is.
    ///
    /// # Errors
    /// When two differ only by case.
    pub(super) fn of_folders(names: BTreeSet<String>) -> Result<Self> {
        Self::listed(names.into_iter().collect())
    }

    /// The classes of images with labels beside them: where all are whole numbers, those up to the
    /// largest, so that the label is the number; else the names, sorted.
    ///
    /// # Errors
    /// When two differ only by case, or a number is too large to be a class.
    pub(super) fn of_labels(found: BTreeSet<String>) -> Result<Self> {
        let numbers: Option<Vec<u64>> = found.iter().map(|name| name.parse().ok()).collect();
        match numbers.and_then(|numbers| numbers.into_iter().max()) {
            None => Self::of_folders(found),
            Some(largest) if largest >= MOST => {
                Err(Error::input(format!("the label `{largest}` is too large for the number of a class"))
                    .hint("`label` names the column of the class; captions are read with `record = \"caption\"`"))
            }
            Some(largest) => Self::listed((0..=largest).map(|label| label.to_string()).collect()),
        }
    }

    /// The names in the order of the labels.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// The label of a name, or of a number where no name is one.
    pub(super) fn label(&self, text: &str) -> Option<i64> {
        let by_number = || {
            let number = text.parse::<i64>().ok().filter(|_| self.takes_numbers)?;
            (0..self.names.len() as i64).contains(&number).then_some(number)
        };
        self.labels.get(text).copied().or_else(by_number)
    }
}

/// Two names that a file system or a reader may take for one are a mistake more often than not, and
/// a silent one: each takes some of the images of the other.
fn refuse_twins(names: &[String]) -> Result<()> {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    for name in names {
        let Some(twin) = seen.insert(name.to_lowercase(), name) else {
            continue;
        };
        return Err(match twin == name {
            true => Error::input(format!("the class `{name}` is there twice")),
            false => Error::input(format!("the classes `{twin}` and `{name}` differ only by case"))
                .hint("give the images of both one name, or rename one class"),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn labels_are_places_among_the_names() {
        let classes = Classes::of_folders(set(&["dog", "cat", "10", "9"])).unwrap();
        assert_eq!(classes.names(), ["10", "9", "cat", "dog"]);
        assert_eq!(classes.label("dog"), Some(3));
        // a name that is a number is no place
        assert_eq!((classes.label("9"), classes.label("0"), classes.label("Dog")), (Some(1), None, None));
    }

    #[test]
    fn numbers_are_their_own_labels() {
        let classes = Classes::of_labels(set(&["3", "10", "0"])).unwrap();
        assert_eq!((classes.names().len(), classes.label("10"), classes.label("11")), (11, Some(10), None));
        let classes = Classes::listed(vec!["cat".to_owned(), "dog".to_owned()]).unwrap();
        assert_eq!((classes.label("1"), classes.label("2"), classes.label("-1")), (Some(1), None, None));
        assert_eq!(Classes::of_labels(set(&["b", "1"])).unwrap().names(), ["1", "b"]);
        assert!(Classes::of_labels(set(&["1700000000"])).is_err());
    }

    #[test]
    fn twins_are_refused() {
        for (names, message) in [(["Cat", "cat"], "differ only by case"), (["cat", "cat"], "is there twice")] {
            let error = Classes::listed(names.map(str::to_owned).to_vec()).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
    }
}
