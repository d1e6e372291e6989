//! A recording's file: an MP4 that players open, as long as the recording was. What was said is not in it, because
//! nobody joins the call to listen; its one track is Opus silence.

use bytes::Bytes;

/// Samples of an Opus frame, at 48 kHz: 20 ms.
const FRAME: u32 = 960;
/// Opus frames and times of this file count at this rate (RFC 7845 §3).
const RATE: u32 = 48_000;
/// A frame of silence: CELT, full band, 20 ms, mono (RFC 6716 §3.1), and nothing in it.
const SILENCE: [u8; 3] = [0xf8, 0xff, 0xfe];
/// Longest recording written. A day of silence would be 13 MB, and no call of a test lasts so long.
const LONGEST_MS: i64 = 60 * 60 * 1000;

/// A file of this length, milliseconds; at least one frame.
pub(super) fn silence(ms: i64) -> Bytes {
    let samples = u64::try_from(ms.clamp(1, LONGEST_MS)).unwrap_or(1) * u64::from(RATE) / 1000;
    let frames = u32::try_from(samples.div_ceil(u64::from(FRAME)))
        .unwrap_or(1)
        .max(1);
    let ftyp = boxed(
        b"ftyp",
        &[b"isom".as_slice(), &be(512), b"isomiso2mp41"].concat(),
    );
    let data: Vec<u8> = SILENCE.repeat(frames as usize);
    // The samples lie right behind the first box and their own head.
    let offset = u32::try_from(ftyp.len()).unwrap_or(0) + 8;
    let mdat = boxed(b"mdat", &data);
    let moov = moov(frames, offset);
    Bytes::from([ftyp, mdat, moov].concat())
}

fn moov(frames: u32, offset: u32) -> Vec<u8> {
    let length = frames * FRAME;
    let matrix = [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000]
        .map(be)
        .concat();
    let mvhd = full(
        b"mvhd",
        &[
            &be(0)[..],
            &be(0),
            &be(RATE),
            &be(length),
            &be(0x1_0000),
            &[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            &matrix,
            &[0; 24],
            &be(2),
        ]
        .concat(),
    );
    // Flags: enabled, in the movie.
    let tkhd = boxed(
        b"tkhd",
        &[
            &be(3)[..],
            &be(0),
            &be(0),
            &be(1),
            &be(0),
            &be(length),
            &[0; 8],
            &[0, 0, 0, 0, 1, 0, 0, 0],
            &matrix,
            &be(0),
            &be(0),
        ]
        .concat(),
    );
    let mdhd = full(
        b"mdhd",
        // Language "und".
        &[
            &be(0)[..],
            &be(0),
            &be(RATE),
            &be(length),
            &[0x55, 0xc4, 0, 0],
        ]
        .concat(),
    );
    let hdlr = full(
        b"hdlr",
        &[&be(0)[..], b"soun", &[0; 12], b"Sound\0"].concat(),
    );
    let minf = boxed(
        b"minf",
        &[
            full(b"smhd", &be(0)),
            // The data are in this very file.
            boxed(
                b"dinf",
                &full(b"dref", &[&be(1)[..], &boxed(b"url ", &be(1))].concat()),
            ),
            table(frames, offset),
        ]
        .concat(),
    );
    let mdia = boxed(b"mdia", &[mdhd, hdlr, minf].concat());
    let trak = boxed(b"trak", &[tkhd, mdia].concat());
    boxed(b"moov", &[mvhd, trak].concat())
}

/// Where each frame is: all alike, one after the other, in one chunk.
fn table(frames: u32, offset: u32) -> Vec<u8> {
    // Encapsulation of Opus in ISO base media: version, channels, pre-skip, input rate, gain, mapping family.
    let dops = boxed(
        b"dOps",
        &[&[0, 1, 0x01, 0x38][..], &be(RATE), &[0, 0, 0]].concat(),
    );
    let opus = boxed(
        b"Opus",
        &[
            &[0, 0, 0, 0, 0, 0, 0, 1][..],
            &[0; 8],
            // Mono, sixteen bits, the rate in fixed point.
            &[0, 1, 0, 16, 0, 0, 0, 0],
            &be(RATE << 16),
            &dops,
        ]
        .concat(),
    );
    let size = u32::try_from(SILENCE.len()).unwrap_or(0);
    boxed(
        b"stbl",
        &[
            full(b"stsd", &[&be(1)[..], &opus].concat()),
            full(b"stts", &[be(1), be(frames), be(FRAME)].concat()),
            full(b"stsc", &[be(1), be(1), be(frames), be(1)].concat()),
            full(b"stsz", &[be(size), be(frames)].concat()),
            full(b"stco", &[be(1), be(offset)].concat()),
        ]
        .concat(),
    )
}

fn be(value: u32) -> [u8; 4] {
    value.to_be_bytes()
}

fn boxed(kind: &[u8; 4], inside: &[u8]) -> Vec<u8> {
    let size = u32::try_from(inside.len() + 8).unwrap_or(u32::MAX);
    [&be(size)[..], kind, inside].concat()
}

/// A box with version and flags, both none.
fn full(kind: &[u8; 4], inside: &[u8]) -> Vec<u8> {
    boxed(kind, &[&be(0)[..], inside].concat())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    /// Names and contents of the boxes in a piece of file.
    fn boxes(mut data: &[u8]) -> Vec<(String, &[u8])> {
        let mut found = Vec::new();
        while !data.is_empty() {
            let size = u32::from_be_bytes(data[..4].try_into().unwrap()) as usize;
            let name = String::from_utf8_lossy(&data[4..8]).into_owned();
            found.push((name, &data[8..size]));
            data = &data[size..];
        }
        found
    }

    #[test]
    fn the_file_is_whole_and_as_long_as_the_recording() {
        let file = silence(2_500);
        let top = boxes(&file);
        let names: Vec<&str> = top.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["ftyp", "mdat", "moov"]);
        assert_eq!(top[1].1.len(), 125 * SILENCE.len());
        let moov = boxes(top[2].1);
        let mvhd = moov[0].1;
        let number = |at: usize| u32::from_be_bytes(mvhd[at..at + 4].try_into().unwrap());
        assert_eq!((number(12), number(16)), (48_000, 120_000));
        let start = top[0].1.len() + 16;
        assert_eq!(&file[start..start + 3], SILENCE);
        assert!(silence(0).len() > 400 && silence(i64::MAX).len() < 1_000_000);
    }
}
