//! Random scenes: a few things in places on a square canvas.

use super::{Combinations, Kind, Place, SceneOptions, Thing, random};
use rand::{Rng, RngExt, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

/// How many units of [`Object::x`], [`Object::y`] and [`Object::half`] one pixel has.
pub const SUBPIXELS: i32 = 16;

/// One object of a scene: what it is, and its exact outline on the canvas.
///
/// Lengths are in [`SUBPIXELS`] per pixel, integers so that every machine draws the same bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Object {
    /// Shape, colour and place.
    pub thing: Thing,
    /// Horizontal centre of the bounding box, from the left edge of the canvas.
    pub x: i32,
    /// Vertical centre of the bounding box, from the upper edge of the canvas.
    pub y: i32,
    /// Half the side of the bounding box.
    pub half: i32,
}

/// A scene: the common source of a picture, its class, its sentences and their truth.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Scene {
    /// Side of the square canvas in pixels.
    pub size: u32,
    /// The objects in reading order (by row, then column), at most one for each place.
    pub objects: Vec<Object>,
    /// Seed of the background.
    pub texture: u64,
    /// Seed of the choice of words.
    pub wording: u64,
}

impl Scene {
    /// Scene number `index` of `seed`: a pure function of its three arguments.
    #[must_use]
    pub fn draw(seed: u64, index: u64, options: &SceneOptions) -> Self {
        let mut rng = random::generator(seed, index);
        let texture = rng.next_u64();
        let wording = rng.next_u64();
        let count = rng.random_range(options.objects());
        let mut places = Place::ALL;
        places.shuffle(&mut rng);

        let mut objects: Vec<Object> = Vec::with_capacity(usize::from(count));
        for &place in places.iter().take(usize::from(count)) {
            let before = objects.last().map(|object| object.thing.kind());
            let thing = draw_thing(&mut rng, place, before, options.combinations());
            objects.push(draw_object(&mut rng, thing, options.size()));
        }
        objects.sort_by_key(|object| object.thing);
        Self { size: options.size(), objects, texture, wording }
    }

    /// The things of the scene in reading order.
    pub fn things(&self) -> impl Iterator<Item = Thing> {
        self.objects.iter().map(|object| object.thing)
    }

    /// The class of the scene for image classification: the kind of its first object in reading
    /// order, as a position in [`class_names`](super::class_names). `None` without objects.
    #[must_use]
    pub fn label(&self) -> Option<usize> {
        self.objects.first().map(|object| object.thing.kind().class())
    }
}

/// Draws the kind of thing for `place`. One in four repeats the kind `before`, so that sentences
/// have something to count.
fn draw_thing(rng: &mut ChaCha8Rng, place: Place, before: Option<Kind>, combinations: Combinations) -> Thing {
    let thing = |kind: Kind| Thing { place, colour: kind.colour, shape: kind.shape };
    let repeat = rng.random_range(0..4u32) == 0;
    if let Some(kind) = before.filter(|&kind| repeat && combinations.allow(thing(kind))) {
        return thing(kind);
    }
    let allowed: Vec<Thing> = Kind::all().map(thing).filter(|&thing| combinations.allow(thing)).collect();
    // Not empty: at each place some kinds are held out and others not, as a test of `thing` shows.
    allowed[rng.random_range(0..allowed.len())]
}

/// Sets a thing into its cell: half side 27 to 33 % and offset up to 8 % of the cell's side, so
/// that neighbours stay almost two pixels apart on the smallest canvas.
fn draw_object(rng: &mut ChaCha8Rng, thing: Thing, size: u32) -> Object {
    let side = size as i32 * SUBPIXELS;
    let cell = side / 3;
    let offset = cell * 8 / 100;
    let middle = |index: usize| (2 * index as i32 + 1) * side / 6;
    Object {
        thing,
        x: middle(thing.place.column()) + rng.random_range(-offset..=offset),
        y: middle(thing.place.row()) + rng.random_range(-offset..=offset),
        half: rng.random_range(cell * 27 / 100..=cell * 33 / 100),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::MIN_SIZE;
    use proptest::prelude::*;

    fn options(combinations: Combinations) -> SceneOptions {
        SceneOptions::new(32, 1, 3, combinations).unwrap()
    }

    proptest! {
        #[test]
        fn scenes_are_pure_and_well_formed(seed: u64, index: u64, size in MIN_SIZE..200) {
            let options = SceneOptions::new(size, 1, 3, Combinations::All).unwrap();
            let scene = Scene::draw(seed, index, &options);
            prop_assert_eq!(&scene, &Scene::draw(seed, index, &options));
            prop_assert!((1..=3).contains(&scene.objects.len()));
            prop_assert!(scene.objects.windows(2).all(|w| w[0].thing.place < w[1].thing.place));
            for object in &scene.objects {
                let side = size as i32 * SUBPIXELS;
                let cell = side / 3;
                let place = object.thing.place;
                let left = place.column() as i32 * cell;
                let upper = place.row() as i32 * cell;
                prop_assert!(object.x - object.half > left && object.x + object.half < left + cell);
                prop_assert!(object.y - object.half > upper && object.y + object.half < upper + cell);
            }
        }
    }

    #[test]
    fn combinations_are_kept_apart_and_complete() {
        let things = |combinations| {
            let mut things: Vec<Thing> = (0..4000)
                .flat_map(|i| Scene::draw(5, i, &options(combinations)).objects)
                .map(|object| object.thing)
                .collect();
            things.sort();
            things.dedup();
            things
        };
        let seen = things(Combinations::Seen);
        let held_out = things(Combinations::HeldOut);
        assert!(seen.iter().all(|thing| !thing.is_held_out()));
        assert!(held_out.iter().all(|thing| thing.is_held_out()));
        assert_eq!((seen.len(), held_out.len()), (192, 24));
        assert_eq!(things(Combinations::All).len(), 216);
    }

    #[test]
    fn repeated_kinds_and_all_counts_are_common() {
        let scenes: Vec<Scene> = (0..1000).map(|i| Scene::draw(1, i, &SceneOptions::default())).collect();
        for count in 1..=3 {
            let share = scenes.iter().filter(|scene| scene.objects.len() == count).count();
            assert!((280..390).contains(&share), "{count}: {share}");
        }
        let repeats = scenes.iter().filter(|scene| {
            let mut kinds: Vec<Kind> = scene.things().map(Thing::kind).collect();
            kinds.sort();
            kinds.windows(2).any(|pair| pair[0] == pair[1])
        });
        assert!((150..400).contains(&repeats.count()));
    }

    #[test]
    fn seeds_and_indices_make_different_scenes() {
        let base = Scene::draw(1, 0, &SceneOptions::default());
        assert_ne!(base, Scene::draw(1, 1, &SceneOptions::default()));
        assert_ne!(base, Scene::draw(2, 0, &SceneOptions::default()));
    }

    #[test]
    fn label_is_the_first_object_in_reading_order() {
        let one = SceneOptions::default().one_object();
        let mut seen = [false; Kind::COUNT];
        for i in 0..500 {
            let scene = Scene::draw(3, i, &one);
            assert_eq!(scene.objects.len(), 1);
            assert_eq!(scene.label(), Some(scene.objects[0].thing.kind().class()));
            seen[scene.label().unwrap()] = true;
        }
        assert!(seen.iter().all(|&class| class));
        assert_eq!(Scene { size: 32, objects: vec![], texture: 0, wording: 0 }.label(), None);
    }
}
