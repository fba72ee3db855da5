/** Model bundles, their files, and what is wanted of which gateway: migration 0004. */

export interface ModelTables {
  model_bundles: ModelBundlesTable;
  model_bundle_files: ModelBundleFilesTable;
  gateway_bundles: GatewayBundlesTable;
}

export interface ModelBundlesTable {
  /** Hex. */
  manifest_sha256: string;
  version: string;
  /** JSON: `ModelManifest`. */
  manifest: string;
  size_bytes: number;
  uploaded_by: string;
  uploaded_at: string;
  /** When it last became the fleet's. */
  activated_at: string | null;
  /** 1 for the fleet's; of all rows one at most. */
  is_active: number;
  /** The fleet's bundle before this one; null: each gateway's own. */
  replaced: string | null;
}

export interface ModelBundleFilesTable {
  manifest_sha256: string;
  name: string;
  bytes: Uint8Array;
}

/** Gateways that shall serve another bundle than the fleet. */
export interface GatewayBundlesTable {
  gateway_id: string;
  manifest_sha256: string;
}
