import { expect, test } from 'vitest';
import { outerView } from './capture.ts';
import { type CaptureLabels, labelOf } from './labels.ts';
import { planSite } from './plan/plan-site.ts';

const site = planSite('train', 1);
const labels: CaptureLabels = {
  format: 1,
  name: 'x',
  site: site.name,
  seed: 1,
  settings: 'train',
  lan_prefix: `${site.lan}.0/24`,
  from_us: 0,
  to_us: 9000,
  rules: [
    {
      class: 'botnet_beacon',
      src_ip: `${site.lan}.7`,
      dst_ip: '203.0.113.9',
      protocol: null,
      dst_port: null,
      except: [],
      from_us: 0,
      to_us: 9000,
      step: 'beacon',
    },
    {
      class: 'ddos_flood',
      src_ip: null,
      dst_ip: `${site.lan}.8`,
      protocol: 6,
      dst_port: 80,
      except: ['198.18.0.1', '203.0.113.10'],
      from_us: 0,
      to_us: 9000,
      step: 'flood',
    },
  ],
};

test('behind address translation an attack is found under the outer address, whatever port the gateway chose', () => {
  const outer = outerView(labels, site);
  const beacon = { a_ip: site.outer, a_port: 61_000, b_ip: '203.0.113.9', b_port: 443, protocol: 6, start_us: 5 };
  expect(labelOf(beacon, outer)).toBe('botnet_beacon');
  expect(labelOf({ ...beacon, b_ip: '203.0.113.10' }, outer)).toBe('benign');
  expect(labelOf({ ...beacon, a_ip: `${site.lan}.7` }, outer)).toBe('botnet_beacon'); // not translated
  const flood = { a_ip: '9.9.9.9', a_port: 5, b_ip: site.outer, b_port: 8081, protocol: 6, start_us: 5 };
  expect(labelOf(flood, outer)).toBe('ddos_flood');
  expect(labelOf({ ...flood, a_ip: '198.18.0.1' }, outer)).toBe('benign');
  expect(outer).toMatchObject({ view: 'wan', lan_prefix: `${site.outer}/32` });
});
