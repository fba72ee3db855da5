/** One controller per data folder; a folder that cannot be used says so. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DataFolder } from './data-folder.ts';
import { exitCodes } from './errors.ts';

let place = '';
beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'picket-folder-'));
});
afterAll(() => rm(place, { recursive: true, force: true }));

test(
  'a second controller is refused, also of another process, until the first ends, however it ends',
  { timeout: 240_000 },
  async () => {
    const path = join(place, 'one');
    const module = JSON.stringify(new URL('data-folder.ts', import.meta.url).href);
    const script = `const { DataFolder } = await import(${module});
    globalThis.folder = await DataFolder.open(${JSON.stringify(path)});
    console.log('open');
    setInterval(() => {}, 1000);`;
    const other = spawn(process.execPath, ['--conditions=@picket/source', '--input-type=module', '-e', script]);
    try {
      await once(other.stdout, 'data');
      await expect(DataFolder.open(path)).rejects.toMatchObject({
        exitCode: exitCodes.unavailable,
        message: expect.stringContaining('another controller runs on data_dir') as string,
      });
    } finally {
      other.kill('SIGKILL');
      await once(other, 'exit');
    }
    const folder = await DataFolder.open(path);
    await expect(folder.requireRoom()).resolves.toBeUndefined();
    folder[Symbol.dispose]();
    (await DataFolder.open(path))[Symbol.dispose]();
  },
);

test('a folder that cannot be made is refused with the reason', async () => {
  await writeFile(join(place, 'file'), '');
  await expect(DataFolder.open(join(place, 'file', 'x'))).rejects.toMatchObject({
    exitCode: exitCodes.cannotCreate,
    message: expect.stringContaining('ENOTDIR') as string,
  });
});
