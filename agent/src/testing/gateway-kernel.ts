/**
 * The kernel of a gateway between network namespaces, and a firewall of ours on it: anew for each test, with nothing of
 * ours in the kernel. For tests that need root and nft.
 */
import type { Decision } from '@picket/shared/contract/decision';
import type { FirewallReading } from '../enforcement/firewall.ts';
import { emptyGuard, type Guard } from '../enforcement/guard.ts';
import { NftablesFirewall, type NftablesFirewallOptions } from '../enforcement/nftables-firewall.ts';
import { addresses, deviceMac, GatewayNamespaces } from './network-namespaces.ts';

const never = new AbortController().signal;

/** Of an owner who manages by SSH from one prefix, and has one host that nobody may cut off. */
export const busyGuard: Guard = {
  ...emptyGuard,
  adminPrefixes: ['203.0.113.0/24'],
  managementPorts: [22],
  neverBlock: ['198.51.100.7'],
};

export class GatewayKernel implements AsyncDisposable {
  readonly network: GatewayNamespaces;
  #firewall: NftablesFirewall;

  private constructor(network: GatewayNamespaces) {
    this.network = network;
    this.#firewall = this.create();
  }

  static async open(): Promise<GatewayKernel> {
    return new GatewayKernel(await GatewayNamespaces.open());
  }

  /** The one that `hold` and `read` ask. */
  get firewall(): NftablesFirewall {
    return this.#firewall;
  }

  /** Another one, which knows nothing of what was held. */
  create(options: NftablesFirewallOptions = {}): NftablesFirewall {
    return NftablesFirewall.create({
      nft: this.network.inside('gateway', 'nft'),
      conntrack: this.network.inside('gateway', 'conntrack'),
      addressesOf: (mac) => (mac === deviceMac ? [addresses.device.v4, addresses.device.v6] : []),
      ...options,
    });
  }

  /** From here on another one is asked. */
  use(options: NftablesFirewallOptions = {}): void {
    this.#firewall = this.create(options);
  }

  /** As at the first start on this gateway. */
  async clear(): Promise<void> {
    this.use();
    await this.#firewall.clear(never);
  }

  hold(decisions: readonly Decision[], guard: Partial<Guard> = {}): Promise<FirewallReading> {
    return this.#firewall.hold(decisions, { ...emptyGuard, ...guard }, never);
  }

  read(): Promise<FirewallReading> {
    return this.#firewall.read(never);
  }

  nft(...args: readonly string[]): string {
    return this.network.run('gateway', 'nft', ...args);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.network[Symbol.asyncDispose]();
  }
}
