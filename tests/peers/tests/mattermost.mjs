// The official npm client of Mattermost against the development server.

import {createRequire} from 'node:module';

import WebSocket from 'ws';

import {check, test, until} from '../lib/run.mjs';

// The package is CommonJS and expects a browser's globals in two places.
globalThis.WebSocket ??= WebSocket;
globalThis.CloseEvent ??= class CloseEvent extends Event {
    constructor(name, {code, wasClean}) {
        super(name);
        Object.assign(this, {code, wasClean});
    }
};
const {Client4, WebSocketClient} = createRequire(import.meta.url)('@mattermost/client');

/** A WebSocketClient whose upgrade carries the token: only such a connection can be resumed. */
function socketFor(token, sockets) {
    return new WebSocketClient({
        minWebSocketRetryTime: 200,
        reconnectJitterRange: 50,
        newWebSocketFn: (url) => {
            const socket = new WebSocket(url, {headers: {Authorization: `Bearer ${token}`}});
            sockets.push({socket, url});
            return socket;
        },
    });
}

export function mattermost(server) {
    const client = new Client4();
    client.setUrl(server.url);

    test('mattermost client signs in and lists teams, channels and posts', async () => {
        const me = await client.login('alice', server.password('alice'));
        check(me.username === 'alice', `signed in as ${me.username}`);
        const teams = await client.getMyTeams();
        const team = teams.find((each) => each.name === server.team);
        check(team, `no team ${server.team} in ${teams.map((each) => each.name)}`);
        const channels = await client.getMyChannels(team.id);
        const names = channels.map((each) => each.name);
        check(names.includes('standup') && names.includes('town-square'), `channels: ${names}`);
        const members = await client.getMyChannelMembers(team.id);
        check(members.length >= channels.length - 1, `${members.length} memberships of ${channels.length} channels`);
        const standup = channels.find((each) => each.name === 'standup');
        const posts = await client.getPosts(standup.id, 0, 30);
        check(posts.order.length > 0 && posts.order.every((id) => posts.posts[id].channel_id === standup.id), 'no posts');
        const config = await client.getClientConfig();
        check(config.Version, 'no version in the configuration');
        const users = await client.getProfilesByIds(members.map((each) => each.user_id).slice(0, 1));
        check(users[0].username === 'alice', 'profiles by id');
    });

    test('mattermost client refuses nothing silently: a wrong password is a 401', async () => {
        const other = new Client4();
        other.setUrl(server.url);
        const error = await other.login('alice', 'wrong').then(() => null, (no) => no);
        check(error?.status_code === 401, `a wrong password gave ${error?.status_code}`);
    });

    test('mattermost client creates a post and receives posted', async () => {
        const bob = await server.login('bob');
        const sockets = [];
        const socket = socketFor(bob.token, sockets);
        const messages = [];
        socket.addMessageListener((message) => messages.push(message));
        socket.addMissedMessageListener(() => {});
        socket.initialize(`${server.url.replace(/^http/, 'ws')}/api/v4/websocket`);
        try {
            await until('hello', () => messages.find((message) => message.event === 'hello'));
            const channel = await server.channel('standup', bob.token);
            const post = await client.createPost({channel_id: channel, message: 'from the official client', pending_post_id: 'a:1'});
            const posted = await until('posted', () => messages.find((message) => message.event === 'posted'));
            const inside = JSON.parse(posted.data.post);
            check(inside.id === post.id && inside.message === 'from the official client', `posted holds ${posted.data.post}`);
            check(posted.broadcast.channel_id === channel, 'posted goes to its channel');
        } finally {
            socket.close();
        }
    });

    test('mattermost client resumes after a cut and misses nothing', async () => {
        const bob = await server.login('bob');
        const sockets = [];
        const socket = socketFor(bob.token, sockets);
        const messages = [];
        let missed = 0;
        let reconnected = 0;
        socket.addMessageListener((message) => messages.push(message));
        socket.addMissedMessageListener(() => missed++);
        socket.addReconnectListener(() => reconnected++);
        socket.initialize(`${server.url.replace(/^http/, 'ws')}/api/v4/websocket`);
        try {
            const hello = await until('hello', () => messages.find((message) => message.event === 'hello'));
            const channel = await server.channel('standup', bob.token);
            const lost = sockets[0].socket;
            // Without a close frame, as when a proxy dies; the events between are kept for the connection.
            await server.fault({fault: 'cut_socket', connection: hello.data.connection_id});
            await until('the client to notice', () => lost.readyState === WebSocket.CLOSED);
            const post = await client.createPost({channel_id: channel, message: 'while you were away', pending_post_id: 'a:2'});
            await until('the reconnect', () => reconnected === 1);
            await until('the missed post', () => messages.find((message) =>
                message.event === 'posted' && JSON.parse(message.data.post).id === post.id));
            check(missed === 0, 'the server gave a new connection although the old one could be resumed');
            check(sockets[1].url.includes(`connection_id=${hello.data.connection_id}`), sockets[1].url);
            check(messages.filter((message) => message.event === 'hello').length === 1, 'a resumed connection gets no hello');
        } finally {
            socket.close();
        }
    });

    test('mattermost client is told when the server has forgotten its connection', async () => {
        const carol = await server.login('carol');
        const sockets = [];
        const socket = socketFor(carol.token, sockets);
        const messages = [];
        let missed = 0;
        socket.addMessageListener((message) => messages.push(message));
        socket.addMissedMessageListener(() => missed++);
        socket.initialize(`${server.url.replace(/^http/, 'ws')}/api/v4/websocket`);
        try {
            const hello = await until('hello', () => messages.find((message) => message.event === 'hello'));
            await server.fault({fault: 'forget_connection', connection: hello.data.connection_id});
            await until('a second hello', () => messages.filter((message) => message.event === 'hello').length === 2);
            check(missed === 1, 'the client was not told that it missed something');
        } finally {
            socket.close();
        }
    });
}
