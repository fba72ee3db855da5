/** A newer agent takes the place of the one that runs, over the state that an old one left. */
import { cp, mkdir, readFile, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { agentCommandOf } from '../gateway-agent.ts';
import type { Scenario } from '../scenario.ts';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const nextVersion = '99.0.0';

export const scenario: Scenario = {
  group: 'life cycle',
  expectation:
    'The agent is stopped, another version of it starts over state that an early one wrote: blocks hold all the time, and none lasts longer for it.',
  async run(field) {
    const agent = await field.startAgent();
    const { network } = field;
    const { attacker } = network;
    await agent.add({ scope: 'ip', value: attacker.address, duration_seconds: 600 });
    const [before] = await agent.decisions();
    const old = await agent.command('--version');
    const next = agentCommandOf(await installNext(join(network.folder, 'next')));
    await agent.program.stop('SIGTERM');
    await field.expectReach('the attacker gets nothing while no agent runs', attacker, false);
    forgetWhatEarlyAgentsHadNot(join(agent.stateDir, 'decisions.sqlite'));
    agent.startAgain({ command: next });
    await field.expectReach('nor while the next one starts', attacker, false);
    await agent.untilReady(60_000);
    const { stdout: version } = await network.gateway.run([...next, '--version']);
    field.expect('it is another version', version.trim() === nextVersion && old.stdout.trim() !== nextVersion, version);
    const [after] = await agent.decisions();
    field.expect(
      'it holds the same decision',
      after?.in_kernel === true && after.decision.id === before?.decision.id,
      after,
    );
    const laterMs = Date.parse(after?.decision.expires_at ?? '') - Date.parse(before?.decision.expires_at ?? '');
    field.expect('which ends no later than before', laterMs <= 0, `${laterMs} ms later`);
    const longest = Math.max(0, ...(await field.held(attacker.address)).map(({ expires }) => expires));
    const left = (Date.parse(before?.decision.expires_at ?? '') - Date.now()) / 1000;
    field.expect('in the kernel neither', longest > 0 && longest <= left + 1, `${longest} of ${left} s`);
    await field.expectReach('the attacker still gets nothing', attacker, false);
    await agent.command('decisions', 'delete', attacker.address);
    await field.expectReach('the next one lifts what the one before made', attacker, true);
  },
};

/** This build under another number: its own program, the same packages. The path of its main file. */
async function installNext(folder: string): Promise<string> {
  const [from, to] = [join(root, 'agent'), join(folder, 'agent')];
  await mkdir(to, { recursive: true });
  await cp(join(from, 'src'), join(to, 'src'), { recursive: true });
  for (const name of await readdir(from))
    if (name !== 'src' && name !== 'package.json') await symlink(join(from, name), join(to, name));
  for (const name of ['models', 'shared', 'node_modules']) await symlink(join(root, name), join(folder, name));
  const described = JSON.parse(await readFile(join(from, 'package.json'), 'utf8')) as object;
  await writeFile(join(to, 'package.json'), JSON.stringify({ ...described, version: nextVersion }));
  return join(to, 'src/main.ts');
}

/** Ends by the time since boot, and when an agent was last seen, came later. */
function forgetWhatEarlyAgentsHadNot(path: string): void {
  using database = new DatabaseSync(path);
  database.exec('DROP TABLE decision_end; DROP TABLE life');
}
