//! The edge to the servers, as one trait: the real thing, and room for a double in tests.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use calls_core::effect::UploadWish;
use calls_core::id::{FileId, Millis, UserId};
use calls_core::model::File;
use calls_core::port::{BoxFuture, CallBackend, Fingerprint, Reply, Request, RequestError, Secret};
use calls_net::{CallsV1, Lane, Rest, Socket, SocketEvent, Trust};

/// Takes what the account's WebSocket says. Must not block.
pub type SocketSink = Arc<dyn Fn(SocketEvent) + Send + Sync>;

/// An open WebSocket of the account.
pub trait Line: Send {
    /// Ends the wait between two tries.
    fn retry_now(&self);
    /// Tells the server that the person is here, or is not.
    fn active(&self, active: bool);
    /// Closes it; nothing is said afterwards.
    fn close(self: Box<Self>) -> BoxFuture<()>;
}

/// Everything that goes over the network.
pub trait Net: Send + Sync {
    /// Sets the server and the token for everything that follows.
    fn set_account(&self, server: String, token: Option<Secret>);
    /// Trusts this certificate for this host from now on.
    fn trust(&self, host: &str, fingerprint: Fingerprint);
    /// Performs a request, with the account as it is now.
    fn perform(&self, request: Request) -> BoxFuture<Result<Reply, RequestError>>;
    /// Opens the account's WebSocket.
    fn open_line(&self, server: String, token: Secret, sink: SocketSink) -> Box<dyn Line>;
    /// The way into calls on this server.
    fn backend(&self, server: String, token: Secret) -> Arc<dyn CallBackend>;
    /// A portrait as image bytes.
    fn picture(&self, user: UserId, version: Millis) -> BoxFuture<Option<Bytes>>;
    /// Another picture as image bytes.
    fn image(&self, of: Image) -> BoxFuture<Option<Bytes>>;
    /// What stands in a file from a byte on, at most a MiB.
    fn file_part(&self, file: FileId, from: u64) -> BoxFuture<Option<Bytes>>;
    /// Sends a file; the progress hears how many bytes have left.
    fn upload(&self, wish: UploadWish, progress: Progress)
    -> BoxFuture<Result<File, RequestError>>;
    /// Writes a file of the server's to a path that does not exist yet.
    fn save(&self, file: FileId, path: PathBuf) -> BoxFuture<Result<(), RequestError>>;
}

/// Hears how many bytes of a file have left.
pub type Progress = Box<dyn Fn(u64) + Send + Sync>;

/// A picture of the server's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Image {
    /// A small picture of a file.
    Thumbnail(FileId),
    /// A larger picture of a file.
    Preview(FileId),
    /// A file that is a picture, as it is, if it is not large.
    Whole(FileId),
    /// An emoji of the server's own, by its id.
    Emoji(String),
}

/// The real network.
pub(crate) struct RealNet {
    rest: Rest,
    lane: Lane,
}

impl RealNet {
    pub(crate) fn new(user_agent: &str, trusted: BTreeMap<String, Fingerprint>) -> Self {
        Self {
            rest: Rest::with_trust(user_agent, Trust::new(trusted)),
            lane: Lane::default(),
        }
    }
}

impl Net for RealNet {
    fn set_account(&self, server: String, token: Option<Secret>) {
        self.rest.set_account(server, token);
    }

    fn trust(&self, host: &str, fingerprint: Fingerprint) {
        self.rest.trust().add(host, fingerprint);
    }

    fn perform(&self, request: Request) -> BoxFuture<Result<Reply, RequestError>> {
        let rest = self.rest.clone();
        Box::pin(async move { rest.perform(request).await })
    }

    fn open_line(&self, server: String, token: Secret, sink: SocketSink) -> Box<dyn Line> {
        Box::new(RealLine(Socket::open(
            server,
            token,
            self.rest.trust().clone(),
            sink,
        )))
    }

    fn backend(&self, server: String, token: Secret) -> Arc<dyn CallBackend> {
        Arc::new(CallsV1::new(
            server,
            token,
            self.rest.clone(),
            self.lane.clone(),
        ))
    }

    fn picture(&self, user: UserId, version: Millis) -> BoxFuture<Option<Bytes>> {
        let rest = self.rest.clone();
        Box::pin(async move { rest.picture(&user, version).await.ok() })
    }

    fn image(&self, of: Image) -> BoxFuture<Option<Bytes>> {
        let rest = self.rest.clone();
        Box::pin(async move {
            match of {
                Image::Thumbnail(file) => rest.file_picture(&file, true).await.ok(),
                Image::Preview(file) => rest.file_picture(&file, false).await.ok(),
                Image::Whole(file) => rest.small_file(&file).await.ok(),
                Image::Emoji(id) => rest.emoji_picture(&id).await.ok(),
            }
        })
    }

    fn file_part(&self, file: FileId, from: u64) -> BoxFuture<Option<Bytes>> {
        let rest = self.rest.clone();
        Box::pin(async move { rest.file_part(&file, from).await.ok() })
    }

    fn upload(
        &self,
        wish: UploadWish,
        progress: Progress,
    ) -> BoxFuture<Result<File, RequestError>> {
        let rest = self.rest.clone();
        Box::pin(async move {
            rest.upload(&wish.channel, &wish.name, wish.bytes, progress)
                .await
        })
    }

    fn save(&self, file: FileId, path: PathBuf) -> BoxFuture<Result<(), RequestError>> {
        let rest = self.rest.clone();
        Box::pin(async move { rest.save(&file, &path).await })
    }
}

struct RealLine(Socket);

impl Line for RealLine {
    fn retry_now(&self) {
        self.0.retry_now();
    }

    fn active(&self, active: bool) {
        self.0.active(active);
    }

    fn close(self: Box<Self>) -> BoxFuture<()> {
        Box::pin(self.0.close())
    }
}
