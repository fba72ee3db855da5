/** What `doctor` says of the kernel's part: tables, flow offload, bridges, connection tracking, and the rules of others. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { readBridges } from '../enforcement/bridges.ts';

export interface Finding {
  readonly check: string;
  readonly state: 'ok' | 'warning' | 'missing';
  readonly detail: string;
}

const run = promisify(execFile);
/** A connection table this full is about to refuse new connections, whoever makes them. */
const fullShare = 0.8;

/** Empty where nft cannot be asked: that is a finding of its own. */
export async function examineKernel(): Promise<readonly Finding[]> {
  const listing = await list(['-j', 'list', 'flowtables']);
  const tables = await list(['-j', 'list', 'tables']);
  return [
    ...(listing === undefined ? [] : [checkFlowtables(listing)]),
    ...(await checkBridges(readBridges())),
    checkConnectionTable(readNumber('nf_conntrack_count'), readNumber('nf_conntrack_max')),
    ...(tables === undefined ? [] : [checkForeignTables(tables)]),
  ];
}

/** Flows that are offloaded pass no rule of any table until their connection is deleted. */
export function checkFlowtables(listing: string): Finding {
  const check = 'flow offload';
  const names = named(listing, 'flowtable');
  return names.length === 0
    ? { check, state: 'ok', detail: 'no flowtable: every forwarded packet meets the rules' }
    : {
        check,
        state: 'warning',
        detail: `${names.join(', ')}: offloaded connections skip all rules; a block deletes theirs (needs conntrack), a rate limit does not reach them; take the flowtable out of the ruleset to limit rates`,
      };
}

/** Tables of others, which stay as they are. */
export function checkForeignTables(listing: string): Finding {
  const others = named(listing, 'table').filter((name) => !name.endsWith(' picket'));
  return {
    check: 'other tables',
    state: 'ok',
    detail:
      others.length === 0
        ? 'none'
        : `${others.slice(0, 10).join(', ')}${others.length > 10 ? ` and ${others.length - 10} more` : ''}: left alone; what they accept is still dropped by ours`,
  };
}

/** `count` and `max`: connections tracked and at most; undefined where the kernel was never asked to track any. */
export function checkConnectionTable(count: number | undefined, max: number | undefined): Finding {
  const check = 'connections';
  if (count === undefined || max === undefined || count === 0) {
    const cost = 'the guard has the kernel track all, which costs a forwarding gateway some 18 % more for each packet';
    return { check, state: 'ok', detail: `none is tracked now; while anybody is restricted ${cost}` };
  }
  const detail = `${count} of ${max} tracked`;
  if (max === 0 || count < max * fullShare) return { check, state: 'ok', detail }; // 0: no bound
  return {
    check,
    state: 'warning',
    detail: `${detail}: new ones are about to fail; raise net.netfilter.nf_conntrack_max`,
  };
}

async function checkBridges(bridges: readonly string[]): Promise<readonly Finding[]> {
  if (bridges.length === 0) return [];
  const check = 'bridges';
  try {
    await run('nft', [
      '--check',
      'add table bridge picket_check; add chain bridge picket_check c { type filter hook forward priority 0; }',
    ]);
    return [
      { check, state: 'ok', detail: `${bridges.join(', ')}: what they carry from port to port is restricted as well` },
    ];
  } catch {
    return [
      {
        check,
        state: 'warning',
        detail: `${bridges.join(', ')}: nft cannot make tables of the bridge family here (kernel module nf_tables_bridge, or rights): what goes from port to port is not restricted`,
      },
    ];
  }
}

async function list(args: readonly string[]): Promise<string | undefined> {
  try {
    return (await run('nft', args)).stdout;
  } catch {
    return undefined;
  }
}

function named(listing: string, kind: string): readonly string[] {
  const { nftables = [] } = JSON.parse(listing) as {
    readonly nftables?: readonly Readonly<Record<string, NamedObject>>[];
  };
  return nftables.flatMap((entry) => {
    const object = entry[kind];
    return object === undefined ? [] : [[object.family, object.table, object.name].filter(Boolean).join(' ')];
  });
}

interface NamedObject {
  readonly family?: string;
  readonly table?: string;
  readonly name?: string;
}

function readNumber(name: string): number | undefined {
  try {
    return Number(readFileSync(`/proc/sys/net/netfilter/${name}`, 'utf8'));
  } catch {
    return undefined;
  }
}
