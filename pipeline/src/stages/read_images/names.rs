//! What the names of folders say of a file in them.

/// The splits, each with what folders for it are called, as `datasets` knows them.
const SPLITS: [(&str, &[&str]); 3] = [
    ("train", &["train", "training"]),
    ("validation", &["validation", "valid", "val", "dev"]),
    ("test", &["test", "testing", "eval", "evaluation"]),
];

/// The split that a word stands for, whatever its case.
pub(super) fn split_named(word: &str) -> Option<&'static str> {
    let is_named = |names: &[&str]| names.iter().any(|name| name.eq_ignore_ascii_case(word));
    SPLITS.iter().find(|(_, names)| is_named(names)).map(|(split, _)| *split)
}

/// What its folders say of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place<'a> {
    /// The class: the folder that the file lies in, unless that is the one of a split.
    pub(super) class: Option<&'a str>,
    /// The split: the outermost folder that is called like one.
    pub(super) split: Option<&'static str>,
}

impl<'a> Place<'a> {
    /// Reads the path of a file.
    pub(super) fn of(path: &'a str) -> Self {
        path.rsplit_once('/').map_or(Self::default(), |(folder, _)| Self::in_folder(folder))
    }

    /// Reads the path of the folder that a file lies in.
    pub(super) fn in_folder(folder: &'a str) -> Self {
        let (above, class) = folder.rsplit_once('/').unwrap_or(("", folder));
        match (above.split('/').find_map(split_named), split_named(class)) {
            (None, Some(split)) => Self { class: None, split: Some(split) },
            (split, _) => Self { class: Some(class).filter(|class| !class.is_empty()), split },
        }
    }
}

/// The last part of a path.
pub(super) fn base_name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// The path of the folder that a file lies in; empty where it lies in none.
pub(super) fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// What follows the last point of a file's name, in lower case; nothing where there is none.
pub(super) fn ending(path: &str) -> String {
    base_name(path).rsplit_once('.').map_or(String::new(), |(_, ending)| ending.to_ascii_lowercase())
}

/// Whether a file is an image by its name.
pub(super) fn is_image(path: &str) -> bool {
    let Some((_, ending)) = base_name(path).rsplit_once('.') else {
        return false;
    };
    const ENDINGS: [&str; 10] = ["jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff", "jpe", "jfif"];
    ENDINGS.iter().any(|known| known.eq_ignore_ascii_case(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_name_class_and_split() {
        for (path, class, split) in [
            ("a.jpg", None, None),
            ("cat/a.jpg", Some("cat"), None),
            ("train/cat/a.jpg", Some("cat"), Some("train")),
            ("cifar10/Training/cat/a.jpg", Some("cat"), Some("train")),
            ("val/a.jpg", None, Some("validation")),
            ("images/dev/a.jpg", None, Some("validation")),
            // a class may be called like a split where the split is said before
            ("train/test/a.jpg", Some("test"), Some("train")),
            ("animals/cat/a.jpg", Some("cat"), None),
            ("/a.jpg", None, None),
        ] {
            assert_eq!(Place::of(path), Place { class, split }, "{path}");
        }
    }

    #[test]
    fn images_go_by_their_ending() {
        assert!(is_image("a/b.JPEG") && is_image("b.x.png"));
        assert!(!is_image("a.png/b") && !is_image("png") && !is_image("a.svg"));
        assert_eq!(ending("a.b/c.TXT"), "txt");
        assert_eq!(ending("a.b/c"), "");
    }
}
