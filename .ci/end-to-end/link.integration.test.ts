/** Nothing lost, nothing twice: controller and agent are killed again and again while events are made. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase } from '../../controller/src/database/database.ts';
import { freePort } from './free-port.ts';
import { RunningProgram, eventually } from '../../models/range/running-program.ts';

const node = [process.execPath, '--conditions=@picket/source'] as const;
let folder: string;
let ports: readonly string[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'picket-link-'));
  const [http, https, mqtt] = [await freePort(), await freePort(), await freePort()];
  ports = ['--port', String(http), '--agents-port', String(https), '--mqtt-port', String(mqtt)];
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const dataDir = (): string => join(folder, 'controller');
const stateDir = (): string => join(folder, 'gateway');

async function startController(): Promise<RunningProgram> {
  const program = RunningProgram.start(
    [...node, 'controller/src/main.ts', 'serve', '--data-dir', dataDir(), ...ports],
    { PICKET_METRICS_ENABLED: 'false' },
  );
  await program.untilPrinted(/"ready"/, 180_000);
  return program;
}

async function run(...command: readonly [string, ...string[]]): Promise<string> {
  await using program = RunningProgram.start([...node, ...command]);
  await eventually(
    async () => program.exitCode,
    (code) => code !== null,
    180_000,
  );
  if (program.exitCode !== 0) throw new Error(`${command.join(' ')}: ${program.output}`);
  return program.output;
}

const startAgent = (seconds: number): RunningProgram =>
  RunningProgram.start([...node, '.ci/end-to-end/emit-events.ts', stateDir(), String(seconds)]);

const committed = (): string[] => {
  try {
    return readFileSync(join(stateDir(), 'committed.txt'), 'utf8')
      .split('\n')
      .filter((line) => line.length === 36);
  } catch {
    return [];
  }
};

/** As many more commits as that, whoever is dead meanwhile. */
async function untilMoreCommitted(count: number): Promise<void> {
  const before = committed().length;
  await eventually(
    async () => committed().length - before,
    (more) => more >= count,
    180_000,
  );
}

test('killed agents and absent controllers lose no committed event and repeat none', { timeout: 900_000 }, async () => {
  let controller = await startController();
  const token = (await run('controller/src/main.ts', 'enroll-token', '--data-dir', dataDir())).trim();
  await run('agent/src/main.ts', 'enroll', '--token', token, '--gateway-id', 'hall-1', '--state-dir', stateDir());

  for (const [round, controllerSignal] of (['SIGTERM', 'SIGKILL', 'SIGKILL'] as const).entries()) {
    const agent = startAgent(600);
    await untilMoreCommitted(60);
    await controller.stop(controllerSignal);
    await untilMoreCommitted(60); // nobody listens, the outbox does
    await agent.stop('SIGKILL');
    await using second = startAgent(600);
    await untilMoreCommitted(30 * (round + 1));
    controller = await startController();
    await untilMoreCommitted(60);
    await second.stop('SIGKILL');
  }
  const last = startAgent(0); // sends what is left and ends
  await last.untilPrinted(/waiting 0 dropped 0/, 300_000);
  await last.stop('SIGTERM');
  await controller.stop('SIGTERM');

  await using database = await openDatabase({ file: join(dataDir(), 'picket.db') });
  const alerts = await database.reader.selectFrom('alerts').select('id').execute();
  const predictions = await database.reader.selectFrom('predictions').select('id').execute();
  const totals = await database.reader.selectFrom('ingest_totals').selectAll().executeTakeFirstOrThrow();
  const kept = new Set([...alerts, ...predictions].map((row) => row.id));
  const missing = committed().filter((id) => !kept.has(id));
  expect(missing).toEqual([]);
  // A kill may fall between the commit and our note of it: at most one commit of three events per kill.
  const unnoted = kept.size - committed().length;
  expect(unnoted).toBeGreaterThanOrEqual(0);
  expect(unnoted).toBeLessThanOrEqual(6 * 3);
  expect(totals).toMatchObject({ stored: kept.size, lost: 0, rejected: 0 });
});
