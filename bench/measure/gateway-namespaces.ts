/** A sender, a gateway and a receiver, in network namespaces of their own: what the kernel's work is measured with. */
import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';

const port = 5001;
const receiverAddress = '198.18.1.2';

const receiver = `
  let bytes = 0;
  require('node:net').createServer((socket) => {
    socket.on('data', (chunk) => { bytes += chunk.length; });
    socket.on('error', () => {});
    socket.on('close', () => { console.log(bytes); process.exit(); });
  }).listen(${port}, () => console.log('ready'));
`;
const sender = `
  const chunk = Buffer.alloc(65536);
  const socket = require('node:net').connect(${port}, '${receiverAddress}', () => {
    const write = () => { while (socket.write(chunk)); };
    socket.on('drain', write);
    write();
    setTimeout(() => { socket.destroy(); }, Number(process.argv[1]));
  });
  socket.on('error', () => {});
`;

export class GatewayNamespaces implements Disposable {
  readonly #id = `bench-${randomUUID().slice(0, 8)}`;

  private constructor() {}

  /** Needs root. Segments are neither merged nor split late: each is one packet to the rules. */
  static open(): GatewayNamespaces {
    const network = new GatewayNamespaces();
    for (const name of ['sender', 'gateway', 'receiver'] as const) run('ip', 'netns', 'add', network.#name(name));
    network.#attach('sender', '198.18.0');
    network.#attach('receiver', '198.18.1');
    run(...network.inside('gateway', 'sysctl', '-qw', 'net.ipv4.ip_forward=1'));
    return network;
  }

  inside(name: 'sender' | 'gateway' | 'receiver', ...command: readonly string[]): readonly string[] {
    return ['ip', 'netns', 'exec', this.#name(name), ...command];
  }

  /** Connections are tracked and masqueraded from here on. */
  translate(): void {
    const rules = `table ip nat { chain post { type nat hook postrouting priority srcnat; oifname "receiver" masquerade; }; }`;
    run(...this.inside('gateway', 'nft', rules));
  }

  /** Bytes per second that one TCP connection brings through the gateway. */
  async throughput(milliseconds: number): Promise<number> {
    const [server = '', ...serverArgs] = this.inside('receiver', process.execPath, '-e', receiver);
    const listening = spawn(server, serverArgs, { stdio: ['ignore', 'pipe', 'inherit'] });
    listening.stdout.setEncoding('utf8');
    await once(listening.stdout, 'data');
    const [client = '', ...clientArgs] = this.inside('sender', process.execPath, '-e', sender, `${milliseconds}`);
    spawn(client, clientArgs, { stdio: 'inherit' });
    const [bytes] = await once(listening.stdout, 'data');
    await once(listening, 'exit');
    return (Number(bytes) * 1000) / milliseconds;
  }

  [Symbol.dispose](): void {
    for (const name of ['sender', 'gateway', 'receiver']) spawnSync('ip', ['netns', 'del', this.#name(name)]);
  }

  #name(name: string): string {
    return `${this.#id}-${name}`;
  }

  #attach(name: 'sender' | 'receiver', network: string): void {
    const namespace = this.#name(name);
    const gateway = this.#name('gateway');
    run('ip', 'link', 'add', 'eth0', 'netns', namespace, 'type', 'veth', 'peer', 'name', name, 'netns', gateway);
    for (const [where, link, host] of [
      [namespace, 'eth0', 2],
      [gateway, name, 1],
    ] as const) {
      run('ip', '-n', where, 'address', 'add', `${network}.${host}/24`, 'dev', link);
      run('ip', '-n', where, 'link', 'set', link, 'up');
      run('ip', 'netns', 'exec', where, 'ethtool', '-K', link, 'tso', 'off', 'gso', 'off', 'gro', 'off');
    }
    run('ip', '-n', namespace, 'route', 'add', 'default', 'via', `${network}.1`);
  }
}

function run(...command: readonly string[]): void {
  const [program = '', ...args] = command;
  const result = spawnSync(program, args, { encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`${command.join(' ')}: ${result.stderr}`);
}
