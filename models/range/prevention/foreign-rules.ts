/** Beside the rules of another program: ours hold, theirs stay as they are, also when they are loaded anew. */
import { readFile } from 'node:fs/promises';
import { keepTalking } from './conversations.ts';
import type { Field } from './field.ts';
import { foreignRules } from './kernel.ts';

/** `name` is a file in `rulesets/`; `reload` are the commands with which its program takes its tables away. */
export async function holdBeside(field: Field, name: string, reload: readonly string[]): Promise<void> {
  const { network } = field;
  const { gateway, attacker, device } = network;
  const ruleset = await readFile(new URL(`./rulesets/${name}.nft`, import.meta.url), 'utf8');
  await gateway.nft(ruleset);
  const before = await foreignRules(gateway);
  const agent = await field.startAgent();
  await field.expectReach('the host gets a page before', attacker, true);
  const talk = keepTalking(network, attacker.namespace, device.address, 7007);
  await talk.untilPrinted(/back/, 60_000);
  const { state } = await agent.add({ scope: 'ip', value: attacker.address });
  field.expect('the block is verified', state === 'verified', state);
  await field.expectReach('the host gets nothing', attacker, false);
  await field.expectSoon(
    'its open connection ends',
    async () => talk.output,
    (text) => text.includes('cut'),
    30_000,
  );
  field.expect('their rules are as they were, to the byte', (await foreignRules(gateway)) === before);
  await gateway.nft([...reload, ruleset].join('\n'));
  await field.expectReach('after they were loaded anew the host gets nothing', attacker, false);
  await agent.command('decisions', 'delete', attacker.address);
  await field.expectReach('lifted, it gets a page', attacker, true);
  field.expect('and their rules are as they were', (await foreignRules(gateway)) === before);
}
