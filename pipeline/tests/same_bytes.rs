//! The same config and files give the same bytes.

use crate::support::{Folder, LANGUAGE_MODEL, READ_LINES, tree, write_corpus};

#[test]
fn with_any_number_of_threads() {
    let folder = Folder::new();
    write_corpus(&folder, 12, 300);
    folder.config(LANGUAGE_MODEL);
    for threads in ["1", "2", "5"] {
        folder.run(&["--threads", threads, "--data-dir", threads]);
    }
    let one = tree(&folder.path().join("1/made"));
    assert!(one.len() >= 12, "{one:?}");
    assert_eq!(tree(&folder.path().join("2/made")), one);
    assert_eq!(tree(&folder.path().join("5/made")), one);
}

#[test]
fn windows_of_poses_with_any_number_of_threads() {
    let folder = Folder::new();
    let stages = "[[pipeline.stage]]\nkind = \"draw-world\"\nrecord = \"pose\"\nscenes = 5\nframes = 100\npart_scenes = 2\n\
        [[pipeline.stage]]\nkind = \"split\"\nmethod = \"tail\"\ntest = 0.4\n\
        [[pipeline.stage]]\nkind = \"mask-keypoints\"\nnoise = 1.0\nmirror = true\nrepeats = 3\n";
    folder.config_of("card = \"world\"", stages);
    for threads in ["1", "2", "5"] {
        folder.run(&["--threads", threads, "--data-dir", threads]);
    }
    let one = tree(&folder.path().join("1/made"));
    assert_eq!(tree(&folder.path().join("2/made")), one);
    assert_eq!(tree(&folder.path().join("5/made")), one);
    folder.run(&["--set", "seed=8", "--data-dir", "another"]);
    assert_ne!(tree(&folder.path().join("another/made/data")), tree(&folder.path().join("1/made/data")));
}

#[test]
fn wherever_it_is_made() {
    let (here, there) = (Folder::new(), Folder::new());
    for folder in [&here, &there] {
        write_corpus(folder, 3, 50);
        folder.config(LANGUAGE_MODEL);
        folder.run(&[]);
    }
    assert_eq!(tree(&here.made()), tree(&there.made()));
    for name in tree(&here.made()).keys() {
        let bytes = fs_err::read(here.made().join(name)).unwrap();
        let place = here.path().to_string_lossy().into_owned();
        assert!(!bytes.windows(place.len()).any(|w| w == place.as_bytes()), "`{name}` names this folder");
    }
}

#[test]
fn another_seed_draws_another_world() {
    let folder = Folder::new();
    for record in ["text", "translation", "image", "caption", "pose"] {
        let stages =
            format!("[[pipeline.stage]]\nkind = \"draw-world\"\nrecord = \"{record}\"\nscenes = 6\npart_scenes = 2\n");
        folder.config_of("card = \"world\"", &stages);
        folder.run(&["--replace"]);
        let first = tree(&folder.made().join("data"));
        assert_eq!(first.len(), 3);
        folder.run(&["--replace", "--threads", "1"]);
        assert_eq!(tree(&folder.made().join("data")), first);
        folder.run(&["--replace", "--set", "seed=8"]);
        assert_ne!(tree(&folder.made().join("data")), first);
    }
}

#[test]
fn data_that_is_added_moves_no_row_to_another_split() {
    let folder = Folder::new();
    write_corpus(&folder, 3, 200);
    folder.config(&format!("{READ_LINES}[[pipeline.stage]]\nkind = \"split\"\nvalidation = 0.2\ntest = 0.1\n"));
    folder.run(&[]);
    let splits = ["train", "validation", "test"];
    let before = splits.map(|s| folder.column(s, "text"));
    assert!(before.iter().all(|rows| rows.len() > 20));
    // in front, behind, and within
    folder.write("raw/0000.txt", "a new file in front\n");
    folder.write("raw/zzz.txt", "a new file behind\n");
    let middle = fs_err::read(folder.path().join("raw/001.txt")).unwrap();
    folder.write("raw/001.txt", [b"a new first line\n", &middle[..]].concat());
    folder.run(&["--replace"]);
    let new = |text: &String| text.starts_with("a new ");
    let after = splits.map(|s| folder.column(s, "text").into_iter().filter(|t| !new(t)).collect::<Vec<_>>());
    assert_eq!(after, before);
}
