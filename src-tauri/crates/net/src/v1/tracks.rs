//! Which packets are whose: the SFU's track names, read from its session descriptions.
//!
//! A remote track is known by the *second* word of `a=msid`: `<type>_<session>_<8 characters>` (signaling 5.3). The
//! media section (`mid`) is no identity: a freed one carries the next track, and a remote voice may arrive on the
//! section of our own microphone. So each server offer is read as a whole and compared with the last one.

use std::collections::BTreeMap;

use calls_core::id::{SessionId, TrackId};
use calls_core::port::media::{MediaKind, RemoteTrack};
use calls_core::wire::dc::MediaEntry;

/// Sections of a description that are looked at. A call of a thousand people with three tracks each is refused by
/// the 64 KiB limit long before.
const MAX_SECTIONS: usize = 2048;

/// A remote track with the stream that carries it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Incoming {
    /// Whose, and what.
    pub(crate) track: RemoteTrack,
    /// RTP streams that carry it.
    pub(crate) ssrcs: Vec<u32>,
}

/// What a new offer changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// Tracks that are gone: by name, or because their section carries another one now.
    pub(crate) closed: Vec<TrackId>,
    /// Tracks that are new.
    pub(crate) opened: Vec<Incoming>,
}

/// The remote tracks of one session.
#[derive(Debug, Default)]
pub(crate) struct Tracks {
    by_mid: BTreeMap<String, Incoming>,
    map: BTreeMap<String, MediaEntry>,
}

impl Tracks {
    /// Keeps the server's media map: the fallback for tracks with names that say nothing. Its `sender_id` is wrong
    /// in real servers and never looked at.
    pub(crate) fn set_map(&mut self, map: BTreeMap<String, MediaEntry>) {
        self.map = map;
    }

    /// Reads a server's offer.
    pub(crate) fn offer(&mut self, sdp: &str) -> Changes {
        let mut now = BTreeMap::new();
        for section in sections(sdp) {
            if let Some(incoming) = self.incoming(&section) {
                now.insert(section.mid.to_owned(), incoming);
            }
        }
        let mut changes = Changes::default();
        for (mid, old) in &self.by_mid {
            if now.get(mid) != Some(old) {
                changes.closed.push(old.track.id.clone());
            }
        }
        for (mid, new) in &now {
            if self.by_mid.get(mid) != Some(new) {
                changes.opened.push(new.clone());
            }
        }
        self.by_mid = now;
        changes
    }

    /// Forgets the tracks that `gone` names; the server does not say that they ended (signaling 5.4).
    pub(crate) fn forget(&mut self, gone: impl Fn(&RemoteTrack) -> bool) -> Vec<TrackId> {
        let mut closed = Vec::new();
        self.by_mid.retain(|_, incoming| {
            let ends = gone(&incoming.track);
            if ends {
                closed.push(incoming.track.id.clone());
            }
            !ends
        });
        closed
    }

    fn incoming(&self, section: &Section<'_>) -> Option<Incoming> {
        let (stream, name) = section.msid?;
        if !section.sends || section.ssrcs.is_empty() {
            return None;
        }
        let (kind, session) = match parse_name(name) {
            Some(parsed) => parsed,
            // Not the grammar: the stream is the sender's session since rtcd 1.2.4, the map knows the type.
            None => (kind_of(&self.map.get(section.mid)?.kind)?, stream),
        };
        Some(Incoming {
            track: RemoteTrack {
                id: TrackId::from(name),
                kind,
                session: SessionId::from(session),
            },
            ssrcs: section.ssrcs.clone(),
        })
    }
}

/// Splits `<type>_<session>_<random>`; `None` for another form, or a type that we do not play (a camera).
fn parse_name(name: &str) -> Option<(MediaKind, &str)> {
    let mut parts = name.split('_');
    let (kind, session, random) = (parts.next()?, parts.next()?, parts.next()?);
    let whole = parts.next().is_none() && !session.is_empty() && !random.is_empty();
    Some((kind_of(kind).filter(|_| whole)?, session))
}

