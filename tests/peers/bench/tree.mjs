// What a program and everything it has started costs, from the kernel.

import {readdirSync, readFileSync} from 'node:fs';

const read = (file) => {
    try {
        return readFileSync(file, 'utf8');
    } catch {
        return ''; // It has just ended.
    }
};

/** All processes below `root`, with it. */
export function family(root) {
    const children = new Map();
    for (const name of readdirSync('/proc')) {
        if (/^\d+$/.test(name)) {
            const stat = read(`/proc/${name}/stat`);
            const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
            children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
        }
    }
    const found = [];
    const queue = [root];
    while (queue.length) {
        const pid = queue.pop();
        found.push(pid);
        queue.push(...(children.get(pid) ?? []));
    }
    return found;
}

/** The program that a process runs, with its arguments. */
export const commandLine = (pid) => read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();

/** CPU seconds that these processes have used, with those of children that have ended. */
function seconds(pids) {
    let ticks = 0;
    for (const pid of pids) {
        const stat = read(`/proc/${pid}/stat`);
        const words = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        ticks += [11, 12, 13, 14].reduce((sum, n) => sum + (Number(words[n]) || 0), 0);
    }
    return ticks / 100;
}

/** Share of one core that the processes below `root` use during `work`, per cent. */
export async function cpu(pids, work) {
    const before = seconds(pids());
    const from = performance.now();
    await work();
    return (seconds(pids()) - before) / ((performance.now() - from) / 1000) * 100;
}

const kib = (rollup, name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(rollup)?.[1] ?? 0);

const sum = (pids, each) => pids.reduce((all, pid) => all + each(read(`/proc/${pid}/smaps_rollup`)), 0) / 1024;

/** Proportional set size of these processes, MiB: shared pages count in shares, so it moves by whole mebibytes when another program
 * begins or ceases to use the same libraries. */
export const pss = (pids) => sum(pids, (rollup) => kib(rollup, 'Pss'));

/** KiB that only this process has and only it can give back, of the text of its `smaps_rollup` (proc(5)): anonymous memory, resident
 * or swapped out, without what the kernel may take back at any time. Private pages of files are left out: they become
 * shared, or go, without anything that the program does. */
export const ownKib = (rollup) => kib(rollup, 'Anonymous') - kib(rollup, 'LazyFree') + kib(rollup, 'Swap');

/** The same of all these processes, MiB. */
export const own = (pids) => sum(pids, ownKib);
