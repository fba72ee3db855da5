/**
 * The three meanings that the 78 columns have had in published data. A model is trained on one of them and must be
 * served with the same; its manifest says which.
 */
import { z } from 'zod';

/**
 * - `cic2017`: the tool of 2017/18 with all its errors; the public CIC-IDS2017 tables.
 * - `improved2022`: the corrected tool as of October 2022; the re-issued CIC-IDS2017 and CSE-CIC-IDS2018 tables.
 * - `fixed`: the corrected tool of today; what the shipped bundles use.
 */
export const FeatureProfile = z.enum(['cic2017', 'improved2022', 'fixed']);
export type FeatureProfile = z.infer<typeof FeatureProfile>;
