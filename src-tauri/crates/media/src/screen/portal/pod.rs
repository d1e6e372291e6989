//! PipeWire's parameters: "pods", values with a size and a type in front (`spa/pod/pod.h`), written and read as far as
//! pictures need them. What is read comes from another process, so nothing about it is taken for granted.

/// Types of values (`spa/utils/type.h`).
mod kind {
    pub(super) const ID: u32 = 3;
    pub(super) const INT: u32 = 4;
    pub(super) const RECTANGLE: u32 = 10;
    pub(super) const FRACTION: u32 = 11;
    pub(super) const OBJECT: u32 = 15;
    pub(super) const CHOICE: u32 = 19;
}

/// Kinds of objects (`spa/utils/type.h`) and what they are used for (`spa/param/param.h`).
pub(super) mod object {
    pub(in super::super) const FORMAT: u32 = 0x4_0003;
    pub(in super::super) const BUFFERS: u32 = 0x4_0004;
    pub(in super::super) const META: u32 = 0x4_0005;
}

/// Parameters (`spa/param/param.h`).
pub(super) mod param {
    pub(in super::super) const ENUM_FORMAT: u32 = 3;
    pub(in super::super) const FORMAT: u32 = 4;
    pub(in super::super) const BUFFERS: u32 = 5;
    pub(in super::super) const META: u32 = 6;
}

/// Keys of the three objects (`spa/param/format.h`, `spa/param/buffers.h`).
pub(super) mod key {
    pub(in super::super) const MEDIA_TYPE: u32 = 1;
    pub(in super::super) const MEDIA_SUBTYPE: u32 = 2;
    pub(in super::super) const VIDEO_FORMAT: u32 = 0x2_0001;
    pub(in super::super) const VIDEO_SIZE: u32 = 0x2_0003;
    pub(in super::super) const VIDEO_FRAME_RATE: u32 = 0x2_0004;
    pub(in super::super) const BUFFERS_BUFFERS: u32 = 1;
    #[cfg(test)]
    pub(in super::super) const BUFFERS_BLOCKS: u32 = 2;
    #[cfg(test)]
    pub(in super::super) const BUFFERS_SIZE: u32 = 3;
    #[cfg(test)]
    pub(in super::super) const BUFFERS_STRIDE: u32 = 4;
    pub(in super::super) const BUFFERS_DATA_TYPE: u32 = 6;
    pub(in super::super) const META_TYPE: u32 = 1;
    pub(in super::super) const META_SIZE: u32 = 2;
}

/// How a choice is meant (`spa/pod/pod.h`).
#[derive(Clone, Copy, Debug)]
#[repr(u32)]
enum Choice {
    Range = 1,
    Enum = 3,
    Flags = 4,
}

/// Writes one object.
#[derive(Debug)]
pub(super) struct Writer(Vec<u8>);

impl Writer {
    /// An object of this type (see [`object`]) for this parameter (see [`param`]).
    pub(super) fn new(object: u32, param: u32) -> Self {
        let mut writer = Self(Vec::with_capacity(256));
        for word in [0, kind::OBJECT, object, param] {
            writer.word(word);
        }
        writer
    }

    fn word(&mut self, value: u32) {
        self.0.extend(value.to_ne_bytes());
    }

    fn value(&mut self, key: u32, kind: u32, words: &[u32]) {
        for word in [key, 0, 4 * words.len() as u32, kind] {
            self.word(word);
        }
        for word in words {
            self.word(*word);
        }
        self.pad();
    }

    fn choice(&mut self, key: u32, choice: Choice, kind: u32, each: usize, words: &[u32]) {
        let size = 16 + 4 * words.len() as u32;
        let head = [key, 0, size, kind::CHOICE, choice as u32, 0];
        for word in head.into_iter().chain([4 * each as u32, kind]) {
            self.word(word);
        }
        for word in words {
            self.word(*word);
        }
        self.pad();
    }

    fn pad(&mut self) {
        self.0.resize(self.0.len().next_multiple_of(8), 0);
    }

    /// A number out of a list that the other side knows too.
    pub(super) fn id(mut self, key: u32, id: u32) -> Self {
        self.value(key, kind::ID, &[id]);
        self
    }

    /// One of several such, the first one preferred.
    pub(super) fn ids(mut self, key: u32, ids: &[u32]) -> Self {
        let mut words = vec![ids.first().copied().unwrap_or_default()];
        words.extend(ids);
        self.choice(key, Choice::Enum, kind::ID, 1, &words);
        self
    }

    /// A number.
    #[cfg(test)]
    pub(super) fn int(mut self, key: u32, value: u32) -> Self {
        self.value(key, kind::INT, &[value]);
        self
    }

    /// A number between two others.
    pub(super) fn ints(mut self, key: u32, [usual, least, most]: [u32; 3]) -> Self {
        self.choice(key, Choice::Range, kind::INT, 1, &[usual, least, most]);
        self
    }

    /// Some of these bits.
    pub(super) fn flags(mut self, key: u32, bits: u32) -> Self {
        self.choice(key, Choice::Flags, kind::INT, 1, &[bits]);
        self
    }

    /// A size.
    #[cfg(test)]
    pub(super) fn rectangle(mut self, key: u32, (width, height): (u32, u32)) -> Self {
        self.value(key, kind::RECTANGLE, &[width, height]);
        self
    }

