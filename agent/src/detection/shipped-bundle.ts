/** The bundle that this agent ships with, pinned by the hash of its manifest. Written by `models build --pin`. */
import { fileURLToPath } from 'node:url';

export const shippedBundleFolder = fileURLToPath(new URL('../../../models/bundles/cnn-lstm-7', import.meta.url));

export const shippedManifestSha256 = '2a148ae28e49a33f79c8c0807c3f7428508e7b0220681f4e34d1afb0a41db0ca';
