/** Somebody takes the rules out and leaves the sets, so that every element still looks fine. */
import { tampering } from '../tampering.ts';

export const scenario = tampering(
  'nft flush table inet picket: elements without rules count as lost; the block is back, and the repair is counted.',
  'flush table inet picket',
);
