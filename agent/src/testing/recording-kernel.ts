/** A kernel for tests that remembers all it was asked for, and holds nothing. */
import type { FirewallWatch } from '../enforcement/firewall.ts';
import type { Kernel } from '../enforcement/kernel.ts';
import type { NftCommand } from '../enforcement/nft-expression.ts';

export class RecordingKernel implements Kernel {
  readonly commands: NftCommand[] = [];
  readonly forgotten: (readonly string[])[] = [];

  async list(): Promise<string | undefined> {
    return undefined;
  }

  async outline(): Promise<string> {
    return '{"nftables":[]}';
  }

  async apply(batch: readonly NftCommand[]): Promise<void> {
    this.commands.push(...batch);
  }

  async forget(connections: readonly (readonly string[])[]): Promise<void> {
    this.forgotten.push(...connections);
  }

  watch(): FirewallWatch {
    return { restarts: 0, [Symbol.asyncDispose]: async () => {} };
  }
}
