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
    const refusedSoon = async (what: string, scope: string, value: string, deadlineMs?: number): Promise<void> => {
      const ask = async (): Promise<string> => (await agent.add({ scope, value, duration_seconds: 1 })).state;
      await field.expectSoon(what, ask, (state) => state === 'refused', deadlineMs);
    };
    await refused('ip', '192.0.2.254');
    await refused('cidr', '192.0.2.128/25');
    await gateway.ip(['route replace default via 203.0.113.254 dev wan1']);
    await refusedSoon('the new next hop is refused soon after the change', 'ip', '203.0.113.254');
    await gateway.ip(['neigh replace 203.0.113.254 lladdr 02:00:5e:00:01:0a dev wan1 nud reachable']);
    await refusedSoon('its MAC is refused soon after it is known', 'device', '02:00:5e:00:01:0a', 20_000);
  },
};
