//! One pass over a line in place of sacrebleu's chains of regular expressions.
//!
//! Those expressions only insert spaces, so all there is to know of a line is where it is cut. A
//! symbol is cut off on both sides. A mark (`.` and `,`, or any punctuation) is cut off by two
//! passes, one that looks at what stands before it and one that looks at what stands after it:
//!
//! ```text
//! ([^0-9])([.,]) -> "\1 \2 "        ([.,])([^0-9]) -> " \1 \2"
//! ```
//!
//! Neither matches overlap, so of a run of marks the first pass isolates every second one, and
//! whether the last of them is cut off from what follows hangs on the length of the run.
//! [`Run::cut`] has the cases worked out.

/// What a character is to a tokenizer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// It separates tokens and is in none.
    Space,
    /// A number: marks between two of them stay.
    Digit,
    /// Cut off, unless between digits.
    Mark,
    /// A token of its own.
    Symbol,
    /// Cut off where a digit stands before it.
    Dash,
    /// Anything else.
    Other,
    /// No character: the begin or the end of a line that gets no space around it. No expression
    /// matches there, so a mark beside it stays as beside a digit.
    Edge,
}

/// How a tokenizer sees characters.
pub(super) trait Classes {
    /// What stands before and after a line.
    const OUTSIDE: Class;

    /// The class of what begins at a byte, and its length in bytes. Characters that are not ASCII
    /// may be taken byte by byte where they are [`Class::Other`].
    fn class(&self, text: &str, at: usize) -> (Class, usize);
}

/// Hands on the tokens of a line in order.
pub(super) fn scan<C: Classes>(classes: &C, text: &str, token: &mut impl FnMut(&str)) {
    let mut before = C::OUTSIDE;
    // the first byte of the token that is being read
    let mut start = 0;
    let mut at = 0;
    while at < text.len() {
        let (class, width) = classes.class(text, at);
        let end = at + width;
        match class {
            Class::Space => {
                emit(text, start, at, token);
                start = end;
            }
            Class::Symbol => start = isolate(text, start, at, end, token),
            Class::Dash if before == Class::Digit => start = isolate(text, start, at, end, token),
            Class::Mark => {
                let run = Run::read(classes, text, at, before);
                start = run.cut(classes, text, start, token);
                at = run.end;
                before = class;
                continue;
            }
            _ => {}
        }
        before = class;
        at = end;
    }
    emit(text, start, text.len(), token);
}

fn emit(text: &str, start: usize, end: usize, token: &mut impl FnMut(&str)) {
    if start < end {
        token(&text[start..end]);
    }
}

/// Ends the token before, makes one of its own and says where the next begins.
fn isolate(text: &str, start: usize, at: usize, end: usize, token: &mut impl FnMut(&str)) -> usize {
    emit(text, start, at, token);
    token(&text[at..end]);
    end
}

/// Marks that follow one another.
struct Run {
    start: usize,
    end: usize,
    count: usize,
    /// Whether the first pass cannot match the first mark: a digit or nothing stands before it.
    held: bool,
    /// Whether the second pass matches the last mark: what follows is there and no digit.
    followed: bool,
}

impl Run {
    fn read<C: Classes>(classes: &C, text: &str, start: usize, before: Class) -> Self {
        let (mut end, mut count, mut after) = (start, 0, C::OUTSIDE);
        while end < text.len() {
            let (class, width) = classes.class(text, end);
            if class != Class::Mark {
                after = class;
                break;
            }
            end += width;
            count += 1;
        }
        let is_outside = |class| matches!(class, Class::Digit | Class::Edge);
        Self { start, end, count, held: is_outside(before), followed: !is_outside(after) }
    }

    /// Hands on what is cut off and says where the next token begins.
    ///
    /// A single mark that is held stays, unless the second pass takes it. In every other run all
    /// marks are cut from one another and from what is before: of a run that is not held the first
    /// pass isolates the first, third, … mark; of one that is held the second, fourth, …, and the
    /// second pass cuts before the first because a space now follows it. If the last one was
    /// isolated it is cut from what follows, else only if the second pass matches it.
    fn cut<C: Classes>(&self, classes: &C, text: &str, start: usize, token: &mut impl FnMut(&str)) -> usize {
        if self.held && self.count == 1 && !self.followed {
            return start;
        }
        let last_isolated = (self.count % 2 == 1) != self.held;
        emit(text, start, self.start, token);
        let mut at = self.start;
        for _ in 1..self.count {
            let end = at + classes.class(text, at).1;
            token(&text[at..end]);
            at = end;
        }
        match last_isolated || self.followed {
            true => {
                token(&text[at..self.end]);
                self.end
            }
            false => at,
        }
    }
}
