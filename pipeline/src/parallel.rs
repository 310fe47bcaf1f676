//! Work by number, on all threads of the current rayon pool, started in order.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tessera_datasets::{Error, Result};

/// Does `work` for 0 to `count - 1` and returns the results in that order.
///
/// Items are started in order, unlike by a parallel iterator, so that what is done at any moment is
/// nearly a beginning of the whole. After a failure no new item is started.
///
/// # Errors
/// The error of the first item in order that failed.
pub(crate) fn each<T: Send>(count: usize, work: impl Fn(usize) -> Result<T> + Sync) -> Result<Vec<T>> {
    let next = AtomicUsize::new(0);
    let failed = AtomicBool::new(false);
    let results: Mutex<Vec<Option<Result<T>>>> = Mutex::new((0..count).map(|_| None).collect());
    let worker = || {
        while !failed.load(Ordering::Relaxed) {
            let item = next.fetch_add(1, Ordering::Relaxed);
            if item >= count {
                return;
            }
            let result = work(item);
            if result.is_err() {
                failed.store(true, Ordering::Relaxed);
            }
            if let Ok(mut results) = results.lock() {
                results[item] = Some(result);
            }
        }
    };
    rayon::scope(|scope| {
        for _ in 0..rayon::current_num_threads().min(count) {
            scope.spawn(|_| worker());
        }
    });
    let results = results.into_inner().map_err(|_| Error::internal("a thread stopped half-way"))?;
    // items are started in order, so what was not done stands behind the error
    let done = results.into_iter().map(|result| result.unwrap_or_else(|| Err(Error::internal("an item was left out"))));
    done.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_order_and_the_first_error_wins() {
        assert_eq!(each(100, |i| Ok(i * i)).unwrap(), (0..100).map(|i| i * i).collect::<Vec<_>>());
        let error = each(100, |i| if i >= 7 { Err(Error::input(format!("item {i}"))) } else { Ok(i) }).unwrap_err();
        assert!(error.to_string().starts_with("item"), "{error}");
        assert!(each(0, |_| Ok(())).unwrap().is_empty());
    }
}
