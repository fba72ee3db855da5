/** A gateway whose owner uses firewalld. */
import { holdBeside } from '../foreign-rules.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'foreign rules',
  expectation:
    'Beside the rules of firewalld a block holds, ends open connections, and leaves every one of those rules as it was; a reload of them changes nothing for it.',
  run: (field) => holdBeside(field, 'firewalld', ['delete table inet firewalld']),
};
