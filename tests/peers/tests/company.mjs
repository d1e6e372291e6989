// Servers whose certificate no public authority has signed: a company's own.

import {execFileSync} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import tls from 'node:tls';

import {halloo} from '../lib/programs.mjs';
import {check, test} from '../lib/run.mjs';

/** An authority, and a certificate of its making for 127.0.0.1. */
function authority(folder) {
    const openssl = (...words) => execFileSync('openssl', words, {cwd: folder, stdio: ['ignore', 'ignore', 'pipe']});
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=Example Company',
        '-addext', 'basicConstraints=critical,CA:TRUE');
    openssl('req', '-x509', ...key, '-keyout', 'server.key', '-out', 'server.pem', '-days', '2', '-subj', '/CN=chat.example',
        '-CA', 'ca.pem', '-CAkey', 'ca.key', '-addext', 'subjectAltName=IP:127.0.0.1', '-addext', 'basicConstraints=critical,CA:FALSE');
    return {ca: path.join(folder, 'ca.pem'), key: readFileSync(path.join(folder, 'server.key')), cert: readFileSync(path.join(folder, 'server.pem'))};
}

export function company(server) {
    test('a server that only a company vouches for is trusted where the system trusts the company, and nowhere else', async () => {
        const folder = mkdtempSync(path.join(os.tmpdir(), 'halloo-company-'));
        const {ca, key, cert} = authority(folder);
        const port = Number(new URL(server.url).port);
        let bytes = 0;
        const front = tls.createServer({key, cert}, (socket) => {
            const back = net.connect(port, '127.0.0.1');
            socket.on('data', (data) => {
                bytes += data.length;
            });
            socket.on('error', () => back.destroy());
            back.on('error', () => socket.destroy());
            socket.pipe(back).pipe(socket);
        });
        // Whoever refuses the certificate ends the handshake.
        front.on('tlsClientError', () => {});
        await new Promise((done) => {
            front.listen(0, '127.0.0.1', done);
        });
        const secured = {url: `https://127.0.0.1:${front.address().port}`, team: server.team, password: (name) => server.password(name)};
        let client;
        try {
            // Linux' way to name the trusted authorities, for this program alone.
            client = halloo(secured, 'alice', ['--play', 'silence'], {env: {SSL_CERT_FILE: ca}});
            await client.line('connected', (line) => line.event === 'connected', 30);
            await client.stop();
            check(bytes > 0, 'nothing went through the front');
            bytes = 0;
            client = halloo(secured, 'alice', ['--play', 'silence']);
            const {code} = await client.ended;
            check(code === 3, `it ended with ${code}\n${client.tail()}`);
            check(client.lines.some((line) => line.event === 'refused' && line.code === 'server.untrusted'), `it did not say why\n${client.tail()}`);
            check(bytes === 0, `${bytes} bytes were told to a stranger`);
        } finally {
            await client?.stop();
            await new Promise((done) => {
                front.close(done);
                front.closeAllConnections?.();
            });
            rmSync(folder, {recursive: true, force: true});
        }
    }, {seconds: 60});
}
