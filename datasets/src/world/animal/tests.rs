//! Tests of whole tracks.

use super::*;
use proptest::prelude::*;

fn track(index: u64, frames: usize) -> Track {
    Track::draw(7, index, frames, &Faults::default())
}

fn distance(a: [f32; 3], b: [f32; 3]) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt()
}

/// The lengths of the runs of frames in which none of `keypoints` is visible.
fn gaps(track: &Track, keypoints: &[usize]) -> Vec<usize> {
    let hidden = |t: &usize| keypoints.iter().all(|k| !track.visible_tk[t * track.keypoints() + k]);
    let mut gaps = Vec::new();
    let mut run = 0;
    for t in 0..track.frames {
        if hidden(&t) {
            run += 1;
        } else if run > 0 {
            gaps.push(run);
            run = 0;
        }
    }
    gaps
}

#[test]
fn skeleton_is_a_tree_of_named_keypoints() {
    let skeleton = Skeleton::quadruped();
    let names: std::collections::HashSet<&String> = skeleton.names.iter().collect();
    assert_eq!((names.len(), skeleton.edges.len()), (16, 15));
    let mut reached = vec![false; 16];
    reached[0] = true;
    for _ in 0..16 {
        for &[a, b] in &skeleton.edges {
            let either = reached[a] || reached[b];
            (reached[a], reached[b]) = (either, either);
        }
    }
    assert!(reached.into_iter().all(|reached| reached));
    for limb in &skeleton.limbs {
        assert!(skeleton.names[limb[1]].ends_with("paw"));
        assert!(skeleton.edges.contains(&[limb[0], limb[1]]));
    }
}

#[test]
fn bones_keep_their_lengths() {
    for index in 0..10 {
        let track = track(index, 1200);
        for &[a, b] in &track.skeleton.edges {
            let bone = |t| distance(track.truth(t, a).unwrap(), track.truth(t, b).unwrap());
            let first = bone(0);
            assert!(first > 10.0);
            for t in 0..track.frames {
                assert!((bone(t) - first).abs() < 0.01, "{index} {t} {a}-{b}");
            }
        }
    }
}

#[test]
fn motion_is_smooth_and_stays_in_the_field() {
    for index in 0..10 {
        let track = track(index, 1200);
        for k in 0..track.keypoints() {
            let at = |t| track.truth(t, k).unwrap();
            for t in 2..track.frames {
                let [a, b, c] = [at(t - 2), at(t - 1), at(t)];
                let bend: [f32; 3] = std::array::from_fn(|i| a[i] - 2.0 * b[i] + c[i]);
                // Less than the smallest jump, or no filter could tell them apart.
                assert!(distance(b, c) < 30.0, "{index} {t} {k}: {b:?} {c:?}");
                // A paw at full speed is the liveliest: it swings a stride in a seventh of a second.
                assert!(distance(bend, [0.0; 3]) < 14.0, "{index} {t} {k}: {bend:?}");
                assert!(f64::from(c[0].hypot(c[1])) < FIELD_RADIUS_MM);
                assert!((-0.01..140.0).contains(&c[2]), "{index} {t} {k}: {c:?}");
            }
        }
    }
}

#[test]
fn most_tracks_begin_in_motion() {
    let moving = (0..50).filter(|&index| {
        let track = track(index, 30);
        distance(track.truth(0, 5).unwrap(), track.truth(29, 5).unwrap()) > 10.0
    });
    assert!(moving.count() > 30);
}

