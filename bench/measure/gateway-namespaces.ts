/** A sender, a gateway and a receiver, in network namespaces of their own: what the kernel's work is measured with. */
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { cpus } from 'node:os';

const receiverAddress = '198.18.1.2';
const port = 9;

/** What went through the gateway, and what it cost the sender, in whose name the kernel carries a packet to its end. */
export interface Flooded {
  readonly packets: number;
  readonly cpuSeconds: number;
}

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
    // what has arrived is counted and thrown away
    const sink = `table ip sink { chain in { type filter hook prerouting priority -300; udp dport ${port} drop; }; }`;
    run(...network.inside('receiver', 'nft', sink));
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

  /** As many datagrams of 64 bytes, of one conversation, as one CPU brings through the gateway in that time. */
  flood(milliseconds: number): Flooded {
    const before = this.#arrived();
    const hping3 = ['hping3', '-q', '-n', '--flood', '--udp', '-k', '-s', '4444', '-p', `${port}`, '-d', '64'];
    const command = `TIMEFORMAT='%3U %3S'; time timeout -s INT ${milliseconds / 1000} nice -n -10 ${hping3.join(' ')} ${receiverAddress} >/dev/null 2>&1`;
    const alone = ['taskset', '-c', `${cpus().length - 1}`, 'bash', '-c', command];
    const { stderr } = run(...this.inside('sender', ...alone), 0, 1, 124);
    const spent = /^(\d+\.\d+) (\d+\.\d+)$/m.exec(stderr);
    if (spent === null) throw new Error(`bash did not say what hping3 took: ${stderr}`);
    return { packets: this.#arrived() - before, cpuSeconds: Number(spent[1]) + Number(spent[2]) };
  }

  /** Microseconds of each of so many pings, a millisecond apart. */
  roundTrips(count: number): readonly number[] {
    const { stdout } = run(...this.inside('sender', 'ping', '-n', '-i', '0.001', '-c', `${count}`, receiverAddress));
    return Array.from(stdout.matchAll(/ time=([\d.]+) ms$/gm), ([, time]) => Number(time) * 1000);
  }

  #arrived(): number {
    return Number(run(...this.inside('receiver', 'cat', '/sys/class/net/eth0/statistics/rx_packets')).stdout);
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

/** The last of its words may be numbers: exit codes that are no failure, instead of 0. */
function run(...words: readonly (string | number)[]): { readonly stdout: string; readonly stderr: string } {
  const [program = '', ...args] = words.filter((word) => typeof word === 'string');
  const allowed = words.filter((word) => typeof word === 'number');
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 16 * 1024 * 1024 });
  if (!(allowed.length === 0 ? [0] : allowed).includes(status ?? -1))
    throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
  return { stdout, stderr };
}
