//! Touch-ups of session descriptions as text.
//!
//! str0m reads and writes SDP itself, but as a well-behaved endpoint of its own kind. What a Mattermost
//! client meets is pion as rtcd configures it, so descriptions are edited on both ways:
//!
//! * **in**: only opus and VP8 are kept (no RTX, RED, H264 …), so that retransmissions happen on the
//!   original SSRC; payload types once agreed are kept for the whole session; header extensions that rtcd
//!   does not know are dropped, MID and RID also from audio; candidates are taken out and parsed one by
//!   one, since one odd candidate must not spoil the description; `actpass` becomes `passive`, which
//!   makes the server the DTLS client as rtcd is;
//! * **out**: `a=msid` and `a=ssrc` lines tell exactly which track the SFU sends on a line (str0m would
//!   invent one for each line), and the direction is the one pion would write.

use std::fmt::{self, Write as _};

use str0m::media::Direction;

const TWCC: &str = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
const AUDIO_EXTENSIONS: &[&str] = &["urn:ietf:params:rtp-hdrext:ssrc-audio-level", TWCC];
const VIDEO_EXTENSIONS: &[&str] = &[
    "urn:ietf:params:rtp-hdrext:sdes:mid",
    "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
    "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
    TWCC,
];

/// A description, cut into lines.
#[derive(Debug, Clone)]
pub(crate) struct Sdp {
    session: Vec<String>,
    /// One for each m-line, in order.
    pub(crate) sections: Vec<Section>,
}

/// An m-line with the lines that belong to it.
#[derive(Debug, Clone)]
pub(crate) struct Section {
    head: String,
    lines: Vec<String>,
}

/// What an m-line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Audio,
    Video,
    Data,
}

/// The payload types agreed for the two codecs; `None` as long as nobody has named one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct PayloadTypes {
    pub(crate) opus: Option<u8>,
    pub(crate) vp8: Option<u8>,
}

/// What the SFU sends on a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Announced {
    pub(crate) ssrc: u32,
    /// CNAME and stream id: the sender's session id.
    pub(crate) stream: String,
    /// `<type>_<session>_<8 characters>`.
    pub(crate) track: String,
}

/// The text is no description.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a session description")]
pub(crate) struct NoSdp;

/// More m-lines than any call has; a description with more is refused.
const MAX_SECTIONS: usize = 512;

impl Sdp {
    pub(crate) fn parse(text: &str) -> Result<Self, NoSdp> {
        let mut lines = text
            .lines()
            .map(str::trim_end)
            .filter(|line| !line.is_empty());
        if lines.next() != Some("v=0") {
            return Err(NoSdp);
        }
        let mut sdp = Self {
            session: vec!["v=0".to_owned()],
            sections: Vec::new(),
        };
        for line in lines {
            if line.starts_with("m=") {
                sdp.sections.push(Section {
                    head: line.to_owned(),
                    lines: Vec::new(),
                });
            } else if let Some(section) = sdp.sections.last_mut() {
                section.lines.push(line.to_owned());
            } else {
                sdp.session.push(line.to_owned());
            }
        }
        let mut mids: Vec<_> = sdp.sections.iter().map(Section::mid).collect();
        mids.sort_unstable();
        let twice = mids
            .windows(2)
            .any(|pair| pair[0] == pair[1] && pair[0].is_some());
        if sdp.sections.is_empty() || sdp.sections.len() > MAX_SECTIONS || twice {
            return Err(NoSdp);
        }
        Ok(sdp)
    }

    /// Takes all candidates out: the text behind `a=`.
    pub(crate) fn take_candidates(&mut self) -> Vec<String> {
        let mut candidates = Vec::new();
        for lines in std::iter::once(&mut self.session)
            .chain(self.sections.iter_mut().map(|section| &mut section.lines))
        {
            lines.retain(|line| match line.strip_prefix("a=candidate:") {
                Some(_) => {
                    candidates.push(line[2..].to_owned());
                    false
                }
                None => line != "a=end-of-candidates",
            });
        }
        candidates
    }

    /// Makes the remote side the DTLS server when it leaves the choice.
    pub(crate) fn choose_active(&mut self) {
        for line in self
            .sections
            .iter_mut()
            .flat_map(|section| section.lines.iter_mut())
            .chain(self.session.iter_mut())
        {
            if line == "a=setup:actpass" {
                *line = "a=setup:passive".to_owned();
            }
        }
    }

    /// Says that the remote side could also receive where it only sends.
    pub(crate) fn widen_sendonly(&mut self) {
        for section in &mut self.sections {
            if section.direction() == Direction::SendOnly {
                section.set_direction(Direction::SendRecv);
            }
        }
    }

