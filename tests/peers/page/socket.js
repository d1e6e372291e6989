// The Mattermost WebSocket as a Calls web client uses it: JSON text, msgpack binary for SDP.

import {encode} from '@msgpack/msgpack';

const PREFIX = 'custom_com.mattermost.calls_';

export class Socket {
    #listeners = new Map();
    #seq = 1;
    events = [];

    /** Opens it and waits for `hello`. With `token` it signs in by challenge, else by its cookie. */
    open(token) {
        const address = `${location.origin.replace(/^http/, 'ws')}/api/v4/websocket?connection_id=&sequence_number=0`;
        this.socket = new WebSocket(address);
        this.socket.onmessage = ({data}) => this.#receive(JSON.parse(data));
        this.socket.onopen = () => {
            if (token) {
                this.send('authentication_challenge', {token});
            }
            this.#ping = setInterval(() => this.send('ping'), 5000);
            this.send('ping');
        };
        return new Promise((done, no) => {
            this.on('hello', ({connection_id: id}) => {
                this.id = id;
                done(id);
            });
            this.socket.onclose = () => {
                clearInterval(this.#ping);
                no(new Error('the WebSocket closed'));
            };
        });
    }

    #ping;

    on(name, listener) {
        this.#listeners.set(name, [...(this.#listeners.get(name) ?? []), listener]);
    }

    #receive(message) {
        if (!message.event) {
            return;
        }
        const name = message.event.startsWith(PREFIX) ? message.event.slice(PREFIX.length) : message.event;
        const data = message.data ?? {};
        this.events.push({name, data, at: performance.now()});
        for (const listener of this.#listeners.get(name) ?? []) {
            listener(data);
        }
    }

    send(action, data) {
        if (this.socket.readyState === WebSocket.OPEN) {
            this.socket.send(JSON.stringify({action, seq: this.#seq++, ...(data ? {data} : {})}));
        }
    }

    calls(type, data) {
        this.send(PREFIX + type, data);
    }

    /** SDP is a zlib stream as msgpack bin, in a binary frame. */
    sdp(bytes) {
        this.socket.send(encode({action: `${PREFIX}sdp`, seq: this.#seq++, data: {data: bytes}}));
    }

    close() {
        clearInterval(this.#ping);
        this.socket.onclose = null;
        this.socket.close();
    }
}
