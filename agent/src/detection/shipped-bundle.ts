/** The bundle that this agent ships with, pinned by the hash of its manifest. Written by `models build --pin`. */
import { fileURLToPath } from 'node:url';

export const shippedBundleFolder = fileURLToPath(new URL('../../../models/bundles/cnn-lstm-7', import.meta.url));

export const shippedManifestSha256 = '50779fb32aea1a3eb2d7da69f48a145da20aae807ced027cfeae275d550c75db';
