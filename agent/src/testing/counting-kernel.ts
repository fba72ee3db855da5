/** The kernel itself, and how often it was called for what. For tests that need root and nft. */
import type { Kernel } from '../enforcement/kernel.ts';
import { NftKernel, type NftKernelOptions } from '../enforcement/nft-kernel.ts';

/** `calls`: since it was last asked. */
export function countingKernel(options: NftKernelOptions): Kernel & { calls(): Readonly<Record<string, number>> } {
  let calls: Record<string, number> = {};
  const kernel = new NftKernel(options);
  const count = (name: string): void => void (calls[name] = (calls[name] ?? 0) + 1);
  return {
    list: (...args) => (count('list'), kernel.list(...args)),
    outline: (...args) => (count('outline'), kernel.outline(...args)),
    apply: (...args) => (count('apply'), kernel.apply(...args)),
    forget: (...args) => kernel.forget(...args),
    watch: (onChanged) => kernel.watch(onChanged),
    calls() {
      const counted = calls;
      calls = {};
      return counted;
    },
  };
}
