import { z } from 'zod';
import { Ablation, Tuning, UnknownClasses } from '../evaluation/evaluation.ts';
import { LeftOut } from './capture-sections.ts';

const Summary = z.record(z.string(), z.number());

/** What other programs measured, for the card: the same figures with other seeds, and with parts left out. */
export const CardExtras = z.strictObject({
  /** Figure → value, one record per seed. */
  seeds: z.array(Summary),
  /** What `ablate` wrote, a series of trainings each. */
  ablations: z.array(Ablation),
  left_out: z.array(LeftOut),
  /** What `unknown` wrote. */
  unknown: UnknownClasses.nullable(),
  /** What `tune` wrote. */
  tunings: z.array(Tuning),
  /** Paragraphs that only a person can write: what was tried, what it would need. */
  remarks: z.array(z.string()),
});
export type CardExtras = z.infer<typeof CardExtras>;

export const noExtras: CardExtras = {
  seeds: [],
  ablations: [],
  left_out: [],
  unknown: null,
  tunings: [],
  remarks: [],
};
