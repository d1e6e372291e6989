// The smallest runner: tests one after the other, each with a time limit, then the closing line.
// (Order matters: the tests share one server and the machine has few cores.)

const tests = [];

/** Adds a test. `work` gets nothing; it throws to fail. */
export function test(name, work, {seconds = 60} = {}) {
    tests.push({name, work, seconds});
}

/** Fails with a sentence if `truth` is false. */
export function check(truth, sentence) {
    if (!truth) {
        throw new Error(sentence);
    }
}

/** Waits for `sure()` to give something true, and gives it back. */
export async function until(what, sure, seconds = 10) {
    const end = performance.now() + seconds * 1000;
    for (;;) {
        const found = await sure();
        if (found) {
            return found;
        }
        if (performance.now() > end) {
            throw new Error(`${what} did not come within ${seconds} s`);
        }
        await pause(20);
    }
}

/** Lets time pass: for measuring a stretch of sound, never for hoping that something is done. */
export function pause(ms) {
    return new Promise((done) => {
        setTimeout(done, ms);
    });
}

/** Runs all tests whose name holds `only`; gives back how many failed. A test that fails gets a second try, which is said:
 * they measure real time, and the machine may have had something else to do. */
export async function runAll(only = '') {
    let passed = 0;
    let failed = 0;
    for (const each of tests.filter(({name}) => name.includes(only))) {
        let error = await once(each);
        if (error) {
            console.log(`AGAIN   ${each.name}\n        ${error.stack ?? error}`);
            error = await once(each);
        }
        if (error) {
            failed++;
            console.log(`FAILED  ${each.name}\n        ${error.stack ?? error}`);
        } else {
            passed++;
        }
    }
    return {passed, failed};
}

/** Runs a test within its time; gives back why it failed. */
async function once({name, work, seconds}) {
    const from = performance.now();
    let timer;
    try {
        const late = new Promise((_, no) => {
            timer = setTimeout(() => no(new Error(`not done within ${seconds} s`)), seconds * 1000);
        });
        await Promise.race([work(), late]);
        console.log(`ok      ${name} (${((performance.now() - from) / 1000).toFixed(1)} s)`);
        return null;
    } catch (error) {
        return error;
    } finally {
        clearTimeout(timer);
    }
}

/** Sentence for sentence figures: one JSON object a line, as benches and people read it. */
export function figure(name, values) {
    console.log(JSON.stringify({figure: name, ...values}));
}

/** Median and 95th percentile of numbers, rounded to a tenth. */
export function spread(numbers) {
    const sorted = [...numbers].sort((a, b) => a - b);
    const at = (part) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] * 10) / 10;
    return {n: sorted.length, median: at(0.5), p95: at(0.95), min: at(0), max: at(1)};
}