    /// Keeps what rtcd knows, see the page of the module, and learns payload types.
    pub(crate) fn keep_known(&mut self, agreed: &mut PayloadTypes) {
        for section in &mut self.sections {
            let (codec, extensions, payload_type) = match section.kind() {
                Some(Kind::Audio) => ("opus/48000/2", AUDIO_EXTENSIONS, &mut agreed.opus),
                Some(Kind::Video) => ("VP8/90000", VIDEO_EXTENSIONS, &mut agreed.vp8),
                _ => continue,
            };
            section.keep_codec(codec, payload_type);
            section.keep_extensions(extensions);
            section.drop_repair_streams();
        }
    }

    /// Finishes what str0m wrote, for `line(mid)` = direction and track.
    pub(crate) fn dress(&mut self, line: impl Fn(&str) -> Option<(Direction, Option<Announced>)>) {
        for text in &mut self.session {
            if text.starts_with("a=msid-semantic:") {
                *text = "a=msid-semantic:WMS *".to_owned();
            }
        }
        for section in &mut self.sections {
            let Some(kind @ (Kind::Audio | Kind::Video)) = section.kind() else {
                continue;
            };
            if section
                .head
                .split(' ')
                .filter(|part| !part.is_empty())
                .count()
                == 3
            {
                // A refused line: str0m leaves the formats out, the grammar wants one.
                section.head = format!("{} 0", section.head.trim_end());
            }
            section.lines.retain(|line| {
                !["a=msid:", "a=ssrc:", "a=ssrc-group:"]
                    .iter()
                    .any(|prefix| line.starts_with(prefix))
            });
            if kind == Kind::Audio {
                section.keep_extensions(AUDIO_EXTENSIONS);
            }
            let known = section.mid().and_then(&line);
            let Some((direction, announced)) = known else {
                continue;
            };
            section.set_direction(direction);
            if !section.lines.iter().any(|line| line == "a=rtcp-rsize") {
                section.lines.push("a=rtcp-rsize".to_owned());
            }
            if let Some(Announced {
                ssrc,
                stream,
                track,
            }) = announced
            {
                section.lines.extend([
                    format!("a=ssrc:{ssrc} cname:{stream}"),
                    format!("a=ssrc:{ssrc} msid:{stream} {track}"),
                    format!("a=msid:{stream} {track}"),
                ]);
            }
        }
    }
}

impl fmt::Display for Sdp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.session {
            write!(f, "{line}\r\n")?;
        }
        for section in &self.sections {
            write!(f, "{}\r\n", section.head)?;
            for line in &section.lines {
                write!(f, "{line}\r\n")?;
            }
        }
        Ok(())
    }
}

impl Section {
    pub(crate) fn kind(&self) -> Option<Kind> {
        match self.head[2..].split(' ').next() {
            Some("audio") => Some(Kind::Audio),
            Some("video") => Some(Kind::Video),
            Some("application") => Some(Kind::Data),
            _ => None,
        }
    }

    pub(crate) fn mid(&self) -> Option<&str> {
        self.value("a=mid:")
    }

    /// Port 0: the line is off. (In a bundle-only offer of "max-bundle" it is not; then it is in the group.)
    pub(crate) fn is_off(&self) -> bool {
        self.head.split(' ').nth(1) == Some("0")
            && !self.lines.iter().any(|line| line == "a=bundle-only")
    }

    /// The direction as the writer of the description sees it.
    pub(crate) fn direction(&self) -> Direction {
        self.lines
            .iter()
            .find_map(|line| direction(line))
            .unwrap_or(Direction::SendRecv)
    }

    /// The stream id of the track that the writer sends on this line.
    pub(crate) fn stream_id(&self) -> Option<&str> {
        let msid = self.value("a=msid:").or_else(|| {
            self.lines.iter().find_map(|line| {
                let (_, attribute) = line.strip_prefix("a=ssrc:")?.split_once(' ')?;
                attribute.strip_prefix("msid:")
            })
        })?;
        msid.split(' ').next().filter(|id| *id != "-")
    }

    /// The SSRCs of the line, each once, in order.
    pub(crate) fn ssrcs(&self) -> Vec<u32> {
        let mut ssrcs = Vec::new();
        for line in &self.lines {
            if let Some(ssrc) = ssrc_of(line)
                && !ssrcs.contains(&ssrc)
            {
                ssrcs.push(ssrc);
            }
        }
        ssrcs
    }

    fn value(&self, prefix: &str) -> Option<&str> {
        self.lines.iter().find_map(|line| line.strip_prefix(prefix))
    }

