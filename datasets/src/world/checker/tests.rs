//! Scenes are drawn, spoiled and read back.

use super::patch::half_side;
use super::*;
use crate::world::{Combinations, Scene, SceneOptions, caption, random, render, statements};
use proptest::prelude::*;

fn scene(seed: u64, index: u64, size: u32) -> Scene {
    let options = SceneOptions::new(size, 1, 3, Combinations::All).unwrap();
    Scene::draw(seed, index, &options)
}

/// Blurs with the kernel 1 2 1 along both axes.
fn blur(picture: &Picture) -> Picture {
    let mut blurred = picture.clone();
    let (width, height) = (picture.width as i32, picture.height as i32);
    for row in 0..height {
        for column in 0..width {
            for channel in 0..3 {
                let mut sum = 8;
                for (dy, weight_y) in [(-1, 1), (0, 2), (1, 1)] {
                    for (dx, weight_x) in [(-1, 1), (0, 2), (1, 1)] {
                        let y = (row + dy).clamp(0, height - 1);
                        let x = (column + dx).clamp(0, width - 1);
                        let value = picture.rgb[((y * width + x) * 3 + channel) as usize];
                        sum += weight_x * weight_y * i32::from(value);
                    }
                }
                blurred.rgb[((row * width + column) * 3 + channel) as usize] = (sum / 16) as u8;
            }
        }
    }
    blurred
}

fn add_noise(picture: &mut Picture, seed: u64, sigma: f64) {
    let mut rng = random::generator(seed, 99);
    for value in &mut picture.rgb {
        *value = (f64::from(*value) + sigma * random::normal(&mut rng)).round() as u8;
    }
}

/// The share of scenes that are read exactly after `spoil`. An unoptimised build reads a tenth of
/// the scenes, for time.
fn exact(size: u32, count: u64, spoil: impl Fn(Picture, u64) -> Picture) -> f64 {
    let count = if cfg!(debug_assertions) { count / 10 } else { count };
    let right = (0..count).filter(|&i| {
        let scene = scene(size.into(), i, size);
        read(&spoil(render(&scene), i)) == Reading::of(&scene)
    });
    right.count() as f64 / count as f64
}

#[test]
fn clean_scenes_are_read_exactly() {
    for (size, count) in [(32, 4000), (33, 1000), (48, 1000), (64, 1500), (128, 100)] {
        assert_eq!(exact(size, count, |picture, _| picture), 1.0, "{size}");
    }
}

#[test]
fn noisy_and_blurred_scenes_are_read() {
    let noisy = |mut picture: Picture, seed| {
        add_noise(&mut picture, seed, 12.0);
        picture
    };
    for (size, count) in [(32, 1500), (64, 400)] {
        for (name, share) in [
            ("noise", exact(size, count, noisy)),
            ("blur", exact(size, count, |picture, _| blur(&picture))),
            ("blur twice", exact(size, count, |picture, _| blur(&blur(&picture)))),
            ("noise, then blur", exact(size, count, |picture, i| blur(&noisy(picture, i)))),
            ("blur, then noise", exact(size, count, |picture, i| noisy(blur(&picture), i))),
        ] {
            assert!(share >= 0.99, "{name} at {size}: {share}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_scene_is_read_and_its_words_hold(seed: u64, index: u64, size in 32..100u32) {
        let scene = scene(seed, index, size);
        let picture = render(&scene);
        prop_assert_eq!(read(&picture), Reading::of(&scene));
        prop_assert!(check(&picture, &statements(&scene)).into_iter().all(|held| held));
        let prompt = caption(&scene, 0).statements;
        prop_assert!(check(&picture, &prompt).into_iter().all(|held| held));
    }

    #[test]
    fn any_bytes_are_read_without_panic(
        width in 0..40u32,
        height in 0..40u32,
        rgb in proptest::collection::vec(any::<u8>(), 0..4800),
    ) {
        let _ = read(&Picture { width, height, rgb });
    }
}

#[test]
fn centres_and_areas_are_measured() {
    for i in 0..100 {
        let scene = scene(1, i, 64);
        let mut found = find(&render(&scene));
        found.sort_by_key(|found| found.thing);
        for (object, found) in scene.objects.iter().zip(found) {
            assert!((object.x as f32 / 16.0 - found.x).abs() < 0.5, "{found:?}");
            assert!((object.y as f32 / 16.0 - found.y).abs() < 0.5, "{found:?}");
            let half = object.half as f32 / 16.0;
            assert!((half_side(object.thing.shape, found.area) / half - 1.0).abs() < 0.06);
            assert!(found.fit > 0.9, "{found:?}");
        }
    }
}

#[test]
fn a_picture_of_something_else_fails_its_prompt() {
    let mut right = 0;
    for i in 0..200 {
        let prompt = caption(&scene(1, i, 32), 0).statements;
        let held = check(&render(&scene(2, i, 32)), &prompt);
        right += usize::from(held.into_iter().all(|held| held));
    }
    assert!(right < 20, "{right}");
}

#[test]
fn empty_flat_and_broken_pictures_have_nothing_in_them() {
    for picture in [
        Picture { width: 0, height: 0, rgb: vec![] },
        Picture { width: 32, height: 32, rgb: vec![0; 7] },
        Picture { width: u32::MAX, height: u32::MAX, rgb: vec![0; 7] },
        Picture { width: 32, height: 32, rgb: vec![200; 32 * 32 * 3] },
    ] {
        assert_eq!(read(&picture), Reading::default());
    }
    let mut noise = Picture { width: 32, height: 32, rgb: vec![40; 32 * 32 * 3] };
    add_noise(&mut noise, 1, 12.0);
    assert_eq!(read(&noise), Reading::default());
}

#[test]
fn blobs_without_a_shape_are_not_things() {
    // A white bar across the picture and a thin frame.
    let bar = |_: u32, row: u32| (14..18).contains(&row);
    let frame = |column: u32, row: u32| {
        let edge = |at: u32| at == 8 || at == 23;
        (8..24).contains(&row) && (8..24).contains(&column) && (edge(column) || edge(row))
    };
    let patterns: [&dyn Fn(u32, u32) -> bool; 2] = [&bar, &frame];
    for pattern in patterns {
        let rgb = (0..32 * 32u32).flat_map(|at| [if pattern(at % 32, at / 32) { 240 } else { 20 }; 3]).collect();
        assert_eq!(read(&Picture { width: 32, height: 32, rgb }), Reading::default());
    }
}

#[test]
fn faded_colours_are_still_read() {
    let share = exact(32, 500, |mut picture, _| {
        for value in &mut picture.rgb {
            *value = (f32::from(*value) * 0.75) as u8;
        }
        picture
    });
    assert!(share > 0.99, "{share}");
}
