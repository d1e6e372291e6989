//! The m-lines of one client and the offers that change them.
//!
//! Lines follow pion: one whose sender is free is used again, also the line of the client's own microphone;
//! one whose track's sender left keeps `sendrecv` without msid and is not used again. One difference: a
//! line on which the client only sends is left alone, since it could not receive there.

use str0m::change::SdpPendingOffer;
use str0m::media::{Direction, MediaKind, Mid};
use str0m::rtp::Ssrc;

use super::peer::{Out, Peer};
use super::sdp::{Announced, Kind, Sdp};
use super::track::{TrackId, TrackKind};

/// An m-line.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) mid: Mid,
    pub(crate) audio: bool,
    slot: Slot,
    /// What the client said last, as it sees it.
    pub(crate) remote: Direction,
    /// Made by an offer of the client.
    theirs: bool,
    /// Refused by the client, or without a codec that we know.
    pub(crate) off: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    /// Nothing was sent on the line, or it was removed.
    Free,
    /// A track is sent.
    Taken,
    /// The track's sender left.
    Stopped,
}

impl Line {
    /// Whether a track can be put on this line.
    fn takes(&self, audio: bool) -> bool {
        self.audio == audio
            && self.slot == Slot::Free
            && !self.off
            && (!self.theirs || self.remote.is_receiving())
    }

    /// What the server says about the line.
    fn direction(&self, answer: bool) -> Direction {
        let send = self.slot != Slot::Free && (!answer || self.remote.is_receiving());
        let receive = !answer || self.remote.is_sending();
        match (send, receive) {
            (true, true) => Direction::SendRecv,
            (true, false) => Direction::SendOnly,
            (false, true) => Direction::RecvOnly,
            (false, false) => Direction::Inactive,
        }
    }
}

impl Peer {
    pub(crate) fn offer_track(
        &mut self,
        track: TrackId,
        kind: TrackKind,
        stream: String,
        label: String,
    ) -> Option<(String, SdpPendingOffer)> {
        let screen_is_there =
            kind == TrackKind::Screen && self.outs.iter().any(|out| out.kind == kind);
        if screen_is_there || self.out(track).is_some() {
            return None;
        }
        let audio = !kind.is_video();
        let free = self.lines.iter().position(|line| line.takes(audio));
        let (mid, offer, pending, ssrc) = if let Some(n) = free {
            let mid = self.lines[n].mid;
            self.remove_streams(mid);
            let mut direct = self.rtc.direct_api();
            let ssrc = direct.new_ssrc();
            direct.declare_stream_tx(ssrc, None, mid, None);
            self.lines[n].slot = Slot::Taken;
            let (offer, pending) = self.offer_direction(mid, Direction::SendRecv)?;
            (mid, offer, pending, ssrc)
        } else {
            let mut api = self.rtc.sdp_api();
            let media = if audio {
                MediaKind::Audio
            } else {
                MediaKind::Video
            };
            // The track id becomes the CNAME in RTCP, which is to be the sender's session id.
            let mid = api.add_media(
                media,
                Direction::SendRecv,
                Some(stream.clone()),
                Some(stream.clone()),
                None,
            );
            let (offer, pending) = api.apply()?;
            let offer = Sdp::parse(&offer.to_sdp_string()).ok()?;
            let name = mid.to_string();
            let section = offer.sections.iter().find(|s| s.mid() == Some(&name))?;
            let ssrc = Ssrc::from(*section.ssrcs().first()?);
            self.lines.push(Line {
                mid,
                audio,
                slot: Slot::Taken,
                remote: Direction::Inactive,
                theirs: false,
                off: false,
            });
            (mid, offer, pending, ssrc)
        };
        self.outs
            .push(Out::new(track, kind, mid, ssrc, stream, label));
        Some((self.dressed(offer), pending))
    }

    pub(crate) fn offer_removal(&mut self, track: TrackId) -> Option<(String, SdpPendingOffer)> {
        let mid = self.out(track)?.mid;
        self.outs.retain(|out| out.track != track);
        self.remove_streams(mid);
        self.line(mid)?.slot = Slot::Free;
        let (offer, pending) = self.offer_direction(mid, Direction::RecvOnly)?;
        Some((self.dressed(offer), pending))
    }

