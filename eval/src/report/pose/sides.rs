//! Which keypoints are on the left and which on the right.

use serde::Serialize;
use tessera_datasets::pose::Skeleton;

/// A side of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// The animal's left.
    Left,
    /// Its right.
    Right,
    /// Neither, or not known.
    Middle,
}

/// The side of each keypoint: by the skeleton's mirror where it has one, else by names of which
/// there is one for each side.
pub(super) fn of(skeleton: &Skeleton) -> Vec<Side> {
    let mut sides = vec![Side::Middle; skeleton.keypoints.len()];
    let pairs: Vec<[usize; 2]> = match skeleton.mirror.is_empty() {
        true => (0..sides.len()).filter_map(|left| Some([left, other_side(skeleton, left)?])).collect(),
        false => {
            let pair = |[a, b]: &[String; 2]| Some([skeleton.index(a)?, skeleton.index(b)?]);
            let ordered = |[a, b]: [usize; 2]| if other_side(skeleton, b) == Some(a) { [b, a] } else { [a, b] };
            skeleton.mirror.iter().filter_map(pair).map(ordered).collect()
        }
    };
    for [left, right] in pairs {
        (sides[left], sides[right]) = (Side::Left, Side::Right);
    }
    sides
}

/// The keypoint that has the same name on the right, of one whose name is of the left.
fn other_side(skeleton: &Skeleton, keypoint: usize) -> Option<usize> {
    let name = skeleton.keypoints[keypoint].as_str();
    let words = [("left", "right"), ("Left", "Right"), ("LEFT", "RIGHT"), ("_L_", "_R_"), ("_l_", "_r_")];
    let mut names: Vec<String> =
        words.iter().filter(|(l, _)| name.contains(l)).map(|(l, r)| name.replacen(l, r, 1)).collect();
    names.extend(name.strip_suffix('L').map(|start| format!("{start}R")));
    names.extend(name.strip_suffix("_l").map(|start| format!("{start}_r")));
    names.extend(name.strip_prefix('L').map(|rest| format!("R{rest}")));
    names.extend(name.strip_prefix("l_").map(|rest| format!("r_{rest}")));
    names.iter().find_map(|name| skeleton.index(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sides(names: &[&str], mirror: &[[&str; 2]]) -> Vec<Side> {
        of(&Skeleton {
            name: "a".to_owned(),
            unit: "mm".to_owned(),
            keypoints: names.iter().map(|name| (*name).to_owned()).collect(),
            edges: Vec::new(),
            frames_per_second: None,
            scale: None,
            mirror: mirror.iter().map(|pair| pair.map(str::to_owned)).collect(),
        })
    }

    #[test]
    fn names_have_sides_only_in_pairs() {
        use Side::{Left, Middle, Right};
        assert_eq!(sides(&["EarL", "EarR", "SpineL", "Snout"], &[]), [Left, Right, Middle, Middle]);
        assert_eq!(sides(&["LF_leg_0", "RF_leg_0", "leftEar", "rightEar"], &[]), [Left, Right, Left, Right]);
        assert_eq!(sides(&["paw_r", "paw_l"], &[]), [Right, Left]);
    }

    #[test]
    fn the_mirror_decides_where_there_is_one() {
        use Side::{Left, Middle, Right};
        assert_eq!(sides(&["a", "b", "EarL", "EarR"], &[["a", "b"]]), [Left, Right, Middle, Middle]);
        assert_eq!(sides(&["EarL", "EarR"], &[["EarR", "EarL"]]), [Left, Right]);
    }
}
