/**
 * The one-time enrolment token as a person carries it from the controller to a gateway: where to knock, which CA to
 * expect there, and a secret. One line of text, safe in a shell.
 */
import { z } from 'zod';

/** `u` the agents' HTTPS door · `f` SHA-256 of the CA certificate (DER), hex · `s` the secret, base64url. */
const TokenFields = z.strictObject({
  u: z.url({ protocol: /^https$/ }).max(300),
  f: z.string().regex(/^[0-9a-f]{64}$/),
  s: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
});

export interface EnrolmentToken {
  /** Origin of the agents' HTTPS door, e.g. `https://controller.example:8443`. */
  readonly url: string;
  /** SHA-256 of the controller's CA certificate (DER), lower-case hex. */
  readonly caFingerprint: string;
  /** 32 random bytes, base64url. The controller keeps only its hash. */
  readonly secret: string;
}

const prefix = 'pk1.';

export function formatEnrolmentToken(token: EnrolmentToken): string {
  const fields = { u: token.url, f: token.caFingerprint, s: token.secret };
  return prefix + btoa(JSON.stringify(fields)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** Undefined for anything that `formatEnrolmentToken` could not have made. */
export function parseEnrolmentToken(text: string): EnrolmentToken | undefined {
  const trimmed = text.trim();
  if (!trimmed.startsWith(prefix) || trimmed.length > 1000) return undefined;
  try {
    const json = atob(trimmed.slice(prefix.length).replaceAll('-', '+').replaceAll('_', '/'));
    const fields = TokenFields.safeParse(JSON.parse(json));
    if (!fields.success) return undefined;
    return { url: new URL(fields.data.u).origin, caFingerprint: fields.data.f, secret: fields.data.s };
  } catch {
    return undefined; // not base64url, or not JSON
  }
}
