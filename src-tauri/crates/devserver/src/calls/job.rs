//! The simulated recorder (REST reference 3.9, 6.3–6.5 and 25): it starts after a moment, and when it
//! is stopped a file appears in the call's thread.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::{Call, mp4};
use crate::clock::Timer;
use crate::config::Recorder;
use crate::id::IdSource;
use crate::world::model::Post;
use crate::world::{World, now_ms};

/// A recording, transcription or captioning.
#[derive(Clone, Debug, Default)]
pub(crate) struct Job {
    pub(crate) id: String,
    pub(crate) kind: &'static str,
    pub(crate) init_at: i64,
    pub(crate) start_at: i64,
    pub(crate) end_at: i64,
    pub(crate) err: String,
}

impl Job {
    fn new(id: String, kind: &'static str) -> Self {
        Self {
            id,
            kind,
            init_at: now_ms(),
            ..Self::default()
        }
    }

    /// In events `err` is always there, in states only when it says something.
    pub(crate) fn json(&self, event: bool) -> Value {
        let mut value = json!({
            "type": self.kind, "init_at": self.init_at, "start_at": self.start_at,
            "end_at": self.end_at,
        });
        if event || !self.err.is_empty() {
            value["err"] = self.err.clone().into();
        }
        value
    }

    fn runs(&self) -> bool {
        self.end_at == 0
    }
}

impl World {
    /// `recording/start` or `recording/stop`; the answer is the job, or status and text.
    pub(crate) fn record(
        &mut self,
        channel: &str,
        user: &str,
        action: &str,
    ) -> Result<Value, (u16, &'static str)> {
        if !self.can_read(user, channel) {
            return Err((403, "Forbidden"));
        }
        if !self.switches.recordings {
            return Err((403, "recordings are not enabled"));
        }
        let call = self.calls.active.get(channel);
        let call = call.ok_or((403, "no call ongoing"))?;
        if call.host != user {
            return Err((403, "no permissions to record"));
        }
        let running = call.recording.as_ref().is_some_and(Job::runs);
        match (action, running) {
            ("start", true) => Err((403, "recording already in progress")),
            ("stop", false) => Err((403, "no recording in progress")),
            ("start", false) => Ok(self.start_recording(channel)),
            ("stop", true) => Ok(self.stop_recording(channel)),
            _ => Err((400, "unsupported recording action")),
        }
    }

    fn start_recording(&mut self, channel: &str) -> Value {
        let (recording, transcription) = (self.ids.next_id(), self.ids.next_id());
        let (with_text, with_captions) =
            (self.switches.transcriptions, self.switches.live_captions);
        let Some(call) = self.calls.active.get_mut(channel) else {
            return Value::Null;
        };
        call.recording = Some(Job::new(recording.clone(), "recording"));
        if with_text {
            call.transcription = Some(Job::new(transcription.clone(), "transcribing"));
            if with_captions {
                call.captions = Some(Job::new(transcription.clone(), "captioning"));
            }
        }
        let (id, post) = (call.id.clone(), call.post.clone());
        let answer = call.recording.as_ref().map(|j| j.json(false));
        self.tell_jobs(channel);
        let entry = if with_text {
            json!({"tr_id": transcription})
        } else {
            json!({})
        };
        self.put_in_post(&post, "recordings", &recording, entry);
        if with_text {
            let entry = json!({"rec_id": recording});
            self.put_in_post(&post, "transcriptions", &transcription, entry);
        }
        self.announce_edit(&post);
        let timings = self.timings.clone();
        let (call, job) = (id, recording);
        if self.switches.recorder != Recorder::NeverStarts {
            let timer = Timer::RecorderStarts {
                call: call.clone(),
                job: job.clone(),
            };
            self.timers.after(timings.recorder_start, timer);
        }
        let timer = Timer::RecorderTimeout { call, job };
        self.timers.after(timings.recorder_timeout, timer);
        answer.unwrap_or_default()
    }

    fn stop_recording(&mut self, channel: &str) -> Value {
        let Some(mut call) = self.calls.active.get(channel).cloned() else {
            return Value::Null;
        };
        let jobs = self.end_jobs(&mut call, "");
        let answer = call.recording.as_ref().map(|j| j.json(false));
        self.calls.active.insert(channel.to_owned(), call);
        if jobs {
            self.tell_jobs(channel);
        }
        answer.unwrap_or_default()
    }

