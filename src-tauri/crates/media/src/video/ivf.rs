//! IVF: the plainest file for VP8 frames, which every player of the field reads.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

use super::Size;

/// A VP8 file being written.
#[derive(Debug)]
pub struct IvfWriter {
    file: BufWriter<File>,
    frames: u32,
}

impl IvfWriter {
    /// Begins a file, replacing one of that name.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn create(path: &Path, size: Size) -> io::Result<Self> {
        let mut file = BufWriter::new(File::create(path)?);
        file.write_all(b"DKIF")?;
        file.write_all(&0_u16.to_le_bytes())?;
        file.write_all(&32_u16.to_le_bytes())?;
        file.write_all(b"VP80")?;
        // A VP8 size has 14 bits.
        file.write_all(&(size.width as u16).to_le_bytes())?;
        file.write_all(&(size.height as u16).to_le_bytes())?;
        file.write_all(&90_000_u32.to_le_bytes())?;
        file.write_all(&1_u32.to_le_bytes())?;
        file.write_all(&[0; 8])?;
        Ok(Self { file, frames: 0 })
    }

    /// Appends a frame shown at `time` (90 kHz).
    ///
    /// # Errors
    /// The disk is full, or the like.
    pub fn write(&mut self, frame: &[u8], time: u64) -> io::Result<()> {
        self.file.write_all(&(frame.len() as u32).to_le_bytes())?;
        self.file.write_all(&time.to_le_bytes())?;
        self.file.write_all(frame)?;
        self.frames += 1;
        Ok(())
    }

    /// Writes the number of frames into the header and everything to the disk.
    ///
    /// # Errors
    /// The disk is full, or the like.
    pub fn finish(mut self) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(24))?;
        self.file.write_all(&self.frames.to_le_bytes())?;
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_says_what_follows() {
        let path = std::env::temp_dir().join(format!("halloo-ivf-{}.ivf", std::process::id()));
        let mut file = IvfWriter::create(
            &path,
            Size {
                width: 640,
                height: 360,
            },
        )
        .unwrap();
        file.write(&[1, 2, 3], 0).unwrap();
        file.write(&[4], 9000).unwrap();
        file.finish().unwrap();
        let bytes = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(&bytes[..4], b"DKIF");
        assert_eq!(&bytes[8..12], b"VP80");
        assert_eq!(bytes[12..16], [0x80, 0x02, 0x68, 0x01]);
        assert_eq!(bytes[24], 2);
        assert_eq!(bytes.len(), 32 + 12 + 3 + 12 + 1);
        assert_eq!(bytes[32 + 12..32 + 15], [1, 2, 3]);
    }
}
