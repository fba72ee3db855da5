/** `picket-agent doctor`: what this host has, what is missing, and what to do about it. Changes nothing. */
import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync, statfsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { Command } from 'commander';
import { loadAgentConfig, type AgentConfig } from '../config/agent-config.ts';
import { readBundleTrust } from '../detection/bundle-trust.ts';
import { openModelBundle } from '../detection/model-bundle.ts';
import { describeHeldOpen, readHeldOpen } from '../enforcement/held-open.ts';
import { SteadyClock, systemTime } from '../enforcement/steady-clock.ts';
import { planSeparation } from '../privileged/rights.ts';
import { examineKernel, type Finding } from './doctor-kernel.ts';
import { examineNetwork } from './doctor-network.ts';
import { examineReturnPaths } from './doctor-return-paths.ts';
import { shippedBundleFolder } from '../detection/shipped-bundle.ts';

/** Exit code where something is missing or amiss; 0 where all is well. */
const findingsExitCode = 2;

const run = promisify(execFile);

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('check this host: programs, rights, model, state directory, interface')
    .option('--config <FILE>', 'check against this configuration')
    .option('--json', 'one JSON array')
    .action(async (options: { readonly config?: string; readonly json?: boolean }) => {
      const config = options.config === undefined ? undefined : loadAgentConfig(options.config, process.env);
      const findings = await examine(config);
      if (options.json === true) console.log(JSON.stringify(findings));
      else
        for (const { check, state, detail } of findings)
          console.log(`${state.padEnd(8)} ${check.padEnd(18)} ${detail}`);
      if (findings.some(({ state }) => state !== 'ok')) process.exitCode = findingsExitCode;
    });
}

async function examine(config: AgentConfig | undefined): Promise<Finding[]> {
  return [
    await checkNft(),
    await checkTcpdump(),
    await checkConntrack(),
    checkSeparation(),
    await checkModel(config),
    ...(config === undefined
      ? []
      : [checkStateDirectory(config.state_dir), checkIdentity(config.state_dir), ...checkHeldOpen(config.state_dir)]),
    ...(config?.capture.source === 'live'
      ? [
          ...(await checkInterface(config.capture.interface)),
          ...(await examineNetwork(config.capture.interface, config.lan_prefixes)),
        ]
      : []),
    checkForwarding(),
    ...examineReturnPaths(),
    ...(await examineKernel()),
  ];
}

async function checkNft(): Promise<Finding> {
  const check = 'nft';
  try {
    await run('nft', ['-j', 'list', 'tables']);
    return { check, state: 'ok', detail: 'present, and this user may use it' };
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    return {
      check,
      state: 'missing',
      detail: missing
        ? 'not installed: decisions cannot reach the kernel; apt install nftables'
        : 'present, but this user may not use it: run the agent as root or with CAP_NET_ADMIN',
    };
  }
}

async function checkTcpdump(): Promise<Finding> {
  const check = 'tcpdump';
  try {
    const { stdout, stderr } = await run('tcpdump', ['--version']);
    const version = /tcpdump version \S+/.exec(stdout + stderr)?.[0] ?? 'present';
    return process.getuid?.() === 0
      ? { check, state: 'ok', detail: version }
      : { check, state: 'warning', detail: `${version}, but live capture needs root or CAP_NET_RAW` };
  } catch {
    return { check, state: 'missing', detail: 'not installed: no live capture; apt install tcpdump' };
  }
}

/** Whether `run`, started as this user is, keeps the rights apart from the agent. */
function checkSeparation(): Finding {
  const check = 'rights';
  const separation = planSeparation();
  if (!separation.isPossible) {
    return { check, state: 'warning', detail: `no process of its own holds the rights: ${separation.reason}` };
  }
  const detail = 'a small process will hold CAP_NET_ADMIN; the agent runs without any';
  return process.getuid?.() === 0
    ? {
        check,
        state: 'ok',
        detail: `${detail} (still as root: deploy/picket-agent.service gives it a user of its own)`,
      }
    : { check, state: 'ok', detail };
}

