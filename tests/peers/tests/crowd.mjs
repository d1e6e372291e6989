// Many of our clients in one call: nobody is lost, and what it costs the server.

import {check, figure, pause, test} from '../lib/run.mjs';
import {halloo, Server, usage} from '../lib/programs.mjs';

/** `count` clients for `seconds`; three of them talk. Fails when a session is lost. */
export async function crowd(count, seconds) {
    const server = await Server.start('large');
    const clients = [];
    try {
        for (let n = 1; n <= count; n++) {
            const user = `user${String(n).padStart(2, '0')}`;
            const words = n <= 3 ? ['--unmuted', '--play', `tone:${300 + 100 * n}`] : ['--play', 'silence'];
            const client = halloo(server, user, words, {yields: true});
            clients.push(client);
            // A few at a time: starting 50 processes at once measures the machine, not the server.
            if (n % 5 === 0) {
                await Promise.all(clients.slice(-5).map((each) => each.line('connected', (line) => line.event === 'connected', 60)));
            }
        }
        await Promise.all(clients.map((each) => each.line('connected', (line) => line.event === 'connected', 60)));
        await Promise.all(clients.map((each) => each.line('first_audio', (line) => line.event === 'first_audio', 60)));
        const before = usage(server.pid);
        const from = performance.now();
        await pause(seconds * 1000);
        const after = usage(server.pid);
        const elapsed = (performance.now() - from) / 1000;
        const lost = clients.filter((each) => each.code !== undefined || each.lines.some((line) => line.event === 'ended'));
        const {token} = await server.login('alice');
        const channel = await server.channel('standup', token);
        const state = await server.ask('GET', `/plugins/com.mattermost.calls/${channel}`, undefined, token);
        const sessions = state.call?.sessions?.length ?? 0;
        const concealed = clients.map((each) => each.lines.findLast((line) => line.event === 'stats')?.concealed_ratio ?? 1);
        figure('crowd', {
            clients: count,
            seconds: Math.round(elapsed),
            lost: lost.length,
            sessions,
            server_cpu_percent_of_a_core: Math.round((after.cpu - before.cpu) / elapsed * 1000) / 10,
            server_mib: after.mib,
            worst_concealed_ratio: Math.max(...concealed),
        });
        check(lost.length === 0, `${lost.length} clients were lost; the first says\n${lost[0]?.tail()}`);
        check(sessions === count, `the server knows ${sessions} sessions of ${count}`);
    } finally {
        await Promise.all(clients.map((each) => each.stop()));
        await server.stop();
    }
}

export function many() {
    test('many clients stay in one call', () => crowd(12, 8), {seconds: 120});
}

