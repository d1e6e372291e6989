// What a bench writes: one JSON file in the form that all benches share, and a page to look at.
//
// {"bench","machine","commit","versions","seed","quick","rows":[{"id","unit","ours":{"median","p95","n","samples"},
//  "chromium":{…} or null,"ratio","target","met","at","note"}]}

import {execFileSync} from 'node:child_process';
import {existsSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const round = (value) => (Number.isFinite(value) ? Math.round(value * 1000) / 1000 : null);

/** Median, 95th percentile (nearest rank) and the samples in the order in which they were taken. */
export function summary(samples) {
    if (!samples?.length) {
        return null;
    }
    const sorted = [...samples].sort((a, b) => a - b);
    const middle = sorted.length >> 1;
    const median = sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    const p95 = sorted[Math.min(sorted.length - 1, Math.ceil(0.95 * sorted.length) - 1)];
    return {median: round(median), p95: round(p95), n: sorted.length, samples: samples.map(round)};
}

/** A target in words, and whether these figures meet it; `null` where something needed was not measured. */
export function judge({most, least, ratio, lead}, ours, chromium) {
    const words = [];
    const verdicts = [];
    const look = (text, known, met) => {
        words.push(text);
        verdicts.push(known ? met() : null);
    };
    if (most !== undefined) {
        look(`<= ${most}`, ours, () => ours.median <= most);
    }
    if (least !== undefined) {
        look(`>= ${least}`, ours, () => ours.median >= least);
    }
    if (ratio !== undefined) {
        look(`<= ${ratio} of Chromium`, ours && chromium, () => ours.median <= ratio * chromium.median);
    }
    if (lead !== undefined) {
        look(`>= Chromium + ${lead}`, ours && chromium, () => ours.median >= chromium.median + lead);
    }
    const met = verdicts.includes(false) ? false : verdicts.includes(null) || verdicts.length === 0 ? null : true;
    return {target: words.join(' and ') || null, met};
}

const said = (program, words) => {
    try {
        return execFileSync(program, words, {encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore']}).trim();
    } catch {
        return null;
    }
};

/** Share of one core that all processes of this machine use, in per cent, since it was asked last. */
export class Background {
    #last = this.#read();

    #read() {
        const words = readFileSync('/proc/stat', 'utf8').split('\n')[0].trim().split(/\s+/).slice(1).map(Number);
        const idle = words[3] + words[4];
        return {busy: words.slice(0, 8).reduce((sum, word) => sum + word, 0) - idle, at: performance.now()};
    }

    /** Of which `own` per cent are known to be ours. */
    since(own = 0) {
        const now = this.#read();
        // 100 ticks a second on every Linux we run on.
        const used = (now.busy - this.#last.busy) / ((now.at - this.#last.at) / 1000);
        this.#last = now;
        return Math.max(0, Math.round(used - own));
    }
}

/** The rows of one bench, kept from run to run: `--only` replaces the rows that it measures. */
export class Sheet {
    constructor(name, {seed, quick}) {
        this.folder = process.env.HALLOO_BENCH_OUT ?? path.resolve(import.meta.dirname, '../../../target/bench');
        mkdirSync(this.folder, {recursive: true});
        this.file = path.join(this.folder, `${name}.json`);
        const old = !quick && existsSync(this.file) ? JSON.parse(readFileSync(this.file, 'utf8')) : null;
        this.data = {
            bench: name,
            machine: `${os.cpus().length} x ${os.cpus()[0]?.model}, ${os.type()} ${os.release()}`,
            commit: process.env.HALLOO_COMMIT ?? said('git', ['rev-parse', '--short', 'HEAD']),
            versions: {
                halloo: process.env.HALLOO_VERSION ?? null,
                profile: process.env.HALLOO_PROFILE ?? 'debug',
                chromium: said('chromium', ['--version']),
                pulseaudio: said('pulseaudio', ['--version']),
                node: process.version,
            },
            seed,
            quick,
            rows: old && !old.quick ? old.rows : [],
        };
    }

    /** Adds or replaces a row and writes the file, so that an interrupted run keeps what it has. */
    row(id, unit, {ours, chromium = null, target = {}, note, extra}) {
        const [mine, theirs] = [summary(ours), summary(chromium)];
        const row = {
            id, unit, ours: mine, chromium: theirs,
            ratio: mine && theirs && theirs.median ? round(mine.median / theirs.median) : null,
            ...judge(target, mine, theirs),
            at: new Date().toISOString(), commit: this.data.commit,
            ...(note ? {note} : {}), ...(extra ? {extra} : {}),
        };
        const rows = this.data.rows.filter((other) => other.id !== id);
        this.data.rows = [...rows, row];
        writeFileSync(this.file, `${JSON.stringify(this.data, null, 1)}\n`);
        // Each bench has a page of its own; the first one had it before there was another.
        const html = this.data.bench.startsWith('voice') ? 'report.html' : `${this.data.bench}.html`;
        writeFileSync(path.join(this.folder, html), page(this.folder, this.data));
        const show = (part) => (part ? `${part.median} (p95 ${part.p95}, n ${part.n})` : '-');
        console.log(`${id.padEnd(28)} ${unit.padEnd(6)} ours ${show(mine).padEnd(34)} chromium ${show(theirs).padEnd(34)} `
            + `ratio ${row.ratio ?? '-'}  target ${row.target ?? '-'}  ${row.met === null ? '' : row.met ? 'met' : 'MISSED'}`);
        return row;
    }
}

const escape = (text) => String(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;');

/** One strip of dots: each sample of both clients on one scale, the medians as lines. */
function strip({ours, chromium}) {
    const all = [...(ours?.samples ?? []), ...(chromium?.samples ?? [])].filter((value) => value !== null);
    if (!all.length) {
        return '';
    }
    const most = Math.max(...all) * 1.05 || 1;
    const x = (value) => (value / most * 460 + 10).toFixed(1);
    const dots = (part, y, colour) => (part ? part.samples.map((value) =>
        `<circle cx="${x(value)}" cy="${y}" r="3" fill="${colour}" fill-opacity=".45"/>`).join('')
        + `<line x1="${x(part.median)}" x2="${x(part.median)}" y1="${y - 9}" y2="${y + 9}" stroke="${colour}" stroke-width="2"/>` : '');
    return `<svg width="480" height="48" role="img">${dots(ours, 13, '#0a7d4b')}${dots(chromium, 35, '#b5530c')}`
        + `<text x="470" y="46" text-anchor="end" font-size="9" fill="#888">${round(most)}</text></svg>`;
}

function page(folder, {bench, machine, commit, versions, seed, quick, rows}) {
    const line = (row) => `<tr><td><b>${escape(row.id)}</b><br><small>${escape(row.unit)}</small></td>
<td>${row.ours ? row.ours.median : '–'}<br><small>${row.ours ? `p95 ${row.ours.p95}, n ${row.ours.n}` : ''}</small></td>
<td>${row.chromium ? row.chromium.median : '–'}<br><small>${row.chromium ? `p95 ${row.chromium.p95}, n ${row.chromium.n}` : ''}</small></td>
<td>${row.ratio ?? '–'}</td><td>${escape(row.target ?? '–')}</td>
<td class="${row.met}">${row.met === null ? '–' : row.met ? 'met' : 'missed'}</td><td>${strip(row)}<br><small>${escape(row.note ?? '')}</small></td></tr>`;
    return `<!doctype html><meta charset="utf-8"><title>Bench: ${escape(bench)}</title>
<style>body{font:14px system-ui;margin:2em;max-width:1200px}td,th{padding:.3em .7em;border-bottom:1px solid #ddd;vertical-align:top;text-align:left}
.true{color:#0a7d4b}.false{color:#b00020}small{color:#666}</style>
<h1>Bench: ${escape(bench)}${quick ? ' (quick: shows that it works, not how fast)' : ''}</h1>
<p>${escape(machine)}; commit ${escape(commit)}; ${escape(JSON.stringify(versions))}; seed ${seed}</p>
<p><span style="color:#0a7d4b">● ours</span> &nbsp; <span style="color:#b5530c">● Chromium</span>; a line is the median.</p>
<table><tr><th>what</th><th>ours</th><th>Chromium</th><th>ratio</th><th>target</th><th></th><th>samples</th></tr>
${rows.map(line).join('\n')}</table>\n`;
}
