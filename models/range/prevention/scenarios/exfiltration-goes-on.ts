/** A device that is cut from the stranger to whom it sends what it knows, and goes on with the next one. */
import { defaultRules } from '@picket/shared/policy/default-rules';
import { rawUpload } from '../attacks.ts';
import { tryPort } from '../conversations.ts';
import { expectCut } from '../cut-destination.ts';
import type { Scenario } from '../scenario.ts';
import { startStranger } from '../stranger.ts';

const port = 4444;
const { cooldown_seconds: restSeconds } = defaultRules.find(({ classes }) => classes.includes('data_exfiltration'))!;
/** Half a rest: a second stranger that waited for the end of it would be found out. */
const soonMs = (restSeconds * 1000) / 2;

export const scenario: Scenario = {
  group: 'restrictions',
  expectation:
    'A device that uploads to a stranger is cut from that one, and a moment later from the second with whom it goes on, while the rule rests; when it has rested and the device goes on with a third, it is shut in, until its owner lets it out: then it reaches others, and none of the two.',
  needs: ['busybox'],
  honestClientVisits: 'neighbour',
  limitSeconds: 400,
  async run(field) {
    const agent = await field.startAgent();
    const { network } = field;
    const { attacker, bystander, device } = network;
    const [second, third] = ['192.0.2.67', '192.0.2.68'] as const;
    await attacker.namespace.ip([second, third].map((address) => `address add ${address}/24 dev eth0`));
    for (const address of [attacker.address, second, third])
      await startStranger(network, { ...attacker, address }, 'silence', port);
    const reaches = (address: string) => (): Promise<boolean> => tryPort(device.namespace, address, port);
    const values = async (): Promise<readonly string[]> =>
      (await agent.decisions()).map(({ decision: { action, value } }) => `${action} ${value}`).toSorted();
    const upload = (address: string): string[] => rawUpload(address, port, 300_000);

    const first = await expectCut(field, upload(attacker.address), {
      what: 'the first stranger',
      isReached: reaches(attacker.address),
    });
    const cutAtMs = Date.now();
    await first.stop('SIGTERM');
    const pair = `${second} . ${device.address}|${device.address} . ${second}`;
    const upon = (address: string) => ({ leg: 'lan0', isPattern: true, filter: `dst host ${address}` });
    const next = await field.attackUntilRestricted(device, upload(second), pair, {
      ...upon(second),
      deadlineMs: soonMs,
    });
    field.expect('the rule rests still', Date.now() - cutAtMs < restSeconds * 1000);
    field.expect('it no longer reaches the second', !(await reaches(second)()));
    await field.expectPing('it reaches others outside', device.namespace, bystander.address);

    await field.expectSoon(
      'the rule has rested',
      () => Promise.resolve(Math.round((Date.now() - cutAtMs) / 1000)),
      (seconds) => seconds > restSeconds,
      restSeconds * 1000 + soonMs,
    );
    const cut = [attacker.address, second].map((address) => `block ${address} ${device.address}`);
    const held = await values();
    field.expect('what goes on and is dropped is no new offence', String(held) === String(cut), held);
    await next.stop('SIGTERM');
    const last = await field.attackUntilRestricted(device, upload(third), device.mac, {
      ...upon(third),
      deadlineMs: soonMs,
    });
    const shutIn = await values();
    field.expect('it is shut in', shutIn.includes(`quarantine ${device.mac}`), shutIn);
    field.expect('it reaches nobody', !(await network.pings(device.namespace, bystander.address)));
    await last.stop('SIGTERM');

    const lifted = await agent.command('decisions', 'delete', device.mac);
    field.expect('its owner lets it out', lifted.status === 0, lifted.stdout + lifted.stderr);
    await field.expectPing('it reaches others outside again', device.namespace, bystander.address);
    field.expect('and not the first', !(await reaches(attacker.address)()));
    field.expect('nor the second', !(await reaches(second)()));
  },
};
