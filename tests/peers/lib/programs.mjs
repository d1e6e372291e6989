// Our own programs, started and stopped by their process id: the development server, headless clients, aiortc.

import {spawn} from 'node:child_process';
import {existsSync, readFileSync} from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';

import {until} from './run.mjs';

const target = process.env.CARGO_TARGET_DIR ?? path.resolve(import.meta.dirname, '../../../target');
/** Where one of our programs is. */
export const program = (variable, name) => process.env[variable] ?? path.join(target, 'debug', name);

/** Where recordings and logs of a run are kept. */
export const OUT = process.env.HALLOO_PEERS_OUT ?? path.join(target, 'peers');

const running = new Set();

/** A program that prints one JSON object a line. */
export class Talking {
    constructor(file, words, env = {}, name = path.basename(file)) {
        this.name = name;
        this.lines = [];
        this.child = spawn(file, words, {env: {...process.env, ...env}, stdio: ['pipe', 'pipe', 'pipe']});
        this.started = performance.now();
        this.errors = '';
        running.add(this);
        this.ended = new Promise((done) => {
            this.child.once('error', (error) => {
                this.errors += error;
                done({code: -1});
            });
            this.child.once('close', (code, signal) => {
                running.delete(this);
                this.code = code;
                done({code, signal});
            });
        });
        readline.createInterface({input: this.child.stdout}).on('line', (line) => {
            try {
                this.lines.push({...JSON.parse(line), at: performance.now()});
            } catch {
                // For people.
            }
        });
        this.child.stderr.on('data', (data) => {
            // The end of it is what tells why.
            this.errors = (this.errors + data).slice(-4000);
        });
        this.child.stdin.on('error', () => {});
    }

    /** The first line from `from` on for which `wanted` holds. */
    async line(what, wanted, seconds = 20, from = 0) {
        return until(`${this.name}: ${what}`, () => {
            const found = this.lines.slice(from).find(wanted);
            if (!found && this.code !== undefined) {
                throw new Error(`${this.name} ended with ${this.code} before ${what}\n${this.tail()}`);
            }
            return found;
        }, seconds).catch((error) => {
            throw new Error(`${error.message}\n${this.tail()}`);
        });
    }

    tail() {
        return [...this.lines.slice(-8).map((line) => JSON.stringify(line)), this.errors.slice(-1500)].join('\n');
    }

    /** Asks it to stop and waits until it has. */
    async stop() {
        if (this.code === undefined) {
            this.child.kill('SIGTERM');
            const killer = setTimeout(() => this.child.kill('SIGKILL'), 5000);
            await this.ended;
            clearTimeout(killer);
        }
        return this.code;
    }
}

/** Stops whatever still runs. */
export async function stopAll() {
    await Promise.all([...running].map((each) => each.stop()));
}

for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => stopAll().finally(() => process.exit(130)));
}

/** A development server and what its REST interface gives without a client library. */
export class Server {
    /** `words`: more of the command line. */
    static async start(seed = 'small', words = []) {
        const server = new Server();
        server.program = new Talking(program('HALLOO_DEVSERVER', 'calls-devserver'),
            ['--listen', '127.0.0.1:0', '--media-port', '0', '--seed', seed, '--json', ...words]);
        server.told = await server.program.line('its first line', (line) => line.url);
        server.url = server.told.url;
        server.team = server.told.team;
        return server;
    }

    password(name) {
        return this.told.accounts.find((account) => account.username === name)?.password ?? this.told.accounts[0].password;
    }

    get pid() {
        return this.program.child.pid;
    }

    async ask(method, where, body, token) {
        const answer = await fetch(this.url + where, {
            method,
            headers: {
                'Content-Type': 'application/json',
                'X-Requested-With': 'XMLHttpRequest',
                ...(token ? {Authorization: `Bearer ${token}`} : {}),
            },
            body: body === undefined ? undefined : JSON.stringify(body),
        });
        const text = await answer.text();
        if (!answer.ok) {
            throw new Error(`${method} ${where}: ${answer.status} ${text}`);
        }
        const json = text ? JSON.parse(text) : undefined;
        return where.endsWith('/login') ? {...json, token: answer.headers.get('Token')} : json;
    }

    login(name) {
        return this.ask('POST', '/api/v4/users/login', {login_id: name, password: this.password(name)});
    }

    /** The id of a seeded channel. */
    async channel(name, token) {
        const channel = await this.ask('GET', `/api/v4/teams/name/${this.team}/channels/name/${name}`, undefined, token);
        return channel.id;
    }

    /** Turns switches of the development server, such as `dc_signaling`. */
    configure(switches) {
        return this.ask('PATCH', '/dev/config', switches);
    }

    /** Lets something go wrong, such as `{fault: 'cut_socket', user: 'bob'}`. */
    fault(fault) {
        return this.ask('POST', '/dev/faults', fault);
    }

    stop() {
        return this.program.stop();
    }
}

/**
 * `halloo call`: our own client without a window. One that `yields` leaves the processor to the others, and takes no real-time
 * priority where it might (as root): many of them stand for machines of their own, which take nothing from the server's.
 */
export function halloo(server, user, words = [], {channel = 'standup', yields = false, env = {}} = {}) {
    const call = [program('HALLOO', 'halloo'), 'call', '--server', server.url, '--user', user, '--team', server.team,
        '--channel', channel, '--json', ...words];
    const polite = process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-sys_nice', 'nice', '-n', '10'] : ['nice', '-n', '10'];
    const [file, ...rest] = yields ? [...polite, ...call] : call;
    return new Talking(file, rest, {HALLOO_PASSWORD: server.password(user), ...env}, 'halloo');
}

/** The peer on aiortc, a third WebRTC stack. */
export function aiortc(server, user, words = []) {
    const python = process.env.HALLOO_AIORTC_PYTHON ?? path.join(process.env.XDG_CACHE_HOME ?? path.join(process.env.HOME, '.cache'), 'halloo/aiortc/bin/python');
    if (!existsSync(python)) {
        throw new Error(`no Python with aiortc at ${python}: run cargo xtask test --only setup`);
    }
    return new Talking(python, [path.resolve(import.meta.dirname, '../aiortc_peer.py'), '--server', server.url, '--user', user,
        '--team', server.team, '--channel', 'standup', ...words], {HALLOO_PASSWORD: server.password(user)});
}

/** The UDP relay between clients and a server's media port; see `cargo xtask relay`. */
export class Relay {
    static async start() {
        const relay = new Relay();
        relay.program = new Talking(process.env.HALLOO_XTASK ?? path.join(target, 'debug', 'xtask'), ['relay']);
        relay.port = (await relay.program.line('its port', (line) => line.port)).port;
        return relay;
    }

    /** One order, and the answer to it. */
    async order(order) {
        const from = this.program.lines.length;
        this.program.child.stdin.write(`${JSON.stringify(order)}\n`);
        return this.program.line('an answer', (line) => !line.error, 5, from);
    }

    stop() {
        return this.program.stop();
    }
}

/** CPU seconds and resident memory (MiB) of a process, from the kernel. */
export function usage(pid) {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold spaces; utime and stime are the 12th and 13th words after it.
    const words = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const rss = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0);
    // 100 ticks a second on every Linux we run on.
    return {cpu: (Number(words[11]) + Number(words[12])) / 100, mib: Math.round(rss / 102.4) / 10};
}
