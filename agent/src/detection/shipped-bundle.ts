/** The bundle that this agent ships with, pinned by the hash of its manifest. Written by `models build --pin`. */
import { fileURLToPath } from 'node:url';

export const shippedBundleFolder = fileURLToPath(new URL('../../../models/bundles/cnn-lstm-1', import.meta.url));

export const shippedManifestSha256 = 'fccca8dc25fc75188b30e6c6f3b51407e015a422b783c45679d4cd21e4608136';
