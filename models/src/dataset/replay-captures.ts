import type { Dataset } from './flow-rows.ts';
export async function replayCaptures(
  _folder: string,
  _into: Dataset,
  _progress: (line: string) => void,
): Promise<void> {}
