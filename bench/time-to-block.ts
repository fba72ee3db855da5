/**
 * Time from an attack's first packet at the gateway to the block in the kernel: real tools, network namespaces, the agent
 * with its shipped bundle and built-in rules. Needs root, nft, tcpdump, nmap, hping3, nginx and sshd. JSON on stdout.
 */
import { loadavg } from 'node:os';
import { GatewayAgent } from '../.ci/end-to-end/gateway-agent.ts';
import { GuardedNetwork } from '../.ci/end-to-end/namespaces.ts';

const runs = Number(process.argv[2] ?? 5);
const deadlineMs = 60_000;
const attacks: Readonly<Record<string, (victim: string) => readonly string[]>> = {
  'nmap -sS -T4': (victim) => ['nmap', '-n', '-Pn', '-sS', '-T4', '--max-rate', '150', '-p', '1-20000', victim],
  'hping3 -S -i u1000': (victim) => ['hping3', '-q', '-n', '-S', '-p', '80', '-i', 'u1000', victim],
};

/** Milliseconds, or null when nothing was blocked in time. */
async function measure(attack: (victim: string) => readonly string[]): Promise<number | null> {
  await using network = await GuardedNetwork.open(['web', 'ssh']);
  const agent = await GatewayAgent.start(network, { mode: 'enforce' });
  await agent.untilReady(deadlineMs);
  const { attacker, device, gateway } = network;
  const first = network.start(gateway, [
    'tcpdump',
    '-l',
    '-tt',
    '-n',
    '-c',
    '1',
    '-i',
    'wan0',
    'ip',
    'and',
    'src',
    attacker.address,
  ]);
  await first.untilPrinted(/listening on/, deadlineMs);
  const monitor = network.start(gateway, ['nft', 'monitor', 'new', 'elements']);
  const block = new RegExp(`inet picket drop_\\S+ .*${attacker.address.replaceAll('.', '\\.')}`);
  const blocked = monitor.untilPrinted(block, deadlineMs).then(
    () => Date.now(),
    () => null,
  );
  network.start(attacker.namespace, attack(device.address));
  const [, seconds] = await first.untilPrinted(/^(\d+\.\d+) IP /m, deadlineMs);
  const blockedAtMs = await blocked;
  return blockedAtMs === null ? null : Math.round(blockedAtMs - Number(seconds) * 1000);
}

const results: Record<string, unknown> = {};
for (const [name, attack] of Object.entries(attacks)) {
  const times: (number | null)[] = [];
  for (let run = 0; run < runs; run++) times.push(await measure(attack));
  const known = times.filter((time) => time !== null).toSorted((a, b) => a - b);
  results[name] = {
    milliseconds: times,
    median: known[Math.floor(known.length / 2)] ?? null,
    worst: known.at(-1) ?? null,
    missed: times.length - known.length,
  };
}
console.log(JSON.stringify({ results, runs, load: loadavg()[0] }, null, 2));
