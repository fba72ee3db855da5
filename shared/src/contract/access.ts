/** People, roles and what each role may do. */
import { z } from 'zod';
import { Instant } from './address.ts';
import { UserId } from './identifiers.ts';

/** Rising: each role may do all that the one before it may. */
export const Role = z.enum(['viewer', 'operator', 'admin']);
export type Role = z.infer<typeof Role>;

export function roleAtLeast(role: Role, minimum: Role): boolean {
  return Role.options.indexOf(role) >= Role.options.indexOf(minimum);
}

export const User = z
  .strictObject({
    id: UserId,
    username: z.string().describe('To log in with.'),
    email: z.string().nullable().describe('Also good to log in with.'),
    role: Role,
    is_active: z.boolean().describe('False: may not log in.'),
    last_login: Instant.nullable().describe('Null: never.'),
  })
  .meta({ id: 'User' });
export type User = z.infer<typeof User>;

/** `email` or `username`, and the password. */
export const Credentials = z
  .strictObject({
    username: z.string().max(254).optional().describe('Either this or `email`.'),
    email: z.string().max(254).optional().describe('Either this or `username`.'),
    password: z.string().min(1).max(1024),
  })
  .refine((value) => (value.username === undefined) !== (value.email === undefined), {
    error: 'give either username or email',
    path: ['username'],
  })
  .meta({ id: 'Credentials' });
export type Credentials = z.infer<typeof Credentials>;

export const TokenPair = z
  .strictObject({
    access_token: z.string().describe('Sent as `Authorization: Bearer …`.'),
    refresh_token: z.string().describe('For one exchange at POST /auth/refresh; using it twice ends the session.'),
    token_type: z.literal('bearer'),
    expires_in: z.int().describe('Seconds until the access token ends.'),
    user: User,
  })
  .meta({ id: 'TokenPair' });
export type TokenPair = z.infer<typeof TokenPair>;