    /// Marks the running jobs of a call as ended; true if there were any.
    fn end_jobs(&mut self, call: &mut Call, err: &str) -> bool {
        let now = now_ms();
        let mut any = false;
        let started = call
            .recording
            .as_ref()
            .is_some_and(|j| j.runs() && j.start_at > 0);
        let recording = call.recording.as_ref().map(|j| j.id.clone());
        for job in [
            &mut call.recording,
            &mut call.transcription,
            &mut call.captions,
        ]
        .into_iter()
        .flatten()
        .filter(|j| j.runs())
        {
            job.end_at = now;
            err.clone_into(&mut job.err);
            any = true;
        }
        if let Some(job) = recording.filter(|_| started && err.is_empty()) {
            let delay = self.timings.recorder_post;
            let channel = format!("{}/{}/{}", call.channel, call.thread, call.post);
            let began = call.recording.as_ref().map_or(now, |j| j.start_at);
            let length = now.saturating_sub(began);
            let timer = Timer::RecorderPosts {
                channel,
                job,
                length,
            };
            self.timers.after(delay, timer);
        }
        any
    }

    /// The call is over, and with it the recorder.
    pub(crate) fn stop_jobs(&mut self, call: &mut Call) {
        if self.end_jobs(call, "") {
            for job in [&call.recording, &call.transcription, &call.captions]
                .into_iter()
                .flatten()
            {
                let data = json!({"callID": call.channel, "jobState": job.json(true)});
                self.calls_to_channel(&call.channel, "call_job_state", data);
            }
        }
    }

    /// `call_job_state` of every job, to the participants. `callID` holds the channel.
    fn tell_jobs(&mut self, channel: &str) {
        let Some(call) = self.calls.active.get(channel) else {
            return;
        };
        let states: Vec<Value> = [&call.recording, &call.transcription, &call.captions]
            .into_iter()
            .flatten()
            .map(|j| j.json(true))
            .collect();
        for state in states {
            let data = json!({"callID": channel, "jobState": state});
            self.calls_to_participants(channel, "call_job_state", data);
        }
    }

    /// The call and channel of a job that has not ended.
    fn running_job(&mut self, call: &str, job: &str) -> Option<(String, Call)> {
        let channel = self.channel_of_call(call)?;
        let call = self.calls.active.get(&channel)?.clone();
        let same = call
            .recording
            .as_ref()
            .is_some_and(|j| j.id == job && j.runs());
        same.then_some((channel, call))
    }

    pub(crate) fn recorder_starts(&mut self, call: &str, job: &str) {
        let Some((channel, mut state)) = self.running_job(call, job) else {
            return;
        };
        if let Recorder::Fails(text) = self.switches.recorder.clone() {
            self.end_jobs(&mut state, &text);
        } else {
            let now = now_ms();
            for job in [
                &mut state.recording,
                &mut state.transcription,
                &mut state.captions,
            ]
            .into_iter()
            .flatten()
            {
                job.start_at = now;
            }
            let minutes = u64::from(self.switches.max_recording_minutes);
            let timer = Timer::RecorderMax {
                call: call.to_owned(),
                job: job.to_owned(),
            };
            self.timers
                .after(std::time::Duration::from_secs(minutes * 60), timer);
        }
        self.calls.active.insert(channel.clone(), state);
        self.tell_jobs(&channel);
    }

    pub(crate) fn recorder_timeout(&mut self, call: &str, job: &str) {
        let Some((channel, mut state)) = self.running_job(call, job) else {
            return;
        };
        if state.recording.as_ref().is_some_and(|j| j.start_at > 0) {
            return;
        }
        self.end_jobs(
            &mut state,
            "failed to start job: timed out waiting for bot to join call",
        );
        self.calls.active.insert(channel.clone(), state);
        self.tell_jobs(&channel);
    }

    pub(crate) fn recorder_max(&mut self, call: &str, job: &str) {
        if let Some((channel, _)) = self.running_job(call, job) {
            self.stop_recording(&channel);
        }
    }

