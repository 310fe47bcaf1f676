//! The background reader: batches are made on threads of their own while the device works.
//!
//! A batch is a pure function of the step. That one integer is therefore the whole state of the
//! reader, and a resumed run sees the batches that it would have seen.

use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;

use tch::Tensor;
use tessera_datasets::{Error, Result};

/// How many batches are made ahead, by all threads together.
const AHEAD: usize = 4;

/// The tensors of one step, on the CPU.
pub struct Batch {
    /// The tensors, in the order that the task knows.
    pub tensors: Vec<Tensor>,
    /// How many tokens, images or poses they hold: what the rate counts.
    pub items: u64,
}

/// Makes batches. Implementations hold the data and are shared with the background thread.
pub trait BatchSource: Send + Sync {
    /// The batch of one step, counted from 0. The same step gives the same batch.
    ///
    /// # Errors
    /// When a row cannot be read.
    fn batch(&self, step: u64) -> Result<Batch>;
}

/// Reads ahead on threads of its own: each makes every so-manyth batch, and they are handed out in
/// order.
pub struct Loader {
    readers: Vec<Reader>,
    /// Whose turn it is.
    next: usize,
}

struct Reader {
    receiver: Option<Receiver<Result<Batch>>>,
    thread: Option<JoinHandle<()>>,
}

impl Loader {
    /// Starts to make the batches of these steps on `threads` threads, at least one.
    ///
    /// # Errors
    /// When the machine has no thread left.
    pub fn start(source: Arc<dyn BatchSource>, steps: Range<u64>, threads: usize) -> Result<Self> {
        let threads = threads.max(1);
        let start = |number: usize| {
            let mine = steps.clone().skip(number).step_by(threads);
            Reader::start(source.clone(), mine, AHEAD.div_ceil(threads), number)
        };
        Ok(Self { readers: (0..threads).map(start).collect::<Result<_>>()?, next: 0 })
    }

    /// The next batch.
    ///
    /// # Errors
    /// When the reader failed.
    pub fn next_batch(&mut self) -> Result<Batch> {
        let reader = &self.readers[self.next];
        self.next = (self.next + 1) % self.readers.len();
        match reader.receiver.as_ref().and_then(|r| r.recv().ok()) {
            Some(batch) => batch,
            None => Err(Error::internal("the background reader stopped before the last step")),
        }
    }
}

impl Reader {
    fn start(
        source: Arc<dyn BatchSource>,
        steps: impl Iterator<Item = u64> + Send + 'static,
        ahead: usize,
        number: usize,
    ) -> Result<Self> {
        let (sender, receiver) = sync_channel(ahead);
        let work = move || {
            for step in steps {
                let batch = source.batch(step);
                let failed = batch.is_err();
                // the loop may have ended early: then nobody listens, and there is no more to do
                if sender.send(batch).is_err() || failed {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name(format!("reader {number}")).spawn(work)?;
        Ok(Self { receiver: Some(receiver), thread: Some(thread) })
    }
}

impl Drop for Loader {
    fn drop(&mut self) {
        // closing the channels ends the threads at their next batch; all are told before any is
        // waited for
        self.readers.iter_mut().for_each(|reader| reader.receiver = None);
        for thread in self.readers.iter_mut().filter_map(|reader| reader.thread.take()) {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Numbers;

    impl BatchSource for Numbers {
        fn batch(&self, step: u64) -> Result<Batch> {
            if step == 7 {
                return Err(Error::input("row 7 is bad"));
            }
            Ok(Batch { tensors: vec![Tensor::from(step as i64)], items: 1 })
        }
    }

    #[test]
    fn batches_come_in_order_and_an_error_comes_through() {
        for threads in [1, 2, 3, 9] {
            let mut loader = Loader::start(Arc::new(Numbers), 3..10, threads).unwrap();
            for step in 3..7 {
                assert_eq!(loader.next_batch().unwrap().tensors[0].int64_value(&[]), step);
            }
            let error = loader.next_batch().err().unwrap();
            assert_eq!(error.to_string(), "row 7 is bad");
        }
    }

    #[test]
    fn a_loop_that_ends_early_leaves_no_thread_behind() {
        for threads in [1, 4] {
            let mut loader = Loader::start(Arc::new(Numbers), 0..7, threads).unwrap();
            loader.next_batch().unwrap();
            drop(loader);
        }
    }
}
