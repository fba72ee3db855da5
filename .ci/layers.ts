/**
 * Who may import whom. Folders of the agent are the stages of its pipeline; the controller's rules go by what a file is.
 * `layers.test.ts` reads every import of every source file against these tables.
 */

/** Third-party packages are pnpm's business: a package gets only what its package.json declares. */
export interface Layer {
  /** Other folders (or files) of the same program that it may import. */
  readonly mayImport: readonly string[];
  /** Folders of @picket/shared it may import. */
  readonly shared: readonly ('contract' | 'features' | 'policy')[];
  readonly because: string;
}

const all = ['contract', 'features', 'policy'] as const;

/** `agent/src/<folder>`; `main.ts`, `agent.ts`, `pipeline.ts` and the workers are files of the root. */
export const agentLayers: Readonly<Record<string, Layer>> = {
  capture: { mayImport: [], shared: [], because: 'nothing above the wire' },
  packet: {
    mayImport: ['capture'],
    shared: [],
    because: 'decodes what capture hands over, and knows nothing of flows',
  },
  flow: {
    mayImport: ['capture', 'packet'],
    shared: ['features', 'contract'],
    because: 'reads no clock and does no I/O',
  },
  features: {
    mayImport: ['capture', 'packet', 'flow'],
    shared: ['features', 'contract'],
    because: 'the schema is the contract with training',
  },
  devices: { mayImport: ['features'], shared: all, because: 'attributes flows, judges nothing' },
  window: {
    mayImport: ['features', 'devices', 'detection'],
    shared: all,
    because: 'fills the shape the detector reads',
  },
  detection: { mayImport: [], shared: all, because: 'scores windows; what follows from a score is not its business' },
  verdict: { mayImport: ['detection', 'window', 'devices'], shared: all, because: 'pure: no I/O' },
  enforcement: {
    mayImport: ['verdict'],
    shared: all,
    because: 'holds decisions in the kernel; never reports by itself',
  },
  privileged: {
    mayImport: ['enforcement', 'capture', 'config'],
    shared: all,
    because: 'holds the rights, and must stay small enough to be read in one sitting',
  },
  report: {
    mayImport: ['verdict', 'detection', 'window', 'devices', 'features', 'identity'],
    shared: all,
    because: 'tells, never acts; the link shows who it is',
  },
  twin: { mayImport: ['enforcement', 'detection', 'verdict', 'report'], shared: all, because: 'never touches packets' },
  identity: { mayImport: ['errors.ts'], shared: ['contract'], because: 'keys and certificates, nothing else' },
  health: { mayImport: [], shared: ['contract'], because: 'figures are handed to it' },
  config: {
    mayImport: ['errors.ts', 'memory-plan.ts'],
    shared: all,
    because: 'values for the stages, which never see it whole',
  },
  control: { mayImport: ['errors.ts', 'enforcement'], shared: all, because: 'the local door of a running agent' },
  testing: {
    mayImport: [
      'capture',
      'packet',
      'flow',
      'features',
      'devices',
      'window',
      'detection',
      'verdict',
      'enforcement',
      'report',
      'twin',
    ],
    shared: all,
    because: 'adapters for tests, imported by tests only',
  },
};

/** Folders any of the agent's files may use besides their row. */
export const agentEverywhere = ['errors.ts'];

/** Files of the agent that put stages together; they may import every stage. */
export const agentComposition = [
  'agent.ts',
  'pipeline.ts',
  'packet-worker.ts',
  'detection-worker.ts',
  'packet-stage.ts',
  'worker-detector.ts',
  'serving-model.ts',
  'watch.ts',
  'controller-side.ts',
  'desired-targets.ts',
  'gateway-guard.ts',
  'guard-upkeep.ts',
  'known-addresses.ts',
  'local-door.ts',
  'explain-held.ts',
  'familiarity-keeper.ts',
  'memory-plan.ts',
  'state-directory.ts',
  'version.ts',
  'commands',
  'main.ts',
];

/** Endings of controller files and what they may import, as endings or folders. */
export const controllerRoles: Readonly<
  Record<string, { readonly never: readonly string[]; readonly because: string }>
> = {
  '-routes.ts': { never: ['-repository.ts', 'kysely', 'database'], because: 'a door goes through its service' },
  '-ingest.ts': { never: ['kysely', 'http', 'hono'], because: 'a door goes through its service' },
  '-service.ts': {
    never: ['hono', '@hono/zod-openapi', 'aedes', 'http'],
    because: 'decides what a request means; knows no door',
  },
  '-repository.ts': { never: ['-service.ts', '-routes.ts', 'hono', 'http', 'live'], because: 'SQL and nothing else' },
};

/** Folders of the controller that carry features and may be imported only by features and the composition root. */
export const controllerInfrastructure = ['database', 'broker', 'http', 'live', 'config'];
