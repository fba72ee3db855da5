/** The agent's command line from outside: what a user types, what comes out, and how it ends. */
import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { Alert } from '@picket/shared/contract/alert';
import { DecisionEvent } from '@picket/shared/contract/decision';
import { Prediction } from '@picket/shared/contract/prediction';
import { shippedBundleFolder } from '../detection/shipped-bundle.ts';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));
const demo = fileURLToPath(new URL('../../captures/demo.pcap', import.meta.url));
/** Each test starts whole agents, some three of them, and the machine may be busy. */
vi.setConfig({ testTimeout: 300_000 });
const folder = mkdtempSync(join(tmpdir(), 'picket-cli-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function agent(args: readonly string[], environment: NodeJS.ProcessEnv = {}, input?: Buffer): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, ['--conditions=@picket/source', main, ...args], {
    encoding: 'utf8',
    input,
    maxBuffer: 1 << 28,
    env: { ...process.env, ...environment },
  });
}

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

test('replay --json says every prediction, alert and decision in the words of the contract, and ends with a summary', () => {
  const { status, stdout } = agent(['replay', demo, '--json']);
  expect(status).toBe(0);
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string });
  const of = (type: string): object[] =>
    lines.filter((line) => line.type === type).map((line) => Object.fromEntries(Object.entries(line).slice(1)));
  for (const prediction of of('prediction')) expect(Prediction.safeParse(prediction).error).toBeUndefined();
  for (const alert of of('alert')) expect(Alert.safeParse(alert).error).toBeUndefined();
  for (const event of of('decision')) expect(DecisionEvent.safeParse(event).error).toBeUndefined();
  const summary = lines.at(-1);
  expect(summary).toMatchObject({ type: 'summary', predictions: of('prediction').length, drops: 0, undecodable: 0 });
  const opened = (of('alert') as Alert[]).filter(({ revision }) => revision === 0);
  expect(opened.length).toBeGreaterThan(3);
  const explained = opened.flatMap(({ explanation }) => explanation ?? []);
  expect(explained).toHaveLength(opened.length);
  for (const { top_features, flows, summary } of explained) {
    expect(top_features).toHaveLength(10);
    expect(flows.length).toBeGreaterThan(0);
    expect(summary).toMatch(/^(?:one|\d[\d,]* new) [A-Za-z]+ .* from .*(?:answer|answered)/);
  }
  expect(of('decision').map((event) => (event as DecisionEvent).state)).toContain('simulated');
});

test('a capture may come on standard input, through a pipe or from a file', () => {
  const packetsIn = ({ stderr }: { readonly stderr: string }): string | undefined => /^\d+ packets/m.exec(stderr)?.[0];
  const expected = packetsIn(agent(['replay', demo]));
  expect(expected).toMatch(/^[1-9]/);
  expect(packetsIn(agent(['replay', '-'], {}, readFileSync(demo)))).toBe(expected);
  const shell = `"$0" --conditions=@picket/source "$1" replay - < "$2"`;
  expect(packetsIn(spawnSync('sh', ['-c', shell, process.execPath, main, demo], { encoding: 'utf8' }))).toBe(expected);
});

test('who reads the output may stop reading', () => {
  const shell = `"$0" --conditions=@picket/source "$1" replay "$2" --json | head -n 1`;
  const { stdout, stderr } = spawnSync('sh', ['-c', shell, process.execPath, main, demo], { encoding: 'utf8' });
  expect(stdout).toMatch(/^\{"type"/);
  expect(stderr).not.toMatch(/EPIPE|\n\s+at /);
});

test('the same capture gives the same predictions every time', () => {
  const scores = (): string[] =>
    agent(['replay', demo, '--json'])
      .stdout.trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Prediction & { type: string })
      .filter(({ type }) => type === 'prediction')
      .map(({ at, device, score, flows_seen }) => `${at} ${device.address} ${score} ${flows_seen}`);
  const first = scores();
  expect(first.length).toBeGreaterThan(50);
  expect(scores()).toEqual(first);
});

function withBrokenDecisions(): string {
  const stateDir = mkdtempSync(join(folder, 'state-'));
  writeFileSync(join(stateDir, 'decisions.sqlite'), 'this is no database'.repeat(500));
  return JSON.stringify({ state_dir: stateDir, capture: { source: 'pcap', files: [demo] } });
}

