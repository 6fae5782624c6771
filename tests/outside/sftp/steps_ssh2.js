// Does the steps of a file by ssh2: steps_ssh2.js PORT USER KEY STEPS.
'use strict';

const fs = require('fs');
const path = require('path');
const { promisify } = require('util');
const { Client } = require('ssh2');

const [port, username, key, script] = process.argv.slice(2);
const ssh = new Client();

ssh.on('ready', async () => {
    try {
        // Else it waits for the other side's acknowledgement, 40 ms each time.
        ssh.setNoDelay(true);
        const sftp = await promisify(ssh.sftp).call(ssh);
        for (const line of fs.readFileSync(script, 'utf8').trimEnd().split('\n')) {
            const [verb, first, second] = line.split('\t');
            await steps[verb](calls(sftp), first, second);
        }
        ssh.end();
    } catch (error) {
        fail(error);
    }
});
ssh.on('error', fail);
ssh.connect({ host: '127.0.0.1', port: Number(port), username, privateKey: fs.readFileSync(key) });

const steps = {
    put: (sftp, local, remote) => sftp.fastPut(local, remote),
    'put-with-times': async (sftp, local, remote) => {
        const found = fs.statSync(local);
        await sftp.fastPut(local, remote, { mode: 0o644 });
        await sftp.utimes(remote, found.atimeMs / 1000, found.mtimeMs / 1000);
        await sftp.chmod(remote, 0o644);
    },
    resume: async (sftp, local, remote) => {
        const start = (await sftp.stat(remote)).size;
        const target = sftp.raw.createWriteStream(remote, { flags: 'r+', start });
        await require('stream/promises').pipeline(fs.createReadStream(local, { start }), target);
    },
    'put-all': async (sftp, local, remote) => {
        for (const name of fs.readdirSync(local)) {
            await sftp.fastPut(path.join(local, name), `${remote}/${name}`);
        }
    },
    get: (sftp, remote, local) => sftp.fastGet(remote, local),
    'get-rest': async (sftp, remote, local) => {
        const source = sftp.raw.createReadStream(remote, { start: fs.statSync(local).size });
        const target = fs.createWriteStream(local, { flags: 'a' });
        await require('stream/promises').pipeline(source, target);
    },
    'get-all': async (sftp, remote, local) => {
        for (const { filename } of await sftp.readdir(remote)) {
            await sftp.fastGet(`${remote}/${filename}`, path.join(local, filename));
        }
    },
    rename: (sftp, from, to) => sftp.rename(from, to),
    remove: (sftp, remote) => sftp.unlink(remote),
    list: async (sftp, remote) => {
        const names = (await sftp.readdir(remote)).map((entry) => entry.filename);
        await promisify(process.stdout.write).call(process.stdout, `${names.join('\n')}\n`);
    },
    'make-folder': (sftp, remote) => sftp.mkdir(remote),
};

function calls(sftp) {
    const names = ['fastPut', 'fastGet', 'utimes', 'chmod', 'stat', 'readdir', 'rename', 'unlink', 'mkdir'];
    const promised = names.map((name) => [name, promisify(sftp[name]).bind(sftp)]);
    return { raw: sftp, ...Object.fromEntries(promised) };
}

function fail(error) {
    console.error(error.message);
    process.exit(1);
}
