//! Colours: what screens have (BGRA) to what codecs take (I420), and back for files. SIMD does the work (`yuv`).

use yuv::{
    BufferStoreMut, YuvConversionMode, YuvPlanarImage, YuvPlanarImageMut, YuvRange,
    YuvStandardMatrix,
};

use super::Patch;
use crate::video::{I420, Size};

/// VP8 says nothing about colours; everybody means BT.601 in limited range.
const RANGE: YuvRange = YuvRange::Limited;
const MATRIX: YuvStandardMatrix = YuvStandardMatrix::Bt601;

/// Paints changed pixels into a picture. False if they do not fit, and nothing is painted then.
pub fn paint(picture: &mut I420, patch: &Patch<'_>) -> bool {
    let size = picture.size();
    let rect = patch.rect;
    let inside = !rect.is_empty()
        && rect.x.is_multiple_of(2)
        && rect.y.is_multiple_of(2)
        && rect.x.saturating_add(rect.width) <= size.width
        && rect.y.saturating_add(rect.height) <= size.height;
    let row = rect.width as usize * 4;
    let needed = (rect.height as usize)
        .saturating_sub(1)
        .saturating_mul(patch.stride)
        .saturating_add(row);
    if !inside || patch.stride < row || patch.data.len() < needed {
        return false;
    }
    let chroma = size.chroma().width;
    let (y, u, v) = picture.planes_mut();
    let luma_at = rect.y as usize * size.width as usize + rect.x as usize;
    let chroma_at = rect.y as usize / 2 * chroma as usize + rect.x as usize / 2;
    let mut image = YuvPlanarImageMut {
        y_plane: BufferStoreMut::Borrowed(&mut y[luma_at..]),
        y_stride: size.width,
        u_plane: BufferStoreMut::Borrowed(&mut u[chroma_at..]),
        u_stride: chroma,
        v_plane: BufferStoreMut::Borrowed(&mut v[chroma_at..]),
        v_stride: chroma,
        width: rect.width,
        height: rect.height,
    };
    let done = yuv::bgra_to_yuv420(
        &mut image,
        patch.data,
        patch.stride as u32,
        RANGE,
        MATRIX,
        YuvConversionMode::Balanced,
    );
    if let Err(error) = &done {
        tracing::debug!(?error, ?rect, "pixels not converted");
    }
    done.is_ok()
}

/// A picture as RGB, three bytes a pixel.
#[must_use]
pub fn to_rgb(picture: &I420) -> Vec<u8> {
    let size: Size = picture.size();
    let (y_plane, u_plane, v_plane) = picture.planes();
    let chroma = size.chroma().width;
    let image = YuvPlanarImage {
        y_plane,
        y_stride: size.width,
        u_plane,
        u_stride: chroma,
        v_plane,
        v_stride: chroma,
        width: size.width,
        height: size.height,
    };
    let mut rgb = vec![0; size.area() * 3];
    if let Err(error) = yuv::yuv420_to_rgb(&image, &mut rgb, size.width * 3, RANGE, MATRIX) {
        tracing::debug!(?error, "picture not converted");
    }
    rgb
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::Rect;

    #[test]
    fn colours_survive_and_only_the_patch_is_painted() {
        let size = Size::checked(65, 33).unwrap();
        let mut picture = I420::black(size);
        // Red, as BGRA, with padding behind each row.
        let (width, height, stride) = (20_usize, 10_usize, 100_usize);
        let data: Vec<u8> = (0..height * stride)
            .map(|at| match at % stride % 4 {
                2 => 255,
                _ => 0,
            })
            .collect();
        let rect = Rect {
            x: 40,
            y: 20,
            width: width as u32,
            height: height as u32,
        };
        assert!(paint(
            &mut picture,
            &Patch {
                rect,
                data: &data,
                stride
            }
        ));
        let rgb = to_rgb(&picture);
        let pixel = |x: usize, y: usize| &rgb[(y * 65 + x) * 3..][..3];
        assert!(
            pixel(50, 25)[0] > 240 && pixel(50, 25)[1] < 15,
            "{:?}",
            pixel(50, 25)
        );
        assert!(
            pixel(30, 25).iter().all(|value| *value < 8),
            "{:?}",
            pixel(30, 25)
        );
        assert!(pixel(50, 15).iter().all(|value| *value < 8));
    }

    #[test]
    fn the_last_odd_row_and_column_are_painted() {
        let size = Size::checked(7, 5).unwrap();
        let mut picture = I420::black(size);
        let data = vec![255; 7 * 5 * 4];
        let patch = Patch {
            rect: Rect::all(size),
            data: &data,
            stride: 28,
        };
        assert!(paint(&mut picture, &patch));
        assert!(to_rgb(&picture).iter().all(|value| *value > 247));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let size = Size::checked(16, 16).unwrap();
        let mut picture = I420::black(size);
        let before = picture.clone();
        let data = vec![255; 16 * 16 * 4];
        let rect = |x, y, width, height| Rect {
            x,
            y,
            width,
            height,
        };
        for (rect, stride) in [
            (rect(1, 0, 2, 2), 64),
            (rect(0, 0, 18, 2), 72),
            (rect(0, 16, 2, 2), 64),
            (rect(0, 0, 16, 16), 60),
            (rect(0, 0, 16, 16), 65),
            (rect(u32::MAX - 1, 0, 4, 2), 64),
            (rect(0, 0, 0, 4), 64),
        ] {
            assert!(
                !paint(
                    &mut picture,
                    &Patch {
                        rect,
                        data: &data,
                        stride
                    }
                ),
                "{rect:?}"
            );
        }
        assert_eq!(picture, before);
    }
}