    fn set_direction(&mut self, new: Direction) {
        let text = match new {
            Direction::SendRecv => "a=sendrecv",
            Direction::SendOnly => "a=sendonly",
            Direction::RecvOnly => "a=recvonly",
            Direction::Inactive => "a=inactive",
        };
        self.lines.retain(|line| direction(line).is_none());
        self.lines.push(text.to_owned());
    }

    /// Leaves only the first payload type of `codec`, under the number agreed before if there is one.
    /// When the codec is missing nothing is changed; str0m refuses the line then.
    fn keep_codec(&mut self, codec: &str, agreed: &mut Option<u8>) {
        let Some(offered) = self.payload_type_of(codec) else {
            return;
        };
        let wanted = *agreed.get_or_insert(offered);
        let mut head: Vec<&str> = self.head.split(' ').take(3).collect();
        let number = wanted.to_string();
        head.push(&number);
        self.head = head.join(" ");
        self.lines = std::mem::take(&mut self.lines)
            .into_iter()
            .filter_map(|line| renumbered(line, offered, wanted))
            .collect();
    }

    fn payload_type_of(&self, codec: &str) -> Option<u8> {
        self.lines.iter().find_map(|line| {
            let (number, name) = line.strip_prefix("a=rtpmap:")?.split_once(' ')?;
            let number: u8 = number.parse().ok()?;
            (number < 128 && name.trim().eq_ignore_ascii_case(codec)).then_some(number)
        })
    }

    fn keep_extensions(&mut self, known: &[&str]) {
        self.lines.retain(|line| {
            let Some(rest) = line.strip_prefix("a=extmap:") else {
                return true;
            };
            rest.split(' ')
                .nth(1)
                .is_some_and(|uri| known.contains(&uri))
        });
    }

    /// Removes RTX streams: they were announced for payload types that are gone.
    fn drop_repair_streams(&mut self) {
        let repairs: Vec<u32> = self
            .lines
            .iter()
            .filter_map(|line| line.strip_prefix("a=ssrc-group:FID "))
            .filter_map(|ssrcs| ssrcs.split(' ').nth(1)?.parse().ok())
            .collect();
        self.lines.retain(|line| {
            !line.starts_with("a=ssrc-group:")
                && !ssrc_of(line).is_some_and(|ssrc| repairs.contains(&ssrc))
        });
    }
}

fn direction(line: &str) -> Option<Direction> {
    match line {
        "a=sendrecv" => Some(Direction::SendRecv),
        "a=sendonly" => Some(Direction::SendOnly),
        "a=recvonly" => Some(Direction::RecvOnly),
        "a=inactive" => Some(Direction::Inactive),
        _ => None,
    }
}

fn ssrc_of(line: &str) -> Option<u32> {
    line.strip_prefix("a=ssrc:")?
        .split(' ')
        .next()?
        .parse()
        .ok()
}

