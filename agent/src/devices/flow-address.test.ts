import ipaddr from 'ipaddr.js';
import { expect, test } from 'vitest';
import { addressKey, addressText, macText } from './flow-address.ts';

function bytesOf(text: string): { readonly bytes: Uint8Array; readonly family: number } {
  const address = ipaddr.parse(text);
  const bytes = new Uint8Array(32).fill(0xee);
  bytes.fill(0, 16);
  bytes.set(address.toByteArray(), 32 - address.toByteArray().length);
  return { bytes, family: address.kind() === 'ipv4' ? 4 : 6 };
}

test.each([
  '0.0.0.0',
  '192.168.1.20',
  '255.255.255.255',
  '::',
  '::1',
  'fe80::1',
  '2001:db8::',
  '2001:db8::1:0:0:1',
  '2001:0:0:1::2',
  '2001:db8:0:1:1:1:1:1',
  '1:2:3:4:5:6:7:8',
])('%s is read from the second row', (text) => {
  const { bytes, family } = bytesOf(text);
  expect(addressText(bytes, 1, family)).toBe(text);
});

test('IPv6 text is that of RFC 5952 whatever groups are zero', () => {
  for (let pattern = 0; pattern < 256; pattern++) {
    const groups = Array.from({ length: 8 }, (_, index) => ((pattern >> index) & 1 ? 0x0f + index * 0x1111 : 0));
    const text = new ipaddr.IPv6(groups).toRFC5952String();
    const { bytes } = bytesOf(text);
    expect(addressText(bytes, 1, 6)).toBe(text);
  }
});

test('keys tell addresses apart and do not depend on the row', () => {
  const texts = ['10.0.0.1', '10.0.0.2', '200.0.0.1', '::1', '::2', 'fe80::1', '2001:db8::1', '2001:db8:0:1::'];
  const keys = texts.map((text) => {
    const { bytes, family } = bytesOf(text);
    expect(addressKey(bytes.slice(16), 0, family)).toBe(addressKey(bytes, 1, family));
    return addressKey(bytes, 1, family);
  });
  expect(new Set(keys).size).toBe(texts.length);
});

test('a MAC of zeros is none', () => {
  const bytes = new Uint8Array([0, 0, 0, 0, 0, 0, 2, 0x42, 0xac, 0x11, 0, 2]);
  expect(macText(bytes, 0)).toBeNull();
  expect(macText(bytes, 1)).toBe('02:42:ac:11:00:02');
});
