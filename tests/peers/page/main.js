// A participant that the tests drive: joins a call, sends its microphone or a tone, plays and measures the others.

import {CurrentPeer} from './current.js';
import {OlderPeer} from './older.js';
import {Watcher, captured, drawn, share} from './screen.js';
import {Socket} from './socket.js';

const QUIET = -60;

// A page that is measured does what the official client does and nothing more: it has no meter of ours.
const lean = Boolean(globalThis.lean);
const context = lean ? null : new AudioContext({sampleRate: 48000});
const meter = context?.createAnalyser();
const buffer = new Float32Array(512);
const heard = {level: -120, quietSince: performance.now(), loudSince: null, firstLoud: null};
if (meter) {
    meter.fftSize = 512;
    setInterval(measure, 5);
}

function measure() {
    meter.getFloatTimeDomainData(buffer);
    const level = 10 * Math.log10(buffer.reduce((sum, x) => sum + x * x, 0) / buffer.length + 1e-12);
    heard.level = level;
    if (level < QUIET) {
        heard.loudSince = null;
        heard.quietSince ??= performance.now();
    } else {
        heard.quietSince = null;
        heard.loudSince ??= performance.now();
        heard.firstLoud ??= performance.now();
    }
}

const session = {tracks: [], ended: null};

/** The names of what is received, by section: the server's own, from its last description. The tracks of the page do not
 * have them where the section was begun by the page (a microphone's, which carries a voice, or a screen's sound, in the
 * other direction): such a track has been named by the browser before, and keeps that name. */
function names() {
    const found = new Map();
    for (const section of session.peer.pc.remoteDescription.sdp.split('\r\nm=').slice(1)) {
        const mid = /^a=mid:(.*)$/m.exec(section)?.[1].trim();
        const name = /^a=msid:\S+ (\S+)/m.exec(section)?.[1];
        if (mid !== undefined && name) {
            found.set(mid, name);
        }
    }
    return found;
}

/** What is sent: Chromium's fake microphone (a short beep twice a second), the real one with or without the official
 * client's processing, or a steady tone. */
async function microphone(source) {
    if (source === 'mic' || source === 'mic-raw') {
        const on = source === 'mic';
        const stream = await navigator.mediaDevices.getUserMedia({
            audio: {echoCancellation: on, noiseSuppression: on, autoGainControl: on},
        });
        return {stream, track: stream.getAudioTracks()[0]};
    }
    if (source === 'beep') {
        const stream = await navigator.mediaDevices.getUserMedia({
            audio: {echoCancellation: false, noiseSuppression: false, autoGainControl: false},
        });
        return {stream, track: stream.getAudioTracks()[0]};
    }
    const oscillator = context.createOscillator();
    const gain = context.createGain();
    const destination = context.createMediaStreamDestination();
    oscillator.frequency.value = source;
    gain.gain.value = 0.3;
    oscillator.connect(gain).connect(destination);
    oscillator.start();
    return {stream: destination.stream, track: destination.stream.getAudioTracks()[0], oscillator};
}

/** Plays a voice and connects it to the meter. Chromium feeds Web Audio only from a track that is played as well. */
function listen({track}) {
    if (track.kind === 'video') {
        session.watcher = new Watcher(track);
        return;
    }
    const stream = new MediaStream([track]);
    const player = new Audio();
    player.srcObject = stream;
    player.play().catch((error) => console.log(`play: ${error}`));
    context?.createMediaStreamSource(stream).connect(meter);
    session.tracks.push({track, player});
}