/** An owner who forgot it would wonder why nothing is blocked. */
function checkHeldOpen(directory: string): Finding[] {
  const mark = readHeldOpen(directory, new SteadyClock(systemTime()));
  return mark === undefined ? [] : [{ check: 'fail-open', state: 'warning', detail: describeHeldOpen(mark) }];
}

async function checkConntrack(): Promise<Finding> {
  const check = 'conntrack';
  try {
    await run('conntrack', ['--version']);
    return { check, state: 'ok', detail: 'present: entries of blocked pairs are removed' };
  } catch {
    return {
      check,
      state: 'warning',
      detail: 'not installed: blocks still hold, stale connection entries stay; apt install conntrack',
    };
  }
}

async function checkModel(config: AgentConfig | undefined): Promise<Finding> {
  const check = 'model';
  try {
    const trust = await readBundleTrust(config?.model.trust ?? []);
    const bundle = await openModelBundle(config?.model.bundle ?? shippedBundleFolder, trust);
    const by = bundle.vouchedBy === 'shipped' ? 'shipped with this agent' : `signed by ${bundle.vouchedBy}`;
    return { check, state: 'ok', detail: `${bundle.manifest.version}, ${by}; hashes and operators checked` };
  } catch (error) {
    return { check, state: 'missing', detail: (error as Error).message };
  }
}

function checkStateDirectory(directory: string): Finding {
  const check = 'state directory';
  try {
    let existing = resolve(directory); // the agent makes what is missing
    while (!existsSync(existing)) existing = dirname(existing);
    accessSync(existing, constants.R_OK | constants.W_OK | constants.X_OK);
    const { bavail, bsize } = statfsSync(existing);
    const freeMib = Math.floor((bavail * bsize) / 1_048_576);
    return freeMib < 512
      ? {
          check,
          state: 'warning',
          detail: `${directory}: only ${freeMib} MiB free; the outbox will drop events when it is full`,
        }
      : { check, state: 'ok', detail: `${directory}, ${freeMib} MiB free` };
  } catch (error) {
    return {
      check,
      state: 'missing',
      detail: `${(error as Error).message}; make ${dirname(directory)} writable or change state_dir`,
    };
  }
}

function checkIdentity(directory: string): Finding {
  const check = 'enrolment';
  return existsSync(join(directory, 'identity.json'))
    ? { check, state: 'ok', detail: 'enrolled' }
    : {
        check,
        state: 'warning',
        detail: 'not enrolled: the agent detects and decides alone; `picket-agent enroll --token …` joins a controller',
      };
}

async function checkInterface(name: string): Promise<Finding[]> {
  const check = 'interface';
  if (!existsSync(`/sys/class/net/${name}`)) {
    return [{ check, state: 'missing', detail: `there is no interface ${name}; \`ip link\` lists them` }];
  }
  const up = readFileSync(`/sys/class/net/${name}/operstate`, 'utf8').trim();
  const state: Finding =
    up === 'down'
      ? { check, state: 'warning', detail: `${name} is down` }
      : { check, state: 'ok', detail: `${name} is ${up}` };
  return [state, await checkOffloads(name)];
}

/** With receive offloads on, one captured "packet" is many, and the features do not look like what the model learned. */
async function checkOffloads(name: string): Promise<Finding> {
  const check = 'offloads';
  try {
    const { stdout } = await run('ethtool', ['-k', name]);
    const on = ['generic-receive-offload', 'large-receive-offload'].filter((feature) =>
      stdout.includes(`${feature}: on`),
    );
    return on.length === 0
      ? { check, state: 'ok', detail: 'off' }
      : {
          check,
          state: 'warning',
          detail: `${on.join(', ')} on: counts and lengths are distorted; ethtool -K ${name} gro off lro off`,
        };
  } catch {
    return { check, state: 'warning', detail: 'cannot tell: ethtool is not installed; apt install ethtool' };
  }
}

function checkForwarding(): Finding {
  const check = 'forwarding';
  const file = '/proc/sys/net/ipv4/ip_forward';
  const forwards = existsSync(file) && readFileSync(file, 'utf8').trim() === '1';
  return forwards
    ? { check, state: 'ok', detail: 'this host forwards IPv4' }
    : { check, state: 'warning', detail: 'this host does not forward IPv4: only its own traffic can be restricted' };
}
