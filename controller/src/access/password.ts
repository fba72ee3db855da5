/** Passwords: argon2id at rest, and the same time spent on a name that does not exist. */
import { hash, verify } from '@node-rs/argon2';
import { InvalidInput } from '../errors.ts';

/** OWASP's second choice for argon2id: 19 MiB, two passes; about 30 ms here. Algorithm 2 is argon2id. */
const cost = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 };
const minLength = 12;

export function hashPassword(password: string): Promise<string> {
  return hash(password, cost);
}

let unknownUser: Promise<string> | undefined;

/** False, after as long as a real comparison takes, where there is no such person (`stored` undefined). */
export async function passwordMatches(stored: string | undefined, password: string): Promise<boolean> {
  unknownUser ??= hashPassword('nobody has this password');
  const matches = await verify(stored ?? (await unknownUser), password);
  return matches && stored !== undefined;
}

/** Throws `InvalidInput` that names `pointer` where the password would be easy to guess. */
export function checkPassword(password: string, username: string, pointer: string): void {
  const weakness = weaknessOf(password.toLowerCase(), username.toLowerCase());
  if (weakness === undefined) return;
  throw new InvalidInput(`password: ${weakness}`, { fields: [{ pointer, detail: weakness }] });
}

function weaknessOf(password: string, username: string): string | undefined {
  if (password.length < minLength) return `needs at least ${minLength} characters`;
  if (new Set(password).size < 5) return 'uses too few different characters';
  if (password.includes(username)) return 'must not contain the user name';
  const stem = password.replaceAll(/[^a-z]/g, '');
  if (
    [
      'password',
      'passwordpassword',
      'letmein',
      'qwerty',
      'qwertyuiop',
      'welcome',
      'changeme',
      'picket',
      'picketpicket',
    ].includes(stem)
  ) {
    return 'is one of the passwords everybody tries first';
  }
  return undefined;
}
