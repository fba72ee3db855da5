/** The bundle that this agent ships with, pinned by the hash of its manifest. Written by `models build --pin`. */
import { fileURLToPath } from 'node:url';

export const shippedBundleFolder = fileURLToPath(new URL('../../../models/bundles/cnn-lstm-6', import.meta.url));

export const shippedManifestSha256 = 'b9e1d4f3d972d582eb0937d51d9a2c7a6980c92af04207e238a869ff5ec620e0';
