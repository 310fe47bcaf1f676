//! What the formats read and write, and that it is the same.

use super::*;
use proptest::prelude::*;

fn skeleton() -> Skeleton {
    Skeleton::parse("name = \"a\"\nunit = \"mm\"\nkeypoints = [\"nose\", \"tail\"]\nskeleton = [[\"nose\", \"tail\"]]")
        .unwrap()
}

fn parse(text: &str) -> Result<File> {
    read_from(text.as_bytes(), &skeleton(), None)
}

fn known(file: &File) -> Vec<Option<[f32; 3]>> {
    (0..file.frames.len()).flat_map(|t| (0..2).map(move |k| (t, k))).map(|(t, k)| file.track.point(t, k)).collect()
}

#[track_caller]
fn refused(text: &str, words: &[&str]) {
    let error = parse(text).unwrap_err();
    let said = format!("{error} hint: {}", error.hint_text().unwrap_or_default());
    words.iter().for_each(|word| assert!(said.contains(word), "no `{word}` in {said}"));
}

#[test]
fn flattened_files_are_read_in_any_order_of_columns() {
    let file = parse(
        "\u{feff}tail_1,tail_2,tail_3,nose_3,nose_2,nose_1,behaviour,speed\r\n\
         1,2,3,6,5,4,walk,9\n\
         -4668,-4668.0,-4668,,NaN,,\"rear, turn\",9\n\
         -4668,1,2,6,5,,,9\n",
    )
    .unwrap();
    assert_eq!(file.format, Format::Flattened);
    let at = |x: f32, y, z| Some([x, y, z]);
    assert_eq!(known(&file), [at(4.0, 5.0, 6.0), at(1.0, 2.0, 3.0), None, None, None, at(-4668.0, 1.0, 2.0)]);
    assert_eq!(file.behaviour_t, Some(["walk", "rear, turn", ""].map(str::to_owned).to_vec()));
    assert_eq!((file.frames, file.likelihood_tk), (vec![0, 1, 2], None));
    assert_eq!(file.oddities.keypoints, BTreeMap::from([("only some coordinates", 1)]));
    let header =
        read_header::<3>("nose_1,nose_2,nose_3,tail_1,tail_2,tail_3,speed".as_bytes(), &skeleton(), None).unwrap();
    assert_eq!((header.ignored.as_slice(), header.has_likelihood()), (["speed".to_owned()].as_slice(), false));
}

#[test]
fn files_of_bu_cvkit_are_read_as_lists_of_python_and_of_numpy() {
    let file =
        parse("nose;tail;behaviour\n[1.0, 2.0, 3.0];;walk~rear\n[ 1.  2.5 3. ];[-4668, -4668, -4668];\n").unwrap();
    assert_eq!(file.format, Format::Cvkit3d);
    assert_eq!(known(&file), [Some([1.0, 2.0, 3.0]), None, Some([1.0, 2.5, 3.0]), None]);
    assert_eq!(file.behaviour_t.unwrap()[0], "walk~rear");
    let file = parse("nose;tail\n[1, 2];[1, 2, 3, 4]\n[1, x, 2];[]\n1, 2, 3;[nan, 2, inf]\n[1,2,3];[nan, nan, nan]\n")
        .unwrap();
    let reasons: Vec<_> = file.oddities.rejects.iter().map(|r| (r.line, r.reason, r.excerpt.as_str())).collect();
    assert_eq!(
        reasons,
        [(2, "not a position", "[1, 2]"), (3, "not a position", "[1, x, 2]"), (4, "not a position", "1, 2, 3")]
    );
    assert_eq!((file.frames, file.track.known_tk), (vec![3], vec![true, false]));
}

#[test]
fn files_of_deeplabcut_have_three_header_rows_and_numbered_frames() {
    let text = "scorer,net,net,net,net,net,net,net,net\n\
                bodyparts,nose,nose,nose,nose,tail,tail,tail,behaviour\n\
                coords,x,y,z,likelihood,x,y,z,name\n\
                7,1,2,3,0.5,4,5,6,walk\n\
                9.0,1,2,3,0.0,,,,\n";
    let file = parse(text).unwrap();
    assert_eq!((file.format, file.frames.as_slice()), (Format::Deeplabcut, [7, 9].as_slice()));
    assert_eq!(file.scorer.as_deref(), Some("net"));
    assert_eq!(known(&file), [Some([1.0, 2.0, 3.0]), Some([4.0, 5.0, 6.0]), None, None]);
    assert_eq!(file.likelihood_tk, Some(vec![0.5, 1.0, 0.0, 0.0]));
    assert_eq!(file.oddities.keypoints, BTreeMap::from([("likelihood of 0 or none", 1)]));
    refused(&text.replace("bodyparts", "individuals"), &["several animals", "for each animal"]);
    refused(&text.replace(",z,l", ",w,l"), &["row 1: no column `nose z`: `nose` has two coordinates", "`triangulate`"]);
    refused(&text.replace("coords", "x"), &["begins with `x`, not with `coords`"]);
}

