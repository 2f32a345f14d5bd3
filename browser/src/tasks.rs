//! What waits for the host, and goes on when the host calls. One thread, no runtime.

use std::{
    cell::{Cell, RefCell},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Wake, Waker},
};

type Task = Pin<Box<dyn Future<Output = ()>>>;

/// Futures under way.
#[derive(Default)]
pub(crate) struct Tasks {
    list: RefCell<Vec<Task>>,
    /// Whether one of them may go on.
    awake: Arc<Flag>,
    is_running: Cell<bool>,
}

#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Tasks {
    /// Adds one. It begins with the next [`run`](Self::run).
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        self.list.borrow_mut().push(Box::pin(task));
        self.awake.0.store(true, Ordering::Relaxed);
    }

    /// Runs them all until each is over or waits. Within a task this does nothing: the run that it is
    /// in sees to the rest.
    pub(crate) fn run(&self) {
        if self.is_running.replace(true) {
            return;
        }
        // Also if a task panics.
        let _running = Running(self);
        let waker = Waker::from(Arc::clone(&self.awake));
        let mut context = Context::from_waker(&waker);
        while self.awake.0.swap(false, Ordering::Relaxed) {
            let mut tasks = self.list.take();
            tasks.retain_mut(|task| task.as_mut().poll(&mut context).is_pending());
            // Those that were added meanwhile come behind those that were there.
            let added = self.list.replace(tasks);
            self.list.borrow_mut().extend(added);
        }
    }

    /// Ends them all where they are. Within a task, those that are not running.
    pub(crate) fn clear(&self) {
        // What is dropped may call back: nothing is borrowed meanwhile.
        drop(self.list.take());
    }
}

struct Running<'t>(&'t Tasks);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.is_running.set(false);
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, rc::Rc, task::Poll};

    use super::*;

    #[test]
    fn tasks_run_in_order_and_may_add_others() {
        let (tasks, seen) = (Rc::new(Tasks::default()), Rc::new(RefCell::new(Vec::new())));
        for number in [1, 2] {
            let (within, seen) = (Rc::clone(&tasks), Rc::clone(&seen));
            tasks.spawn(async move {
                seen.borrow_mut().push(number);
                let later = Rc::clone(&seen);
                within.spawn(async move { later.borrow_mut().push(number + 10) });
                within.run();
                seen.borrow_mut().push(number + 20);
            });
        }
        assert!(seen.borrow().is_empty());
        tasks.run();
        assert_eq!(*seen.borrow(), [1, 21, 2, 22, 11, 12]);
        assert!(tasks.list.borrow().is_empty());
    }

    #[test]
    fn a_task_waits_until_it_is_woken() {
        let (tasks, ready, polled) =
            (Tasks::default(), Rc::new(Cell::new(false)), Rc::new(Cell::new(0)));
        let (is_ready, count) = (Rc::clone(&ready), Rc::clone(&polled));
        tasks.spawn(poll_fn(move |_| {
            count.set(count.get() + 1);
            if is_ready.get() { Poll::Ready(()) } else { Poll::Pending }
        }));
        tasks.run();
        tasks.run();
        assert_eq!(polled.get(), 1, "nobody woke it");
        ready.set(true);
        tasks.spawn(async {});
        tasks.run();
        assert_eq!(polled.get(), 2);
        assert!(tasks.list.borrow().is_empty());
    }

    #[test]
    fn after_a_panic_tasks_run_again() {
        let (tasks, done) = (Tasks::default(), Rc::new(Cell::new(false)));
        tasks.spawn(async { panic!("a panic that a test wants") });
        crate::guard::or((), || tasks.run());
        let is_done = Rc::clone(&done);
        tasks.spawn(async move { is_done.set(true) });
        tasks.run();
        assert!(done.get());
    }

    #[test]
    fn clear_ends_what_waits() {
        let (tasks, alive) = (Tasks::default(), Rc::new(()));
        let held = Rc::clone(&alive);
        tasks.spawn(async move {
            std::future::pending::<()>().await;
            drop(held);
        });
        tasks.run();
        assert_eq!(Rc::strong_count(&alive), 2);
        tasks.clear();
        assert_eq!(Rc::strong_count(&alive), 1);
    }
}
