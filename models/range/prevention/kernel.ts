/** What the kernel of a gateway holds in the private table, as `nft` shows it: the witness of every scenario. */
import type { Namespace } from '../namespace.ts';
import { type RunningProgram, eventually } from '../running-program.ts';

/** Of a set in the private table. */
export interface KernelElement {
  readonly set: string;
  readonly value: string;
  /** Seconds until the kernel forgets it. */
  readonly expires: number;
  /** Packets that met it. */
  readonly packets: number;
}

interface ListedSet {
  readonly set?: { readonly name: string; readonly elem?: readonly unknown[] };
}

/** What the private table holds now; nothing while there is no table. */
export async function kernelElements(gateway: Namespace): Promise<readonly KernelElement[]> {
  const { status, stdout } = await gateway.run(['nft', '-j', 'list', 'table', 'inet', 'picket']);
  if (status !== 0) return [];
  // nft's own JSON, libnftables-json(5)
  const { nftables } = JSON.parse(stdout) as { readonly nftables: readonly ListedSet[] };
  return nftables.flatMap(({ set }) => (set?.elem ?? []).map((listed) => readElement(set?.name ?? '', listed)));
}

function readElement(set: string, listed: unknown): KernelElement {
  const { elem } = listed as {
    readonly elem?: { readonly val: unknown; readonly expires?: number; readonly counter?: { packets: number } };
  };
  return {
    set,
    value: JSON.stringify(elem?.val ?? listed),
    expires: elem?.expires ?? Number.POSITIVE_INFINITY,
    packets: elem?.counter?.packets ?? 0,
  };
}

/** Elements of decisions that name an address or a MAC: those of the guard have no end. */
export async function elementsNaming(gateway: Namespace, address: string): Promise<readonly KernelElement[]> {
  return (await kernelElements(gateway)).filter(
    ({ value, expires }) => value.includes(`"${address}"`) && Number.isFinite(expires),
  );
}

/** All that is not ours, without what counts: to compare before and after. */
export async function foreignRules(gateway: Namespace): Promise<string> {
  const tables = (await gateway.must(['nft', 'list', 'tables']))
    .split('\n')
    .filter((line) => line.startsWith('table '));
  const texts: string[] = [];
  for (const table of tables.sort()) {
    const [, family = '', name = ''] = table.split(' ');
    if (name.startsWith('picket')) continue;
    texts.push(await gateway.must(['nft', '-s', 'list', 'table', family, name]));
  }
  return texts.join('\n');
}

/** Who is subscribed to what nftables announces: group 7 of netlink's protocol 12. */
async function countMonitors(gateway: Namespace): Promise<number> {
  const sockets = (await gateway.must(['cat', '/proc/net/netlink'])).split('\n');
  return sockets.filter((socket) => /^\S+ +12 +\d+ +0*40 /.test(socket)).length;
}

/** Says when the kernel first took up an element that restricts; counting ones are not. */
export class KernelWatch {
  readonly #monitor: RunningProgram;

  private constructor(monitor: RunningProgram) {
    this.#monitor = monitor;
  }

  /** It hears everything from here on. `start` runs a program in the gateway. */
  static async begin(gateway: Namespace, start: (argv: readonly string[]) => RunningProgram): Promise<KernelWatch> {
    const before = await countMonitors(gateway);
    const watch = new KernelWatch(start(['nft', 'monitor', 'new', 'elements']));
    await eventually(
      () => countMonitors(gateway),
      (now) => now > before,
      60_000,
    );
    return watch;
  }

  /** Milliseconds since 1970 when an element that restricts came whose address matches; rejects at the deadline. */
  async restricted(pattern: string, deadlineMs: number): Promise<number> {
    await this.#monitor.untilPrinted(
      new RegExp(String.raw`add element (?:inet|bridge) picket\S* (?!count)\S+ .*[{ ](?:${pattern})[ /,]`),
      deadlineMs,
    );
    return Date.now();
  }
}