/// The line with another payload type, `None` when it is about a payload type that goes.
fn renumbered(line: String, from: u8, to: u8) -> Option<String> {
    for prefix in ["a=rtpmap:", "a=fmtp:", "a=rtcp-fb:"] {
        let Some(rest) = line.strip_prefix(prefix) else {
            continue;
        };
        let (number, rest) = rest.split_once(' ')?;
        if number != "*" && number.parse() != Ok(from) {
            return None;
        }
        let mut out = String::with_capacity(line.len() + 2);
        let _ = write!(out, "{prefix}{to} {rest}"); // Writing to a String does not fail.
        return Some(out);
    }
    Some(line)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const OFFER: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1 2\r\n\
        a=msid-semantic: WMS mic\r\n\
        m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n\
        a=candidate:1 1 udp 2113937151 3c1f.local 50000 typ host\r\na=setup:actpass\r\na=mid:0\r\n\
        m=audio 9 UDP/TLS/RTP/SAVPF 63 109 0\r\na=setup:actpass\r\na=mid:1\r\n\
        a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\na=extmap:14 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n\
        a=sendrecv\r\na=msid:mic track\r\na=rtcp-mux\r\na=rtpmap:63 red/48000/2\r\na=fmtp:63 109/109\r\n\
        a=rtpmap:109 opus/48000/2\r\na=fmtp:109 minptime=10\r\na=rtcp-fb:109 transport-cc\r\na=rtpmap:0 PCMU/8000\r\n\
        a=ssrc:11 cname:c\r\na=ssrc:11 msid:mic track\r\n\
        m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\na=mid:2\r\na=sendonly\r\na=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack pli\r\n\
        a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\na=ssrc-group:FID 21 22\r\na=ssrc:21 cname:c\r\na=ssrc:22 cname:c\r\n\
        a=ssrc:21 msid:screen v\r\na=end-of-candidates\r\n";

    #[test]
    fn what_is_not_touched_comes_out_as_it_went_in() {
        assert_eq!(Sdp::parse(OFFER).unwrap().to_string(), OFFER);
        assert!(Sdp::parse("").is_err());
        assert!(Sdp::parse("v=0\r\n").is_err());
        assert!(Sdp::parse("hello").is_err());
        assert!(Sdp::parse(&OFFER.replace("a=mid:2", "a=mid:1")).is_err());
    }

    #[test]
    fn lines_tell_what_they_carry() {
        let sdp = Sdp::parse(OFFER).unwrap();
        let [data, audio, video] = &sdp.sections[..] else {
            panic!("three lines");
        };
        assert_eq!(data.kind(), Some(Kind::Data));
        assert_eq!((audio.kind(), audio.mid()), (Some(Kind::Audio), Some("1")));
        assert_eq!(audio.direction(), Direction::SendRecv);
        assert_eq!(audio.stream_id(), Some("mic"));
        assert_eq!(video.direction(), Direction::SendOnly);
        assert_eq!(video.stream_id(), Some("screen"));
        assert_eq!(video.ssrcs(), [21, 22]);
        assert!(!video.is_off());
    }

    #[test]
    fn only_opus_and_vp8_without_repair_streams_are_kept() {
        let mut sdp = Sdp::parse(OFFER).unwrap();
        let mut agreed = PayloadTypes::default();
        sdp.keep_known(&mut agreed);
        assert_eq!(
            agreed,
            PayloadTypes {
                opus: Some(109),
                vp8: Some(96)
            }
        );
        let text = sdp.to_string();
        assert!(text.contains("m=audio 9 UDP/TLS/RTP/SAVPF 109\r\n"));
        assert!(text.contains("m=video 9 UDP/TLS/RTP/SAVPF 96\r\n"));
        for gone in ["red", "PCMU", "rtx", "apt=", "FID", "a=ssrc:22", "sdes:mid"] {
            assert!(!text.contains(gone), "{gone}");
        }
        assert!(text.contains("ssrc-audio-level"));
        assert_eq!(sdp.sections[2].ssrcs(), [21]);
    }

    #[test]
    fn an_agreed_payload_type_stays() {
        let mut sdp = Sdp::parse(OFFER).unwrap();
        let mut agreed = PayloadTypes {
            opus: Some(111),
            vp8: Some(96),
        };
        sdp.keep_known(&mut agreed);
        let text = sdp.to_string();
        assert!(text.contains("SAVPF 111\r\n"));
        assert!(text.contains("a=rtpmap:111 opus/48000/2\r\n"));
        assert!(text.contains("a=fmtp:111 minptime=10\r\n"));
        assert!(text.contains("a=rtcp-fb:111 transport-cc\r\n"));
    }

    #[test]
    fn candidates_are_taken_out_and_the_dtls_role_is_chosen() {
        let mut sdp = Sdp::parse(OFFER).unwrap();
        let candidates = sdp.take_candidates();
        assert_eq!(
            candidates,
            ["candidate:1 1 udp 2113937151 3c1f.local 50000 typ host"]
        );
        sdp.choose_active();
        let text = sdp.to_string();
        assert!(!text.contains("candidate") && !text.contains("actpass"));
        assert_eq!(text.matches("a=setup:passive").count(), 2);
    }

    #[test]
    fn a_refused_line_still_names_a_format() {
        let mut sdp = Sdp::parse("v=0\r\nm=video 0 UDP/TLS/RTP/SAVPF \r\na=mid:1\r\n").unwrap();
        sdp.dress(|_| None);
        assert!(
            sdp.to_string()
                .contains("m=video 0 UDP/TLS/RTP/SAVPF 0\r\n")
        );
    }

    #[test]
    fn a_dressed_line_announces_the_track_and_nothing_else() {
        let mut sdp = Sdp::parse(OFFER).unwrap();
        sdp.dress(|mid| match mid {
            "1" => Some((
                Direction::SendRecv,
                Some(Announced {
                    ssrc: 7,
                    stream: "conn".to_owned(),
                    track: "voice_conn_abcdefgh".to_owned(),
                }),
            )),
            _ => Some((Direction::RecvOnly, None)),
        });
        let audio = &sdp.sections[1];
        assert_eq!(audio.stream_id(), Some("conn"));
        assert_eq!(audio.ssrcs(), [7]);
        let video = &sdp.sections[2];
        assert_eq!(
            (video.stream_id(), video.direction()),
            (None, Direction::RecvOnly)
        );
        assert!(video.ssrcs().is_empty());
        assert!(sdp.to_string().contains("a=msid-semantic:WMS *\r\n"));
    }
}