/// Whose shared screen this track is the sound of.
pub(crate) fn sound_of(id: &TrackId) -> Option<SessionId> {
    match parse_name(id.as_str()) {
        Some((MediaKind::ScreenAudio, session)) => Some(SessionId::from(session)),
        _ => None,
    }
}

fn kind_of(text: &str) -> Option<MediaKind> {
    match text {
        "voice" => Some(MediaKind::Voice),
        "screen" => Some(MediaKind::Screen),
        "screen-audio" => Some(MediaKind::ScreenAudio),
        _ => None,
    }
}

#[derive(Default)]
struct Section<'a> {
    mid: &'a str,
    msid: Option<(&'a str, &'a str)>,
    ssrcs: Vec<u32>,
    sends: bool,
}

/// The media sections of a description, as far as they matter here.
fn sections(sdp: &str) -> Vec<Section<'_>> {
    let mut found: Vec<Section<'_>> = Vec::new();
    for line in sdp.lines().map(str::trim_end) {
        if line.starts_with("m=") {
            if found.len() == MAX_SECTIONS {
                break;
            }
            let media = line.starts_with("m=audio") || line.starts_with("m=video");
            found.push(Section {
                // RFC 8866 §6.7: without a direction a section sends.
                sends: media,
                ..Section::default()
            });
            continue;
        }
        let Some((section, line)) = found.last_mut().zip(line.strip_prefix("a=")) else {
            continue;
        };
        if let Some(mid) = line.strip_prefix("mid:") {
            section.mid = mid;
        } else if let Some(msid) = line.strip_prefix("msid:") {
            section.msid = msid.split_once(' ');
        } else if let Some(rest) = line.strip_prefix("ssrc:") {
            let (ssrc, rest) = rest.split_once(' ').unwrap_or((rest, ""));
            if let Ok(ssrc) = ssrc.parse()
                && !section.ssrcs.contains(&ssrc)
            {
                section.ssrcs.push(ssrc);
            }
            if let (None, Some(msid)) = (section.msid, rest.strip_prefix("msid:")) {
                section.msid = msid.split_once(' ');
            }
        } else if matches!(line, "recvonly" | "inactive") {
            section.sends = false;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: &str = "connalicexxxxxxxxxxxxxxxxx";

    fn audio(mid: &str, name: &str, ssrc: u32) -> String {
        format!(
            "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:{mid}\r\na=ssrc:{ssrc} cname:x\r\na=ssrc:{ssrc} msid:{ALICE} {name}\r\na=msid:{ALICE} {name}\r\na=sendrecv\r\n"
        )
    }

    fn silent(mid: &str, direction: &str) -> String {
        format!("m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:{mid}\r\na={direction}\r\n")
    }

    const HEAD: &str =
        "v=0\r\ns=-\r\nt=0 0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:0\r\n";

    fn opened(changes: &Changes) -> Vec<(&str, MediaKind, &str, &[u32])> {
        changes
            .opened
            .iter()
            .map(|incoming| {
                let track = &incoming.track;
                (
                    track.id.as_str(),
                    track.kind,
                    track.session.as_str(),
                    incoming.ssrcs.as_slice(),
                )
            })
            .collect()
    }

    #[test]
    fn names_are_split_into_exactly_three() {
        let cases = [
            ("voice_abc_12345678", Some((MediaKind::Voice, "abc"))),
            ("screen_abc_1", Some((MediaKind::Screen, "abc"))),
            ("screen-audio_abc_1", Some((MediaKind::ScreenAudio, "abc"))),
            ("video_abc_1", None),
            ("voice_abc", None),
            ("voice_abc_1_2", None),
            ("voice__1", None),
            ("voice_abc_", None),
            ("", None),
            ("{uuid}", None),
        ];
        for (name, expected) in cases {
            assert_eq!(parse_name(name), expected, "{name}");
        }
    }

    #[test]
    fn a_track_opens_once_and_stays_while_later_offers_repeat_it() {
        let mut tracks = Tracks::default();
        let name = format!("voice_{ALICE}_bao4kbnd");
        let sdp = format!("{HEAD}{}", audio("1", &name, 1_014_350_938));
        let changes = tracks.offer(&sdp);
        assert_eq!(
            opened(&changes),
            [(name.as_str(), MediaKind::Voice, ALICE, &[1_014_350_938][..])]
        );
        assert_eq!(tracks.offer(&sdp), Changes::default());
    }

    #[test]
    fn a_mid_that_carries_another_track_closes_the_old_one() {
        let mut tracks = Tracks::default();
        let (first, second) = ("screen_a_1", "screen_b_2");
        tracks.offer(&format!("{HEAD}{}", audio("2", first, 1)));
        let changes = tracks.offer(&format!("{HEAD}{}", audio("2", second, 2)));
        assert_eq!(changes.closed, [TrackId::from(first)]);
        assert_eq!(
            opened(&changes),
            [(second, MediaKind::Screen, "b", &[2][..])]
        );
    }

    #[test]
    fn a_section_without_name_or_direction_to_send_carries_nothing() {
        let mut tracks = Tracks::default();
        tracks.offer(&format!("{HEAD}{}", audio("1", "voice_a_1", 1)));
        let changes = tracks.offer(&format!("{HEAD}{}", silent("1", "sendrecv")));
        assert_eq!(changes.closed, [TrackId::from("voice_a_1")]);
        for direction in ["recvonly", "inactive"] {
            let sdp = audio("1", "voice_a_1", 1).replace("a=sendrecv", &format!("a={direction}"));
            assert_eq!(tracks.offer(&format!("{HEAD}{sdp}")), Changes::default());
        }
    }

    #[test]
    fn the_same_name_with_another_stream_is_opened_again() {
        let mut tracks = Tracks::default();
        tracks.offer(&audio("1", "voice_a_1", 1));
        let changes = tracks.offer(&audio("1", "voice_a_1", 2));
        assert_eq!(changes.closed.len(), 1);
        assert_eq!(
            opened(&changes),
            [("voice_a_1", MediaKind::Voice, "a", &[2][..])]
        );
    }

    #[test]
    fn the_map_helps_with_the_type_and_never_with_the_sender() {
        let mut tracks = Tracks::default();
        let sdp = audio("1", "{8c1f}", 5);
        assert_eq!(tracks.offer(&sdp), Changes::default());
        let entry = MediaEntry {
            kind: "voice".into(),
            sender_id: "me, the receiver".into(),
        };
        tracks.set_map([("1".to_owned(), entry)].into());
        assert_eq!(
            opened(&tracks.offer(&sdp)),
            [("{8c1f}", MediaKind::Voice, ALICE, &[5][..])]
        );
    }

    #[test]
    fn those_who_leave_are_forgotten_without_an_offer() {
        let mut tracks = Tracks::default();
        let sdp = [audio("1", "voice_a_1", 1), audio("2", "voice_b_1", 2)].concat();
        tracks.offer(&sdp);
        let closed = tracks.forget(|track| track.session.as_str() == "a");
        assert_eq!(closed, [TrackId::from("voice_a_1")]);
        assert!(tracks.forget(|_| true).len() == 1);
    }

    #[test]
    fn garbage_is_harmless() {
        let long = "m=audio\na=ssrc:99999999999999999999 msid:\na=msid:\na=mid:\n".repeat(5000);
        for sdp in [
            "",
            "\0",
            "a=mid:1",
            "m=",
            "m=audio\r\na=msid:x",
            long.as_str(),
        ] {
            assert_eq!(Tracks::default().offer(sdp), Changes::default());
        }
    }
}
