/** Somebody outside forges the address of a device of ours, to have the gateway cut it off for him. */
import { floodInTheNameOf } from '../attacks.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'lockout',
  expectation:
    'hping3 outside floods one device in the name of another, past a gateway that checks no return paths: the flooded one is protected, and the other one is neither blocked nor put into quarantine.',
  needs: ['hping3'],
  honestClientVisits: 'neighbour',
  limitSeconds: 180,
  async run(field) {
    const agent = await field.startAgent();
    const { attacker, device, neighbour, gateway } = field.network;
    for (const leg of ['all', 'wan0']) await gateway.sysctl(`net.ipv4.conf.${leg}.rp_filter`, 0);
    field.network.start(attacker.namespace, floodInTheNameOf(neighbour.address, device.address));
    const status = async (): Promise<{ health: { detection: { attacks: number } } }> =>
      (await agent.ask('GET', '/status')) as { health: { detection: { attacks: number } } };
    await field.expectSoon(
      'the gateway sees the flood in many windows',
      status,
      ({ health }) => health.detection.attacks >= 100,
      120_000,
    );
    await field.expectSoon(
      'the device that is flooded is protected',
      () => field.held(device.address),
      (elements) => elements.length > 0,
    );
    const decided = (await agent.decisions()).map(({ decision }) => decision);
    const against = decided.filter(({ value }) =>
      value.split(' ').some((word) => [neighbour.address, neighbour.mac].includes(word)),
    );
    field.expect('nothing is held against the device that was named', against.length === 0, decided);
    for (const name of [neighbour.address, neighbour.mac])
      field.expect(`the kernel does not name ${name}`, (await field.held(name)).length === 0);
  },
};
