//! Threads that share out one job, piece by piece.
//!
//! Each thread takes the next piece, works on it, and puts the result where it belongs. So one reads
//! while another decrypts and a third writes, and no piece waits in a queue: memory is what one piece
//! needs, for each thread.

use std::{
    num::NonZero,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};

use anyhow::anyhow;

/// Works on all pieces that `next` finds, in at most so many threads.
///
/// `next` is called by one thread at a time, so it finds the pieces in order. It may fill the buffer,
/// which `work` gets with the piece.
///
/// # Errors
/// The error of the first piece that has one. All pieces before it are worked on.
pub(crate) fn run<P>(
    threads: NonZero<usize>,
    next: impl FnMut(&mut Vec<u8>) -> anyhow::Result<Option<P>> + Send,
    work: impl Fn(P, &mut Vec<u8>, &Turn<'_>) -> anyhow::Result<()> + Sync,
) -> anyhow::Result<()> {
    let queue = Queue::default();
    let source = Mutex::new((next, 0));
    // Works on one piece. `false`: there are no more.
    let step = |buffer: &mut Vec<u8>| {
        // Another thread has panicked there: nobody knows what comes next.
        let Ok(mut source) = source.lock() else { return false };
        let (next, number) = &mut *source;
        let turn = Turn { queue: &queue, number: *number };
        if queue.lock().failed.is_some() {
            return false;
        }
        let piece = match next(buffer) {
            Ok(Some(piece)) => piece,
            Ok(None) => return false,
            Err(error) => {
                queue.fail(turn.number, error);
                return false;
            }
        };
        *number += 1;
        drop(source);
        if let Err(error) = work(piece, buffer, &turn) {
            queue.fail(turn.number, error);
        }
        true
    };
    let mut buffer = Vec::new();
    if (0..ALONE).all(|_| step(&mut buffer)) {
        let serve = |mut buffer| while step(&mut buffer) {};
        thread::scope(|scope| {
            for _ in 1..threads.get() {
                // With fewer threads than wanted it takes longer, that is all.
                let _ = thread::Builder::new().spawn_scoped(scope, || serve(Vec::new()));
            }
            serve(buffer);
        });
    }
    match queue.state.into_inner().unwrap_or_else(PoisonError::into_inner).failed {
        Some((_, error)) => Err(error),
        None => Ok(()),
    }
}

/// Pieces that come before other threads do: headers come first, and small inputs have nothing else.
const ALONE: usize = 4;

/// The number of a piece, and its place in the queue of those that want to be put out in order.
pub(crate) struct Turn<'q> {
    queue: &'q Queue,
    number: u64,
}

impl Turn<'_> {
    /// Waits until all pieces before this one are done, or have [passed](Self::pass) their turns on. They have
    /// to wait, too.
    ///
    /// `false`: one of them has failed, and nothing of this one shall be put out.
    pub(crate) fn wait(&self) -> bool {
        let mut state = self.queue.lock();
        while !state.is_failed_before(self.number) && state.done < self.number {
            state = self.queue.moved.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        !state.is_failed_before(self.number)
    }

    /// Gives the turn to the next piece, if it is this one's: what is left of this one needs no order.
    pub(crate) fn pass(&self) {
        let mut state = self.queue.lock();
        if state.done == self.number {
            state.done += 1;
            self.queue.moved.notify_all();
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.queue.fail(self.number, anyhow!("a thread has panicked"));
        }
        self.pass();
    }
}

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    moved: Condvar,
}

#[derive(Default)]
struct State {
    /// How many pieces have had their turns.
    done: u64,
    /// The first piece that has failed, and why.
    failed: Option<(u64, anyhow::Error)>,
}

impl State {
    fn is_failed_before(&self, number: u64) -> bool {
        self.failed.as_ref().is_some_and(|(failed, _)| *failed < number)
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fail(&self, number: u64, error: anyhow::Error) {
        let mut state = self.lock();
        if state.failed.as_ref().is_none_or(|(failed, _)| number < *failed) {
            state.failed = Some((number, error));
        }
        self.moved.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicU64, Ordering},
        time::Duration,
    };

    use super::*;

    const ALL: [usize; 4] = [1, 2, 3, 8];

