/** What a site's name says: its part and number, and with them where its chance comes from and by which rules it is drawn. */
import type { Edition, Part } from './site-plan.ts';

/** Parts draw their chance from different streams, so that number 3 of one is unlike number 3 of another. */
export const streams: Readonly<Record<Part, number>> = {
  train: 1_000_003,
  validation: 2_000_029,
  test: 3_000_017,
  demo: 4_000_037,
};

/** The first numbers of the second and third edition, among sites for attacks (below 100) and among those for life alone. */
const laterEditions: Readonly<Record<Part, readonly (readonly [number, number])[]>> = {
  train: [[25, 110]],
  validation: [[8, 108]],
  test: [
    [14, 107],
    [19, Infinity],
  ],
  demo: [],
};
export const editionOf = (part: Part, number: number): Edition =>
  (1 + laterEditions[part].filter((starts) => number >= starts[number < 100 ? 0 : 1]).length) as Edition;

export const siteName = (part: Part, number: number): string => `${part}-${String(number).padStart(2, '0')}`;
