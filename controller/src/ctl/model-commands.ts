/** `picketctl models`: bundles in, and onto the fleet. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { ModelManifest } from '@picket/shared/contract/model-manifest';
import type { NewModel } from '@picket/shared/contract/stored-model';
import { StartFailure, exitCodes } from '../errors.ts';
import { addGet, addList, segment, show, type Terminal } from './verbs.ts';

const path = '/api/v1/models';
const columns = ['version', 'state', 'threshold', 'size_bytes', 'uploaded_by', 'uploaded_at', 'gateways'];

export function addModels(program: Command, terminal: Terminal): void {
  const models = program.command('models').description('model bundles');
  addList(models, terminal, path, columns, {});
  addGet(models, terminal, path);
  models
    .command('upload <folder>')
    .description('verify a bundle, sign it with the bundle key, and keep it as a candidate')
    .action(async (folder: string) => {
      await show(terminal, 'POST', path, columns, { files: await readBundleFolder(folder) } satisfies NewModel);
    });
  for (const [verb, description] of [
    ['activate', 'have the fleet serve it, or only the gateways named'],
    ['rollback', 'have the fleet serve what it served before, or the gateways named what the fleet serves'],
  ] as const) {
    models
      .command(`${verb} <version>`)
      .description(description)
      .option('--gateway <name...>', 'only on these gateways')
      .action(async (version: string, { gateway }: { gateway?: string[] }) => {
        const body = gateway === undefined ? {} : { gateways: gateway };
        await show(terminal, 'POST', `${path}/${segment(version)}/${verb}`, columns, body);
      });
  }
  models
    .command('delete <version>')
    .description('delete a bundle that no gateway is to serve')
    .action(async (version: string) => {
      await terminal.api().call('DELETE', `${path}/${segment(version)}`);
      terminal.print(`${version} is deleted`);
    });
}

/** The files that the manifest names; whether they are right is for the controller to say. */
async function readBundleFolder(folder: string): Promise<NewModel['files']> {
  const manifest = await readBundleFile(folder, 'manifest.json');
  let names: string[];
  try {
    names = Object.keys(
      ModelManifest.pick({ files: true })
        .strip()
        .parse(JSON.parse(manifest.toString('utf8'))).files,
    );
  } catch (error) {
    throw new StartFailure(`${join(folder, 'manifest.json')} is no manifest of a model bundle`, exitCodes.data, {
      cause: error,
    });
  }
  const files: Record<string, string> = { 'manifest.json': manifest.toString('base64') };
  for (const name of names) files[name] = (await readBundleFile(folder, name)).toString('base64');
  return files;
}

async function readBundleFile(folder: string, name: string): Promise<Buffer> {
  try {
    return await readFile(join(folder, name));
  } catch (error) {
    throw new StartFailure(
      `cannot read ${join(folder, name)}: ${(error as Error).message}; give the folder of a bundle`,
      exitCodes.data,
      { cause: error },
    );
  }
}
