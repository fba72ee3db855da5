/** How each daemon is started on one address of one device. */
import { randomBytes } from 'node:crypto';
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Namespace, must } from './namespace.ts';
import type { ServicePlan } from './plan/site-plan.ts';
import type { Random } from './random.ts';

export interface Place {
  readonly namespace: Namespace;
  /** The device's own folder, and the site's. */
  readonly folder: string;
  readonly site: string;
  readonly address: string;
  readonly port: number;
  readonly random: Random;
}

type Starter = (place: Place) => Promise<void>;

/** A key with which admins get in; its public part goes to the accounts' home for daemons that look there. */
async function userKey({ folder, site }: Place): Promise<string> {
  const path = join(folder, 'user_key');
  await must(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', path]);
  await mkdir(join(site, 'home', '.ssh'), { recursive: true, mode: 0o700 });
  await appendFile(join(site, 'home', '.ssh', 'authorized_keys'), await readFile(`${path}.pub`), { mode: 0o600 });
  return path;
}

const startOpenssh: Starter = async (place) => {
  const { namespace, folder, random, address, port } = place;
  await mkdir('/run/sshd', { recursive: true, mode: 0o755 }); // sshd separates privileges there; its unit makes it
  const key = await userKey(place);
  const hostKey = join(folder, 'host_key');
  const type = random.pick([['ed25519'], ['ed25519'], ['ecdsa'], ['rsa', '-b', '2048']]);
  await must(['ssh-keygen', '-q', '-t', ...type, '-N', '', '-f', hostKey], 180_000); // long on a busy machine
  const settings = [
    `ListenAddress ${address}`,
    `Port ${port}`,
    `HostKey ${hostKey}`,
    `AuthorizedKeysFile ${key}.pub`,
    'PermitRootLogin yes',
    'PasswordAuthentication yes',
    `KbdInteractiveAuthentication ${random.pick(['yes', 'no'])}`,
    'StrictModes no',
    'PidFile none',
    'PrintMotd no',
    'UseDNS no',
    `UsePAM ${random.pick(['yes', 'no'])}`,
    `MaxAuthTries ${random.pick([1, 3, 6, 6])}`,
    `MaxStartups ${random.pick(['10:30:100', '30:30:100'])}`,
    ...random.pick([
      [],
      [],
      ['KexAlgorithms curve25519-sha256,diffie-hellman-group14-sha256'],
      ['KexAlgorithms diffie-hellman-group-exchange-sha256,ecdh-sha2-nistp256'],
    ]),
  ];
  await writeFile(join(folder, 'sshd_config'), `${settings.join('\n')}\n`);
  namespace.spawn(['/usr/sbin/sshd', '-D', '-f', join(folder, 'sshd_config')]);
};

const startDropbear: Starter = async (place) => {
  const { namespace, folder, address, port, random } = place;
  await userKey(place);
  const hostKey = join(folder, 'dropbear_key');
  await must(['dropbearkey', '-t', random.pick(['ed25519', 'ecdsa']), '-f', hostKey]);
  namespace.spawn([
    'dropbear',
    '-F',
    '-p',
    `${address}:${port}`,
    '-r',
    hostKey,
    '-P',
    join(folder, 'dropbear.pid'),
    '-T',
    String(random.pick([3, 10])),
  ]);
};

async function ftpFiles(folder: string, random: Random): Promise<string> {
  const files = join(folder, 'ftp');
  await mkdir(files, { recursive: true });
  for (let index = 0; index < 4; index++) {
    await writeFile(join(files, `record${index}.bin`), randomBytes(random.integer(10_000, 700_000)));
  }
  return files;
}

const startVsftpd: Starter = async ({ namespace, folder, random, address, port }) => {
  const files = await ftpFiles(folder, random);
  const settings = [
    'listen=YES',
    `listen_address=${address}`,
    `listen_port=${port}`,
    'background=NO',
    'anonymous_enable=YES',
    'no_anon_password=YES',
    'local_enable=YES',
    `anon_root=${files}`,
    'secure_chroot_dir=/var/run/vsftpd/empty',
    'pam_service_name=vsftpd',
    'seccomp_sandbox=NO',
    `delay_failed_login=${random.pick([0, 1, 1, 3])}`,
    `max_login_fails=${random.pick([1, 3, 3, 6])}`,
    'xferlog_enable=NO',
    'max_per_ip=0',
    `ftpd_banner=${random.word(random.integer(4, 60))}`,
  ];
  await mkdir('/var/run/vsftpd/empty', { recursive: true });
  await writeFile(join(folder, 'vsftpd.conf'), `${settings.join('\n')}\n`);
  namespace.spawn(['/usr/sbin/vsftpd', join(folder, 'vsftpd.conf')]);
};

const startPyftpdlib: Starter = async ({ namespace, folder, random, address, port }) => {
  const files = await ftpFiles(folder, random);
  namespace.spawn(['/usr/bin/python3', '-m', 'pyftpdlib', '-i', address, '-p', String(port), '-d', files], {
    cwd: folder,
  });
};

async function webFiles(folder: string, random: Random): Promise<string> {
  const files = join(folder, 'web');
  await mkdir(files, { recursive: true });
  const sizes = { 'index.html': 4000, 'style.css': 9000, 'script.js': 25_000, 'snapshot.jpg': 60_000, status: 300 };
  for (const [name, size] of Object.entries(sizes)) {
    await writeFile(join(files, name), randomBytes(random.integer(size / 3, size * 2)).toString('base64'));
  }
  return files;
}

/** In front: files of its own, and a small application (with its holes) behind `/app/`. Unknown paths get the page. */
const startNginx: Starter = async ({ namespace, folder, random, address, port }) => {
  const files = await webFiles(folder, random);
  const configuration = `
    daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log /dev/null; user root;
    events { worker_connections ${random.pick([256, 512, 1024])}; }
    http {
      access_log off; keepalive_timeout ${random.pick([0, 5, 15, 65])}; client_max_body_size 64m;
      client_header_timeout ${random.pick([20, 60])}; server_tokens ${random.pick(['on', 'off'])};
      client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi;
      uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
      server { listen ${address}:${port}; root ${files};
        location /app/ { proxy_pass http://127.0.0.1:8080; }
        location / { ${random.pick(['try_files $uri /index.html;', 'try_files $uri =404;'])} } }
    }`;
  await writeFile(join(folder, 'nginx.conf'), configuration);
  namespace.spawn(['/usr/sbin/nginx', '-e', '/dev/null', '-p', folder, '-c', join(folder, 'nginx.conf')]);
};

const startLighttpd: Starter = async ({ namespace, folder, random, address, port }) => {
  const files = await webFiles(folder, random);
  const lines = [
    `server.bind = "${address}"`,
    `server.port = ${port}`,
    `server.document-root = "${files}"`,
    'server.modules = ("mod_proxy")',
    'index-file.names = ("index.html")',
    `server.max-keep-alive-requests = ${random.pick([0, 16, 100])}`,
    '$HTTP["url"] =~ "^/app/" { proxy.server = ("" => (("host" => "127.0.0.1", "port" => 8080))) }',
  ];
  await writeFile(join(folder, 'lighttpd.conf'), `${lines.join('\n')}\n`);
  namespace.spawn(['/usr/sbin/lighttpd', '-D', '-f', join(folder, 'lighttpd.conf')]);
};

const startMosquitto: Starter = async ({ namespace, folder, address, port }) => {
  await writeFile(join(folder, 'mosquitto.conf'), `listener ${port} ${address}\nallow_anonymous true\nuser root\n`);
  namespace.spawn(['/usr/sbin/mosquitto', '-c', join(folder, 'mosquitto.conf')]);
};

/** `own` servers live in `programs/life.ts`. */
export const starters: Readonly<Record<Exclude<ServicePlan['software'], 'own'>, Starter>> = {
  openssh: startOpenssh,
  dropbear: startDropbear,
  vsftpd: startVsftpd,
  pyftpdlib: startPyftpdlib,
  nginx: startNginx,
  lighttpd: startLighttpd,
  mosquitto: startMosquitto,
};
