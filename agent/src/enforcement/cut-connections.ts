/**
 * Ends the connections that run already when a block is laid: our rules drop their packets anyway, but without an
 * entry nothing that hangs on connection tracking (NAT, a flow table) carries them on. Deletes what the decision
 * names and nothing else; that there was nothing to delete is success.
 */
import { setImmediate as letOthersRun } from 'node:timers/promises';
import { parseDecisionValue } from '@picket/shared/policy/decision-value';
import type { Restriction } from './restriction.ts';
import type { Guard } from './guard.ts';
import type { Kernel } from './kernel.ts';
import { contains, mustParsePrefix, parsePrefix, type Prefix } from '@picket/shared/policy/prefix';

/** Deletions at a time; beyond it the drop rules alone do. */
const maxCuts = 256;

/** Cuts one lot of connections after the other, beside everything else: what is cut is dropped already. */
export class ConnectionCutter {
  readonly #kernel: Pick<Kernel, 'forget'>;
  readonly #signal: AbortSignal;
  readonly #onWarning: (text: string) => void;
  #cuts: Promise<void> = Promise.resolve();

  constructor(kernel: Pick<Kernel, 'forget'>, signal: AbortSignal, onWarning: (text: string) => void) {
    this.#kernel = kernel;
    this.#signal = signal;
    this.#onWarning = onWarning;
  }

  /** Resolves when nothing is being cut any more. */
  get idle(): Promise<void> {
    return this.#cuts;
  }

  /** `decisions`: those that hold from now on and did not before. Nobody waits for it. */
  cut(decisions: readonly Restriction[], guard: Guard, addressesOf: (mac: string) => readonly string[]): void {
    if (decisions.length === 0) return;
    this.#cuts = this.#cuts.then(async () => {
      await letOthersRun(); // whoever waits for what holds now has the answer first
      await this.#cut(decisions, guard, addressesOf);
    });
  }

  async #cut(
    decisions: readonly Restriction[],
    guard: Guard,
    addressesOf: (mac: string) => readonly string[],
  ): Promise<void> {
    const connections: (readonly string[])[] = [];
    let looked = 0;
    for (const decision of decisions) {
      if (connections.length >= maxCuts) break;
      connections.push(...connectionCuts(decision, guard, addressesOf));
      looked += 1;
    }
    if (looked < decisions.length) {
      this.#onWarning(
        `running connections of ${decisions.length - looked} more decisions are not looked for: their packets are dropped all the same`,
      );
    }
    if (connections.length === 0) return;
    await this.#kernel.forget(connections.slice(0, maxCuts), this.#signal);
  }
}

/**
 * Argument lists for `conntrack`, one per deletion; empty where the decision cuts no connection. Who is sent to is named
 * by who answers: behind address translation the two differ.
 */
export function connectionCuts(
  decision: Restriction,
  guard: Guard,
  addressesOf: (mac: string) => readonly string[],
): readonly (readonly string[])[] {
  if (decision.mode !== 'enforce' || decision.action === 'rate_limit') return [];
  const parsed = parseDecisionValue(decision.scope, decision.value);
  if (!parsed.ok) return [];
  const { target } = parsed;
  if (target.scope === 'pair') {
    const family = familyArguments(target.family);
    return [
      ['-D', ...family, '-s', target.peer, '-r', target.device],
      ['-D', ...family, '-s', target.device, '-r', target.peer],
    ];
  }
  if (target.scope === 'port') {
    return decision.direction === 'from' ? [] : [['-D', '-p', target.protocol, '--dport', String(target.port)]];
  }
  if (target.scope === 'device' && target.mac !== undefined) {
    return addressesOf(target.mac).flatMap((address) => cutsOfHost(address, guard));
  }
  const host = target.scope === 'cidr' ? `${target.network}/${target.prefix}` : target.address;
  const cuts = cutsOfHost(host, guard);
  if (target.scope !== 'ip+port') return cuts;
  const service = ['-p', target.protocol, '--dport', String(target.port)];
  return cuts
    .filter((_, index) => decision.direction === 'both' || (decision.direction === 'from') === (index === 0))
    .map((cut) => [...cut, ...service]);
}

/** First what it began, then what it answers to, which is cut as well where only what it sends is dropped: no conversation goes on one way. */
function cutsOfHost(host: string, guard: Guard): readonly (readonly string[])[] {
  // an admin who is blocked keeps the management session that runs, and the gateway its own conversations
  const kept = [
    ...guard.adminPrefixes,
    ...guard.controllers.map(({ address }) => address),
    ...guard.dnsServers,
    ...guard.ntpServers,
  ];
  const value = mustParsePrefix(host);
  if (kept.some((entry) => overlaps(entry, value))) return [];
  const family = familyArguments(value.family);
  return [
    ['-D', ...family, '-s', host],
    // conntrack takes no prefix for who answers
    ['-D', ...family, host.includes('/') ? '-d' : '-r', host],
  ];
}

function familyArguments(family: 'ipv4' | 'ipv6'): readonly string[] {
  return ['-f', family];
}

function overlaps(entry: string, value: Prefix): boolean {
  const outer = parsePrefix(entry);
  return outer !== undefined && (contains(outer, value) || contains(value, outer));
}
