//! VP8 through libvpx, behind a small safe wrapper. The codecs' only `unsafe` code.
#![allow(unsafe_code)]

mod decoder;
mod encoder;

pub use decoder::{Decoder, key_frame_size};
pub use encoder::{Encoder, EncoderConfig, Packed};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::video::{I420, Size, VideoError};

    fn config(width: u32, height: u32) -> EncoderConfig {
        EncoderConfig {
            size: Size::checked(width, height).unwrap(),
            bitrate: 1_000_000,
            fps: 10,
            threads: 1,
            speed: 6,
            screen: true,
        }
    }

    /// A picture with a bright bar at `x`.
    fn bar(size: Size, x: usize) -> I420 {
        let mut picture = I420::black(size);
        let width = size.width as usize;
        for row in picture.planes_mut().0.chunks_exact_mut(width) {
            row[x..x + 16].fill(235);
        }
        picture
    }

    fn brightest(picture: &I420) -> usize {
        let row = &picture.planes().0[..picture.size().width as usize];
        (0..row.len() / 16)
            .max_by_key(|at| {
                row[at * 16..][..16]
                    .iter()
                    .map(|v| u32::from(*v))
                    .sum::<u32>()
            })
            .unwrap()
            * 16
    }

    #[test]
    fn pictures_survive_the_way_there_and_back_at_odd_sizes_too() {
        for (width, height) in [(320, 240), (321, 239)] {
            let config = config(width, height);
            let mut encoder = Encoder::new(config).unwrap();
            let mut decoder = Decoder::new().unwrap();
            for n in 0..10_usize {
                let picture = bar(config.size, n * 16);
                let packed = encoder
                    .encode(&picture, n as i64 * 9000, 9000, n == 0)
                    .unwrap()
                    .unwrap();
                assert_eq!(packed.key, n == 0);
                let seen = decoder.decode(&packed.data).unwrap().unwrap();
                assert_eq!(seen.size(), config.size);
                assert_eq!(brightest(&seen), n * 16);
            }
        }
    }

    #[test]
    fn a_key_frame_comes_when_asked_and_says_its_size() {
        let config = config(128, 64);
        let mut encoder = Encoder::new(config).unwrap();
        let picture = I420::black(config.size);
        let first = encoder.encode(&picture, 0, 1, false).unwrap().unwrap();
        let second = encoder.encode(&picture, 1, 1, false).unwrap().unwrap();
        let third = encoder.encode(&picture, 2, 1, true).unwrap().unwrap();
        assert_eq!([first.key, second.key, third.key], [true, false, true]);
        assert_eq!(key_frame_size(&third.data), Some((128, 64)));
        assert_eq!(key_frame_size(&second.data), None);
    }

    #[test]
    fn what_is_not_active_stays_as_it_was() {
        let config = config(320, 64);
        let mut encoder = Encoder::new(config).unwrap();
        let mut decoder = Decoder::new().unwrap();
        let first = encoder.encode(&bar(config.size, 0), 0, 9000, true).unwrap();
        decoder.decode(&first.unwrap().data).unwrap();
        encoder.set_active(Some(&[0; 20 * 4])).unwrap();
        let frame = encoder.encode(&bar(config.size, 160), 9000, 9000, false);
        let frame = frame.unwrap().unwrap();
        let kept = decoder.decode(&frame.data).unwrap().unwrap();
        assert_eq!(brightest(&kept), 0);
        assert!(
            frame.data.len() < 100,
            "{} bytes for nothing",
            frame.data.len()
        );
        encoder.set_active(None).unwrap();
        let frame = encoder.encode(&bar(config.size, 160), 18_000, 9000, false);
        let seen = decoder.decode(&frame.unwrap().unwrap().data).unwrap();
        assert_eq!(brightest(&seen.unwrap()), 160);
    }

    #[test]
    fn garbage_and_monsters_are_refused_without_harm() {
        let mut decoder = Decoder::new().unwrap();
        assert!(decoder.decode(&[]).is_err());
        let mut seed = 1_u32;
        for length in 1..400_usize {
            let noise: Vec<u8> = (0..length)
                .map(|_| {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (seed >> 24) as u8
                })
                .collect();
            let _ = decoder.decode(&noise);
        }
        let monster = [0x10, 0, 0, 0x9d, 0x01, 0x2a, 0xff, 0x3f, 0xff, 0x3f];
        assert!(matches!(
            decoder.decode(&monster),
            Err(VideoError::TooLarge {
                width: 16383,
                height: 16383
            })
        ));
        // It works all the same afterwards.
        let config = config(64, 64);
        let mut encoder = Encoder::new(config).unwrap();
        let frame = encoder
            .encode(&I420::black(config.size), 0, 1, true)
            .unwrap()
            .unwrap();
        assert!(decoder.decode(&frame.data).unwrap().is_some());
    }
}
