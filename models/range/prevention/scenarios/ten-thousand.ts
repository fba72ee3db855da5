/** Ten thousand blocks are on disk when the gateway starts. */
import { join } from 'node:path';
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite';
import { kernelElements } from '../kernel.ts';
import type { Scenario } from '../scenario.ts';

const count = 10_000;

export const scenario: Scenario = {
  group: 'life cycle',
  expectation:
    'Ten thousand blocks on disk are in the kernel and read back when the agent answers; forwarding goes on, and one lifted opens only that one.',
  limitSeconds: 240,
  async run(field) {
    const agent = await field.startAgent();
    const { attacker, gateway } = field.network;
    await agent.add({ scope: 'ip', value: attacker.address, duration_seconds: 3600 });
    await agent.program.stop('SIGTERM');
    copyDecision(join(agent.stateDir, 'decisions.sqlite'), attacker.address);
    agent.startAgain();
    const began = performance.now();
    await agent.untilReady(120_000);
    const seconds = (performance.now() - began) / 1000;
    const held = await agent.decisions();
    const verified = held.filter(({ in_kernel }) => in_kernel).length;
    field.expect(
      'the agent says that the kernel holds them all',
      verified === count,
      `${verified}, ${seconds.toFixed(1)} s after the start`,
    );
    const hosts = new Set((await kernelElements(gateway)).map(({ value }) => value));
    field.expect('nft lists every one of them', hosts.size >= count, hosts.size);
    await field.expectReach('the host among them gets nothing', attacker, false);
    await agent.command('decisions', 'delete', attacker.address);
    await field.expectReach('lifted, it gets a page', attacker, true);
    const left = new Set((await kernelElements(gateway)).map(({ value }) => value));
    field.expect('the others stay', left.size >= count - 1, left.size);
  },
};

/** As if as many had been made by hand: the one row that is there, again and again, each with an id and address of its own. */
function copyDecision(path: string, address: string): void {
  using database = new DatabaseSync(path);
  const row = database.prepare('SELECT * FROM decision').get();
  if (row === undefined) throw new Error(`${path} holds no decision to copy`);
  const columns = Object.keys(row);
  const insert = database.prepare(
    `INSERT INTO decision (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
  );
  const id = String(row['id']);
  database.exec('BEGIN');
  for (let index = 1; index < count; index++) {
    const ownId = id.slice(0, -6) + index.toString(16).padStart(6, '0');
    const ownAddress = `100.64.${index >> 8}.${index & 255}`;
    const values = columns.map((column): SQLOutputValue => {
      const value = row[column] ?? null;
      return typeof value === 'string' ? value.replaceAll(id, ownId).replaceAll(address, ownAddress) : value;
    });
    insert.run(...values);
  }
  database.exec('COMMIT');
}
