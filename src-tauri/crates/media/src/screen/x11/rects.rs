//! Rectangles that a server tells of, as they are wanted here.

use x11rb::protocol::xproto::Rectangle;

use crate::screen::Rect;
use crate::video::Size;

/// A rectangle of the server in the picture's coordinates, with even corners; `None` outside of it.
pub(super) fn placed(rect: Rectangle, (left, top): (i32, i32), size: Size) -> Option<Rect> {
    let x = i32::from(rect.x) - left;
    let y = i32::from(rect.y) - top;
    let right = (x + i32::from(rect.width)).clamp(0, size.width as i32);
    let bottom = (y + i32::from(rect.height)).clamp(0, size.height as i32);
    let (x, y) = (x.max(0), y.max(0));
    let rect = Rect {
        x: x as u32,
        y: y as u32,
        width: (right - x).max(0) as u32,
        height: (bottom - y).max(0) as u32,
    };
    (!rect.is_empty()).then(|| rect.even_in(size))
}

/// Removes rectangles that others contain: they would be fetched twice.
pub(super) fn drop_covered(rects: &mut Vec<Rect>) {
    let covers = |a: &Rect, b: &Rect| {
        a.x <= b.x
            && a.y <= b.y
            && a.x + a.width >= b.x + b.width
            && a.y + a.height >= b.y + b.height
    };
    let mut kept: Vec<Rect> = Vec::with_capacity(rects.len());
    rects.sort_by_key(|rect| std::cmp::Reverse(u64::from(rect.width) * u64::from(rect.height)));
    for rect in rects.drain(..) {
        if !rect.is_empty() && !kept.iter().any(|kept| covers(kept, &rect)) {
            kept.push(rect);
        }
    }
    *rects = kept;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_is_moved_into_the_monitor_and_cut_at_its_edges() {
        let size = Size {
            width: 100,
            height: 50,
        };
        let damage = |x, y, width, height| Rectangle {
            x,
            y,
            width,
            height,
        };
        let rect = |x, y, width, height| {
            Some(Rect {
                x,
                y,
                width,
                height,
            })
        };
        let origin = (1920, 0);
        assert_eq!(
            placed(damage(1900, -5, 30, 10), origin, size),
            rect(0, 0, 10, 6)
        );
        assert_eq!(
            placed(damage(1931, 11, 3, 3), origin, size),
            rect(10, 10, 4, 4)
        );
        assert_eq!(placed(damage(0, 0, 1920, 1080), origin, size), None);
        assert_eq!(
            placed(damage(2000, 40, 500, 500), origin, size),
            rect(80, 40, 20, 10)
        );
    }

    #[test]
    fn what_another_rectangle_contains_is_fetched_once() {
        let rect = |x, y, width, height| Rect {
            x,
            y,
            width,
            height,
        };
        let mut rects = vec![
            rect(2, 2, 4, 4),
            rect(0, 0, 10, 10),
            rect(8, 8, 4, 4),
            rect(0, 0, 10, 10),
        ];
        drop_covered(&mut rects);
        assert_eq!(rects, [rect(0, 0, 10, 10), rect(8, 8, 4, 4)]);
    }
}