#[test]
fn the_animal_walks_turns_and_rests() {
    let track = track(1, 3600);
    let spine = |t| track.truth(t, 5).unwrap();
    let walked: f32 = (1..3600).map(|t| distance(spine(t - 1), spine(t))).sum();
    assert!((3_000.0..20_000.0).contains(&walked), "{walked}");
    let heading = |t: usize| {
        let (a, b) = (track.truth(t, 6).unwrap(), track.truth(t, 4).unwrap());
        (b[0] > a[0], b[1] > a[1])
    };
    let quadrants: std::collections::HashSet<_> = (0..3600).map(heading).collect();
    assert_eq!(quadrants.len(), 4);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn tracks_are_pure_and_longer_ones_continue(seed: u64, index: u64, short in 0..60usize) {
        let faults = Faults::default();
        let long = Track::draw(seed, index, 120, &faults);
        let short = Track::draw(seed, index, short, &faults);
        let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        let values = short.frames * 16 * 3;
        prop_assert_eq!(short.truth_tkc.len(), values);
        prop_assert_eq!(bits(&short.truth_tkc), bits(&long.truth_tkc[..values]));
        prop_assert_eq!(bits(&short.observed_tkc), bits(&long.observed_tkc[..values]));
        prop_assert_eq!(&short.visible_tk[..], &long.visible_tk[..values / 3]);
        prop_assert_eq!(&short.jumped_tk[..], &long.jumped_tk[..values / 3]);
    }
}

#[test]
fn seeds_and_indices_make_different_tracks() {
    let first = |seed, index| Track::draw(seed, index, 1, &Faults::NONE).truth_tkc;
    assert_ne!(first(1, 0), first(1, 1));
    assert_ne!(first(1, 0), first(2, 0));
}

#[test]
fn observations_are_truth_with_noise_jumps_and_gaps() {
    let (mut errors, mut jumped, mut hidden, mut all) = (Vec::new(), 0, 0, 0);
    for index in 0..8 {
        let track = track(index, 1200);
        for t in 0..track.frames {
            for k in 0..track.keypoints() {
                all += 1;
                let jump = track.jumped_tk[t * track.keypoints() + k];
                let Some(observed) = track.observed(t, k) else {
                    let at = (t * track.keypoints() + k) * 3;
                    assert!(track.observed_tkc[at..at + 3].iter().all(|value| value.is_nan()));
                    assert!(!jump);
                    hidden += 1;
                    continue;
                };
                let error = distance(observed, track.truth(t, k).unwrap());
                if jump {
                    jumped += 1;
                    assert!((20.0..160.0).contains(&error), "{error}");
                } else {
                    errors.push(f64::from(error).powi(2) / 3.0);
                }
            }
        }
    }
    let deviation = (errors.iter().sum::<f64>() / errors.len() as f64).sqrt();
    assert!((deviation - 1.5).abs() < 0.05, "{deviation}");
    let (hidden, jumped) = (f64::from(hidden) / f64::from(all), f64::from(jumped) / f64::from(all));
    assert!((0.1..0.2).contains(&hidden), "{hidden}");
    assert!((0.002..0.008).contains(&jumped), "{jumped}");
}

#[test]
fn gaps_are_of_all_three_kinds() {
    let everything: Vec<usize> = (0..16).collect();
    let tracks: Vec<Track> = (0..10).map(|index| track(index, 1200)).collect();
    let all = |keypoints: &[usize]| -> Vec<usize> { tracks.iter().flat_map(|track| gaps(track, keypoints)).collect() };
    assert!(all(&[0]).iter().filter(|&&gap| gap <= 12).count() > 20);
    assert!(all(&tracks[0].skeleton.limbs[2]).iter().filter(|&&gap| gap >= 20).count() > 5);
    assert!(all(&everything).iter().filter(|&&gap| gap >= 5).count() > 5);
}

#[test]
fn without_faults_observed_is_truth() {
    let track = Track::draw(1, 1, 100, &Faults::NONE);
    assert_eq!(track.observed_tkc, track.truth_tkc);
    assert!(track.visible_tk.iter().all(|&visible| visible));
    assert_eq!(track.truth(100, 0), None);
    assert_eq!(track.observed(0, 16), None);
}

#[test]
fn its_card_is_a_sound_skeleton_with_left_and_right() {
    let card = Skeleton::quadruped().card();
    let details = serde_json::Map::from_iter([(crate::pose::DETAIL.to_owned(), card.to_detail())]);
    assert_eq!(crate::pose::Skeleton::of_details(&details).unwrap(), card);
    assert_eq!(card.mirror.len(), 5);
    assert_eq!(card.mirrored().unwrap()[8], 10);
}