globalThis.peer = {
    async join({token, form, source, channel}) {
        session.channel = channel;
        session.mic = await microphone(source);
        await context?.resume();
        const headers = {Authorization: `Bearer ${token}`};
        const config = await (await fetch('/plugins/com.mattermost.calls/config', {headers})).json();
        const older = form === 'older';
        const dcSignaling = !older && Boolean(config.EnableDCSignaling);
        const from = performance.now();
        const socket = new Socket();
        session.socket = socket;
        // The older client is tried with the challenge, the current one with its cookie.
        session.id = await socket.open(older ? token : undefined);
        const joined = new Promise((done, no) => {
            socket.on('join', ({connID}) => connID === session.id && done());
            socket.on('error', ({data, connID}) => connID === session.id && no(new Error(data)));
        });
        const connected = new Promise((done, no) => {
            session.onState = (state) => {
                session.state = state;
                if (state === 'connected') {
                    done();
                } else if (state === 'failed' || state === 'closed') {
                    no(new Error(`the peer connection is ${state}`));
                }
            };
        });
        connected.catch(() => {});
        socket.on('signal', ({data, connID}) => connID === session.id && session.peer?.signal(JSON.parse(data)));
        socket.on('host_mute', ({session_id: id}) => id === session.id && globalThis.peer.mute());
        socket.calls('join', {channelID: channel, title: '', threadID: '', av1Support: false, dcSignaling});
        await joined;
        const Peer = older ? OlderPeer : CurrentPeer;
        session.peer = new Peer({
            iceServers: config.ICEServersConfigs ?? [],
            dcSignaling,
            socket,
            onTrack: listen,
            onState: (state) => session.onState(state),
        });
        await session.peer.start();
        await connected;
        session.joinedAt = from;
        return {connectedMs: performance.now() - from, session: session.id};
    },

    async unmute() {
        const {mic, peer, socket} = session;
        if (session.published) {
            await peer.replace(mic.track);
        } else {
            session.published = true;
            await peer.publish(mic.track, mic.stream);
        }
        socket.calls('unmute');
        session.unmutedAt = performance.now();
    },

    /** With `announce` the tone changes that many ms before, so that a recording shows when the mute was asked for. */
    async mute({announce, hertz} = {}) {
        if (announce) {
            session.mic.oscillator.frequency.value = hertz;
            await new Promise((done) => {
                setTimeout(done, announce);
            });
        }
        const at = performance.now();
        await session.peer.replace(null);
        session.socket.calls('mute');
        return at;
    },

    async stats() {
        const sums = {energy: 0, samples: 0, concealed: 0, packets: 0, lost: 0, sent: 0, voices: []};
        const named = names();
        for (const report of (await session.peer.pc.getStats()).values()) {
            if (report.type === 'inbound-rtp' && report.kind === 'audio') {
                sums.energy += report.totalAudioEnergy ?? 0;
                sums.samples += report.totalSamplesReceived ?? 0;
                sums.concealed += report.concealedSamples ?? 0;
                sums.packets += report.packetsReceived ?? 0;
                sums.lost += report.packetsLost ?? 0;
                sums.voices.push(named.get(report.mid) ?? report.trackIdentifier);
            } else if (report.type === 'outbound-rtp') {
                sums.sent += report.packetsSent ?? 0;
            }
        }
        return sums;
    },

    /** Sends a REST request of the Calls plugin as this participant's host. */
    async host(token, action, body) {
        const answer = await fetch(`/plugins/com.mattermost.calls/calls/${session.channel}/host/${action}`, {
            method: 'POST',
            // Not with the cookie: it would count before the token, and then a POST must show that it is no forged form.
            headers: {Authorization: `Bearer ${token}`, 'Content-Type': 'application/json'},
            credentials: 'omit',
            body: JSON.stringify(body),
        });
        if (!answer.ok) {
            throw new Error(`${action}: ${answer.status} ${await answer.text()}`);
        }
    },

    /** Shares what is drawn, or the screen that the browser is on. */
    async share({source = 'drawn', simulcast = false, limits} = {}) {
        session.shared = source === 'screen' ? await captured() : drawn();
        const {socket, peer, id} = session;
        await share({socket, peer, id, simulcast, stream: session.shared, limits});
        const {width, height} = session.shared.getVideoTracks()[0].getSettings();
        return {width, height};
    },

    stopShare() {
        session.shared?.getTracks().forEach((track) => track.stop());
        session.socket.calls('screen_off');
    },

    /** How loud these frequencies are in what is heard, dB of full scale. */
    bands(frequencies) {
        const bins = new Float32Array(meter.frequencyBinCount);
        meter.getFloatFrequencyData(bins);
        return frequencies.map((hertz) => bins[Math.round((hertz * meter.fftSize) / context.sampleRate)]);
    },

    /** Shows a shared screen at this width and reads nothing out of it. */
    look(width) {
        session.watcher.show(width);
    },

    /** Rows of a shared screen as it is seen now. */
    rows(which) {
        return session.watcher.rows(which);
    },

    /** What was seen of a shared screen since the last time. */
    async watched() {
        const taken = session.watcher?.take() ?? {pictures: 0, seen: []};
        for (const report of (await session.peer.pc.getStats()).values()) {
            if (report.type === 'inbound-rtp' && report.kind === 'video') {
                taken.framesDecoded = report.framesDecoded;
                taken.keyFrames = report.keyFramesDecoded;
                taken.lost = report.packetsLost;
            }
        }
        return taken;
    },

    level: () => ({...heard, now: performance.now(), joinedAt: session.joinedAt}),

    state: () => ({
        id: session.id,
        state: session.state,
        offers: session.peer.offers,
        map: session.peer.map,
        rtt: session.peer.rtt,
        events: session.socket.events,
        msids: session.peer.pc.remoteDescription.sdp.match(/^a=msid:.*$/gm) ?? [],
    }),

    async leave() {
        session.socket.calls('leave');
        session.onState = () => {};
        session.peer.close();
        session.socket.close();
        for (const {player} of session.tracks) {
            player.srcObject = null;
        }
    },
};
