use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;

const OPTIONS: Options = Options { frames_per_second: 60.0, measurement: 1.0, process: 1000.0 };

fn normal(rng: &mut impl Rng) -> f64 {
    let (a, b): (f64, f64) = (rng.random(), rng.random());
    (-2.0 * (1.0 - a).ln()).sqrt() * (std::f64::consts::TAU * b).cos()
}

/// A point that starts at rest and whose acceleration wanders, measured with noise.
fn wander(seed: u64, frames: usize, options: &Options) -> (Vec<Point>, Track) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (mut position, mut velocity, mut acceleration) = ([0.0; 3], [0.0; 3], [0.0; 3]);
    let mut track = Track::unknown(frames, 1);
    let step = options.process / options.frames_per_second.powi(2);
    let truth = (0..frames).map(|t| {
        for c in 0..3 {
            position[c] += velocity[c] + 0.5 * acceleration[c];
            velocity[c] += acceleration[c];
            // held back, so that the point does not run away
            let change = step * normal(&mut rng);
            position[c] += 0.5 * change;
            velocity[c] += change;
            acceleration[c] = 0.8 * acceleration[c] + change - 0.05 * velocity[c];
        }
        let measured = position.map(|value| value + options.measurement * normal(&mut rng));
        track.set(t, 0, Some(measured.map(|value| value as f32)));
        position
    });
    (truth.collect(), track)
}

fn error(found: &[f32], truth: &[Point], frames: impl Iterator<Item = usize>) -> f64 {
    let distances: Vec<f64> = frames
        .map(|t| (0..3).map(|c| (f64::from(found[t * 3 + c]) - truth[t][c]).powi(2)).sum::<f64>().sqrt())
        .collect();
    distances.iter().sum::<f64>() / distances.len() as f64
}

#[test]
fn a_parabola_without_noise_is_followed_through_gaps() {
    let truth: Vec<Point> = (0..40).map(f64::from).map(|t| [t, 0.5 * t * t, 3.0 - 0.1 * t * t]).collect();
    let mut track = Track::unknown(40, 1);
    for t in (3..36).filter(|t| !(12..20).contains(t)) {
        track.set(t, 0, Some(truth[t].map(|value| value as f32)));
    }
    let found = smooth(&track, &Options { measurement: 1e-3, ..OPTIONS });
    assert!(error(&found, &truth, 3..36) < 0.01, "{}", error(&found, &truth, 3..36));
    // ends stand still
    assert_eq!(found[..3], found[9..12]);
    assert_eq!(found[39 * 3..], found[35 * 3..36 * 3]);
}

#[test]
fn noise_becomes_less_and_gaps_are_filled_better_than_by_lines() {
    let (truth, whole) = wander(1, 600, &OPTIONS);
    let measured = error(&whole.positions_tkc, &truth, 0..600);
    let found = smooth(&whole, &OPTIONS);
    assert!(error(&found, &truth, 0..600) < 0.7 * measured);
    let mut gappy = whole;
    let gap = |t: &usize| (t / 8) % 3 == 1 && *t < 590;
    (0..600).filter(gap).for_each(|t| gappy.set(t, 0, None));
    let (found, lines) = (smooth(&gappy, &OPTIONS), interpolate::fill(&gappy));
    let errors = [&found, &lines].map(|filled| error(filled, &truth, (0..600).filter(gap)));
    assert!(errors[0] < errors[1], "{errors:?}");
}

#[test]
fn noise_and_motion_are_learned_whatever_jumps() {
    for (measurement, process) in [(1.0, 2000.0), (0.05, 20.0), (5.0, 30_000.0)] {
        let options = Options { frames_per_second: 60.0, measurement, process };
        let mut tracks: Vec<Track> = (0..4).map(|seed| wander(seed, 500, &options).1).collect();
        for track in &mut tracks {
            (0..500).step_by(40).for_each(|t| track.set(t, 0, Some([1e3; 3])));
            (20..500).step_by(70).for_each(|t| track.set(t, 0, None));
        }
        let found = Options::learn(&tracks, 60.0);
        let ratios = [found.measurement / measurement, found.process / process];
        assert!(ratios.iter().all(|ratio| (0.5..2.0).contains(ratio)), "{found:?} for {options:?}");
    }
}

#[test]
fn nothing_to_learn_from_and_nothing_to_smooth_are_no_panic() {
    for track in [Track::default(), Track::unknown(5, 2), Track::unknown(0, 3)] {
        let options = Options::learn([&track], 30.0);
        assert!(options.measurement > 0.0 && options.process > 0.0);
        assert_eq!(smooth(&track, &options).len(), track.positions_tkc.len());
    }
    let mut still = Track::unknown(100, 2);
    (0..100).for_each(|t| still.set(t, 1, Some([4.0, 5.0, 6.0])));
    let options = Options::learn([&still], 30.0);
    let found = smooth(&still, &options);
    assert!(found.iter().zip([4.0, 5.0, 6.0].iter().cycle()).all(|(found, value)| (found - value).abs() < 1e-5));
    // exact measurements of a point that cannot move
    let frozen = smooth(&still, &Options { measurement: 0.0, process: 0.0, ..options });
    assert!(frozen.iter().all(|value| value.is_finite()));
}

#[test]
fn a_point_known_once_stays_and_one_known_twice_goes_straight() {
    let mut track = Track::unknown(21, 1);
    track.set(10, 0, Some([3.0, 2.0, 1.0]));
    let found = smooth(&track, &OPTIONS);
    assert!(found.as_chunks::<3>().0.iter().all(|point| *point == [3.0, 2.0, 1.0]));
    track.set(0, 0, Some([0.0, 0.0, 0.0]));
    track.set(10, 0, None);
    track.set(20, 0, Some([20.0, 40.0, 0.0]));
    let found = smooth(&track, &Options { process: 10.0, ..OPTIONS });
    for (t, point) in found.as_chunks::<3>().0.iter().enumerate() {
        let straight = [t as f32, 2.0 * t as f32, 0.0];
        assert!(point.iter().zip(straight).all(|(found, line)| (found - line).abs() < 1.0), "{t}: {point:?}");
    }
}
