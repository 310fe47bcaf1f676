//! Runs of frames that follow one another.

use std::ops::Range;

/// The longest runs of frames whose numbers follow one another and that are `usable`, in order.
pub(super) fn runs(numbers: &[i64], usable: impl Fn(usize) -> bool) -> Vec<Range<usize>> {
    let mut out: Vec<Range<usize>> = Vec::new();
    for frame in (0..numbers.len()).filter(|frame| usable(*frame)) {
        match out.last_mut() {
            Some(last) if last.end == frame && numbers[frame - 1].checked_add(1) == Some(numbers[frame]) => {
                last.end = frame + 1;
            }
            _ => out.push(frame..frame + 1),
        }
    }
    out
}

/// Windows that begin every `stride` frames of each run. What is left at the end of a run is a
/// window of its own if it has `minimum` frames; also says how many frames are in no window.
pub(super) fn side_by_side(
    runs: &[Range<usize>],
    window: usize,
    stride: usize,
    minimum: usize,
) -> (Vec<Range<usize>>, usize) {
    let mut windows = Vec::new();
    let mut left_over = 0;
    for run in runs {
        let mut covered = run.start;
        for first in run.clone().step_by(stride) {
            let frames = first..run.end.min(first + window);
            if frames.len() < minimum || frames.end <= covered {
                break;
            }
            left_over += frames.start.saturating_sub(covered);
            covered = frames.end;
            windows.push(frames);
        }
        left_over += run.end - covered;
    }
    (windows, left_over)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_in_time_and_a_frame_that_cannot_be_used_end_a_run() {
        let numbers = [0, 1, 2, 4, 5, 6, 7, i64::MAX, i64::MIN];
        assert_eq!(runs(&numbers, |_| true), [0..3, 3..7, 7..8, 8..9]);
        assert_eq!(runs(&numbers, |frame| frame != 1 && frame != 8), [0..1, 2..3, 3..7, 7..8]);
        assert!(runs(&[], |_| true).is_empty());
    }

    #[test]
    fn windows_stand_side_by_side_and_rests_are_counted() {
        let one = |end: usize, window, stride, minimum| {
            side_by_side(std::slice::from_ref(&(0..end)), window, stride, minimum)
        };
        assert_eq!(one(100, 30, 30, 20), (vec![0..30, 30..60, 60..90], 10));
        assert_eq!(side_by_side(&[0..100, 110..135], 30, 30, 10), (vec![0..30, 30..60, 60..90, 90..100, 110..135], 0));
        assert_eq!(one(10, 30, 30, 20), (vec![], 10));
        // overlapping windows do not end in the middle of what is covered
        assert_eq!(one(50, 30, 10, 20), (vec![0..30, 10..40, 20..50], 0));
        assert_eq!(one(50, 10, 20, 10), (vec![0..10, 20..30, 40..50], 20));
    }
}
