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
    let chroma = size.chroma().width as usize;
    let stride = patch.stride;
    let (width, height) = (rect.width as usize, rect.height as usize);
    let (y, u, v) = picture.planes_mut();
    let y = &mut y[rect.y as usize * size.width as usize + rect.x as usize..];
    let chroma_at = rect.y as usize / 2 * chroma + rect.x as usize / 2;
    let (u, v) = (&mut u[chroma_at..], &mut v[chroma_at..]);
    // The converter goes by whole pairs of rows, of the pixels and of each plane, as many as it finds. So it gets as
    // many as there are to convert, and the last pair by itself if it does not reach to the end of a row: at the lower
    // edge of the picture, or of the memory that the pixels lie in.
    let whole = data_reaches(patch.data, stride, height)
        && data_reaches(y, size.width as usize, height)
        && data_reaches(u, chroma, height.div_ceil(2));
    let direct = match whole {
        true => height,
        false => height - (2 - height % 2),
    };
    let mut done = true;
    if direct > 0 {
        done &= to_i420(
            (&mut y[..size.width as usize * direct], size.width as usize),
            (&mut u[..chroma * direct.div_ceil(2)], chroma),
            &mut v[..chroma * direct.div_ceil(2)],
            (width, direct),
            (&patch.data[..stride * direct], stride),
        );
    }
    if direct < height {
        let rows = height - direct;
        let half = width.div_ceil(2);
        let mut pixels = Vec::with_capacity(row * rows);
        for line in patch.data[stride * direct..].chunks(stride).take(rows) {
            pixels.extend_from_slice(&line[..row]);
        }
        let mut planes = (vec![0; width * rows], vec![0; half], vec![0; half]);
        done &= to_i420(
            (&mut planes.0, width),
            (&mut planes.1, half),
            &mut planes.2,
            (width, rows),
            (&pixels, row),
        );
        for (at, line) in planes.0.chunks_exact(width).enumerate() {
            y[(direct + at) * size.width as usize..][..width].copy_from_slice(line);
        }
        u[direct / 2 * chroma..][..half].copy_from_slice(&planes.1);
        v[direct / 2 * chroma..][..half].copy_from_slice(&planes.2);
    }
    done
}

/// Whether there are so many whole rows.
fn data_reaches(data: &[u8], stride: usize, rows: usize) -> bool {
    data.len() >= stride.saturating_mul(rows)
}

/// Converts BGRA, whose rows and whose planes' rows must be whole.
fn to_i420(
    (y_plane, y_stride): (&mut [u8], usize),
    (u_plane, chroma_stride): (&mut [u8], usize),
    v_plane: &mut [u8],
    (width, height): (usize, usize),
    (data, stride): (&[u8], usize),
) -> bool {
    let mut image = YuvPlanarImageMut {
        y_plane: BufferStoreMut::Borrowed(y_plane),
        y_stride: y_stride as u32,
        u_plane: BufferStoreMut::Borrowed(u_plane),
        u_stride: chroma_stride as u32,
        v_plane: BufferStoreMut::Borrowed(v_plane),
        v_stride: chroma_stride as u32,
        width: width as u32,
        height: height as u32,
    };
    let done = yuv::bgra_to_yuv420(
        &mut image,
        data,
        stride as u32,
        RANGE,
        MATRIX,
        YuvConversionMode::Balanced,
    );
    if let Err(error) = &done {
        tracing::debug!(?error, width, height, "pixels not converted");
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
    fn every_place_and_shape_of_a_patch_is_painted_and_nothing_else() {
        // Odd sides, so that there are last rows and columns; the patch lies in the middle of larger memory.
        let size = Size::checked(37, 21).unwrap();
        let stride = 37 * 4;
        let data = vec![255; stride * 21];
        for (x, y, right, bottom) in [
            (0, 0, 37, 21),
            (30, 2, 34, 6),
            (4, 4, 8, 6),
            (20, 10, 37, 21),
            (20, 18, 36, 20),
            (2, 20, 37, 21),
            (36, 0, 37, 21),
            (36, 20, 37, 21),
        ] {
            let rect = Rect {
                x,
                y,
                width: right - x,
                height: bottom - y,
            };
            let start = y as usize * stride + x as usize * 4;
            // As a part of a picture, and by itself.
            let tight = vec![255; (rect.width * rect.height * 4) as usize];
            for (data, stride) in [
                (&data[start..], stride),
                (&tight[..], rect.width as usize * 4),
            ] {
                let mut picture = I420::black(size);
                assert!(paint(&mut picture, &Patch { rect, data, stride }));
                let rgb = to_rgb(&picture);
                for (at, pixel) in (0_u32..).zip(rgb.chunks_exact(3)) {
                    let (column, row) = (at % 37, at / 37);
                    let inside = (x..right).contains(&column) && (y..bottom).contains(&row);
                    let white = pixel.iter().all(|value| *value > 247);
                    let black = pixel.iter().all(|value| *value < 8);
                    assert!(
                        if inside { white } else { black },
                        "{rect:?} {column} {row} {pixel:?}"
                    );
                }
            }
        }
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