#[test]
fn views_have_two_coordinates_in_pixels() {
    let skeleton = Skeleton { scale: Some(1000.0), ..skeleton() };
    let view = |text: &str| read_view_from(text.as_bytes(), &skeleton, None);
    let dlc = "scorer,n,n,n,n,n,n\nbodyparts,nose,nose,nose,tail,tail,tail\ncoords,x,y,likelihood,x,y,likelihood\n\
               0,1,2,0.5,3,4,0.25\n";
    let flat = "nose_1,nose_2,nose_likelihood,tail_1,tail_2,tail_likelihood\n1,2,0.5,3,4,0.25\n";
    for text in [dlc, flat] {
        let view = view(text).unwrap();
        assert_eq!((view.points_tkc, view.likelihood_tk), (vec![1.0, 2.0, 3.0, 4.0], vec![0.5, 0.25]));
    }
    let error = view("nose_1,nose_2,nose_3,tail_1,tail_2,tail_3\n1,2,3,4,5,6\n").unwrap_err().to_string();
    assert!(error.contains("`nose` has three coordinates"), "{error}");
    let sure = view("nose_1,nose_2,tail_1,tail_2\n1,2,,4\n").unwrap();
    assert_eq!((sure.known_tk, sure.likelihood_tk), (vec![true, false], vec![1.0, 1.0]));
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    refused("", &["the file is empty"]);
    refused("nose_1,nose_2,nose_3,tail_1,tail_2,tail_3\n", &["a header but no frame"]);
    refused(
        "nose_1,nose_2,nose_3,tail_1,tail_2\n1,2,3,4,5\n",
        &["row 1: no column `tail_3`: `tail` has two coordinates", "`triangulate`"],
    );
    refused("nose_1,nose_2,nose_3,Tail_1,Tail_2,Tail_3\n", &["no column `tail_1`", "did you mean `Tail_1`?"]);
    refused("snout;tail;behaviour\n", &["no column `nose` for the keypoint `nose`", "the file has `snout`, `tail`"]);
    refused("nose;tail;nose\n", &["the column `nose` is there twice"]);
    refused("frame;nose;tail\n3;;\n4;;\n4;;\n", &["row 4: frame 4 is there twice", "in the order of time"]);
    refused("frame;nose;tail\n3;;\n4;;\n2;;\n", &["row 4: frame 2 comes after frame 4"]);
    let error = read_from(&b"\x89PNG\n\x00"[..], &skeleton(), None).unwrap_err().to_string();
    assert!(error.contains("not UTF-8"), "{error}");
}

#[test]
fn bad_rows_are_counted_and_leave_a_gap_in_time() {
    let file =
        parse("nose_1,nose_2,nose_3,tail_1,tail_2,tail_3\n1,2,3\n1,2,x,4,5,6\n1,2,inf,4,5,6\n1,2,3,4,5,6\n").unwrap();
    let reasons: Vec<_> = file.oddities.rejects.iter().map(|r| (r.line, r.reason, r.excerpt.as_str())).collect();
    assert_eq!(reasons, [(2, "wrong number of columns", "3 of 6"), (3, "not a number", "x")]);
    assert_eq!(file.oddities.keypoints, BTreeMap::from([("infinite coordinate", 1)]));
    assert_eq!((&file.frames[..], &file.track.known_tk[..]), (&[2, 3][..], &[false, true, true, true][..]));
    let file = parse("frame,nose_1,nose_2,nose_3,tail_1,tail_2,tail_3\nx,1,2,3,4,5,6\n5,1,2,3,4,5,6\n").unwrap();
    assert_eq!((file.oddities.rejects[0].reason, file.frames), ("not the number of a frame", vec![5]));
}

