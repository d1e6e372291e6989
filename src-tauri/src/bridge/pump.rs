//! Carries what changes to the page: each slice at most once in 16 ms, loudness ten times a second while wanted.

use std::mem::{Discriminant, discriminant};
use std::sync::Arc;
use std::time::Duration;

use calls_client::Update;
use calls_core::snapshot::{Call, CallPhase, Patch, Slice, Snapshot, TimelineChange};
use tauri::{AppHandle, Emitter, Manager};
use tokio::time::{Instant, sleep_until};

use super::loudness::Loudness;
use super::pages::{News, Pages};
use crate::start::Running;

/// One frame of a 60 Hz screen: a page cannot show more.
const FRAME: Duration = Duration::from_millis(16);

/// How often loudness is told: quick enough for a meter…
const LEVELS_EVERY: Duration = Duration::from_millis(100);

/// …and less often where it but widens a ring: each change is a repaint.
const RINGS_EVERY: Duration = Duration::from_millis(200);

/// Keeps the newest value of each slice until it is time to send it.
#[derive(Debug, Default)]
struct Coalescer {
    // Few slices: a list is simpler than a map whose key cannot be ordered.
    waiting: Vec<(Discriminant<Slice>, Arc<Patch>)>,
}

impl Coalescer {
    /// Takes a change; true if nothing was waiting before, so that a frame begins.
    fn take(&mut self, patch: Arc<Patch>) -> bool {
        let begins = self.waiting.is_empty();
        let kind = discriminant(&patch.slice);
        self.waiting.retain(|(other, _)| *other != kind);
        self.waiting.push((kind, patch));
        begins
    }

    /// What to send, by revision: a page that keeps only the highest one seen loses nothing.
    fn drain(&mut self) -> Vec<Arc<Patch>> {
        let mut patches: Vec<Arc<Patch>> = self.waiting.drain(..).map(|(_, patch)| patch).collect();
        patches.sort_by_key(|patch| patch.revision);
        patches
    }
}

/// The timeline that the pages were told last.
#[derive(Debug, Default)]
struct Told(Option<Arc<Patch>>);

impl Told {
    /// What changed since, if the pages hold what was told last and the change is less than the whole. `begun`: a page
    /// began with a snapshot, which may lie between.
    fn change(
        &mut self,
        patch: &Arc<Patch>,
        begun: impl FnOnce() -> bool,
    ) -> Option<TimelineChange> {
        let Slice::Timeline(new) = &patch.slice else {
            return None;
        };
        let last = self.0.replace(Arc::clone(patch));
        if begun() {
            return None;
        }
        let last = last?;
        let Slice::Timeline(old) = &last.slice else {
            return None;
        };
        TimelineChange::between((last.revision, old), (patch.revision, new))
    }
}

/// Runs until the core ends. Wakes only when something has changed, or while sound is measured: an idle window
/// costs nothing. A page that cannot take an event (it is being loaded again) asks for the snapshot anyway, so a
/// failed emission is nothing.
pub(crate) async fn pump(app: AppHandle, core: Running) {
    let pages = app.state::<Pages>();
    let mut patches = core.handle().patches();
    let mut metering = core.metering();
    let mut in_call = in_call(&core.snapshot().call);
    let mut loudness = Loudness::default();
    let mut coalescer = Coalescer::default();
    let mut told = Told::default();
    let mut frame_ends: Option<Instant> = None;
    let mut looked = Instant::now();
    loop {
        let metered = *metering.borrow_and_update();
        let wanted = in_call || metered;
        let look = looked + if metered { LEVELS_EVERY } else { RINGS_EVERY };
        tokio::select! {
            update = patches.next() => {
                let begins = match update {
                    Some(Update::Patch(patch)) => {
                        if let Slice::Call(call) = &patch.slice {
                            in_call = self::in_call(call);
                        }
                        coalescer.take(patch)
                    }
                    Some(Update::Whole(snapshot)) => {
                        in_call = self::in_call(&snapshot.call);
                        let mut begins = false;
                        for patch in slices(&snapshot) {
                            begins |= coalescer.take(patch);
                        }
                        begins
                    }
                    None => return,
                };
                if begins {
                    frame_ends = Some(Instant::now() + FRAME);
                }
            }
            () = at(frame_ends), if frame_ends.is_some() => {
                frame_ends = None;
                for patch in coalescer.drain() {
                    match told.change(&patch, || core.begun()) {
                        Some(change) => pages.tell(News::Rows(&change)),
                        None => pages.tell(News::Patch(&patch)),
                    }
                }
            }
            changed = metering.changed() => {
                // Its sender lives as long as the core.
                if changed.is_err() {
                    return;
                }
            }
            () = sleep_until(look), if wanted => {
                looked = Instant::now();
                let now = core.levels();
                let told = if metered { loudness.meter(&now) } else { loudness.rings(&now) };
                if let Some(told) = told {
                    let _ = app.emit("levels", told);
                }
            }
        }
    }
}

