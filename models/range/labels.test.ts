import { expect, test } from 'vitest';
import { type CaptureLabels, type LabelledEnds, labelOf } from './labels.ts';

const labels: CaptureLabels = {
  format: 1,
  name: 'x',
  site: 'home',
  seed: 1,
  settings: 'train',
  lan_prefix: '192.168.1.0/24',
  from_us: 0,
  to_us: 1000,
  rules: [
    {
      class: 'port_scan',
      src_ip: '192.0.2.9',
      dst_ip: null,
      protocol: null,
      dst_port: null,
      except: [],
      from_us: 100,
      to_us: 200,
      step: 'nmap',
    },
    {
      class: 'ddos_flood',
      src_ip: null,
      dst_ip: '192.168.1.20',
      protocol: 6,
      dst_port: 80,
      except: ['198.51.100.7'],
      from_us: 300,
      to_us: 400,
      step: 'hping3',
    },
  ],
};
const flow = (change: Partial<LabelledEnds>): LabelledEnds => ({
  a_ip: '192.0.2.9',
  a_port: 40_000,
  b_ip: '192.168.1.20',
  b_port: 80,
  protocol: 6,
  start_us: 150,
  ...change,
});

test('a flow of the attacker is labelled whichever end spoke first, and only while the attack lasts', () => {
  expect(labelOf(flow({}), labels)).toBe('port_scan');
  expect(labelOf(flow({ a_ip: '192.168.1.20', b_ip: '192.0.2.9', a_port: 80, b_port: 40_000 }), labels)).toBe(
    'port_scan',
  );
  expect(labelOf(flow({ start_us: 201 }), labels)).toBe('benign');
});

test('a flood from anywhere does not swallow the honest hosts, nor other ports and protocols', () => {
  const spoofed = flow({ a_ip: '9.8.7.6', start_us: 350 });
  expect(labelOf(spoofed, labels)).toBe('ddos_flood');
  expect(labelOf({ ...spoofed, a_ip: '198.51.100.7' }, labels)).toBe('benign');
  expect(labelOf({ ...spoofed, b_port: 443 }, labels)).toBe('benign');
  expect(labelOf({ ...spoofed, protocol: 17 }, labels)).toBe('benign');
});
