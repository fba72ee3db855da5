/** Somebody flushes all rules, as many firewall scripts begin. */
import { tampering } from '../tampering.ts';

export const scenario = tampering(
  'nft flush ruleset: the block is back by itself, and the repair is counted.',
  'flush ruleset',
);
