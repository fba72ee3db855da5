/** Somebody deletes the private table. */
import { tampering } from '../tampering.ts';

export const scenario = tampering(
  'nft delete table inet picket: the block is back by itself, and the repair is counted.',
  'delete table inet picket',
);