test('replay --lan names the devices: their conversations with all others are outbound', () => {
  const { stdout } = agent(['replay', demo, '--json', '--lan', '198.51.100.0/24', '--lan', 'fd00::/8']);
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; class?: string; device?: { address: string } });
  const devices = lines.filter(({ type }) => type === 'prediction').map(({ device }) => device?.address);
  expect(devices).toContain('198.51.100.66');
  const beacons = lines.filter(({ type, class: name }) => type === 'alert' && name === 'botnet_beacon');
  expect(beacons).toEqual([]); // the server of the beacon is no device that beacons
});

describe('what is wrong is said in one line, with what to do, and the exit code that stands for it', () => {
  const config = (text: string): string[] => ['run', '--config', file(`agent-${Math.random()}.yaml`, text)];
  test.each<[string, () => readonly string[], number, RegExp]>([
    ['a file that is not there', () => ['replay', '/nowhere/x.pcap'], 66, /^picket-agent: .*\/nowhere\/x\.pcap.*\n$/],
    [
      'a file of another kind',
      () => ['replay', file('a.pcap', 'GIF89a and so on, and on, and on')],
      65,
      /^picket-agent: .*pcap.*\n$/,
    ],
    ['an empty file', () => ['replay', file('empty.pcap', '')], 65, /^picket-agent: .*is empty.*\n$/],
    [
      'a truncated file',
      () => ['replay', file('cut.pcap', readFileSync(demo).subarray(0, 10_007))],
      65,
      /10007|byte|offset/,
    ],
    ['a speed that is none', () => ['replay', demo, '--speed', 'fast'], 64, /--speed.*fast/],
    [
      'a prefix that is none',
      () => ['replay', demo, '--lan', '10.0.0.300/8'],
      64,
      /--lan.*10\.0\.0\.300.*192\.168\.1\.0\/24/,
    ],
    ['an unknown command', () => ['fly'], 64, /fly/],
    ['a command without its argument', () => ['flows'], 64, /missing required argument 'FILE'/],
    ['a number that is out of range', () => ['flows', demo, '--capacity', '5'], 64, /--capacity.*from 16 to 4000000/],
    ['an option that a command within a command lacks', () => ['decisions', 'list', '--fast'], 64, /--fast/],
    ['an unknown setting', () => config('capture: { source: live, interface: eth0 }\nmoode: enforce\n'), 78, /moode/],
    [
      'a configuration that is not there',
      () => ['run', '--config', '/nowhere/agent.yaml'],
      66,
      /\/nowhere\/agent\.yaml/,
    ],
    [
      'decisions that are no database',
      () => config(withBrokenDecisions()),
      65,
      /decisions\.sqlite.*move the file away/,
    ],
    [
      'a bundle that is not there',
      () => ['replay', demo, '--bundle', join(folder, 'no-bundle')],
      66,
      /^picket-agent: the model bundle \S+no-bundle was refused: cannot open \S+manifest\.json: ENOENT; name the folder/,
    ],
    ['no agent to ask', () => ['status', '--state-dir', folder], 69, /no agent is running/],
    ['a decision without a value', () => ['decisions', 'add', '--state-dir', folder], 64, /--ip|--scope/],
    [
      'an endless decision',
      () => ['decisions', 'add', '--ip', '192.0.2.1', '--duration', '99d', '--state-dir', folder],
      64,
      /--duration/,
    ],
  ])('%s', (_, args, exitCode, message) => {
    const { status, stderr } = agent(args());
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(status).toBe(exitCode);
  });

  test('a bundle with one byte changed', () => {
    const bundle = join(folder, 'bundle');
    cpSync(shippedBundleFolder, bundle, { recursive: true });
    const bytes = readFileSync(join(bundle, 'detect.onnx'));
    bytes[1000] = bytes[1000]! ^ 1;
    writeFileSync(join(bundle, 'detect.onnx'), bytes);
    const { status, stderr } = agent(['replay', demo, '--bundle', bundle]);
    expect(stderr).toMatch(/detect\.onnx/);
    expect(status).toBe(65);
  });

  test('tcpdump is not installed', () => {
    const path = file(
      'live.yaml',
      JSON.stringify({
        state_dir: join(folder, 'state'),
        mode: 'observe',
        capture: { source: 'live', interface: 'lo' },
      }),
    );
    const { status, stderr, stdout } = agent(['run', '--config', path], { PATH: folder });
    expect(stderr + stdout).toMatch(/tcpdump.*install/s);
    expect(status).toBe(69);
  });
});
