// The older official client: `RTCPeer` of @mattermost/calls-common 0.27.2 as it comes. All SDP over the
// WebSocket, text ping, no lock, polite on conflicts.

import {RTCPeer} from '@mattermost/calls-common';

import {pack} from './current.js';

const logger = {
    logDebug: (...words) => console.log(words.join(' ')),
    logInfo: (...words) => console.log(words.join(' ')),
    logWarn: (...words) => console.log(words.join(' ')),
    logErr: (...words) => console.log(words.join(' ')),
};

export class OlderPeer {
    offers = {dc: 0, ws: 0};
    map = {};

    constructor({iceServers, socket, onTrack, onState}) {
        this.peer = new RTCPeer({iceServers, logger, simulcast: false});
        this.pc = this.peer.pc;
        this.peer.on('offer', (description) => socket.sdp(pack(description)));
        this.peer.on('answer', (description) => socket.sdp(pack(description)));
        this.peer.on('candidate', (candidate) => socket.calls('ice', {data: JSON.stringify(candidate.toJSON())}));
        this.peer.on('stream', (stream) => {
            for (const track of stream.getTracks()) {
                onTrack({track, streams: [stream]});
            }
        });
        this.peer.on('connect', () => onState('connected'));
        this.peer.on('close', () => onState('closed'));
        this.peer.on('error', (error) => console.log(`RTCPeer: ${error}`));
    }

    get rtt() {
        return this.peer.getRTT();
    }

    // RTCPeer offers by itself as soon as its data channel is there.
    async start() {}

    async signal(message) {
        if (message.type === 'offer') {
            this.offers.ws++;
        }
        await this.peer.signal(JSON.stringify(message));
    }

    async publish(track, stream) {
        this.track = track.id;
        await this.peer.addTrack(track, stream);
    }

    async replace(track) {
        this.peer.replaceTrack(this.track, track);
        if (track) {
            this.track = track.id;
        }
    }

    close() {
        this.peer.destroy();
    }
}
