/** The bundle that this agent ships with, pinned by the hash of its manifest. Written by `models build --pin`. */
import { fileURLToPath } from 'node:url';

export const shippedBundleFolder = fileURLToPath(new URL('../../../models/bundles/cnn-lstm-7', import.meta.url));

export const shippedManifestSha256 = '662b8c00720db68944ad5a80aa9ce58896d48f901a17f5b6f1a876016e65a125';
