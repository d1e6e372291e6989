// What goes along with a shared screen, and what a network does to it: sound, a real display, losses.

import {spawn} from 'node:child_process';
import {existsSync, mkdtempSync, readFileSync, rmSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import {display, example} from '../bench/screen.mjs';
import {Browser} from '../lib/chromium.mjs';
import {check, figure, pause, test, until} from '../lib/run.mjs';
import {halloo, Relay, Server, Talking} from '../lib/programs.mjs';

/** A sound server with a loudspeaker that plays to nobody, and a program that plays a tone on it. */
class Sounds {
    static async start() {
        const sounds = new Sounds();
        sounds.folder = mkdtempSync(path.join(os.tmpdir(), 'halloo-sounds-'));
        const socket = path.join(sounds.folder, 'native');
        sounds.env = {PULSE_SERVER: `unix:${socket}`, XDG_RUNTIME_DIR: sounds.folder, HOME: sounds.folder};
        sounds.server = new Talking('pulseaudio', ['-n', '--daemonize=no', '--exit-idle-time=-1', '--use-pid-file=no',
            `--load=module-native-protocol-unix auth-anonymous=1 socket=${socket}`,
            '--load=module-null-sink sink_name=spk rate=48000'], sounds.env);
        await until('the sound server', () => existsSync(socket), 20);
        return sounds;
    }

    /** Another program that plays this for a minute. */
    play(hertz) {
        const pcm = Buffer.alloc(48000 * 60 * 2);
        for (let n = 0; n < pcm.length / 2; n++) {
            pcm.writeInt16LE(Math.round(Math.sin((n / 48000) * hertz * 2 * Math.PI) * 12000), n * 2);
        }
        this.player = spawn('pacat', ['--raw', '--format=s16le', '--rate=48000', '--channels=1'], {env: {...process.env, ...this.env}, stdio: ['pipe', 'ignore', 'ignore']});
        this.player.stdin.on('error', () => {});
        this.player.stdin.end(pcm);
    }

    async stop() {
        this.player?.kill();
        await this.server.stop();
        rmSync(this.folder, {recursive: true, force: true});
    }
}

export function shares(server, browser) {
    test('Chromium hears what other programs play beside our screen, and not itself', async () => {
        await server.configure({dc_signaling: true, simulcast: false, rest_limit: false});
        const sounds = await Sounds.start();
        let page;
        let ours;
        try {
            sounds.play(3000);
            // With real devices: what Chromium says is played on the same loudspeaker.
            ours = halloo(server, 'alice', ['--share', 'pattern', '--share-sound'], {env: sounds.env});
            await ours.line('share_started', (line) => line.event === 'share_started');
            page = await browser().participant(server, 'carol', {source: 880});
            await page.join();
            await page.unmute();
            const [shared, echo] = await until('the tone', async () => {
                const levels = await page.call('bands', [3000, 880]);
                return levels[0] > -50 && levels;
            }, 30);
            await ours.line('Chromium being heard', (line) => line.event === 'first_audio', 30);
            await pause(2000);
            const later = await page.call('bands', [3000, 880]);
            const {voices} = await page.stats();
            figure('share_sound', {at_first_db: [shared, echo], later_db: later, voices});
            check(voices.some((name) => name.startsWith('screen-audio_')), voices.join(' '));
            check(later[0] > -50, `the tone is heard at ${later[0]} dB`);
            check(later[1] < later[0] - 35, `Chromium hears itself at ${later[1]} dB`);
        } finally {
            await page?.leave();
            await ours?.stop();
            await sounds.stop();
        }
    }, {seconds: 120});

    test('a real display: Chromium captures it for us, and we for Chromium', async () => {
        await server.configure({dc_signaling: true, simulcast: false, rest_limit: false});
        const {screen, name} = await display();
        const before = process.env.DISPLAY;
        process.env.DISPLAY = name;
        delete process.env.WAYLAND_DISPLAY;
        let headed;
        let painter;
        const folder = mkdtempSync(path.join(os.tmpdir(), 'halloo-screen-'));
        let ours;
        try {
            painter = new Talking(example('painter'), []);
            painter.child.stdin.write('bar\n');
            await painter.line('the bar', (line) => line.mode === 'bar', 10);
            headed = await Browser.start({screen: true});
            const page = await headed.participant(server, 'carol', {source: 880});
            ours = halloo(server, 'alice', ['--play', 'silence', '--save-screen', folder]);
            await ours.line('connected', (line) => line.event === 'connected');
            await page.join();
            await page.call('share', {source: 'screen'});
            const coded = () => ours.lines.filter((line) => line.event === 'screen_frame' && line.code);
            await until('10 readable pictures', () => coded().length >= 10, 40);
            const {width, height} = coded().at(-1);
            check(width === 1920 && height === 1080, `${width}×${height}`);
            await page.leave();
            await ours.stop();

            const watching = await browser().participant(server, 'bob', {source: 880});
            ours = halloo(server, 'alice', ['--play', 'silence', '--share', 'screen:0']);
            await ours.line('share_started', (line) => line.event === 'share_started');
            await watching.join();
            const seen = [];
            const watched = await until('10 readable pictures', async () => {
                const taken = await watching.call('watched');
                seen.push(...taken.seen);
                return seen.length >= 10 && taken.framesDecoded >= 10 && taken;
            }, 40);
            check(watched.size.width === 1920 && watched.size.height === 1080, JSON.stringify(watched.size));

            // A page that is scrolled goes by in frames of our own making; what Chromium has at last is what is there.
            const order = async (mode) => {
                const from = painter.lines.length;
                painter.child.stdin.write(`${mode}\n`);
                return painter.line(mode, (line) => line.mode === mode, 10, from);
            };
            await pause(3000);
            const still = await watching.call('watched');
            await order('scroll');
            await pause(4000);
            const scrolled = await watching.call('watched');
            await order('frozen');
            await pause(3000);
            const real = path.join(folder, 'real.pgm');
            await order(`save ${real}`);
            const pixels = readFileSync(real).subarray(-1920 * 1080);
            const which = [200, 333, 540, 777, 1000];
            const rows = await watching.call('rows', which);
            const off = which.map((y, at) => rows[at].reduce((sum, pixel, x) => sum + Math.abs(pixel - (pixels[y * 1920 + x] - 16) * 255 / 219), 0) / 1920);
            // The code is in what is new, which waits for its share of the rate; the page goes by all the same.
            const decoded = scrolled.framesDecoded - still.framesDecoded;
            figure('scrolled_in_chromium', {per_second: decoded / 4, keys: scrolled.keyFrames - still.keyFrames, off: off.map((one) => Number(one.toFixed(1)))});
            check(Math.max(...off) < 15, `the page looks otherwise: ${off}`);
            await watching.leave();
        } finally {
            await ours?.stop();
            await headed?.close();
            await painter?.stop();
            await screen.stop();
            if (before === undefined) {
                delete process.env.DISPLAY;
            } else {
                process.env.DISPLAY = before;
            }
            rmSync(folder, {recursive: true, force: true});
        }
    }, {seconds: 150});

    test('with 5 % loss the picture is never still for a second', async () => {
        const relay = await Relay.start();
        const own = await Server.start('small', ['--media-announce', `127.0.0.1:${relay.port}`]);
        const folder = mkdtempSync(path.join(os.tmpdir(), 'halloo-loss-'));
        let sender;
        let viewer;
        try {
            await relay.order({to: `127.0.0.1:${own.told.media_port}`});
            await own.configure({dc_signaling: true, rest_limit: false});
            viewer = halloo(own, 'bob', ['--play', 'silence', '--save-screen', folder]);
            await viewer.line('connected', (line) => line.event === 'connected', 30);
            sender = halloo(own, 'alice', ['--play', 'silence', '--share', 'pattern']);
            await viewer.line('a picture', (line) => line.event === 'screen_frame' && line.code, 40);
            await relay.order({seed: 7, loss: 0.05});
            await relay.order({count: true});
            const from = viewer.lines.length;
            await pause(12_000);
            const counts = await relay.order({count: true});
            const frames = viewer.lines.slice(from).filter(({event, code}) => event === 'screen_frame' && code);
            const fresh = frames.filter(({code}, n) => n === 0 || code !== frames[n - 1].code);
            const pauses = fresh.slice(1).map(({at}, n) => at - fresh[n].at).sort((a, b) => a - b);
            figure('share_loss', {pictures: fresh.length, keys: frames.filter(({key}) => key).length,
                longest_ms: Math.round(pauses.at(-1)), median_ms: Math.round(pauses[pauses.length >> 1]), dropped: counts.dropped});
            check(counts.dropped > 3, `the relay dropped ${counts.dropped} packets`);
            check(fresh.length > 60, `${fresh.length} pictures in 12 s`);
            check(pauses.at(-1) <= 1000, `still for ${pauses.at(-1)} ms`);
        } finally {
            await sender?.stop();
            await viewer?.stop();
            await own.stop();
            await relay.stop();
            rmSync(folder, {recursive: true, force: true});
        }
    }, {seconds: 120});
}
