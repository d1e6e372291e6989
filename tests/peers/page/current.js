// What the current official client does with its peer connection, written from the protocol document:
// signaling lock, SDP over the data channel when the server offers that, binary ping, media map.

import {decodeMulti, encode} from '@msgpack/msgpack';
import {strToU8, strFromU8, unzlibSync, zlibSync} from 'fflate';

const DC = {ping: 1, pong: 2, sdp: 3, loss: 4, rtt: 5, jitter: 6, lock: 7, unlock: 8, map: 9};

export const pack = (description) => zlibSync(strToU8(JSON.stringify({type: description.type, sdp: description.sdp})));

const pause = (ms) => new Promise((done) => {
    setTimeout(done, ms);
});

export class CurrentPeer {
    rtt = 0;
    map = {};
    offers = {dc: 0, ws: 0};
    #pending = [];
    #answered = false;
    #answer = null;
    #lock = null;
    #last = Promise.resolve();

    constructor({iceServers, dcSignaling, socket, onTrack, onState}) {
        this.socket = socket;
        this.dcSignaling = dcSignaling;
        this.pc = new RTCPeerConnection({iceServers});
        this.pc.onicecandidate = ({candidate}) => {
            if (candidate?.candidate) {
                socket.calls('ice', {data: JSON.stringify(candidate.toJSON())});
            }
        };
        this.pc.onconnectionstatechange = () => onState(this.pc.connectionState);
        this.pc.ontrack = onTrack;
        this.dc = this.pc.createDataChannel('calls-dc');
        this.dc.binaryType = 'arraybuffer';
        this.dc.onmessage = ({data}) => this.#message(new Uint8Array(data));
        this.dc.onopen = () => {
            this.#ping = setInterval(() => {
                this.#pinged = performance.now();
                this.#send(DC.ping);
            }, 1000);
        };
    }

    #ping;
    #pinged = 0;

    /** The first offer holds only the data channel and goes over the WebSocket, without the lock. */
    async start() {
        await this.pc.setLocalDescription();
        this.socket.sdp(pack(this.pc.localDescription));
    }

    #send(type, payload) {
        if (this.dc.readyState !== 'open') {
            return;
        }
        const head = encode(type);
        const body = payload === undefined ? new Uint8Array() : encode(payload);
        const whole = new Uint8Array(head.length + body.length);
        whole.set(head);
        whole.set(body, head.length);
        this.dc.send(whole);
    }

    #message(bytes) {
        const [type, payload] = [...decodeMulti(bytes)];
        switch (type) {
        case DC.pong:
            this.rtt = (performance.now() - this.#pinged) / 1000;
            break;
        case DC.sdp:
            this.signal(JSON.parse(strFromU8(unzlibSync(payload))), 'dc');
            break;
        case DC.lock:
            this.#lock?.(payload === true);
            break;
        case DC.map:
            this.map = payload;
            break;
        default:
            console.log(`data channel message ${type} passed over`);
        }
    }

    /** One message of the server at a time, in order. */
    signal(message, way = 'ws') {
        this.#last = this.#last.then(() => this.#handle(message, way)).catch((error) => console.log(`signal: ${error}`));
        return this.#last;
    }

    async #handle(message, way) {
        if (message.type === 'candidate') {
            if (this.pc.remoteDescription) {
                await this.pc.addIceCandidate(message.candidate);
            } else {
                this.#pending.push(message.candidate);
            }
        } else if (message.type === 'offer') {
            this.offers[way]++;
            await this.pc.setRemoteDescription(message);
            await this.pc.setLocalDescription();
            this.#sdp();
        } else if (message.type === 'answer') {
            await this.pc.setRemoteDescription(message);
            this.#answered = true;
            this.#answer?.();
            for (const candidate of this.#pending.splice(0)) {
                await this.pc.addIceCandidate(candidate);
            }
        }
    }

    #sdp() {
        const bytes = pack(this.pc.localDescription);
        if (this.dcSignaling && this.dc.readyState === 'open') {
            this.#send(DC.sdp, bytes);
        } else {
            this.socket.sdp(bytes);
        }
    }

    /** One round of negotiation that we begin: lock, change, offer, answer, unlock. */
    async #round(change) {
        await this.#take();
        try {
            await change();
            const answered = new Promise((done) => {
                this.#answer = done;
            });
            await this.pc.setLocalDescription();
            this.#sdp();
            await Promise.race([answered, pause(5000).then(() => Promise.reject(new Error('no answer')))]);
        } finally {
            this.#send(DC.unlock);
        }
    }

    async #take() {
        const end = performance.now() + 20000;
        while (performance.now() < end) {
            if (this.dc.readyState === 'open' && this.#answered) {
                const granted = new Promise((done) => {
                    this.#lock = done;
                });
                this.#send(DC.lock);
                if (await granted) {
                    return;
                }
            }
            await pause(50);
        }
        throw new Error('the signaling lock was not granted');
    }

    /** Publishes a voice; later changes of it need no negotiation. */
    async publish(track, stream) {
        await this.#round(() => {
            this.sender = this.pc.addTrack(track, stream);
        });
    }

    /** Publishes a screen on a section of its own, VP8 only. */
    async publishScreen(track, stream, sendEncodings) {
        let transceiver;
        await this.#round(() => {
            transceiver = this.pc.addTransceiver(track, {direction: 'sendrecv', streams: [stream], sendEncodings});
            const vp8 = RTCRtpSender.getCapabilities('video').codecs.filter(({mimeType}) => mimeType === 'video/VP8');
            transceiver.setCodecPreferences?.(vp8);
        });
        this.screen = transceiver.sender;
    }

    async replace(track) {
        await this.sender.replaceTrack(track);
    }

    close() {
        clearInterval(this.#ping);
        this.pc.close();
    }
}
