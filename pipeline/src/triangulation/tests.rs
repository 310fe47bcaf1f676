//! Known cameras look at known points.

use super::*;
use proptest::prelude::*;
use serde_json::Value;
use tessera_datasets::pose::formats::{Oddities, View};
use tessera_datasets::pose::geometry::Point;

/// Numbers from other programs: `made_by` says which. The pixels are those of `cv2.projectPoints` and
/// `cv2.fisheye.projectPoints` with noise of 0.7 pixels, rounded to two decimals.
fn golden() -> Value {
    serde_json::from_str(include_str!("golden.json")).unwrap()
}

fn numbers<const N: usize>(value: &Value) -> Vec<[f64; N]> {
    serde_json::from_value::<Vec<Vec<f64>>>(value.clone())
        .unwrap()
        .into_iter()
        .map(|row| row.try_into().unwrap())
        .collect()
}

/// The cameras of the golden file by way of aniposelib's format.
fn cameras(golden: &Value) -> Vec<Camera> {
    let mut text = "[metadata]\nadjusted = false\nerror = 0.0\n".to_owned();
    for (i, camera) in golden["cameras"].as_array().unwrap().iter().enumerate() {
        text += &format!("[cam_{i}]\nsize = [ 1280, 1024,]\n");
        for (key, value) in camera.as_object().unwrap() {
            text += &format!("{key} = {value}\n");
        }
    }
    parse_cameras(&text).unwrap()
}

fn view(points: &[[f64; 2]], keypoints: usize, likelihoods: &[f32]) -> View {
    View {
        keypoints,
        points_tkc: points.iter().flatten().map(|value| *value as f32).collect(),
        known_tk: points.iter().map(|point| point[0].is_finite()).collect(),
        likelihood_tk: likelihoods.to_vec(),
        frames: (0..(points.len() / keypoints) as i64).collect(),
        oddities: Oddities::default(),
    }
}

fn settings(choice: Choice) -> Settings {
    Settings { choice, threshold: 0.6, leave_out: false, arena: Arena::scaled(1.0) }
}

fn distance(a: Point, b: Point) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
}

#[test]
fn lenses_bend_as_opencv_bends_them() {
    let golden = golden();
    let points = numbers::<3>(&golden["points"]);
    for (i, camera) in cameras(&golden).iter().enumerate() {
        for (point, expected) in points.iter().zip(numbers::<2>(&golden["clean"][i])) {
            let [u, v] = camera.pixel(*point);
            assert!(
                (u - expected[0]).abs() < 1e-8 && (v - expected[1]).abs() < 1e-8,
                "{} {u} {v} {expected:?}",
                camera.name
            );
        }
        let pixels = numbers::<2>(&golden["pixels"][i]);
        for (pixel, expected) in pixels.into_iter().zip(numbers::<2>(&golden["straightened"][i])) {
            let [x, y] = camera.straighten(pixel).unwrap();
            assert!(
                (x - expected[0]).abs() < 1e-10 && (y - expected[1]).abs() < 1e-10,
                "{} {x} {y} {expected:?}",
                camera.name
            );
        }
    }
}

#[test]
fn points_are_those_of_numpy_bu_cvkit_and_aniposelib() {
    let golden = golden();
    let cameras = cameras(&golden);
    let least: Vec<f32> = serde_json::from_value(golden["least"].clone()).unwrap();
    let views: Vec<View> = (0..cameras.len())
        .map(|i| {
            let likelihoods: Vec<f32> = serde_json::from_value(golden["likelihoods"][i].clone()).unwrap();
            view(&numbers(&golden["pixels"][i]), 5, &likelihoods)
        })
        .collect();
    let pairs: Vec<(&Camera, &View)> = cameras.iter().zip(&views).collect();
    let [origin, x, y] = numbers::<3>(&golden["markers"])[..] else { panic!("three markers") };
    let arena = Arena::of_markers([origin, x, y], 2.5, None).unwrap();
    for (expected, turn) in numbers::<3>(&golden["rotation"]).iter().zip(arena.rotation) {
        assert!(distance(*expected, turn) < 1e-12);
    }
    let plain = reconstruct(&pairs, &settings(Choice::AutoSubset)).unwrap();
    let aligned = reconstruct(&pairs, &Settings { arena, ..settings(Choice::AutoSubset) }).unwrap();
    assert_eq!(plain.likelihood_tk, least);
    assert_eq!((plain.frames.as_slice(), plain.track.known_tk.len()), ([0, 1, 2, 3].as_slice(), 20));
    let at = |found: &Reconstruction, i: usize| found.track.point(i / 5, i % 5).unwrap().map(f64::from);
    for (i, expected) in numbers::<3>(&golden["reconstructed"]).into_iter().enumerate() {
        // pixels and results are kept in single precision
        assert!(distance(at(&plain, i), expected) < 2e-4, "{i}: {:?} {expected:?}", at(&plain, i));
        assert!(distance(at(&plain, i), numbers::<3>(&golden["dltrecon"])[i]) < 4e-4);
        assert!(distance(at(&aligned, i), numbers::<3>(&golden["aligned"])[i]) < 5e-4);
    }
    // aniposelib uses every view
    let all = reconstruct(&pairs, &settings(Choice::All)).unwrap();
    for (i, expected) in numbers::<3>(&golden["aniposelib"]).into_iter().enumerate() {
        assert!(distance(at(&all, i), expected) < 2e-4, "{i}: {:?} {expected:?}", at(&all, i));
    }
    // in double precision it is the same to the last digits
    let mut memory = Vec::new();
    for (i, expected) in numbers::<3>(&golden["reconstructed"]).into_iter().enumerate() {
        let trusted = |c: &usize| golden["likelihoods"][c][i].as_f64().unwrap() >= 0.6;
        let some: Vec<usize> = (0..4).filter(trusted).collect();
        let used = if some.len() >= 2 { some } else { (0..4).collect() };
        let sightings = used.into_iter().map(|c| Sighting {
            projection: &cameras[c].projection,
            place: numbers::<2>(&golden["straightened"][c])[i],
        });
        assert!(distance(triangulate(sightings, &mut memory).unwrap(), expected) < 1e-9);
    }
}

