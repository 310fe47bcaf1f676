//! The built-in data set: a small world that is drawn from a seed.
//!
//! A [`Scene`] is a few coloured shapes in places. From it come a picture ([`render`]), a class
//! ([`Scene::label`]), sentences in English and German ([`caption`], [`sentence`], [`story`]) and
//! the [`Statement`]s they make. [`read`] goes back from pixels to what is in the picture, so that
//! a generated picture can be scored against its prompt, and a generated caption against its
//! scene, by rule. [`animal`] simulates an animal in motion and gives 3D keypoint tracks.
//!
//! Everything here is a pure function of its arguments: any thread can make any item.
//!
//! It is a test bed in the manner of CLEVR (Johnson et al. 2017) and ShapeWorld (Kuhnle and
//! Copestake 2017), not a substitute for real data.

pub mod animal;
mod checker;
mod english;
mod german;
mod grammar;
mod options;
mod random;
mod render;
mod scene;
mod sentence;
mod statement;
mod thing;

pub use checker::{Found, MIN_FIT, check, find, read};
pub use english::parse_english;
pub use german::parse_german;
pub use options::{Combinations, MAX_OBJECTS, MAX_SIZE, MIN_SIZE, SceneOptions, SceneOptionsError};
pub use render::{Picture, render};
pub use scene::{Object, SUBPIXELS, Scene};
pub use sentence::{Sentence, caption, sentence, story, text};
pub use statement::{Noun, Reading, Relation, Statement, holds, statements};
pub use thing::{Colour, Kind, Place, Shape, Thing, class_names, is_held_out};
