/** A gateway whose owner uses ufw. */
import { holdBeside } from '../foreign-rules.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'foreign rules',
  expectation:
    'Beside the rules of ufw a block holds, ends open connections, and leaves every one of those rules as it was; a reload of them changes nothing for it.',
  run: (field) => holdBeside(field, 'ufw', ['delete table ip filter', 'delete table ip6 filter']),
};
