/** Somebody asks to cut the gateway's own way out. */
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'lockout',
  expectation:
    'The next hop of the default route is refused, alone, inside a prefix and by its MAC; also one that came, and a MAC that it took, while the agent ran.',
  async run(field) {
    const { gateway } = field.network;
    await gateway.ip(['route add default via 192.0.2.254 dev wan0']);
    const agent = await field.startAgent();
    const refused = async (scope: string, value: string): Promise<void> => {
      const { state, detail } = await agent.add({ scope, value });
      field.expect(`${scope} ${value} is refused`, state === 'refused', { state, detail });
    };
    await refused('ip', '192.0.2.254');
    await refused('cidr', '192.0.2.128/25');
    await gateway.ip(['route replace default via 203.0.113.254 dev wan1']);
    await field.expectSoon(
      'the new next hop is refused soon after the change',
      async () => {
        const answer = await agent.add({ scope: 'ip', value: '203.0.113.254', duration_seconds: 1 });
        return answer.state;
      },
      (state) => state === 'refused',
    );
    await gateway.ip(['neigh replace 203.0.113.254 lladdr 02:00:5e:00:01:0a dev wan1 nud reachable']);
    await field.expectSoon(
      'its MAC is refused soon after it is known',
      async () => {
        const answer = await agent.add({ scope: 'device', value: '02:00:5e:00:01:0a', duration_seconds: 1 });
        return answer.state;
      },
      (state) => state === 'refused',
      20_000,
    );
  },
};
