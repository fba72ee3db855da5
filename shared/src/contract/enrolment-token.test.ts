import { expect, test } from 'vitest';
import { formatEnrolmentToken, parseEnrolmentToken } from './enrolment-token.ts';

const token = {
  url: 'https://controller.example:8443',
  caFingerprint: 'ab'.repeat(32),
  secret: 'A'.repeat(43),
};

test('a token survives the way to the gateway, spaces around it included', () => {
  expect(parseEnrolmentToken(` ${formatEnrolmentToken(token)}\n`)).toEqual(token);
});

test('a token is one word that no shell changes', () => {
  expect(formatEnrolmentToken(token)).toMatch(/^pk1\.[A-Za-z0-9_-]+$/);
});

test.each([
  ['nothing', ''],
  ['another kind of token', 'pk2.e30'],
  ['no base64', 'pk1.%%%%'],
  ['no JSON', `pk1.${btoa('hello')}`],
  ['a missing field', `pk1.${btoa('{"u":"https://a"}')}`],
  ['plain HTTP', formatEnrolmentToken({ ...token, url: 'http://controller.example' })],
  ['half a token', formatEnrolmentToken(token).slice(0, -20)],
  ['a fingerprint that is none', formatEnrolmentToken({ ...token, caFingerprint: 'zz' })],
])('%s is refused', (_what, text) => {
  expect(parseEnrolmentToken(text)).toBeUndefined();
});
