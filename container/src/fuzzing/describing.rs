//! Describes any input, and finds its segments.

use std::ops::Range;

use container::{Description, Planner, SegmentIndex, Window};

/// Reads the headers and the index of an input. What they say lies in it.
pub(crate) fn describe(input: &[u8]) {
    let window = Window::new(0, input);
    let len = input.len() as u64;
    // Segments that come without their init segment.
    if let Ok(mut planner) = Planner::with_init(&window) {
        let _ = planner.next_unit(&window, true);
    }
    let Ok(found) = Description::read(&window) else { return };
    assert_eq!(Description::read(&window).as_ref().ok(), Some(&found));
    let lies_inside = |range: &Range<u64>| range.start <= range.end && range.end <= len;
    assert!(lies_inside(&found.init) && found.indexes.iter().all(lies_inside));
    assert!(found.tracks.iter().all(|track| !track.entries.is_empty()));
    let Ok(Some(index)) = SegmentIndex::read(&window, &found) else { return };
    assert_eq!(index.range, found.indexes[0]);
    assert!(index.timescale > 0 && !index.segments.is_empty());
    let follows = |pair: &[container::Segment]| pair[0].range.end == pair[1].range.start;
    assert!(index.segments.windows(2).all(follows));
    let ranges = index.segments.iter().map(|segment| &segment.range);
    assert!(ranges.into_iter().all(|range| lies_inside(range) && !range.is_empty()));
}
