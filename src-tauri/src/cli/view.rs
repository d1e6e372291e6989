//! Watching without a window: everything that is done for a page that watches, except for the drawing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use calls_media::Screens;
use calls_media::video::Size;
use calls_media::video::view::page_bytes;

/// How long a picture is waited for before it is looked whether to go on.
const PATIENCE: Duration = Duration::from_millis(500);

/// Pause while nobody shares anything.
const NOTHING: Duration = Duration::from_millis(100);

/// A viewer at work; ends when dropped.
#[derive(Debug)]
pub(crate) struct Viewer {
    over: Arc<AtomicBool>,
}

impl Viewer {
    /// Watches whatever is shared, as large as that is on a page of this size.
    pub(crate) fn start(screens: Arc<Screens>, size: Size) -> std::io::Result<Self> {
        let over = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&over);
        std::thread::Builder::new()
            .name("halloo-watch".to_owned())
            .spawn(move || watch(&screens, size, &ends))?;
        Ok(Self { over })
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Release);
    }
}

fn watch(screens: &Screens, size: Size, over: &AtomicBool) {
    let mut after = 0;
    while !over.load(Ordering::Acquire) {
        let views = screens.views();
        let Some(view) = views.first() else {
            std::thread::sleep(NOTHING);
            continue;
        };
        if let Some((picture, changed)) = view.next_changes(after, PATIENCE) {
            after = picture.number;
            let bytes = page_bytes(after, &picture.picture, Some(size), changed.as_ref());
            std::hint::black_box(bytes);
        }
    }
}
