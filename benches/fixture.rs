//! Streams as other people's tools made them.

use container::{Plan, Window};
use container::{Planner, Step};

use crate::{Shape, Stream};

impl Stream {
    /// The protected samples of a file's first track of a kind (`vide`, `soun`): their lengths, IVs
    /// and subsamples, in order.
    ///
    /// # Panics
    /// If there are none, or they do not all have the same scheme and pattern.
    #[must_use]
    pub fn of_file(file: &[u8], handler: [u8; 4]) -> Self {
        let plans = plans(file);
        let mut tracks = plans.iter().flat_map(Plan::tracks);
        let track = tracks.find(|track| track.handler == handler).expect("a track of that kind");
        let mut stream: Option<Self> = None;
        for plan in &plans {
            for sample in plan.samples() {
                let protection = &plan.protections()[sample.protection as usize];
                if plan.scopes()[protection.scope as usize].track != track.id {
                    continue;
                }
                let (scheme, pattern) = (protection.scheme, protection.pattern);
                let stream =
                    stream.get_or_insert_with(|| Self { scheme, pattern, shapes: Vec::new() });
                assert_eq!((stream.scheme, stream.pattern), (scheme, pattern));
                stream.shapes.push(Shape {
                    len: sample.len as usize,
                    iv: plan.iv(sample),
                    subsamples: plan.subsamples(sample).map(<[_]>::to_vec),
                });
            }
        }
        stream.expect("a protected sample")
    }
}

fn plans(file: &[u8]) -> Vec<Plan> {
    let (mut planner, mut plans) = (Planner::new(), Vec::new());
    while let Step::Unit(plan) = planner.next_unit(&Window::new(0, file), true).expect("a file") {
        plans.push(plan);
    }
    plans
}
