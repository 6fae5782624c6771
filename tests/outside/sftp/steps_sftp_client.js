// Does the steps of a file by ssh2-sftp-client: steps_sftp_client.js PORT USER KEY STEPS.
'use strict';

const fs = require('fs');
const path = require('path');
const { promisify } = require('util');
const Client = require('ssh2-sftp-client');

const steps = {
    put: (sftp, local, remote) => sftp.fastPut(local, remote),
    'put-all': (sftp, local, remote) => sftp.uploadDir(local, remote),
    get: (sftp, remote, local) => sftp.fastGet(remote, local),
    'get-all': (sftp, remote, local) => sftp.downloadDir(remote, local),
    rename: (sftp, from, to) => sftp.rename(from, to),
    remove: (sftp, remote) => sftp.delete(remote),
    list: async (sftp, remote) => {
        const names = (await sftp.list(remote)).map((entry) => entry.name);
        await promisify(process.stdout.write).call(process.stdout, `${names.join('\n')}\n`);
    },
    'make-folder': (sftp, remote) => sftp.mkdir(remote),
};

async function main(port, username, key, script) {
    const sftp = new Client();
    const privateKey = fs.readFileSync(key);
    await sftp.connect({ host: '127.0.0.1', port: Number(port), username, privateKey });
    for (const line of fs.readFileSync(script, 'utf8').trimEnd().split('\n')) {
        const [verb, first, second] = line.split('\t');
        await steps[verb](sftp, first, second);
    }
    await sftp.end();
}

main(...process.argv.slice(2)).catch((error) => {
    console.error(error.message);
    process.exit(1);
});
