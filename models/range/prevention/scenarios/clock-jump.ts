/** Somebody sets the clock while the agent runs, and it is wrong again after a restart. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Scenario } from '../scenario.ts';

const block = 600;

export const scenario: Scenario = {
  group: 'life cycle',
  expectation:
    'The wall clock jumps a day ahead, then two days back, with a restart in between: a block of ten minutes neither ends early nor lasts longer.',
  needs: ['faketime'],
  async run(field) {
    const { network } = field;
    const { attacker } = network;
    const clock = join(network.folder, 'clock');
    const setClock = (offset: string): Promise<void> => writeFile(clock, `${offset}\n`);
    await setClock('+0');
    // libfaketime reads the file at every look at the clock; time since boot stays true, as in a kernel
    const fooled = ['env', 'FAKETIME_NO_CACHE=1', 'FAKETIME_DONT_FAKE_MONOTONIC=1', `FAKETIME_TIMESTAMP_FILE=${clock}`];
    const [library = ''] = (await network.gateway.must(['faketime', '-f', '+0', 'printenv', 'LD_PRELOAD'])).split('\n');
    const wrapper = [...fooled, `LD_PRELOAD=${library}`];
    const agent = await field.startAgent({}, { wrapper });
    const began = performance.now();
    await agent.add({ scope: 'ip', value: attacker.address, duration_seconds: block });
    const check = async (when: string): Promise<void> => {
      await agent.add({ scope: 'ip', value: '192.0.2.99' }); // whatever is decided next makes all hold anew
      const longest = Math.max(0, ...(await field.held(attacker.address)).map(({ expires }) => expires));
      const left = block - (performance.now() - began) / 1000;
      field.expect(
        `${when}: the kernel holds what is left, not more`,
        Math.abs(longest - left) < 45 && longest <= left + 2,
        `${longest} s of ${left.toFixed(1)} s`,
      );
      await field.expectReach(`${when}: the host gets nothing`, attacker, false);
    };
    await check('before');
    await setClock('+1d');
    await check('a day ahead');
    await agent.program.stop('SIGTERM');
    agent.startAgain({ wrapper });
    await agent.untilReady(60_000);
    await check('restarted a day ahead');
    await setClock('-1d');
    await check('two days back');
    await agent.program.stop('SIGKILL');
    agent.startAgain({ wrapper });
    await agent.untilReady(60_000);
    await check('restarted two days back');
  },
};
