/** A gateway that runs fail2ban. */
import { holdBeside } from '../foreign-rules.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'foreign rules',
  expectation:
    'Beside the rules of fail2ban a block holds, ends open connections, and leaves every one of those rules as it was; a reload of them changes nothing for it.',
  run: (field) => holdBeside(field, 'fail2ban', ['delete table inet f2b-table', 'delete table inet filter']),
};
