/** The bundle that this agent ships with, pinned by the hash of its manifest. Written by `models build --pin`. */
import { fileURLToPath } from 'node:url';

export const shippedBundleFolder = fileURLToPath(new URL('../../../models/bundles/cnn-lstm-2', import.meta.url));

export const shippedManifestSha256 = '4e76f0dced363a97b93e769323c52b42807edb99b6f2a7cbd02054d357c696b1';
