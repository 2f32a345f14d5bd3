// What the runner tells the page.

/// `keySystem`; `keys`, which maps key ids to keys (hex); `note`, which keeps a text for the
/// report.
export const context = {};