async fn at(when: Option<Instant>) {
    match when {
        Some(when) => sleep_until(when).await,
        None => std::future::pending().await,
    }
}

fn in_call(call: &Call) -> bool {
    !matches!(call.phase, CallPhase::Idle | CallPhase::Failed { .. })
}

/// Everything anew, when patches were missed. All have the snapshot's revision.
fn slices(snapshot: &Snapshot) -> Vec<Arc<Patch>> {
    let revision = snapshot.revision;
    snapshot
        .slices()
        .into_iter()
        .map(|slice| Arc::new(Patch { revision, slice }))
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use calls_core::snapshot::{Account, Link, Timeline};

    fn patch(revision: u64, slice: Slice) -> Arc<Patch> {
        Arc::new(Patch { revision, slice })
    }

    #[test]
    fn the_newest_value_of_each_slice_is_sent_once_in_order() {
        let mut coalescer = Coalescer::default();
        assert!(coalescer.take(patch(1, Slice::Link(Link::Connecting))));
        assert!(!coalescer.take(patch(2, Slice::Account(Account::NoServer))));
        assert!(!coalescer.take(patch(3, Slice::Link(Link::Up))));
        assert_eq!(
            coalescer.drain(),
            [
                patch(2, Slice::Account(Account::NoServer)),
                patch(3, Slice::Link(Link::Up))
            ]
        );
        assert!(coalescer.drain().is_empty());
        assert!(coalescer.take(patch(4, Slice::Link(Link::Down))));
    }

    #[test]
    fn a_timeline_is_told_whole_first_and_after_a_page_began_and_its_changes_else() {
        let typing = |revision, name: &str| {
            let timeline = Timeline {
                posts: vec![calls_core::snapshot::PostRow {
                    id: "p1".into(),
                    author: "u1".into(),
                    author_name: String::new(),
                    message: String::new(),
                    kind: calls_core::model::PostKind::Message,
                    create_at: 1,
                    edited: false,
                    root: None,
                    reply_count: 0,
                    delivery: calls_core::snapshot::Delivery::Sent,
                    reactions: Vec::new(),
                    files: Vec::new(),
                    editable: false,
                    deletable: false,
                    following: false,
                }],
                typing: vec![name.to_owned()],
                ..Timeline::default()
            };
            patch(revision, Slice::Timeline(timeline))
        };
        let mut told = Told::default();
        assert_eq!(told.change(&typing(3, "bob"), || false), None);
        assert_eq!(
            told.change(&patch(4, Slice::Link(Link::Up)), || false),
            None
        );
        let change = told.change(&typing(6, "carol"), || false).unwrap();
        assert_eq!((change.base, change.revision), (3, 6));
        assert!(change.timeline.posts.is_empty());
        assert_eq!(told.change(&typing(7, "dave"), || true), None);
        assert_eq!(told.change(&typing(9, "bob"), || false).unwrap().base, 7);
    }
}