#[test]
fn files_are_compressed_by_their_name() {
    let dir = tempfile::tempdir().unwrap();
    let file = parse("nose_1,nose_2,nose_3,tail_1,tail_2,tail_3\n1,2,3,4,5,6\n").unwrap();
    for name in ["a.csv", "a.csv.gz"] {
        let path = dir.path().join(name);
        write(&path, &file, &skeleton(), Format::Flattened).unwrap();
        assert_eq!(read(&path, &skeleton(), None).unwrap(), file);
        let is_gzip = fs_err::read(&path).unwrap().starts_with(b"\x1f\x8b");
        assert_eq!(is_gzip, name.ends_with("gz"));
    }
    let path = dir.path().join("a.csv.gz");
    let bytes = fs_err::read(&path).unwrap();
    fs_err::write(&path, &bytes[..bytes.len() - 9]).unwrap();
    let error = read(&path, &skeleton(), None).unwrap_err().to_string();
    assert!(error.contains("a.csv.gz`") && error.contains("cut short"), "{error}");
}

/// A skeleton with names that need quotes, and a recording of it.
fn any_file() -> impl Strategy<Value = (Skeleton, File)> {
    let names = ["nose", "left, ear", "tail;\"tip\"", "frame", "behaviour"];
    let value = prop_oneof![-1e4..1e4_f32, prop::num::f32::NORMAL.prop_filter("of a place", |v| v.abs() < 1e30)];
    let point = prop_oneof![3 => prop::array::uniform3(value).prop_map(Some), 1 => Just(None)];
    let frame = move |keypoints: usize| {
        (prop::collection::vec((point.clone(), 0.01..=1.0_f32), keypoints), "[a-z~ ,;\"]{0,6}", 0..4_i64)
    };
    let recording =
        (1..=3_usize).prop_flat_map(move |keypoints| (Just(keypoints), prop::collection::vec(frame(keypoints), 1..12)));
    let options = (any::<bool>(), any::<bool>(), any::<bool>(), prop::option::of(1e-3..1e3_f64), -5..5_i64);
    (recording, options).prop_map(move |((keypoints, rows), (likely, behaves, jumps, scale, first))| {
        let keypoint_names: Vec<String> = names[..keypoints].iter().map(|name| (*name).to_owned()).collect();
        let skeleton = Skeleton {
            name: "any".to_owned(),
            unit: "mm".to_owned(),
            keypoints: keypoint_names,
            edges: Vec::new(),
            frames_per_second: None,
            scale,
            mirror: Vec::new(),
        };
        let mut track = Track::unknown(rows.len(), keypoints);
        let (mut likelihood_tk, mut behaviour_t, mut frames) = (Vec::new(), Vec::new(), Vec::new());
        let mut number = if jumps { first } else { 0 };
        for (t, (points, behaviour, jump)) in rows.into_iter().enumerate() {
            for (k, (point, likelihood)) in points.into_iter().enumerate() {
                track.set(t, k, point);
                likelihood_tk.push(if point.is_some() { likelihood } else { 0.0 });
            }
            behaviour_t.push(behaviour);
            frames.push(number);
            number += if jumps { 1 + jump } else { 1 };
        }
        let file = File {
            format: Format::Flattened,
            track,
            likelihood_tk: likely.then_some(likelihood_tk),
            behaviour_t: behaves.then_some(behaviour_t),
            frames,
            scorer: None,
            oddities: Oddities::default(),
        };
        (skeleton, file)
    })
}

proptest! {
    /// Written in any format and read again, a recording is the same to the bit.
    #[test]
    fn every_format_comes_back((skeleton, file) in any_file()) {
        for format in Format::ALL {
            let text = to_text(&file, &skeleton, format).unwrap();
            for given in [None, Some(format)] {
                let back = read_from(text.as_bytes(), &skeleton, given).unwrap();
                prop_assert_eq!(back.format, format);
                prop_assert_eq!(&back.track, &file.track);
                prop_assert_eq!(&back.frames, &file.frames);
                prop_assert_eq!(&back.oddities, &Oddities::default());
                if format != Format::Cvkit3d {
                    prop_assert_eq!(&back.likelihood_tk, &file.likelihood_tk);
                    prop_assert_eq!(&back.behaviour_t, &file.behaviour_t);
                } else if let Some(behaviour_t) = &file.behaviour_t {
                    prop_assert_eq!(back.behaviour_t.as_ref(), Some(behaviour_t));
                }
            }
        }
    }

    /// No bytes make the reader panic.
    #[test]
    fn no_bytes_are_too_bad(bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(b','), Just(b'\n'), Just(b';'), Just(b'[')], 0..200)) {
        for start in ["", "nose_1,nose_2,nose_3,tail_1,tail_2,tail_3\n", "nose;tail\n", "scorer,a\n"] {
            let bytes = [start.as_bytes(), &bytes].concat();
            let _ = read_from(&bytes[..], &skeleton(), None);
            let _ = read_view_from(&bytes[..], &skeleton(), None);
        }
    }
}
