//! Where the call's windows were, kept in a small file of its own: it changes with each move, settings do not.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// Name of the file inside the data folder.
const FILE_NAME: &str = "windows.json";

/// So much of a window must lie on a screen, physical pixels: enough to take hold of it.
const ENOUGH: i64 = 48;

/// Place and size of a window, physical pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) x: i32,
    pub(crate) y: i32,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

impl Place {
    /// Whether enough of it lies within a rectangle.
    pub(crate) fn overlaps(self, x: i32, y: i32, width: u32, height: u32) -> bool {
        let common = |from: i32, long: u32, other: i32, other_long: u32| {
            let end =
                (i64::from(from) + i64::from(long)).min(i64::from(other) + i64::from(other_long));
            end - i64::from(from.max(other))
        };
        common(self.x, self.width, x, width) >= ENOUGH
            && common(self.y, self.height, y, height) >= ENOUGH
    }
}

/// The places, by window.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Places(BTreeMap<String, Place>);

impl Places {
    /// Those of the last run; none if there are none, or they cannot be read.
    pub(crate) fn load(folder: &Path) -> Self {
        fs::read(folder.join(FILE_NAME))
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default()
    }

    pub(crate) fn of(&self, label: &str) -> Option<Place> {
        self.0.get(label).copied()
    }

    pub(crate) fn set(&mut self, label: &str, place: Place) {
        self.0.insert(label.to_owned(), place);
    }

    /// Keeps them for the next run. Losing them costs nobody more than a move.
    pub(crate) fn save(&self, folder: &Path) {
        if *self == Self::load(folder) {
            return;
        }
        let written = serde_json::to_vec_pretty(self)
            .map_err(std::io::Error::from)
            .and_then(|text| fs::write(folder.join(FILE_NAME), text));
        if let Err(why) = written {
            tracing::warn!(%why, "the places of windows are not kept");
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::testing::TemporaryFolder;

    const PLACE: Place = Place {
        x: 100,
        y: 900,
        width: 360,
        height: 150,
    };

    #[test]
    fn a_place_is_there_the_next_time() {
        let folder = TemporaryFolder::new("places");
        assert_eq!(Places::load(folder.path()), Places::default());
        let mut places = Places::default();
        places.set("call", PLACE);
        places.save(folder.path());
        assert_eq!(Places::load(folder.path()).of("call"), Some(PLACE));
        fs::write(folder.path().join(FILE_NAME), "{oops").unwrap();
        assert_eq!(Places::load(folder.path()), Places::default());
    }

    #[test]
    fn a_window_that_cannot_be_taken_hold_of_is_not_put_there() {
        assert!(PLACE.overlaps(0, 0, 1920, 1080));
        assert!(
            !PLACE.overlaps(0, 0, 1920, 920),
            "twenty pixels are too few"
        );
        assert!(!PLACE.overlaps(1920, 0, 1920, 1080));
        let far = Place {
            x: i32::MAX,
            y: i32::MIN,
            ..PLACE
        };
        assert!(!far.overlaps(0, 0, u32::MAX, u32::MAX));
    }
}