    /// The file is ready: the bot posts it into the call's thread.
    pub(crate) fn recorder_posts(&mut self, place: &str, job: &str, length: i64) {
        let mut parts = place.split('/').map(str::to_owned);
        let (Some(channel), Some(thread), Some(call_post)) =
            (parts.next(), parts.next(), parts.next())
        else {
            return;
        };
        let bot = IdSource::named("user", "calls");
        if let Some(c) = self.channels.get_mut(&channel) {
            c.members.entry(bot.clone()).or_default();
        }
        let name = format!("Call_{}.mp4", now_ms());
        let file = self.store_file(&bot, &channel, &name, "video/mp4", mp4::silence(length));
        let props = json!({"recording_id": job, "call_post_id": call_post, "from_plugin": "true"});
        let post = Post {
            user_id: bot.clone(),
            channel_id: channel.clone(),
            root_id: thread.clone(),
            message: "Here's the call recording".to_owned(),
            kind: "custom_calls_recording".to_owned(),
            props: props.as_object().cloned().unwrap_or_else(Map::new),
            file_ids: vec![file.clone()],
            ..Post::default()
        };
        let posted = self.create_post(post, false).unwrap_or_default();
        let entry = json!({"file_id": file, "post_id": posted});
        self.put_in_post(&call_post, "recordings", job, entry);
        if self.switches.transcriptions {
            self.post_transcription(&bot, &channel, &thread, &call_post, &posted, job);
        }
        if let Some(c) = self.channels.get_mut(&channel) {
            c.members.remove(&bot);
        }
        self.announce_edit(&call_post);
    }

    fn post_transcription(
        &mut self,
        bot: &str,
        channel: &str,
        thread: &str,
        call_post: &str,
        recording_post: &str,
        job: &str,
    ) {
        let vtt = Bytes::from_static(b"WEBVTT\n\n00:00.000 --> 00:02.000\n<v Alice>Hello\n");
        let txt = Bytes::from_static(b"00:00 Alice\nHello\n");
        let captions = self.store_file(bot, channel, "captions_en.vtt", "text/vtt", vtt);
        let text = self.store_file(bot, channel, "transcription_en.txt", "text/plain", txt);
        let list = json!([{"title": "en", "language": "en", "file_id": captions}]);
        let transcription = self
            .posts
            .get(call_post)
            .and_then(|p| p.props.get("recordings"))
            .and_then(|map| map[job]["tr_id"].as_str().map(str::to_owned))
            .unwrap_or_default();
        let props = json!({
            "call_post_id": call_post, "transcription_id": transcription, "captions": list,
            "from_plugin": "true",
        });
        let post = Post {
            user_id: bot.to_owned(),
            channel_id: channel.to_owned(),
            root_id: thread.to_owned(),
            message: "Here's the call transcription".to_owned(),
            kind: "custom_calls_transcription".to_owned(),
            props: props.as_object().cloned().unwrap_or_else(Map::new),
            file_ids: vec![text.clone()],
            ..Post::default()
        };
        let posted = self.create_post(post, false).unwrap_or_default();
        let entry = json!({"file_id": text, "post_id": posted});
        self.put_in_post(call_post, "transcriptions", &transcription, entry);
        if let Some(p) = self.posts.get_mut(recording_post) {
            p.props.insert("captions".to_owned(), list);
            p.update_at += 1;
        }
        self.announce_edit(recording_post);
    }

    /// Adds fields to `props.<map>.<key>` of a post.
    fn put_in_post(&mut self, post: &str, map: &str, key: &str, fields: Value) {
        let now = self.stamp();
        let Some(post) = self.posts.get_mut(post) else {
            return;
        };
        post.update_at = now;
        let entry = post
            .props
            .entry(map.to_owned())
            .or_insert_with(|| json!({}));
        if !entry[key].is_object() {
            entry[key] = json!({});
        }
        if let (Some(target), Value::Object(fields)) = (entry[key].as_object_mut(), fields) {
            target.extend(fields);
        }
    }
}

/// What the simulated captioner understands, one after the other.
const PHRASES: [&str; 4] = [
    "Let me begin with the numbers.",
    "Can everybody hear me?",
    "I agree with what was said before.",
    "Then we are done for today.",
];

impl World {
    /// Somebody begins to talk: the captioner writes along while it runs (REST reference 14.6).
    pub(crate) fn caption(&mut self, channel: &str, session: &str) {
        let Some(call) = self.calls.active.get(channel) else {
            return;
        };
        let runs = |job: &Job| job.runs() && job.start_at > 0;
        if !call.captions.as_ref().is_some_and(runs) {
            return;
        }
        let Some(who) = call.sessions.iter().find(|one| one.id == session) else {
            return;
        };
        let turn = usize::try_from(now_ms() / 1000).unwrap_or(0) % PHRASES.len();
        let text = PHRASES.get(turn).copied().unwrap_or_default();
        let data = json!({
            "channel_id": channel, "user_id": who.user, "session_id": session, "text": text,
            "new_audio_len_ms": 2000,
        });
        self.calls_to_participants(channel, "caption", data);
    }
}
