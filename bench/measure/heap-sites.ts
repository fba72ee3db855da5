/** Where some work allocates: V8's sampling heap profiler, with what was collected meanwhile counted too. */
import { Session } from 'node:inspector';
import { fileURLToPath } from 'node:url';

export interface AllocationSite {
  /** Function, file and line, from the root of the project. */
  readonly site: string;
  /** Estimated from samples, one every 512 bytes on average. */
  readonly bytes: number;
}

interface ProfileNode {
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly selfSize: number;
  readonly children: readonly ProfileNode[];
}

const root = new URL('../../', import.meta.url).href;

/** The sites that allocated most while `work` ran, largest first. */
export function allocationSites(work: () => void, most = 8): AllocationSite[] {
  const session = new Session();
  session.connect();
  try {
    session.post('HeapProfiler.startSampling', {
      samplingInterval: 512,
      includeObjectsCollectedByMajorGC: true,
      includeObjectsCollectedByMinorGC: true,
    });
    work();
    let head: ProfileNode | undefined;
    // Answered before `post` returns: the session is connected to its own thread.
    session.post('HeapProfiler.stopSampling', (error, result) => {
      if (error !== null) throw error;
      head = result.profile.head;
    });
    const bytesOf = new Map<string, number>();
    if (head !== undefined) addTo(bytesOf, head);
    return [...bytesOf]
      .map(([site, bytes]) => ({ site, bytes }))
      .filter(({ bytes }) => bytes > 0)
      .toSorted((one, other) => other.bytes - one.bytes)
      .slice(0, most);
  } finally {
    session.disconnect();
  }
}

function addTo(bytesOf: Map<string, number>, node: ProfileNode): void {
  const { functionName, url, lineNumber } = node.callFrame;
  const file = url.startsWith(root) ? url.slice(root.length) : url.startsWith('file:') ? fileURLToPath(url) : url;
  const site = `${functionName || '(anonymous)'} ${file}:${lineNumber + 1}`;
  bytesOf.set(site, (bytesOf.get(site) ?? 0) + node.selfSize);
  for (const child of node.children) addTo(bytesOf, child);
}