/// Four cameras on a ring look at the middle, from so far away.
fn ring(distance: f64) -> Vec<Camera> {
    let lens = || Lens {
        matrix: [[900.0, 0.0, 640.0], [0.0, 900.0, 512.0], [0.0, 0.0, 1.0]],
        distortions: vec![-0.2, 0.05, 0.001, -0.001, 0.0],
        fisheye: false,
    };
    let turn = |i: u32| [0.0, f64::from(i) * 0.8 - 1.2, 0.0];
    (0..4).map(|i| Camera::standing(&format!("cam{i}"), lens(), turn(i), [0.0, 0.0, distance])).collect()
}

proptest! {
    /// Points come back within the noise: pixels that are off by at most `noise` put a point off by
    /// no more than a few times what that is at its distance; without noise, by rounding alone.
    #[test]
    fn points_come_back_within_the_noise(
        points in prop::collection::vec(prop::array::uniform3(-50.0..50.0_f64), 1..20),
        offs in prop::collection::vec(prop::array::uniform2(-1.0..1.0_f64), 80),
        noise in prop_oneof![Just(0.0), 0.1..2.0_f64],
    ) {
        let cameras = ring(400.0);
        let views: Vec<View> = cameras.iter().enumerate().map(|(c, camera)| {
            let pixel = |(i, point): (usize, &Point)| {
                let off = offs[c * 20 + i];
                let [u, v] = camera.pixel(*point);
                [u + noise * off[0], v + noise * off[1]]
            };
            let pixels: Vec<[f64; 2]> = points.iter().enumerate().map(pixel).collect();
            view(&pixels, 1, &vec![0.9; pixels.len()])
        }).collect();
        let pairs: Vec<(&Camera, &View)> = cameras.iter().zip(&views).collect();
        let found = reconstruct(&pairs, &settings(Choice::All)).unwrap();
        let a_pixel = 450.0 / 900.0;
        for (t, point) in points.iter().enumerate() {
            let back = found.track.point(t, 0).unwrap().map(f64::from);
            prop_assert!(distance(back, *point) <= 1e-3 + 3.0 * noise * a_pixel, "{back:?} {point:?}");
        }
    }
}

#[test]
fn likelihoods_choose_the_views() {
    let cameras = ring(400.0);
    let point = [10.0, -5.0, 20.0];
    // the last two views are far off, and say that they are unsure
    let seen = |c: usize| if c < 2 { cameras[c].pixel(point) } else { [10.0, 900.0] };
    let find = |likelihoods: [f32; 4], choice| {
        let views: Vec<View> = (0..4).map(|c| view(&[seen(c)], 1, &[likelihoods[c]])).collect();
        let pairs: Vec<(&Camera, &View)> = cameras.iter().zip(&views).collect();
        reconstruct(&pairs, &settings(choice))
    };
    let good = find([0.8, 0.6, 0.59, 0.1], Choice::AutoSubset).unwrap();
    assert!(distance(good.track.point(0, 0).unwrap().map(f64::from), point) < 1e-3);
    assert_eq!(good.likelihood_tk, [0.6]);
    // one sure view does not suffice: all are used
    let all = find([0.8, 0.5, 0.5, 0.1], Choice::AutoSubset).unwrap();
    assert_eq!(all.likelihood_tk, [0.1]);
    assert!(distance(all.track.point(0, 0).unwrap().map(f64::from), point) > 10.0);
    assert_eq!(find([0.8, 0.9, 0.9, 0.9], Choice::All).unwrap().likelihood_tk, [0.8]);
    assert_eq!(find([0.8, 0.5, 0.5, 0.1], Choice::Confident), Err(TooFewViews { frame: 0, keypoint: 0, views: 1 }));
}

