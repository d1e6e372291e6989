//! Pictures as PNG: what `--save-screen` stores, and thumbnails for the picker.

use std::io::Write;

use super::I420;
use crate::screen::convert;

/// A picture that could not be written as PNG.
#[derive(Debug, thiserror::Error)]
#[error("the picture cannot be written as PNG")]
pub struct PngError(#[from] png::EncodingError);

/// Writes a picture as PNG, quickly rather than small.
///
/// # Errors
/// Writing fails.
pub fn write(picture: &I420, to: impl Write) -> Result<(), PngError> {
    let size = picture.size();
    let mut encoder = png::Encoder::new(to, size.width, size.height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&convert::to_rgb(picture))?;
    writer.finish()?;
    Ok(())
}
