//! Files on their way to the server, by the place where they will be posted.

use std::collections::BTreeMap;

use crate::effect::{Effect, UploadWish};
use crate::id::{ChannelId, FileId, UploadId};
use crate::input::{Attach, UploadEvent};
use crate::port::RequestError;
use crate::snapshot::{UploadRow, UploadState};

use super::super::out::{Out, Part};
use super::place;

/// Files of one post, as the server counts them (mattermost-core §9).
pub(crate) const MOST: usize = 10;

/// Files on their way, and those that wait to be sent with a post.
#[derive(Debug, Default)]
pub(crate) struct Uploads {
    last: u32,
    /// By place, in the order they were attached.
    all: BTreeMap<ChannelId, Vec<Upload>>,
}

#[derive(Debug)]
struct Upload {
    id: UploadId,
    /// Kept until the server has it, for another try.
    wish: UploadWish,
    size: u64,
    state: UploadState,
}

/// Why a file is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Ten are attached already.
    TooMany,
    /// Larger than the server allows.
    TooLarge,
}

impl Uploads {
    /// Takes a file and sends it on its way.
    pub(crate) fn attach(
        &mut self,
        attach: Attach,
        largest: u64,
        out: &mut Out,
    ) -> Result<(), Refused> {
        let size = attach.bytes.len() as u64;
        let here = self
            .all
            .entry(place(&attach.channel, attach.root.as_ref()))
            .or_default();
        if here.len() >= MOST {
            return Err(Refused::TooMany);
        }
        if size > largest {
            return Err(Refused::TooLarge);
        }
        self.last += 1;
        let id = UploadId(self.last);
        let wish = UploadWish {
            channel: attach.channel,
            name: attach.name,
            bytes: attach.bytes,
        };
        out.push(Effect::Upload(id, Box::new(wish.clone())));
        here.push(Upload {
            id,
            wish,
            size,
            state: UploadState::Sending { sent: 0 },
        });
        out.dirty(Part::Compose);
        Ok(())
    }

    /// How one fares.
    pub(crate) fn heard(&mut self, id: UploadId, event: UploadEvent, out: &mut Out) {
        let Some(upload) = self.find(id) else { return };
        upload.state = match event {
            UploadEvent::Sent(sent) => UploadState::Sending {
                sent: sent.min(upload.size),
            },
            UploadEvent::Done(file) => {
                upload.wish.bytes.clear();
                UploadState::Done {
                    picture: file.has_preview || file.width > 0,
                    file: file.id,
                }
            }
            UploadEvent::Failed(error) => UploadState::Failed {
                reason: match error {
                    RequestError::Refused { status: 413, .. } => "file.too_large".to_owned(),
                    RequestError::Refused { message, .. } if !message.is_empty() => message,
                    _ => "file.failed".to_owned(),
                },
            },
        };
        out.dirty(Part::Compose);
    }

    /// Stops one, or takes it back.
    pub(crate) fn remove(&mut self, id: UploadId, out: &mut Out) {
        for here in self.all.values_mut() {
            if let Some(at) = here.iter().position(|upload| upload.id == id) {
                if matches!(here[at].state, UploadState::Sending { .. }) {
                    out.push(Effect::StopUpload(id));
                }
                here.remove(at);
                out.dirty(Part::Compose);
            }
        }
        self.all.retain(|_, here| !here.is_empty());
    }

    /// Tries one again.
    pub(crate) fn retry(&mut self, id: UploadId, out: &mut Out) {
        if let Some(upload) = self.find(id)
            && matches!(upload.state, UploadState::Failed { .. })
        {
            upload.state = UploadState::Sending { sent: 0 };
            out.push(Effect::Upload(id, Box::new(upload.wish.clone())));
            out.dirty(Part::Compose);
        }
    }

    /// Something is still on its way, or has failed: the post has to wait.
    pub(crate) fn pending(&self, place: &ChannelId) -> bool {
        self.all.get(place).is_some_and(|here| {
            here.iter()
                .any(|upload| !matches!(upload.state, UploadState::Done { .. }))
        })
    }

    /// The files of a place, which are now sent with a post.
    pub(crate) fn take(&mut self, place: &ChannelId, out: &mut Out) -> Vec<FileId> {
        let Some(here) = self.all.remove(place) else {
            return Vec::new();
        };
        out.dirty(Part::Compose);
        here.into_iter()
            .filter_map(|upload| match upload.state {
                UploadState::Done { file, .. } => Some(file),
                _ => None,
            })
            .collect()
    }

    /// Stops everything.
    pub(crate) fn clear(&mut self, out: &mut Out) {
        let ids: Vec<_> = self
            .all
            .values()
            .flatten()
            .map(|upload| upload.id)
            .collect();
        for id in ids {
            self.remove(id, out);
        }
    }

    /// For the snapshot.
    pub(crate) fn rows(&self) -> BTreeMap<String, Vec<UploadRow>> {
        self.all
            .iter()
            .filter(|(_, here)| !here.is_empty())
            .map(|(place, here)| {
                let row = |upload: &Upload| UploadRow {
                    id: upload.id,
                    name: upload.wish.name.clone(),
                    size: upload.size,
                    state: upload.state.clone(),
                };
                (place.to_string(), here.iter().map(row).collect())
            })
            .collect()
    }

    fn find(&mut self, id: UploadId) -> Option<&mut Upload> {
        self.all
            .values_mut()
            .flatten()
            .find(|upload| upload.id == id)
    }
}
