import { expect, test } from 'vitest';
import { joinGuards } from './gateway-guard.ts';

const own = { admin_prefixes: ['192.168.1.10/32'], management_ports: [22], never_block: ['203.0.113.5'] };

test("what the owner's file lists holds beside whatever a policy says of the guard", () => {
  expect(joinGuards(own, { admin_prefixes: [], management_ports: [], never_block: [] })).toEqual(own);
  const policy = { admin_prefixes: ['10.0.0.0/24'], management_ports: [22, 8443], never_block: ['203.0.113.5'] };
  expect(joinGuards(own, policy)).toEqual({
    admin_prefixes: ['192.168.1.10/32', '10.0.0.0/24'],
    management_ports: [22, 8443],
    never_block: ['203.0.113.5'],
  });
});
