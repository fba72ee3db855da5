/** The services of the range: the Debian daemons with small configurations of ours, in the foreground of a namespace. */
import { mkdir, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Namespace, must } from './namespace.ts';
import type { Random } from './random.ts';
import type { Device } from './site.ts';
import type { Service } from './site-plan.ts';

const internetProgram = fileURLToPath(new URL('./programs/internet.ts', import.meta.url));
const webApplicationProgram = fileURLToPath(new URL('./programs/web-application.ts', import.meta.url));
const ports: Readonly<Record<Service, number>> = { ssh: 22, ftp: 21, web: 80, mqtt: 1883 };

/** Web, cloud, firmware, time and name servers, and the two places that attackers own. */
export async function startInternet(internet: Namespace, folder: string): Promise<void> {
  internet.spawn([process.execPath, internetProgram], { cwd: folder });
  await listening(internet, 80);
}

export async function startServices(device: Device, folder: string, random: Random, volume: number): Promise<void> {
  const own = join(folder, device.plan.name);
  await mkdir(own, { recursive: true });
  for (const service of device.plan.services) {
    await starters[service](device.namespace, own, random, volume);
    await listening(device.namespace, ports[service]);
  }
}

type Starter = (namespace: Namespace, folder: string, random: Random, volume: number) => Promise<void>;

const startSsh: Starter = async (namespace, folder, random) => {
  await mkdir('/run/sshd', { recursive: true, mode: 0o755 }); // sshd separates privileges there; its unit makes it
  const hostKey = join(folder, 'host_key');
  const userKey = join(folder, 'user_key');
  for (const key of [hostKey, userKey]) await must(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', key]);
  const settings = [
    'Port 22',
    'ListenAddress 0.0.0.0',
    `HostKey ${hostKey}`,
    `AuthorizedKeysFile ${userKey}.pub`,
    'PermitRootLogin yes',
    'PasswordAuthentication yes',
    'StrictModes no',
    'PidFile none',
    'PrintMotd no',
    'UseDNS no',
    `UsePAM ${random.pick(['yes', 'no'])}`,
    `MaxAuthTries ${random.pick([3, 6])}`,
    'MaxStartups 30:30:100',
  ];
  await writeFile(join(folder, 'sshd_config'), `${settings.join('\n')}\n`);
  namespace.spawn(['/usr/sbin/sshd', '-D', '-f', join(folder, 'sshd_config')]);
};

const startFtp: Starter = async (namespace, folder, random, volume) => {
  const files = join(folder, 'ftp');
  await mkdir(files, { recursive: true });
  for (let index = 0; index < 4; index++) {
    await writeFile(join(files, `record${index}.bin`), randomBytes(random.integer(20_000 * volume, 900_000 * volume)));
  }
  const settings = [
    'listen=YES',
    'background=NO',
    'anonymous_enable=YES',
    'no_anon_password=YES',
    'local_enable=YES',
    `anon_root=${files}`,
    'secure_chroot_dir=/var/run/vsftpd/empty',
    'pam_service_name=vsftpd',
    'seccomp_sandbox=NO',
    `delay_failed_login=${random.pick([0, 1, 1])}`,
    'xferlog_enable=NO',
    'max_per_ip=0',
  ];
  await mkdir('/var/run/vsftpd/empty', { recursive: true });
  await writeFile(join(folder, 'vsftpd.conf'), `${settings.join('\n')}\n`);
  namespace.spawn(['/usr/sbin/vsftpd', join(folder, 'vsftpd.conf')]);
};

/** nginx in front: files of its own, and a small application (with its holes) behind `/app/`. */
const startWeb: Starter = async (namespace, folder, random, volume) => {
  const files = join(folder, 'web');
  await mkdir(files, { recursive: true });
  const sizes = {
    'index.html': 4000,
    'style.css': 9000,
    'script.js': 30_000 * volume,
    'snapshot.jpg': 90_000 * volume,
    status: 300,
  };
  for (const [name, size] of Object.entries(sizes)) {
    await writeFile(join(files, name), randomBytes(random.integer(size / 2, size * 1.5)).toString('base64'));
  }
  namespace.spawn([process.execPath, '--no-warnings', webApplicationProgram], { cwd: folder });
  await listening(namespace, 8080);
  const configuration = `
    daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log /dev/null; user root;
    events { worker_connections ${random.pick([256, 512, 1024])}; }
    http {
      access_log off; keepalive_timeout ${random.pick([15, 65])}; client_max_body_size 64m;
      client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi;
      uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
      server { listen 80; root ${files}; location /app/ { proxy_pass http://127.0.0.1:8080; } }
    }`;
  await writeFile(join(folder, 'nginx.conf'), configuration);
  namespace.spawn(['/usr/sbin/nginx', '-e', '/dev/null', '-p', folder, '-c', join(folder, 'nginx.conf')]);
};

const startMqtt: Starter = async (namespace, folder) => {
  await writeFile(join(folder, 'mosquitto.conf'), 'listener 1883 0.0.0.0\nallow_anonymous true\nuser root\n');
  namespace.spawn(['/usr/sbin/mosquitto', '-c', join(folder, 'mosquitto.conf')]);
};

const starters: Readonly<Record<Service, Starter>> = { ssh: startSsh, ftp: startFtp, web: startWeb, mqtt: startMqtt };

/** Wait until something in the namespace accepts TCP on a port. Throws after ten seconds. */
async function listening(namespace: Namespace, port: number): Promise<void> {
  for (const deadline = Date.now() + 10_000; ; await pause(100)) {
    const { stdout } = await namespace.run(['ss', '-Hltn', `sport = :${port}`]);
    if (stdout.trim() !== '') return;
    if (Date.now() > deadline) throw new Error(`nothing listens on port ${port} in ${namespace.name}`);
  }
}
