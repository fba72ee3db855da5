/** The bundle that this agent ships with, pinned by the hash of its manifest. Written by `models build --pin`. */
import { fileURLToPath } from 'node:url';

export const shippedBundleFolder = fileURLToPath(new URL('../../../models/bundles/cnn-lstm-3', import.meta.url));

export const shippedManifestSha256 = '61796d7f95cfdce16c9113e398463d65cd9d6f11fa9c1e9834c0216b0944df44';