#[test]
fn one_view_too_few_names_the_frame_and_the_keypoint() {
    let cameras = ring(400.0);
    let nowhere = [f64::NAN; 2];
    let place = |c: usize| cameras[c].pixel([1.0, 2.0, 3.0]);
    let first = view(&[place(0), place(0), place(0), place(0)], 2, &[1.0; 4]);
    let second = view(&[place(1), place(1), place(1), nowhere], 2, &[1.0; 4]);
    let pairs = [(&cameras[0], &first), (&cameras[1], &second)];
    assert_eq!(
        reconstruct(&pairs, &settings(Choice::AutoSubset)),
        Err(TooFewViews { frame: 1, keypoint: 1, views: 1 })
    );
    let left_out = reconstruct(&pairs, &Settings { leave_out: true, ..settings(Choice::AutoSubset) }).unwrap();
    assert_eq!(left_out.track.known_tk, [true, true, true, false]);
    assert_eq!(left_out.counts, Counts { too_few_views: 1, at_infinity: 0 });
    // a frame that one view alone has is none
    let later = View { frames: vec![1, 7], ..second.clone() };
    let found = reconstruct(&[(&cameras[0], &first), (&cameras[1], &later)], &settings(Choice::AutoSubset)).unwrap();
    assert_eq!((found.frames, found.lonely), (vec![1], vec![0, 7]));
    // the same camera twice says nothing of the distance
    let twice = reconstruct(&[(&cameras[0], &first), (&cameras[0], &first)], &settings(Choice::All)).unwrap();
    assert_eq!(twice.counts, Counts { too_few_views: 0, at_infinity: 4 });
    assert!(!twice.track.known_tk.contains(&true));
}

#[test]
fn markers_become_the_axes_of_the_arena() {
    let (origin, x, y) = ([5.0, 6.0, 7.0], [5.0, 6.0, 17.0], [5.0, 26.0, 7.0]);
    let arena = Arena::of_markers([origin, x, y], 1.0, Some([100.0, 200.0])).unwrap();
    for (point, expected) in [(origin, [0.0; 3]), (x, [100.0, 0.0, 0.0]), (y, [0.0, 200.0, 0.0])] {
        assert!(distance(arena.apply(point), expected) < 1e-9, "{:?}", arena.apply(point));
    }
    assert_eq!(Arena::of_markers([origin, x, [5.0, 6.0, 27.0]], 1.0, None), None);
}

#[test]
fn files_of_cameras_are_checked() {
    let plain = "projection = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]\n";
    let two = |more: &str| parse_cameras(&format!("[a]\n{plain}{more}\n[b]\n{}", plain.replace("1, 0]]", "1, 5]]")));
    let cameras = two("").unwrap();
    assert_eq!((cameras[0].name.as_str(), cameras[1].straighten([3.0, 4.0])), ("a", Some([3.0, 4.0])));
    // with its intrinsic matrix a camera straightens to pixels first
    let bent = two("matrix = [[900, 0, 640], [0, 900, 512], [0, 0, 1]]\ndistortions = [-0.2, 0.05]").unwrap();
    let pixel = bent[0].straighten(bent[0].pixel([400.0, 300.0, 1.0])).unwrap();
    assert!((pixel[0] - 400.0).abs() < 1e-6 && (pixel[1] - 300.0).abs() < 1e-6, "{pixel:?}");
    for (text, words) in [
        ("[a]\nname = 3", "`a`: invalid type"),
        ("a = [", "not a file of cameras"),
        (&format!("[a]\n{plain}"), "fewer than two cameras"),
        (&format!("[a]\nname = \"x\"\n{plain}[b]\nname = \"x\"\n{plain}"), "two cameras are called `x`"),
        (&format!("[a]\n{plain}colour = 1"), "unknown field `colour`"),
        (&format!("[a]\n{plain}distortions = [1.0]"), "camera `a`: `distortions` without `matrix`"),
        ("[a]\nrotation = [0, 0, 0]", "camera `a`: needs `matrix`, `rotation` and `translation`, or `projection`"),
        ("[a]\nprojection = [[nan, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]", "camera `a`: a number is not finite"),
        ("[a]\nmatrix = [[0, 0, 0], [0, 1, 0], [0, 0, 1]]", "a focal length of 0"),
    ] {
        let error = parse_cameras(text).unwrap_err().to_string();
        assert!(error.contains(words), "no `{words}` in {error}");
    }
}