    /// Numbers below `end`, each in the buffer, too.
    fn count(end: u64) -> impl FnMut(&mut Vec<u8>) -> anyhow::Result<Option<u64>> + Send {
        let mut numbers = 0..end;
        move |buffer| {
            let number = numbers.next();
            buffer.clear();
            buffer.extend(number.iter().flat_map(|number| number.to_le_bytes()));
            Ok(number)
        }
    }

    /// Lets threads overtake each other, the same way every time.
    fn dawdle(number: u64) {
        thread::sleep(Duration::from_micros(number * 7919 % 13 * 40));
    }

    #[test]
    fn every_piece_is_worked_on_once_and_put_out_in_order() {
        for threads in ALL {
            let (out, sum) = (Mutex::new(Vec::new()), AtomicU64::new(0));
            run(NonZero::new(threads).unwrap(), count(200), |number, buffer, turn| {
                assert_eq!(**buffer, number.to_le_bytes());
                sum.fetch_add(number, Ordering::Relaxed);
                dawdle(number);
                assert!(turn.wait());
                out.lock().unwrap().push(number);
                Ok(())
            })
            .unwrap();
            assert_eq!(out.into_inner().unwrap(), (0..200).collect::<Vec<_>>(), "{threads}");
            assert_eq!(sum.into_inner(), 199 * 100);
        }
    }

    #[test]
    fn what_is_left_of_a_piece_needs_no_order() {
        for threads in ALL {
            let (seen, left) = (Mutex::new(Vec::new()), AtomicU64::new(0));
            run(NonZero::new(threads).unwrap(), count(200), |number, _, turn| {
                dawdle(number);
                assert!(turn.wait());
                seen.lock().unwrap().push(number);
                turn.pass();
                // The next piece has its turn meanwhile, and this one's does not come again.
                dawdle(number + 1);
                turn.pass();
                left.fetch_add(1, Ordering::Relaxed);
                Ok(())
            })
            .unwrap();
            assert_eq!(seen.into_inner().unwrap(), (0..200).collect::<Vec<_>>(), "{threads}");
            assert_eq!(left.into_inner(), 200);
        }
    }

    #[test]
    fn the_first_error_counts_and_all_before_it_is_put_out() {
        for threads in ALL {
            let out = Mutex::new(Vec::new());
            let failed = run(NonZero::new(threads).unwrap(), count(200), |number, _, turn| {
                dawdle(number);
                if [50, 51, 53].contains(&number) {
                    anyhow::bail!("piece {number}");
                }
                if turn.wait() {
                    out.lock().unwrap().push(number);
                }
                Ok(())
            });
            assert_eq!(failed.unwrap_err().to_string(), "piece 50", "{threads}");
            assert_eq!(out.into_inner().unwrap(), (0..50).collect::<Vec<_>>(), "{threads}");
        }
    }

    #[test]
    fn an_error_of_the_source_comes_behind_those_of_pieces() {
        for threads in ALL {
            let source = |end: u64| {
                let mut count = count(end);
                move |buffer: &mut Vec<u8>| match count(buffer)? {
                    Some(number) => Ok(Some(number)),
                    None => anyhow::bail!("the source"),
                }
            };
            let done = AtomicU64::new(0);
            let work = |number, _: &mut Vec<u8>, _: &Turn<'_>| {
                dawdle(number);
                done.fetch_add(1, Ordering::Relaxed);
                if number == 7 { anyhow::bail!("piece 7") } else { Ok(()) }
            };
            let threads = NonZero::new(threads).unwrap();
            assert_eq!(run(threads, source(5), work).unwrap_err().to_string(), "the source");
            assert_eq!(done.load(Ordering::Relaxed), 5);
            assert_eq!(run(threads, source(8), work).unwrap_err().to_string(), "piece 7");
        }
    }

    #[test]
    fn a_panic_ends_all_threads() {
        for threads in ALL {
            let panicked = std::panic::catch_unwind(|| {
                run(NonZero::new(threads).unwrap(), count(200), |number, _, turn| {
                    assert_ne!(number, 20, "this is the panic that is wanted");
                    turn.wait();
                    Ok(())
                })
            });
            assert!(panicked.is_err(), "{threads}");
        }
    }
}
