/** The bundle that this agent ships with, pinned by the hash of its manifest. Written by `models build --pin`. */
import { fileURLToPath } from 'node:url';

export const shippedBundleFolder = fileURLToPath(new URL('../../../models/bundles/cnn-lstm-5', import.meta.url));

export const shippedManifestSha256 = '08d6a01e30a8d3ddba917afaa27aa8a8502bd7da69502ee0f8bc6fa6820c0671';
