// Whom the program speaks to: its server, and nobody else.

import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import {Server, Talking, program} from '../lib/programs.mjs';
import {check, figure, test} from '../lib/run.mjs';

/** Everything that was addressed, by address and how often. */
function addressed(trace) {
    const found = {};
    for (const [, four, six] of trace.matchAll(/sin_addr=inet_addr\("([^"]+)"\)|inet_pton\(AF_INET6, "([^"]+)"/g)) {
        const address = four ?? six;
        found[address] = (found[address] ?? 0) + 1;
    }
    return found;
}

export function secrecy() {
    test('in a call nobody but the server is spoken to', async () => {
        const folder = mkdtempSync(path.join(os.tmpdir(), 'halloo-trace-'));
        const server = await Server.start();
        const trace = path.join(folder, 'trace');
        let client;
        try {
            await server.configure({dc_signaling: true, rest_limit: false});
            client = new Talking('strace', ['-f', '-qq', '-e', 'trace=connect,sendto,sendmsg,sendmmsg', '-o', trace,
                program('HALLOO', 'halloo'), 'call', '--server', server.url, '--user', 'alice', '--team', server.team, '--channel', 'standup',
                '--unmuted', '--play', 'tone:440', '--duration', '3', '--json'], {HALLOO_PASSWORD: server.password('alice')}, 'halloo');
            await client.line('connected', (line) => line.event === 'connected', 30);
            const {code} = await client.ended;
            check(code === 0, `it ended with ${code}\n${client.tail()}`);
            const found = addressed(readFileSync(trace, 'utf8'));
            figure('addressed', found);
            check(found['127.0.0.1'] > 100, 'the trace missed the call');
            // Documentation's addresses (RFC 5737, RFC 3849): a UDP socket is connected to them to learn our own, which sends nothing.
            const others = Object.keys(found).filter((address) => !/^(127\.|::1$|::ffff:127\.|192\.0\.2\.1$|2001:db8::1$)/.test(address));
            check(others.length === 0, `also spoken to: ${others}`);
        } finally {
            await client?.stop();
            await server.stop();
            rmSync(folder, {recursive: true, force: true});
        }
    }, {seconds: 60});
}
