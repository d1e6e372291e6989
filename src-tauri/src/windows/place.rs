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

impl Place {
    /// The nearest place at which all of it lies on one of these screens; where it is if there are none. A window larger
    /// than its screen keeps its upper left corner in sight.
    pub(crate) fn inside(self, screens: &[Self]) -> Self {
        let nearest = |from: i32, long: u32, other: i32, other_long: u32| {
            let last = i64::from(other) + i64::from(other_long) - i64::from(long);
            let at = i64::from(from).min(last).max(i64::from(other));
            i32::try_from(at).unwrap_or(from)
        };
        screens
            .iter()
            .map(|screen| Self {
                x: nearest(self.x, self.width, screen.x, screen.width),
                y: nearest(self.y, self.height, screen.y, screen.height),
                ..self
            })
            .min_by_key(|place| {
                let way = |from: i32, to: i32| i128::from(to) - i128::from(from);
                way(self.x, place.x).pow(2) + way(self.y, place.y).pow(2)
            })
            .unwrap_or(self)
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

    #[test]
    fn what_would_lie_outside_lies_at_the_nearest_edge_of_the_nearest_screen() {
        let screen = |x, width, height| Place {
            x,
            y: 0,
            width,
            height,
        };
        let two = [screen(0, 1920, 1080), screen(1920, 1280, 800)];
        let at = |x, y, screens: &[Place]| {
            let place = Place { x, y, ..PLACE }.inside(screens);
            (place.x, place.y)
        };
        assert_eq!(at(100, 900, &two), (100, 900), "it lies well");
        assert_eq!(at(100, 1000, &two), (100, 930));
        assert_eq!(at(2800, 700, &two), (2800, 650), "on the other one");
        assert_eq!(at(2800, 700, &two[..1]), (1560, 700), "which has gone");
        assert_eq!(at(i32::MIN, i32::MAX, &two), (0, 930));
        assert_eq!(at(100, 900, &[]), (100, 900));
        assert_eq!(at(100, 900, &[screen(0, 200, 100)]), (0, 0));
    }
}
