// What scripts rely on: how `halloo call` ends. The exit codes stand in the README.

import {check, test} from '../lib/run.mjs';
import {halloo, Server} from '../lib/programs.mjs';

/** Starts a call with these words and expects it to end by itself. */
async function endsWith(code, client, event) {
    const {code: found} = await client.ended;
    check(found === code, `it ended with ${found} instead of ${code}\n${client.tail()}`);
    if (event) {
        check(client.lines.some(event), `it did not say why\n${client.tail()}`);
    }
}

export function command(shared) {
    test('halloo call: unknown words are a mistake of usage', async () => {
        await endsWith(2, halloo(shared, 'alice', ['--nonsense']));
        await endsWith(2, halloo(shared, 'alice', ['--play', 'tone:high']));
    });

    test('halloo call: a wrong password is refused', async () => {
        const stranger = {url: shared.url, team: shared.team, password: () => 'not this one'};
        await endsWith(3, halloo(stranger, 'alice'), (line) => line.event === 'refused' && line.code === 'account.wrong');
    });

    test('halloo call: a channel without calls cannot be joined', async () => {
        await endsWith(4, halloo(shared, 'alice', [], {channel: 'no-calls'}), (line) => line.event === 'notice' && line.code === 'call.disabled');
        await endsWith(4, halloo(shared, 'alice', [], {channel: 'no-such-channel'}), (line) => line.event === 'notice' && line.code === 'call.no_channel');
    });

    test('halloo call: asked to stop, it leaves in good order', async () => {
        for (const signal of ['SIGINT', 'SIGTERM']) {
            const client = halloo(shared, 'alice', ['--play', 'silence']);
            await client.line('connected', (line) => line.event === 'connected');
            client.child.kill(signal);
            await endsWith(0, client, (line) => line.event === 'ended' && line.reason === 'left');
            const {token} = await shared.login('bob');
            const channel = await shared.channel('standup', token);
            const state = await shared.ask('GET', `/plugins/com.mattermost.calls/${channel}`, undefined, token);
            check(!state.call?.sessions?.length, `${signal}: a session is left behind`);
        }
    });

    test('halloo call: no media is a failure of its own', async () => {
        const server = await Server.start();
        try {
            await server.fault({fault: 'cut_path', cut: true});
            await endsWith(5, halloo(server, 'alice', ['--play', 'silence']), (line) => line.event === 'ended' && line.reason === 'no_media');
        } finally {
            await server.stop();
        }
    });
}
