import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSync } from 'oxc-parser';
import { expect, test } from 'vitest';
import { agentComposition, agentEverywhere, agentLayers, controllerInfrastructure, controllerRoles } from './layers.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

interface Source {
  /** Path below the package's `src`, with `/`. */
  readonly path: string;
  readonly absolute: string;
}

function sourcesOf(packageName: string): Source[] {
  const base = join(root, packageName, 'src');
  return readdirSync(base, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => ({ path: path.split(sep).join('/'), absolute: join(base, path) }));
}

/** Every module a file names: static imports, re-exports and dynamic imports alike. */
function importsOf(file: Source): string[] {
  const parsed = parseSync(file.absolute, readFileSync(file.absolute, 'utf8'));
  expect(parsed.errors).toEqual([]);
  const { staticImports, staticExports, dynamicImports } = parsed.module;
  return [
    ...staticImports.map((entry) => entry.moduleRequest.value),
    ...staticExports.flatMap((entry) => entry.entries.flatMap((e) => (e.moduleRequest ? [e.moduleRequest.value] : []))),
    ...dynamicImports.map(
      (entry) => parsed.program && readLiteral(file, entry.moduleRequest.start, entry.moduleRequest.end),
    ),
  ].filter((name): name is string => name !== undefined);
}

function readLiteral(file: Source, start: number, end: number): string | undefined {
  return /^['"](.+)['"]$/.exec(readFileSync(file.absolute, 'utf8').slice(start, end))?.[1];
}

/** `flow/flow-table.ts` for `./flow-table.ts` named by `flow/flow-meter.ts`; undefined for packages. */
function localTarget(file: Source, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  return relative('/', join('/', dirname(file.path), specifier))
    .split(sep)
    .join('/');
}

const folderOf = (path: string): string => (path.includes('/') ? path.slice(0, path.indexOf('/')) : path);
const isTest = (path: string): boolean => path.endsWith('.test.ts');

test('every folder of the agent is in the table', () => {
  const known = new Set([...Object.keys(agentLayers), ...agentComposition, ...agentEverywhere]);
  const strangers = sourcesOf('agent')
    .map((file) => folderOf(file.path))
    .filter((folder) => !known.has(folder) && !isTest(folder));
  expect([...new Set(strangers)]).toEqual([]);
});

test('a stage of the agent imports only what its row allows', () => {
  const strangers: string[] = [];
  for (const file of sourcesOf('agent')) {
    const folder = folderOf(file.path);
    const layer = agentLayers[folder];
    if (isTest(file.path) || layer === undefined) continue;
    for (const specifier of importsOf(file)) {
      const target = localTarget(file, specifier);
      const shared = /^@picket\/shared\/(\w+)\//.exec(specifier)?.[1];
      const allowed =
        target === undefined
          ? shared === undefined || (layer.shared as readonly string[]).includes(shared)
          : folderOf(target) === folder || [...layer.mayImport, ...agentEverywhere].includes(folderOf(target));
      if (!allowed) strangers.push(`agent/src/${file.path} imports ${specifier} (${layer.because})`);
    }
  }
  expect(strangers).toEqual([]);
});

test('fakes are imported by tests only', () => {
  const strangers = (['agent', 'controller'] as const).flatMap((name) =>
    sourcesOf(name)
      .filter((file) => !isTest(file.path) && !file.path.includes('testing/'))
      .flatMap((file) =>
        importsOf(file)
          .filter((specifier) => specifier.includes('/testing/'))
          .map((specifier) => `${name}/src/${file.path} imports ${specifier}`),
      ),
  );
  expect(strangers).toEqual([]);
});

test('a controller file keeps to its role', () => {
  const strangers: string[] = [];
  for (const file of sourcesOf('controller').filter((source) => !isTest(source.path))) {
    const role = Object.entries(controllerRoles).find(([ending]) => file.path.endsWith(ending))?.[1];
    if (role === undefined) continue;
    for (const specifier of importsOf(file)) {
      const target = localTarget(file, specifier);
      const hit = role.never.some((name) =>
        name.startsWith('-')
          ? target?.endsWith(name)
          : target === undefined
            ? specifier === name || specifier.startsWith(`${name}/`)
            : folderOf(target) === name,
      );
      if (hit) strangers.push(`controller/src/${file.path} imports ${specifier} (${role.because})`);
    }
  }
  expect(strangers).toEqual([]);
});

test('the controller’s ground floor knows no feature', () => {
  const floor = new Set(controllerInfrastructure);
  const strangers = sourcesOf('controller')
    .filter((file) => !isTest(file.path) && floor.has(folderOf(file.path)))
    .flatMap((file) =>
      importsOf(file)
        .map((specifier) => ({ specifier, target: localTarget(file, specifier) }))
        .filter(({ target }) => target !== undefined && target.includes('/') && !floor.has(folderOf(target)))
        .map(({ specifier }) => `controller/src/${file.path} imports ${specifier}`),
    );
  expect(strangers).toEqual([]);
});

test('shared does no I/O and imports nothing of Node or of the programs', () => {
  const strangers = sourcesOf('shared')
    .filter((file) => !isTest(file.path))
    .flatMap((file) =>
      importsOf(file)
        .filter((specifier) => specifier.startsWith('node:') || specifier.startsWith('@picket/'))
        .map((specifier) => `shared/src/${file.path} imports ${specifier}`),
    );
  expect(strangers).toEqual([]);
});
