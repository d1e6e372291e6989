//! The pages that hear what changes.
//!
//! Not by Tauri's events: those are scripts, and a webview compiles each one, with two hundred posts written into it, and
//! keeps it for a while. A channel hands over what is long as a file that the page reads.

use std::sync::{Mutex, PoisonError};

use calls_core::snapshot::{Patch, Slice, TimelineChange};
use serde::Serialize;
use tauri::ipc::{Channel, InvokeResponseBody};

use crate::windows::MAIN;

/// What pages are told.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum News<'a> {
    /// A slice as it is now.
    Patch(&'a Patch),
    /// What changed of a long timeline.
    Rows(&'a TimelineChange),
}

impl News<'_> {
    /// Only the main window shows messages: the others need not read them.
    fn for_main_alone(self) -> bool {
        match self {
            Self::Rows(_) => true,
            Self::Patch(patch) => matches!(
                patch.slice,
                Slice::Timeline(_) | Slice::Thread(_) | Slice::Finder(_)
            ),
        }
    }
}

/// Who listens, by window.
#[derive(Default)]
pub(crate) struct Pages(Mutex<Vec<(String, Channel<InvokeResponseBody>)>>);

/// Listeners of a window. A page has one; more than these are those of pages that are gone.
const MOST: usize = 4;

impl Pages {
    /// A page listens. `anew`: it alone does in its window.
    pub(crate) fn hear(&self, window: &str, channel: Channel<InvokeResponseBody>, anew: bool) {
        let mut pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if anew {
            pages.retain(|(other, _)| other != window);
        }
        while pages.iter().filter(|(other, _)| other == window).count() >= MOST {
            if let Some(oldest) = pages.iter().position(|(other, _)| other == window) {
                pages.remove(oldest);
            }
        }
        pages.push((window.to_owned(), channel));
    }

    /// Tells them. Written down once, however many there are; a window that is gone is not told again.
    pub(super) fn tell(&self, news: News<'_>) {
        let mut pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let main = news.for_main_alone();
        let hears = |window: &str| !main || window == MAIN;
        if !pages.iter().any(|(window, _)| hears(window)) {
            return;
        }
        let text = match serde_json::to_string(&news) {
            Ok(text) => text,
            Err(why) => {
                tracing::error!(%why, "a change cannot be told");
                return;
            }
        };
        pages.retain(|(window, page)| {
            !hears(window) || page.send(InvokeResponseBody::Json(text.clone())).is_ok()
        });
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use calls_core::snapshot::{Link, Timeline};
    use std::sync::Arc;

    /// A page that keeps what it is told.
    fn page(gone: bool) -> (Channel<InvokeResponseBody>, Arc<Mutex<Vec<String>>>) {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let to = Arc::clone(&heard);
        let channel = Channel::new(move |body| {
            if gone {
                return Err(tauri::Error::WebviewNotFound);
            }
            if let InvokeResponseBody::Json(text) = body {
                to.lock().unwrap().push(text);
            }
            Ok(())
        });
        (channel, heard)
    }

    fn patch(slice: Slice) -> Patch {
        Patch { revision: 7, slice }
    }

    #[test]
    fn every_window_hears_of_the_call_and_the_main_one_of_messages_too() {
        let pages = Pages::default();
        let ((main, in_main), (bar, in_bar)) = (page(false), page(false));
        pages.hear(MAIN, main, true);
        pages.hear("call", bar, true);
        pages.tell(News::Patch(&patch(Slice::Link(Link::Up))));
        pages.tell(News::Patch(&patch(Slice::Timeline(Timeline::default()))));
        assert_eq!(in_main.lock().unwrap().len(), 2);
        assert_eq!(in_bar.lock().unwrap().len(), 1);
        let text = in_bar.lock().unwrap()[0].clone();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["patch"]["revision"], 7);
        assert_eq!(value["patch"]["slice"]["slice"], "link");
    }

    #[test]
    fn a_page_that_was_loaded_again_hears_once_and_one_that_is_gone_never() {
        let pages = Pages::default();
        let ((before, old), (now, new)) = (page(false), page(false));
        pages.hear(MAIN, before, true);
        pages.hear(MAIN, now, true);
        pages.hear("stage", page(true).0, true);
        pages.tell(News::Patch(&patch(Slice::Link(Link::Up))));
        assert!(old.lock().unwrap().is_empty());
        assert_eq!(new.lock().unwrap().len(), 1);
        assert_eq!(pages.0.lock().unwrap().len(), 1, "the stage is gone");
        for _ in 0..9 {
            pages.hear(MAIN, page(false).0, false);
        }
        assert_eq!(pages.0.lock().unwrap().len(), MOST);
    }
}