    fn offer_direction(&mut self, mid: Mid, to: Direction) -> Option<(Sdp, SdpPendingOffer)> {
        let same = self.rtc.media(mid)?.direction() == to;
        let mut api = self.rtc.sdp_api();
        if same {
            // str0m makes no offer without a change.
            api.set_direction(mid, Direction::Inactive);
        }
        api.set_direction(mid, to);
        let (offer, pending) = api.apply()?;
        Some((Sdp::parse(&offer.to_sdp_string()).ok()?, pending))
    }

    /// The sender of a track left: audio just stops, see [`Slot::Stopped`].
    pub(crate) fn drop_out(&mut self, track: TrackId) {
        let Some(mid) = self.out(track).map(|out| out.mid) else {
            return;
        };
        self.outs.retain(|out| out.track != track);
        self.remove_streams(mid);
        if let Some(line) = self.line(mid) {
            line.slot = Slot::Stopped;
        }
    }

    fn dressed(&self, mut offer: Sdp) -> String {
        offer.dress(|mid| self.described(mid, false));
        offer.to_string()
    }

    /// Direction and track of a line, for an answer or an offer.
    pub(crate) fn described(
        &self,
        mid: &str,
        answer: bool,
    ) -> Option<(Direction, Option<Announced>)> {
        let line = self.lines.iter().find(|line| line.mid.to_string() == mid)?;
        if line.off {
            return None;
        }
        let announced = self.outs.iter().find(|out| out.mid == line.mid);
        Some((
            line.direction(answer),
            announced.map(|out| Announced {
                ssrc: *out.ssrc,
                stream: out.stream.clone(),
                track: out.label.clone(),
            }),
        ))
    }

    /// Learns from a description of the client.
    pub(crate) fn note_remote(&mut self, remote: &Sdp, offer: bool) {
        for section in &remote.sections {
            let audio = match section.kind() {
                Some(Kind::Audio) => true,
                Some(Kind::Video) => false,
                _ => continue,
            };
            let Some(mid) = section.mid().map(Mid::from) else {
                continue;
            };
            if section.direction().is_sending()
                && let Some(stream) = section.stream_id()
            {
                self.streams.insert(mid, stream.to_owned());
            }
            let off = section.is_off()
                || self
                    .rtc
                    .media(mid)
                    .is_none_or(str0m::media::Media::disabled);
            match self.line(mid) {
                Some(line) => {
                    line.remote = section.direction();
                    line.off = off;
                }
                None => self.lines.push(Line {
                    mid,
                    audio,
                    slot: Slot::Free,
                    remote: section.direction(),
                    theirs: offer,
                    off,
                }),
            }
        }
    }

    /// Makes str0m's lines and streams those that were announced.
    pub(crate) fn align(&mut self) {
        for n in 0..self.lines.len() {
            let (mid, wanted) = (self.lines[n].mid, self.lines[n].direction(true));
            if self.lines[n].off {
                continue;
            }
            if self
                .rtc
                .media(mid)
                .is_some_and(|media| media.direction() != wanted)
            {
                // Takes effect at once; without `apply` there is no offer.
                self.rtc.sdp_api().set_direction(mid, wanted);
            }
            let ours = self
                .outs
                .iter()
                .find(|out| out.mid == mid)
                .map(|out| out.ssrc);
            let mut direct = self.rtc.direct_api();
            while let Some((ssrc, repaired)) = direct
                .stream_tx_by_mid(mid, None)
                .map(|stream| (stream.ssrc(), stream.rtx().is_some()))
            {
                if Some(ssrc) == ours && !repaired {
                    break;
                }
                direct.remove_stream_tx(ssrc);
            }
            if let Some(ssrc) = ours {
                direct.declare_stream_tx(ssrc, None, mid, None);
            }
        }
    }

    /// Audio lines on which the client says it sends.
    pub(crate) fn sending_lines(&self) -> Vec<Mid> {
        let sending = self
            .lines
            .iter()
            .filter(|line| line.audio && !line.off && line.remote.is_sending());
        sending.map(|line| line.mid).collect()
    }

    fn remove_streams(&mut self, mid: Mid) {
        let mut direct = self.rtc.direct_api();
        while let Some(ssrc) = direct
            .stream_tx_by_mid(mid, None)
            .map(|stream| stream.ssrc())
        {
            direct.remove_stream_tx(ssrc);
        }
    }

    fn line(&mut self, mid: Mid) -> Option<&mut Line> {
        self.lines.iter_mut().find(|line| line.mid == mid)
    }
}