    /// A fraction.
    #[cfg(test)]
    pub(super) fn fraction(mut self, key: u32, (above, below): (u32, u32)) -> Self {
        self.value(key, kind::FRACTION, &[above, below]);
        self
    }

    /// A size between two others.
    pub(super) fn rectangles(self, key: u32, sizes: [(u32, u32); 3]) -> Self {
        self.pairs(key, kind::RECTANGLE, sizes)
    }

    /// A fraction between two others.
    pub(super) fn fractions(self, key: u32, fractions: [(u32, u32); 3]) -> Self {
        self.pairs(key, kind::FRACTION, fractions)
    }

    fn pairs(mut self, key: u32, kind: u32, pairs: [(u32, u32); 3]) -> Self {
        let words: Vec<u32> = pairs.into_iter().flat_map(|(a, b)| [a, b]).collect();
        self.choice(key, Choice::Range, kind, 2, &words);
        self
    }

    /// The object, as 64-bit words: PipeWire wants it aligned to them.
    pub(super) fn done(mut self) -> Vec<u64> {
        let size = (self.0.len() - 8) as u32;
        self.0[..4].copy_from_slice(&size.to_ne_bytes());
        let words = self.0.chunks_exact(8);
        words
            .map(|word| u64::from_ne_bytes(word.try_into().unwrap_or_default()))
            .collect()
    }
}

/// The format of pictures that both sides have agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Agreed {
    /// A number of `enum spa_video_format`.
    pub(super) format: u32,
    /// Pixels.
    pub(super) size: (u32, u32),
}

/// Reads a format; `None` if it is none of raw pictures.
pub(super) fn read_format(pod: &[u8]) -> Option<Agreed> {
    let word = |bytes: &[u8], at: usize| -> Option<u32> {
        let four = bytes.get(at..at.checked_add(4)?)?;
        Some(u32::from_ne_bytes(four.try_into().ok()?))
    };
    if word(pod, 4)? != kind::OBJECT || word(pod, 8)? != object::FORMAT {
        return None;
    }
    let end = 8 + word(pod, 0)? as usize;
    let mut rest = pod.get(16..end)?;
    let (mut format, mut size) = (None, None);
    while rest.len() >= 16 {
        let (name, length, type_) = (word(rest, 0)?, word(rest, 8)? as usize, word(rest, 12)?);
        let mut value = rest.get(16..16_usize.checked_add(length)?)?;
        let mut type_ = type_;
        if type_ == kind::CHOICE {
            // What is agreed on may still be written as a choice; its first value counts.
            type_ = word(value, 12)?;
            value = value.get(16..)?;
        }
        match (name, type_) {
            (key::VIDEO_FORMAT, kind::ID) => format = Some(word(value, 0)?),
            (key::VIDEO_SIZE, kind::RECTANGLE) => size = Some((word(value, 0)?, word(value, 4)?)),
            _ => {}
        }
        rest = rest.get(16 + length.next_multiple_of(8)..).unwrap_or(&[]);
    }
    Some(Agreed {
        format: format?,
        size: size?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(words: &[u64]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_ne_bytes()).collect()
    }

    fn offer() -> Writer {
        Writer::new(object::FORMAT, param::ENUM_FORMAT)
            .id(key::MEDIA_TYPE, 2)
            .id(key::MEDIA_SUBTYPE, 1)
    }

    #[test]
    fn a_format_is_read_as_it_was_written_fixed_or_as_a_choice() {
        let fixed = offer()
            .id(key::VIDEO_FORMAT, 8)
            .rectangle(key::VIDEO_SIZE, (1920, 1080))
            .fraction(key::VIDEO_FRAME_RATE, (0, 1));
        let agreed = Agreed {
            format: 8,
            size: (1920, 1080),
        };
        assert_eq!(read_format(&bytes(&fixed.done())), Some(agreed));
        let choice = offer()
            .ids(key::VIDEO_FORMAT, &[8, 12, 7])
            .rectangles(key::VIDEO_SIZE, [(1920, 1080), (1, 1), (8192, 8192)])
            .fractions(key::VIDEO_FRAME_RATE, [(30, 1), (0, 1), (120, 1)]);
        assert_eq!(read_format(&bytes(&choice.done())), Some(agreed));
    }

    #[test]
    fn sizes_are_counted_as_the_format_wants_them() {
        let words = offer().id(key::VIDEO_FORMAT, 8).done();
        let pod = bytes(&words);
        assert_eq!(pod.len() % 8, 0);
        // The size leaves out the head of 8 bytes: two words of the object's own, and three values of 24 bytes.
        assert_eq!(pod[..4], 80_u32.to_ne_bytes());
    }

    #[test]
    fn what_is_cut_off_or_lies_about_its_length_is_no_format() {
        let whole = bytes(
            &offer()
                .id(key::VIDEO_FORMAT, 8)
                .rectangle(key::VIDEO_SIZE, (64, 64))
                .done(),
        );
        for length in 0..whole.len() {
            assert_eq!(read_format(&whole[..length]), None, "{length}");
        }
        for at in (0..whole.len()).step_by(4) {
            let mut broken = whole.clone();
            broken[at..at + 4].copy_from_slice(&u32::MAX.to_ne_bytes());
            let _ = read_format(&broken); // It may mean something; it must not panic.
        }
    }
}
